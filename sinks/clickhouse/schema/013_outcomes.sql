-- What executors reported of commands. The id is a hash of operation, attempt and class,
-- so that what is reported twice is one row.
CREATE TABLE IF NOT EXISTS {db}.outcomes
(
    id           String COMMENT 'Id of the CloudEvent' CODEC(ZSTD(1)),
    at           DateTime64(3, 'UTC') COMMENT 'When it was reported, by the clock of the executor' CODEC(Delta, ZSTD(1)),
    class        LowCardinality(String) COMMENT 'accepted, succeeded, transient_failure, permanent_failure, superseded, cancelled, expired or rejected',
    command      String COMMENT 'Id of the command' CODEC(ZSTD(1)),
    operation_id String COMMENT 'Operation of the command' CODEC(ZSTD(1)),
    attempt      UInt32 COMMENT 'Attempt of the operation, from 1' CODEC(T64, ZSTD(1)),
    target       LowCardinality(String) COMMENT 'What was acted on',
    started      DateTime64(3, 'UTC') COMMENT 'When the executor began; the epoch is never' CODEC(Delta, ZSTD(1)),
    finished     DateTime64(3, 'UTC') COMMENT 'When it ended; the epoch is never' CODEC(Delta, ZSTD(1)),
    reason       LowCardinality(String) COMMENT 'A short constant',
    detail       String COMMENT 'The same for a person' CODEC(ZSTD(1)),
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

CREATE VIEW IF NOT EXISTS {db}.v_outcomes AS
SELECT
    id AS outcome_id,
    at AS reported_at,
    class,
    command AS command_id,
    operation_id,
    attempt,
    target,
    if(started > toDateTime64(0, 3, 'UTC'), started, NULL) AS started_at,
    if(finished > toDateTime64(0, 3, 'UTC'), finished, NULL) AS finished_at,
    dateDiff('millisecond', started_at, finished_at) / 1000 AS run_seconds,
    reason,
    detail,
    recorded_at
FROM {db}.outcomes FINAL
COMMENT 'What executors reported, one row per class of an attempt. Times are by the clocks of executors.';
