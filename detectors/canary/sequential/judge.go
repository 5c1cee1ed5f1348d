package sequential

import (
	"fmt"
	"math"
	"slices"

	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/detectors/stats"
)

// Judge watches one canary.
type Judge struct {
	config  Config
	metrics []*state
	traffic *traffic
	panes   int
	ended   bool
	// The verdict at the first look that had one, and when.
	failedAt, passedAt int
	failure            outcome
}

// state is one metric under judgement. What was found once stays found: a stop at
// that look would have been right with the promised error.
type state struct {
	Metric
	tracker tracker
	last    assessment
	// harm is High, Low or empty. harmAt and safeAt are the panes after which harm
	// was shown, and that there is none beyond the tolerance; 0 while neither is.
	harm           canary.Classification
	harmAt, safeAt int
	// Evidence at the looks at which they were found.
	harmLog, safeLog float64
	testUp, testDown *stats.GroupSequential
}

// New returns a judge of these metrics.
func New(c Config, metrics []Metric) (*Judge, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	j := &Judge{config: c}
	for _, m := range metrics {
		if err := m.validate(); err != nil {
			return nil, err
		}
		s := &state{Metric: m}
		switch m.Kind {
		case Counts:
			s.tracker = newCounts(m)
		case Gauge:
			s.tracker = newGauge(m, c.Horizon)
		case Latency:
			s.tracker = newLatency(m)
		}
		j.metrics = append(j.metrics, s)
	}
	if c.Horizon > 0 {
		for _, s := range j.metrics {
			alpha := j.share(s)
			s.testUp = stats.NewGroupSequential(stats.PowerSpending(alpha))
			s.testDown = stats.NewGroupSequential(stats.PowerSpending(alpha))
		}
	}
	if c.CanaryShare > 0 {
		j.traffic = newTraffic(c.CanaryShare)
	}
	return j, nil
}

// reserved is the part of alpha that is kept for critical metrics.
const reserved = 0.5

// share returns the error that a metric may take by itself in one direction.
func (j *Judge) share(s *state) float64 {
	alpha := j.config.Alpha * (1 - reserved)
	if s.Critical {
		alpha = j.config.Alpha * reserved
	}
	if !s.Muted {
		alpha /= float64(j.peers(s))
	}
	if s.up() && s.down() {
		alpha /= 2
	}
	return alpha
}

// peers counts the metrics that share an error with this one.
func (j *Judge) peers(s *state) int {
	n := 0
	for _, o := range j.metrics {
		if !o.Muted && o.Critical == s.Critical {
			n++
		}
	}
	return max(n, 1)
}

// Observe takes the next pane of every metric, in the order of New, and looks.
func (j *Judge) Observe(panes []Pane) error {
	if len(panes) != len(j.metrics) {
		return fmt.Errorf("cannot judge a pane of %d metrics: there are %d", len(panes), len(j.metrics))
	}
	if j.ended {
		return fmt.Errorf("cannot judge another pane: the analysis has ended")
	}
	j.panes++
	if j.panes <= j.config.Warmup {
		return nil
	}
	for i, s := range j.metrics {
		s.tracker.observe(panes[i])
		s.last = s.tracker.assess()
	}
	if j.traffic != nil {
		j.traffic.observe(panes)
	}
	j.latch()
	j.settle()
	return nil
}

// End says that there will be no more panes.
func (j *Judge) End() {
	j.ended = true
	j.settle()
}

// Decision returns the verdict of all panes so far without its details, which
// take longer to make than to judge.
func (j *Judge) Decision() canary.Verdict {
	if j.failedAt > 0 {
		return canary.VerdictFail
	}
	return j.outcome().verdict
}

// settle notes the first look at which the canary failed, and at which it could
// have passed.
func (j *Judge) settle() {
	o := j.outcome()
	if o.verdict == canary.VerdictFail && j.failedAt == 0 {
		j.failedAt, j.failure = j.panes, o
	}
	if o.verdict == canary.VerdictPass && j.passedAt == 0 {
		j.passedAt = j.panes
	}
}

// latch finds harm and safety at this look.
func (j *Judge) latch() {
	for _, s := range j.metrics {
		if s.last.wait == "" && s.safeAt == 0 && s.last.safe >= -math.Log(j.config.Beta) {
			s.safeAt, s.safeLog = j.panes, s.last.safe
		}
	}
	for i, found := range j.harmful() {
		s := j.metrics[i]
		if !found || s.harm != "" {
			continue
		}
		s.harmAt, s.harmLog = j.panes, s.harmEvidence()
		if s.harm = canary.High; s.falls() {
			s.harm = canary.Low
		}
	}
}

// grouped is whether a metric has a group sequential test.
func (s *state) grouped() bool {
	return s.testUp != nil && s.Kind != Latency && !(s.Kind == Counts && s.Absolute)
}

// falls is whether the evidence for a decrease is the greater.
func (s *state) falls() bool {
	if s.last.tested && s.testUp != nil {
		return s.down() && (!s.up() || s.last.testDown.z > s.last.testUp.z)
	}
	return s.last.down > s.last.up
}

// harmful returns which metrics show harm at this look: by their group sequential
// test when there is one, by the size of their e-value when they are critical, and
// otherwise among all others at a false discovery rate.
func (j *Judge) harmful() []bool {
	found := make([]bool, len(j.metrics))
	var others []int
	var logs []float64
	for i, s := range j.metrics {
		log := math.Inf(-1)
		if s.last.wait == "" {
			log = s.harmEvidence()
		}
		switch {
		case s.grouped():
			found[i] = s.last.wait == "" && j.crosses(s)
		case s.Critical || s.Muted:
			found[i] = log >= -math.Log(j.level(s))
		default:
			others = append(others, i)
			logs = append(logs, log)
		}
	}
	for k, rejected := range stats.EBH(logs, j.config.Alpha*(1-reserved)) {
		found[others[k]] = found[others[k]] || rejected
	}
	return found
}

func (s *state) harmEvidence() float64 { return s.Metric.harm(s.last) }

// level is the error of a metric in both directions together: what its e-value is
// compared with.
func (j *Judge) level(s *state) float64 {
	alpha := j.share(s)
	if s.up() && s.down() {
		alpha *= 2
	}
	return alpha
}

// crosses is whether a group sequential test stops at this look.
func (j *Judge) crosses(s *state) bool {
	fraction := float64(j.panes-j.config.Warmup) / float64(j.config.Horizon)
	over := func(g *stats.GroupSequential, t score) bool {
		return t.z >= g.Look(t.information, fraction)
	}
	up := s.up() && over(s.testUp, s.last.testUp)
	down := s.down() && over(s.testDown, s.last.testDown)
	return up || down
}

// class is the classification of a metric as it stands.
func (j *Judge) class(s *state) canary.Classification {
	switch {
	case s.harm != "":
		return s.harm
	case s.safeAt > 0:
		return canary.Pass
	case s.last.nodata || j.panes == 0:
		if s.MustHaveData && j.ended {
			return canary.NodataFailMetric
		}
		return canary.Nodata
	}
	return canary.Inconclusive
}

// critical is whether a metric's harm is critical: shown, and of critical size.
func (s *state) criticalHarm() bool {
	if !s.Critical || s.harm == "" {
		return false
	}
	if s.harm == canary.High {
		return !(s.last.effect < s.CriticalIncrease)
	}
	return !(s.last.effect > s.CriticalDecrease)
}

// traffic checks that the canary gets its share of the traffic, by the e-process
// for counts with the expected shares as exposures.
type traffic struct {
	ratio  *stats.RateRatio
	share  float64
	broken bool
	seen   bool
}

// A split is broken when it is shown to be off by more than a tenth; the check can
// only withhold a verdict, so that its error is not part of alpha.
const (
	splitMargin = 1.1
	splitAlpha  = 0.01
)

func newTraffic(share float64) *traffic {
	return &traffic{ratio: stats.NewRateRatio(0, math.Log(splitMargin), -math.Log(splitMargin)), share: share}
}

// observe takes the exposures of the first metric that has any.
func (t *traffic) observe(panes []Pane) {
	sum := func(values []float64) (n float64) {
		for _, v := range values {
			if v > 0 {
				n += v
			}
		}
		return n
	}
	i := slices.IndexFunc(panes, func(p Pane) bool { return p.Canary.Exposure != nil || p.Baseline.Exposure != nil })
	if i < 0 {
		return
	}
	t.seen = true
	t.ratio.Add(stats.RatePane{
		Canary: sum(panes[i].Canary.Exposure), Baseline: sum(panes[i].Baseline.Exposure),
		CanaryExposure: t.share, BaselineExposure: 1 - t.share,
	})
	for _, side := range []float64{1, -1} {
		anchor := side * math.Log(splitMargin)
		d, known := t.ratio.Dispersion(anchor, nil)
		log := t.ratio.LogAbove(anchor, d)
		if side < 0 {
			log = t.ratio.LogBelow(anchor, d)
		}
		if known && log >= -math.Log(splitAlpha/2) {
			t.broken = true
		}
	}
}

// actual returns the share that the canary gets.
func (t *traffic) actual() float64 {
	sum := t.ratio.Total()
	return sum.Canary / (sum.Canary + sum.Baseline)
}
