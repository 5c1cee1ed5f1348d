-- What detectors expected of every number that they watch, window by window.
CREATE TABLE IF NOT EXISTS {db}.bands
(
    detector    LowCardinality(String) COMMENT 'Name of the detector',
    indicator   LowCardinality(String) COMMENT 'Whose windows they are',
    value       LowCardinality(String) COMMENT 'Which number of them: rate, error_ratio, mean, p50, p90, p95, p99',
    entity      LowCardinality(String) COMMENT 'What it is about, by default the service',
    labels      String COMMENT 'Labels of the series as canonical JSON' CODEC(ZSTD(1)),
    start       DateTime64(3, 'UTC') COMMENT 'Start of the window' CODEC(DoubleDelta, ZSTD(1)),
    end         DateTime64(3, 'UTC') COMMENT 'End of the window' CODEC(DoubleDelta, ZSTD(1)),
    observed    Nullable(Float64) COMMENT 'The number when the window closed; corrections are in windows' CODEC(ZSTD(1)),
    expected    Nullable(Float64) COMMENT 'What was expected of it; NULL where nothing was' CODEC(ZSTD(1)),
    low         Nullable(Float64) COMMENT 'Below it an alarm begins; NULL for no such limit' CODEC(ZSTD(1)),
    high        Nullable(Float64) COMMENT 'Above it an alarm begins; NULL for no such limit' CODEC(ZSTD(1)),
    digits      Float64 COMMENT 'Surprise: 4 is what one window in 10,000 reaches by chance' CODEC(ZSTD(1)),
    threshold   Float64 COMMENT 'From so many digits of rarity on there is an alarm' CODEC(ZSTD(1)),
    algorithm   LowCardinality(String) COMMENT 'Who is surprised most',
    alarm       Bool COMMENT 'Whether it raised an alarm' CODEC(ZSTD(1)),
    recorded_at DateTime('UTC') DEFAULT now() COMMENT 'When the row was written' CODEC(Delta, ZSTD(1)),
    label_map   Map(String, String) ALIAS JSONExtract(labels, 'Map(String, String)') COMMENT 'Labels of the series'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(start)
ORDER BY (indicator, value, entity, labels, detector, start)
TTL recorded_at + INTERVAL 35 DAY
SETTINGS ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS {db}.v_bands AS
SELECT
    b.detector AS detector,
    b.indicator AS indicator,
    b.value AS value,
    b.entity AS entity,
    b.labels AS labels,
    b.label_map AS label_map,
    b.start AS window_start,
    b.end AS window_end,
    b.observed AS observed,
    b.expected AS expected,
    b.low AS expected_low,
    b.high AS expected_high,
    b.digits AS surprise_digits,
    least(b.digits / 10, 1) AS anomaly_score,
    b.threshold AS threshold_digits,
    b.algorithm AS algorithm,
    b.alarm AS is_alarm,
    w.count AS samples,
    w.bad AS bad_samples,
    CAST(w.revision > 1 AS Bool) AS is_corrected
FROM (SELECT *, label_map FROM {db}.bands FINAL) AS b
LEFT JOIN (SELECT indicator, entity, labels, start, end, count, bad, revision FROM {db}.windows FINAL) AS w
    ON w.indicator = b.indicator AND w.entity = b.entity AND w.labels = b.labels AND w.start = b.start AND w.end = b.end
COMMENT 'What detectors expected of windows, beside what the windows are now. Narrow indicator, value and entity: both sides are read whole otherwise.';

ALTER TABLE {db}.findings
    ADD COLUMN IF NOT EXISTS series String COMMENT 'Series that an anomaly shows in, the most unusual first, as a JSON array; empty for other kinds' CODEC(ZSTD(1)) AFTER incomplete;

DROP VIEW IF EXISTS {db}.v_anomalies;

CREATE VIEW IF NOT EXISTS {db}.v_anomalies AS
SELECT
    f.finding_id AS finding_id,
    f.revision AS revision,
    f.state AS state,
    f.severity AS severity,
    f.entity AS entity,
    f.labels AS labels,
    f.label_map AS label_map,
    f.detector AS detector,
    f.opened_at AS opened_at,
    f.changed_at AS changed_at,
    f.resolved_at AS resolved_at,
    f.open_seconds AS open_seconds,
    f.is_open AS is_open,
    f.summary AS summary,
    f.evidence_names AS evidence_names,
    f.evidence_values AS evidence_values,
    f.evidence_thresholds AS evidence_thresholds,
    f.is_complete AS is_complete,
    s.tier AS algorithm,
    f.evidence_values[indexOf(f.evidence_names, 'score')] AS anomaly_score,
    f.evidence_values[indexOf(f.evidence_names, 'direction')] AS direction,
    f.evidence_values[indexOf(f.evidence_names, 'observed')] AS observed,
    f.evidence_values[indexOf(f.evidence_names, 'expected')] AS expected,
    f.evidence_values[indexOf(f.evidence_names, 'low')] AS expected_low,
    f.evidence_values[indexOf(f.evidence_names, 'high')] AS expected_high,
    JSONExtractArrayRaw(s.series) AS series
FROM {db}.v_findings AS f
INNER JOIN (SELECT id, revision, tier, series FROM {db}.findings FINAL WHERE kind = 'anomaly') AS s
    ON s.id = f.finding_id AND s.revision = f.revision
WHERE f.kind = 'anomaly'
COMMENT 'Anomalies, each in its latest state.';
