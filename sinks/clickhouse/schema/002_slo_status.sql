-- One row per SLO, series and point in event time. There is no version: the row
-- written last wins, and rows are written in the order of the topic.
CREATE TABLE IF NOT EXISTS {db}.slo_status
(
    slo             LowCardinality(String) COMMENT 'Name of the SLO',
    entity          LowCardinality(String) COMMENT 'What it is about, by default the service',
    labels          String COMMENT 'Labels of the series as canonical JSON' CODEC(ZSTD(1)),
    at              DateTime64(3, 'UTC') COMMENT 'Event time up to which it counts' CODEC(DoubleDelta, ZSTD(1)),
    total           Int64 COMMENT 'Samples in the period of the SLO' CODEC(T64, ZSTD(1)),
    bad             Int64 COMMENT 'Bad samples in the period of the SLO' CODEC(T64, ZSTD(1)),
    sli             Nullable(Float64) COMMENT 'Good share of the samples, NULL without samples' CODEC(ZSTD(1)),
    target          Nullable(Float64) COMMENT 'Objective as a share' CODEC(ZSTD(1)),
    budget_consumed Nullable(Float64) COMMENT 'Share of the error budget used, 1 being all of it; NULL without samples' CODEC(ZSTD(1)),
    tiers           Array(LowCardinality(String)) COMMENT 'Burn-rate tiers' CODEC(ZSTD(1)),
    burn_long       Array(Nullable(Float64)) COMMENT 'Burn rate in the long window of each tier' CODEC(ZSTD(1)),
    burn_short      Array(Nullable(Float64)) COMMENT 'Burn rate in the short window of each tier' CODEC(ZSTD(1)),
    firing          Array(LowCardinality(String)) COMMENT 'Tiers that fire' CODEC(ZSTD(1)),
    complete        Bool COMMENT 'false when a source was missing' CODEC(ZSTD(1)),
    recorded_at     DateTime('UTC') DEFAULT now() COMMENT 'When the row was written' CODEC(Delta, ZSTD(1)),
    label_map       Map(String, String) ALIAS JSONExtract(labels, 'Map(String, String)') COMMENT 'Labels of the series'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (slo, entity, labels, at)
TTL recorded_at + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS {db}.v_slo_status AS
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
    recorded_at
FROM {db}.slo_status FINAL
COMMENT 'Status of SLOs over event time. Burn rates are multiples of the rate that uses up the budget exactly at the end of the period.';
