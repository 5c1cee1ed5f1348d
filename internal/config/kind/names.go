package kind

import (
	"fmt"
	"regexp"

	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?$`)

// Names holds the place of every name, by kind.
type Names map[string]string

// Named checks the name of an object and that no other of its kind has it.
func (n Names) Named(d *strictyaml.Document, kind, name string) {
	const path = "metadata.name"
	if name == "" || !d.OK(path) {
		if d.Has(path) && d.OK(path) {
			d.Report(strictyaml.Problem{Path: path, Code: CodeInvalidName, Message: "the name is empty"})
		}
		return
	}
	if !nameForm.MatchString(name) {
		d.Report(strictyaml.Problem{Path: path, Code: CodeInvalidName, Message: fmt.Sprintf("invalid name %q", name),
			Hint: "a name has letters, digits and . _ - / in it, and starts and ends with a letter or digit"})
		return
	}
	if first := n.Claim(d, path, kind, name); first != "" {
		d.Report(strictyaml.Problem{Path: path, Code: CodeDuplicateName,
			Message: fmt.Sprintf("there are two of kind %s named %q", kind, name), Hint: "the first is in " + first})
	}
}

// Claim gives a name to what is at path of a document, or returns the place of
// what has it already.
func (n Names) Claim(d *strictyaml.Document, path, kind, name string) (first string) {
	key := kind + "/" + name
	if first = n[key]; first == "" {
		n[key] = d.Position(path)
	}
	return first
}
