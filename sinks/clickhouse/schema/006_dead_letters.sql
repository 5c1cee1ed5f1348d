-- One row per record of the dead-letter topic. Its own position there is the
-- key, because one source record may give several dead letters; its time is in
-- the key because a topic that is made anew counts its offsets from 0 again.
CREATE TABLE IF NOT EXISTS {db}.dead_letters
(
    at               DateTime64(3, 'UTC') COMMENT 'Timestamp of the record on the dead-letter topic' CODEC(Delta, ZSTD(1)),
    partition        Int32 COMMENT 'Partition of the dead-letter topic' CODEC(T64, ZSTD(1)),
    offset           Int64 COMMENT 'Offset on the dead-letter topic' CODEC(Delta, ZSTD(1)),
    stage            LowCardinality(String) COMMENT 'Role that gave it up: aggregate, evaluate, decide, record',
    reason           LowCardinality(String) COMMENT 'Why, as a short constant',
    message          String COMMENT 'What and why, for a person' CODEC(ZSTD(1)),
    source_topic     LowCardinality(String) COMMENT 'Topic it came from',
    source_partition Int32 COMMENT 'Partition it came from' CODEC(T64, ZSTD(1)),
    source_offset    Int64 COMMENT 'Offset it came from' CODEC(Delta, ZSTD(1)),
    key              String COMMENT 'Key of the record, as it came' CODEC(ZSTD(1)),
    value            String COMMENT 'The record or the part of it, as it came' CODEC(ZSTD(3)),
    recorded_at      DateTime('UTC') DEFAULT now() COMMENT 'When the row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(at)
ORDER BY (at, partition, offset)
TTL recorded_at + INTERVAL 14 DAY
SETTINGS ttl_only_drop_parts = 1,
    non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;
