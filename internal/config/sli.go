package config

import (
	"fmt"
	"maps"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// sourceType is the type of metric sources that name indicators.
const sourceType = "flyball"

// compiledSLI is what an SLI comes to.
type compiledSLI struct {
	indicator string
	selector  []flyball.Matcher
}

func (l *loading) compileSLIs() {
	for _, o := range l.slis {
		sli := l.compileSLI(o.doc, "spec", &o.Spec)
		if name := o.Metadata.Name; name != "" && l.sliOf[name] == nil {
			l.sliOf[name] = sli
		}
	}
}

// compileSLI checks the SLI at path of a document. It returns an SLI without an
// indicator when it is not usable, or not to be resolved.
func (l *loading) compileSLI(d *strictyaml.Document, path string, in *spec.SLI) *compiledSLI {
	sli := &compiledSLI{}
	if l.options.SLOsOnly {
		return sli
	}
	report := func(at string, code strictyaml.Code, message, hint string) {
		d.Report(Problem{Path: at, Code: code, Message: message, Hint: hint})
	}
	if in.ThresholdMetric != nil {
		report(path+".thresholdMetric", CodeUnsupported, "thresholdMetric is not supported, ratioMetric is",
			"let an Indicator count the samples beyond the threshold as bad, and use ratioMetric")
		return sli
	}
	ratio := in.RatioMetric
	path += ".ratioMetric"
	switch {
	case ratio == nil:
		if d.OK(path) && !d.Has(path) {
			report(path, strictyaml.CodeMissingField, `"ratioMetric" is required`, "")
		}
		return sli
	case ratio.Raw != nil || ratio.RawType != "":
		report(path, CodeUnsupported, "raw ratios are not supported, good or bad with total is", "an SLO is exact only when it counts samples")
		return sli
	case ratio.Good != nil && ratio.Bad != nil:
		report(path+".good", CodeConflict, "good and bad are given: one of them follows from total", "delete one of them")
		return sli
	case ratio.Good == nil && ratio.Bad == nil || ratio.Total == nil:
		if d.OK(path) {
			report(path, strictyaml.CodeMissingField, "a ratioMetric needs total and one of good and bad", "")
		}
		return sli
	}
	part, partPath, measure := ratio.Bad, path+".bad", "bad"
	if part == nil {
		part, partPath, measure = ratio.Good, path+".good", "good"
	}
	p := l.metric(d, partPath, part, measure)
	t := l.metric(d, path+".total", ratio.Total, "count")
	if p == nil || t == nil {
		return sli
	}
	if p.spec.Indicator != t.spec.Indicator {
		report(path+".total.metricSource.spec.indicator", CodeUnsupported,
			fmt.Sprintf("%s counts indicator %q and total counts %q: both must be the same", measure, p.spec.Indicator, t.spec.Indicator), "")
		return sli
	}
	if !slices.Equal(p.spec.Selector, t.spec.Selector) {
		report(path+".total.metricSource.spec.selector", CodeUnsupported,
			fmt.Sprintf("%s and total have different selectors: both must be the same", measure), "")
		return sli
	}
	return &compiledSLI{indicator: p.spec.Indicator, selector: p.selector}
}

// metric is one count of an SLI.
type metric struct {
	spec     spec.Count
	selector []flyball.Matcher
}

// metric checks one count, which must be of the kind that its place says. It
// returns nil when the indicator is not known.
func (l *loading) metric(d *strictyaml.Document, path string, m *spec.Metric, measure string) *metric {
	path += ".metricSource"
	if !l.isFlyball(d, path, &m.MetricSource) || m.MetricSource.Spec == nil {
		return nil
	}
	path += ".spec"
	out := &metric{}
	l.decoder.DecodeAt(d, path, &out.spec)
	if at := path + ".measure"; out.spec.Measure != "" && out.spec.Measure != measure {
		d.Report(Problem{Path: at, Code: CodeConflict,
			Message: fmt.Sprintf("the measure here is %q, not %q", measure, out.spec.Measure), Hint: "delete the line"})
	}
	name := out.spec.Indicator
	if name == "" || !d.OK(path+".indicator") {
		return nil
	}
	indicator := l.indicatorOf[name]
	if indicator == nil {
		d.Report(Problem{Path: path + ".indicator", Code: CodeUnknownReference,
			Message: fmt.Sprintf("there is no Indicator named %q", name),
			Hint:    strictyaml.DidYouMean(name, slices.Sorted(maps.Keys(l.indicatorOf)))})
		return nil
	}
	out.selector = selector(d, path+".selector", out.spec.Selector, indicator)
	return out
}

// isFlyball checks the type of a metric source, its own or its data source's.
func (l *loading) isFlyball(d *strictyaml.Document, path string, s *spec.MetricSource) bool {
	kind, at := s.Type, path+".type"
	if ref := s.MetricSourceRef; kind == "" && ref != "" {
		at = path + ".metricSourceRef"
		i := slices.IndexFunc(l.dataSources, func(o *object[spec.DataSource]) bool { return o.Metadata.Name == ref })
		if i < 0 {
			var names []string
			for _, o := range l.dataSources {
				names = append(names, o.Metadata.Name)
			}
			d.Report(Problem{Path: at, Code: CodeUnknownReference,
				Message: fmt.Sprintf("there is no DataSource named %q", ref), Hint: strictyaml.DidYouMean(ref, names)})
			return false
		}
		kind = l.dataSources[i].Spec.Type
	}
	switch {
	case kind == sourceType:
		return true
	case !d.OK(path):
	case kind == "":
		d.Report(Problem{Path: at, Code: strictyaml.CodeMissingField, Message: `"type" is required`, Hint: "write type: flyball"})
	default:
		d.Report(Problem{Path: at, Code: CodeUnsupported, Message: fmt.Sprintf("metric sources of type %q are not supported, flyball is", kind),
			Hint: "name an Indicator that counts the same samples"})
	}
	return false
}

// selector parses matchers on the group labels of an indicator.
func selector(d *strictyaml.Document, path string, texts []string, indicator *compiledIndicator) []flyball.Matcher {
	if len(texts) == 0 && d.Has(path) && d.OK(path) {
		d.Report(Problem{Path: path, Code: CodeEmptyList, Message: "the selector is empty",
			Hint: "delete the line to cover all series"})
	}
	var out []flyball.Matcher
	for i, text := range texts {
		at := fmt.Sprintf("%s[%d]", path, i)
		if !d.OK(at) {
			continue
		}
		m, p := parseMatcher(text)
		switch {
		case p != nil:
			d.Report(Problem{Path: at, Code: CodeInvalidMatcher, Message: p.Message, Hint: p.Hint})
		case m.Numeric():
			d.Report(Problem{Path: at, Code: CodeInvalidMatcher,
				Message: "a selector compares labels, not numbers", Hint: "use =, !=, =~ or !~; numbers belong in the indicator's filter"})
		case indicator.groupsOK && !slices.Contains(indicator.GroupBy, m.Name):
			d.Report(Problem{Path: at, Code: CodeUnknownLabel,
				Message: fmt.Sprintf("indicator %q is not grouped by %q", indicator.Name, m.Name),
				Hint:    strictyaml.DidYouMean(m.Name, indicator.GroupBy)})
		default:
			out = append(out, m)
		}
	}
	return out
}
