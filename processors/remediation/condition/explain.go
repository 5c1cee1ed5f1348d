package condition

import (
	"sort"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/flyball-io/flyball"
)

// part is a sub-expression whose value tells something.
type part struct {
	id   int64
	text string
}

// partsOf lists the sub-expressions of a condition, each text once, the whole
// first and then from left to right, outer before inner. Left out are constants,
// the groups that CEL makes of a chain a && b && c, and the inside of exists()
// and its like, which has a value per element.
func partsOf(checked *cel.Ast) ([]part, error) {
	native := checked.NativeRep()
	oneLine := cel.FormatWrapOnColumn(2 * MaxSize)
	var parts []part
	seen := map[string]bool{}
	var walk func(e ast.NavigableExpr) error
	walk = func(e ast.NavigableExpr) error {
		if telling(e) {
			text, err := cel.ExprToString(e, native.SourceInfo(), oneLine)
			if err != nil {
				return err
			}
			if !seen[text] {
				seen[text] = true
				parts = append(parts, part{e.ID(), text})
			}
		}
		if e.Kind() == ast.ComprehensionKind || e.Kind() == ast.SelectKind {
			return nil
		}
		for _, child := range e.Children() {
			if err := walk(child); err != nil {
				return err
			}
		}
		return nil
	}
	err := walk(ast.NavigateAST(native))
	return parts, err
}

// telling reports whether the value of e says more than its text.
func telling(e ast.NavigableExpr) bool {
	switch e.Kind() {
	case ast.CallKind:
		return !inChain(e) && len(ast.MatchDescendants(e, ast.KindMatcher(ast.IdentKind))) > 0
	case ast.ComprehensionKind, ast.SelectKind:
		return true
	}
	return false
}

// inChain reports whether e is a && or || within another of the same.
func inChain(e ast.NavigableExpr) bool {
	name := e.AsCall().FunctionName()
	parent, ok := e.Parent()
	return ok && (name == operators.LogicalAnd || name == operators.LogicalOr) &&
		parent.Kind() == ast.CallKind && parent.AsCall().FunctionName() == name
}

// Explain evaluates the condition again, all of it, and returns the value of
// every sub-expression as text. A part that cannot be evaluated has the value
// "error: …".
func (c *Condition) Explain(v *View) []flyball.SubExpression {
	_, details, _ := c.tracked.Eval(v) // the error is the value of the part that it comes from
	if details == nil || details.State() == nil {
		return nil
	}
	out := make([]flyball.SubExpression, 0, len(c.parts))
	for _, p := range c.parts {
		if val, ok := details.State().Value(p.id); ok {
			out = append(out, flyball.SubExpression{Expr: p.text, Value: valueText(val)})
		}
	}
	return out
}

// valueText returns a value as a person would write it, always the same way.
func valueText(v ref.Val) string {
	switch v := v.(type) {
	case types.String:
		return strconv.Quote(string(v))
	case types.Double:
		return strconv.FormatFloat(float64(v), 'g', -1, 64)
	case types.Timestamp:
		return v.UTC().Format(time.RFC3339Nano)
	case types.Duration:
		return v.Duration.String()
	case *types.Err:
		return "error: " + v.Error()
	case *dict:
		return dictText(v)
	case traits.Lister:
		return listText(v)
	case traits.Mapper:
		return mapText(v)
	}
	if s, ok := v.ConvertToType(types.StringType).(types.String); ok {
		return string(s)
	}
	return v.Type().TypeName()
}

func dictText(d *dict) string {
	entries := make([]string, len(d.names))
	for i, n := range d.names {
		entries[i] = strconv.Quote(n) + ": " + valueText(d.values[i])
	}
	return "{" + strings.Join(entries, ", ") + "}"
}

func listText(l traits.Lister) string {
	const most = 10 // a person reads no more, and decisions stay small
	var items []string
	for it := l.Iterator(); it.HasNext() == types.True; {
		next := it.Next()
		if len(items) == most {
			items = append(items, "…")
			break
		}
		items = append(items, valueText(next))
	}
	return "[" + strings.Join(items, ", ") + "]"
}

func mapText(m traits.Mapper) string {
	var entries []string
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		entries = append(entries, valueText(key)+": "+valueText(m.Get(key)))
	}
	sort.Strings(entries)
	return "{" + strings.Join(entries, ", ") + "}"
}
