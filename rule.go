package flyball

import (
	"slices"
	"time"
)

// Mode says how far a rule may go by itself.
type Mode string

// The modes, from the least to the most automatic. Each decides in the same way, and differs
// in what is sent.
const (
	// ModeObserve records what would have been done.
	ModeObserve Mode = "observe"
	// ModeSuggest lets a person start it, as long as the finding is open.
	ModeSuggest Mode = "suggest"
	// ModeApprove waits for a person, for a limited time.
	ModeApprove Mode = "approve"
	// ModeAutoNotify sends the command, and tells people.
	ModeAutoNotify Mode = "auto-notify"
	// ModeAuto sends the command.
	ModeAuto Mode = "auto"
)

// Modes returns every mode, from the least to the most automatic.
func Modes() []Mode { return []Mode{ModeObserve, ModeSuggest, ModeApprove, ModeAutoNotify, ModeAuto} }

// Rank is the place of the mode among [Modes], −1 for an unknown one.
func (m Mode) Rank() int { return slices.Index(Modes(), m) }

// Rule turns findings into commands.
type Rule struct {
	// Name identifies the rule.
	Name string
	// Revision is a hash of the rule's text; it is kept with every decision.
	Revision string
	// When is a CEL expression over `finding` and what is around it.
	When string
	// Target is what the command acts on, with {{finding.…}} places.
	Target string
	// Action is what to do.
	Action Action
	// Mode says how far the rule may go.
	Mode Mode
	// Cooldown is the shortest time between two commands of this action on one target.
	Cooldown time.Duration
	// Deadline is how long the executor has.
	Deadline time.Duration
	// Owner is who answers for the rule.
	Owner string
	// For is how long When must hold before anything is done.
	For time.Duration
	// Priority orders rules: of two that want the same target, that with the higher one is
	// asked first.
	Priority int
	// Approval is how long a person has to approve.
	Approval time.Duration
	// Verify says how it is known that the action helped.
	Verify Verify
	// Compensation undoes the action when it made things worse; without a name nothing does.
	Compensation Action
	// EscalateAfter is how long a finding may stay open after a command until the next of
	// Escalate is tried; 0 waits for the command to have failed.
	EscalateAfter time.Duration
	// Escalate are stronger actions, tried in order.
	Escalate []Action
	// Notify names who is told of what is decided.
	Notify []string
	// Essential rules act also while error budgets burn.
	Essential bool
	// Redirect aims at the open finding of what the service depends on, where others hold.
	Redirect bool `json:",omitempty"`
}

// Verify says how it is known that an action helped: the indicator behind the finding must
// recover within a time, and stay so.
type Verify struct {
	// Recovered is a CEL expression over the states of the finding that caused the command; ""
	// is that it is resolved.
	Recovered string
	// Worse is a CEL expression over findings of the same entity; "" is that the severity of
	// the finding rises.
	Worse string
	// Within is how long after success it may take to recover, Stabilisation how long it must
	// stay recovered.
	Within, Stabilisation time.Duration
}

// Action is a thing that an executor can do.
type Action struct {
	// Name of the action, such as "rollback".
	Name string `json:"name"`
	// Params of the action.
	Params map[string]string `json:"params,omitempty"`
}
