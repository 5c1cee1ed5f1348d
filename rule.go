package flyball

import "time"

// Mode says how far a rule may go by itself.
type Mode string

// The modes in issue today; each decides the same way, and differs in what is
// sent.
const (
	// ModeObserve records what would have been done.
	ModeObserve Mode = "observe"
	// ModeAuto sends the command.
	ModeAuto Mode = "auto"
)

// Rule turns findings into commands.
type Rule struct {
	// Name identifies the rule.
	Name string
	// Revision is a hash of the rule's text; it is kept with every decision.
	Revision string
	// When is a CEL expression over `finding`.
	When string
	// Target is what the command acts on, with {{finding.…}} places.
	Target string
	// Action is what to do.
	Action Action
	// Mode says how far the rule may go.
	Mode Mode
	// Cooldown is the shortest time between two commands of this action on one
	// target.
	Cooldown time.Duration
	// Deadline is how long the executor has.
	Deadline time.Duration
	// Owner is who answers for the rule.
	Owner string
}

// Action is a thing that an executor can do.
type Action struct {
	// Name of the action, such as "rollback".
	Name string `json:"name"`
	// Params of the action.
	Params map[string]string `json:"params,omitempty"`
}
