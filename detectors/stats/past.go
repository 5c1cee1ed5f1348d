package stats

import "math"

// Past is what one arm, the baseline, counted before the canary began: stretches of
// equal length, the oldest first. It says two things: the rate that the baseline
// had of late, and how far such rates wander by themselves. Only with the second may
// the first be used as evidence; this is dynamic borrowing from historical controls
// (Viele et al., "Use of historical control data for assessing treatment effects in
// clinical trials", Pharmaceutical Statistics 13, 2014), with the discount learned
// from the arm's own past.
type Past struct {
	stretches []stretch
	// Events and Exposure of the latest stretches, whose rate is lent.
	events, exposure float64
	lent             int
	length           float64 // of a stretch, in panes
}

// stretch is what was counted in one stretch.
type stretch struct {
	events, exposure float64
}

const (
	// lentStretches is how many of the latest stretches give the rate. The rest
	// serves to learn how much it wanders.
	lentStretches = 24
	// Until contrasts of the past say otherwise, the rate is taken to wander as if
	// so many of them had been so many times as large as chance makes them.
	doubtedContrasts, doubtedFactor = 1.0, 4.0
	// contradiction is χ²₁ from which on the baseline of today contradicts that of
	// before: exceeded by chance in one case of twenty.
	contradiction = 3.841
)

// MostBorrowed is the greatest factor by which a past may raise evidence. What is found
// with a level of alpha is found without it at a level of 20 alpha at most, however much
// the past misleads.
const MostBorrowed = 20

// NewPast returns the past of counts, x out of exposure e in every stretch, the oldest
// first; a stretch is as long as so many panes. Stretches without exposure are passed
// over.
func NewPast(length float64, x, e []float64) *Past {
	p := &Past{length: length}
	for i := range x {
		if e[i] > 0 {
			p.stretches = append(p.stretches, stretch{x[i], e[i]})
		}
	}
	p.lent = min(lentStretches, len(p.stretches))
	lent := sumOf(p.stretches[len(p.stretches)-p.lent:])
	p.events, p.exposure = lent.events, lent.exposure
	return p
}

func sumOf(list []stretch) (s stretch) {
	for _, x := range list {
		s.events += x.events
		s.exposure += x.exposure
	}
	return s
}

// contrast is χ²₁ for two stretches of one rate, 0 without any events.
func contrast(a, b stretch) float64 {
	n := a.events + b.events
	if n == 0 {
		return 0
	}
	q := a.exposure / (a.exposure + b.exposure)
	return (a.events - n*q) * (a.events - n*q) / (n * q * (1 - q))
}

// discount returns by how much the information in the past is to be divided, at
// least 1, for an analysis of so many panes whose baseline has the given counts, and
// whose arms together have the given exposure.
//
// The same contrast, so long after a moment against what is lent before it, is made
// at every moment of the past: its mean square over that of chance is what wandering
// adds. What today's baseline shows beyond chance is added to that.
func (p *Past) discount(panes int, baseline stretch, exposure float64) float64 {
	after := 1
	if p.length > 0 {
		after = max(1, min(int(math.Ceil(float64(panes)/p.length)), p.lent))
	}
	// The variance of what is asked: the rate of both arms against the past's.
	variance := 1/exposure + 1/p.exposure
	sum, n := doubtedContrasts*doubtedFactor, doubtedContrasts
	for i := p.lent; i+after <= len(p.stretches); i++ {
		a, b := sumOf(p.stretches[i:i+after]), sumOf(p.stretches[i-p.lent:i])
		sum += 1 + (contrast(a, b)-1)*(1/a.exposure+1/b.exposure)/variance
		n++
	}
	today := math.Max(0, contrast(baseline, stretch{p.events, p.exposure})-contradiction)
	return math.Max(1, sum/n) + today*(1/baseline.exposure+1/p.exposure)/variance
}

// spread is how much successive stretches differ. What makes panes vary more than
// chance, and what one pane has from the one before, is in it, because stretches are
// long.
func (p *Past) spread() (s spread) {
	for i := 0; i+1 < len(p.stretches); i += 2 {
		a, b := p.stretches[i], p.stretches[i+1]
		if n, q := a.events+b.events, a.exposure/(a.exposure+b.exposure); n > 0 {
			s = s.plus(spread{square: (a.events - n*q) * (a.events - n*q), expected: n * q * (1 - q), df: 1})
		}
	}
	return s
}

// loglik is the log-likelihood that the past adds, but for a constant, when the log
// ratio is d: that of the events of both arms and those before, of which each falls
// today with the share of today's exposure, in which the canary's counts for e^d.
func (p *Past) loglik(d float64, t RatePane) float64 {
	today := t.BaselineExposure + math.Exp(d)*t.CanaryExposure
	return (t.Canary+t.Baseline)*math.Log(today/(today+p.exposure)) + p.events*math.Log(p.exposure/(today+p.exposure))
}
