// Package remediation is the decide machine: findings in, decisions and commands
// out.
//
// Every state of a finding is judged by every rule, in the order in which rules
// are configured. A rule whose condition is false leaves no trace. One whose
// condition is true makes a [flyball.Decision], whether or not anything is sent:
// every gate is asked and recorded, also after one has refused, with the value
// of every part of the condition.
//
//   - All gates pass: verb act, and a [flyball.Command].
//   - Only the gate "mode" refuses, because the rule observes: verb observe.
//     From then on the finding and the cooldown count as if a command had been
//     sent, for rules that observe; they never hold a command of a rule that acts.
//   - Anything else refuses: verb suppress.
//
// A rule sends at most one command for a finding. A finding that is resolved is
// judged only by rules whose condition reads finding.state.
//
// What cannot be judged is refused, and says so: a condition that cannot be
// evaluated adds a refusal called "condition" in front of the gates, and a
// target or parameter that cannot be filled (a label that is not there) one
// called "template".
//
// Time is the event time of findings. The machine's clock is the latest that it
// has seen; it forgets by that clock, and refuses what it could have forgotten:
//
//   - A command for a finding is remembered until [ResolvedFor] after the finding
//     is resolved, or [OpenFor] after it opened. Rules do not act for the first
//     time on findings that are open for longer.
//   - A cooldown is remembered until it is over, and [LateBy] longer. Rules with a
//     cooldown do not act on findings that are later than that.
//   - No more than [MaxRemembered] of either are remembered; when full, nothing
//     new is sent.
package remediation

import (
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/condition"
)

// Bounds of what the machine remembers. What lies beyond is refused, so that a
// bound never makes it act twice.
const (
	// ResolvedFor is how long after a finding is resolved the machine remembers
	// that it was commanded.
	ResolvedFor = time.Hour
	// OpenFor is how long after a finding opened the machine remembers that it
	// was commanded, when it never hears that it is resolved.
	OpenFor = 30 * 24 * time.Hour
	// LateBy is how far behind the latest finding another may be and still be
	// measured against cooldowns.
	LateBy = time.Hour
	// MaxRemembered is how many commanded findings, and how many cooldowns, are
	// remembered.
	MaxRemembered = 100_000
	// sweepEvery is the event time between two looks for what can be forgotten.
	sweepEvery = 10 * time.Minute
)

// Config says what a machine decides by.
type Config struct {
	// Rules in the order in which they are judged. Of two that want the same
	// action on the same target, the first gets it.
	Rules []flyball.Rule
	// ConfigRevision identifies the whole configuration; it is kept with every
	// decision.
	ConfigRevision string
}

// Validate says what is wrong with c: the first rule that cannot be used.
func (c Config) Validate() error {
	_, err := compileRules(c.Rules)
	return err
}

// Input is what the machine consumes: entries in the order of the log.
type Input []Entry

// Entry is one record of the log, of which exactly one field is set.
type Entry struct {
	// Finding is a state of a finding. It must not change after Step.
	Finding *flyball.Finding
}

// New returns a machine without memory. Give it what an earlier one remembered
// with [Machine.Restore] before the first Step.
func New(cfg Config) (*Machine, error) {
	rules, err := compileRules(cfg.Rules)
	if err != nil {
		return nil, err
	}
	m := &Machine{rules: rules, revision: cfg.ConfigRevision, memory: newMemory(longestCooldowns(cfg.Rules))}
	return m, nil
}

// CheckCondition returns all that is wrong with the condition of a rule, with
// line and column in it; none when it can be used.
func CheckCondition(expr string) []Issue { return condition.Check(expr) }

// CheckTemplate returns all that is wrong with the target of a rule or with a
// parameter of its action; none when it can be used.
func CheckTemplate(text string) []Issue { return condition.CheckTemplate(text) }

// Issue is something wrong with a condition or a template.
type Issue = condition.Issue

// compileRules compiles rules and refuses the set if one cannot be used.
func compileRules(rules []flyball.Rule) ([]*rule, error) {
	language, err := condition.NewLanguage()
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var out []*rule
	for _, r := range rules {
		if seen[r.Name] {
			return nil, fmt.Errorf("cannot compile rule %q: another has the same name", r.Name)
		}
		seen[r.Name] = true
		compiled, err := compileRule(language, r)
		if err != nil {
			return nil, fmt.Errorf("cannot compile rule %q: %w", r.Name, err)
		}
		out = append(out, compiled)
	}
	return out, nil
}
