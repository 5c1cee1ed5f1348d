package gate

import (
	"time"

	"github.com/flyball-io/flyball"
)

// Case is a command that a rule wants, with all that gates look at.
type Case struct {
	// Rule wants Action on Target because of Finding. Target is "" when it is not
	// known, which no gate lets pass that needs it.
	Rule    *flyball.Rule
	Finding *flyball.Finding
	Target  string
	Action  flyball.Action
	// Service and Customer are those of the finding.
	Service, Customer string
	// At is when it is decided.
	At flyball.Time
	// Attempt counts from 1; Compensates is the operation that the command undoes.
	Attempt     int
	Compensates string
	// Mode is the lowest of those of the rule, the guardrails and the controls, and
	// ModeOf says whose it is.
	Mode   flyball.Mode
	ModeOf string
	// Approval is the word of a person, if there is one.
	Approval *flyball.Approval
	// Doubt says why the condition does not hold any more, or cannot be evaluated.
	Doubt string
	// Guardrails are those that select the finding, with what they count.
	Guardrails []Guarded
	// Kills, Pauses and Maintenances are controls whose scope it is in.
	Kills, Pauses, Maintenances []flyball.Control
	// Memory is what is remembered about the rule, the finding and the target.
	Memory Memory
	// World is what else is going on.
	World World
}

// Observes says whether the command would only be recorded.
func (c *Case) Observes() bool { return c.Mode == flyball.ModeObserve }

// Guarded is a guardrail and what it counts.
type Guarded struct {
	*Guardrail
	// Sent[i] is how many commands count for Limits[i].
	Sent []int
	// Action, Service and Total are how many commands are under way.
	Action, Service, Total int
	// Targets is how many different ones were acted on in the window of the blast
	// radius, Known whether this one was among them.
	Targets int
	Known   bool
	// Tripped says why its breaker is open, "" when it is closed.
	Tripped string
}

// Memory is what is remembered about a rule, a finding and a target.
type Memory struct {
	// Forgotten says why what was sent may be forgotten, "" when it is not.
	Forgotten string
	// Sent is when the rule has sent its command for the finding; Observed when it
	// has only observed it; NoTime is never.
	Sent, Observed flyball.Time
	// Waiting is set while an operation of the rule for the finding waits for a
	// person.
	Waiting bool
	// Busy says what is under way on the target, "" for nothing.
	Busy string
	// Changed is when a person last changed the target, NoTime for never.
	Changed   flyball.Time
	ChangedBy string
	// Cooldown is the last command of the action on the target, CooldownFull that
	// no more can be remembered.
	Cooldown     Cooldown
	CooldownFull bool
	// Failures is how many attempts of the action on the target failed in a row,
	// and FailedUntil how long to wait because of them.
	Failures    int
	FailedUntil flyball.Time
	// Effective is how often the action helped on this target in the last 4 h, Done
	// how often it was done at all in the last 24 h.
	Effective, Done int
}

// Cooldown is what is known of the last command of an action on a target.
type Cooldown struct {
	// Cools says whether any rule has a cooldown for the action.
	Cools bool
	// At is when it was sent, NoTime for never; Rule sent it; Until is when another
	// may follow.
	At, Until flyball.Time
	Rule      string
	// Late is how far the finding is behind what is still remembered, 0 when it is
	// not.
	Late time.Duration
}

// World is what else is going on.
type World struct {
	// Unknown says why open findings are not all known, "" when they are.
	Unknown string
	// Troubled is how many entities have open findings.
	Troubled int
	// Upstream are services that the finding's needs and that have open findings.
	Upstream []string
	// Root is an open finding of the one furthest up, nil when there is none that does
	// not depend on another.
	Root *flyball.Finding
	// Burns are burn rates of other open findings of the service.
	Burns []Burn
	// Causes are our own operations that may have caused the finding, the latest
	// first.
	Causes []Cause
	// Depth is the length of the longest chain among them.
	Depth int
}

// Burn is a burn rate that an open finding reports.
type Burn struct {
	Finding, Detector string
	Rate              float64
	Window            time.Duration
	// Unknown is set when the finding does not say how fast it burns.
	Unknown bool
}

// Cause is an operation during which the finding opened.
type Cause struct {
	Operation, Rule, Target string
	// Failed is set when it did nothing, or nothing that helped.
	Failed bool
	// Depth is the length of the chain of operations that ends in it.
	Depth int
}
