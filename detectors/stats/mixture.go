package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// A Mixture turns a sum s with intrinsic variance v into evidence: the logarithm
// of a supermartingale that starts at most at 1. The four kinds here, and their
// names, are those of Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform,
// nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49
// (2021), sections 3 and A.
type Mixture interface {
	// LogEvidence returns ln of the supermartingale at sum s and variance v.
	LogEvidence(s, v float64) float64
}

// NormalMixtureRho returns the precision ρ with which the two-sided normal mixture
// is tightest at variance v and level alpha.
func NormalMixtureRho(v, alpha float64) float64 {
	l := 2 * math.Log(1/alpha)
	return v / (l + math.Log1p(l))
}

// NormalMixture mixes over normally distributed effects.
type NormalMixture struct {
	rho      float64
	oneSided bool
}

// NewNormalMixture returns the mixture that is tightest at variance v and level
// alpha. One-sided mixes over positive effects only.
func NewNormalMixture(v, alpha float64, oneSided bool) NormalMixture {
	if oneSided {
		alpha *= 2
	}
	return NormalMixture{NormalMixtureRho(v, alpha), oneSided}
}

// LogEvidence implements Mixture.
func (m NormalMixture) LogEvidence(s, v float64) float64 {
	log := 0.5*math.Log(m.rho/(v+m.rho)) + s*s/(2*(v+m.rho))
	if m.oneSided {
		log += math.Ln2 + logNormalCDF(s/math.Sqrt(v+m.rho))
	}
	return log
}

// GammaExponentialMixture is for sums whose increments have exponential tails of
// scale c, such as sums of squares.
type GammaExponentialMixture struct {
	rho, c, leading float64
}

// NewGammaExponentialMixture returns the mixture that is tightest at variance v
// and level alpha.
func NewGammaExponentialMixture(v, alpha, c float64) GammaExponentialMixture {
	rho := NormalMixtureRho(v, 2*alpha)
	k := rho / (c * c)
	return GammaExponentialMixture{rho, c, k*math.Log(k) - lgamma(k) - math.Log(mathext.GammaIncReg(k, k))}
}

// LogEvidence implements Mixture.
func (m GammaExponentialMixture) LogEvidence(s, v float64) float64 {
	k := (v + m.rho) / (m.c * m.c)
	at := (m.c*s + v) / (m.c * m.c)
	shifted := at + m.rho/(m.c*m.c)
	if shifted <= 0 {
		return math.Inf(-1)
	}
	return m.leading + lgamma(k) + math.Log(mathext.GammaIncReg(k, shifted)) - k*math.Log(shifted) + at
}

// GammaPoissonMixture is for sums whose increments have Poisson tails of scale c,
// such as centred counts.
type GammaPoissonMixture struct {
	rho, c, leading float64
}

// NewGammaPoissonMixture returns the mixture that is tightest at variance v and
// level alpha.
func NewGammaPoissonMixture(v, alpha, c float64) GammaPoissonMixture {
	rho := NormalMixtureRho(v, 2*alpha)
	k := rho / (c * c)
	return GammaPoissonMixture{rho, c, k*math.Log(k) - lgamma(k) - math.Log(mathext.GammaIncRegComp(k, k))}
}

// LogEvidence implements Mixture.
func (m GammaPoissonMixture) LogEvidence(s, v float64) float64 {
	k := (v + m.rho) / (m.c * m.c)
	shifted := s/m.c + k
	if shifted <= 0 {
		return math.Inf(-1)
	}
	return m.leading + lgamma(shifted) + math.Log(mathext.GammaIncRegComp(shifted, k)) - shifted*math.Log(k) + v/(m.c*m.c)
}

// BetaBinomialMixture is for sums whose increments lie in [−g, h], such as centred
// successes.
type BetaBinomialMixture struct {
	g, h, r, normalizer float64
	oneSided            bool
}

// NewBetaBinomialMixture returns the mixture that is tightest at variance v and
// level alpha, for increments of at least −g and at most h.
func NewBetaBinomialMixture(v, alpha, g, h float64, oneSided bool) BetaBinomialMixture {
	level := alpha
	if oneSided {
		level *= 2
	}
	// The prior's weight must stay positive; a thousandth of one observation's
	// variance is as good as none.
	r := math.Max(NormalMixtureRho(v, level)-g*h, 1e-3*g*h)
	m := BetaBinomialMixture{g: g, h: h, r: r, oneSided: oneSided}
	m.normalizer = m.logBeta(0, 0)
	return m
}

// logBeta is ln of the Beta function of the prior updated by s and v, incomplete
// for a one-sided mixture.
func (m BetaBinomialMixture) logBeta(s, v float64) float64 {
	a := (m.r + v - m.g*s) / (m.g * (m.g + m.h))
	b := (m.r + v + m.h*s) / (m.h * (m.g + m.h))
	log := lgamma(a) + lgamma(b) - lgamma(a+b)
	if m.oneSided {
		log += math.Log(mathext.RegIncBeta(a, b, m.h/(m.g+m.h)))
	}
	return log
}

// LogEvidence implements Mixture.
func (m BetaBinomialMixture) LogEvidence(s, v float64) float64 {
	g, h := m.g, m.h
	return v/(g*h)*math.Log(g+h) - (v+h*s)/(h*(g+h))*math.Log(g) - (v-g*s)/(g*(g+h))*math.Log(h) +
		m.logBeta(s, v) - m.normalizer
}

// MixtureBound returns the sum s at which a mixture's evidence reaches 1/alpha, for
// sums of variance v that cannot exceed most (infinite when nothing bounds them).
// It returns most when the evidence stays below.
func MixtureBound(m Mixture, v, alpha, most float64) float64 {
	threshold := math.Log(1 / alpha)
	f := func(s float64) float64 { return m.LogEvidence(s, v) - threshold }
	high := math.Sqrt(v)
	for f(high) < 0 {
		if high >= most {
			return most
		}
		high = math.Min(2*high, most)
		if math.IsInf(high, 1) {
			return high
		}
	}
	return bisect(f, 0, high)
}

func lgamma(x float64) float64 {
	l, _ := math.Lgamma(x)
	return l
}
