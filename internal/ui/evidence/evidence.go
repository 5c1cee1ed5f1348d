// Package evidence draws how the analysis of a canary went, from look to look.
package evidence

import (
	"fmt"
	"math"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/ui/chart"
)

// Sheet draws, for every metric, how evidence and intervals went from look to look.
func Sheet(verdicts []flyball.Verdict) *chart.Sheet {
	last := &verdicts[len(verdicts)-1]
	sheet := &chart.Sheet{From: chart.At(last.StartedAt.Std()), Until: chart.At(last.At.Std()), Charts: []chart.Chart{}, Marks: []chart.Mark{}}
	// A little room, so that the last look is seen, and is not the end of the world.
	length := max(last.At.Sub(last.StartedAt), 10*time.Second)
	sheet.Until = chart.At(last.At.Std().Add(length / 20))
	for i := range verdicts {
		sheet.X = append(sheet.X, chart.At(verdicts[i].At.Std()))
		if i > 0 && verdicts[i].Step != verdicts[i-1].Step {
			sheet.Marks = append(sheet.Marks, chart.Mark{Kind: "deploy", At: chart.At(verdicts[i].At.Std()), Label: fmt.Sprintf("step %d: at most %d %% of the traffic", verdicts[i].Step, verdicts[i].AllowedWeight)})
		}
	}
	for i := range last.Metrics {
		m := &last.Metrics[i]
		sheet.Charts = append(sheet.Charts, intervalChart(m, verdicts))
		if m.EFail > 0 || m.EPass > 0 {
			sheet.Charts = append(sheet.Charts, evidenceChart(m, verdicts))
		}
	}
	return sheet
}

// course is one number of a metric over all verdicts.
func course(name string, verdicts []flyball.Verdict, number func(*flyball.MetricVerdict) flyball.Number) chart.Values {
	out := make(chart.Values, len(verdicts))
	for i := range verdicts {
		out[i] = math.NaN()
		for k := range verdicts[i].Metrics {
			if m := &verdicts[i].Metrics[k]; m.Name == name {
				out[i] = float64(number(m))
			}
		}
	}
	return out
}

func intervalChart(m *flyball.MetricVerdict, verdicts []flyball.Verdict) chart.Chart {
	effect := course(m.Name, verdicts, func(m *flyball.MetricVerdict) flyball.Number { return m.Effect })
	low := course(m.Name, verdicts, func(m *flyball.MetricVerdict) flyball.Number { return m.Interval[0] })
	high := course(m.Name, verdicts, func(m *flyball.MetricVerdict) flyball.Number { return m.Interval[1] })
	for i := range low { // what can be anything has no area to draw
		if math.IsInf(high[i], 0) || math.IsInf(low[i], 0) || high[i] > 100 {
			low[i], high[i] = math.NaN(), math.NaN()
		}
	}
	c := chart.Chart{ID: "ratio-" + m.Name, Title: m.Name + ": ratio of the canary to the baseline", Unit: chart.Times, FromZero: true, Summary: m.Reason,
		Lines:      []chart.Line{{Label: "ratio", Role: chart.Main, Y: effect}},
		Bands:      []chart.Band{{Label: "what the data leave", Role: chart.Expected, Low: low, High: high}},
		Thresholds: []chart.Threshold{{Label: "the same", Role: chart.Quiet, Y: 1}}}
	if x := float64(m.Allowed[1]); !math.IsNaN(x) && !math.IsInf(x, 0) && x != 1 && m.Direction != "decrease" {
		c.Thresholds = append(c.Thresholds, chart.Threshold{Label: "allowed", Role: chart.Bad, Y: x})
	}
	if x := float64(m.Allowed[0]); !math.IsNaN(x) && x > 0 && x != 1 && m.Direction != "increase" {
		c.Thresholds = append(c.Thresholds, chart.Threshold{Label: "allowed", Role: chart.Bad, Y: x})
	}
	return c
}

func evidenceChart(m *flyball.MetricVerdict, verdicts []flyball.Verdict) chart.Chart {
	positive := func(v chart.Values) chart.Values {
		for i := range v {
			v[i] = math.Max(v[i], 1e-3) // zero has no place on a logarithmic scale
		}
		return v
	}
	c := chart.Chart{ID: "evidence-" + m.Name, Title: m.Name + ": evidence", Unit: chart.Plain, Log: true,
		Lines: []chart.Line{
			{Label: "for harm", Role: chart.Bad, Y: positive(course(m.Name, verdicts, func(m *flyball.MetricVerdict) flyball.Number { return m.EHarm }))},
			{Label: "for safety", Role: chart.Good, Y: positive(course(m.Name, verdicts, func(m *flyball.MetricVerdict) flyball.Number { return m.ESafe }))}}}
	if x := float64(m.EFail); x > 0 && !math.IsInf(x, 0) {
		c.Thresholds = append(c.Thresholds, chart.Threshold{Label: "fails", Role: chart.Bad, Y: x})
	}
	if x := float64(m.EPass); x > 0 && !math.IsInf(x, 0) {
		c.Thresholds = append(c.Thresholds, chart.Threshold{Label: "passes", Role: chart.Good, Y: x})
	}
	c.Summary = fmt.Sprintf("for harm %s of %s, for safety %s of %s", chart.Format(c.Lines[0].Y.Last(), ""), chart.Format(float64(m.EFail), ""),
		chart.Format(c.Lines[1].Y.Last(), ""), chart.Format(float64(m.EPass), ""))
	return c
}
