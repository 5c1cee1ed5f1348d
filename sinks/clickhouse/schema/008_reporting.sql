-- What reports on SLOs read. slo_hourly is a summary of slo_status, kept up to date
-- by slo_hourly_fill: a report over 30 days and 1,000 SLOs reads 720,000 of its
-- rows and not 43 million. Everything in it is the same when a row is written
-- twice: the latest in event time wins, and maxima stay.
CREATE OR REPLACE VIEW {db}.v_slo_status AS
SELECT
    slo,
    entity,
    labels,
    label_map,
    at AS as_of,
    total AS samples,
    bad AS bad_samples,
    total - bad AS good_samples,
    sli AS sli_ratio,
    target AS objective_ratio,
    budget_consumed AS budget_consumed_ratio,
    1 - budget_consumed AS budget_remaining_ratio,
    tiers,
    burn_long AS burn_rate_long,
    burn_short AS burn_rate_short,
    firing AS firing_tiers,
    CAST(notEmpty(firing) AS Bool) AS is_firing,
    complete AS is_complete,
    recorded_at,
    revision,
    state,
    period_start,
    period_end,
    suppressed AS suppressed_tiers,
    sli_highest AS sli_highest_ratio
FROM {db}.slo_status FINAL
COMMENT 'Status of SLOs over event time. Burn rates are multiples of the rate that uses up the budget exactly at the end of the period.';

CREATE VIEW IF NOT EXISTS {db}.v_error_budget AS
SELECT
    slo,
    entity,
    labels,
    label_map,
    revision,
    at AS as_of,
    state,
    target AS objective_ratio,
    period_start,
    period_end,
    total AS samples,
    bad AS bad_samples,
    total * (1 - target) AS allowed_bad_samples,
    total * (1 - target) - bad AS remaining_bad_samples,
    budget_consumed AS budget_consumed_ratio,
    1 - budget_consumed AS budget_remaining_ratio,
    dateDiff('second', period_start, period_end) * (1 - target) / 60 AS budget_minutes,
    dateDiff('second', period_start, period_end) * (1 - target) * (1 - budget_consumed) / 60 AS remaining_minutes,
    excluded_total AS excluded_samples,
    excluded_bad AS excluded_bad_samples,
    excluded_total / nullIf(total + excluded_total, 0) AS excluded_ratio,
    exhausts_1h AS exhausted_in_seconds_by_1h_burn,
    exhausts_6h AS exhausted_in_seconds_by_6h_burn,
    exhausts_3d AS exhausted_in_seconds_by_3d_burn,
    exhausts_trend AS exhausted_in_seconds_by_trend,
    exhausts_earliest AS exhausted_in_seconds_earliest,
    exhausts_latest AS exhausted_in_seconds_latest,
    complete AS is_complete
FROM {db}.slo_status FINAL
COMMENT 'Error budgets over event time, in samples, as shares and as minutes of total outage. Remaining may be below zero; NULL is no samples.';

CREATE VIEW IF NOT EXISTS {db}.v_burn_rate AS
SELECT
    slo,
    entity,
    labels,
    label_map,
    at AS as_of,
    tier,
    burn_long AS burn_rate_long,
    burn_short AS burn_rate_short,
    CAST(has(firing, tier) AS Bool) AS is_firing,
    target AS objective_ratio,
    complete AS is_complete
FROM {db}.slo_status FINAL
ARRAY JOIN tiers AS tier, burn_long, burn_short
COMMENT 'Burn rate of every tier over event time; NULL is no samples in the window.';

CREATE VIEW IF NOT EXISTS {db}.v_anomalies AS
SELECT
    finding_id,
    revision,
    state,
    severity,
    entity,
    labels,
    label_map,
    detector,
    opened_at,
    changed_at,
    resolved_at,
    open_seconds,
    is_open,
    summary,
    evidence_names,
    evidence_values,
    evidence_thresholds,
    is_complete
FROM {db}.v_findings
WHERE kind = 'anomaly'
COMMENT 'Anomalies, each in its latest state.';

CREATE TABLE IF NOT EXISTS {db}.slo_hourly
(
    slo             LowCardinality(String) COMMENT 'Name of the SLO',
    entity          LowCardinality(String) COMMENT 'What it is about',
    labels          String COMMENT 'Labels of the series as canonical JSON' CODEC(ZSTD(1)),
    hour            DateTime('UTC') COMMENT 'Start of the hour of event time' CODEC(DoubleDelta, ZSTD(1)),
    last_at         SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Latest status of the hour' CODEC(DoubleDelta, ZSTD(1)),
    last            AggregateFunction(argMax, Tuple(Int64, Int64, Nullable(Float64), Nullable(Float64), Nullable(Float64)), DateTime64(3, 'UTC')) COMMENT 'total, bad, sli, target and budget_consumed of it' CODEC(ZSTD(1)),
    budget_consumed SimpleAggregateFunction(max, Nullable(Float64)) COMMENT 'Largest share of the budget used' CODEC(ZSTD(1)),
    burn            SimpleAggregateFunction(max, Nullable(Float64)) COMMENT 'Largest burn rate of any tier, long window' CODEC(ZSTD(1)),
    firing          SimpleAggregateFunction(max, UInt8) COMMENT '1 when any tier fired' CODEC(ZSTD(1)),
    missing         SimpleAggregateFunction(max, UInt8) COMMENT '1 when a source was missing' CODEC(ZSTD(1)),
    recorded_at     SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'When a row was written last' CODEC(Delta, ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (slo, entity, labels, hour)
TTL recorded_at + INTERVAL 800 DAY
SETTINGS ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE MATERIALIZED VIEW IF NOT EXISTS {db}.slo_hourly_fill TO {db}.slo_hourly AS
SELECT
    slo,
    entity,
    labels,
    toStartOfHour(toDateTime(s.at, 'UTC') - 1) AS hour,
    max(s.at) AS last_at,
    argMaxState((s.total, s.bad, s.sli, s.target, s.budget_consumed), s.at) AS last,
    max(s.budget_consumed) AS budget_consumed,
    max(arrayMax(x -> ifNull(x, 0), s.burn_long)) AS burn,
    max(toUInt8(notEmpty(s.firing))) AS firing,
    max(toUInt8(NOT s.complete)) AS missing,
    max(s.recorded_at) AS recorded_at
FROM {db}.slo_status AS s
GROUP BY slo, entity, labels, hour;

INSERT INTO {db}.slo_hourly
SELECT
    slo,
    entity,
    labels,
    toStartOfHour(toDateTime(s.at, 'UTC') - 1) AS hour,
    max(s.at) AS last_at,
    argMaxState((s.total, s.bad, s.sli, s.target, s.budget_consumed), s.at) AS last,
    max(s.budget_consumed) AS budget_consumed,
    max(arrayMax(x -> ifNull(x, 0), s.burn_long)) AS burn,
    max(toUInt8(notEmpty(s.firing))) AS firing,
    max(toUInt8(NOT s.complete)) AS missing,
    max(s.recorded_at) AS recorded_at
FROM {db}.slo_status AS s
GROUP BY slo, entity, labels, hour;

CREATE VIEW IF NOT EXISTS {db}.v_slo_hourly AS
SELECT
    slo,
    entity,
    labels,
    hour,
    max(h.last_at) AS as_of,
    argMaxMerge(h.last) AS latest,
    tupleElement(latest, 1) AS samples,
    tupleElement(latest, 2) AS bad_samples,
    tupleElement(latest, 3) AS sli_ratio,
    tupleElement(latest, 4) AS objective_ratio,
    1 - tupleElement(latest, 5) AS budget_remaining_ratio,
    1 - max(h.budget_consumed) AS budget_lowest_ratio,
    max(h.burn) AS burn_rate_highest,
    CAST(max(h.firing) AS Bool) AS has_fired,
    CAST(max(h.missing) = 0 AS Bool) AS is_complete
FROM {db}.slo_hourly AS h
GROUP BY slo, entity, labels, hour
COMMENT 'SLOs by the hour of event time: the latest status of each, and the worst. The end of an hour belongs to it.';

CREATE VIEW IF NOT EXISTS {db}.v_slo_report AS
SELECT
    slo,
    entity,
    labels,
    max(h.last_at) AS as_of,
    argMaxMerge(h.last) AS latest,
    tupleElement(latest, 1) AS samples,
    tupleElement(latest, 2) AS bad_samples,
    tupleElement(latest, 3) AS sli_ratio,
    tupleElement(latest, 4) AS objective_ratio,
    1 - tupleElement(latest, 5) AS budget_remaining_ratio,
    1 - max(h.budget_consumed) AS budget_lowest_ratio,
    max(h.burn) AS burn_rate_highest,
    uniqExactIf(h.hour, h.firing = 1) AS hours_fired,
    uniqExactIf(h.hour, h.missing = 1) AS hours_incomplete
FROM {db}.slo_hourly AS h
WHERE h.hour >= {from:DateTime('UTC')} AND h.hour < {to:DateTime('UTC')}
GROUP BY slo, entity, labels
COMMENT 'One row per SLO for the hours from … to …: SELECT * FROM v_slo_report(from = ..., to = ...). The status at the end, and the worst in between.';
