-- What people said of findings. The last word on a finding counts.
CREATE TABLE IF NOT EXISTS {db}.finding_labels
(
    finding     String COMMENT 'Id of the finding' CODEC(ZSTD(1)),
    entity      LowCardinality(String) COMMENT 'What it is about',
    verdict     LowCardinality(String) COMMENT 'real or noise',
    by          String COMMENT 'Who said so' CODEC(ZSTD(1)),
    at          DateTime64(3, 'UTC') COMMENT 'When' CODEC(Delta, ZSTD(1)),
    recorded_at DateTime('UTC') DEFAULT now() COMMENT 'When the row was written' CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(at)
ORDER BY finding
TTL recorded_at + INTERVAL 800 DAY
SETTINGS non_replicated_deduplication_window = 10000,
    replicated_deduplication_window = 10000,
    replicated_deduplication_window_seconds = 604800;

CREATE VIEW IF NOT EXISTS {db}.v_finding_labels AS
SELECT
    finding AS finding_id,
    entity,
    verdict,
    by AS labelled_by,
    at AS labelled_at
FROM {db}.finding_labels FINAL
COMMENT 'What people said of findings, the last word on each.';
