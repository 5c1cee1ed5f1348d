package sequential

import (
	"fmt"
	"math"

	"github.com/flyball-io/flyball/detectors/stats"
)

// gauge tracks one value per pane and arm: the difference of both, pane by pane,
// so that what they share drops out.
type gauge struct {
	metric  Metric
	horizon int
	// canary and baseline are the means over replicas in the panes in which both
	// arms have a value.
	canary, baseline []float64
	// Values of every replica in those panes.
	canaryPods, baselinePods [][]float64
	seenCanary, seenBaseline bool
}

const (
	// firstLook is the number of panes from which on the mean of a gauge is taken
	// for normally distributed.
	firstLook = 15
	// leastDF is the degrees of freedom that a series must have left after its
	// autocorrelation: below, neither its variance nor the normal distribution of
	// its mean can be relied upon.
	leastDF = 10
	// plannedPanes is where an analysis without a horizon is tightest: an hour of
	// panes of a minute, which is what Kayenta's users are advised to run.
	plannedPanes = 60
)

func newGauge(m Metric, horizon int) *gauge {
	return &gauge{metric: m, horizon: horizon}
}

func (g *gauge) observe(p Pane) {
	c, ok := mean(p.Canary.Values)
	b, also := mean(p.Baseline.Values)
	g.seenCanary = g.seenCanary || ok
	g.seenBaseline = g.seenBaseline || also
	if !ok || !also {
		return
	}
	g.canary = append(g.canary, c)
	g.baseline = append(g.baseline, b)
	g.canaryPods = append(g.canaryPods, p.Canary.Values)
	g.baselinePods = append(g.baselinePods, p.Baseline.Values)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// mean returns the mean of the values there are.
func mean(values []float64) (float64, bool) {
	sum, n := 0.0, 0.0
	for _, v := range values {
		if finite(v) {
			sum += v
			n++
		}
	}
	return sum / n, n > 0
}

func (g *gauge) assess() assessment {
	a := assessment{effect: g.effect(), up: math.Inf(-1), down: math.Inf(-1)}
	if len(g.canary) == 0 {
		a.nodata = true
		a.wait = (&counts{seenCanary: g.seenCanary, seenBaseline: g.seenBaseline}).missing()
		return a
	}
	if len(g.canary) < firstLook {
		a.wait = fmt.Sprintf("%d of the %d panes with both arms that a gauge takes", len(g.canary), firstLook)
		return a
	}
	if r := stats.NewLongRun(g.differences(1)); r.DF < leastDF {
		a.wait = fmt.Sprintf("too autocorrelated (%.2f from pane to pane): %d panes are worth %.0f independent ones, and it takes %d",
			r.Autocorrelation, len(g.canary), r.DF+1, leastDF+1)
		return a
	}
	m := g.metric
	a.safe, a.tested = math.Inf(1), true
	if m.up() {
		e, at := g.against(m.Increase)
		a.up = e.LogAbove(at)
		a.testUp.z, a.testUp.information = e.Z(at)
		tolerated, _ := m.tolerated()
		e, at = g.against(tolerated)
		a.safe = e.LogBelow(at)
	}
	if m.down() {
		e, at := g.against(m.Decrease)
		a.down = e.LogBelow(at)
		z, information := e.Z(at)
		a.testDown = score{-z, information}
		_, tolerated := m.tolerated()
		e, at = g.against(tolerated)
		a.safe = math.Min(a.safe, e.LogAbove(at))
	}
	return a
}

// against returns what is known of the mean that lies at a value when the effect is
// the margin.
func (g *gauge) against(margin float64) (e stats.MeanEvidence, at float64) {
	if g.metric.Absolute {
		return g.evidence(1), margin
	}
	return g.evidence(margin), 0
}

// differences returns, pane by pane, how far the canary is above so many times the
// baseline. Where the baseline is negative, its size counts.
func (g *gauge) differences(ratio float64) []float64 {
	d := make([]float64, len(g.canary))
	for i, b := range g.baseline {
		d[i] = g.canary[i] - b - (ratio-1)*math.Abs(b)
	}
	return d
}

// evidence is what is known of the mean of those differences.
func (g *gauge) evidence(ratio float64) stats.MeanEvidence {
	r := stats.NewLongRun(g.differences(ratio))
	pods := g.pods()
	variance, df := pods.plus(r)
	planned := plannedPanes
	if g.horizon > 0 {
		planned = g.horizon
	}
	return stats.MeanEvidence{
		Estimate: r.Mean, Variance: variance, DF: df,
		Planned: r.Variance*float64(len(g.canary))/float64(planned) + pods.variance,
		Alpha:   0.025,
	}
}

// pods estimates how much the replicas of an arm differ for good, from their means
// relative to their arm's in every pane.
func (g *gauge) pods() podSpread {
	c, cn := deviations(g.canaryPods, g.canary)
	b, bn := deviations(g.baselinePods, g.baseline)
	if len(c) < 2 || len(b) < 2 {
		return podSpread{}
	}
	noise := (cn*float64(len(c)-1) + bn*float64(len(b)-1)) / float64(len(c)+len(b)-2)
	return spreadOf(c, b, noise)
}

// deviations returns the mean deviation of every replica from its arm, and the
// variance that such a mean has from the panes alone.
func deviations(panes [][]float64, arm []float64) (means []float64, noise float64) {
	replicas := 0
	for _, p := range panes {
		replicas = max(replicas, len(p))
	}
	for i := range replicas {
		var n, sum, square float64
		for t, p := range panes {
			if i < len(p) && finite(p[i]) {
				d := p[i] - arm[t]
				n++
				sum += d
				square += d * d
			}
		}
		if n < 2 {
			continue
		}
		means = append(means, sum/n)
		noise += (square - sum*sum/n) / (n - 1) / n
	}
	return means, noise / float64(max(1, len(means)))
}

// effect is the ratio of the means, or their difference.
func (g *gauge) effect() float64 {
	c, _ := mean(g.canary)
	b, _ := mean(g.baseline)
	switch {
	case g.metric.Absolute:
		return c - b
	case b == 0:
		return math.NaN()
	}
	return c / b
}
