package remediation

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/condition"
)

// rule is a flyball.Rule ready to be judged.
type rule struct {
	flyball.Rule
	when   *condition.Condition
	target *condition.Template
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
	params, err := json.Marshal(r.Action.Params) // names sorted
	if err != nil {
		panic("BUG: cannot encode strings: " + err.Error())
	}
	return hashOf("rule", r.Name, strings.TrimSpace(r.When), r.Target, r.Action.Name, string(params),
		string(r.Mode), r.Cooldown.String(), r.Deadline.String())
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
	for name, text := range r.Action.Params {
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
	case r.Mode != flyball.ModeObserve && r.Mode != flyball.ModeAuto:
		return fmt.Errorf("mode %q is not %s or %s", r.Mode, flyball.ModeObserve, flyball.ModeAuto)
	case r.Target == "":
		return errors.New("it has no target")
	case r.Action.Name == "":
		return errors.New("its action has no name")
	case r.Cooldown < 0:
		return fmt.Errorf("cooldown %s is negative", r.Cooldown)
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
		out[r.Action.Name] = max(out[r.Action.Name], r.Cooldown)
	}
	return out
}

// fill returns the target and the action for one finding. The target is ""
// when there is an error.
func (r *rule) fill(v *condition.View) (string, flyball.Action, error) {
	action := flyball.Action{Name: r.Action.Name}
	target, err := r.target.Render(v)
	if err != nil {
		return "", action, fmt.Errorf("target: %w", err)
	}
	for _, p := range r.params {
		value, err := p.value.Render(v)
		if err != nil {
			return "", action, fmt.Errorf("parameter %s: %w", p.name, err)
		}
		if action.Params == nil {
			action.Params = make(map[string]string, len(r.params))
		}
		action.Params[p.name] = value
	}
	return target, action, nil
}
