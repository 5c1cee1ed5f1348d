package sequential

import (
	"math"

	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/detectors/stats"
)

const (
	noteEqualTraffic = "no exposure given: both arms are taken to have the same traffic"
	noteOnePod       = "one series per arm: an offset between pods cannot be told from a difference between versions"
	noteFewPods      = "two or three replicas per arm tell little about how much they differ: the interval allows for it"
)

func (c *counts) describe(d *Detail, at levels) {
	t := c.ratio.Total()
	d.Panes = c.ratio.Panes()
	d.Canary = ArmDetail{Replicas: len(c.canary), Events: t.Canary, Mean: canary.Number(t.Canary / t.CanaryExposure)}
	d.Baseline = ArmDetail{Replicas: len(c.baseline), Events: t.Baseline, Mean: canary.Number(t.Baseline / t.BaselineExposure)}
	if c.exposed {
		d.Canary.Exposure, d.Baseline.Exposure = t.CanaryExposure, t.BaselineExposure
	} else {
		d.Notes = append(d.Notes, noteEqualTraffic)
	}
	d.Notes = append(d.Notes, podNotes(len(c.canary), len(c.baseline))...)
	d.Interval = unknown(c.metric)
	panes, events := c.needs(at)
	d.Needs = &Needs{Panes: panes, Events: events}
	s, known := c.dispersion(0)
	if !known {
		return
	}
	alphaLow, alphaHigh := at.harm, at.beta
	if c.metric.Direction == canary.Decrease {
		alphaLow, alphaHigh = at.beta, at.harm
	}
	if c.metric.Absolute {
		low, high := c.ratio.DifferenceInterval(s, alphaLow, alphaHigh)
		d.Interval = [2]canary.Number{canary.Number(low), canary.Number(high)}
	} else {
		low, high := c.ratio.Interval(s, alphaLow, alphaHigh)
		d.Interval = [2]canary.Number{canary.Number(math.Exp(low)), canary.Number(math.Exp(high))}
	}
	d.Dispersion, d.Autocorrelation = s.Factor, s.Autocorrelation
	c.describeHistory(d, at)
}

// describeHistory says what of the baseline's history was used.
func (c *counts) describeHistory(d *Detail, at levels) {
	anchor := c.marginUp
	if !c.metric.up() {
		anchor = c.marginDown
	}
	harmful, _ := c.dispersion(anchor)
	if l, ok := c.ratio.Loan(anchor, harmful, c.metric.up()); ok {
		if c.metric.Absolute { // its rate is no evidence of a difference
			l.Discount, l.Gain = math.Inf(1), 0
		}
		d.History = &HistoryDetail{
			Minutes: canary.Round2(float64(l.Stretches) * l.Panes * at.pane.Minutes()), Events: l.Events, Exposure: l.Exposure,
			Discount: canary.Number(l.Discount), Gain: evidence(l.Gain),
		}
	}
}

// unknown is the interval of effects when nothing is known.
func unknown(m Metric) [2]canary.Number {
	if m.Absolute {
		return [2]canary.Number{canary.Number(math.Inf(-1)), canary.Number(math.Inf(1))}
	}
	return [2]canary.Number{0, canary.Number(math.Inf(1))}
}

// needs returns how many more panes and events it takes.
func (c *counts) needs(at levels) (panes, events float64) {
	t := c.ratio.Total()
	done := float64(c.ratio.Panes())
	if _, known := c.dispersion(0); !known && done < minPanes {
		return minPanes - done, 0
	}
	if c.metric.Absolute {
		return c.panesToDecide(at, done), 0
	}
	events = math.Inf(1)
	m := c.metric
	anchored := func(anchor float64, above bool, alpha float64) float64 {
		d, _ := c.dispersion(anchor)
		return c.ratio.EventsToDecide(anchor, above, d, alpha)
	}
	safe := 0.0
	if m.up() {
		events = math.Min(events, anchored(c.marginUp, true, at.harm))
		// The evidence of the ratio is one of two in a mean.
		safe = math.Max(safe, anchored(c.safeUp, false, at.beta/2))
	}
	if m.down() {
		events = math.Min(events, anchored(c.marginDown, false, at.harm))
		safe = math.Max(safe, anchored(c.safeDown, true, at.beta/2))
	}
	events = math.Ceil(math.Min(events, safe))
	panes = math.Inf(1)
	if t.Canary+t.Baseline > 0 {
		panes = events * done / (t.Canary + t.Baseline)
	}
	if floor := c.floorPanes(at.beta); floor < panes {
		return floor, 0
	}
	return panes, events
}

// panesToDecide returns how many more panes it takes if the evidence for a difference
// grows as it has so far.
func (c *counts) panesToDecide(at levels, done float64) float64 {
	a := c.assess()
	least := math.Inf(1)
	for _, e := range []struct{ log, alpha float64 }{{a.up, at.harm}, {a.down, at.harm}, {a.safe, at.beta}} {
		if e.log > 0 {
			least = math.Min(least, math.Max(1, done*(-math.Log(e.alpha)/e.log-1)))
		}
	}
	return least
}

// floorPanes returns how many more panes without an event it takes to show that
// the rates are below the floor; +Inf when there were events.
func (c *counts) floorPanes(beta float64) float64 {
	t := c.ratio.Total()
	if t.Canary+t.Baseline > 0 || c.metric.Floor == 0 {
		return math.Inf(1)
	}
	// Half of the evidence is the floor's, and half of that is for no events.
	perPane := c.metric.Floor * math.Min(t.CanaryExposure, t.BaselineExposure) / float64(c.ratio.Panes())
	return math.Max(1, math.Log(4/beta)/perPane-float64(c.ratio.Panes()))
}

func podNotes(canary, baseline int) []string {
	switch n := min(canary, baseline); {
	case n < 2:
		return []string{noteOnePod}
	case n < 4:
		return []string{noteFewPods}
	}
	return nil
}

func (g *gauge) describe(d *Detail, at levels) {
	c, _ := mean(g.canary)
	b, _ := mean(g.baseline)
	d.Panes = len(g.canary)
	d.Canary = ArmDetail{Replicas: width(g.canaryPods), Mean: canary.Number(c)}
	d.Baseline = ArmDetail{Replicas: width(g.baselinePods), Mean: canary.Number(b)}
	d.Notes = append(d.Notes, podNotes(d.Canary.Replicas, d.Baseline.Replicas)...)
	d.Interval = [2]canary.Number{canary.Number(math.Inf(-1)), canary.Number(math.Inf(1))}
	d.Needs = &Needs{Panes: g.needs(at)}
	if len(g.canary) < firstLook {
		return
	}
	e := g.evidence(1)
	d.Autocorrelation = stats.NewLongRun(g.differences(1)).Autocorrelation
	if p := g.pods(); p.known && b != 0 {
		k, l := float64(d.Canary.Replicas), float64(d.Baseline.Replicas)
		effect := math.Sqrt(p.variance/(1/k+1/l)) / math.Abs(b)
		d.PodEffect = &effect
	}
	low, high := e.Lower(at.harm), e.Upper(at.beta)
	if g.metric.Direction == canary.Decrease {
		low, high = e.Lower(at.beta), e.Upper(at.harm)
	}
	switch {
	case g.metric.Absolute:
		d.Interval = [2]canary.Number{canary.Number(low), canary.Number(high)}
	case b != 0:
		d.Interval = [2]canary.Number{canary.Number(1 + low/math.Abs(b)), canary.Number(1 + high/math.Abs(b))}
	}
}

func width(panes [][]float64) int {
	n := 0
	for _, p := range panes {
		n = max(n, len(p))
	}
	return n
}

// needs returns how many more panes it takes if the means, their variance and
// their autocorrelation stay as they are.
func (g *gauge) needs(at levels) float64 {
	done := float64(len(g.canary))
	if done < firstLook {
		return firstLook - done
	}
	m := g.metric
	r := stats.NewLongRun(g.differences(1))
	if r.DF < leastDF {
		return done*(leastDF+1)/(r.DF+1) - done
	}
	decided := func(more float64) bool {
		grown := func(margin float64) (stats.MeanEvidence, float64) {
			e, at := g.against(margin)
			e.Variance *= done / (done + more)
			e.DF *= (done + more) / done
			return e, at
		}
		harm, safe := false, true
		increase, decrease := m.tolerated()
		if m.up() {
			e, at0 := grown(m.Increase)
			harm = e.LogAbove(at0) >= -math.Log(at.harm)
			e, at0 = grown(increase)
			safe = e.LogBelow(at0) >= -math.Log(at.beta)
		}
		if m.down() {
			e, at0 := grown(m.Decrease)
			harm = harm || e.LogBelow(at0) >= -math.Log(at.harm)
			e, at0 = grown(decrease)
			safe = safe && e.LogAbove(at0) >= -math.Log(at.beta)
		}
		return harm || safe
	}
	for more := 1.0; more < 1e5; more = math.Ceil(more * 1.1) {
		if decided(more) {
			return more
		}
	}
	return math.Inf(1)
}

func (l *latency) describe(d *Detail, at levels) {
	d.Canary = ArmDetail{Replicas: 1, Events: l.canary.total}
	d.Baseline = ArmDetail{Replicas: 1, Events: l.baseline.total}
	d.Panes = l.thresholds[0].counts.ratio.Panes()
	d.Notes = append(d.Notes, "shares of values above the baseline's quantiles from before the canary; edges of buckets, so up to a bucket too high")
	d.Interval = unknown(l.metric)
	d.Needs = &Needs{Panes: l.needs(at)}
	for i, t := range l.thresholds {
		a := t.counts.assess()
		s, known := t.counts.dispersion(0)
		sum := t.counts.ratio.Total()
		q := QuantileDetail{
			Quantile: t.quantile, Threshold: t.value,
			ShareAbove: [2]canary.Number{canary.Number(sum.Canary / sum.CanaryExposure), canary.Number(sum.Baseline / sum.BaselineExposure)},
			EHarm:      evidence(l.metric.harm(a)),
		}
		d.Dispersion = math.Max(d.Dispersion, s.Factor)
		q.Canary, q.CanaryBand = band(l.canary, t.quantile, s.Factor, at.harm)
		q.Baseline, q.BaselineBand = band(l.baseline, t.quantile, s.Factor, at.harm)
		switch { // of medians, what both bands leave
		case i != 0 || !known:
		case l.metric.Absolute:
			d.Interval = [2]canary.Number{q.CanaryBand[0] - q.BaselineBand[1], q.CanaryBand[1] - q.BaselineBand[0]}
		default:
			d.Interval = [2]canary.Number{q.CanaryBand[0] / q.BaselineBand[1], q.CanaryBand[1] / q.BaselineBand[0]}
		}
		d.Quantiles = append(d.Quantiles, q)
	}
}

// Parameters of the bands: tightest from 100 values on, with the ratios of epochs
// and quantiles that Howard and Ramdas use.
const (
	bandFrom  = 100
	bandDelta = 0.5
	bandS     = 1.4
	bandEta   = 2
)

// band returns a quantile and the band around it with error alpha, half of which
// is either arm's. Values that vary in clumps count as fewer.
func band(h histogram, q, dispersion, alpha float64) (canary.Number, [2]canary.Number) {
	n := h.total / dispersion
	low, high := math.Inf(-1), math.Inf(1)
	if n >= bandFrom {
		below := q - stats.DoubleStitchingBound(1-q, n, alpha/2, bandFrom, bandDelta, bandS, bandEta)/n
		above := q + stats.DoubleStitchingBound(q, n, alpha/2, bandFrom, bandDelta, bandS, bandEta)/n
		if below > 0 {
			low = h.quantile(below)
		}
		if above < 1 {
			high = h.quantile(above)
		}
	}
	return canary.Number(h.quantile(q)), [2]canary.Number{canary.Number(math.Max(low, 0)), canary.Number(high)}
}

// needs returns how many more panes it takes at the threshold that takes longest.
// Values above one threshold are no events that people count.
func (l *latency) needs(at levels) (panes float64) {
	for _, t := range l.thresholds {
		if p, _ := t.counts.needs(at); t.quantile <= tailFrom {
			panes = math.Max(panes, p)
		}
	}
	return panes
}

// evidence is a number from its logarithm, as large as JSON can hold.
func evidence(log float64) canary.Number { return canary.Number(math.Exp(math.Min(log, 700))) }
