// Package remediation is the decide machine: findings, outcomes and controls in,
// decisions and commands out.
//
// Every state of a finding is judged by every rule, those of higher priority first
// and otherwise in the order in which rules are configured. A rule whose condition
// is false leaves no trace. One whose condition is true makes a [flyball.Decision],
// whether or not anything is sent: every gate is asked and recorded, also after one
// has refused, with the value of every part of the condition. See package gate for
// the gates.
//
//   - All gates pass: verb act, and a [flyball.Command].
//   - Only the gate "mode" refuses, because the mode is observe: verb observe.
//     From then on the finding and the cooldown count as if a command had been
//     sent, for rules that observe; they never hold a command of a rule that acts.
//   - Only the gate "approval" refuses: verb suggest or await_approval, and the
//     operation waits for a person.
//   - Anything else refuses: verb suppress.
//
// A rule begins at most one operation for a finding. A finding that is resolved is
// judged only by rules whose condition reads finding.state. What cannot be judged
// is refused: a condition that cannot be evaluated by the gate "condition", a
// target or parameter that cannot be filled (a label that is not there) by one
// called "template" in front of the gates.
//
// An operation is reserved before its command is sent, in the same transaction, and
// holds its target until it is closed (see [memory.Operation]). Executors report outcomes; that
// one succeeded begins verification, in which the indicator must recover and stay
// so. What fails is tried again or escalated, what makes things worse is undone,
// and silence past the deadline is unknown: it blocks the target.
//
// Time is the event time of findings. The machine's clock is the latest that it
// has seen; it forgets by that clock, and refuses what it could have forgotten:
//
//   - A command for a finding is remembered until [memory.ResolvedFor] after the finding
//     is resolved, or [memory.OpenFor] after it opened. Rules do not act for the first
//     time on findings that are open for longer.
//   - A cooldown is remembered until it is over, and [memory.LateBy] longer. Rules with a
//     cooldown do not act on findings that are later than that.
//   - No more than [memory.Max] of anything are remembered; when full, nothing
//     new is sent.
//
// What happens by itself (deadlines, verification, the hold of a condition) happens
// when the watermarks of all partitions of panes have passed its time, or a later
// finding of the same entity has come: by then all findings before it are known, so
// that it does not matter how the log was cut or which partition was faster.
package remediation

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/condition"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/flyball-io/flyball/processors/remediation/memory"
	"github.com/flyball-io/flyball/processors/topology"
)

// StatePrefix is what all keys of the machine in the state topic start with.
const StatePrefix = memory.Prefix

// Defaults of rules.
const (
	// DefaultWithin is how long an indicator may take to recover.
	DefaultWithin = 10 * time.Minute
	// DefaultApproval is how long a person has to approve.
	DefaultApproval = 30 * time.Minute
)

// Config says what a machine decides by.
type Config struct {
	// Rules in the order in which they are judged. Of two that want the same
	// action on the same target, the first gets it.
	Rules []flyball.Rule
	// Guardrails say where rules may act, and how much. Without one they may not.
	Guardrails []gate.Guardrail
	// Topology says what needs what.
	Topology gate.Topology
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
	// Outcome is what an executor reports.
	Outcome *flyball.Outcome
	// Control is what a person says.
	Control *flyball.Control
	// Watermark is how far event time has come.
	Watermark *Watermark
}

// Watermark says that all findings of a partition of panes up to a time stand
// before it in the log.
type Watermark struct {
	// Partition of panes, of so many.
	Partition, Of int32
	// At is the time.
	At flyball.Time
	// Edges were learned from windows of calls up to then.
	Edges []topology.Edge
}

// New returns a machine without memory. Give it what an earlier one remembered
// with [Machine.Restore] before the first Step.
func New(cfg Config) (*Machine, error) {
	rules, err := compileRules(cfg.Rules)
	if err != nil {
		return nil, err
	}
	m := &Machine{rules: rules, byName: map[string]*rule{}, guardrails: cfg.Guardrails, needs: cfg.Topology, needed: cfg.Topology.Reverse(),
		revision: cfg.ConfigRevision, memory: memory.New(longestCooldowns(cfg.Rules))}
	for _, r := range rules {
		m.byName[r.Name] = r
	}
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
	slices.SortStableFunc(out, func(a, b *rule) int { return cmp.Compare(b.Priority, a.Priority) })
	return out, nil
}
