-- One row per closed window of one series; a correction has the same key and a
-- higher revision.
--
-- hist holds the bytes of a quantilesDD state and dd reads them as one: stored as
-- a state, the same bytes cost three times the CPU at every insert and merge, and
-- save a tenth at a query. Rows without a value have an empty hist, which reads as
-- the empty state.
-- The accuracy literal makes ClickHouse's gamma exactly 2^(1/32), which is that
-- of the histograms; with any other literal each merge would redistribute them.
--
-- Rows are kept for 90 days after they were recorded, not after the window, so
-- that a replay of old telemetry can be looked at. Change it with
-- ALTER TABLE … MODIFY TTL.
CREATE TABLE IF NOT EXISTS {db}.windows
(
    indicator   LowCardinality(String) COMMENT 'Name of the indicator',
    entity      LowCardinality(String) COMMENT 'What the series is about, by default the service',
    labels      String COMMENT 'Labels of the series as canonical JSON' CODEC(ZSTD(1)),
    start       DateTime64(3, 'UTC') COMMENT 'Start of the window, inclusive' CODEC(DoubleDelta, ZSTD(1)),
    end         DateTime64(3, 'UTC') COMMENT 'End of the window, exclusive' CODEC(DoubleDelta, ZSTD(1)),
    revision    UInt32 COMMENT '1 when the window closed, more in corrections' CODEC(T64, ZSTD(1)),
    count       Int64 COMMENT 'Samples' CODEC(T64, ZSTD(1)),
    bad         Int64 COMMENT 'Bad samples' CODEC(T64, ZSTD(1)),
    rate        Nullable(Float64) COMMENT 'Samples per second' CODEC(ZSTD(1)),
    error_ratio Nullable(Float64) COMMENT 'bad / count, NULL without samples' CODEC(ZSTD(1)),
    sum         Nullable(Float64) COMMENT 'Sum of the value, in the unit of the indicator (ns for durations); NULL when it has none' CODEC(ZSTD(1)),
    min         Nullable(Float64) COMMENT 'Smallest value' CODEC(ZSTD(1)),
    max         Nullable(Float64) COMMENT 'Largest value' CODEC(ZSTD(1)),
    p50         Nullable(Float64) COMMENT 'Median of the value, within 1.1 %' CODEC(ZSTD(1)),
    p90         Nullable(Float64) COMMENT '90th percentile of the value, within 1.1 %' CODEC(ZSTD(1)),
    p95         Nullable(Float64) COMMENT '95th percentile of the value, within 1.1 %' CODEC(ZSTD(1)),
    p99         Nullable(Float64) COMMENT '99th percentile of the value, within 1.1 %' CODEC(ZSTD(1)),
    hist        String COMMENT 'Histogram of the value as bytes; see dd' CODEC(ZSTD(1)),
    dd          AggregateFunction(quantilesDD(0.010830001253373618, 0.5, 0.9, 0.95, 0.99), Float64)
                ALIAS CAST(
                    if(hist = '', unhex('02748515D3B059F03F0000000000000000010C00FEFFFFFF0F02030C00FEFFFFFF0F02040000000000000000'), hist)
                    AS AggregateFunction(quantilesDD(0.010830001253373618, 0.5, 0.9, 0.95, 0.99), Float64))
                COMMENT 'Histogram of the value; merge with quantilesDDMerge',
    complete    Bool COMMENT 'false when a source was missing' CODEC(ZSTD(1)),
    recorded_at DateTime('UTC') DEFAULT now() COMMENT 'When the row was written' CODEC(Delta, ZSTD(1)),
    label_map   Map(String, String) ALIAS JSONExtract(labels, 'Map(String, String)') COMMENT 'Labels of the series',
    CONSTRAINT hist_is_a_state CHECK hist = '' OR startsWith(hist, unhex('02748515D3B059F03F0000000000000000'))
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toDate(start)
ORDER BY (indicator, entity, labels, start, end)
TTL recorded_at + INTERVAL 90 DAY
SETTINGS ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS {db}.v_windows AS
SELECT
    indicator,
    entity,
    labels,
    label_map,
    start AS window_start,
    end AS window_end,
    dateDiff('millisecond', start, end) / 1000 AS window_seconds,
    revision,
    count AS samples,
    bad AS bad_samples,
    count - bad AS good_samples,
    rate AS samples_per_second,
    error_ratio,
    sum AS value_sum,
    sum / nullIf(count, 0) AS value_mean,
    min AS value_min,
    max AS value_max,
    p50 AS value_p50,
    p90 AS value_p90,
    p95 AS value_p95,
    p99 AS value_p99,
    p50 / 1e6 AS duration_p50_ms,
    p90 / 1e6 AS duration_p90_ms,
    p95 / 1e6 AS duration_p95_ms,
    p99 / 1e6 AS duration_p99_ms,
    complete AS is_complete,
    recorded_at
FROM {db}.windows FINAL
COMMENT 'Closed windows, corrections applied. value_* is in the unit of the indicator; duration_*_ms holds for indicators in ns only.';

CREATE VIEW IF NOT EXISTS {db}.v_histograms AS
SELECT
    indicator,
    entity,
    labels,
    label_map,
    start AS window_start,
    end AS window_end,
    count AS samples,
    dd AS histogram
FROM {db}.windows FINAL
COMMENT 'Histograms of closed windows. Quantiles 0.5, 0.9, 0.95, 0.99 of any set of rows: quantilesDDMerge(0.010830001253373618, 0.5, 0.9, 0.95, 0.99)(histogram).';
