package stats

import (
	"math"
	"slices"
)

// Dispersion says how much more counts vary than Poisson counts would.
type Dispersion struct {
	// Factor multiplies the variance; at least 1.
	Factor float64
	// DF is the degrees of freedom of the part above 1, +Inf when it is known.
	DF float64
	// Autocorrelation of successive residuals, as far as it is in Factor.
	Autocorrelation float64
}

// PoissonDispersion is that of counts known to be Poisson.
var PoissonDispersion = Dispersion{Factor: 1, DF: math.Inf(1)}

// NewDispersion returns the dispersion of a variance factor estimated with so many
// degrees of freedom. Of the factor, 1 is the known variance of the counts and the
// rest is estimated; the degrees of freedom of the sum follow from Welch (1947)
// and Satterthwaite (1946).
func NewDispersion(factor, df float64) Dispersion {
	if !(factor > 1) {
		return PoissonDispersion
	}
	return Dispersion{Factor: factor, DF: df * (factor / (factor - 1)) * (factor / (factor - 1))}
}

// Dispersion estimates the dispersion under the hypothesis that the log ratio is
// the anchor, in two ways that are both right when it is, and returns the lesser:
//
//   - the spread of the counts of each arm around the arm's own rate. It is too
//     large when the load of both arms varies;
//   - the spread of the canary's share of the events around what the anchor says.
//     A load that both share drops out; it is too large when the ratio is another.
//
// With a reference, the baseline's counts before the canary began, or its past, the
// first is taken from those and the baseline alone: a canary whose bad panes come
// and go then speaks against itself, and does not pass for merely variable. A nil
// reference is none.
//
// known is false while the estimate rests on too little to be used.
func (r *RateRatio) Dispersion(anchor float64, reference *ArmCounts) (d Dispersion, known bool) {
	return r.dispersion(r.index(anchor), reference)
}

// FittedDispersion is that around the ratio that fits best, where no ratio is the
// hypothesis.
func (r *RateRatio) FittedDispersion(reference *ArmCounts) (d Dispersion, known bool) {
	best := 0
	for k, l := range r.loglik {
		if l > r.loglik[best] {
			best = k
		}
	}
	return r.dispersion(best, reference)
}

func (r *RateRatio) dispersion(k int, reference *ArmCounts) (d Dispersion, known bool) {
	within := r.baseline.spread()
	known = false
	if reference != nil && reference.N > leastDF {
		within, known = within.plus(reference.spread()), true
	}
	if r.remembers() {
		if past := r.past.spread(); past.df > leastDF {
			within, known = within.plus(past), true
		}
	}
	if !known {
		within = within.plus(r.canary.spread())
	}
	d = within.dispersion()
	shared := spread{square: r.square[k], lag: r.cross[k], expected: r.variance[k], df: r.weight * r.weight / r.weightSquare}
	if o := shared.dispersion(); shared.df >= leastDF/2 && o.Factor < d.Factor {
		d = o
	}
	// Uneven exposures take away a little.
	return d, within.df > leastDF-0.5
}

// leastDF is how many degrees of freedom the dispersion must have before counts
// decide anything: with 14, eight panes of both arms, it is underestimated
// threefold in 1 of 100 cases (the chance of χ²₁₄ below 14/3).
const leastDF = 14

// A prior is the weight of distances of the log ratio from the margin below d.
type prior func(d float64) float64

// anySize is uniform up to the end of the grid, so that no size of failure is taken
// by surprise: seven events against none are enough.
func anySize(d float64) float64 { return math.Min(d/gridFar, 1) }

// nearbyMean is the mean log ratio of nearby: a factor of 7.
const nearbyMean = 2.0

// nearby is exponential: where much is known of the baseline, a few events of a great
// failure are found anyway, and what takes long is telling a small one.
func nearby(d float64) float64 {
	return math.Min(math.Expm1(-d/nearbyMean)/math.Expm1(-gridFar/nearbyMean), 1)
}

// atMargin is the weight, where a past is remembered and no evidence, of the margin
// itself: of counts whose dispersion is known from the first pane, and with a prior that
// is dense nearby, one canary in a hundred that are the same would fail else, and it
// shall be fewer.
const atMargin = 0.3

// LogAbove returns the logarithm of the evidence that the log ratio is above
// anchor: an e-process for "at most anchor".
func (r *RateRatio) LogAbove(anchor float64, d Dispersion) float64 {
	return r.evidence(d)(r.index(anchor), 1)
}

// LogBelow returns the logarithm of the evidence that the log ratio is below
// anchor.
func (r *RateRatio) LogBelow(anchor float64, d Dispersion) float64 {
	return r.evidence(d)(r.index(anchor), -1)
}

// evidence returns what finds the evidence that the log ratio is on one side of a
// grid point: that of both arms, and with the baseline's past when there is any, as
// far as that may go.
func (r *RateRatio) evidence(d Dispersion) func(at, side int) float64 {
	own := tempered(r.loglik, d)
	switch {
	case !r.remembers():
		return func(at, side int) float64 { return r.logBeyond(at, side, own, anySize) }
	case !r.borrows():
		return func(at, side int) float64 {
			return logSumExp([]float64{math.Log(atMargin), math.Log(1-atMargin) + r.logBeyond(at, side, own, nearby)})
		}
	}
	all := make([]float64, len(r.grid))
	discount := r.discount(d)
	for k, g := range r.grid {
		all[k] = r.loglik[k] + r.past.loglik(g, r.total)/discount
	}
	joint := tempered(all, d)
	return func(at, side int) float64 {
		return math.Min(r.logBeyond(at, side, joint, nearby), r.logBeyond(at, side, own, nearby)+r.most)
	}
}

// discount returns by how much the information in the past is divided beyond what
// the dispersion divides all of it by.
func (r *RateRatio) discount(d Dispersion) float64 {
	baseline := stretch{r.total.Baseline, r.total.BaselineExposure}
	return math.Max(1, r.past.discount(r.panes, baseline, r.total.CanaryExposure+r.total.BaselineExposure)/d.Factor)
}

// Loan is what of the past was used as evidence.
type Loan struct {
	// Stretches of the past, and how many panes long each is.
	Stretches int
	Panes     float64
	// Events and Exposure of those whose rate is lent, and by how much their
	// information is divided.
	Events, Exposure, Discount float64
	// Gain is the logarithm of what it multiplies the evidence with that the ratio is
	// beyond the anchor.
	Gain float64
}

// Loan returns what of the past is used at this look; false when there is none. What is
// not evidence has an infinite discount.
func (r *RateRatio) Loan(anchor float64, d Dispersion, above bool) (Loan, bool) {
	if !r.remembers() {
		return Loan{}, false
	}
	l := Loan{Stretches: len(r.past.stretches), Panes: r.past.length, Events: r.past.events, Exposure: r.past.exposure, Discount: math.Inf(1)}
	if !r.borrows() {
		return l, true
	}
	k, side := r.index(anchor), -1
	if above {
		side = 1
	}
	l.Discount = r.discount(d) * d.Factor
	l.Gain = r.evidence(d)(k, side) - r.logBeyond(k, side, tempered(r.loglik, d), nearby)
	return l, true
}

// tempered returns the log-likelihood at every grid point as the dispersion
// allows: divided by a known factor; with an estimated one, Student's likelihood
// for the same distance takes the place of the normal's.
func tempered(loglik []float64, d Dispersion) func(k int) float64 {
	if d.Factor <= 1 {
		return func(k int) float64 { return loglik[k] }
	}
	top := slices.Max(loglik)
	if math.IsInf(d.DF, 1) {
		return func(k int) float64 { return (loglik[k] - top) / d.Factor }
	}
	return func(k int) float64 {
		squared := 2 * (top - loglik[k]) / d.Factor
		return -(d.DF + 1) / 2 * math.Log1p(squared/d.DF)
	}
}

// logBeyond mixes the likelihood ratios of the grid points on one side of a point
// over that point, weighted by the prior on their distance.
func (r *RateRatio) logBeyond(at, side int, loglik func(int) float64, below prior) float64 {
	null := loglik(at)
	var logs []float64
	from := 0.0 // the prior's weight up to the end of the cell before
	for k := at + side; k >= 0 && k < len(r.grid); k += side {
		to := 1.0
		if next := k + side; next >= 0 && next < len(r.grid) {
			// Cells meet halfway between neighbours.
			to = below(math.Abs((r.grid[k]+r.grid[next])/2 - r.grid[at]))
		}
		if to > from {
			logs = append(logs, math.Log(to-from)+loglik(k)-null)
		}
		from = to
	}
	return logSumExp(logs)
}

// Interval returns the log ratios that are rejected neither as too low, with error
// alphaLow, nor as too high, with error alphaHigh, at all times at once; infinite
// where the grid ends.
func (r *RateRatio) Interval(d Dispersion, alphaLow, alphaHigh float64) (low, high float64) {
	evidence := r.evidence(d)
	low, high = math.Inf(-1), math.Inf(1)
	for k := range r.grid {
		if k == len(r.grid)-1 || evidence(k, 1) < -math.Log(alphaLow) {
			break
		}
		low = r.grid[k]
	}
	for k := len(r.grid) - 1; k > 0 && evidence(k, -1) >= -math.Log(alphaHigh); k-- {
		high = r.grid[k]
	}
	return low, high
}

// Score returns the z-value of the score test that the log ratio is the anchor, and
// the information about it: what a group sequential test needs.
func (r *RateRatio) Score(anchor float64, d Dispersion) (z, information float64) {
	k := r.index(anchor)
	if r.variance[k] == 0 {
		return 0, 0
	}
	t := r.score[k] / math.Sqrt(r.variance[k]*d.Factor)
	return normalEquivalent(t, d.DF), r.variance[k] / d.Factor
}

// EventsToDecide returns how many more events of both arms together it takes, if
// the ratio stays as it is, until the evidence that it is beyond the anchor reaches
// ln 1/alpha: what is missing over the information per event, the Kullback–Leibler
// divergence between both shares. +Inf when the ratio is not beyond the anchor.
func (r *RateRatio) EventsToDecide(anchor float64, above bool, d Dispersion, alpha float64) float64 {
	pi, ok := r.total.share()
	n := r.total.Canary + r.total.Baseline
	if !ok || n == 0 {
		return math.Inf(1)
	}
	p, p0 := r.total.Canary/n, 1/(1+math.Exp(-anchor)*(1-pi)/pi)
	if above != (p > p0) {
		return math.Inf(1)
	}
	information := 0.0
	if p > 0 {
		information += p * math.Log(p/p0)
	}
	if p < 1 {
		information += (1 - p) * math.Log((1-p)/(1-p0))
	}
	now := r.LogBelow(anchor, d)
	if above {
		now = r.LogAbove(anchor, d)
	}
	return math.Max(0, -math.Log(alpha)-now) * d.Factor / information
}
