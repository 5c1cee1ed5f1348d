// Package live makes judges for analyses that are under way, fed look by look with
// what the evaluate machine counts of both cohorts.
package live

import (
	"fmt"
	"math"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/detectors/canary/sequential"
	"github.com/flyball-io/flyball/detectors/stats"
)

// New makes the judge that a canary names. It implements detectors.NewCanaryJudge.
func New(c flyball.Canary, before detectors.CanaryBefore) (detectors.CanaryJudge, error) {
	if c.Judge == "kayenta" {
		return newKayenta(c), nil
	}
	return newSequential(c, before)
}

// sequentialJudge is the sequential judge with what verdicts tell of the cohorts.
type sequentialJudge struct {
	spec    flyball.Canary
	judge   *sequential.Judge
	records []record
}

func newSequential(c flyball.Canary, before detectors.CanaryBefore) (*sequentialJudge, error) {
	config := sequential.Default()
	config.Alpha, config.Beta, config.CanaryShare = c.Alpha, c.Beta, c.Share
	config.PaneLength, config.GroupWeights = c.Interval, c.GroupWeights
	config.Thresholds = canary.Thresholds{Pass: c.Pass, Marginal: c.Marginal}
	if c.FixedHorizon {
		config.Horizon = int((c.Duration - c.Warmup) / c.Interval)
	}
	metrics := make([]sequential.Metric, len(c.Metrics))
	for i, m := range c.Metrics {
		metrics[i] = metricOf(m)
		metrics[i].Borrow = c.Borrow
		for _, arm := range before.Looks[i] {
			metrics[i].Before = append(metrics[i].Before, buckets(arm.Buckets))
		}
		if m.Kind == "count" {
			metrics[i].Reference = &stats.ArmCounts{}
			for _, arm := range before.Looks[i] {
				metrics[i].Reference.Add(sum(arm.Values), sum(arm.Exposure))
			}
			if len(before.History) > 0 {
				h := before.History[i]
				metrics[i].Past = stats.NewPast(float64(h.Stretch)/float64(c.Interval), h.Events, h.Exposure)
			}
		}
	}
	j, err := sequential.New(config, metrics)
	if err != nil {
		return nil, err
	}
	return &sequentialJudge{spec: c, judge: j, records: make([]record, len(metrics))}, nil
}

// bucketRatio is how far apart the edges of buckets of a latency are.
var bucketRatio = math.Exp2(1.0 / 32)

func metricOf(m flyball.CanaryMetric) sequential.Metric {
	out := sequential.Metric{
		Name: m.Name, Direction: canary.Direction(m.Direction), Critical: m.Critical, Muted: m.Muted, MustHaveData: m.MustHaveData,
		Increase: m.Margin, Decrease: 1 / m.Margin, CriticalIncrease: m.Margin, CriticalDecrease: 1 / m.Margin,
		Kind:      map[string]sequential.Kind{"count": sequential.Counts, "latency": sequential.Latency, "gauge": sequential.Gauge}[m.Kind],
		Tolerance: m.Tolerance, Floor: m.Floor,
	}
	if m.Absolute {
		out.Absolute, out.Unit, out.BucketRatio = true, m.Unit, bucketRatio
		out.Decrease, out.CriticalDecrease = -m.Margin, -m.Margin
	}
	if m.Group != "" {
		out.Groups = []string{m.Group}
	}
	if out.Tolerance == 0 {
		out.Tolerance = sequential.DefaultTolerance
		if m.Kind == "count" {
			out.Tolerance = sequential.DefaultCountsTolerance
		}
	}
	return out
}

// Observe implements detectors.CanaryJudge.
func (j *sequentialJudge) Observe(look []detectors.CanaryLook) {
	panes := make([]sequential.Pane, len(look))
	for i, l := range look {
		j.records[i].observe(j.spec.Metrics[i].Kind, l)
		panes[i] = sequential.Pane{Canary: armOf(l.Canary), Baseline: armOf(l.Baseline)}
	}
	if err := j.judge.Observe(panes); err != nil {
		panic("BUG: " + err.Error())
	}
}

func armOf(a detectors.CanaryArm) sequential.Arm {
	return sequential.Arm{Values: a.Values, Exposure: a.Exposure, Buckets: buckets(a.Buckets)}
}

func buckets(in []detectors.CanaryBucket) []sequential.Bucket {
	out := make([]sequential.Bucket, len(in))
	for i, b := range in {
		out[i] = sequential.Bucket(b)
	}
	return out
}

// Decision implements detectors.CanaryJudge.
func (j *sequentialJudge) Decision() string { return string(j.judge.Decision()) }

// Verdict implements detectors.CanaryJudge.
func (j *sequentialJudge) Verdict(final bool) flyball.Verdict {
	if final {
		j.judge.End()
	}
	v := j.judge.Verdict()
	out := flyball.Verdict{Verdict: string(v.Verdict), Score: v.Score, Reason: v.Reason, Judge: "sequential"}
	if v.Needs != nil {
		out.Needs = v.Needs.Text
	}
	for i, d := range v.Metrics {
		m := j.spec.Metrics[i]
		mv := flyball.MetricVerdict{
			Name: m.Name, Kind: m.Kind, Direction: m.Direction, Group: m.Group, Critical: m.Critical, Muted: m.Muted,
			Verdict: string(d.Verdict), Classification: string(d.Classification), Reason: d.Reason, Notes: d.Notes,
			Effect: flyball.Number(d.Effect), Interval: pair(d.Interval), Allowed: pair(d.Allowed), Tolerated: pair(d.Tolerated),
			EHarm: flyball.Number(d.EHarm), ESafe: flyball.Number(d.ESafe), EFail: flyball.Number(d.EFail), EPass: flyball.Number(d.EPass),
			Absolute: m.Absolute, Unit: m.Unit,
			Canary: j.records[i].canary.verdict(m.Kind), Baseline: j.records[i].baseline.verdict(m.Kind),
		}
		if h := d.History; h != nil {
			mv.History = &flyball.HistoryVerdict{Minutes: flyball.Number(h.Minutes), Events: flyball.Number(h.Events), Exposure: flyball.Number(h.Exposure),
				Discount: flyball.Number(h.Discount), Gain: flyball.Number(h.Gain)}
		}
		if d.Needs != nil {
			mv.Needs = d.Needs.Text
		}
		out.Metrics = append(out.Metrics, mv)
	}
	if out.Verdict == flyball.VerdictInconclusive && out.Needs == "" {
		out.Needs = missing(j.records, j.spec.Metrics)
	}
	return out
}

func pair(p [2]canary.Number) [2]flyball.Number {
	return [2]flyball.Number{flyball.Number(p[0]), flyball.Number(p[1])}
}

// missing says what is needed when a cohort has nothing at all.
func missing(records []record, metrics []flyball.CanaryMetric) string {
	empty := func(of func(*record) *cohort) bool {
		return !slices.ContainsFunc(records, func(r record) bool { return of(&r).seen() })
	}
	noCanary := empty(func(r *record) *cohort { return &r.canary })
	noBaseline := empty(func(r *record) *cohort { return &r.baseline })
	switch {
	case noCanary && noBaseline:
		return "traffic in both cohorts: neither had any"
	case noCanary:
		return "traffic in the canary: it had none"
	case noBaseline:
		return "traffic in the baseline: it had none"
	}
	for i := range records {
		if r := &records[i]; !metrics[i].Muted && (!r.canary.seen() || !r.baseline.seen()) {
			return fmt.Sprintf("data of %s in both cohorts", metrics[i].Name)
		}
	}
	return ""
}

// sum adds up what is a number.
func sum(values []float64) (total float64) {
	for _, v := range values {
		if !math.IsNaN(v) {
			total += v
		}
	}
	return total
}
