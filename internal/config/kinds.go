package config

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/flyball-io/flyball/internal/config/objective"
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
	// the kind's reference; nil for a kind that is passed over with a warning.
	Spec reflect.Type

	read func(l *loading, d *strictyaml.Document)
}

// Kinds returns every kind that is read, in the order in which they build on
// each other.
func Kinds() []Kind {
	return []Kind{
		kind(APIVersion, "Pipeline", func(l *loading) *[]*object[spec.Pipeline] { return &l.pipelines }),
		kind(APIVersion, "Source", func(l *loading) *[]*object[spec.Source] { return &l.sources }),
		kind(APIVersion, "Indicator", func(l *loading) *[]*object[spec.Indicator] { return &l.indicators }),
		kind(APIVersion, "Rule", func(l *loading) *[]*object[spec.Rule] { return &l.rules }),
		kind(OpenSLOVersion, "Service", func(l *loading) *[]*object[spec.Service] { return &l.services }),
		kind(OpenSLOVersion, "DataSource", func(l *loading) *[]*object[spec.DataSource] { return &l.dataSources }),
		kind(OpenSLOVersion, "SLI", func(l *loading) *[]*object[spec.SLI] { return &l.slis }),
		kind(OpenSLOVersion, "SLO", func(l *loading) *[]*object[spec.SLO] { return &l.slos }),
		{OpenSLOVersion, "AlertPolicy", nil, passOver},
		{OpenSLOVersion, "AlertCondition", nil, passOver},
		{OpenSLOVersion, "AlertNotificationTarget", nil, passOver},
	}
}

// kind declares a kind whose documents are kept in the list that in returns.
func kind[S any](apiVersion, name string, in func(l *loading) *[]*object[S]) Kind {
	return Kind{apiVersion, name, reflect.TypeFor[S](), func(l *loading, d *strictyaml.Document) {
		o := &object[S]{doc: d}
		l.decoder.Decode(d, o)
		l.named(d, name, o.Metadata.Name)
		list := in(l)
		*list = append(*list, o)
	}}
}

// passOver reads a kind that OpenSLO has and Flyball does without.
func passOver(_ *loading, d *strictyaml.Document) {
	d.Report(Problem{Path: "kind", Code: CodeIgnored, Severity: strictyaml.Warning,
		Message: "this kind is not used: an SLO alerts by its burn-rate tiers",
		Hint:    "set the tiers by the SLO's annotation " + objective.TiersAnnotation})
}

// object is a document of one kind.
type object[S any] struct {
	APIVersion string        `yaml:"apiVersion"`
	Kind       string        `yaml:"kind"`
	Metadata   spec.Metadata `yaml:"metadata" required:"true"`
	Spec       S             `yaml:"spec" required:"true"`

	doc *strictyaml.Document
}

// report adds an error at path.
func (o *object[S]) report(path string, code strictyaml.Code, message, hint string) {
	o.doc.Report(Problem{Path: path, Code: code, Message: message, Hint: hint})
}

// warn adds a warning at path.
func (o *object[S]) warn(path string, code strictyaml.Code, message, hint string) {
	o.doc.Report(Problem{Path: path, Code: code, Message: message, Hint: hint, Severity: strictyaml.Warning})
}

// notEmpty reports a list that is written without an item: it is more likely to
// be a slip than to mean all or nothing.
func (o *object[S]) notEmpty(path string, items int, hint string) {
	if items == 0 && o.doc.Has(path) && o.doc.OK(path) {
		o.report(path, CodeEmptyList, "the list is empty", hint)
	}
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
		d.Report(Problem{Path: "apiVersion", Code: CodeUnknownVersion,
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
	d.Report(Problem{Path: "kind", Code: CodeUnknownKind, Message: fmt.Sprintf("unknown kind %q in %s", name, version), Hint: hint})
}
