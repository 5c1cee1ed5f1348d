-- What people told the decide role: the audit of who did what, when and why. The topic
-- forgets it after a while, and the record of a decision only has it as text.
CREATE TABLE IF NOT EXISTS {db}.controls
(
    id           String COMMENT 'Id of the CloudEvent' CODEC(ZSTD(1)),
    at           DateTime64(3, 'UTC') COMMENT 'When it was said' CODEC(Delta, ZSTD(1)),
    kind         LowCardinality(String) COMMENT 'kill, pause, resume, approve, reject, reset_breaker, maintenance, mode, release or change',
    who          String COMMENT 'Who said so' CODEC(ZSTD(1)),
    why          String COMMENT 'The reason given' CODEC(ZSTD(1)),
    scope_kind   LowCardinality(String) COMMENT 'global, service, customer or action; empty where it has no scope',
    scope_name   String COMMENT 'Name of the service, customer or action' CODEC(ZSTD(1)),
    until        DateTime64(3, 'UTC') COMMENT 'When it ends by itself; the epoch is never' CODEC(Delta, ZSTD(1)),
    lifts        String COMMENT 'Reason of what a resume takes back; empty is all' CODEC(ZSTD(1)),
    mode         LowCardinality(String) COMMENT 'Mode of kind mode',
    operation_id String COMMENT 'Operation of approve and reject' CODEC(ZSTD(1)),
    target       String COMMENT 'Target of release and change' CODEC(ZSTD(1)),
    guardrail    LowCardinality(String) COMMENT 'Guardrail of reset_breaker',
    backlog      LowCardinality(String) COMMENT 'What becomes of what the breaker held: skip or replay',
    recorded_at  DateTime('UTC') DEFAULT now() COMMENT 'When the row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, id)
TTL recorded_at + INTERVAL 800 DAY
SETTINGS ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS {db}.v_controls AS
SELECT
    id AS control_id,
    at AS said_at,
    kind,
    who AS person,
    why,
    scope_kind,
    scope_name,
    if(until > toDateTime64(0, 3, 'UTC'), until, NULL) AS ends_at,
    lifts,
    mode,
    nullIf(operation_id, '') AS operation_id,
    target,
    guardrail,
    backlog,
    recorded_at
FROM {db}.controls FINAL
COMMENT 'What people told automation: who did what, when and why. What came of it is in v_decisions, verb control.';
