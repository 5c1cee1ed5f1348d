package live

import (
	"fmt"
	"math"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/detectors/canary/kayenta"
)

// kayentaJudge judges as Kayenta does, once, at the end: its test is for one look.
type kayentaJudge struct {
	spec    flyball.Canary
	records []record
}

func newKayenta(c flyball.Canary) *kayentaJudge {
	return &kayentaJudge{spec: c, records: make([]record, len(c.Metrics))}
}

// Observe implements detectors.CanaryJudge.
func (j *kayentaJudge) Observe(look []detectors.CanaryLook) {
	for i, l := range look {
		j.records[i].observe(j.spec.Metrics[i].Kind, l)
	}
}

// Decision implements detectors.CanaryJudge.
func (j *kayentaJudge) Decision() string { return flyball.VerdictInconclusive }

// Verdict implements detectors.CanaryJudge.
func (j *kayentaJudge) Verdict(final bool) flyball.Verdict {
	result := kayenta.Judge(j.request())
	out := flyball.Verdict{
		Verdict: string(kayenta.Verdict(result)), Score: float64(result.Score.Score), Judge: "kayenta",
		Reason: result.Score.ClassificationReason,
	}
	if out.Reason == "" {
		out.Reason = fmt.Sprintf("the score is %g, of %g to pass and %g to be marginal", out.Score, j.spec.Pass, j.spec.Marginal)
	}
	if !final {
		out.Verdict, out.Needs = flyball.VerdictInconclusive, "the end of the analysis: the judge kayenta may look once only"
		out.Reason = "so far " + out.Reason
		if math.IsNaN(out.Score) {
			out.Score = 0
		}
	}
	for i, r := range result.Results {
		m := j.spec.Metrics[i]
		out.Metrics = append(out.Metrics, j.metric(m, r, &j.records[i], final))
	}
	return out
}

func (j *kayentaJudge) metric(m flyball.CanaryMetric, r canary.MetricResult, rec *record, final bool) flyball.MetricVerdict {
	nan, inf := flyball.Number(math.NaN()), flyball.Number(math.Inf(1))
	out := flyball.MetricVerdict{
		Name: m.Name, Kind: m.Kind, Direction: m.Direction, Group: m.Group, Critical: m.Critical, Muted: m.Muted,
		Classification: string(r.Classification), Reason: r.ClassificationReason, Verdict: flyball.VerdictInconclusive,
		Effect: flyball.Number(r.ResultMetadata.Ratio), Interval: [2]flyball.Number{0, inf}, Allowed: [2]flyball.Number{0, inf}, Tolerated: [2]flyball.Number{0, inf},
		Unit:  m.Unit,
		EHarm: nan, ESafe: nan, EFail: nan, EPass: nan,
		Canary: rec.canary.verdict(m.Kind), Baseline: rec.baseline.verdict(m.Kind),
	}
	if d := canary.Direction(m.Direction); d.Up() {
		out.Allowed[1], out.Tolerated[1] = flyball.Number(m.Margin), flyball.Number(m.Margin)
	} else {
		out.Allowed[0], out.Tolerated[0] = flyball.Number(1/m.Margin), flyball.Number(1/m.Margin)
	}
	if out.Reason == "" {
		out.Reason = fmt.Sprintf("%s is %.3g times the baseline; not shown to differ", m.Name, float64(out.Effect))
	}
	if final {
		switch r.Classification {
		case canary.Pass:
			out.Verdict = flyball.VerdictPass
		case canary.High, canary.Low, canary.NodataFailMetric:
			out.Verdict = flyball.VerdictFail
		}
	}
	return out
}

// request is what Kayenta would ask its judge: one value of every look.
func (j *kayentaJudge) request() *canary.Request {
	r := &canary.Request{
		Judge:        canary.JudgeConfig{Tolerance: 0.25, Confidence: 0.98},
		GroupWeights: j.spec.GroupWeights, Thresholds: canary.Thresholds{Pass: j.spec.Pass, Marginal: j.spec.Marginal},
	}
	for i, m := range j.spec.Metrics {
		group := m.Group
		if group == "" {
			group = m.Name
		}
		r.Metrics = append(r.Metrics, canary.MetricConfig{
			Name: m.Name, Groups: []string{group}, Direction: canary.Direction(m.Direction),
			Critical: m.Critical, Muted: m.Muted, MustHaveData: m.MustHaveData,
			Effect: canary.Effect{Measure: canary.MeanRatio, AllowedIncrease: m.Margin, AllowedDecrease: 1 / m.Margin,
				CriticalIncrease: m.Margin, CriticalDecrease: 1 / m.Margin},
		})
		r.Pairs = append(r.Pairs, canary.Pair{Name: m.Name, ID: m.Name, Control: j.records[i].baseline.values, Experiment: j.records[i].canary.values})
	}
	return r
}

var (
	_ detectors.CanaryJudge    = (*kayentaJudge)(nil)
	_ detectors.CanaryJudge    = (*sequentialJudge)(nil)
	_ detectors.NewCanaryJudge = New
)
