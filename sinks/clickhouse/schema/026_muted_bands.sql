-- Windows that detectors did not judge say for which exclusion.
ALTER TABLE {db}.bands
    ADD COLUMN IF NOT EXISTS muted LowCardinality(String) COMMENT 'Exclusion for which the window was not judged; empty for one that was' AFTER alarm;

DROP VIEW IF EXISTS {db}.v_bands;

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
    b.muted AS muted_by,
    w.count AS samples,
    w.bad AS bad_samples,
    CAST(w.revision > 1 AS Bool) AS is_corrected
FROM (SELECT *, label_map FROM {db}.bands FINAL) AS b
LEFT JOIN (SELECT indicator, entity, labels, start, end, count, bad, revision FROM {db}.windows FINAL) AS w
    ON w.indicator = b.indicator AND w.entity = b.entity AND w.labels = b.labels AND w.start = b.start AND w.end = b.end
COMMENT 'What detectors expected of windows, beside what the windows are now. Narrow indicator, value and entity: both sides are read whole otherwise.';
