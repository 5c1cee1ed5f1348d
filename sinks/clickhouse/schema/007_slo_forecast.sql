-- What of an SLO's status came later: which budget it is, its period, what was
-- excluded from it, why tiers are held back, when it will be gone, and how exact the
-- SLI is.
ALTER TABLE {db}.slo_status
    ADD COLUMN IF NOT EXISTS revision LowCardinality(String) COMMENT 'Revision of what is counted; another one is another budget' CODEC(ZSTD(1)) AFTER complete,
    ADD COLUMN IF NOT EXISTS state LowCardinality(String) COMMENT 'OK, EXHAUSTED or NO_DATA' CODEC(ZSTD(1)) AFTER revision,
    ADD COLUMN IF NOT EXISTS period_start DateTime64(3, 'UTC') COMMENT 'Start of the period of the budget' CODEC(DoubleDelta, ZSTD(1)) AFTER state,
    ADD COLUMN IF NOT EXISTS period_end DateTime64(3, 'UTC') COMMENT 'End of the period of the budget' CODEC(DoubleDelta, ZSTD(1)) AFTER period_start,
    ADD COLUMN IF NOT EXISTS excluded_total Int64 COMMENT 'Samples of the period that exclusions took out; not among total' CODEC(T64, ZSTD(1)) AFTER period_end,
    ADD COLUMN IF NOT EXISTS excluded_bad Int64 COMMENT 'Bad samples of the period that exclusions took out; not among bad' CODEC(T64, ZSTD(1)) AFTER excluded_total,
    ADD COLUMN IF NOT EXISTS suppressed Array(String) COMMENT 'tier: reason, of tiers that burn and do not fire' CODEC(ZSTD(1)) AFTER excluded_bad,
    ADD COLUMN IF NOT EXISTS exhausts_1h Nullable(Float64) COMMENT 'Seconds until the budget is gone at the burn rate of the last hour; 0 when it is gone, NULL when it is not to be' CODEC(ZSTD(1)) AFTER suppressed,
    ADD COLUMN IF NOT EXISTS exhausts_6h Nullable(Float64) COMMENT 'The same at the burn rate of the last 6 hours' CODEC(ZSTD(1)) AFTER exhausts_1h,
    ADD COLUMN IF NOT EXISTS exhausts_3d Nullable(Float64) COMMENT 'The same at the burn rate of the last 3 days' CODEC(ZSTD(1)) AFTER exhausts_6h,
    ADD COLUMN IF NOT EXISTS exhausts_trend Nullable(Float64) COMMENT 'The same as the trend of the burn rate has it' CODEC(ZSTD(1)) AFTER exhausts_3d,
    ADD COLUMN IF NOT EXISTS exhausts_earliest Nullable(Float64) COMMENT 'Earliest that the trend allows, with 90 % confidence' CODEC(ZSTD(1)) AFTER exhausts_trend,
    ADD COLUMN IF NOT EXISTS exhausts_latest Nullable(Float64) COMMENT 'Latest that the trend allows; NULL is not within a period' CODEC(ZSTD(1)) AFTER exhausts_earliest,
    ADD COLUMN IF NOT EXISTS sli_highest Nullable(Float64) COMMENT 'What sli may be at most, where a threshold cuts a bucket of the histogram; NULL where sli is exact' CODEC(ZSTD(1)) AFTER exhausts_latest;
