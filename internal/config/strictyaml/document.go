package strictyaml

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v4"
)

// Document is one YAML document of a file.
type Document struct {
	// File is the path of the file.
	File string

	// base is the number of lines of the file before the document's text.
	base  int
	lines []string
	root  *yaml.Node
	// values and keys hold the nodes met in decoding, by path.
	values, keys map[string]*yaml.Node
	failed       map[string]bool
	// expanded holds what references came to, by path.
	expanded map[string]string
	problems []Problem
}

// Split parses the documents of a file. A document that is not YAML is reported
// and left out; those after it are read all the same.
func Split(file string, text []byte) ([]*Document, []Problem) {
	s := strings.TrimPrefix(string(text), "\uFEFF")
	if !utf8.ValidString(s) {
		return nil, []Problem{{File: file, Code: CodeSyntax, Severity: Error,
			Message: "the file is not UTF-8 text"}}
	}
	lines := strings.Split(s, "\n")
	if p, found := oddBreak(file, lines); found {
		return nil, []Problem{p}
	}
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	var docs []*Document
	var problems []Problem
	start, content := 0, false
	for i := 0; i <= len(lines); i++ {
		if i < len(lines) && !isMarker(lines[i]) {
			content = content || isContent(lines[i])
			continue
		}
		// Comments and %directives before a marker belong to the document that
		// the marker starts.
		if content {
			d := &Document{File: file, base: start, lines: lines,
				values: map[string]*yaml.Node{}, keys: map[string]*yaml.Node{},
				failed: map[string]bool{}, expanded: map[string]string{}}
			if d.parse(strings.Join(lines[start:i], "\n") + "\n") {
				docs = append(docs, d)
			}
			problems = append(problems, d.problems...)
			d.problems = nil
		}
		if content || i == len(lines) {
			start = i
		}
		content = i < len(lines) && isContent(strings.TrimPrefix(lines[i], "---"))
	}
	return docs, problems
}

// oddBreak finds a character that ends a line for the YAML parser but not for
// editors, nor here: with it the positions of all that follows would be wrong.
func oddBreak(file string, lines []string) (Problem, bool) {
	for i, line := range lines {
		for at, r := range line {
			isBreak := r == '\u0085' || r == '\u2028' || r == '\u2029' || r == '\r' && at < len(line)-1
			if isBreak || r == '\r' && i == len(lines)-1 {
				return Problem{File: file, Line: i + 1, Col: utf8.RuneCountInString(line[:at]) + 1, Code: CodeSyntax, Severity: Error,
					Message: fmt.Sprintf("the character %U ends a line in YAML, but not in most editors", r),
					Hint:    "end lines with LF or CRLF; in double quotes write it as an escape"}, true
			}
		}
	}
	return Problem{}, false
}

// isMarker reports whether a line starts a document. YAML allows such a line
// nowhere else, not even inside a block of text.
func isMarker(line string) bool {
	rest, found := strings.CutPrefix(line, "---")
	return found && (rest == "" || rest[0] == ' ' || rest[0] == '\t')
}

func isContent(line string) bool {
	line = strings.TrimSpace(line)
	return line != "" && line != "..." && line[0] != '#' && line[0] != '%'
}

// parse fills root; it reports whether there is something to read.
func (d *Document) parse(text string) bool {
	loader, err := yaml.NewLoader(strings.NewReader(text))
	if err != nil {
		panic("BUG: cannot make a YAML loader: " + err.Error())
	}
	var node yaml.Node
	err = loader.Load(&node)
	if err == nil {
		err = d.trailing(loader)
	}
	if errors.Is(err, io.EOF) {
		return false
	}
	if err != nil {
		d.syntax(err, text)
		return false
	}
	if len(node.Content) == 0 {
		return false
	}
	d.root = node.Content[0]
	return true
}

// trailing makes sure that nothing follows the document's end.
func (d *Document) trailing(loader *yaml.Loader) error {
	var next yaml.Node
	err := loader.Load(&next)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	d.add(Problem{Line: next.Line, Col: next.Column, Code: CodeSyntax,
		Message: "text after the end of a document", Hint: "start the next document with a line ---"})
	return nil
}

// syntax reports what the YAML parser says.
func (d *Document) syntax(err error, text string) {
	p := Problem{Code: CodeSyntax, Message: "cannot parse YAML: " + err.Error()}
	p.Line, p.Col = controlCharacter(text)
	var le *yaml.LoadError
	if errors.As(err, &le) {
		p.Message = "cannot parse YAML: " + le.Message
		if le.Mark.Line > 0 {
			p.Line, p.Col = le.Mark.Line, le.Mark.Column
		}
		if le.ContextMsg != "" && le.ContextMark.Line > 0 {
			p.Message += fmt.Sprintf(", %s that starts in line %d", le.ContextMsg, le.ContextMark.Line+d.base)
		}
	}
	// The parser finds what is missing at the end only after the end.
	if d.base+p.Line >= len(d.lines) && d.line(p.Line) == "" {
		for p.Line > 1 && strings.TrimSpace(d.line(p.Line)) == "" {
			p.Line--
		}
		p.Col = utf8.RuneCountInString(d.line(p.Line)) + 1
	}
	switch line := d.line(p.Line); {
	case strings.Contains(line, "\t"):
		p.Hint = "indent with spaces: YAML does not allow tabs"
	case strings.HasPrefix(line, "%"):
		p.Hint = "delete the line: directives are not needed"
	}
	d.add(p)
}

// controlCharacter returns the place of the first character that YAML forbids,
// which the parser does not say; 1:1 if there is none.
func controlCharacter(text string) (line, col int) {
	i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\n\r\u0085", r) })
	before := text[:max(0, i)]
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}

// line returns a line of the document, counted from 1, without its line end.
func (d *Document) line(n int) string {
	if i := d.base + n - 1; n >= 1 && i < len(d.lines) {
		return d.lines[i]
	}
	return ""
}

// add completes a problem whose line counts from the document's start.
func (d *Document) add(p Problem) {
	p.File = d.File
	if value, ok := d.expanded[p.Path]; ok {
		// What a reference comes to may be a secret that is in the wrong place.
		written := resolve(d.values[p.Path]).Value
		p.Message, p.Hint = hide(p.Message, value, written), hide(p.Hint, value, written)
	}
	p.source = d.line(p.Line)
	if p.Line > 0 {
		p.Line += d.base
	}
	if p.Severity == "" {
		p.Severity = Error
	}
	if p.Severity == Error {
		d.failed[p.Path] = true
	}
	d.problems = append(d.problems, p)
}

// hide replaces a value in a text by the reference that it came from.
func hide(text, value, written string) string {
	text = strings.ReplaceAll(text, strconv.Quote(value), strconv.Quote(written))
	if len(value) < 4 {
		return text // too short to tell from other text
	}
	return strings.ReplaceAll(text, value, written)
}

// Problems returns what has been reported so far.
func (d *Document) Problems() []Problem { return d.problems }

// Text returns the text at a key of the top level, before decoding; "" when
// there is none, which is reported: what is not text, and a document that is not
// a mapping, too.
func (d *Document) Text(key string) string {
	if d.root.Kind != yaml.MappingNode {
		if !d.failed[""] {
			d.Report(Problem{Code: CodeWrongType, Message: "want a mapping, got " + describe(d.root)})
		}
		return ""
	}
	for i := 0; i+1 < len(d.root.Content); i += 2 {
		if d.root.Content[i].Value != key {
			continue
		}
		d.values[key] = d.root.Content[i+1]
		v := resolve(d.values[key])
		if v.Kind == yaml.ScalarNode && v.ShortTag() == "!!str" && v.Value != "" {
			return v.Value
		}
		d.Report(Problem{Path: key, Code: CodeWrongType, Message: "want text, got " + describe(v)})
		return ""
	}
	d.Report(Problem{Path: key, Code: CodeMissingField, Message: fmt.Sprintf("%q is required", key)})
	return ""
}

// TextAt returns the text at a path that was read as it comes, if it is text.
func (d *Document) TextAt(path string) (text string, ok bool) {
	n := d.values[path]
	if n == nil {
		return "", false
	}
	v := resolve(n)
	return v.Value, v.Kind == yaml.ScalarNode && v.ShortTag() == "!!str"
}

// Has reports whether the field at path is written in the document.
func (d *Document) Has(path string) bool { return d.values[path] != nil }

// Expanded reports whether the text at path has a reference in it.
func (d *Document) Expanded(path string) bool {
	_, ok := d.expanded[path]
	return ok
}

// OK reports whether no error was reported at these paths or inside them, so
// that a check that builds on them says something new.
func (d *Document) OK(paths ...string) bool {
	for failed := range d.failed {
		for _, p := range paths {
			if rest, found := strings.CutPrefix(failed, p); found && (rest == "" || rest[0] == '.' || rest[0] == '[') {
				return false
			}
		}
	}
	return true
}

// Report adds a problem at the value of the field at path or, when it is not
// written, at the key of the nearest field around it.
func (d *Document) Report(p Problem) {
	n := d.place(p.Path)
	p.Line, p.Col = n.Line, n.Column
	d.add(p)
}

// ReportInside adds a problem at a character inside the scalar at path: line and
// col count from 1 in the scalar's text, however it is quoted, folded or
// indented in the file.
func (d *Document) ReportInside(p Problem, line, col int) {
	n := d.values[p.Path]
	_, expanded := d.expanded[p.Path]
	if n == nil || resolve(n).Kind != yaml.ScalarNode || expanded {
		d.Report(p)
		return
	}
	p.Line, p.Col = d.locate(resolve(n), line, col)
	d.add(p)
}

// Position returns file:line of the field at path, for a message about another
// place.
func (d *Document) Position(path string) string {
	return fmt.Sprintf("%s:%d", d.File, d.place(path).Line+d.base)
}

func (d *Document) place(path string) *yaml.Node {
	if n := d.values[path]; n != nil {
		return n
	}
	for path != "" {
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
		if n := d.keys[path]; n != nil {
			return n
		}
		if n := d.values[path]; n != nil {
			return n
		}
	}
	return d.root
}

// resolve follows an alias to its anchor.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}
