package api

import (
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/internal/canaries"
)

// execution is Kayenta's answer to GET /canary/{id}.
type execution struct {
	Application   string            `json:"application"`
	PipelineID    string            `json:"pipelineId"`
	StageStatus   map[string]string `json:"stageStatus"`
	Complete      bool              `json:"complete"`
	Status        string            `json:"status"`
	Result        *executionResult  `json:"result,omitempty"`
	ConfigID      string            `json:"canaryConfigId"`
	SetsID        string            `json:"metricSetPairListId"`
	BuildMillis   int64             `json:"buildTimeMillis,omitempty"`
	BuildISO      string            `json:"buildTimeIso,omitempty"`
	StartMillis   int64             `json:"startTimeMillis,omitempty"`
	StartISO      string            `json:"startTimeIso,omitempty"`
	EndMillis     int64             `json:"endTimeMillis,omitempty"`
	EndISO        string            `json:"endTimeIso,omitempty"`
	Exception     map[string]any    `json:"exception,omitempty"`
	MetricsName   string            `json:"metricsAccountName"`
	StorageName   string            `json:"storageAccountName"`
	ConfigAccount string            `json:"configurationAccountName"`
}

type executionResult struct {
	Judge    canary.Result `json:"judgeResult"`
	Duration string        `json:"canaryDuration"`
}

func executionOf(a *canaries.Analysis) execution {
	v := a.Last()
	e := execution{Application: v.Entity, PipelineID: v.ID, ConfigID: v.Canary, SetsID: v.ID, StageStatus: map[string]string{}, Complete: v.Final(),
		Status: "running", MetricsName: "flyball", StorageName: "flyball", ConfigAccount: "flyball"}
	if v.StartedAt != flyball.NoTime {
		at := v.StartedAt.Std()
		e.BuildMillis, e.BuildISO, e.StartMillis, e.StartISO = at.UnixMilli(), iso(at), at.UnixMilli(), iso(at)
	}
	if !v.Final() {
		return e
	}
	e.Status = "succeeded" // the analysis, whatever its score
	if v.At != flyball.NoTime {
		e.EndMillis, e.EndISO = v.At.Std().UnixMilli(), iso(v.At.Std())
	}
	if v.Phase == flyball.PhaseCancelled {
		e.Status, e.Exception = "canceled", map[string]any{"message": v.Reason}
		return e
	}
	e.Result = &executionResult{Judge: resultOf(&v), Duration: isoDuration(v.At.Sub(v.StartedAt))}
	return e
}

func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func isoDuration(d time.Duration) string {
	d = d.Round(time.Second)
	return fmt.Sprintf("PT%dH%dM%dS", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}

// resultOf writes a verdict as Kayenta's judge result.
func resultOf(v *flyball.Verdict) canary.Result {
	labels := map[string]string{flyball.VerdictPass: "Pass", flyball.VerdictFail: "Fail"}
	r := canary.Result{JudgeName: judgeName(v.Judge), Results: []canary.MetricResult{}, GroupScores: []canary.GroupScore{}}
	label, ok := labels[v.Verdict]
	if !ok {
		label = "Marginal" // so that those who know no more wait, or ask
	}
	reason := v.Reason
	if v.Verdict == flyball.VerdictInconclusive {
		reason = "Inconclusive: " + reason
	}
	r.Score = canary.Score{Score: canary.Number(v.Score), Classification: label, ClassificationReason: reason}
	for i := range v.Metrics {
		m := &v.Metrics[i]
		group := m.Group
		if group == "" {
			group = "ungrouped"
		}
		class := m.Classification
		if class == string(canary.Inconclusive) {
			class = string(canary.Nodata) // Kayenta has no word for it; flyball does not count it as good either
		}
		r.Results = append(r.Results, canary.MetricResult{
			Name: m.Name, ID: m.Name, Tags: map[string]string{}, Groups: []string{group}, Classification: canary.Classification(class),
			ClassificationReason: m.Reason, Critical: m.Critical && m.Verdict == flyball.VerdictFail, Muted: m.Muted,
			ExperimentMetadata: canary.Metadata{Stats: summaryOf(&m.Canary)}, ControlMetadata: canary.Metadata{Stats: summaryOf(&m.Baseline)},
			ResultMetadata: canary.ResultMetadata{Ratio: ratioOf(m)},
		})
	}
	return r
}

// ratioOf is the canary over the baseline.
func ratioOf(m *flyball.MetricVerdict) canary.Number {
	if m.Absolute {
		return canary.Number(m.Canary.Mean / m.Baseline.Mean)
	}
	return canary.Number(m.Effect)
}

func summaryOf(c *flyball.CohortVerdict) canary.Summary {
	return canary.Summary{Count: c.Count, Mean: canary.Number(c.Mean), Min: canary.Number(c.Min), Max: canary.Number(c.Max), Std: canary.Number(c.Std)}
}

// standaloneOf is Kayenta's answer to GET /standalone_canary_analysis/{id}.
func standaloneOf(a *canaries.Analysis) map[string]any {
	v := a.Last()
	status := "RUNNING"
	switch {
	case v.Phase == flyball.PhaseCancelled:
		status = "CANCELED"
	case v.Final() && v.Verdict == flyball.VerdictPass:
		status = "SUCCEEDED"
	case v.Final():
		status = "TERMINAL"
	}
	out := map[string]any{"pipelineId": v.ID, "parentPipelineExecutionId": "", "application": v.Entity, "complete": v.Final(),
		"status": status, "executionStatus": status, "stageStatus": []any{}, "user": v.By}
	if v.StartedAt != flyball.NoTime {
		out["startTimeMillis"], out["startTimeIso"] = v.StartedAt.Std().UnixMilli(), iso(v.StartedAt.Std())
	}
	if !v.Final() || v.Phase == flyball.PhaseCancelled {
		return out
	}
	out["endTimeMillis"], out["endTimeIso"] = v.At.Std().UnixMilli(), iso(v.At.Std())
	out["canaryAnalysisExecutionResult"] = map[string]any{
		"didPassThresholds": v.Verdict == flyball.VerdictPass, "hasWarnings": v.Verdict == flyball.VerdictInconclusive,
		"canaryScoreMessage": v.Verdict + ": " + v.Reason, "canaryScores": []float64{v.Score},
		"canaryExecutionResults": []map[string]any{{
			"executionId": v.ID, "executionStatus": "SUCCEEDED", "result": executionResult{Judge: resultOf(&v), Duration: isoDuration(v.At.Sub(v.StartedAt))},
			"judgementStartTimeIso": iso(v.StartedAt.Std()), "judgementEndTimeIso": iso(v.At.Std()), "warnings": []string{},
		}},
		"endTimeIso": iso(v.At.Std()), "startTimeIso": iso(v.StartedAt.Std()),
	}
	return out
}
