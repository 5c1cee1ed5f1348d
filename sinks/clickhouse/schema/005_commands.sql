-- One row per command sent.
CREATE TABLE IF NOT EXISTS {db}.commands
(
    id                   String COMMENT 'Id of the CloudEvent' CODEC(ZSTD(1)),
    at                   DateTime64(3, 'UTC') COMMENT 'Event time of the decision' CODEC(Delta, ZSTD(1)),
    decision             String COMMENT 'Id of the decision' CODEC(ZSTD(1)),
    finding              String COMMENT 'Id of the finding' CODEC(ZSTD(1)),
    operation_id         String COMMENT 'The same over attempts' CODEC(ZSTD(1)),
    attempt              UInt32 COMMENT 'Counts from 1' CODEC(T64, ZSTD(1)),
    action               LowCardinality(String) COMMENT 'Name of the action',
    params               Map(LowCardinality(String), String) COMMENT 'Parameters of the action' CODEC(ZSTD(1)),
    target               LowCardinality(String) COMMENT 'What to act on',
    mode                 LowCardinality(String) COMMENT 'Mode of the rule',
    rule                 LowCardinality(String) COMMENT 'Rule that decided',
    rule_revision        LowCardinality(String) COMMENT 'Hash of the text of the rule',
    `evidence.name`      Array(LowCardinality(String)) COMMENT 'Names of the numbers behind it' CODEC(ZSTD(1)),
    `evidence.value`     Array(Nullable(Float64)) COMMENT 'As measured' CODEC(ZSTD(1)),
    `evidence.threshold` Array(Nullable(Float64)) COMMENT 'What each was compared with, if anything' CODEC(ZSTD(1)),
    `evidence.unit`      Array(LowCardinality(String)) COMMENT 'Unit of each' CODEC(ZSTD(1)),
    `evidence.window`    Array(LowCardinality(String)) COMMENT 'Window that each covers' CODEC(ZSTD(1)),
    deadline             DateTime64(3, 'UTC') COMMENT 'After this it must not be started or finished' CODEC(Delta, ZSTD(1)),
    recorded_at          DateTime('UTC') DEFAULT now() COMMENT 'When the row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, id)
TTL recorded_at + INTERVAL 800 DAY
SETTINGS ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS {db}.v_commands AS
SELECT
    id AS command_id,
    at AS decided_at,
    decision AS decision_id,
    finding AS finding_id,
    operation_id,
    attempt,
    action,
    params AS action_params,
    target,
    mode,
    rule,
    rule_revision,
    `evidence.name` AS evidence_names,
    `evidence.value` AS evidence_values,
    `evidence.threshold` AS evidence_thresholds,
    `evidence.unit` AS evidence_units,
    `evidence.window` AS evidence_windows,
    deadline,
    dateDiff('millisecond', at, deadline) / 1000 AS deadline_seconds,
    recorded_at
FROM {db}.commands FINAL
COMMENT 'Every command sent. decided_at and deadline are event time.';
