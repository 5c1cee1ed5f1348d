package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// PolyStitchingBound returns the boundary for sums of variance v that grows like
// √(v ln ln v): epochs of v in ratio eta share the error in the proportions of the
// zeta distribution s. c is the scale of the tails, 0 for sub-Gaussian sums, and
// below vMin the boundary is flat (Howard et al. 2021, theorem 1 and equation 10).
func PolyStitchingBound(v, alpha, vMin, c, s, eta float64) float64 {
	v = math.Max(v, vMin)
	l := s*math.Log(math.Log(eta*v/vMin)) + math.Log(mathext.Zeta(s, 1)) - s*math.Log(math.Log(eta)) - math.Log(alpha)
	k1, k2 := stitchingConstants(eta)
	linear := k2 * c * l
	return math.Sqrt(k1*k1*v*l+linear*linear) + linear
}

func stitchingConstants(eta float64) (k1, k2 float64) {
	root := math.Sqrt(math.Sqrt(eta))
	return (root + 1/root) / math.Sqrt2, (math.Sqrt(eta) + 1) / 2
}

// EmpiricalProcessBound is the radius within which the empirical distribution
// function stays around the true one at all times and all values at once, with
// probability 1 − alpha: Howard and Ramdas, "Sequential estimation of quantiles
// with applications to A/B testing and best-arm identification", Bernoulli 28
// (2022), theorem 2. It speaks from tMin observations on.
type EmpiricalProcessBound struct {
	tMin, a, c float64
}

// NewEmpiricalProcessBound finds the constant that belongs to a level. a trades
// width at tMin against growth; the authors use 0.85.
func NewEmpiricalProcessBound(alpha, tMin, a float64) EmpiricalProcessBound {
	f := func(c float64) float64 { return empiricalProcessError(c, a) - alpha }
	high := 8.0
	for f(high) > 0 {
		high *= 2
	}
	low := high / 2
	for f(low) < 0 {
		low /= 2
	}
	return EmpiricalProcessBound{tMin, a, bisect(f, low, high)}
}

// Radius returns the half-width after t observations; infinite before tMin.
func (b EmpiricalProcessBound) Radius(t float64) float64 {
	if t < b.tMin {
		return math.Inf(1)
	}
	return b.a * math.Sqrt((math.Log1p(math.Log(t/b.tMin))+b.c)/t)
}

// empiricalProcessError bounds the chance that the band of constant c is ever
// left: the least over the ratio eta of the epochs.
func empiricalProcessError(c, a float64) float64 {
	bound := func(eta float64) float64 {
		root := a - math.Sqrt(2*(eta-1)/c)
		gamma := 2 / eta * root * root
		if root <= 0 || gamma <= 1 {
			return math.Inf(1)
		}
		return 4 * math.Exp(-gamma*c) * (1 + 1/((gamma-1)*math.Log(eta)))
	}
	// gamma falls with eta, so the etas that have a bound are (1, end).
	end := bisect(func(eta float64) float64 { return math.Sqrt(eta/2) + math.Sqrt(2*(eta-1)/c) - a }, 1, 2*a*a)
	return bound(minimize(bound, 1, end))
}

// minimize returns where f, which falls and then rises, is least between low and
// high, by golden section.
func minimize(f func(float64) float64, low, high float64) float64 {
	const golden = 0.6180339887498949
	left, right := high-golden*(high-low), low+golden*(high-low)
	fl, fr := f(left), f(right)
	for high-low > 1e-12*(math.Abs(low)+math.Abs(high)) {
		if fl <= fr {
			high, right, fr = right, left, fl
			left = high - golden*(high-low)
			fl = f(left)
		} else {
			low, left, fl = left, right, fr
			right = low + golden*(high-low)
			fr = f(right)
		}
	}
	return (low + high) / 2
}

// DoubleStitchingBound returns how far the count of t observations below the
// p-quantile strays from tp, for all times and all quantiles at once with
// probability 1 − alpha, and tighter in the tails than EmpiricalProcessBound:
// Howard and Ramdas (2022), theorem 3. tOpt is where it is meant to be tight, delta
// the spacing of quantiles in logits at that time, s and eta as in
// PolyStitchingBound.
func DoubleStitchingBound(p, t, alpha, tOpt, delta, s, eta float64) float64 {
	t = math.Max(t, tOpt)
	logit := math.Log(p / (1 - p))
	r := p
	if p < 0.5 {
		r = math.Min(0.5, 1/(1+math.Exp(-logit-2*delta*math.Sqrt(tOpt*eta/t))))
	}
	variance := r * (1 - r)
	j := math.Sqrt(t/tOpt)*math.Abs(logit)/(2*delta) + 1
	zeta := mathext.Zeta(s, 1)
	l := s*math.Log(math.Log(eta*t/tOpt)) + s*math.Log(j) +
		math.Log(2*zeta*(2*zeta+1)/alpha) - s*math.Log(math.Log(eta))
	k1, k2 := stitchingConstants(eta)
	linear := k2 * (1 - 2*p) / 3 * l
	return delta*math.Sqrt(eta*t*variance/tOpt) + math.Sqrt(k1*k1*variance*t*l+linear*linear) + linear
}
