package stats

import (
	"math"
	"slices"
	"sort"
)

// BernoulliInterval returns the confidence interval for a share after so many
// successes in so many trials that holds at all times at once: the beta-binomial
// mixture inverted (Howard et al. 2021). tOpt is the number of trials at which it
// is tightest at level alphaOpt.
func BernoulliInterval(successes, trials, alpha, tOpt, alphaOpt float64) (low, high float64) {
	share := successes / trials
	f := func(p float64) float64 {
		v := p * (1 - p)
		m := NewBetaBinomialMixture(v*tOpt, alphaOpt, p, 1-p, false)
		return m.LogEvidence((share-p)*trials, v*trials) - math.Log(1/alpha)
	}
	// At 0 and 1 the evidence is infinite unless nothing speaks against them.
	low, high = 0, 1
	const edge = 1e-12
	if share > 0 && f(edge) > 0 {
		low = bisect(f, edge, share)
	}
	if share < 1 && f(1-edge) > 0 {
		high = bisect(f, share, 1-edge)
	}
	return low, high
}

// QuantileABPValue returns a p-value, valid at every look, for the hypothesis that
// two arms have the same p-quantile: the least over all values x of the product of
// both arms' evidence that x is not their quantile (Howard and Ramdas 2022,
// theorem 5). It is tightest at tOpt observations and level alphaOpt.
func QuantileABPValue(first, second []float64, p, tOpt, alphaOpt float64) float64 {
	m := NewBetaBinomialMixture(p*(1-p)*tOpt, alphaOpt, p, 1-p, false)
	a, b := newQuantileArm(first, p, m), newQuantileArm(second, p, m)
	least := math.Inf(1)
	for _, values := range [][]float64{a.sorted, b.sorted} {
		for _, x := range values {
			least = math.Min(least, a.evidence(x)+b.evidence(x))
		}
	}
	return math.Min(1, math.Exp(-least))
}

type quantileArm struct {
	sorted []float64
	p      float64
	m      Mixture
	center float64 // the share at which the evidence is least
}

func newQuantileArm(values []float64, p float64, m Mixture) quantileArm {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	arm := quantileArm{sorted: sorted, p: p, m: m}
	arm.center = minimize(arm.at, 0, 1)
	return arm
}

// at returns the evidence when the share of values below the quantile is as given.
func (q quantileArm) at(share float64) float64 {
	n := float64(len(q.sorted))
	return q.m.LogEvidence((share-q.p)*n, q.p*(1-q.p)*n)
}

// evidence returns the least evidence against x being the quantile: the share of
// values below x may be anything from those less to those less or equal.
func (q quantileArm) evidence(x float64) float64 {
	n := float64(len(q.sorted))
	less := float64(sort.SearchFloat64s(q.sorted, x)) / n
	upTo := float64(sort.Search(len(q.sorted), func(i int) bool { return q.sorted[i] > x })) / n
	return q.at(math.Min(math.Max(q.center, less), upTo))
}
