package slo

import (
	"math"
	"time"

	"github.com/flyball-io/flyball"
)

// Forecast is when an error budget will be gone, in seconds from when it was
// asked for: 0 when it is gone already, NaN when it is not to be within the period,
// or nobody knows.
type Forecast struct {
	// Hour, SixHours and ThreeDays take the burn rate of that long before for the one
	// to come.
	Hour, SixHours, ThreeDays float64
	// Trend takes the line through the burn rates of the blocks before; Earliest and
	// Latest bound it with 90 % confidence.
	Trend, Earliest, Latest float64
}

// Forecast looks ahead from at, where the budget is b. What is left of a budget is
//
//	1 − consumed·elapsed ÷ length
//
// of a whole period's, as in Budget and SLO.Exhausted, and burns at rate r within
// left·length ÷ r (The Site Reliability Workbook, chapter 5). Rolling budgets also
// get back what they lost a period ago, which is left out: the forecast is on the
// side of caution.
func (t *Tracker) Forecast(at flyball.Time, b Budget) Forecast {
	nan := math.NaN()
	f := Forecast{nan, nan, nan, nan, nan, nan}
	left, horizon, ok := t.left(at, b)
	if !ok {
		return f
	}
	f.Hour, f.SixHours, f.ThreeDays = t.Ahead(at, b, time.Hour), t.Ahead(at, b, 6*time.Hour), t.Ahead(at, b, 72*time.Hour)
	if left <= 0 {
		f.Trend, f.Earliest, f.Latest = 0, 0, 0
		return f
	}
	line := t.trend(at, b.Elapsed)
	f.Trend = line.until(left, horizon, 0)
	f.Earliest = line.until(left, horizon, +1)
	f.Latest = line.until(left, horizon, -1)
	return f
}

// Ahead returns in how many seconds a budget is gone at the burn rate of the last
// window, as in Forecast.
func (t *Tracker) Ahead(at flyball.Time, b Budget, window time.Duration) float64 {
	left, horizon, ok := t.left(at, b)
	if !ok || window > t.reach() {
		return math.NaN()
	}
	rate := t.spec.BurnRate(t.Sum(at, window))
	return bounded(left/rate, horizon, left, rate)
}

// Lookback returns the window by whose burn rate it is judged whether a budget is
// gone within some time: a quarter of it (Honeycomb's rule), in whole slices.
func (t *Tracker) Lookback(within time.Duration) time.Duration {
	return min(roundUp(max(within/4, t.unit), t.unit), t.reach())
}

// left returns how many seconds what is left of a budget lasts at the sustainable
// rate, and how far to look ahead.
func (t *Tracker) left(at flyball.Time, b Budget) (left, horizon float64, ok bool) {
	length := b.Length().Seconds()
	if b.Total <= 0 || length <= 0 {
		return 0, 0, false
	}
	if !t.spec.Exhausted(b.Total, b.Bad, b.Elapsed, b.Length()) {
		left = max(length-t.spec.BurnRate(b.Total, b.Bad)*b.Elapsed.Seconds(), 0)
	}
	if horizon = length; t.spec.Calendar != nil {
		horizon = b.End.Sub(at).Seconds()
	}
	return left, horizon, true
}

// bounded returns a time ahead, 0 for a budget that is gone, NaN for one that
// does not burn or outlasts the horizon.
func bounded(ahead, horizon, left, rate float64) float64 {
	switch {
	case left <= 0:
		return 0
	case !(rate > 0) || ahead > horizon:
		return math.NaN()
	}
	return ahead
}

// reach is how far back any window may look.
func (t *Tracker) reach() time.Duration {
	if t.spec.Calendar != nil {
		return t.rings[len(t.rings)-1].span
	}
	return max(t.longest, t.spec.Period)
}

const (
	// trendBlocks is how many burn rates a trend is drawn through: enough for an
	// interval, few enough that each has samples.
	trendBlocks = 12
	// trendSpan is how far back the trend looks at most.
	trendSpan = 72 * time.Hour
	// student90 is the 95 % quantile of Student's t with 10 degrees of freedom.
	student90 = 1.812461123
)

// regression is a line through burn rates by least squares, x in seconds from now.
type regression struct {
	n                 float64
	mean, slope       float64 // of y at mid, per second
	mid, sxx, scatter float64
}

// trend draws the line through the burn rates of the blocks before at. It has n = 0
// where a block has no samples: a gap is no trend.
func (t *Tracker) trend(at flyball.Time, elapsed time.Duration) regression {
	block := (min(trendSpan, elapsed, t.reach()) / trendBlocks).Truncate(t.unit)
	if block <= 0 {
		return regression{}
	}
	var x, y [trendBlocks]float64
	var r regression
	for i := range trendBlocks {
		y[i] = t.spec.BurnRate(t.Sum(at.Add(-block*time.Duration(i)), block))
		if math.IsNaN(y[i]) || math.IsInf(y[i], 0) {
			return regression{}
		}
		x[i] = -block.Seconds() * (float64(i) + 0.5)
		r.mid += x[i] / trendBlocks
		r.mean += y[i] / trendBlocks
	}
	r.n = trendBlocks
	var sxy, syy float64
	for i := range x {
		r.sxx += (x[i] - r.mid) * (x[i] - r.mid)
		sxy += (x[i] - r.mid) * (y[i] - r.mean)
		syy += (y[i] - r.mean) * (y[i] - r.mean)
	}
	r.slope = sxy / r.sxx
	r.scatter = math.Sqrt(max(syy-r.slope*sxy, 0) / (trendBlocks - 2))
	return r
}

// until returns after how many seconds the rates of the line, or of the upper (+1)
// or lower (−1) bound of its confidence band, add up to an amount; NaN when they do
// not before the horizon. No rate is below zero.
func (r *regression) until(amount, horizon, side float64) float64 {
	if r.n == 0 {
		return math.NaN()
	}
	const steps = 256
	width, sum := horizon/steps, 0.0
	for i := range steps {
		x := (float64(i) + 0.5) * width
		d := x - r.mid
		rate := r.mean + r.slope*d + side*student90*r.scatter*math.Sqrt(1/r.n+d*d/r.sxx)
		add := max(rate, 0) * width
		if sum+add >= amount {
			return (float64(i) + (amount-sum)/add) * width
		}
		sum += add
	}
	return math.NaN()
}
