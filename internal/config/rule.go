package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

func (l *loading) compileRules() []flyball.Rule {
	var out []flyball.Rule
	for _, o := range l.rules {
		s := &o.Spec
		l.checkText(o.Doc, "spec.when", s.When, kind.CodeInvalidExpression, l.options.CheckExpr)
		l.checkText(o.Doc, "spec.target", s.Target, kind.CodeInvalidTemplate, l.options.CheckTemplate)
		switch path := "spec.action.name"; {
		case !o.Doc.Has(path) || !o.Doc.OK(path):
		case s.Action.Name == "":
			o.Report(path, strictyaml.CodeInvalidValue, "the name of the action is empty", "")
		case strings.Contains(s.Action.Name, "{{"):
			o.Report(path, kind.CodeInvalidTemplate, "the name of an action cannot have places", "places belong in target and params")
		}
		r := flyball.Rule{Name: o.Metadata.Name, When: s.When, Target: s.Target, Mode: flyball.Mode(s.Mode),
			Action:   flyball.Action{Name: s.Action.Name},
			Cooldown: s.Cooldown.Std(), Deadline: s.Deadline.Std(), Owner: s.Owner}
		for _, name := range slices.Sorted(maps.Keys(s.Action.Params)) {
			value := string(s.Action.Params[name])
			if path := strictyaml.Join("spec.action.params", name); value != "" {
				l.checkText(o.Doc, path, value, kind.CodeInvalidTemplate, l.options.CheckTemplate)
			}
			if r.Action.Params == nil {
				r.Action.Params = map[string]string{}
			}
			r.Action.Params[name] = value
		}
		r.Revision = revision(r)
		out = append(out, r)
	}
	return out
}

// checkText reports what check finds in a text, at its place in the file.
func (l *loading) checkText(d *strictyaml.Document, path, text string, code strictyaml.Code, check func(string) []ExprIssue) {
	if !d.Has(path) || !d.OK(path) {
		return
	}
	if strings.TrimSpace(text) == "" {
		d.Report(Problem{Path: path, Code: strictyaml.CodeInvalidValue, Message: "the text is empty"})
		return
	}
	for _, issue := range check(text) {
		d.ReportInside(Problem{Path: path, Code: code, Message: issue.Message, Hint: issue.Hint}, issue.Line, issue.Col)
	}
}

// revision returns a hash of what a rule says: comments, layout and the file it
// is in make no difference.
func revision(r flyball.Rule) string {
	r.Revision = ""
	text, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("BUG: a rule does not encode: %v", err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
