package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// Decoder decodes documents.
type Decoder struct {
	// Expand replaces ${…} references in text; nil leaves text as it is.
	Expand Expander
	// Unresolved is how bad a reference is that gives nothing; "" is Error.
	Unresolved Severity
}

// Decode fills into, a pointer to a struct, from the document: first with the
// defaults of its tags, then with what is written. Every problem is reported to
// the document; fields with a problem keep their default.
func (dec Decoder) Decode(d *Document, into any) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("BUG: cannot decode into %T: want a pointer to a struct", into))
	}
	SetDefaults(into)
	s := &scan{doc: d, dec: dec}
	s.value(d.root, v.Elem(), "", field{})
}

// DecodeAt is Decode for the part of the document at path, which must have been
// decoded into a field of type any before.
func (dec Decoder) DecodeAt(d *Document, path string, into any) {
	SetDefaults(into)
	s := &scan{doc: d, dec: dec}
	s.value(d.place(path), reflect.ValueOf(into).Elem(), path, field{})
}

// scan is one run over one document.
type scan struct {
	doc *Document
	dec Decoder
}

func (s *scan) report(n *yaml.Node, path string, code Code, message, hint string) {
	s.doc.add(Problem{Line: n.Line, Col: n.Column, Path: path, Code: code, Message: message, Hint: hint})
}

// value decodes the node n into v. An alias is read as what it stands for, and
// reported where it is used.
func (s *scan) value(n *yaml.Node, v reflect.Value, path string, f field) {
	s.doc.values[path] = n
	t := v.Type()
	switch {
	case t == anyType:
		v.Set(reflect.ValueOf(true))
	case reflect.PointerTo(t).Implements(textType) || isScalarKind(t.Kind()):
		s.scalar(n, v, path, f)
	case t.Kind() == reflect.Pointer:
		p := reflect.New(t.Elem())
		setDefaults(p.Elem())
		s.value(n, p.Elem(), path, f)
		v.Set(p)
	case t.Kind() == reflect.Struct:
		s.structure(n, v, path)
	case t.Kind() == reflect.Map:
		s.mapping(n, v, path)
	case t.Kind() == reflect.Slice:
		s.list(n, v, path, f)
	default:
		panic("BUG: cannot decode YAML into " + t.String())
	}
}

var (
	anyType  = reflect.TypeFor[any]()
	textType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func isScalarKind(k reflect.Kind) bool {
	return k == reflect.String || k == reflect.Bool || k == reflect.Int || k == reflect.Int64
}

// pairs calls each for every key and value of a mapping, reports keys given
// twice, and reports and refuses what is not a mapping.
func (s *scan) pairs(n *yaml.Node, path string, each func(key, value *yaml.Node)) {
	m := resolve(n)
	if m.Kind == yaml.ScalarNode && m.ShortTag() == "!!null" {
		return // "spec:" with nothing under it is an empty mapping
	}
	if m.Kind != yaml.MappingNode {
		s.report(n, path, CodeWrongType, "want a mapping, got "+describe(m), "")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(m.Content); i += 2 {
		key := m.Content[i]
		if resolve(key).Kind != yaml.ScalarNode {
			s.report(key, path, CodeWrongType, "a key must be text, got "+describe(resolve(key)), "")
			continue
		}
		name := resolve(key).Value
		if line, ok := seen[name]; ok {
			s.report(key, Join(path, name), CodeDuplicateField,
				fmt.Sprintf("%q is given twice, first in line %d", name, line), "")
			continue
		}
		seen[name] = key.Line + s.doc.base
		each(key, m.Content[i+1])
	}
}

func (s *scan) structure(n *yaml.Node, v reflect.Value, path string) {
	fields := fieldsOf(v.Type())
	written := map[string]bool{}
	s.pairs(n, path, func(key, value *yaml.Node) {
		name := resolve(key).Value
		f, ok := find(fields, name)
		if !ok {
			s.unknown(key, path, fields)
			return
		}
		written[name] = true
		at := Join(path, name)
		s.doc.keys[at] = key
		s.value(value, v.Field(f.index), at, f)
	})
	if s.doc.failed[path] {
		return // not a mapping at all: its fields are not missing
	}
	for _, f := range fields {
		if f.required && !written[f.name] {
			s.doc.Report(Problem{Path: Join(path, f.name), Code: CodeMissingField,
				Message: fmt.Sprintf("%q is required", f.name)})
		}
	}
}

func (s *scan) unknown(key *yaml.Node, path string, fields []field) {
	name := resolve(key).Value
	hint := ""
	if name == "<<" {
		hint = "merge keys are not supported: write the fields out"
	} else {
		var known []string
		for _, f := range fields {
			known = append(known, f.name)
		}
		hint = DidYouMean(name, known)
	}
	s.report(key, Join(path, name), CodeUnknownField, fmt.Sprintf("unknown field %q", name), hint)
}

func (s *scan) mapping(n *yaml.Node, v reflect.Value, path string) {
	m := reflect.MakeMap(v.Type())
	s.pairs(n, path, func(key, value *yaml.Node) {
		e := reflect.New(v.Type().Elem()).Elem()
		setDefaults(e)
		at := Join(path, resolve(key).Value)
		s.doc.keys[at] = key
		s.value(value, e, at, field{})
		m.SetMapIndex(reflect.ValueOf(resolve(key).Value), e)
	})
	if m.Len() > 0 {
		v.Set(m)
	}
}

func (s *scan) list(n *yaml.Node, v reflect.Value, path string, f field) {
	l := resolve(n)
	if l.Kind != yaml.SequenceNode {
		s.report(n, path, CodeWrongType, "want a list, got "+describe(l), "write it as [ … ] or as lines that start with -")
		return
	}
	out := reflect.MakeSlice(v.Type(), 0, len(l.Content))
	for i, item := range l.Content {
		e := reflect.New(v.Type().Elem()).Elem()
		setDefaults(e)
		s.value(item, e, fmt.Sprintf("%s[%d]", path, i), f)
		out = reflect.Append(out, e)
	}
	v.Set(out)
}

func (s *scan) scalar(n *yaml.Node, v reflect.Value, path string, f field) {
	text := resolve(n)
	if text.Kind != yaml.ScalarNode || !strings.HasPrefix(text.ShortTag(), "!!") {
		s.report(n, path, CodeWrongType, "want "+wanted(v)+", got "+describe(text), "")
		return
	}
	if text.ShortTag() == "!!null" {
		s.report(n, path, CodeWrongType, "has no value", f.absentHint())
		return
	}
	value, isText := text.Value, text.ShortTag() == "!!str"
	if isText && s.dec.Expand != nil {
		expanded, err := s.dec.Expand.Expand(value)
		if err != nil {
			s.doc.add(Problem{Line: n.Line, Col: n.Column, Path: path, Code: CodeUnresolved,
				Message: err.Error(), Severity: s.dec.Unresolved})
			s.doc.failed[path] = true // the value is not known, so later checks must not judge it
			return
		}
		if expanded != value {
			s.doc.expanded[path] = expanded
		}
		value = expanded
	}
	old := reflect.New(v.Type()).Elem()
	old.Set(v)
	p := s.assign(v, value, isText, path)
	if p == nil {
		p = f.check(v)
	}
	if p != nil {
		v.Set(old)
		s.report(n, path, p.Code, p.Message, p.Hint)
	}
}

// assign parses text into v; only the code, message and hint of the problem are
// set.
func (s *scan) assign(v reflect.Value, text string, isText bool, path string) *Problem {
	wrong := &Problem{Code: CodeWrongType, Message: fmt.Sprintf("want %s, got %q", wanted(v), text)}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(text)); err != nil {
			return &Problem{Code: CodeInvalidValue, Message: err.Error()}
		}
		return nil
	}
	_, expanded := s.doc.expanded[path]
	switch v.Kind() {
	case reflect.String:
		if !isText {
			wrong.Message = fmt.Sprintf("want text, got %s, which YAML reads as a number, a time or a truth value", text)
			wrong.Hint = fmt.Sprintf("quote it: %q", text)
			return wrong
		}
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil || isText && !expanded {
			return wrong
		}
		v.SetBool(b)
	default:
		i, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, v.Type().Bits())
		if err != nil || isText && !expanded {
			return wrong
		}
		v.SetInt(i)
	}
	return nil
}

// wanted says in words what a field takes.
func wanted(v reflect.Value) string {
	switch {
	case reflect.PointerTo(v.Type()).Implements(textType):
		return "a " + strings.ToLower(v.Type().Name())
	case v.Kind() == reflect.Bool:
		return "true or false"
	case v.Kind() == reflect.String:
		return "text"
	}
	return "a whole number"
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch tag := n.ShortTag(); {
	case tag == "!!null":
		return "nothing"
	case !strings.HasPrefix(tag, "!!"):
		return fmt.Sprintf("the tag %q", tag)
	}
	return fmt.Sprintf("%q", n.Value)
}

var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// Join appends a key to a path; a key that would read as more than one is
// written in brackets.
func Join(path, key string) string {
	switch {
	case !plainKey.MatchString(key):
		return fmt.Sprintf("%s[%q]", path, key)
	case path == "":
		return key
	}
	return path + "." + key
}
