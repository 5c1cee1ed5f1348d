-- One row per decision. Its id is a hash of what it was about, and so is at,
-- therefore the same decision always has the same key.
CREATE TABLE IF NOT EXISTS {db}.decisions
(
    id               String COMMENT 'Identifies the decision' CODEC(ZSTD(1)),
    at               DateTime64(3, 'UTC') COMMENT 'Event time of the state of the finding' CODEC(Delta, ZSTD(1)),
    verb             LowCardinality(String) COMMENT 'act, observe or suppress',
    rule             LowCardinality(String) COMMENT 'Rule that decided',
    rule_revision    LowCardinality(String) COMMENT 'Hash of the text of the rule',
    finding          String COMMENT 'Id of the finding it was about' CODEC(ZSTD(1)),
    finding_revision UInt32 COMMENT 'Revision of the finding' CODEC(T64, ZSTD(1)),
    entity           LowCardinality(String) COMMENT 'Entity of the finding',
    target           LowCardinality(String) COMMENT 'What the command acts on, sent or not',
    action           LowCardinality(String) COMMENT 'Name of the action',
    params           Map(LowCardinality(String), String) COMMENT 'Parameters of the action' CODEC(ZSTD(1)),
    mode             LowCardinality(String) COMMENT 'Mode of the rule',
    `gates.name`     Array(LowCardinality(String)) COMMENT 'Gates, in order' CODEC(ZSTD(1)),
    `gates.pass`     Array(Bool) COMMENT 'Whether each lets the command through' CODEC(ZSTD(1)),
    `gates.reason`   Array(String) COMMENT 'What each says' CODEC(ZSTD(1)),
    `explain.expr`   Array(String) COMMENT 'Parts of the condition of the rule' CODEC(ZSTD(1)),
    `explain.value`  Array(String) COMMENT 'What each came to' CODEC(ZSTD(1)),
    command          String COMMENT 'Id of the command sent, or empty' CODEC(ZSTD(1)),
    recorded_at      DateTime('UTC') DEFAULT now() COMMENT 'When the row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, id)
TTL recorded_at + INTERVAL 800 DAY
SETTINGS ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS {db}.v_decisions AS
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
    recorded_at
FROM {db}.decisions FINAL
COMMENT 'Every decision, with every gate. decided_at is event time.';
