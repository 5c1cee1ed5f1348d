package condition

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// MaxText is how many bytes a rendered template may have. Its parts come from
// telemetry, which anyone may send.
const MaxText = 1024

// Template is text with places: "deploy/{{finding.labels.service}}". A place
// holds an expression of the language that comes to a string, a number or a
// bool; "}}" ends it, also within quotes.
type Template struct {
	text   string
	pieces []piece
}

// piece is literal text, or a place with its expression.
type piece struct {
	literal string
	program cel.Program
	source  string
}

// Template checks and compiles text. The issues are all that is wrong with it.
func (l *Language) Template(text string) (*Template, []Issue) {
	t := &Template{text: text}
	var issues []Issue
	for at := 0; at < len(text); {
		open := strings.Index(text[at:], "{{")
		if open < 0 {
			t.pieces = append(t.pieces, piece{literal: text[at:]})
			break
		}
		if open > 0 {
			t.pieces = append(t.pieces, piece{literal: text[at : at+open]})
		}
		start := at + open + len("{{")
		length := strings.Index(text[start:], "}}")
		if length < 0 {
			issues = append(issues, locate(text, start-2, Issue{Line: 1, Col: 1, Message: "{{ has no }}"}))
			break
		}
		p, found := l.place(text[start : start+length])
		for _, i := range found {
			issues = append(issues, locate(text, start, i))
		}
		t.pieces = append(t.pieces, p)
		at = start + length + len("}}")
	}
	if issues != nil {
		return nil, issues
	}
	return t, nil
}

// place compiles the expression of a place.
func (l *Language) place(expr string) (piece, []Issue) {
	checked, issues := l.check(expr)
	if issues != nil {
		return piece{}, issues
	}
	switch checked.OutputType().Kind() {
	case types.StringKind, types.IntKind, types.UintKind, types.DoubleKind, types.BoolKind:
	default:
		return piece{}, []Issue{{Line: 1, Col: 1,
			Message: fmt.Sprintf("a place must hold a string, a number or a bool, this is %s", cel.FormatCELType(checked.OutputType()))}}
	}
	program, err := l.env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(MaxCost))
	if err != nil {
		return piece{}, []Issue{{Line: 1, Col: 1, Message: err.Error()}}
	}
	return piece{program: program, source: strings.TrimSpace(expr)}, nil
}

// locate moves an issue of the part of text that starts at offset to where it
// is in text.
func locate(text string, offset int, i Issue) Issue {
	before := text[:offset]
	if i.Line == 1 {
		i.Col += utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	}
	i.Line += strings.Count(before, "\n")
	return i
}

// CheckTemplate returns all that is wrong with a template.
func CheckTemplate(text string) []Issue {
	l, err := NewLanguage()
	if err != nil {
		return []Issue{{Line: 1, Col: 1, Message: err.Error()}}
	}
	_, issues := l.Template(text)
	return issues
}

// Render fills the places. It is an error when one cannot be evaluated, comes
// to nothing (such as a label that is not there) or holds control characters,
// and when the text grows longer than MaxText.
func (t *Template) Render(v *View) (string, error) {
	if len(t.pieces) == 1 && t.pieces[0].program == nil {
		return t.text, nil
	}
	var b strings.Builder
	for _, p := range t.pieces {
		if p.program == nil {
			b.WriteString(p.literal)
			continue
		}
		text, err := p.render(v)
		if err != nil {
			return "", fmt.Errorf("cannot fill {{%s}}: %w", p.source, err)
		}
		b.WriteString(text)
	}
	if b.Len() > MaxText {
		return "", fmt.Errorf("cannot fill %q: %d bytes are more than %d", t.text, b.Len(), MaxText)
	}
	return b.String(), nil
}

func (p piece) render(v *View) (string, error) {
	out, _, err := p.program.Eval(v)
	if err != nil {
		return "", err
	}
	text, ok := out.ConvertToType(types.StringType).(types.String)
	switch {
	case !ok:
		return "", fmt.Errorf("it is %s", out.Type().TypeName())
	case text == "":
		return "", fmt.Errorf("it is empty for this finding")
	case !utf8.ValidString(string(text)):
		return "", fmt.Errorf("it is not UTF-8")
	case strings.ContainsFunc(string(text), unicode.IsControl):
		return "", fmt.Errorf("it holds control characters")
	}
	return string(text), nil
}
