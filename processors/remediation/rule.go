package remediation

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/condition"
	"github.com/flyball-io/flyball/processors/remediation/memory"
)

// rule is a flyball.Rule ready to be judged.
type rule struct {
	flyball.Rule
	when   *condition.Condition
	target *condition.Template
	action action
	// compensation undoes the action, nil when nothing does; escalate are stronger
	// actions.
	compensation *action
	escalate     []*action
	// isRecovered and isWorse are nil for what they are by themselves.
	isRecovered, isWorse *condition.Condition
}

// action is a flyball.Action ready to be filled.
type action struct {
	name   string
	params []param
}

// param is a parameter of the action.
type param struct {
	name  string
	value *condition.Template
}

// RuleRevision returns what identifies the text of a rule: a hash of all that
// bears on what it decides, which is everything but its owner and the Revision
// field.
func RuleRevision(r flyball.Rule) string {
	r.Owner, r.Revision, r.When = "", "", strings.TrimSpace(r.When)
	text, err := json.Marshal(r) // names sorted
	if err != nil {
		panic("BUG: cannot encode a rule: " + err.Error())
	}
	return hashOf("rule", string(text))
}

// compileRule checks r and compiles its expressions.
func compileRule(l *condition.Language, r flyball.Rule) (*rule, error) {
	if err := checkRule(r); err != nil {
		return nil, err
	}
	if r.Revision == "" {
		r.Revision = RuleRevision(r)
	}
	out := &rule{Rule: r}
	var issues []Issue
	if out.when, issues = l.Compile(r.When); issues != nil {
		return nil, issuesError("when", issues)
	}
	if out.target, issues = l.Template(r.Target); issues != nil {
		return nil, issuesError("target", issues)
	}
	first, err := compileAction(l, r.Action)
	if err != nil {
		return nil, err
	}
	out.action = *first
	if r.Compensation.Name != "" {
		if out.compensation, err = compileAction(l, r.Compensation); err != nil {
			return nil, fmt.Errorf("compensation: %w", err)
		}
	}
	for i, a := range r.Escalate {
		next, err := compileAction(l, a)
		if err != nil {
			return nil, fmt.Errorf("escalate %d: %w", i+1, err)
		}
		out.escalate = append(out.escalate, next)
	}
	return out, out.compileVerify(l)
}

// compileVerify compiles the conditions of verification.
func (r *rule) compileVerify(l *condition.Language) error {
	for _, c := range []struct {
		name, text string
		into       **condition.Condition
	}{{"recovered", r.Verify.Recovered, &r.isRecovered}, {"worse", r.Verify.Worse, &r.isWorse}} {
		if c.text == "" {
			continue
		}
		var issues []Issue
		if *c.into, issues = l.Compile(c.text); issues != nil {
			return issuesError(c.name, issues)
		}
	}
	if r.Verify.Within == 0 {
		r.Verify.Within = DefaultWithin
	}
	if r.Approval == 0 {
		r.Approval = DefaultApproval
	}
	return nil
}

// compileAction compiles the parameters of an action.
func compileAction(l *condition.Language, a flyball.Action) (*action, error) {
	if a.Name == "" {
		return nil, errors.New("its action has no name")
	}
	out := &action{name: a.Name}
	for name, text := range a.Params {
		value, issues := l.Template(text)
		if issues != nil {
			return nil, issuesError("parameter "+name, issues)
		}
		out.params = append(out.params, param{name, value})
	}
	sort.Slice(out.params, func(i, j int) bool { return out.params[i].name < out.params[j].name })
	return out, nil
}

// checkRule checks what needs no compiler.
func checkRule(r flyball.Rule) error {
	switch {
	case r.Name == "":
		return errors.New("it has no name")
	case !utf8.ValidString(r.Name + r.Target + r.Action.Name):
		return errors.New("its name, target or action is not UTF-8")
	case r.Mode.Rank() < 0:
		return fmt.Errorf("mode %q is not one of %v", r.Mode, flyball.Modes())
	case r.Target == "":
		return errors.New("it has no target")
	case r.Action.Name == "":
		return errors.New("its action has no name")
	case r.Cooldown < 0:
		return fmt.Errorf("cooldown %s is negative", r.Cooldown)
	case min(r.For, r.Approval, r.EscalateAfter, r.Verify.Within, r.Verify.Stabilisation) < 0:
		return errors.New("a duration is negative")
	case r.Deadline <= 0:
		return fmt.Errorf("deadline %s is not positive: an executor must know when to stop", r.Deadline)
	}
	return nil
}

// issuesError joins issues of one field of a rule.
func issuesError(field string, issues []Issue) error {
	texts := make([]string, len(issues))
	for i, issue := range issues {
		texts[i] = field + ":" + issue.String()
	}
	return errors.New(strings.Join(texts, "; "))
}

// longestCooldowns returns the longest cooldown per action, which is how long
// a command can matter to any rule.
func longestCooldowns(rules []flyball.Rule) map[string]time.Duration {
	out := map[string]time.Duration{}
	for _, r := range rules {
		for _, a := range append([]flyball.Action{r.Action}, r.Escalate...) {
			out[a.Name] = max(out[a.Name], r.Cooldown)
		}
	}
	return out
}

// fill returns the target and the action for one finding. The target is ""
// when there is an error.
func (r *rule) fill(v *condition.View) (string, flyball.Action, error) {
	target, err := r.target.Render(v)
	if err != nil {
		return "", flyball.Action{Name: r.action.name}, fmt.Errorf("target: %w", err)
	}
	action, err := r.action.fill(v)
	if err != nil {
		return "", action, err
	}
	return target, action, nil
}

// fill returns the action for one finding, without parameters when there is an
// error.
func (a *action) fill(v *condition.View) (flyball.Action, error) {
	out := flyball.Action{Name: a.name}
	for _, p := range a.params {
		value, err := p.value.Render(v)
		if err != nil {
			return flyball.Action{Name: a.name}, fmt.Errorf("parameter %s: %w", p.name, err)
		}
		if out.Params == nil {
			out.Params = make(map[string]string, len(a.params))
		}
		out.Params[p.name] = value
	}
	return out, nil
}

// step returns the action that an operation is at.
func (r *rule) step(op memory.Operation) *action {
	switch {
	case op.Compensates != "" && r.compensation != nil:
		return r.compensation
	case op.Step > 0 && op.Step <= len(r.escalate):
		return r.escalate[op.Step-1]
	}
	return &r.action
}

// undo returns the action that would undo a command, nil when there is none.
func (r *rule) undo(v *condition.View) (*flyball.Action, error) {
	if r.compensation == nil {
		return nil, nil
	}
	a, err := r.compensation.fill(v)
	return &a, err
}

// errOver is why a condition that has held does not.
var errOver = errors.New("the condition does not hold any more")

// still says why the condition does not hold any more, nil when it does.
func (r *rule) still(v *condition.View) error {
	holds, err := r.when.Eval(v)
	if err == nil && !holds {
		err = errOver
	}
	return err
}

// recovered says whether a state of a finding means that the indicator is well. A
// condition that cannot be evaluated means that it is not.
func (r *rule) recovered(f *flyball.Finding, v *condition.View) bool {
	if r == nil || r.isRecovered == nil {
		return f.State == flyball.FindingResolved
	}
	holds, err := r.isRecovered.Eval(v)
	return err == nil && holds
}

// worse says whether a finding means that an operation did harm.
func (r *rule) worse(op memory.Operation, f *flyball.Finding, v *condition.View) bool {
	if r != nil && r.isWorse != nil {
		holds, err := r.isWorse.Eval(v)
		return err == nil && holds
	}
	return f.ID == op.Finding && f.State != flyball.FindingResolved && severity(f.Severity) > severity(op.Severity)
}

func severity(s string) int { return slices.Index([]string{"info", "ticket", "page"}, s) }

// commandVerify says in a command how it will be verified.
func (r *rule) commandVerify(f *flyball.Finding) *flyball.CommandVerify {
	return &flyball.CommandVerify{Indicator: f.Detector, Condition: cmp.Or(r.Verify.Recovered, `finding.state == "resolved"`),
		Within: r.Verify.Within.Seconds(), Stabilisation: r.Verify.Stabilisation.Seconds()}
}
