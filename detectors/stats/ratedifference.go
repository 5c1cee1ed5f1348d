package stats

import "math"

// LogDifferenceAbove returns the logarithm of the evidence that the canary's rate is
// above the baseline's by more than a difference, in events per exposure; 0 must be an
// anchor.
//
// Of Poisson counts x and y with rates λ + δ and λ, exposures n and m and π = n/(n+m),
//
//	(p/π)^x ((1−p)/(1−π))^y exp(−(n+m)(p−π)δ)
//
// has mean 1 for every p, whatever λ is: as E a^x = exp(n(λ+δ)(a−1)), all terms in λ
// cancel. For p above π it is smaller in the mean when the difference is smaller, so the
// product over panes is a test martingale for "at most δ", with rates that vary from
// pane to pane; and the mean over p, which stand for alternatives, is one as well. With
// δ = 0 it is the evidence of the ratio. Counts that are part of the exposure vary less
// than Poisson counts, for which it stays valid.
func (r *RateRatio) LogDifferenceAbove(difference float64, d Dispersion) float64 {
	return r.logDifference(difference, 1, d)
}

// LogDifferenceBelow returns the logarithm of the evidence that the canary's rate is
// above the baseline's by less than a difference, which may be negative.
func (r *RateRatio) LogDifferenceBelow(difference float64, d Dispersion) float64 {
	return r.logDifference(difference, -1, d)
}

func (r *RateRatio) logDifference(difference float64, side int, d Dispersion) float64 {
	log := make([]float64, len(r.grid))
	for k := range r.grid {
		log[k] = r.loglik[k] - difference*r.tilt[k]
	}
	return r.logBeyond(r.index(0), side, tempered(log, d), anySize)
}

// Difference returns how far the canary's rate is above the baseline's.
func (r *RateRatio) Difference() float64 {
	t := r.total
	return t.Canary/t.CanaryExposure - t.Baseline/t.BaselineExposure
}

// DifferenceInterval returns the differences that are rejected neither as too low, with
// error alphaLow, nor as too high, with error alphaHigh, at all times at once.
func (r *RateRatio) DifferenceInterval(d Dispersion, alphaLow, alphaHigh float64) (low, high float64) {
	t := r.total
	if r.panes == 0 {
		return math.Inf(-1), math.Inf(1)
	}
	at := r.Difference()
	most := 1/t.CanaryExposure + 1/t.BaselineExposure
	reach := func(f func(float64) float64, alpha, side float64) float64 {
		beyond := func(width float64) float64 { return f(at+side*width) + math.Log(alpha) }
		width := most
		for range 60 {
			if beyond(width) >= 0 {
				return at + side*bisectTo(beyond, 0, width, 1e-9*most)
			}
			width *= 2
		}
		return math.Inf(int(side))
	}
	low = reach(func(v float64) float64 { return r.LogDifferenceAbove(v, d) }, alphaLow, -1)
	high = reach(func(v float64) float64 { return r.LogDifferenceBelow(v, d) }, alphaHigh, 1)
	return low, high
}
