-- One row per analysis of a canary and revision: every verdict that was reported.
-- started_at is the same in all of them, so that an analysis stays in one partition.
CREATE TABLE IF NOT EXISTS {db}.verdicts
(
    id                       String COMMENT 'Identifies the analysis' CODEC(ZSTD(1)),
    revision                 UInt32 COMMENT 'Counts the verdicts from 1' CODEC(T64, ZSTD(1)),
    canary                   LowCardinality(String) COMMENT 'Name of the canary in the configuration',
    entity                   LowCardinality(String) COMMENT 'What is compared',
    version                  LowCardinality(String) COMMENT 'Cohort that is judged',
    baseline                 LowCardinality(String) COMMENT 'Cohort that it is compared with; empty is all others',
    phase                    LowCardinality(String) COMMENT 'warmup, running, ended or cancelled',
    verdict                  LowCardinality(String) COMMENT 'pass, marginal, fail or inconclusive',
    score                    Float64 COMMENT '0 to 100' CODEC(ZSTD(1)),
    reason                   String COMMENT 'One sentence' CODEC(ZSTD(1)),
    needs                    String COMMENT 'What it takes to decide' CODEC(ZSTD(1)),
    judge                    LowCardinality(String) COMMENT 'sequential or kayenta',
    at                       DateTime64(3, 'UTC') COMMENT 'Event time of the look' CODEC(Delta, ZSTD(1)),
    started_at               DateTime64(3, 'UTC') COMMENT 'Event time at which the analysis began' CODEC(Delta, ZSTD(1)),
    ends_at                  DateTime64(3, 'UTC') COMMENT 'Event time at which it ends at the latest' CODEC(Delta, ZSTD(1)),
    looks                    UInt32 COMMENT 'Looks that were judged' CODEC(T64, ZSTD(1)),
    held                     UInt32 COMMENT 'Looks that were not, because a source was missing' CODEC(T64, ZSTD(1)),
    step                     UInt32 COMMENT 'Step of traffic, from 1; 0 without steps' CODEC(T64, ZSTD(1)),
    allowed_weight           UInt32 COMMENT 'Share of traffic in percent that the canary may have' CODEC(T64, ZSTD(1)),
    requested_by             LowCardinality(String) COMMENT 'Who asked for it; empty is by itself',
    `metrics.name`           Array(LowCardinality(String)) COMMENT 'Metrics that were compared' CODEC(ZSTD(1)),
    `metrics.kind`           Array(LowCardinality(String)) COMMENT 'count, latency or gauge' CODEC(ZSTD(1)),
    `metrics.verdict`        Array(LowCardinality(String)) COMMENT 'Verdict on each' CODEC(ZSTD(1)),
    `metrics.classification` Array(LowCardinality(String)) COMMENT 'Pass, High, Low, Nodata, …' CODEC(ZSTD(1)),
    `metrics.critical`       Array(Bool) COMMENT 'true when it fails the canary by itself' CODEC(ZSTD(1)),
    `metrics.effect`         Array(Nullable(Float64)) COMMENT 'Ratio of the canary to the baseline' CODEC(ZSTD(1)),
    `metrics.low`            Array(Nullable(Float64)) COMMENT 'Least ratio that the data leave' CODEC(ZSTD(1)),
    `metrics.high`           Array(Nullable(Float64)) COMMENT 'Greatest ratio that the data leave' CODEC(ZSTD(1)),
    `metrics.e_harm`         Array(Nullable(Float64)) COMMENT 'Evidence for harm' CODEC(ZSTD(1)),
    `metrics.e_safe`         Array(Nullable(Float64)) COMMENT 'Evidence for safety' CODEC(ZSTD(1)),
    `metrics.value`          Array(Nullable(Float64)) COMMENT 'Value of the canary at the look' CODEC(ZSTD(1)),
    `metrics.base`           Array(Nullable(Float64)) COMMENT 'Value of the baseline at the look' CODEC(ZSTD(1)),
    `metrics.reason`         Array(String) COMMENT 'One sentence on each' CODEC(ZSTD(1)),
    data                     String COMMENT 'The verdict as JSON, see docs/schema/verdict.v1.json' CODEC(ZSTD(3)),
    recorded_at              DateTime('UTC') DEFAULT now() COMMENT 'When the row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(started_at)
ORDER BY (started_at, id, revision)
TTL recorded_at + INTERVAL 800 DAY
SETTINGS ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS {db}.v_canary_verdicts AS
SELECT
    id AS analysis_id,
    revision,
    canary,
    entity,
    version,
    baseline,
    phase,
    verdict,
    CAST(phase IN ('ended', 'cancelled') AS Bool) AS is_final,
    score,
    reason,
    needs,
    judge,
    started_at,
    at AS judged_at,
    ends_at,
    dateDiff('millisecond', started_at, at) / 1000 AS elapsed_seconds,
    looks,
    held AS held_looks,
    step,
    allowed_weight AS allowed_weight_percent,
    requested_by,
    `metrics.name` AS metric_names,
    `metrics.verdict` AS metric_verdicts,
    `metrics.effect` AS metric_effects,
    `metrics.low` AS metric_effects_low,
    `metrics.high` AS metric_effects_high,
    `metrics.e_harm` AS metric_e_harm,
    `metrics.e_safe` AS metric_e_safe,
    `metrics.reason` AS metric_reasons,
    recorded_at
FROM
(
    SELECT *
    FROM {db}.verdicts FINAL
    ORDER BY started_at, id, revision DESC
    LIMIT 1 BY started_at, id
)
COMMENT 'Analyses of canaries, each with its latest verdict.';

CREATE VIEW IF NOT EXISTS {db}.v_canary_looks AS
SELECT
    id AS analysis_id,
    canary,
    entity,
    version,
    at AS judged_at,
    verdict,
    score,
    metric,
    kind,
    metric_verdict,
    effect,
    effect_low,
    effect_high,
    e_harm,
    e_safe,
    canary_value,
    baseline_value
FROM {db}.verdicts FINAL
ARRAY JOIN
    `metrics.name` AS metric,
    `metrics.kind` AS kind,
    `metrics.verdict` AS metric_verdict,
    `metrics.effect` AS effect,
    `metrics.low` AS effect_low,
    `metrics.high` AS effect_high,
    `metrics.e_harm` AS e_harm,
    `metrics.e_safe` AS e_safe,
    `metrics.value` AS canary_value,
    `metrics.base` AS baseline_value
COMMENT 'Metrics of canaries over the time of their analyses.';
