package watch

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/anomaly"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/openslo"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// Documents are those of kind Detector, in the order in which they were read.
type Documents struct {
	Detectors []*kind.Object[spec.Detector]
}

// Context is what of the rest of the configuration detectors build on.
type Context struct {
	// Indicators by their names, those with problems too.
	Indicators map[string]*kind.Indicator
	// Exclusions as they were compiled for SLOs.
	Exclusions []openslo.Excluded
}

// Auto names the default ensemble.
const Auto = "auto"

// Compile returns the detectors. What is wrong is reported to the documents.
func (d *Documents) Compile(ctx Context) []flyball.Detector {
	var out []flyball.Detector
	var names []string
	for _, o := range d.Detectors {
		b := &builder{Object: o, ctx: ctx}
		out = append(out, b.build())
		names = append(names, o.Metadata.Name)
	}
	for _, e := range ctx.Exclusions {
		e.KnownDetectors(names)
		for i := range out {
			if e.Holds(out[i].Name) {
				out[i].Exclusions = append(out[i].Exclusions, e.Exclusion)
			}
		}
	}
	return out
}

// builder builds one detector.
type builder struct {
	*kind.Object[spec.Detector]
	ctx Context
	out flyball.Detector
}

func (b *builder) build() flyball.Detector {
	s := &b.Spec
	b.out = flyball.Detector{Name: b.Metadata.Name, Direction: flyball.Direction(s.Direction), MinSamples: s.MinSamples,
		Horizon: s.Horizon.Std(), Severity: s.Severity, SeriesLimit: s.SeriesLimit}
	b.watches()
	b.selector()
	b.algorithms()
	b.sensitivity()
	b.periods()
	b.declared()
	b.out.Revision = revisionOf(&b.out, b.ctx.Indicators)
	return b.out
}

// Values returns every number of a window that can be watched.
func Values() []flyball.WindowValue {
	return []flyball.WindowValue{flyball.ValueRate, flyball.ValueErrorRatio, flyball.ValueMean,
		flyball.ValueP50, flyball.ValueP90, flyball.ValueP95, flyball.ValueP99}
}

// watches finds the indicators, and which of their numbers are watched.
func (b *builder) watches() {
	b.NotEmpty("spec.indicators", len(b.Spec.Indicators), "delete the line to watch every indicator")
	b.NotEmpty("spec.values", len(b.Spec.Values), "delete the line to watch what suits the indicator")
	known := slices.Sorted(maps.Keys(b.ctx.Indicators))
	wanted := b.values()
	if len(b.Spec.Indicators) == 0 {
		if len(known) == 0 && b.Doc.OK("spec.indicators") {
			b.Warn("metadata.name", kind.CodeUnused, "there is no Indicator to watch", "")
		}
		for _, name := range known {
			if values := b.suited(name, wanted); len(values) > 0 {
				b.out.Watches = append(b.out.Watches, flyball.Watch{Indicator: name, Values: values})
			}
		}
		return
	}
	for i, name := range b.Spec.Indicators {
		path := fmt.Sprintf("spec.indicators[%d]", i)
		switch {
		case !b.Doc.OK(path):
		case slices.Contains(b.Spec.Indicators[:i], name):
			b.Report(path, kind.CodeDuplicateItem, fmt.Sprintf("indicator %q is named twice", name), "")
		case b.ctx.Indicators[name] == nil:
			b.Report(path, kind.CodeUnknownReference, fmt.Sprintf("there is no Indicator named %q", name), strictyaml.DidYouMean(name, known))
		default:
			values := b.suited(name, wanted)
			b.impossible(path, name, wanted, len(values) == 0)
			b.out.Watches = append(b.out.Watches, flyball.Watch{Indicator: name, Values: values})
		}
	}
	slices.SortFunc(b.out.Watches, func(a, b flyball.Watch) int { return strings.Compare(a.Indicator, b.Indicator) })
}

// values reads the values that are named.
func (b *builder) values() []flyball.WindowValue {
	var out []flyball.WindowValue
	for i, text := range b.Spec.Values {
		path := fmt.Sprintf("spec.values[%d]", i)
		v := flyball.WindowValue(text)
		switch {
		case !b.Doc.OK(path):
		case !slices.Contains(Values(), v):
			b.Report(path, strictyaml.CodeInvalidValue, fmt.Sprintf("a window has no value %q", text), strictyaml.DidYouMean(text, texts(Values())))
		case slices.Contains(out, v):
			b.Report(path, kind.CodeDuplicateItem, fmt.Sprintf("value %q is named twice", text), "")
		default:
			out = append(out, v)
		}
	}
	return inOrder(out)
}

// inOrder returns the values that are in a list, each once, in the order of Values.
func inOrder(list []flyball.WindowValue) []flyball.WindowValue {
	return slices.DeleteFunc(Values(), func(v flyball.WindowValue) bool { return !slices.Contains(list, v) })
}

// suited returns what of an indicator is watched, of the values wanted; of what
// suits it when none are named.
func (b *builder) suited(name string, wanted []flyball.WindowValue) []flyball.WindowValue {
	i := b.ctx.Indicators[name]
	if len(wanted) == 0 {
		wanted = []flyball.WindowValue{flyball.ValueRate, flyball.ValueErrorRatio, flyball.ValueP99}
	}
	var out []flyball.WindowValue
	for _, v := range wanted {
		if has(i, v) {
			out = append(out, v)
		}
	}
	return out
}

// has reports whether the windows of an indicator have a number.
func has(i *kind.Indicator, v flyball.WindowValue) bool {
	switch v {
	case flyball.ValueRate:
		return true
	case flyball.ValueErrorRatio:
		return len(i.Bad) > 0 || !i.BadOK
	}
	return i.Value != ""
}

// impossible reports values that an indicator named beside them does not have: an
// error where it has none of them.
func (b *builder) impossible(path, name string, wanted []flyball.WindowValue, none bool) {
	i := b.ctx.Indicators[name]
	say := b.Warn
	if none {
		say = b.Report
	}
	for _, v := range wanted {
		if has(i, v) {
			continue
		}
		why := "it has no value"
		if v == flyball.ValueErrorRatio {
			why = "no sample of it is ever bad"
		}
		say(path, kind.CodeUnknownValue, fmt.Sprintf("indicator %q has no %s: %s", name, v, why), "")
	}
}

func (b *builder) selector() {
	b.NotEmpty("spec.match", len(b.Spec.Match), "delete the line to watch every series")
	for i, text := range b.Spec.Match {
		path := fmt.Sprintf("spec.match[%d]", i)
		if !b.Doc.OK(path) {
			continue
		}
		m, p := kind.ParseMatcher(text)
		switch {
		case p != nil:
			b.Report(path, kind.CodeInvalidMatcher, p.Message, p.Hint)
		case m.Numeric():
			b.Report(path, kind.CodeInvalidMatcher, fmt.Sprintf("invalid matcher %q: the labels of a series are text", text), "use =, !=, =~ or !~")
		default:
			b.label(path, m.Name)
			b.out.Selector = append(b.out.Selector, m)
		}
	}
}

// label reports a label that no series of an indicator has.
func (b *builder) label(path, name string) {
	for _, w := range b.out.Watches {
		i := b.ctx.Indicators[w.Indicator]
		if !i.GroupsOK || slices.Contains(i.GroupBy, name) {
			continue
		}
		b.Report(path, kind.CodeUnknownLabel, fmt.Sprintf("the series of indicator %q have no label %q", i.Name, name),
			"they have "+strings.Join(i.GroupBy, ", ")+"; name the indicators, or add it to groupBy")
		return
	}
}

func (b *builder) algorithms() {
	b.NotEmpty("spec.algorithms", len(b.Spec.Algorithms), "delete the line to get the default "+Auto)
	known := []string{Auto}
	for _, k := range anomaly.Kinds() {
		known = append(known, k.String())
	}
	for i, name := range b.Spec.Algorithms {
		path := fmt.Sprintf("spec.algorithms[%d]", i)
		switch {
		case !b.Doc.OK(path):
		case !slices.Contains(known, name):
			b.Report(path, strictyaml.CodeInvalidValue, fmt.Sprintf("unknown algorithm %q", name), strictyaml.DidYouMean(name, known))
		case slices.Contains(b.Spec.Algorithms[:i], name):
			b.Report(path, kind.CodeDuplicateItem, fmt.Sprintf("algorithm %q is named twice", name), "")
		case name == Auto && len(b.Spec.Algorithms) > 1:
			b.Report(path, kind.CodeConflict, "auto stands alone: it is an ensemble already", "delete it, or the others")
		case name != Auto:
			b.out.Algorithms = append(b.out.Algorithms, name)
		}
	}
	if slices.Equal(b.out.Algorithms, []string{anomaly.Saturation.String()}) && b.Spec.Range == nil {
		b.Report("spec.algorithms", strictyaml.CodeMissingField, "saturation foresees the end of a range, and none is declared", "add range: {min: 0, max: 100}")
	}
}

// Bounds of the accepted false alarms: beyond them a threshold means nothing.
const leastAlarms, mostAlarms = 1e-6, 1000

func (b *builder) sensitivity() {
	const path = "spec.falseAlarmsPerWeek"
	f, err := strconv.ParseFloat(string(b.Spec.FalseAlarmsPerWeek), 64)
	if !b.Doc.OK(path) {
		return
	}
	if err != nil || f < leastAlarms || f > mostAlarms {
		b.Report(path, strictyaml.CodeOutOfRange, fmt.Sprintf("want %g to %g alarms, got %s", leastAlarms, float64(mostAlarms), b.Spec.FalseAlarmsPerWeek),
			"0.1 is one false alarm per series in ten weeks")
		return
	}
	if f > 10 {
		b.Warn(path, kind.CodeUnusual, fmt.Sprintf("%s false alarms a week of every series are many", b.Spec.FalseAlarmsPerWeek), "")
	}
	b.out.FalseAlarms = f
}

// mostPeriods is how many periods a series may follow.
const mostPeriods = 4

func (b *builder) periods() {
	const path = "spec.periods"
	b.NotEmpty(path, len(b.Spec.Periods), "delete the line to get an hour, a day and a week")
	if len(b.Spec.Periods) > mostPeriods && b.Doc.OK(path) {
		b.Report(path, strictyaml.CodeOutOfRange, fmt.Sprintf("%d periods are too many: at most %d", len(b.Spec.Periods), mostPeriods), "")
		return
	}
	last := time.Duration(0)
	for i, p := range b.Spec.Periods {
		at := fmt.Sprintf("%s[%d]", path, i)
		if !b.Doc.OK(at) {
			continue
		}
		if p.Std() < time.Minute || p.Std() > 366*24*time.Hour || p.Std() <= last {
			b.Report(at, strictyaml.CodeInvalidValue, fmt.Sprintf("period %v: want 1m to 366d, shortest first", p), "such as [1h, 1d, 7d]")
			continue
		}
		last = p.Std()
		b.out.Periods = append(b.out.Periods, last)
	}
}

// declared takes the range over.
func (b *builder) declared() {
	r := b.Spec.Range
	if r == nil || !b.Doc.OK("spec.range") {
		return
	}
	if r.Min >= r.Max {
		b.Report("spec.range", strictyaml.CodeInvalidValue, fmt.Sprintf("min %g is not below max %g", float64(r.Min), float64(r.Max)), "")
		return
	}
	b.out.Range = &flyball.ValueRange{Min: float64(r.Min), Max: float64(r.Max)}
	values := 0
	for _, w := range b.out.Watches {
		values = max(values, len(w.Values))
	}
	if values > 1 {
		b.Warn("spec.range", kind.CodeUnusual, "the range holds for every value that is watched, and there are several", "name the one that it is of: values: [p50]")
	}
}

func texts(values []flyball.WindowValue) []string {
	var out []string
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}
