package sequential

import (
	"fmt"
	"math"

	"github.com/flyball-io/flyball/detectors/stats"
)

// counts tracks events: the ratio of the rates of both arms.
type counts struct {
	metric Metric
	ratio  *stats.RateRatio
	// Anchors of ratio: the margins, and the tolerances beyond them.
	marginUp, marginDown, safeUp, safeDown float64
	// Totals of every replica.
	canary, baseline []replica
	// What was seen of each arm in any pane, paired or not.
	seenCanary, seenBaseline bool
	exposed                  bool
}

// replica is the total of one replica's counts.
type replica struct {
	events, exposure float64
}

func newCounts(m Metric) *counts {
	c := &counts{
		metric:     m,
		marginUp:   math.Log(m.Increase),
		marginDown: math.Log(math.Max(m.Decrease, math.SmallestNonzeroFloat64)),
		safeUp:     math.Log(m.Increase * (1 + m.Tolerance)),
		safeDown:   math.Log(math.Max(m.Decrease, math.SmallestNonzeroFloat64) / (1 + m.Tolerance)),
	}
	anchors := []float64{0, c.marginUp, c.safeUp}
	if m.down() {
		anchors = append(anchors, c.marginDown, c.safeDown)
	}
	if m.Absolute {
		c.marginUp, c.marginDown, c.safeUp, c.safeDown = 0, 0, 0, 0
		anchors = anchors[:1]
	}
	c.ratio = stats.NewRateRatio(anchors...)
	c.ratio.Borrow(m.Past, m.Borrow)
	return c
}

func (c *counts) observe(p Pane) {
	x, n, ok := c.arm(p.Canary, &c.canary)
	y, m, also := c.arm(p.Baseline, &c.baseline)
	c.seenCanary = c.seenCanary || ok
	c.seenBaseline = c.seenBaseline || also
	if ok && also {
		c.ratio.Add(stats.RatePane{Canary: x, Baseline: y, CanaryExposure: n, BaselineExposure: m})
	}
}

// arm sums the replicas of one arm. A replica with exposure and no value had no
// events; without either it is absent.
func (c *counts) arm(a Arm, totals *[]replica) (events, exposure float64, ok bool) {
	for len(*totals) < max(len(a.Values), len(a.Exposure)) {
		*totals = append(*totals, replica{})
	}
	for i := range max(len(a.Values), len(a.Exposure)) {
		v, e := math.NaN(), 1.0
		if i < len(a.Values) {
			v = a.Values[i]
		}
		if a.Exposure != nil {
			c.exposed = true
			e = 0
			if i < len(a.Exposure) && a.Exposure[i] > 0 {
				e = a.Exposure[i]
			}
			if math.IsNaN(v) && e > 0 {
				v = 0
			}
		}
		if !(v >= 0) || math.IsInf(v, 0) || e == 0 {
			continue
		}
		events, exposure, ok = events+v, exposure+e, true
		(*totals)[i].events += v
		(*totals)[i].exposure += e
	}
	return events, exposure, ok
}

// minPanes is how many panes of both arms it takes to know a dispersion, where
// nothing is known from before.
const minPanes = 8

func (c *counts) assess() assessment {
	a := assessment{effect: c.effect(), up: math.Inf(-1), down: math.Inf(-1)}
	a.nodata = c.ratio.Panes() == 0
	if a.nodata {
		a.wait = c.missing()
		return a
	}
	up, known := c.dispersion(c.marginUp)
	if !known {
		a.wait = fmt.Sprintf("%d panes so far, and it takes %d of even traffic to know how much the counts vary", c.ratio.Panes(), minPanes)
		return a
	}
	safe, _ := c.dispersion(c.safeUp)
	total := c.ratio.Total()
	a.safe, a.tested = math.Inf(1), !c.metric.Absolute
	if c.metric.up() {
		a.up = c.above(c.metric.Increase, up)
		a.testUp.z, a.testUp.information = c.ratio.Score(c.marginUp, up)
		tolerated, _ := c.metric.tolerated()
		a.safe = logMean(c.under(tolerated, safe), c.below(total.Canary, total.CanaryExposure, safe))
	}
	if c.metric.down() {
		d, _ := c.dispersion(c.marginDown)
		a.down = c.under(c.metric.Decrease, d)
		z, information := c.ratio.Score(c.marginDown, d)
		a.testDown = score{-z, information}
		s, _ := c.dispersion(c.safeDown)
		_, tolerated := c.metric.tolerated()
		a.safe = math.Min(a.safe, logMean(c.above(tolerated, s), c.below(total.Baseline, total.BaselineExposure, s)))
	}
	return a
}

// effect is the ratio of the rates, or their difference.
func (c *counts) effect() float64 {
	if c.metric.Absolute {
		return c.ratio.Difference()
	}
	return c.ratio.Ratio()
}

// above and under are the evidence that the effect is beyond a margin.
func (c *counts) above(margin float64, d stats.Dispersion) float64 {
	if c.metric.Absolute {
		return c.ratio.LogDifferenceAbove(margin, d)
	}
	return c.ratio.LogAbove(math.Log(margin), d)
}

func (c *counts) under(margin float64, d stats.Dispersion) float64 {
	if c.metric.Absolute {
		return c.ratio.LogDifferenceBelow(margin, d)
	}
	return c.ratio.LogBelow(math.Log(math.Max(margin, math.SmallestNonzeroFloat64)), d)
}

// below is the evidence that an arm's rate is below the floor.
func (c *counts) below(events, exposure float64, d stats.Dispersion) float64 {
	if c.metric.Floor == 0 {
		return math.Inf(-1)
	}
	return stats.LogRateBelow(events, exposure, c.metric.Floor, d)
}

func (c *counts) missing() string {
	switch {
	case c.seenCanary:
		return "the baseline has no data"
	case c.seenBaseline:
		return "the canary has no data"
	}
	return "there are no data"
}

// dispersion is that over time, or that between replicas when it is greater.
func (c *counts) dispersion(anchor float64) (stats.Dispersion, bool) {
	d, known := c.ratio.Dispersion(anchor, c.metric.Reference)
	if c.metric.Absolute {
		d, known = c.ratio.FittedDispersion(c.metric.Reference)
	}
	if pods, ok := c.podDispersion(); ok && pods.Factor > d.Factor {
		d = pods
	}
	return d, known
}

// podDispersion compares the totals of the replicas of each arm with Poisson
// counts of one rate.
func (c *counts) podDispersion() (stats.Dispersion, bool) {
	if len(c.canary) < 2 || len(c.baseline) < 2 {
		return stats.PoissonDispersion, false
	}
	square, df := 0.0, 0.0
	for _, arm := range [][]replica{c.canary, c.baseline} {
		var sum replica
		for _, r := range arm {
			sum.events += r.events
			sum.exposure += r.exposure
		}
		for _, r := range arm {
			if expected := sum.events * r.exposure / sum.exposure; expected > 0 {
				square += (r.events - expected) * (r.events - expected) / expected
				df++
			}
		}
		df--
	}
	if df < 1 {
		return stats.PoissonDispersion, false
	}
	return stats.NewDispersion(square/df, df), true
}
