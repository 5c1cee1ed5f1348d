-- One row per finding and revision: every state it was in. opened_at is the
-- same in all of them, so that a finding stays in one partition.
CREATE TABLE IF NOT EXISTS {db}.findings
(
    id                   String COMMENT 'Identifies the finding in every state' CODEC(ZSTD(1)),
    revision             UInt32 COMMENT 'Counts the states from 1' CODEC(T64, ZSTD(1)),
    kind                 LowCardinality(String) COMMENT 'What found it: burn_rate, anomaly, canary, flyball',
    state                LowCardinality(String) COMMENT 'opened, updated or resolved',
    severity             LowCardinality(String) COMMENT 'page, ticket or info',
    entity               LowCardinality(String) COMMENT 'What it is about',
    labels               String COMMENT 'Labels of the series as canonical JSON' CODEC(ZSTD(1)),
    detector             LowCardinality(String) COMMENT 'Name of the SLO, detector or canary',
    tier                 LowCardinality(String) COMMENT 'Burn-rate tier that fires, or empty',
    at                   DateTime64(3, 'UTC') COMMENT 'Event time of this state' CODEC(Delta, ZSTD(1)),
    opened_at            DateTime64(3, 'UTC') COMMENT 'Event time at which it opened' CODEC(Delta, ZSTD(1)),
    summary              String COMMENT 'One sentence' CODEC(ZSTD(1)),
    `evidence.name`      Array(LowCardinality(String)) COMMENT 'Names of the numbers behind it' CODEC(ZSTD(1)),
    `evidence.value`     Array(Nullable(Float64)) COMMENT 'As measured' CODEC(ZSTD(1)),
    `evidence.threshold` Array(Nullable(Float64)) COMMENT 'What each was compared with, if anything' CODEC(ZSTD(1)),
    `evidence.unit`      Array(LowCardinality(String)) COMMENT 'Unit of each' CODEC(ZSTD(1)),
    `evidence.window`    Array(LowCardinality(String)) COMMENT 'Window that each covers' CODEC(ZSTD(1)),
    incomplete           Bool COMMENT 'true when a source was missing' CODEC(ZSTD(1)),
    recorded_at          DateTime('UTC') DEFAULT now() COMMENT 'When the row was written' CODEC(Delta, ZSTD(1)),
    label_map            Map(String, String) ALIAS JSONExtract(labels, 'Map(String, String)') COMMENT 'Labels of the series'
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(opened_at)
ORDER BY (opened_at, id, revision)
TTL recorded_at + INTERVAL 800 DAY
SETTINGS ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS {db}.v_findings AS
SELECT
    id AS finding_id,
    revision,
    kind,
    state,
    severity,
    entity,
    labels,
    label_map,
    detector,
    tier,
    opened_at,
    at AS changed_at,
    if(state = 'resolved', at, NULL) AS resolved_at,
    if(state = 'resolved', dateDiff('millisecond', opened_at, at) / 1000, NULL) AS open_seconds,
    CAST(state != 'resolved' AS Bool) AS is_open,
    summary,
    `evidence.name` AS evidence_names,
    `evidence.value` AS evidence_values,
    `evidence.threshold` AS evidence_thresholds,
    `evidence.unit` AS evidence_units,
    `evidence.window` AS evidence_windows,
    CAST(NOT incomplete AS Bool) AS is_complete,
    recorded_at
FROM
(
    SELECT *, label_map
    FROM {db}.findings FINAL
    ORDER BY opened_at, id, revision DESC
    LIMIT 1 BY opened_at, id
)
COMMENT 'Findings, each in its latest state. The table findings has every state.';
