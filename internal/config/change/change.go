// Package change turns what a source says of changes into what the machines work on.
package change

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// usual says what changes look like in formats that have them.
func usual(format string) spec.Changes {
	switch format {
	case spec.FormatCloudEvents:
		return spec.Changes{Entity: "data.subject.id", Kind: "cdevent.predicate", Version: "data.subject.content.artifactId",
			Filter: []string{`cdevent.subject="service"`, `cdevent.predicate=~"deployed|upgraded|rolledback|removed|published"`}}
	case spec.FormatKubernetes:
		return spec.Changes{Entity: "k8s.workload", Kind: "k8s.reason",
			Filter: []string{`k8s.kind=~"Deployment|StatefulSet|DaemonSet"`, `k8s.reason=~"ScalingReplicaSet|SuccessfulCreate|SuccessfulDelete|DeploymentRollback"`}}
	}
	return spec.Changes{}
}

// Compile returns the changes of a source, and reports what is wrong with them.
func Compile(o *kind.Object[spec.Source]) []flyball.Changes {
	var out []flyball.Changes
	base := usual(o.Spec.Format)
	for i := range o.Spec.Changes {
		in, at := &o.Spec.Changes[i], fmt.Sprintf("spec.changes[%d]", i)
		c := flyball.Changes{Entity: cmp.Or(in.Entity, base.Entity), Kind: cmp.Or(in.Kind, base.Kind), Version: cmp.Or(in.Version, base.Version), Target: in.Target}
		for _, must := range []struct{ name, value string }{{"entity", c.Entity}, {"kind", c.Kind}} {
			if must.value == "" && !o.Doc.Has(strictyaml.Join(at, must.name)) {
				o.Report(at, strictyaml.CodeMissingField, fmt.Sprintf("%q is required by the format %s", must.name, o.Spec.Format), "name the label that has it")
			}
		}
		if rest := strings.ReplaceAll(c.Target, "{{entity}}", ""); strings.Contains(rest, "{{") || strings.Contains(rest, "}}") {
			o.Report(strictyaml.Join(at, "target"), strictyaml.CodeInvalidValue, fmt.Sprintf("%q has a place that is not {{entity}}", c.Target), "such as deploy/{{entity}}")
		}
		texts := in.Filter
		if len(texts) == 0 {
			texts = base.Filter
		}
		for j, text := range texts {
			path := fmt.Sprintf("%s.filter[%d]", at, j)
			m, p := kind.ParseMatcher(text)
			if p == nil && m.Numeric() {
				p = &strictyaml.Problem{Message: fmt.Sprintf("invalid matcher %q: labels are text", text), Hint: "use = != =~ or !~"}
			}
			if p != nil {
				o.Report(path, kind.CodeInvalidMatcher, p.Message, p.Hint)
				continue
			}
			c.Filter = append(c.Filter, m)
		}
		out = append(out, c)
	}
	return out
}

// Specs returns changes as they are written.
func Specs(list []flyball.Changes) []spec.Changes {
	var out []spec.Changes
	for i := range list {
		c := &list[i]
		s := spec.Changes{Entity: c.Entity, Kind: c.Kind, Version: c.Version, Target: c.Target}
		for j := range c.Filter {
			s.Filter = append(s.Filter, c.Filter[j].String())
		}
		out = append(out, s)
	}
	return out
}
