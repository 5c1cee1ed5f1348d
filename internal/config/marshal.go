package config

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/canary"
	"github.com/flyball-io/flyball/internal/config/change"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/openslo"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/watch"
)

// Marshal writes the configuration as it was understood: YAML documents with
// every default written out, sorted by kind and name. Secrets are written as
// "***"; all else comes back the same from [Load].
func Marshal(c *Config) ([]byte, error) {
	var docs []any
	docs = append(docs, document(APIVersion, "Pipeline", cmp.Or(c.Pipeline.Name, DefaultPipeline().Name), nil, c.Pipeline.Pipeline))
	formats := map[string]string{}
	for _, s := range c.Sources {
		formats[s.Name] = s.Format
		docs = append(docs, document(APIVersion, "Source", s.Name, nil, sourceSpec(s)))
	}
	for _, i := range c.Indicators {
		docs = append(docs, document(APIVersion, "Indicator", i.Name, nil, indicatorSpec(i)))
	}
	for _, s := range c.SLOs {
		text, annotations := openslo.Format(&s)
		docs = append(docs, document(OpenSLOVersion, "SLO", s.Name, annotations, text))
	}
	for _, k := range c.Canaries {
		docs = append(docs, document(APIVersion, "Canary", k.Name, nil, canary.Format(&k)))
	}
	for _, d := range c.Detectors {
		docs = append(docs, document(APIVersion, "Detector", d.Name, nil, watch.Format(&d)))
	}
	docs = append(docs, exclusions(c)...)
	for _, r := range c.Rules {
		docs = append(docs, document(APIVersion, "Rule", r.Name, nil, ruleSpec(r)))
	}
	docs = append(docs, automation(c)...)
	for _, e := range c.Executors {
		docs = append(docs, document(APIVersion, "Executor", e.Name, nil, e.Executor))
	}
	for _, r := range c.Receivers {
		docs = append(docs, document(APIVersion, "Receiver", r.Name, nil, r.Receiver))
	}
	var out bytes.Buffer
	for i, d := range docs {
		if i > 0 {
			out.WriteString("---\n")
		}
		text, err := marshalDocument(d)
		if err != nil {
			return nil, fmt.Errorf("cannot write configuration: %w", err)
		}
		out.Write(text)
	}
	return out.Bytes(), nil
}

// exclusions returns a document for every exclusion, with the SLOs and detectors that
// have it.
func exclusions(c *Config) []any {
	byName, slos, detectors := map[string]flyball.Exclusion{}, map[string][]string{}, map[string][]string{}
	for _, s := range c.SLOs {
		for _, e := range s.Exclusions {
			byName[e.Name] = e
			slos[e.Name] = append(slos[e.Name], s.Name)
		}
	}
	for _, d := range c.Detectors {
		for _, e := range d.Exclusions {
			byName[e.Name] = e
			detectors[e.Name] = append(detectors[e.Name], d.Name)
		}
	}
	var docs []any
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		docs = append(docs, document(APIVersion, "Exclusion", name, nil, openslo.FormatExclusion(byName[name], slos[name], detectors[name])))
	}
	return docs
}

// marshalDocument writes one document; a ${…} that is meant as it stands is
// written so that reading leaves it alone.
func marshalDocument(d any) ([]byte, error) {
	var node yaml.Node
	if err := node.Encode(d); err != nil {
		return nil, err
	}
	escape(&node)
	quote(&node)
	return yaml.Dump(&node, yaml.WithLineWidth(-1))
}

func escape(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode {
		n.Value = strings.NewReplacer("${env:", "$${env:", "${file:", "$${file:").Replace(n.Value)
	}
	for i, c := range n.Content {
		if isKey := n.Kind == yaml.MappingNode && i%2 == 0; !isKey {
			escape(c) // references in keys are not read
		}
	}
}

// quote puts text with characters that end a line into double quotes, in which
// they are written as escapes.
func quote(n *yaml.Node) {
	if strings.ContainsAny(n.Value, "\r\u0085\u2028\u2029") {
		n.Style = yaml.DoubleQuotedStyle
	}
	for _, c := range n.Content {
		quote(c)
	}
}

func document[S any](version, sort, name string, annotations map[string]string, s S) kind.Object[S] {
	return kind.Object[S]{APIVersion: version, Kind: sort, Spec: s,
		Metadata: spec.Metadata{Name: name, Annotations: annotations}}
}

func sourceSpec(s flyball.Source) spec.Source {
	out := spec.Source{Topics: s.Topics, Format: s.Format, Encoding: s.Encoding,
		OutOfOrderness: spec.Duration(s.OutOfOrderness), IdleTimeout: spec.Duration(s.IdleTimeout),
		StallTimeout: spec.Duration(s.StallTimeout), MaxDrift: spec.Duration(s.MaxDrift), MaxAhead: spec.Duration(s.MaxAhead), Examples: !s.NoExamples, Changes: change.Specs(s.Changes)}
	if formats[s.Format].registry {
		out.Registry = &spec.SchemaRegistry{URL: s.Registry.URL, Username: s.Registry.Username, Password: Secret(s.Registry.Password)}
	}
	if formats[s.Format].mapped {
		out.JSON = &spec.JSONMapping{Timestamp: s.JSON.Timestamp, TimestampFormat: s.JSON.TimestampFormat, Labels: s.JSON.Labels}
		for name, v := range s.JSON.Values {
			if out.JSON.Values == nil {
				out.JSON.Values = map[string]spec.JSONValue{}
			}
			out.JSON.Values[name] = spec.JSONValue{Path: v.Path, Unit: v.Unit}
		}
	}
	return out
}

func indicatorSpec(i flyball.Indicator) spec.Indicator {
	return spec.Indicator{Source: i.Source, Filter: texts(i.Filter), Entity: i.Entity, GroupBy: i.GroupBy,
		Value: &i.Value, Unit: i.Unit, Bad: texts(i.Bad), Pane: spec.Duration(i.Pane), Window: spec.Duration(i.Window),
		Hop: spec.Duration(i.Hop), Lateness: spec.Duration(i.Lateness), SeriesLimit: i.SeriesLimit}
}

func texts(ms []flyball.Matcher) []string {
	out := []string{}
	for _, m := range ms {
		out = append(out, m.String())
	}
	return out
}

func ruleSpec(r flyball.Rule) spec.Rule {
	out := spec.Rule{When: r.When, Target: r.Target, Action: actionSpec(r.Action), Mode: string(r.Mode),
		Cooldown: spec.Duration(r.Cooldown), Deadline: spec.Duration(r.Deadline), Owner: r.Owner,
		For: spec.Duration(r.For), Priority: r.Priority, ApprovalTimeout: spec.Duration(r.Approval),
		Notify: r.Notify, Essential: r.Essential}
	if r.Redirect {
		out.Dependency = "redirect"
	}
	if r.Verify != (flyball.Verify{}) {
		out.Verify = &spec.Verify{Recovered: r.Verify.Recovered, Worse: r.Verify.Worse,
			Within: spec.Duration(r.Verify.Within), Stabilisation: spec.Duration(r.Verify.Stabilisation)}
	}
	if r.Compensation.Name != "" {
		undo := actionSpec(r.Compensation)
		out.Compensation = &undo
	}
	if len(r.Escalate) > 0 {
		out.Escalate = &spec.Escalate{After: spec.Duration(r.EscalateAfter)}
		for _, a := range r.Escalate {
			out.Escalate.To = append(out.Escalate.To, actionSpec(a))
		}
	}
	return out
}

func actionSpec(a flyball.Action) spec.Action {
	out := spec.Action{Name: a.Name}
	for name, value := range a.Params {
		if out.Params == nil {
			out.Params = map[string]spec.Text{}
		}
		out.Params[name] = spec.Text(value)
	}
	return out
}
