package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// The codes of problems that go beyond one field.
const (
	CodeUnknownVersion    strictyaml.Code = "unknown_api_version"
	CodeUnknownKind       strictyaml.Code = "unknown_kind"
	CodeIgnored           strictyaml.Code = "ignored"            // read and not used
	CodeInvalidName       strictyaml.Code = "invalid_name"       // a name with characters that no name has
	CodeDuplicateName     strictyaml.Code = "duplicate_name"     // two objects of one kind and name
	CodeDuplicateItem     strictyaml.Code = "duplicate_item"     // the same item twice in a list
	CodeEmptyList         strictyaml.Code = "empty_list"         // a list written without an item
	CodeUnknownReference  strictyaml.Code = "unknown_reference"  // a name that nothing has
	CodeUnknownLabel      strictyaml.Code = "unknown_label"      // a label that the source or indicator does not give
	CodeUnknownValue      strictyaml.Code = "unknown_value"      // a numeric field that the source does not give
	CodeInvalidMatcher    strictyaml.Code = "invalid_matcher"    // a matcher that cannot be read
	CodeInvalidExpression strictyaml.Code = "invalid_expression" // a condition that cannot be read
	CodeInvalidTemplate   strictyaml.Code = "invalid_template"   // a text with a place that cannot be filled
	CodeInvalidTiers      strictyaml.Code = "invalid_tiers"      // an annotation of tiers that cannot be read
	CodeNotMultiple       strictyaml.Code = "not_multiple"       // a width that is no multiple of the pane
	CodeNotForFormat      strictyaml.Code = "not_for_format"     // a field of another format
	CodeUnsupported       strictyaml.Code = "unsupported"        // OpenSLO has it, Flyball does not
	CodeConflict          strictyaml.Code = "conflict"           // two fields that contradict each other
	CodeUnreachableTier   strictyaml.Code = "unreachable_tier"   // a tier that cannot fire
	CodeEagerTier         strictyaml.Code = "eager_tier"         // a tier that fires while the objective is met
	CodeNeverBad          strictyaml.Code = "never_bad"          // an SLO on samples of which none is bad
	CodeUnused            strictyaml.Code = "unused"             // nothing builds on it
	CodeUnusual           strictyaml.Code = "unusual"            // allowed, and seldom meant
)

// loading is the state of reading one configuration.
type loading struct {
	options   Options
	decoder   strictyaml.Decoder
	documents []*strictyaml.Document
	// problems are those outside of documents.
	problems []Problem
	// names holds the place of every "kind/name".
	names map[string]string

	pipelines   []*object[spec.Pipeline]
	sources     []*object[spec.Source]
	indicators  []*object[spec.Indicator]
	rules       []*object[spec.Rule]
	services    []*object[spec.Service]
	dataSources []*object[spec.DataSource]
	slis        []*object[spec.SLI]
	slos        []*object[spec.SLO]

	pipeline Pipeline
	// compiled forms by name, those with problems too, so that what refers to
	// them is checked all the same.
	sourceOf    map[string]*compiledSource
	indicatorOf map[string]*compiledIndicator
	sliOf       map[string]*compiledSLI
}

func newLoading(o Options) *loading {
	return &loading{options: o, decoder: o.decoder(), names: map[string]string{},
		sourceOf: map[string]*compiledSource{}, indicatorOf: map[string]*compiledIndicator{},
		sliOf: map[string]*compiledSLI{}}
}

func (l *loading) file(f File) {
	docs, problems := strictyaml.Split(f.Name, f.Text)
	l.problems = append(l.problems, problems...)
	for _, d := range docs {
		l.read(d)
	}
}

// compile turns the objects read into a Config, those first that others build
// on.
func (l *loading) compile() *Config {
	c := &Config{Pipeline: l.compilePipeline()}
	l.pipeline = c.Pipeline
	c.Sources = l.compileSources()
	c.Indicators = l.compileIndicators()
	l.compileSLIs()
	c.SLOs = l.compileSLOs()
	c.Rules = l.compileRules()
	l.reportUnused()
	sortByName(c.Sources, func(s flyball.Source) string { return s.Name })
	sortByName(c.Indicators, func(i flyball.Indicator) string { return i.Name })
	sortByName(c.SLOs, func(s flyball.SLO) string { return s.Name })
	sortByName(c.Rules, func(r flyball.Rule) string { return r.Name })
	return c
}

func (l *loading) allProblems() []Problem {
	all := l.problems
	for _, d := range l.documents {
		all = append(all, d.Problems()...)
	}
	return all
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?$`)

// named checks the name of an object and that no other of its kind has it.
func (l *loading) named(d *strictyaml.Document, kind, name string) {
	const path = "metadata.name"
	if name == "" || !d.OK(path) {
		if d.Has(path) && d.OK(path) {
			d.Report(Problem{Path: path, Code: CodeInvalidName, Message: "the name is empty"})
		}
		return
	}
	if !nameForm.MatchString(name) {
		d.Report(Problem{Path: path, Code: CodeInvalidName, Message: fmt.Sprintf("invalid name %q", name),
			Hint: "a name has letters, digits and . _ - / in it, and starts and ends with a letter or digit"})
		return
	}
	key := kind + "/" + name
	if first, taken := l.names[key]; taken {
		d.Report(Problem{Path: path, Code: CodeDuplicateName,
			Message: fmt.Sprintf("there are two of kind %s named %q", kind, name), Hint: "the first is in " + first})
		return
	}
	l.names[key] = d.Position(path)
}

// reportUnused warns of sources that nothing measures.
func (l *loading) reportUnused() {
	for _, o := range l.sources {
		if s := l.sourceOf[o.Metadata.Name]; s != nil && s.doc == o.doc && !s.used && o.doc.OK("metadata.name") {
			o.warn("metadata.name", CodeUnused, fmt.Sprintf("no indicator measures source %q: it is not read", s.Name), "")
		}
	}
}

func sortByName[T any](list []T, name func(T) string) {
	slices.SortStableFunc(list, func(a, b T) int { return strings.Compare(name(a), name(b)) })
}
