package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/spec"
)

// page is the page of a kind.
type page struct {
	kind     config.Kind
	meanings comments
	// sections are the types that have one, in the order in which they come up.
	sections []reflect.Type
}

func fileOf(kind string) string { return strings.ToLower(kind) + ".md" }

func (p *page) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", p.kind.Name)
	fmt.Fprintf(&b, "%s\n\n", sentence(p.meanings[p.kind.Spec.Name()], p.kind.Spec.Name()))
	fmt.Fprintf(&b, "```yaml fragment the frame of every document of this kind\napiVersion: %s\nkind: %s\nmetadata: {name: …}\nspec: …\n```\n\n", p.kind.APIVersion, p.kind.Name)
	p.sections = []reflect.Type{p.kind.Spec}
	for i := 0; i < len(p.sections); i++ { // tables add to it
		t := p.sections[i]
		title := "spec"
		if i > 0 {
			title = t.Name()
			fmt.Fprintf(&b, "## %s\n\n%s\n\n", title, sentence(p.meanings[t.Name()], t.Name()))
		} else {
			fmt.Fprintf(&b, "## %s\n\n", title)
		}
		p.table(&b, t)
	}
	b.WriteString("All kinds: [reference](README.md).\n")
	return b.String()
}

func (p *page) table(b *strings.Builder, t reflect.Type) {
	b.WriteString("| field | type | default | meaning |\n|---|---|---|---|\n")
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "-" || name == "" {
			continue
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s%s |\n", name, p.typeName(f.Type), standard(f), cell(p.meanings[t.Name()+"."+f.Name]), allowed(f))
	}
	b.WriteString("\n")
}

// standard is what holds without the field.
func standard(f reflect.StructField) string {
	switch d, ok := f.Tag.Lookup("default"); {
	case f.Tag.Get("required") == "true":
		return "required"
	case ok:
		return "`" + d + "`"
	}
	return ""
}

// allowed says what values there may be.
func allowed(f reflect.StructField) string {
	var parts []string
	if e := f.Tag.Get("enum"); e != "" {
		parts = append(parts, "One of `"+strings.ReplaceAll(e, "|", "`, `")+"`.")
	}
	least, most := f.Tag.Get("min"), f.Tag.Get("max")
	switch {
	case least != "" && most != "":
		parts = append(parts, "From "+least+" to "+most+".")
	case least != "":
		parts = append(parts, "At least "+least+".")
	case most != "":
		parts = append(parts, "At most "+most+".")
	}
	if len(parts) == 0 {
		return ""
	}
	return " " + strings.Join(parts, " ")
}

// scalars are the types of the configuration that are written as one value.
var scalars = map[reflect.Type]string{
	reflect.TypeFor[spec.Duration](): "duration",
	reflect.TypeFor[spec.Period]():   "duration, or months of the calendar (1M, 1Q, 1Y)",
	reflect.TypeFor[spec.Secret]():   "text, a secret",
	reflect.TypeFor[spec.Text]():     "text",
	reflect.TypeFor[spec.Decimal]():  "number",
	reflect.TypeFor[spec.Number]():   "number",
}

// typeName names a type for a reader, and gives structs a section of their own.
func (p *page) typeName(t reflect.Type) string {
	if name, ok := scalars[t]; ok {
		return name
	}
	switch t.Kind() {
	case reflect.Pointer:
		return p.typeName(t.Elem())
	case reflect.Slice:
		return "list of " + p.typeName(t.Elem())
	case reflect.Map:
		return "map to " + p.typeName(t.Elem())
	case reflect.Struct:
		if !slices.Contains(p.sections, t) {
			p.sections = append(p.sections, t)
		}
		return "[" + t.Name() + "](#" + strings.ToLower(t.Name()) + ")"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "whole number"
	case reflect.Float64:
		return "number"
	case reflect.String:
		return "text"
	}
	return "anything"
}

// sentence cuts the name of a Go type from the front of its comment.
func sentence(text, name string) string {
	for _, start := range []string{name + " is the spec of OpenSLO's kind of that name", name + " is the spec of OpenSLO's kind " + name, name + " is the spec of kind "} {
		if rest, ok := strings.CutPrefix(text, start); ok {
			if _, after, found := strings.Cut(rest, ": "); found {
				return upper(after)
			}
			return "OpenSLO's kind of that name."
		}
	}
	for _, verb := range []string{" is ", " are "} {
		if rest, ok := strings.CutPrefix(text, name+verb); ok {
			return upper(rest)
		}
	}
	return text
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// cell makes text fit for a table.
func cell(text string) string {
	text = strings.ReplaceAll(text, "|", "\\|")
	return strings.NewReplacer("{{", "`{{", "}}", "}}`", "<", "&lt;").Replace(text)
}
