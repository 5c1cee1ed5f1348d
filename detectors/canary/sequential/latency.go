package sequential

import (
	"fmt"
	"math"

	"github.com/flyball-io/flyball/detectors/stats"
)

// latency tracks histograms: the share of values above fixed thresholds, the
// quantiles of the baseline before the canary began. They are the canary's future
// seen from its start, so that the test is valid, and fixed, so that shares add up
// over panes and partitions.
type latency struct {
	metric     Metric
	thresholds []threshold
	// Histograms of both arms so far, for quantiles.
	canary, baseline         histogram
	seenCanary, seenBaseline bool
}

// threshold is the test at one quantile.
type threshold struct {
	quantile float64
	value    float64
	counts   *counts
}

// quantiles of the baseline at which shares are compared. Half of the values are
// above the first, one in a thousand above the last: a shift of all values shows
// in the first, a few slow minutes in the last.
var quantiles = [...]float64{0.5, 0.9, 0.99, 0.999}

// tailFrom is the quantile from which on values above it are rare, and tolerated
// as events are.
const tailFrom = 0.99

func newLatency(m Metric) *latency {
	l := &latency{metric: m}
	var all histogram
	for _, pane := range m.Before {
		all.add(pane)
	}
	for _, q := range quantiles {
		t := threshold{quantile: q, value: all.quantile(q)}
		above := m
		above.Floor = 0
		above.Past = nil // the thresholds are made of it
		if m.Absolute {  // what is above is compared with what is above a shifted threshold
			above.Absolute, above.Increase, above.Decrease = false, 1, 1
		}
		if q >= tailFrom {
			above.Tolerance = math.Max(m.Tolerance, DefaultCountsTolerance)
			// Where latencies end before the threshold, nothing is ever above it: half of
			// what was before is shown not to be exceeded then.
			above.Floor = (1 - q) / 2
		}
		above.Reference = &stats.ArmCounts{}
		for _, pane := range m.Before {
			var h histogram
			h.add(pane)
			above.Reference.Add(h.above(t.value), h.total)
		}
		t.counts = newCounts(above)
		l.thresholds = append(l.thresholds, t)
	}
	return l
}

func (l *latency) observe(p Pane) {
	var c, b histogram
	c.add(p.Canary.Buckets)
	b.add(p.Baseline.Buckets)
	l.seenCanary = l.seenCanary || c.total > 0
	l.seenBaseline = l.seenBaseline || b.total > 0
	if c.total == 0 || b.total == 0 {
		return
	}
	l.canary.add(p.Canary.Buckets)
	l.baseline.add(p.Baseline.Buckets)
	for _, t := range l.thresholds {
		t.counts.observe(Pane{
			Canary:   Arm{Values: []float64{l.shifted(&c, t.value)}, Exposure: []float64{c.total}},
			Baseline: Arm{Values: []float64{b.above(t.value)}, Exposure: []float64{b.total}},
		})
	}
}

// shifted returns how many of the canary's values are above a threshold, shifted by a
// margin that is a difference. Of the bucket in which that lies all or nothing is
// counted, so that the share errs to the side of no harm.
func (l *latency) shifted(c *histogram, value float64) float64 {
	switch m := l.metric; {
	case !m.Absolute:
		return c.above(value)
	case m.up():
		return c.above((value + m.Increase) * m.BucketRatio * (1 - 1e-9))
	default:
		return c.above(value + m.Decrease)
	}
}

// assess averages the evidence for harm over the thresholds, which is valid
// whatever they have in common, and takes the least evidence for safety: all of
// them must be safe, but for the last, which most services would take hours to
// show.
func (l *latency) assess() assessment {
	a := assessment{up: math.Inf(-1), down: math.Inf(-1), safe: math.Inf(1), effect: math.NaN()}
	if l.canary.total == 0 || l.baseline.total == 0 {
		a.nodata = true
		a.wait = (&counts{seenCanary: l.seenCanary, seenBaseline: l.seenBaseline}).missing()
		return a
	}
	var ups, downs []float64
	for _, t := range l.thresholds {
		s := t.counts.assess()
		if s.wait != "" {
			a.wait = s.wait
			return a
		}
		ups, downs = append(ups, s.up), append(downs, s.down)
		if t.quantile <= tailFrom {
			a.safe = math.Min(a.safe, s.safe)
		}
	}
	a.up, a.down = logMean(ups...), logMean(downs...)
	a.effect = l.canary.quantile(0.5) / l.baseline.quantile(0.5)
	if l.metric.Absolute {
		a.effect = l.canary.quantile(0.5) - l.baseline.quantile(0.5)
	}
	return a
}

func (t threshold) String() string { return fmt.Sprintf("p%g", t.quantile*100) }
