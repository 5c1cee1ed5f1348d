// Package condition is the language in which rules are written: CEL over what the
// decide machine knows, both for conditions ("when", "verify") and for the places
// {{…}} of targets and parameters.
//
// Expressions are checked against the types when a rule is compiled, cannot loop for
// ever, read no clock and have no side effects, so that the same log always gives the
// same answer. Fields of `finding`:
//
//	id, kind, state, severity, entity, service, detector, tier, summary   string
//	labels       map(string, string); a label that is not there reads as ""
//	evidence     map(string, double), by name; reading one that is not there is an error
//	thresholds   map(string, double): what evidence was compared with
//	series       list of the series that an anomaly shows in, each with indicator, value,
//	             algorithm, direction, digits, share, observed, expected, at, labels
//	at, opened_at  timestamp
//	age          duration: at − opened_at
//	incomplete   bool
//	revision     int
//
// Besides, as far as findings, outcomes and controls before it in the log tell:
//
//	entity.findings      the other open findings of the entity and its service
//	entity.labels        labels of the entity: the finding's, then those of the others
//	upstream.services    what the service needs, the nearest first
//	upstream.findings    open findings of those
//	downstream.services, downstream.findings   the same of what needs the service
//	history.change(target)            known, who, at, age: of the last change by a person
//	changes              the recent changes of the entity and its service, the latest
//	                     first: kind, version, entity, target, who, at, age, ours
//	history.outcomes(action, target)  done, succeeded, failed, effective, ineffective:
//	                     counts of the last 24 hours; failures: those in a row
//
// Numbers of different types compare by value (finding.revision > 1.5). The
// functions are CEL's standard ones, its string extension (lowerAscii, replace,
// split, …), and has().
package condition

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
)

// Limits of an expression. A condition is judged on every finding, so what it
// may cost is bounded before it runs (size) and while it runs (cost).
const (
	// MaxSize is how many characters an expression may have.
	MaxSize = 4096
	// MaxDepth is how deep an expression may be nested.
	MaxDepth = 64
	// MaxCost is how many of CEL's cost units (about one per operation) an
	// evaluation may use; beyond it the evaluation is an error.
	MaxCost = 10_000
	// maxRegex bounds the compiled size of a regular expression.
	maxRegex = 1000
)

// Language compiles expressions. It is made once and never changes.
type Language struct {
	env      *cel.Env
	provider *provider
}

// NewLanguage returns the language of conditions.
func NewLanguage() (*Language, error) {
	provider, err := newProvider()
	if err != nil {
		return nil, fmt.Errorf("cannot build type %q: %w", findingTypeName, err)
	}
	env, err := cel.NewEnv(append(variables(),
		cel.CustomTypeProvider(provider),
		cel.CrossTypeNumericComparisons(true),
		cel.EnableMacroCallTracking(),
		cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(MaxSize),
		cel.ParserRecursionLimit(MaxDepth),
		cel.RegexProgramSizeLimit(maxRegex),
		cel.ASTValidators(
			cel.ValidateDurationLiterals(),
			cel.ValidateTimestampLiterals(),
			cel.ValidateRegexLiterals(),
			cel.ValidateComprehensionNestingLimit(2),
		),
		ext.Strings(),
	)...)
	if err != nil {
		return nil, fmt.Errorf("cannot build language %q: %w", "cel", err)
	}
	return &Language{env: env, provider: provider}, nil
}

// Condition is a compiled expression that is true or false of a finding.
type Condition struct {
	program cel.Program
	tracked cel.Program
	parts   []part
	state   bool
	around  bool
}

// Compile checks and compiles expr. The issues are all that is wrong with it,
// none when it can be used.
func (l *Language) Compile(expr string) (*Condition, []Issue) {
	checked, issues := l.check(expr)
	if issues != nil {
		return nil, issues
	}
	if checked.OutputType() != cel.BoolType {
		return nil, []Issue{{Line: 1, Col: 1,
			Message: fmt.Sprintf("a condition must be true or false, this is %s", cel.FormatCELType(checked.OutputType())),
			Hint:    "compare it with something"}}
	}
	c := &Condition{state: reads(checked, "state"), around: begins(checked, entityVar, upstreamVar, downstreamVar)}
	var err error
	if c.program, err = l.env.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(MaxCost)); err == nil {
		c.tracked, err = l.env.Program(checked, cel.EvalOptions(cel.OptExhaustiveEval), cel.CostLimit(MaxCost))
	}
	if err == nil {
		c.parts, err = partsOf(checked)
	}
	if err != nil {
		return nil, []Issue{{Line: 1, Col: 1, Message: err.Error()}}
	}
	return c, nil
}

// check parses expr and checks its types and its use of maps.
func (l *Language) check(expr string) (*cel.Ast, []Issue) {
	checked, iss := l.env.Compile(expr)
	if iss.Err() != nil {
		return nil, l.issuesOf(expr, iss)
	}
	if issues := wholeMaps(checked); issues != nil {
		return nil, issues
	}
	return checked, nil
}

// Eval says whether the condition holds for the finding. An error means that it
// cannot be said, for example because evidence that it reads is not there.
func (c *Condition) Eval(v *View) (bool, error) {
	out, _, err := c.program.Eval(v)
	if err != nil {
		return false, fmt.Errorf("cannot evaluate condition: %w", err)
	}
	return out == types.True, nil
}

// ReadsState says whether the condition mentions finding.state. Only such a
// condition is worth judging on a finding that is resolved.
func (c *Condition) ReadsState() bool { return c.state }

// ReadsAround says whether the condition looks at other findings than its own.
func (c *Condition) ReadsAround() bool { return c.around }

// begins reports whether an expression reads one of these variables.
func begins(checked *cel.Ast, names ...string) bool {
	return len(ast.MatchDescendants(ast.NavigateAST(checked.NativeRep()), func(e ast.NavigableExpr) bool {
		return e.Kind() == ast.IdentKind && slices.Contains(names, e.AsIdent())
	})) > 0
}

// reads reports whether an expression reads the field of the finding that it is judged
// on.
func reads(checked *cel.Ast, field string) bool {
	return len(ast.MatchDescendants(ast.NavigateAST(checked.NativeRep()), func(e ast.NavigableExpr) bool {
		return isField(e, field) && e.AsSelect().Operand().Kind() == ast.IdentKind && e.AsSelect().Operand().AsIdent() == findingVar
	})) > 0
}

// isField reports whether e is a field of that name of one of our types, not one of a
// map.
func isField(e ast.NavigableExpr, field string) bool {
	return e.Kind() == ast.SelectKind && e.AsSelect().FieldName() == field && e.Children()[0].Type().Kind() == types.StructKind
}
