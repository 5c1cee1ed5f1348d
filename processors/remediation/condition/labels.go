package condition

import (
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// Use is a label that an expression reads by its name.
type Use struct {
	// Name of the label; Line and Col say where it is read, both from 1.
	Name      string
	Line, Col int
}

// LabelsOf returns the labels that a condition reads by name, in order; none for
// one that cannot be compiled.
func LabelsOf(expr string) []Use {
	l, err := NewLanguage()
	if err != nil {
		return nil
	}
	return l.labels(expr)
}

func (l *Language) labels(expr string) []Use {
	checked, issues := l.check(expr)
	if issues != nil {
		return nil
	}
	native := checked.NativeRep()
	var out []Use
	ast.MatchDescendants(ast.NavigateAST(native), func(e ast.NavigableExpr) bool {
		if name, ok := labelName(e); ok {
			at := native.SourceInfo().GetStartLocation(e.ID())
			out = append(out, Use{name, at.Line(), at.Column() + 1})
		}
		return false
	})
	return out
}

// labelName returns the name in finding.labels.name and finding.labels["name"].
func labelName(e ast.NavigableExpr) (string, bool) {
	switch e.Kind() {
	case ast.SelectKind:
		if s := e.AsSelect(); isField(e.Children()[0], "labels") {
			return s.FieldName(), true
		}
	case ast.CallKind:
		call := e.AsCall()
		if args := call.Args(); call.FunctionName() == operators.Index && isField(e.Children()[0], "labels") && args[1].Kind() == ast.LiteralKind {
			s, ok := args[1].AsLiteral().(types.String)
			return string(s), ok
		}
	}
	return "", false
}

// LabelsOfTemplate returns the labels that the places of a template read.
func LabelsOfTemplate(text string) []Use {
	l, err := NewLanguage()
	if err != nil {
		return nil
	}
	var out []Use
	for at := 0; ; {
		open := strings.Index(text[at:], "{{")
		if open < 0 {
			return out
		}
		from := at + open + len("{{")
		length := strings.Index(text[from:], "}}")
		if length < 0 {
			return out
		}
		for _, u := range l.labels(text[from : from+length]) {
			i := locate(text, from, Issue{Line: u.Line, Col: u.Col})
			out = append(out, Use{u.Name, i.Line, i.Col})
		}
		at = from + length + len("}}")
	}
}
