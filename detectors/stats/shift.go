package stats

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrNoVariance is returned when all values are equal, so that ranks say nothing.
var ErrNoVariance = errors.New("all values are equal")

// ShiftInterval returns the Hodges–Lehmann estimate of the shift of x over y and
// its confidence interval, by inverting the Mann–Whitney test in its normal
// approximation with continuity and tie corrections (Hollander and Wolfe,
// "Nonparametric Statistical Methods", chapter 4; what R's wilcox.test does for
// large samples).
//
// The test statistic is a step function, and the root is searched to an absolute
// tolerance of 1e-4: on data with many ties the ends are points near a step, and
// low may lie above high by as much. Kayenta's judge has the same property and its
// verdicts depend on it, which is why the solver is fixed here.
func ShiftInterval(x, y []float64, confidence float64) (low, high, estimate float64, err error) {
	if len(x) == 0 || len(y) == 0 {
		return 0, 0, 0, fmt.Errorf("cannot compare %d with %d values", len(x), len(y))
	}
	least := slices.Min(x) - slices.Max(y)
	most := slices.Max(x) - slices.Min(y)
	s := shiftStatistic{x: x, y: y, joint: make([]float64, len(x)+len(y))}
	z := normalQuantile((1 - confidence) / 2)
	if low, err = s.bound(least, most, -z); err != nil {
		return 0, 0, 0, err
	}
	if high, err = s.bound(least, most, z); err != nil {
		return 0, 0, 0, err
	}
	estimate, err = Zeroin(func(mu float64) (float64, error) { return s.at(mu, 0) }, least, most, shiftTolerance)
	return low, high, estimate, err
}

const shiftTolerance = 1e-4

type shiftStatistic struct {
	x, y, joint []float64
}

// at returns the standardised Mann–Whitney statistic of x − mu against y, less a
// quantile.
func (s shiftStatistic) at(mu, quantile float64) (float64, error) {
	n, m := float64(len(s.x)), float64(len(s.y))
	for i, v := range s.x {
		s.joint[i] = v - mu
	}
	copy(s.joint[len(s.x):], s.y)
	ranks, ties := Ranks(s.joint)
	sum := 0.0
	for _, r := range ranks[:len(s.x)] {
		sum += r
	}
	d := sum - n*(n+1)/2 - n*m/2
	correction := 0.0
	switch {
	case d > 0:
		correction = 0.5
	case d < 0:
		correction = -0.5
	}
	sigma := math.Sqrt(n * m / 12 * (n + m + 1 - ties/((n+m)*(n+m-1))))
	if sigma == 0 {
		return 0, ErrNoVariance
	}
	return (d-correction)/sigma - quantile, nil
}

// bound returns the shift at which the statistic equals the quantile, or the end
// of the range that it lies beyond.
func (s shiftStatistic) bound(least, most, quantile float64) (float64, error) {
	f := func(mu float64) (float64, error) { return s.at(mu, quantile) }
	if v, err := f(least); err != nil || v <= 0 {
		return least, err
	}
	if v, err := f(most); err != nil || v >= 0 {
		return most, err
	}
	return Zeroin(f, least, most, shiftTolerance)
}

// WilcoxonStatistic returns the standardised Mann–Whitney statistic of x − mu
// against y, less a quantile: the function whose roots ShiftInterval finds.
func WilcoxonStatistic(x, y []float64, mu, quantile float64) (float64, error) {
	return shiftStatistic{x: x, y: y, joint: make([]float64, len(x)+len(y))}.at(mu, quantile)
}

const machineEpsilon = 0x1p-52

// Zeroin finds a zero of f between a and b to an absolute tolerance, by Brent's
// method (R. Brent, "Algorithms for Minimization Without Derivatives", 1973,
// chapter 4) in the order of steps of Netlib's zeroin. It does not ask that the
// ends differ in sign; without that it returns some point between them. An error
// of f ends the search.
func Zeroin(f func(float64) (float64, error), a, b, tolerance float64) (float64, error) {
	fa, err := f(a)
	if err != nil || fa == 0 {
		return a, err
	}
	fb, err := f(b)
	if err != nil || fb == 0 {
		return b, err
	}
	c, fc := a, fa
	for range 1001 {
		previous := b - a
		if math.Abs(fc) < math.Abs(fb) {
			a, b, c = b, c, b
			fa, fb, fc = fb, fc, fb
		}
		least := 2*machineEpsilon*math.Abs(b) + tolerance/2
		step := (c - b) / 2
		if math.Abs(step) <= least || fb == 0 {
			return b, nil
		}
		if math.Abs(previous) >= least && math.Abs(fa) > math.Abs(fb) {
			step = interpolate(a, b, c, fa, fb, fc, previous, least, step)
		}
		if math.Abs(step) < least {
			if step > 0 {
				step = least
			} else {
				step = -least
			}
		}
		a, fa = b, fb
		b += step
		if fb, err = f(b); err != nil {
			return b, err
		}
		if (fb > 0 && fc > 0) || (fb < 0 && fc < 0) {
			c, fc = a, fa
		}
	}
	return b, nil
}

// interpolate returns the step by the secant or by inverse quadratic
// interpolation when it is well inside the bracket and shrinking, else the
// bisection step it was given.
func interpolate(a, b, c, fa, fb, fc, previous, least, bisection float64) float64 {
	var p, q float64
	width := c - b
	if a == c {
		t := fb / fa
		p, q = width*t, 1-t
	} else {
		r, s, t := fa/fc, fb/fc, fb/fa
		p = t * (width*r*(r-s) - (b-a)*(s-1))
		q = (r - 1) * (s - 1) * (t - 1)
	}
	if p > 0 {
		q = -q
	} else {
		p = -p
	}
	if p < 0.75*width*q-math.Abs(least*q)/2 && p < math.Abs(previous*q/2) {
		return p / q
	}
	return bisection
}
