-- Since when things had been bad when a finding of a budget opened: the end of the last
-- window of its entity in the six hours before in which no indicator was worse than the
-- objective. Only findings that automation acted on, because windows are many.
CREATE VIEW IF NOT EXISTS {db}.v_detections AS
SELECT
    f.id AS finding_id,
    f.entity AS entity,
    f.detector AS slo,
    f.opened_at AS opened_at,
    maxIf(w.end, w.worst <= 1 - f.target) AS last_good,
    if(countIf(w.worst <= 1 - f.target) = 0, NULL, last_good) AS began_at,
    dateDiff('millisecond', began_at, f.opened_at) / 1000 AS seconds_to_detect
FROM
(
    SELECT x.id AS id, x.entity AS entity, x.detector AS detector, x.opened_at AS opened_at, s.target AS target
    FROM
    (
        SELECT DISTINCT id, entity, detector, opened_at FROM {db}.findings
        WHERE id IN (SELECT finding FROM {db}.decisions WHERE verb = 'act')
    ) AS x
    INNER JOIN
    (
        SELECT slo, argMax(objective_ratio, hour) AS target FROM {db}.v_slo_hourly
        WHERE slo IN (SELECT detector FROM {db}.findings WHERE id IN (SELECT finding FROM {db}.decisions WHERE verb = 'act'))
        GROUP BY slo
    ) AS s ON s.slo = x.detector
) AS f
INNER JOIN
(
    SELECT entity, end, max(ratio) AS worst
    FROM
    (
        SELECT entity, end, indicator, sum(bad) / sum(count) AS ratio
        FROM {db}.windows FINAL
        WHERE count > 0 AND (entity, toStartOfHour(end)) IN
        (
            SELECT entity, arrayJoin(arrayMap(h -> toStartOfHour(opened_at) - INTERVAL h HOUR, range(7)))
            FROM {db}.findings WHERE id IN (SELECT finding FROM {db}.decisions WHERE verb = 'act')
        )
        GROUP BY entity, end, indicator
    )
    GROUP BY entity, end
) AS w ON w.entity = f.entity
WHERE w.end <= f.opened_at AND w.end > f.opened_at - INTERVAL 6 HOUR
GROUP BY finding_id, entity, slo, opened_at
COMMENT 'Since when windows had been worse than the objective when a finding opened that automation acted on; NULL is for longer than six hours, or not known.';

-- The same columns as before, and what findings, commands and outcomes know.
CREATE OR REPLACE VIEW {db}.v_remediations AS
SELECT
    o.operation_id AS operation_id,
    o.rule AS rule,
    o.entity AS entity,
    o.target AS target,
    o.finding_id AS finding_id,
    o.first_action AS first_action,
    o.last_action AS last_action,
    o.attempts AS attempts,
    o.first_sent_at AS first_sent_at,
    o.last_at AS last_at,
    o.seconds_to_remedy AS seconds_to_remedy,
    o.was_effective AS was_effective,
    o.was_ineffective AS was_ineffective,
    o.was_worse AS was_worse,
    o.failures AS failures,
    o.was_unknown AS was_unknown,
    o.needed_person AS needed_person,
    o.is_compensation AS is_compensation,
    o.grouped_findings AS grouped_findings,
    o.last_verb AS last_verb,
    if(f.id = '', NULL, f.opened) AS opened_at,
    dateDiff('millisecond', opened_at, o.first_sent_at) / 1000 AS seconds_to_decide,
    e.seconds AS seconds_to_execute,
    nullIf(e.last, '') AS last_outcome,
    o.cost AS cost,
    greatest(o.acts, c.commands) AS commands,
    commands - greatest(o.distinct_attempts, c.distinct_attempts) AS duplicate_commands,
    c.audited AS audited_commands,
    r.findings AS caused_findings,
    CAST(o.was_effective AND o.next_at > o.first_sent_at AND o.next_at <= o.last_at + INTERVAL 4 HOUR AS Bool) AS came_back
FROM
(
    SELECT
        *,
        leadInFrame(first_sent_at) OVER (PARTITION BY rule, target ORDER BY first_sent_at, operation_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS next_at
    FROM
    (
        SELECT
            d.operation_id AS operation_id,
            any(d.rule) AS rule,
            any(d.entity) AS entity,
            any(d.target) AS target,
            any(d.finding) AS finding_id,
            argMin(d.action, (d.at, d.verb != 'act')) AS first_action,
            argMax(d.action, d.at) AS last_action,
            max(d.attempt) AS attempts,
            minIf(d.at, d.verb = 'act') AS first_sent_at,
            max(d.at) AS last_at,
            if(countIf(d.verb = 'effective') = 0, NULL, dateDiff('millisecond', minIf(d.at, d.verb = 'act'), maxIf(d.at, d.verb = 'effective')) / 1000) AS seconds_to_remedy,
            CAST(countIf(d.verb = 'effective') > 0 AS Bool) AS was_effective,
            CAST(countIf(d.verb = 'ineffective') > 0 AS Bool) AS was_ineffective,
            CAST(countIf(d.verb = 'worse') > 0 AS Bool) AS was_worse,
            countIf(d.verb = 'failed') AS failures,
            CAST(countIf(d.verb = 'unknown') > 0 AS Bool) AS was_unknown,
            CAST(countIf(d.verb = 'page' OR d.who != '') > 0 AS Bool) AS needed_person,
            CAST(countIf(d.`trigger` = 'compensation') > 0 AS Bool) AS is_compensation,
            countIf(d.verb = 'grouped') AS grouped_findings,
            argMax(d.verb, (d.at, d.verb != 'act')) AS last_verb,
            countIf(d.verb = 'act') AS acts,
            uniqExactIf(d.attempt, d.verb = 'act') AS distinct_attempts,
            sumIf(toFloat64OrNull(d.params['cost']), d.verb = 'act') AS cost
        FROM {db}.decisions AS d FINAL
        WHERE d.operation_id != '' AND d.operation_id IN (SELECT operation_id FROM {db}.decisions WHERE verb = 'act')
        GROUP BY d.operation_id
    )
) AS o
LEFT JOIN
(
    SELECT id, min(opened_at) AS opened FROM {db}.findings GROUP BY id
) AS f ON f.id = o.finding_id
LEFT JOIN
(
    SELECT
        k.operation_id AS operation_id,
        count() AS commands,
        uniqExact(k.attempt) AS distinct_attempts,
        countIf(k.decided AND (x.command != '' OR k.silent)) AS audited
    FROM
    (
        SELECT
            c.id AS id,
            c.operation_id AS operation_id,
            c.attempt AS attempt,
            CAST(c.id IN (SELECT command FROM {db}.decisions WHERE verb = 'act' AND rule_revision != '' AND (notEmpty(`gates.name`) OR `trigger` = 'compensation')) AS Bool) AS decided,
            CAST((c.operation_id, c.attempt) IN (SELECT operation_id, attempt FROM {db}.decisions WHERE verb = 'unknown') AS Bool) AS silent
        FROM {db}.commands AS c FINAL
    ) AS k
    LEFT JOIN (SELECT DISTINCT command FROM {db}.outcomes WHERE class != 'accepted') AS x ON x.command = k.id
    GROUP BY operation_id
) AS c ON c.operation_id = o.operation_id
LEFT JOIN
(
    SELECT
        y.operation_id AS operation_id,
        argMax(y.class, (y.at, y.class != 'accepted')) AS last,
        sum(if(y.finished > toDateTime64(0, 3, 'UTC') AND y.started > toDateTime64(0, 3, 'UTC'), dateDiff('millisecond', y.started, y.finished) / 1000, NULL)) AS seconds
    FROM {db}.outcomes AS y FINAL
    GROUP BY operation_id
) AS e ON e.operation_id = o.operation_id
LEFT JOIN
(
    SELECT causes[1] AS operation_id, uniqExact(finding) AS findings
    FROM {db}.decisions
    WHERE notEmpty(causes) AND finding != '' AND verb NOT IN ('grouped', 'control')
    GROUP BY operation_id
) AS r ON r.operation_id = o.operation_id
COMMENT 'One row per operation of which a command was sent. Times are event time, seconds_to_execute the clocks of executors.';

CREATE OR REPLACE VIEW {db}.v_automation_kpis AS
SELECT
    toStartOfDay(r.first_sent_at) AS day,
    r.rule AS rule,
    count() AS operations,
    countIf(r.was_effective) / count() AS success_ratio,
    countIf(r.needed_person) / count() AS intervention_ratio,
    countIf(r.is_compensation) / count() AS rollback_ratio,
    countIf(r.was_ineffective) / count() AS ineffective_ratio,
    countIf(r.was_worse) AS caused_harm,
    countIf(r.was_unknown) / count() AS unknown_ratio,
    sum(r.attempts) AS commands,
    sum(r.grouped_findings) AS grouped_findings,
    count() - uniqExact(r.entity, r.target) AS repeated_operations,
    quantileExact(0.5)(r.seconds_to_remedy) AS seconds_to_remedy_p50,
    quantileExact(0.95)(r.seconds_to_remedy) AS seconds_to_remedy_p95,
    quantileExact(0.5)(if(d.finding_id = '', NULL, d.seconds_to_detect)) AS seconds_to_detect_p50,
    quantileExact(0.95)(if(d.finding_id = '', NULL, d.seconds_to_detect)) AS seconds_to_detect_p95,
    quantileExact(0.5)(r.seconds_to_decide) AS seconds_to_decide_p50,
    quantileExact(0.95)(r.seconds_to_decide) AS seconds_to_decide_p95,
    quantileExact(0.5)(r.seconds_to_execute) AS seconds_to_execute_p50,
    quantileExact(0.95)(r.seconds_to_execute) AS seconds_to_execute_p95,
    countIf(r.came_back) / nullIf(countIf(r.was_effective), 0) AS flapping_ratio,
    sum(r.duplicate_commands) / nullIf(sum(r.commands), 0) AS duplicate_ratio,
    sum(r.caused_findings) AS caused_incidents,
    sum(r.audited_commands) / nullIf(sum(r.commands), 0) AS audit_complete_ratio,
    sum(r.cost) AS cost,
    cost / count() AS cost_per_operation
FROM {db}.v_remediations AS r
LEFT JOIN {db}.v_detections AS d ON d.finding_id = r.finding_id
GROUP BY day, rule
COMMENT 'How well automation does, by rule and day of event time. Ratios are shares of operations; duplicate and audit_complete of commands, flapping of operations that helped.';
