package stats

import "math"

// A Spending function says how much of the error may be spent by an information
// fraction between 0 and 1; 0 at 0 and alpha at 1.
type Spending func(fraction float64) float64

// PowerSpending spends alpha·fraction² (Kim and DeMets, Biometrika 74, 1987): few
// errors early, when an estimate is worth little, and almost all of the power of a
// single look at the end.
func PowerSpending(alpha float64) Spending {
	return func(f float64) float64 { return alpha * math.Min(f, 1) * math.Min(f, 1) }
}

// GroupSequential finds, look by look, the z-value beyond which a test with a fixed
// end may stop: Lan and DeMets, "Discrete sequential boundaries for clinical
// trials", Biometrika 70 (1983). Looks need not be planned. It integrates the
// density of the sum over the region where no earlier look stopped (Armitage,
// McPherson and Rowe, 1969), one-sided, on a grid.
type GroupSequential struct {
	spend       Spending
	spent       float64
	information float64
	// density of the score sum at the last look where it had not stopped, at from,
	// from + step, ...
	density    []float64
	from, step float64
	bound      float64
}

const (
	// sumPoints is the grid, from sumLeast standard deviations to the bound: a step
	// is 0.1 of them at most. The trapezoid rule is exact for a normal kernel to
	// exp(−2π²) when its standard deviation is a step (Trefethen and Weideman, "The
	// exponentially convergent trapezoidal rule", SIAM Review 56, 2014).
	sumPoints = 160
	sumLeast  = 7.0
	// boundMost is where a bound ends: 1e-15 of the error.
	boundMost = 8.0
)

// NewGroupSequential returns a test that has not looked yet.
func NewGroupSequential(spend Spending) *GroupSequential {
	return &GroupSequential{spend: spend, bound: boundMost}
}

// Look returns the bound of the z-value at this look. Information is the inverse
// variance of the estimate, in any unit; fraction says how much of the analysis is
// over. A look that adds so little information that the grid cannot resolve it
// spends nothing and returns +Inf: it is no look.
func (g *GroupSequential) Look(information, fraction float64) float64 {
	added := information - g.information
	if !(added > 0) || (g.density != nil && added < g.step*g.step) {
		return math.Inf(1)
	}
	budget := g.spend(fraction) - g.spent
	root := math.Sqrt(information)
	crossing := func(z float64) float64 {
		if g.density == nil {
			return normalCDF(-z)
		}
		sum, sd := 0.0, math.Sqrt(added)
		for i, d := range g.density {
			sum += d * normalCDF((g.from+float64(i)*g.step-z*root)/sd)
		}
		return sum * g.step
	}
	bound := boundMost
	if crossing(boundMost) < budget {
		bound = bisectTo(func(z float64) float64 { return budget - crossing(z) }, -boundMost, boundMost, 1e-9)
	}
	g.spent += crossing(bound)
	g.advance(information, added, bound)
	return bound
}

// advance moves the density to a new look and cuts it at the bound.
func (g *GroupSequential) advance(information, added, bound float64) {
	root, sd := math.Sqrt(information), math.Sqrt(added)
	from := -sumLeast * root
	step := (bound*root - from) / (sumPoints - 1)
	next := make([]float64, sumPoints)
	for i := range next {
		s := from + float64(i)*step
		if g.density == nil {
			next[i] = normalDensity(s/root) / root
			continue
		}
		// Beyond 6 of its standard deviations the kernel holds 1e-9.
		first := max(0, int((s-6*sd-g.from)/g.step))
		last := min(len(g.density)-1, int((s+6*sd-g.from)/g.step)+1)
		for j := first; j <= last; j++ {
			next[i] += g.density[j] * normalDensity((s-g.from-float64(j)*g.step)/sd)
		}
		next[i] *= g.step / sd
	}
	// Trapezoid: the ends count half. The lower end holds nothing.
	next[sumPoints-1] /= 2
	g.density, g.from, g.step, g.information, g.bound = next, from, step, information, bound
}

func normalDensity(z float64) float64 { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }
