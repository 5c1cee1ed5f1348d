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
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/processors/remediation/condition"
)

func (l *loading) compileRules() []flyball.Rule {
	var out []flyball.Rule
	for _, o := range l.rules {
		s := &o.Spec
		l.checkText(o.Doc, "spec.when", s.When, kind.CodeInvalidExpression, l.options.CheckExpr)
		l.checkText(o.Doc, "spec.target", s.Target, kind.CodeInvalidTemplate, l.options.CheckTemplate)
		r := flyball.Rule{Name: o.Metadata.Name, When: s.When, Target: s.Target, Mode: flyball.Mode(s.Mode),
			Action:   l.compileAction(o, "spec.action", s.Action),
			Cooldown: s.Cooldown.Std(), Deadline: s.Deadline.Std(), Owner: s.Owner,
			For: s.For.Std(), Priority: s.Priority, Approval: s.ApprovalTimeout.Std(),
			Notify: s.Notify, Essential: s.Essential, Redirect: s.Dependency == "redirect"}
		l.compileAfter(o, &r)
		l.checkNotify(o)
		r.Revision = revision(r)
		out = append(out, r)
	}
	return out
}

// compileAfter compiles what happens after a command.
func (l *loading) compileAfter(o *kind.Object[spec.Rule], r *flyball.Rule) {
	s := &o.Spec
	if v := s.Verify; v != nil {
		l.checkText(o.Doc, "spec.verify.recovered", v.Recovered, kind.CodeInvalidExpression, l.options.CheckExpr)
		l.checkText(o.Doc, "spec.verify.worse", v.Worse, kind.CodeInvalidExpression, l.options.CheckExpr)
		r.Verify = flyball.Verify{Recovered: v.Recovered, Worse: v.Worse, Within: v.Within.Std(), Stabilisation: v.Stabilisation.Std()}
	}
	if s.Compensation != nil {
		r.Compensation = l.compileAction(o, "spec.compensation", *s.Compensation)
	}
	if e := s.Escalate; e != nil {
		o.NotEmpty("spec.escalate.to", len(e.To), "name an action, or delete the lines")
		r.EscalateAfter = e.After.Std()
		for i, a := range e.To {
			r.Escalate = append(r.Escalate, l.compileAction(o, fmt.Sprintf("spec.escalate.to[%d]", i), a))
		}
	}
}

// compileAction checks an action of a rule at a path.
func (l *loading) compileAction(o *kind.Object[spec.Rule], at string, a spec.Action) flyball.Action {
	out := flyball.Action{Name: a.Name}
	path := strictyaml.Join(at, "name")
	switch {
	case !o.Doc.Has(path) || !o.Doc.OK(path):
	case a.Name == "":
		o.Report(path, strictyaml.CodeInvalidValue, "the name of the action is empty", "")
	case strings.Contains(a.Name, "{{"):
		o.Report(path, kind.CodeInvalidTemplate, "the name of an action cannot have places", "places belong in target and params")
	default:
		l.checkAction(o, at, a)
	}
	for _, name := range slices.Sorted(maps.Keys(a.Params)) {
		value := string(a.Params[name])
		if path := strictyaml.Join(at+".params", name); value != "" {
			l.checkText(o.Doc, path, value, kind.CodeInvalidTemplate, l.options.CheckTemplate)
		}
		if out.Params == nil {
			out.Params = map[string]string{}
		}
		out.Params[name] = value
	}
	return out
}

// checkAction reports an action or a parameter that no document of kind Action has.
func (l *loading) checkAction(o *kind.Object[spec.Rule], at string, a spec.Action) {
	if len(l.actions) == 0 {
		return
	}
	var names, params []string
	var known *spec.ActionKind
	for _, x := range l.actions {
		names = append(names, x.Metadata.Name)
		if x.Metadata.Name == a.Name {
			known = &x.Spec
		}
	}
	if known == nil {
		o.Report(strictyaml.Join(at, "name"), kind.CodeUnknownReference, fmt.Sprintf("there is no action named %q", a.Name), strictyaml.DidYouMean(a.Name, names))
		return
	}
	for _, p := range known.Params {
		params = append(params, p.Name)
		if _, given := a.Params[p.Name]; p.Required && !given {
			o.Report(strictyaml.Join(at, "name"), kind.CodeUnknownReference, fmt.Sprintf("action %q needs the parameter %q", a.Name, p.Name), "")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Params)) {
		if !slices.Contains(params, name) {
			o.Report(strictyaml.Join(at+".params", name), kind.CodeUnknownReference, fmt.Sprintf("action %q has no parameter %q", a.Name, name), strictyaml.DidYouMean(name, params))
		}
	}
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
	issues := check(text)
	for _, issue := range issues {
		d.ReportInside(Problem{Path: path, Code: code, Message: issue.Message, Hint: issue.Hint}, issue.Line, issue.Col)
	}
	if len(issues) == 0 {
		l.checkLabels(d, path, text, code)
	}
}

// checkLabels reports labels that no indicator groups by, so that no finding has
// them.
func (l *loading) checkLabels(d *strictyaml.Document, path, text string, code strictyaml.Code) {
	var known []string
	for _, i := range l.indicatorOf {
		known = append(known, i.GroupBy...)
	}
	if len(known) == 0 || l.options.SLOsOnly {
		return
	}
	for _, o := range l.canaries.Canaries { // findings about canaries say what was compared
		known = append(known, o.Spec.Version, "baseline", "cohort")
	}
	known = append(known, "source") // of findings about sources
	slices.Sort(known)
	known = slices.Compact(known)
	uses := condition.LabelsOfTemplate(text)
	if code == kind.CodeInvalidExpression {
		uses = condition.LabelsOf(text)
	}
	for _, u := range uses {
		if !slices.Contains(known, u.Name) {
			d.ReportInside(Problem{Path: path, Code: kind.CodeUnknownLabel, Message: fmt.Sprintf("no indicator groups by label %q, so no finding has it", u.Name),
				Hint: strictyaml.DidYouMean(u.Name, known)}, u.Line, u.Col)
		}
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
