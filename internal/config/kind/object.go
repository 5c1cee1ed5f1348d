package kind

import (
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// Object is a document of one kind.
type Object[S any] struct {
	// APIVersion and Kind say what it is.
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	// Metadata names it.
	Metadata spec.Metadata `yaml:"metadata" required:"true"`
	// Spec is what it says.
	Spec S `yaml:"spec" required:"true"`

	// Doc is where it was read.
	Doc *strictyaml.Document `yaml:"-"`
}

// Report adds an error at path.
func (o *Object[S]) Report(path string, code strictyaml.Code, message, hint string) {
	o.Doc.Report(strictyaml.Problem{Path: path, Code: code, Message: message, Hint: hint})
}

// Warn adds a warning at path.
func (o *Object[S]) Warn(path string, code strictyaml.Code, message, hint string) {
	o.Doc.Report(strictyaml.Problem{Path: path, Code: code, Message: message, Hint: hint, Severity: strictyaml.Warning})
}

// NotEmpty reports a list that is written without an item: it is more likely to
// be a slip than to mean all or nothing.
func (o *Object[S]) NotEmpty(path string, items int, hint string) {
	if items == 0 && o.Doc.Has(path) && o.Doc.OK(path) {
		o.Report(path, CodeEmptyList, "the list is empty", hint)
	}
}
