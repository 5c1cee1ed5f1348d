package query

import (
	"context"
	"time"
)

// Status is where one error budget stands. NaN is what is not known.
type Status struct {
	SLO       string    `ch:"slo"`
	Entity    string    `ch:"entity"`
	Labels    string    `ch:"labels"`
	At        time.Time `ch:"as_of"`
	State     string    `ch:"state"`
	Samples   int64     `ch:"samples"`
	Bad       int64     `ch:"bad_samples"`
	SLI       float64   `ch:"sli"`
	Objective float64   `ch:"objective"`
	Remaining float64   `ch:"remaining"`
	Tiers     []string  `ch:"tiers"`
	Long      []float64 `ch:"long"`
	Short     []float64 `ch:"short"`
	Firing    []string  `ch:"firing"`
	Held      []string  `ch:"held"`
	Complete  bool      `ch:"complete"`

	PeriodStart time.Time `ch:"period_start"`
	PeriodEnd   time.Time `ch:"period_end"`
}

const statusColumns = `slo, entity, labels, as_of, state, samples, bad_samples, ifNull(sli_ratio, nan) AS sli,
    ifNull(objective_ratio, nan) AS objective, ifNull(budget_remaining_ratio, nan) AS remaining, tiers,
    arrayMap(x -> ifNull(x, nan), burn_rate_long) AS long, arrayMap(x -> ifNull(x, nan), burn_rate_short) AS short,
    firing_tiers AS firing, suppressed_tiers AS held, is_complete AS complete, period_start, period_end`

// Standings returns the latest status of every budget that was reported since after, of
// one entity or, where that is empty, of all.
func (r *Reader) Standings(ctx context.Context, entity string, after time.Time) ([]Status, error) {
	return ask[Status](ctx, r, `SELECT `+statusColumns+`
FROM v_slo_status
WHERE as_of > fromUnixTimestamp64Milli(?) AND (? = '' OR entity = ?)
ORDER BY slo, entity, labels, as_of DESC
LIMIT 1 BY slo, entity, labels
LIMIT 5000`, after.UnixMilli(), entity, entity)
}

// Course is where a budget stood in one bucket of time: the last status of it.
type Course struct {
	At        time.Time `ch:"t"`
	SLI       float64   `ch:"sli"`
	Remaining float64   `ch:"remaining"`
	Tiers     []string  `ch:"tiers"`
	Long      []float64 `ch:"long"`
	Short     []float64 `ch:"short"`
}

// Budget says which budget is meant.
type Budget struct{ SLO, Entity, Labels string }

// Courses returns a budget over time, in buckets of step: the last status of each, with
// the highest burn rates of it.
func (r *Reader) Courses(ctx context.Context, b Budget, from, until time.Time, step time.Duration) ([]Course, error) {
	return ask[Course](ctx, r, `
SELECT toStartOfInterval(as_of, toIntervalMillisecond(?)) AS t, argMax(ifNull(sli_ratio, nan), as_of) AS sli,
    argMax(ifNull(budget_remaining_ratio, nan), as_of) AS remaining, argMax(s.tiers, as_of) AS tiers,
    maxForEach(arrayMap(x -> ifNull(x, nan), burn_rate_long)) AS long, maxForEach(arrayMap(x -> ifNull(x, nan), burn_rate_short)) AS short
FROM v_slo_status AS s
WHERE slo = ? AND entity = ? AND labels = ? AND as_of > fromUnixTimestamp64Milli(?) AND as_of <= fromUnixTimestamp64Milli(?)
GROUP BY t ORDER BY t`, step.Milliseconds(), b.SLO, b.Entity, b.Labels, from.UnixMilli(), until.UnixMilli())
}

// Outlook is what becomes of a budget. NaN is not within what can be foreseen.
type Outlook struct {
	Allowed       float64 `ch:"allowed"`
	Left          float64 `ch:"left_bad"`
	Minutes       float64 `ch:"minutes"`
	LeftMinutes   float64 `ch:"left_minutes"`
	Excluded      int64   `ch:"excluded_samples"`
	ExcludedBad   int64   `ch:"excluded_bad_samples"`
	ExcludedRatio float64 `ch:"excluded"`
	Hour          float64 `ch:"by_1h"`
	SixHours      float64 `ch:"by_6h"`
	ThreeDays     float64 `ch:"by_3d"`
	Trend         float64 `ch:"by_trend"`
	Earliest      float64 `ch:"earliest"`
	Latest        float64 `ch:"latest"`
}

// Outlook returns the latest forecast of a budget.
func (r *Reader) Outlook(ctx context.Context, b Budget, after time.Time) (Outlook, bool, error) {
	return one[Outlook](ctx, r, `
SELECT ifNull(allowed_bad_samples, nan) AS allowed, ifNull(remaining_bad_samples, nan) AS left_bad,
    ifNull(budget_minutes, nan) AS minutes, ifNull(remaining_minutes, nan) AS left_minutes,
    excluded_samples, excluded_bad_samples, ifNull(excluded_ratio, nan) AS excluded,
    ifNull(exhausted_in_seconds_by_1h_burn, nan) AS by_1h, ifNull(exhausted_in_seconds_by_6h_burn, nan) AS by_6h,
    ifNull(exhausted_in_seconds_by_3d_burn, nan) AS by_3d, ifNull(exhausted_in_seconds_by_trend, nan) AS by_trend,
    ifNull(exhausted_in_seconds_earliest, nan) AS earliest, ifNull(exhausted_in_seconds_latest, nan) AS latest
FROM v_error_budget
WHERE slo = ? AND entity = ? AND labels = ? AND as_of > fromUnixTimestamp64Milli(?)
ORDER BY as_of DESC LIMIT 1`, b.SLO, b.Entity, b.Labels, after.UnixMilli())
}
