package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// ArmCounts sums the counts of one arm, x out of exposure e in every pane, so far
// as the spread around their mean rate needs it. Sums of successive stretches add
// up.
type ArmCounts struct {
	N                  int
	X, E               float64
	XX, XE, EE         float64
	lagXX, lagXE, lagE float64 // products of successive panes
	firstX, firstE     float64
	lastX, lastE       float64
}

// Add counts a pane. Without exposure it is passed over.
func (a *ArmCounts) Add(x, e float64) {
	if !(e > 0) {
		return
	}
	if a.N > 0 {
		a.follow(x, e)
	} else {
		a.firstX, a.firstE = x, e
	}
	a.N++
	a.X += x
	a.E += e
	a.XX += x * x
	a.XE += x * e
	a.EE += e * e
	a.lastX, a.lastE = x, e
}

func (a *ArmCounts) follow(x, e float64) {
	a.lagXX += a.lastX * x
	a.lagXE += a.lastX*e + a.lastE*x
	a.lagE += a.lastE * e
}

// Merge adds the panes of another arm that follow these in time.
func (a *ArmCounts) Merge(next ArmCounts) {
	if next.N == 0 {
		return
	}
	if a.N == 0 {
		*a = next
		return
	}
	a.follow(next.firstX, next.firstE)
	a.N += next.N
	a.X += next.X
	a.E += next.E
	a.XX += next.XX
	a.XE += next.XE
	a.EE += next.EE
	a.lagXX += next.lagXX
	a.lagXE += next.lagXE
	a.lagE += next.lagE
	a.lastX, a.lastE = next.lastX, next.lastE
}

// spread is a variance around a mean rate, before it is divided.
type spread struct {
	square   float64 // Σ(x − eλ)²
	lag      float64 // Σ of products of successive residuals
	expected float64 // what square would be for Poisson counts
	df       float64
}

func (s spread) plus(o spread) spread {
	return spread{s.square + o.square, s.lag + o.lag, s.expected + o.expected, s.df + o.df}
}

func (a ArmCounts) spread() spread {
	if a.N < 2 {
		return spread{}
	}
	rate := a.X / a.E
	effective := a.E * a.E / a.EE // panes, were all exposures equal
	return spread{
		square:   a.XX - 2*rate*a.XE + rate*rate*a.EE,
		lag:      a.lagXX - rate*a.lagXE + rate*rate*a.lagE,
		expected: a.X * (1 - 1/effective),
		df:       effective - 1,
	}
}

// doubt is the level of the tests below which counts are taken for what they are
// first supposed to be: Poisson, and independent from pane to pane.
const doubt = 0.05

// dispersion returns the factor by which a spread exceeds that of Poisson counts.
// Counts are Poisson and independent until Fisher's index of dispersion, or their
// lag-1 autocorrelation, says otherwise: an estimate of either is above 1 in half
// of all cases by chance alone.
func (s spread) dispersion() Dispersion {
	if !(s.df > 0) || !(s.expected > 0) {
		return PoissonDispersion
	}
	factor, df := s.square/s.expected, s.df
	if (distuv.ChiSquared{K: df}).Survival(factor*df) > doubt {
		factor = 1
	}
	rho := 0.0
	if s.square > 0 {
		rho = s.lag / s.square
	}
	if rho > normalQuantile(1-doubt)/math.Sqrt(df) {
		rho = math.Min(debias(rho, df), 0.99)
		vif := (1 + rho) / (1 - rho)
		factor, df = math.Max(s.square/s.expected, 1)*vif, df/vif
	} else {
		rho = 0
	}
	d := NewDispersion(factor, df)
	d.Autocorrelation = rho
	return d
}
