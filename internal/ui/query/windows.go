package query

import (
	"context"
	"time"
)

// Sketch is one bucket of a service's traffic, for the small charts of the overview.
type Sketch struct {
	Entity    string    `ch:"entity"`
	Indicator string    `ch:"indicator"`
	At        time.Time `ch:"t"`
	Samples   int64     `ch:"n"`
	Bad       int64     `ch:"bad"`
	// Seconds that its windows cover.
	Seconds float64 `ch:"seconds"`
}

// Sketches returns the traffic of every entity in (from, until], in buckets of step.
func (r *Reader) Sketches(ctx context.Context, from, until time.Time, step time.Duration) ([]Sketch, error) {
	return ask[Sketch](ctx, r, `
SELECT entity, indicator, toStartOfInterval(window_start, toIntervalSecond(?)) AS t, sum(samples) AS n, sum(bad_samples) AS bad,
    uniqExact(window_start) * any(window_seconds) AS seconds
FROM v_windows
WHERE window_start >= fromUnixTimestamp64Milli(?) AND window_start < fromUnixTimestamp64Milli(?)
GROUP BY entity, indicator, t
ORDER BY entity, indicator, t
LIMIT 50000`, int64(step.Seconds()), from.UnixMilli(), until.UnixMilli())
}

// Series is one series of an entity.
type Series struct {
	Indicator string `ch:"indicator"`
	Labels    string `ch:"labels"`
	Samples   int64  `ch:"n"`
}

// SeriesOf returns the series of an entity that had samples, those with the most first.
func (r *Reader) SeriesOf(ctx context.Context, entity string, from, until time.Time) ([]Series, error) {
	return ask[Series](ctx, r, `
SELECT indicator, labels, sum(samples) AS n
FROM v_windows
WHERE entity = ? AND window_start >= fromUnixTimestamp64Milli(?) AND window_start < fromUnixTimestamp64Milli(?)
GROUP BY indicator, labels
ORDER BY n DESC, indicator, labels
LIMIT 200`, entity, from.UnixMilli(), until.UnixMilli())
}

// Scope says which windows are meant. Without Labels all series count together.
type Scope struct {
	Indicator, Entity, Labels string
	From, Until               time.Time
	Step                      time.Duration
}

func (s *Scope) args() []any {
	return []any{int64(s.Step.Seconds()), s.Indicator, s.Entity, s.Labels, s.Labels, s.From.UnixMilli(), s.Until.UnixMilli()}
}

// Window is one bucket of windows. NaN is no samples, or no value.
type Window struct {
	At         time.Time `ch:"t"`
	Rate       float64   `ch:"rate"`
	ErrorRatio float64   `ch:"error_ratio"`
	Samples    int64     `ch:"n"`
	Bad        int64     `ch:"bad"`
	Complete   bool      `ch:"complete"`
}

// Windows returns the buckets of a scope.
func (r *Reader) Windows(ctx context.Context, s Scope) ([]Window, error) {
	return ask[Window](ctx, r, `
SELECT toStartOfInterval(window_start, toIntervalSecond(?)) AS t,
    sum(samples) / (uniqExact(window_start) * any(window_seconds)) AS rate,
    ifNull(sum(bad_samples) / nullIf(sum(samples), 0), nan) AS error_ratio,
    sum(samples) AS n, sum(bad_samples) AS bad, CAST(min(is_complete) AS Bool) AS complete
FROM v_windows
WHERE indicator = ? AND entity = ? AND (? = '' OR labels = ?)
    AND window_start >= fromUnixTimestamp64Milli(?) AND window_start < fromUnixTimestamp64Milli(?)
GROUP BY t ORDER BY t`, s.args()...)
}

// Quantile is the distribution of the value in one bucket, in the unit of the indicator.
type Quantile struct {
	At     time.Time `ch:"t"`
	Values []float64 `ch:"q"` // the median, p90, p95, p99
}

// Quantiles returns the quantiles of a scope, merged from the histograms.
func (r *Reader) Quantiles(ctx context.Context, s Scope) ([]Quantile, error) {
	return ask[Quantile](ctx, r, `
SELECT toStartOfInterval(window_start, toIntervalSecond(?)) AS t,
    arrayMap(x -> toFloat64(x), quantilesDDMerge(0.010830001253373618, 0.5, 0.9, 0.95, 0.99)(histogram)) AS q
FROM v_histograms
WHERE indicator = ? AND entity = ? AND (? = '' OR labels = ?)
    AND window_start >= fromUnixTimestamp64Milli(?) AND window_start < fromUnixTimestamp64Milli(?)
GROUP BY t ORDER BY t`, s.args()...)
}

// Band is what was expected of one number in a bucket: its middle and its limits, NaN for
// none.
type Band struct {
	Value    string    `ch:"value"`
	At       time.Time `ch:"t"`
	Expected float64   `ch:"e"`
	Low      float64   `ch:"lo"`
	High     float64   `ch:"hi"`
	Series   uint64    `ch:"series"`
	Alarms   uint64    `ch:"alarms"`
}

// Bands returns what detectors expected of a scope. Of several series the rates are added
// up, and shares weighed by their samples; a quantile has a band for one series only.
func (r *Reader) Bands(ctx context.Context, s Scope) ([]Band, error) {
	return ask[Band](ctx, r, `
SELECT value, t, if(value = 'rate', sum(e), sum(e * n) / sum(n)) AS e, if(value = 'rate', sum(lo), sum(lo * n) / sum(n)) AS lo,
    if(value = 'rate', sum(hi), sum(hi * n) / sum(n)) AS hi, count() AS series, sum(alarms) AS alarms
FROM
(
    SELECT value, labels, toStartOfInterval(window_start, toIntervalSecond(?)) AS t,
        avg(ifNull(expected, nan)) AS e,
        avg(ifNull(expected_low, if(value IN ('rate', 'error_ratio'), 0, nan))) AS lo, avg(ifNull(expected_high, nan)) AS hi,
        greatest(sum(samples), 1) AS n, countIf(is_alarm) AS alarms
    FROM v_bands
    WHERE indicator = ? AND entity = ? AND (? = '' OR labels = ?)
        AND window_start >= fromUnixTimestamp64Milli(?) AND window_start < fromUnixTimestamp64Milli(?)
    GROUP BY value, labels, t
)
GROUP BY value, t
ORDER BY value, t`, s.args()...)
}
