-- A few of the samples that a finding is about: traces, and redacted texts of log records.
ALTER TABLE {db}.findings
    ADD COLUMN IF NOT EXISTS examples String COMMENT 'Samples that it is about, the worst first, as a JSON array; empty for none' CODEC(ZSTD(1)) AFTER series;

CREATE OR REPLACE VIEW {db}.v_examples AS
SELECT
    id AS finding_id,
    revision,
    entity,
    detector,
    place,
    JSONExtractString(example, 'indicator') AS indicator,
    JSONExtractRaw(example, 'labels') AS labels,
    parseDateTime64BestEffortOrNull(JSONExtractString(example, 'at'), 3, 'UTC') AS at,
    JSONExtractString(example, 'trace') AS trace_id,
    JSONExtractString(example, 'text') AS text,
    JSONExtract(example, 'value', 'Nullable(Float64)') AS value,
    CAST(JSONExtractBool(example, 'bad') AS Bool) AS is_bad
FROM
(
    SELECT id, revision, entity, detector, opened_at, JSONExtractArrayRaw(examples) AS list
    FROM {db}.findings FINAL
    WHERE examples != ''
    ORDER BY opened_at, id, revision DESC
    LIMIT 1 BY opened_at, id
)
ARRAY JOIN list AS example, arrayEnumerate(list) AS place
COMMENT 'Samples that findings are about, of the latest state that had any, the worst first.';
