package sequential

import (
	"math"
	"time"

	"github.com/flyball-io/flyball/detectors/stats"
)

// tracker accumulates one metric. There is one for every kind.
type tracker interface {
	// observe takes the next pane.
	observe(Pane)
	// assess says what the panes so far are worth.
	assess() assessment
	// describe adds the figures that only a report needs, and which cost more.
	describe(*Detail, levels)
}

// assessment is the evidence on one metric at one look.
type assessment struct {
	// nodata is set when an arm has given nothing at all.
	nodata bool
	// wait says why the evidence cannot be used yet, if so.
	wait string
	// up, down and safe are logarithms of evidence: for an increase beyond the
	// margin, for a decrease beyond it, and for neither beyond the tolerance.
	up, down, safe float64
	// testUp and testDown are the same for a group sequential test; tested is
	// whether there is one.
	testUp, testDown score
	tested           bool
	// effect is the ratio of the canary to the baseline, or the difference.
	effect float64
}

// score is a z-value and the information about what it tests.
type score struct {
	z, information float64
}

// levels are the errors at which intervals end and decisions fall.
type levels struct {
	// harm is the error of one direction of harm, beta that of a pass.
	harm, beta float64
	// pane is the length of a pane.
	pane time.Duration
}

// harm returns the evidence for harm in any direction that is harm: when both
// are, each gets half of the prior.
func (m Metric) harm(a assessment) float64 {
	switch {
	case m.up() && m.down():
		return logMean(a.up, a.down)
	case m.up():
		return a.up
	case m.down():
		return a.down
	}
	return math.Inf(-1)
}

// logMean returns ln of the mean of numbers given by their logarithms.
func logMean(logs ...float64) float64 {
	top := math.Inf(-1)
	for _, l := range logs {
		top = math.Max(top, l)
	}
	if math.IsInf(top, 0) {
		return top
	}
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - top)
	}
	return top + math.Log(sum/float64(len(logs)))
}

// podSpread is the variance of the difference of two arms' means that comes from
// replicas being different.
type podSpread struct {
	variance float64
	// observed is the same with the noise that was subtracted, which is what has
	// the degrees of freedom.
	observed, df float64
	known        bool
}

// spreadOf estimates the variance between replicas, common to both arms, from one
// value for each, less the noise in those values.
func spreadOf(canary, baseline []float64, noise float64) podSpread {
	k, l := float64(len(canary)), float64(len(baseline))
	if k < 2 || l < 2 {
		return podSpread{}
	}
	df, scale := k+l-2, 1/k+1/l
	observed := (squares(canary) + squares(baseline)) / df
	return podSpread{variance: math.Max(0, observed-noise) * scale, observed: observed * scale, df: df, known: true}
}

func squares(values []float64) float64 {
	mean, sum := 0.0, 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return sum
}

// plus is the sum of a variance over time and one between replicas, with the
// degrees of freedom of Welch and Satterthwaite.
func (p podSpread) plus(r stats.LongRun) (variance, df float64) {
	if !p.known {
		return r.Variance, r.DF
	}
	variance = r.Variance + p.variance
	if variance == 0 {
		return 0, math.Min(r.DF, p.df)
	}
	return variance, variance * variance / (r.Variance*r.Variance/r.DF + p.observed*p.observed/p.df)
}
