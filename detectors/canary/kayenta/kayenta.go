// Package kayenta is the judge NetflixACAJudge-v1.0 of Spinnaker's Kayenta: a
// Mann–Whitney interval per metric, an effect size, and a weighted score. It
// answers as Kayenta does, where that is odd too; see docs/canary.md. Only the
// noise that Kayenta adds to constant arms is not random here, so that the same
// request always has the same answer.
package kayenta

import (
	"github.com/flyball-io/flyball/detectors/canary"
)

// Name is the judge's name in results.
const Name = "NetflixACAJudge-v1.0"

// Judge answers a request.
func Judge(r *canary.Request) canary.Result {
	result := canary.Result{JudgeName: Name, Results: []canary.MetricResult{}}
	for _, p := range r.Pairs {
		m, ok := r.Metric(p.Name)
		if !ok {
			panic("BUG: a decoded request has a pair without a metric")
		}
		result.Results = append(result.Results, judgePair(m, p, r.Judge))
	}
	groups, score, reason := canary.WeightedScore(result.Results, r.GroupWeights)
	result.GroupScores = groups
	result.Score = canary.Score{
		Score: canary.Number(score), Classification: r.Thresholds.Label(score), ClassificationReason: reason,
	}
	return result
}

func judgePair(m canary.MetricConfig, p canary.Pair, j canary.JudgeConfig) canary.MetricResult {
	control, experiment := prepare(m, p.Control), prepare(m, p.Experiment)
	c := classify(m, control, experiment, j.Tolerance, j.Confidence)
	if j.MeansOnly {
		c = compareMeans(m, control, experiment)
	}
	groups := m.Groups
	if groups == nil {
		groups = []string{}
	}
	return canary.MetricResult{
		Name: p.Name, ID: p.ID, Tags: p.Tags, Groups: groups,
		Classification: c.class, ClassificationReason: c.reason,
		ExperimentMetadata: canary.Metadata{Stats: canary.Summarize(experiment)},
		ControlMetadata:    canary.Metadata{Stats: canary.Summarize(control)},
		ResultMetadata:     canary.ResultMetadata{Ratio: canary.Number(c.ratio)},
		Critical:           c.critical, Muted: m.Muted,
	}
}

// Verdict is the verdict that a result's label stands for.
func Verdict(r canary.Result) canary.Verdict {
	switch r.Score.Classification {
	case "Pass":
		return canary.VerdictPass
	case "Marginal":
		return canary.VerdictMarginal
	}
	return canary.VerdictFail
}
