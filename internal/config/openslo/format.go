package openslo

import (
	"strconv"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/objective"
	"github.com/flyball-io/flyball/internal/config/spec"
)

// Format returns the spec and the annotations of a document that gives an SLO.
func Format(s *flyball.SLO) (spec.SLO, map[string]string) {
	count := func() *spec.Metric { return metricOf(s.Indicator, s.Selector) }
	window := spec.TimeWindow{Duration: spec.Period{Fixed: s.Period}, IsRolling: true}
	if s.Calendar != nil {
		window = objective.FormatCalendar(s.Calendar)
	}
	target := spec.Objective{Target: objective.FormatPPB(s.TargetPPB), TimeSliceWindow: spec.Duration(s.Slice)}
	if s.Method == flyball.Timeslices {
		target.TimeSliceTarget = objective.FormatPPB(s.SliceTargetPPB)
	}
	sli := spec.SLI{RatioMetric: &spec.RatioMetric{Counter: true, Bad: count(), Total: count()}}
	if s.Threshold != nil {
		sli = spec.SLI{ThresholdMetric: count()}
		sli.ThresholdMetric.MetricSource.Spec = spec.Count{Indicator: s.Indicator, Selector: texts(s.Selector), Unit: "ns"}
		target.Op, target.Value = s.Threshold.Op, spec.Text(strconv.FormatFloat(s.Threshold.Value, 'f', -1, 64))
	}
	if len(s.Parts) > 0 {
		return formatComposite(s, window, target), objective.FormatAnnotations(s)
	}
	out := spec.SLO{Service: s.Service,
		Indicator:  &spec.InlineSLI{Spec: sli},
		TimeWindow: []spec.TimeWindow{window}, BudgetingMethod: s.Method.String(), Objectives: []spec.Objective{target}}
	return out, objective.FormatAnnotations(s)
}

func texts(ms []flyball.Matcher) []string {
	out := []string{}
	for _, m := range ms {
		out = append(out, m.String())
	}
	return out
}

func metricOf(indicator string, selector []flyball.Matcher) *spec.Metric {
	return &spec.Metric{MetricSource: spec.MetricSource{Type: sourceType, Spec: spec.Count{Indicator: indicator, Selector: texts(selector)}}}
}

func formatComposite(s *flyball.SLO, window spec.TimeWindow, target spec.Objective) spec.SLO {
	out := spec.SLO{Service: s.Service, TimeWindow: []spec.TimeWindow{window}, BudgetingMethod: s.Method.String()}
	for _, p := range s.Parts {
		o := target
		o.CompositeWeight = spec.Decimal(strconv.FormatInt(p.Weight, 10))
		o.Indicator = &spec.InlineSLI{Spec: spec.SLI{RatioMetric: &spec.RatioMetric{
			Counter: true, Bad: metricOf(p.Indicator, p.Selector), Total: metricOf(p.Indicator, p.Selector)}}}
		out.Objectives = append(out.Objectives, o)
	}
	return out
}
