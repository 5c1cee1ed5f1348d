package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/canary"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/openslo"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/internal/config/watch"
	"github.com/flyball-io/flyball/processors/remediation/gate"
)

// loading is the state of reading one configuration.
type loading struct {
	options   Options
	decoder   strictyaml.Decoder
	documents []*strictyaml.Document
	// problems are those outside of documents.
	problems []Problem
	names    kind.Names

	pipelines  []*kind.Object[spec.Pipeline]
	sources    []*kind.Object[spec.Source]
	indicators []*kind.Object[spec.Indicator]
	rules      []*kind.Object[spec.Rule]
	guardrails []*kind.Object[spec.Guardrail]
	topologies []*kind.Object[spec.Topology]
	actions    []*kind.Object[spec.ActionKind]
	executors  []*kind.Object[spec.Executor]
	receivers  []*kind.Object[spec.Receiver]
	openslo    openslo.Documents
	canaries   canary.Documents
	watches    watch.Documents

	pipeline Pipeline
	// compiled forms by name, those with problems too, so that what refers to
	// them is checked all the same.
	sourceOf    map[string]*compiledSource
	indicatorOf map[string]*kind.Indicator
}

func newLoading(o Options) *loading {
	return &loading{options: o, decoder: o.decoder(), names: kind.Names{},
		sourceOf: map[string]*compiledSource{}, indicatorOf: map[string]*kind.Indicator{}}
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
	c.SLOs = l.openslo.Compile(openslo.Context{Decoder: l.decoder, Names: l.names,
		Indicators: l.indicatorOf, SLOsOnly: l.options.SLOsOnly, Receivers: l.receiverNames()})
	c.Canaries = l.canaries.Compile(canary.Context{Indicators: l.indicatorOf})
	c.Detectors = l.watches.Compile(watch.Context{Indicators: l.indicatorOf, Exclusions: l.openslo.Excluded()})
	c.Rules = l.compileRules()
	c.Guardrails, c.Topology, c.Actions = l.compileGuardrails(), l.compileTopology(), l.compileActions()
	c.Executors, c.Receivers = l.compileExecutors(), l.compileReceivers(receiversNamed(c))
	l.reportUnused()
	sortByName(c.Sources, func(s flyball.Source) string { return s.Name })
	sortByName(c.Indicators, func(i flyball.Indicator) string { return i.Name })
	sortByName(c.SLOs, func(s flyball.SLO) string { return s.Name })
	sortByName(c.Canaries, func(k flyball.Canary) string { return k.Name })
	sortByName(c.Detectors, func(d flyball.Detector) string { return d.Name })
	sortByName(c.Rules, func(r flyball.Rule) string { return r.Name })
	sortByName(c.Executors, func(e Executor) string { return e.Name })
	sortByName(c.Receivers, func(r Receiver) string { return r.Name })
	sortByName(c.Guardrails, func(g gate.Guardrail) string { return g.Name })
	return c
}

func (l *loading) allProblems() []Problem {
	all := l.problems
	for _, d := range l.documents {
		all = append(all, d.Problems()...)
	}
	return all
}

// reportUnused warns of sources that nothing measures.
func (l *loading) reportUnused() {
	for _, o := range l.sources {
		if s := l.sourceOf[o.Metadata.Name]; s != nil && s.doc == o.Doc && !s.used && len(s.Changes) == 0 && o.Doc.OK("metadata.name") {
			o.Warn("metadata.name", kind.CodeUnused, fmt.Sprintf("no indicator measures source %q: it is not read", s.Name), "")
		}
	}
}

func sortByName[T any](list []T, name func(T) string) {
	slices.SortStableFunc(list, func(a, b T) int { return strings.Compare(name(a), name(b)) })
}
