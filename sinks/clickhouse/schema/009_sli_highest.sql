-- The error interval of SLIs by a threshold that lies within a bucket of the histogram.
ALTER TABLE {db}.slo_status
    ADD COLUMN IF NOT EXISTS sli_highest Nullable(Float64) COMMENT 'What sli may be at most, where a threshold cuts a bucket of the histogram; NULL where sli is exact' CODEC(ZSTD(1)) AFTER exhausts_latest;

CREATE OR REPLACE VIEW {db}.v_slo_status AS
SELECT
    slo,
    entity,
    labels,
    label_map,
    at AS as_of,
    total AS samples,
    bad AS bad_samples,
    total - bad AS good_samples,
    sli AS sli_ratio,
    target AS objective_ratio,
    budget_consumed AS budget_consumed_ratio,
    1 - budget_consumed AS budget_remaining_ratio,
    tiers,
    burn_long AS burn_rate_long,
    burn_short AS burn_rate_short,
    firing AS firing_tiers,
    CAST(notEmpty(firing) AS Bool) AS is_firing,
    complete AS is_complete,
    recorded_at,
    revision,
    state,
    period_start,
    period_end,
    suppressed AS suppressed_tiers,
    sli_highest AS sli_highest_ratio
FROM {db}.slo_status FINAL
COMMENT 'Status of SLOs over event time. Burn rates are multiples of the rate that uses up the budget exactly at the end of the period.';
