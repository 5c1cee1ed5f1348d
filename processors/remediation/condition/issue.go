package condition

import (
	"fmt"
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// Issue is something wrong with an expression.
type Issue struct {
	// Line and Col say where, both from 1, Col in characters. For a template
	// they count from its start.
	Line, Col int
	// Message says what is wrong.
	Message string
	// Hint says what to do about it, if that is known.
	Hint string
}

// String returns the issue as line:col: message (hint).
func (i Issue) String() string {
	s := fmt.Sprintf("%d:%d: %s", i.Line, i.Col, i.Message)
	if i.Hint != "" {
		s += " (" + i.Hint + ")"
	}
	return s
}

// Check returns all that is wrong with a condition, none when it can be used.
func Check(expr string) []Issue {
	l, err := NewLanguage()
	if err != nil {
		return []Issue{{Line: 1, Col: 1, Message: err.Error()}}
	}
	_, issues := l.Compile(expr)
	return issues
}

// issuesOf turns CEL's issues into ours. CEL suggests names for unknown
// variables and functions but not for unknown fields.
func (l *Language) issuesOf(expr string, iss *cel.Issues) []Issue {
	suggestion := regexp.MustCompile(`^(.*) \((did you mean .*)\)$`)
	unknown := regexp.MustCompile(`^undefined field '(.*)'$`)
	var out []Issue
	for _, e := range iss.Errors() {
		i := Issue{Line: max(1, e.Location.Line()), Col: max(0, e.Location.Column()) + 1, Message: e.Message}
		if m := suggestion.FindStringSubmatch(i.Message); m != nil {
			i.Message, i.Hint = m[1], m[2]
		}
		if strings.HasPrefix(i.Message, "undeclared reference to 'changes'") {
			i.Hint = "did you mean 'change'?" // it begins an expression, but is no function
		}
		if m := unknown.FindStringSubmatch(i.Message); m != nil {
			typ := l.typeBefore(expr, e.ExprID)
			i.Message, i.Hint = article(typ)+" has no field '"+m[1]+"'", l.fieldHint(typ, m[1])
		}
		i.Message = strings.TrimSuffix(i.Message, " (in container '')")
		out = append(out, i)
	}
	return out
}

// typeBefore returns the type that an unknown field is looked for in: what its operand
// is by its looks, because an expression that is wrong has no types. What cannot be
// told is an element of a list, most of which are findings.
func (l *Language) typeBefore(expr string, id int64) string {
	parsed, iss := l.env.Parse(expr)
	if iss.Err() != nil {
		return findingTypeName
	}
	found := ast.MatchDescendants(ast.NavigateAST(parsed.NativeRep()), func(e ast.NavigableExpr) bool {
		return e.ID() == id && e.Kind() == ast.SelectKind
	})
	if len(found) == 0 {
		return findingTypeName
	}
	switch of := found[0].AsSelect().Operand(); of.Kind() {
	case ast.IdentKind:
		if typ, ok := map[string]string{entityVar: entityTypeName, upstreamVar: neighboursTypeName, downstreamVar: neighboursTypeName, historyVar: historyTypeName}[of.AsIdent()]; ok {
			return typ
		}
	case ast.CallKind:
		if typ, ok := map[string]string{"change": changeTypeName, "outcomes": outcomesTypeName}[of.AsCall().FunctionName()]; ok {
			return typ
		}
	}
	return findingTypeName
}

// article names a type for a person: a finding, an entity.
func article(typ string) string {
	name := strings.ToLower(strings.TrimPrefix(typ, "flyball."))
	switch typ {
	case entityTypeName:
		return "an " + name
	case neighboursTypeName, historyTypeName, outcomesTypeName:
		return name
	}
	return "a " + name
}

// fieldHint says which field was meant: the nearest by spelling, or all.
func (l *Language) fieldHint(typ, name string) string {
	names := l.provider.names(typ)
	best, distance := "", 3 // more than two slips is another word
	for _, f := range names {
		if d := editDistance(name, f); d < distance && d < len(f) {
			best, distance = f, d
		}
	}
	switch {
	case best != "":
		return "did you mean '" + best + "'?"
	case typ == historyTypeName:
		return "it has change(target) and outcomes(action, target)"
	case typ == findingTypeName:
		return "it has " + strings.Join(names, ", ") + "; labels are finding.labels." + name
	}
	return "it has " + strings.Join(names, ", ")
}

// editDistance is the Levenshtein distance of a and b in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// wholeMaps refuses labels, evidence and thresholds as values by themselves: they can
// be read by name, walked, sized and asked with `in` and has(), but not compared
// (see dict).
func wholeMaps(checked *cel.Ast) []Issue {
	native := checked.NativeRep()
	bad := ast.MatchDescendants(ast.NavigateAST(native), func(e ast.NavigableExpr) bool {
		return e.Kind() == ast.SelectKind && isField(e, e.AsSelect().FieldName()) && e.Type().Kind() == types.MapKind && !readByName(e)
	})
	var out []Issue
	for _, e := range bad {
		at := native.SourceInfo().GetStartLocation(e.ID())
		name := e.AsSelect().FieldName()
		if of := e.AsSelect().Operand(); of.Kind() == ast.IdentKind {
			name = of.AsIdent() + "." + name
		}
		out = append(out, Issue{Line: at.Line(), Col: at.Column() + 1,
			Message: name + " is a map and cannot be compared as a whole",
			Hint:    "read one of it: " + name + ".name"})
	}
	return out
}

// readByName reports whether the map e is used in a way that dict supports.
func readByName(e ast.NavigableExpr) bool {
	if e.AsSelect().IsTestOnly() {
		return true // has(finding.labels)
	}
	parent, ok := e.Parent()
	if !ok {
		return false
	}
	switch parent.Kind() {
	case ast.SelectKind, ast.ComprehensionKind:
		return true
	case ast.CallKind:
		switch call := parent.AsCall(); call.FunctionName() {
		case operators.Index:
			return call.Args()[0].ID() == e.ID()
		case operators.In:
			return call.Args()[1].ID() == e.ID()
		case "size":
			return true
		}
	}
	return false
}
