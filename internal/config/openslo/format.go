package openslo

import (
	"strconv"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/objective"
	"github.com/flyball-io/flyball/internal/config/spec"
)

// Format returns the spec and the annotations of a document that gives an SLO.
func Format(s *flyball.SLO) (spec.SLO, map[string]string) {
	window := spec.TimeWindow{Duration: spec.Period{Fixed: s.Period}, IsRolling: true}
	if s.Calendar != nil {
		window = objective.FormatCalendar(s.Calendar)
	}
	target := spec.Objective{Target: objective.FormatPPB(s.TargetPPB), TimeSliceWindow: spec.Duration(s.Slice)}
	if s.Method == flyball.Timeslices {
		target.TimeSliceTarget = objective.FormatPPB(s.SliceTargetPPB)
	}
	sli := sliOf(s.Indicator, s.Selector, s.Threshold, &target)
	if len(s.Parts) > 0 {
		return formatComposite(s, window, target), objective.FormatAnnotations(s)
	}
	out := spec.SLO{Service: s.Service,
		Indicator:  &spec.InlineSLI{Spec: sli},
		TimeWindow: []spec.TimeWindow{window}, BudgetingMethod: s.Method.String(), Objectives: []spec.Objective{target}}
	return out, objective.FormatAnnotations(s)
}

// sliOf returns the SLI of an indicator; a threshold is written into the objective.
func sliOf(indicator string, selector []flyball.Matcher, t *flyball.Threshold, o *spec.Objective) spec.SLI {
	if t == nil {
		return spec.SLI{RatioMetric: &spec.RatioMetric{Counter: true, Bad: metricOf(indicator, selector), Total: metricOf(indicator, selector)}}
	}
	values := metricOf(indicator, selector)
	values.MetricSource.Spec = spec.Count{Indicator: indicator, Selector: texts(selector), Unit: "ns"}
	o.Op, o.Value = t.Op, spec.Text(strconv.FormatFloat(t.Value, 'f', -1, 64))
	return spec.SLI{ThresholdMetric: values}
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
		if s.Method == flyball.Timeslices {
			o.TimeSliceTarget = objective.FormatPPB(p.SliceTargetPPB)
		} else {
			o.CompositeWeight = spec.Decimal(strconv.FormatInt(p.Weight, 10))
		}
		o.Indicator = &spec.InlineSLI{Spec: sliOf(p.Indicator, p.Selector, p.Threshold, &o)}
		out.Objectives = append(out.Objectives, o)
	}
	return out
}
