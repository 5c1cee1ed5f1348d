package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// DefaultBad is what makes a span bad where an indicator does not say; other formats
// have their own, or none.
const DefaultBad = `status.code="ERROR"`

func (l *loading) compileIndicators() []flyball.Indicator {
	var out []flyball.Indicator
	for _, o := range l.indicators {
		b := &indicatorBuilder{Object: o, loading: l}
		b.build()
		out = append(out, b.out)
		if l.indicatorOf[b.out.Name] == nil {
			l.indicatorOf[b.out.Name] = &kind.Indicator{Indicator: b.out,
				GroupsOK: o.Doc.OK("spec.groupBy", "spec.entity", "spec.source"),
				BadOK:    o.Doc.OK("spec.bad", "spec.source"), PaneOK: o.Doc.OK("spec.pane")}
		}
	}
	return out
}

// indicatorBuilder builds one indicator against its source.
type indicatorBuilder struct {
	*kind.Object[spec.Indicator]
	loading *loading
	out     flyball.Indicator
	// source is nil when it is not known.
	source *compiledSource
}

func (b *indicatorBuilder) build() {
	s := &b.Spec
	b.out = flyball.Indicator{Name: b.Metadata.Name, Source: s.Source, Entity: s.Entity, Unit: s.Unit,
		Pane: s.Pane.Std(), Window: s.Window.Std(), Hop: s.Hop.Std(), Lateness: s.Lateness.Std(), SeriesLimit: s.SeriesLimit}
	if s.SeriesLimit == 0 {
		b.out.SeriesLimit = b.loading.pipeline.Limits.SeriesPerIndicator
	}
	b.findSource()
	b.groups()
	b.value()
	b.NotEmpty("spec.filter", len(s.Filter), "delete the line to count every sample")
	b.out.Filter = b.matchers("spec.filter", s.Filter)
	b.out.Bad = b.matchers("spec.bad", s.Bad)
	b.named()
	if bad := b.format().bad; s.Bad == nil && bad != "" {
		m, err := flyball.ParseMatcher(bad)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		b.out.Bad = []flyball.Matcher{m}
	}
	b.widths()
}

func (b *indicatorBuilder) findSource() {
	name := b.Spec.Source
	if name == "" || !b.Doc.OK("spec.source") {
		return
	}
	b.source = b.loading.sourceOf[name]
	if b.source != nil {
		b.source.used = true
		return
	}
	b.Report("spec.source", kind.CodeUnknownReference, fmt.Sprintf("there is no Source named %q", name),
		strictyaml.DidYouMean(name, slices.Sorted(maps.Keys(b.loading.sourceOf))))
}

// groups sets the labels of a series, the entity first.
func (b *indicatorBuilder) groups() {
	b.NotEmpty("spec.groupBy", len(b.Spec.GroupBy), "delete the line to group by the entity alone")
	b.out.GroupBy = []string{b.Spec.Entity}
	if b.Spec.Entity == "" && b.Doc.OK("spec.entity") {
		b.Report("spec.entity", strictyaml.CodeInvalidValue, "an indicator is about some entity",
			"delete the line to get the default "+flyball.DefaultEntity)
	}
	if f := b.format(); f.entity != "" && !b.Doc.Has("spec.entity") {
		b.Report("spec.entity", strictyaml.CodeMissingField, fmt.Sprintf("samples of the format %s have no %s, the default entity", b.source.Format, flyball.DefaultEntity),
			"say what the indicator is about, such as entity: "+f.entity)
	}
	b.label("spec.entity", b.Spec.Entity)
	seen := map[string]bool{}
	for i, name := range b.Spec.GroupBy {
		path := fmt.Sprintf("spec.groupBy[%d]", i)
		switch {
		case !b.Doc.OK(path):
			continue
		case name == "":
			b.Report(path, strictyaml.CodeInvalidValue, "the name of the label is empty", "")
		case seen[name]:
			b.Report(path, kind.CodeDuplicateItem, fmt.Sprintf("label %q is given twice", name), "")
		case name != b.Spec.Entity:
			b.label(path, name)
			b.out.GroupBy = append(b.out.GroupBy, name)
		}
		seen[name] = true
	}
}

// format returns what is known of the format of the source.
func (b *indicatorBuilder) format() format {
	if b.source == nil {
		return format{}
	}
	return formats[b.source.Format]
}

// named reports an indicator that mixes what has nothing in common.
func (b *indicatorBuilder) named() {
	name := b.format().names
	isName := func(m flyball.Matcher) bool { return m.Name == name }
	if name == "" || slices.ContainsFunc(b.out.Filter, isName) || !b.Doc.OK("spec.filter", "spec.source") {
		return
	}
	b.Report("spec.filter", kind.CodeNoName, fmt.Sprintf("source %q has many metrics, and this indicator takes all of them", b.source.Name),
		fmt.Sprintf("say which, such as filter: ['%s=\"http.server.request.duration\"']", name))
}

// mapping returns the JSON mapping of the source, if that is what says which
// labels and values there are.
func (b *indicatorBuilder) mapping() (flyball.JSONMapping, bool) {
	if b.source == nil || !b.format().mapped || !b.source.doc.OK("spec.json", "spec.format") {
		return flyball.JSONMapping{}, false
	}
	return b.source.JSON, true
}

// label reports a label that a JSON source does not map. The attributes of spans
// are known only when they come.
func (b *indicatorBuilder) label(path, name string) {
	b.known(path, name)
	m, ok := b.mapping()
	if _, mapped := m.Labels[name]; !ok || mapped || name == "" || !b.Doc.OK(path) {
		return
	}
	if _, isValue := m.Values[name]; isValue {
		b.Report(path, kind.CodeUnknownLabel, fmt.Sprintf("%q is a number in source %q, not a label", name, b.source.Name),
			"compare it with <, <=, > or >=, or map it under spec.json.labels")
		return
	}
	message := fmt.Sprintf("source %q maps no label %q", b.source.Name, name)
	if !b.Doc.Has(path) {
		message += ", the default entity"
	}
	hint := strictyaml.DidYouMean(name, slices.Sorted(maps.Keys(m.Labels)))
	if hint == "" || len(m.Labels) == 0 {
		hint = "map it under spec.json.labels of the source"
	}
	b.Report(path, kind.CodeUnknownLabel, message, hint)
}

// known reports a name that samples of the format never have.
func (b *indicatorBuilder) known(path, name string) {
	prefixes := b.format().prefixes
	begins := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
	if prefixes == nil || slices.ContainsFunc(prefixes, begins) || !b.Doc.Has(path) || !b.Doc.OK(path) {
		return
	}
	b.Report(path, kind.CodeUnknownLabel, fmt.Sprintf("samples of the format %s have no %q", b.source.Format, name),
		"names begin with "+strings.Join(prefixes, ", "))
}

// number reports a numeric field that the source does not give.
func (b *indicatorBuilder) number(path, name string) {
	b.known(path, name)
	m, ok := b.mapping()
	if _, mapped := m.Values[name]; !ok || mapped {
		return
	}
	if _, isLabel := m.Labels[name]; isLabel {
		b.Report(path, kind.CodeUnknownValue, fmt.Sprintf("%q is a label in source %q, not a number", name, b.source.Name),
			"match it with =, !=, =~ or !~, or map it under spec.json.values")
		return
	}
	b.Report(path, kind.CodeUnknownValue, fmt.Sprintf("source %q maps no value %q", b.source.Name, name),
		strictyaml.DidYouMean(name, slices.Sorted(maps.Keys(m.Values))))
}

// value sets what is put into the histogram, and its unit.
func (b *indicatorBuilder) value() {
	if b.source == nil || !b.Doc.OK("spec.value") {
		return
	}
	f := b.format()
	b.out.Value = f.value
	if b.Spec.Value != nil {
		b.out.Value = *b.Spec.Value
	}
	if b.out.Value == "" {
		if b.Spec.Unit != "" {
			b.Report("spec.unit", kind.CodeConflict, "there is a unit and no value", "delete the line or give a value")
		}
		return
	}
	b.number("spec.value", b.out.Value)
	if isDuration := slices.Contains(f.durations, b.out.Value) || b.source.JSON.Values[b.out.Value].Unit != ""; isDuration {
		if b.Spec.Unit != "" && b.Spec.Unit != "ns" {
			b.Report("spec.unit", kind.CodeConflict, fmt.Sprintf("%q is a duration, and durations are kept in ns", b.out.Value), "delete the line")
		}
		b.out.Unit = "ns"
	}
}

// matchers parses the conditions at path.
func (b *indicatorBuilder) matchers(path string, texts []string) []flyball.Matcher {
	var out []flyball.Matcher
	for i, text := range texts {
		at := fmt.Sprintf("%s[%d]", path, i)
		if !b.Doc.OK(at) {
			continue
		}
		m, p := kind.ParseMatcher(text)
		if p != nil {
			b.Report(at, kind.CodeInvalidMatcher, p.Message, p.Hint)
			continue
		}
		switch {
		case m.Numeric():
			b.number(at, m.Name)
		case b.isNumber(m.Name):
			b.Report(at, kind.CodeUnknownLabel, fmt.Sprintf("%q is a number, not a label", m.Name), "compare it with <, <=, > or >="+b.attribute(m.Name))
		default:
			b.label(at, m.Name)
		}
		out = append(out, m)
	}
	return out
}

func (b *indicatorBuilder) isNumber(name string) bool {
	f := b.format()
	return f.isNumber(name)
}

// attribute says how to get at an attribute that has the name of a field.
func (b *indicatorBuilder) attribute(name string) string {
	if b.source.Format != spec.FormatOTLPSpans {
		return ""
	}
	return "; an attribute of that name is span." + name
}

// widths checks that panes fill windows and days.
func (b *indicatorBuilder) widths() {
	pane, window := b.out.Pane, b.out.Window
	if !b.Doc.OK("spec.pane") || pane <= 0 {
		return
	}
	if 24*time.Hour%pane != 0 {
		b.Report("spec.pane", kind.CodeNotMultiple, fmt.Sprintf("a day is not a whole number of panes of %v", b.Spec.Pane),
			"such as 1s, 5s, 10s, 15s, 30s or 60s")
		return
	}
	b.multiple("spec.window", window, "pane", pane)
	hop := b.out.Hop
	if hop == 0 || !b.Doc.OK("spec.hop") {
		return
	}
	b.multiple("spec.hop", hop, "pane", pane)
	switch {
	case hop%pane != 0 || window%pane != 0 || !b.Doc.OK("spec.window"):
	case hop > window:
		b.Report("spec.hop", kind.CodeConflict, fmt.Sprintf("the hop %v is longer than the window %v: samples between two windows would be in none", b.Spec.Hop, b.Spec.Window), "")
	case window/gcd(window, hop) > maxParts:
		b.Report("spec.hop", strictyaml.CodeOutOfRange, fmt.Sprintf("the window %v and the hop %v have %v in common: each window would be added up from %d pieces, more than %d",
			b.Spec.Window, b.Spec.Hop, spec.Duration(gcd(window, hop)), window/gcd(window, hop), maxParts), "choose a hop that the window is a multiple of")
	case window/hop > maxHops:
		b.Report("spec.hop", strictyaml.CodeOutOfRange, fmt.Sprintf("every sample would be in %d windows, more than %d", window/hop, maxHops),
			fmt.Sprintf("such as hop: %v", spec.Duration(window/maxHops)))
	}
}

// maxHops bounds the windows that a sample is in: each is added up and reported.
// maxParts bounds from how many pieces one is added up.
const (
	maxHops  = 360
	maxParts = 1000
)

func gcd(a, b time.Duration) time.Duration {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

// multiple reports a width that is not a whole number of units.
func (b *indicatorBuilder) multiple(path string, width time.Duration, name string, unit time.Duration) {
	if !b.Doc.OK(path) || width%unit == 0 {
		return
	}
	near := max(unit, (width+unit/2)/unit*unit)
	b.Report(path, kind.CodeNotMultiple, fmt.Sprintf("the %s %v is not a multiple of the %s %v", strings.TrimPrefix(path, "spec."), spec.Duration(width), name, spec.Duration(unit)),
		fmt.Sprintf("such as %v", spec.Duration(near)))
}
