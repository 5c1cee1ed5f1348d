package config

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// The API versions that are read.
const (
	// APIVersion is that of Flyball's own kinds.
	APIVersion = "flyball.dev/v1"
	// OpenSLOVersion is that of OpenSLO's kinds.
	OpenSLOVersion = "openslo/v1"
)

// Kind is one kind of document.
type Kind struct {
	// APIVersion and Name are what a document says it is.
	APIVersion, Name string
	// Spec is the struct type of the document's spec, whose tags and comments are
	// the kind's reference.
	Spec reflect.Type

	read func(l *loading, d *strictyaml.Document)
}

// Kinds returns every kind that is read, in the order in which they build on
// each other.
func Kinds() []Kind {
	return []Kind{
		declare(APIVersion, "Pipeline", func(l *loading) *[]*kind.Object[spec.Pipeline] { return &l.pipelines }),
		declare(APIVersion, "Source", func(l *loading) *[]*kind.Object[spec.Source] { return &l.sources }),
		declare(APIVersion, "Indicator", func(l *loading) *[]*kind.Object[spec.Indicator] { return &l.indicators }),
		declare(APIVersion, "Detector", func(l *loading) *[]*kind.Object[spec.Detector] { return &l.watches.Detectors }),
		declare(APIVersion, "Rule", func(l *loading) *[]*kind.Object[spec.Rule] { return &l.rules }),
		declare(APIVersion, "Canary", func(l *loading) *[]*kind.Object[spec.Canary] { return &l.canaries.Canaries }),
		declare(APIVersion, "Guardrail", func(l *loading) *[]*kind.Object[spec.Guardrail] { return &l.guardrails }),
		declare(APIVersion, "Topology", func(l *loading) *[]*kind.Object[spec.Topology] { return &l.topologies }),
		declare(APIVersion, "Action", func(l *loading) *[]*kind.Object[spec.ActionKind] { return &l.actions }),
		declare(APIVersion, "Executor", func(l *loading) *[]*kind.Object[spec.Executor] { return &l.executors }),
		declare(APIVersion, "Receiver", func(l *loading) *[]*kind.Object[spec.Receiver] { return &l.receivers }),
		declare(APIVersion, "Exclusion", func(l *loading) *[]*kind.Object[spec.Exclusion] { return &l.openslo.Exclusions }),
		declare(OpenSLOVersion, "Service", func(l *loading) *[]*kind.Object[spec.Service] { return &l.openslo.Services }),
		declare(OpenSLOVersion, "DataSource", func(l *loading) *[]*kind.Object[spec.DataSource] { return &l.openslo.DataSources }),
		declare(OpenSLOVersion, "SLI", func(l *loading) *[]*kind.Object[spec.SLI] { return &l.openslo.SLIs }),
		declare(OpenSLOVersion, "SLO", func(l *loading) *[]*kind.Object[spec.SLO] { return &l.openslo.SLOs }),
		declare(OpenSLOVersion, "AlertPolicy", func(l *loading) *[]*kind.Object[spec.AlertPolicy] { return &l.openslo.Policies }),
		declare(OpenSLOVersion, "AlertCondition", func(l *loading) *[]*kind.Object[spec.AlertCondition] { return &l.openslo.Conditions }),
		declare(OpenSLOVersion, "AlertNotificationTarget", func(l *loading) *[]*kind.Object[spec.AlertNotificationTarget] { return &l.openslo.Targets }),
	}
}

// declare declares a kind whose documents are kept in the list that in returns.
func declare[S any](apiVersion, name string, in func(l *loading) *[]*kind.Object[S]) Kind {
	return Kind{apiVersion, name, reflect.TypeFor[S](), func(l *loading, d *strictyaml.Document) {
		o := &kind.Object[S]{Doc: d}
		l.decoder.Decode(d, o)
		l.names.Named(d, name, o.Metadata.Name)
		list := in(l)
		*list = append(*list, o)
	}}
}

// read hands a document to its kind.
func (l *loading) read(d *strictyaml.Document) {
	l.documents = append(l.documents, d)
	version, name := d.Text("apiVersion"), d.Text("kind")
	if version == "" {
		return
	}
	var versions, names, elsewhere []string
	for _, k := range Kinds() {
		if k.APIVersion == version && k.Name == name {
			k.read(l, d)
			return
		}
		versions = append(versions, k.APIVersion)
		if k.APIVersion == version {
			names = append(names, k.Name)
		} else if k.Name == name {
			elsewhere = append(elsewhere, k.APIVersion)
		}
	}
	versions = slices.Compact(versions)
	if !slices.Contains(versions, version) {
		d.Report(Problem{Path: "apiVersion", Code: kind.CodeUnknownVersion,
			Message: fmt.Sprintf("unknown apiVersion %q", version), Hint: strictyaml.DidYouMean(version, versions)})
		return
	}
	if name == "" {
		return
	}
	hint := strictyaml.DidYouMean(name, names)
	if len(elsewhere) > 0 {
		hint = "this kind has apiVersion " + elsewhere[0]
	}
	d.Report(Problem{Path: "kind", Code: kind.CodeUnknownKind, Message: fmt.Sprintf("unknown kind %q in %s", name, version), Hint: hint})
}
