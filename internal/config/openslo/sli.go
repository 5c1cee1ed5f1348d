package openslo

import (
	"fmt"
	"maps"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// sourceType is the type of metric sources that name indicators.
const sourceType = "flyball"

// compiledSLI is what an SLI comes to.
type compiledSLI struct {
	indicator string
	selector  []flyball.Matcher
	threshold bool   // its samples are good or bad by the objective's value
	unit      string // of that value
}

func (c *compiler) compileSLIs() {
	for _, o := range c.SLIs {
		sli := c.compileSLI(o.Doc, "spec", &o.Spec)
		if name := o.Metadata.Name; name != "" && c.sliOf[name] == nil {
			c.sliOf[name] = sli
		}
	}
}

// compileSLI checks the SLI at path of a document. It returns an SLI without an
// indicator when it is not usable, or not to be resolved.
func (c *compiler) compileSLI(d *strictyaml.Document, path string, in *spec.SLI) *compiledSLI {
	sli := &compiledSLI{}
	if c.SLOsOnly {
		return sli
	}
	report := func(at string, code strictyaml.Code, message, hint string) {
		d.Report(strictyaml.Problem{Path: at, Code: code, Message: message, Hint: hint})
	}
	if in.ThresholdMetric != nil {
		if in.RatioMetric != nil {
			report(path+".thresholdMetric", kind.CodeConflict, "ratioMetric and thresholdMetric are given", "delete one of them")
		}
		if m := c.metric(d, path+".thresholdMetric", in.ThresholdMetric, "value"); m != nil {
			return &compiledSLI{indicator: m.spec.Indicator, selector: m.selector, threshold: true, unit: m.spec.Unit}
		}
		return &compiledSLI{threshold: true}
	}
	ratio := in.RatioMetric
	path += ".ratioMetric"
	switch {
	case ratio == nil:
		if d.OK(path) && !d.Has(path) {
			report(path, strictyaml.CodeMissingField, `"ratioMetric" is required`, "or thresholdMetric")
		}
		return sli
	case ratio.Raw != nil || ratio.RawType != "":
		return c.rawSLI(d, path, ratio)
	case ratio.Good != nil && ratio.Bad != nil:
		report(path+".good", kind.CodeConflict, "good and bad are given: one of them follows from total", "delete one of them")
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
	p := c.metric(d, partPath, part, measure)
	t := c.metric(d, path+".total", ratio.Total, "count")
	if p == nil || t == nil {
		return sli
	}
	if p.spec.Indicator != t.spec.Indicator {
		report(path+".total.metricSource.spec.indicator", kind.CodeUnsupported,
			fmt.Sprintf("%s counts indicator %q and total counts %q: both must be the same", measure, p.spec.Indicator, t.spec.Indicator), "")
		return sli
	}
	if !slices.Equal(p.spec.Selector, t.spec.Selector) {
		report(path+".total.metricSource.spec.selector", kind.CodeUnsupported,
			fmt.Sprintf("%s and total have different selectors: both must be the same", measure), "")
		return sli
	}
	return &compiledSLI{indicator: p.spec.Indicator, selector: p.selector}
}

// rawSLI reads a ratio that is not given as counts: they are the indicator's.
func (c *compiler) rawSLI(d *strictyaml.Document, path string, ratio *spec.RatioMetric) *compiledSLI {
	report := func(at string, code strictyaml.Code, message, hint string) {
		d.Report(strictyaml.Problem{Path: at, Code: code, Message: message, Hint: hint})
	}
	switch {
	case ratio.Good != nil || ratio.Bad != nil || ratio.Total != nil:
		report(path+".raw", kind.CodeConflict, "a raw ratio has no good, bad or total", "delete one or the other")
	case ratio.Raw == nil:
		report(path+".rawType", strictyaml.CodeMissingField, `"raw" is required`, "")
	case ratio.RawType == "":
		report(path+".raw", strictyaml.CodeMissingField, `"rawType" is required`, "such as rawType: success")
	default:
		measure := map[string]string{"success": "good", "failure": "bad"}[ratio.RawType]
		if m := c.metric(d, path+".raw", ratio.Raw, measure); m != nil {
			return &compiledSLI{indicator: m.spec.Indicator, selector: m.selector}
		}
	}
	return &compiledSLI{}
}

// metric is one count of an SLI.
type metric struct {
	spec     spec.Count
	selector []flyball.Matcher
}

// metric checks one count, which must be of the kind that its place says. It
// returns nil when the indicator is not known.
func (c *compiler) metric(d *strictyaml.Document, path string, m *spec.Metric, measure string) *metric {
	path += ".metricSource"
	if !c.isFlyball(d, path, &m.MetricSource) || m.MetricSource.Spec == nil {
		return nil
	}
	path += ".spec"
	out := &metric{}
	c.Decoder.DecodeAt(d, path, &out.spec)
	if at := path + ".measure"; out.spec.Measure != "" && out.spec.Measure != measure {
		d.Report(strictyaml.Problem{Path: at, Code: kind.CodeConflict,
			Message: fmt.Sprintf("the measure here is %q, not %q", measure, out.spec.Measure), Hint: "delete the line"})
	}
	name := out.spec.Indicator
	if name == "" || !d.OK(path+".indicator") {
		return nil
	}
	indicator := c.Indicators[name]
	if indicator == nil {
		d.Report(strictyaml.Problem{Path: path + ".indicator", Code: kind.CodeUnknownReference,
			Message: fmt.Sprintf("there is no Indicator named %q", name),
			Hint:    strictyaml.DidYouMean(name, slices.Sorted(maps.Keys(c.Indicators)))})
		return nil
	}
	out.selector = selector(d, path+".selector", out.spec.Selector, indicator)
	return out
}

// isFlyball checks the type of a metric source, its own or its data source's.
func (c *compiler) isFlyball(d *strictyaml.Document, path string, s *spec.MetricSource) bool {
	sort, at := s.Type, path+".type"
	if ref := s.MetricSourceRef; sort == "" && ref != "" {
		at = path + ".metricSourceRef"
		i := slices.IndexFunc(c.DataSources, func(o *kind.Object[spec.DataSource]) bool { return o.Metadata.Name == ref })
		if i < 0 {
			var names []string
			for _, o := range c.DataSources {
				names = append(names, o.Metadata.Name)
			}
			d.Report(strictyaml.Problem{Path: at, Code: kind.CodeUnknownReference,
				Message: fmt.Sprintf("there is no DataSource named %q", ref), Hint: strictyaml.DidYouMean(ref, names)})
			return false
		}
		sort = c.DataSources[i].Spec.Type
	}
	switch {
	case sort == sourceType:
		return true
	case !d.OK(path):
	case sort == "":
		d.Report(strictyaml.Problem{Path: at, Code: strictyaml.CodeMissingField, Message: `"type" is required`, Hint: "write type: flyball"})
	default:
		d.Report(strictyaml.Problem{Path: at, Code: kind.CodeUnsupported, Message: fmt.Sprintf("metric sources of type %q are not supported, flyball is", sort),
			Hint: "name an Indicator that counts the same samples"})
	}
	return false
}

// selector parses matchers on the group labels of an indicator.
func selector(d *strictyaml.Document, path string, texts []string, indicator *kind.Indicator) []flyball.Matcher {
	if len(texts) == 0 && d.Has(path) && d.OK(path) {
		d.Report(strictyaml.Problem{Path: path, Code: kind.CodeEmptyList, Message: "the selector is empty",
			Hint: "delete the line to cover all series"})
	}
	var out []flyball.Matcher
	for i, text := range texts {
		at := fmt.Sprintf("%s[%d]", path, i)
		if !d.OK(at) {
			continue
		}
		m, p := kind.ParseMatcher(text)
		switch {
		case p != nil:
			d.Report(strictyaml.Problem{Path: at, Code: kind.CodeInvalidMatcher, Message: p.Message, Hint: p.Hint})
		case m.Numeric():
			d.Report(strictyaml.Problem{Path: at, Code: kind.CodeInvalidMatcher,
				Message: "a selector compares labels, not numbers", Hint: "use =, !=, =~ or !~; numbers belong in the indicator's filter"})
		case indicator.GroupsOK && !slices.Contains(indicator.GroupBy, m.Name):
			d.Report(strictyaml.Problem{Path: at, Code: kind.CodeUnknownLabel,
				Message: fmt.Sprintf("indicator %q is not grouped by %q", indicator.Name, m.Name),
				Hint:    strictyaml.DidYouMean(m.Name, indicator.GroupBy)})
		default:
			out = append(out, m)
		}
	}
	return out
}
