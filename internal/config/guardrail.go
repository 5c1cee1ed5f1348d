package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/processors/remediation/gate"
)

func (l *loading) compileGuardrails() []gate.Guardrail {
	var out []gate.Guardrail
	for _, o := range l.guardrails {
		s := &o.Spec
		g := gate.Guardrail{Name: o.Metadata.Name, Mode: flyball.Mode(s.Mode), Widespread: s.Widespread}
		o.NotEmpty("spec.select", len(s.Select), `an empty selector selects nothing; entity=~".*" selects everything`)
		for i, text := range s.Select {
			if m, ok := selectorOf(o, fmt.Sprintf("spec.select[%d]", i), text); ok {
				g.Select = append(g.Select, m)
			}
		}
		for i, f := range s.Freezes {
			if freeze, ok := freezeOf(o, fmt.Sprintf("spec.freezes[%d]", i), f); ok {
				g.Freezes = append(g.Freezes, freeze)
			}
		}
		for _, r := range s.Limits {
			g.Limits = append(g.Limits, gate.RateLimit{Per: r.Per, Max: r.Max, Window: r.Window.Std()})
		}
		if c := s.Concurrency; c != nil {
			g.Concurrent = gate.Concurrency{Action: c.Action, Service: c.Service, Total: c.Total}
		}
		if b := s.BlastRadius; b != nil {
			g.Blast = blastOf(o, b)
		}
		out = append(out, g)
	}
	return out
}

// selectorOf reads a matcher of a guardrail.
func selectorOf(o *kind.Object[spec.Guardrail], path, text string) (flyball.Matcher, bool) {
	if !o.Doc.OK(path) {
		return flyball.Matcher{}, false
	}
	m, p := kind.ParseMatcher(text)
	if p == nil && m.Numeric() {
		p = &strictyaml.Problem{Message: fmt.Sprintf("invalid matcher %q: labels are text", text), Hint: "use = != =~ or !~"}
	}
	if p != nil {
		o.Report(path, kind.CodeInvalidMatcher, p.Message, p.Hint)
	}
	return m, p == nil
}

func freezeOf(o *kind.Object[spec.Guardrail], path string, f spec.Freeze) (gate.Freeze, bool) {
	out := gate.Freeze{Name: f.Name}
	for _, edge := range []struct {
		name string
		text spec.Text
		into *flyball.Time
	}{{"from", f.From, &out.From}, {"to", f.To, &out.To}} {
		at := strictyaml.Join(path, edge.name)
		t, err := time.Parse(time.RFC3339Nano, string(edge.text))
		if err != nil {
			if o.Doc.OK(at) {
				o.Report(at, strictyaml.CodeInvalidValue, fmt.Sprintf("invalid time %q", edge.text), "such as 2026-12-24T18:00:00+01:00")
			}
			return out, false
		}
		*edge.into = flyball.TimeOf(t)
	}
	if out.To <= out.From {
		o.Report(strictyaml.Join(path, "to"), kind.CodeConflict, "the end is not after the start", "")
	}
	return out, true
}

func blastOf(o *kind.Object[spec.Guardrail], b *spec.BlastRadius) *gate.BlastRadius {
	const path = "spec.blastRadius.percent"
	percent, err := strconv.ParseFloat(string(b.Percent), 64)
	if o.Doc.OK(path) && (err != nil || percent <= 0 || percent > 100) {
		o.Report(path, strictyaml.CodeInvalidValue, fmt.Sprintf("a share of %q percent is not above 0 and up to 100", b.Percent), "")
	}
	if b.Fleet == 0 {
		o.Warn("spec.blastRadius", kind.CodeUnusual, "the size of the fleet is not known, so nothing is ever done", "say fleet")
	}
	return &gate.BlastRadius{Fleet: b.Fleet, Percent: percent, Window: b.Window.Std()}
}

func (l *loading) compileTopology() gate.Topology {
	var out gate.Topology
	for _, o := range l.topologies {
		for _, s := range o.Spec.Services {
			if out.Needs == nil {
				out.Needs = map[string][]string{}
			}
			out.Needs[s.Name] = append(out.Needs[s.Name], s.Needs...)
		}
	}
	return out
}

func (l *loading) compileActions() map[string][]spec.ActionParam {
	var out map[string][]spec.ActionParam
	for _, o := range l.actions {
		if out == nil {
			out = map[string][]spec.ActionParam{}
		}
		out[o.Metadata.Name] = o.Spec.Params
	}
	return out
}

// automation returns the documents of guardrails, topology and actions.
func automation(c *Config) []any {
	var docs []any
	for _, g := range c.Guardrails {
		docs = append(docs, document(APIVersion, "Guardrail", g.Name, nil, guardrailSpec(g)))
	}
	if len(c.Topology.Needs) > 0 {
		var t spec.Topology
		for _, name := range slices.Sorted(maps.Keys(c.Topology.Needs)) {
			t.Services = append(t.Services, spec.ServiceNeeds{Name: name, Needs: c.Topology.Needs[name]})
		}
		docs = append(docs, document(APIVersion, "Topology", "topology", nil, t))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Actions)) {
		docs = append(docs, document(APIVersion, "Action", name, nil, spec.ActionKind{Params: c.Actions[name]}))
	}
	return docs
}

func guardrailSpec(g gate.Guardrail) spec.Guardrail {
	out := spec.Guardrail{Select: texts(g.Select), Mode: string(g.Mode), Widespread: g.Widespread}
	for _, f := range g.Freezes {
		out.Freezes = append(out.Freezes, spec.Freeze{Name: f.Name, From: spec.Text(f.From.String()), To: spec.Text(f.To.String())})
	}
	for _, l := range g.Limits {
		out.Limits = append(out.Limits, spec.RateLimit{Per: l.Per, Max: l.Max, Window: spec.Duration(l.Window)})
	}
	if c := g.Concurrent; c != (gate.Concurrency{}) {
		out.Concurrency = &spec.Concurrency{Action: c.Action, Service: c.Service, Total: c.Total}
	}
	if b := g.Blast; b != nil {
		out.BlastRadius = &spec.BlastRadius{Fleet: b.Fleet, Percent: spec.Decimal(strconv.FormatFloat(b.Percent, 'f', -1, 64)), Window: spec.Duration(b.Window)}
	}
	return out
}
