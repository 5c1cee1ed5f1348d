package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// MeanEvidence is what is known of a mean: the evidence, at every look, that it
// lies above or below a value. It is the asymptotic confidence sequence of
// Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit
// theory and asymptotic confidence sequences", Annals of Statistics 52 (2024),
// with Student's likelihood in place of the normal one, because the variance is
// estimated and often with few degrees of freedom: the two agree as they grow.
type MeanEvidence struct {
	// Estimate of the mean, its variance, and that variance's degrees of freedom.
	Estimate, Variance, DF float64
	// Planned is the variance that the estimate is going to have at the planned
	// end; the sequence is tightest there.
	Planned float64
	// Alpha is the one-sided level for which it is tightest.
	Alpha float64
}

// ratio returns the variance of the mixture over effects, over the estimate's.
func (m MeanEvidence) ratio() float64 {
	// NormalMixtureRho is a variance over this same number.
	l := -2 * math.Log(math.Min(2*m.Alpha, 0.5))
	g := (l + math.Log1p(l)) * m.Planned / m.Variance
	if m.Variance == 0 || math.IsNaN(g) {
		g = l + math.Log1p(l)
	}
	return g
}

// LogAbove returns the logarithm of the evidence that the mean is above a value.
func (m MeanEvidence) LogAbove(value float64) float64 {
	return m.logEvidence(m.Estimate - value)
}

// LogBelow returns the logarithm of the evidence that the mean is below a value.
func (m MeanEvidence) LogBelow(value float64) float64 {
	return m.logEvidence(value - m.Estimate)
}

// logEvidence returns the mixture's evidence for a positive effect.
func (m MeanEvidence) logEvidence(distance float64) float64 {
	if !(m.DF > 0) || math.IsInf(m.Variance, 1) {
		return 0
	}
	g := m.ratio()
	if m.Variance == 0 {
		// Constant differences: the limit of ever smaller variances.
		switch {
		case distance > 0:
			return math.Ln2 + m.DF/2*math.Log1p(g)
		case distance < 0:
			return math.Inf(-1)
		}
		return -0.5 * math.Log1p(g)
	}
	t := distance / math.Sqrt(m.Variance)
	return studentMixture(t, g, m.DF)
}

// studentMixture returns ln of twice the integral, over positive effects with a
// normal prior of g times the variance, of Student's likelihood ratio at t.
func studentMixture(t, g, df float64) float64 {
	square := t * t
	toward := t * math.Sqrt(g/(1+g))
	if df > 1e6 {
		return -0.5*math.Log1p(g) + 0.5*square*g/(1+g) + math.Ln2 + logNormalCDF(toward)
	}
	log := -0.5*math.Log1p(g) + (df+1)/2*(math.Log1p(square/df)-math.Log1p(square/(df*(1+g))))
	side := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.CDF(toward)
	return log + math.Ln2 + math.Log(math.Max(side, 1e-300))
}

// Lower returns the lower end of the confidence sequence with error alpha; -Inf
// when the degrees of freedom are too few for one.
func (m MeanEvidence) Lower(alpha float64) float64 { return m.Estimate - m.width(alpha) }

// Upper returns the upper end of the confidence sequence with error alpha.
func (m MeanEvidence) Upper(alpha float64) float64 { return m.Estimate + m.width(alpha) }

// width returns how far a value must be from the estimate for the evidence
// against it to reach 1/alpha.
func (m MeanEvidence) width(alpha float64) float64 {
	if m.Variance == 0 {
		return 0
	}
	f := func(t float64) float64 { return m.logEvidence(t*math.Sqrt(m.Variance)) + math.Log(alpha) }
	const most = 1e6
	if !(m.DF > 0) || math.IsInf(m.Variance, 1) || f(most) < 0 {
		return math.Inf(1)
	}
	return bisect(f, 0, most) * math.Sqrt(m.Variance)
}

// Z returns the z-value of the distance of the estimate from a value, and the
// information about it: what a group sequential test needs.
func (m MeanEvidence) Z(value float64) (z, information float64) {
	if m.Variance == 0 {
		switch {
		case m.Estimate > value:
			return math.Inf(1), 0
		case m.Estimate < value:
			return math.Inf(-1), 0
		}
		return 0, 0
	}
	return normalEquivalent((m.Estimate-value)/math.Sqrt(m.Variance), m.DF), 1 / m.Variance
}
