package strictyaml

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Severity says whether a problem stops the configuration from being used.
type Severity string

// The severities.
const (
	// Error stops the configuration from being used.
	Error Severity = "error"
	// Warning is a thing that works and is probably not meant.
	Warning Severity = "warning"
)

// Code is the stable name of a kind of problem.
type Code string

// The codes of problems that this package finds by itself.
const (
	CodeUnreadable     Code = "unreadable"           // the file cannot be read
	CodeSyntax         Code = "syntax"               // the text is not YAML
	CodeUnknownField   Code = "unknown_field"        // no such field
	CodeDuplicateField Code = "duplicate_field"      // the same key twice in one mapping
	CodeWrongType      Code = "wrong_type"           // such as a list where text is wanted
	CodeMissingField   Code = "missing_field"        // a required field is absent
	CodeInvalidValue   Code = "invalid_value"        // the right type, but not a value that is allowed
	CodeOutOfRange     Code = "out_of_range"         // below the minimum or above the maximum
	CodeUnresolved     Code = "unresolved_reference" // ${env:X} or ${file:/p} gives nothing
)

// Problem is one thing that is wrong with a configuration, and where.
type Problem struct {
	// File is the path of the file.
	File string `json:"file"`
	// Line and Col count from 1; Col counts characters. Both are 0 when the
	// problem is about the file as a whole.
	Line int `json:"line"`
	Col  int `json:"col"`
	// Path is the field, such as spec.window or spec.filter[2].
	Path string `json:"path,omitempty"`
	// Code names the kind of problem.
	Code Code `json:"code"`
	// Message says what is wrong.
	Message string `json:"message"`
	// Hint says what to do about it, where that is known.
	Hint string `json:"hint,omitempty"`
	// Severity is error or warning.
	Severity Severity `json:"severity"`

	// source is the line of text, for a snippet.
	source string
}

// String returns the problem on one line:
// `file:12:5: spec.windw: unknown field "windw" [unknown_field]; did you mean "window"?`.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Col)
	}
	b.WriteString(": ")
	if p.Severity == Warning {
		b.WriteString("warning: ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	fmt.Fprintf(&b, "%s [%s]", p.Message, p.Code)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

// Snippet returns the line of text that the problem is about and, under it, a
// caret at its column; "" when there is none. A password in a URL is blanked
// out.
func (p Problem) Snippet() string {
	if p.source == "" {
		return ""
	}
	var pad strings.Builder
	for i, r := range []rune(p.source) {
		if i >= p.Col-1 {
			break
		}
		// A tab under a tab keeps the caret in place at any tab width.
		if r != '\t' {
			r = ' '
		}
		pad.WriteRune(r)
	}
	number := fmt.Sprint(p.Line)
	return fmt.Sprintf("  %s | %s\n  %s | %s^", number, blankPassword(p.source),
		strings.Repeat(" ", len(number)), pad.String())
}

// blankPassword replaces what stands between :// and @, character by character,
// so that columns stay.
func blankPassword(line string) string {
	start := strings.Index(line, "://")
	if start < 0 {
		return line
	}
	start += len("://")
	at := strings.LastIndexByte(line[start:], '@')
	if at < 0 {
		return line
	}
	return line[:start] + strings.Repeat("*", len([]rune(line[start:start+at]))) + line[start+at:]
}

// Sort orders problems by file, line, column and code.
func Sort(ps []Problem) {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Col, b.Col), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Code, b.Code))
	})
}

// HasErrors reports whether one of the problems is an error.
func HasErrors(ps []Problem) bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return p.Severity == Error })
}

// WriteText writes problems for people, one per line, each followed by its
// snippet when snippets is set.
func WriteText(w io.Writer, ps []Problem, snippets bool) error {
	for _, p := range ps {
		text := p.String() + "\n"
		if s := p.Snippet(); snippets && s != "" {
			text += s + "\n"
		}
		if _, err := io.WriteString(w, text); err != nil {
			return fmt.Errorf("cannot write problems: %w", err)
		}
	}
	return nil
}

// WriteJSON writes problems for programs, one JSON object per line.
func WriteJSON(w io.Writer, ps []Problem) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, p := range ps {
		if err := enc.Encode(p); err != nil {
			return fmt.Errorf("cannot write problems: %w", err)
		}
	}
	return nil
}
