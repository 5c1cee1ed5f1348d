-- What became of operations. Decisions have had no columns for it so far; rows from
-- before are read with the defaults.
ALTER TABLE {db}.decisions
    ADD COLUMN IF NOT EXISTS `trigger` LowCardinality(String) COMMENT 'What made it be decided' AFTER command,
    ADD COLUMN IF NOT EXISTS operation_id String COMMENT 'Operation that it is about, or empty' CODEC(ZSTD(1)) AFTER `trigger`,
    ADD COLUMN IF NOT EXISTS attempt UInt32 COMMENT 'Attempt of the operation, from 1' CODEC(T64, ZSTD(1)) AFTER operation_id,
    ADD COLUMN IF NOT EXISTS causes Array(String) COMMENT 'Operations that may have caused the finding' CODEC(ZSTD(1)) AFTER attempt,
    ADD COLUMN IF NOT EXISTS reason String COMMENT 'Why, where no gate says so' CODEC(ZSTD(1)) AFTER causes,
    ADD COLUMN IF NOT EXISTS who String COMMENT 'Person whose control it rests on, or empty' CODEC(ZSTD(1)) AFTER reason;

CREATE OR REPLACE VIEW {db}.v_decisions AS
SELECT
    id AS decision_id,
    at AS decided_at,
    verb,
    rule,
    rule_revision,
    finding AS finding_id,
    finding_revision,
    entity,
    target,
    action,
    params AS action_params,
    mode,
    `gates.name` AS gate_names,
    `gates.pass` AS gate_passed,
    `gates.reason` AS gate_reasons,
    arrayFilter((name, pass) -> NOT pass, `gates.name`, `gates.pass`) AS stopped_by_gates,
    `explain.expr` AS explain_expressions,
    `explain.value` AS explain_values,
    nullIf(command, '') AS command_id,
    recorded_at,
    `trigger`,
    nullIf(operation_id, '') AS operation_id,
    attempt,
    causes AS cause_operation_ids,
    reason,
    nullIf(who, '') AS person
FROM {db}.decisions FINAL
COMMENT 'Every decision, with every gate, and what became of every operation. decided_at is event time.';

CREATE VIEW IF NOT EXISTS {db}.v_remediations AS
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
    argMax(d.verb, (d.at, d.verb != 'act')) AS last_verb
FROM {db}.decisions AS d FINAL
WHERE d.operation_id != '' AND d.operation_id IN (SELECT operation_id FROM {db}.decisions WHERE verb = 'act')
GROUP BY d.operation_id
COMMENT 'One row per operation of which a command was sent. Times are event time.';

CREATE VIEW IF NOT EXISTS {db}.v_automation_kpis AS
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
    quantileExact(0.95)(r.seconds_to_remedy) AS seconds_to_remedy_p95
FROM {db}.v_remediations AS r
GROUP BY day, rule
COMMENT 'How well automation does, by rule and day of event time. Ratios are shares of operations.';

CREATE VIEW IF NOT EXISTS {db}.v_automation_candidates AS
SELECT
    f.kind AS kind,
    f.detector AS detector,
    count() AS findings,
    countIf(f.finding_id NOT IN (SELECT finding FROM {db}.decisions WHERE verb = 'act')) AS handled_by_people,
    uniqExact(f.entity) AS entities,
    quantileExactIf(0.5)(f.open_seconds, NOT f.is_open) AS open_seconds_p50,
    quantileExactIf(0.9)(f.open_seconds, NOT f.is_open) AS open_seconds_p90,
    ifNull(open_seconds_p50 / nullIf(open_seconds_p90, 0), 0) AS uniformity,
    handled_by_people * uniformity AS score
FROM {db}.v_findings AS f
WHERE f.severity != 'info'
GROUP BY kind, detector
COMMENT 'What to automate next: findings that people handle most often, and most alike (uniformity is median over p90 of how long they are open).';
