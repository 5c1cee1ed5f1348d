package flyball

// Verb is what a decision came to.
type Verb string

// What a decision can come to.
const (
	// VerbAct sent a command.
	VerbAct Verb = "act"
	// VerbObserve would have sent one, were the mode not observe.
	VerbObserve Verb = "observe"
	// VerbSuppress was stopped by a gate.
	VerbSuppress Verb = "suppress"
)

// Decision is the record of one rule judged on one finding: what it came to and
// every reason.
type Decision struct {
	// ID is deterministic: a hash of rule, finding, and revision.
	ID string `json:"id"`
	// At is the event time of the finding's state.
	At Time `json:"at"`
	// Verb is what it came to.
	Verb Verb `json:"verb"`
	// Rule and RuleRevision say which text decided.
	Rule         string `json:"rule"`
	RuleRevision string `json:"rule_revision"`
	// ConfigRevision identifies the whole configuration that the rule was part
	// of.
	ConfigRevision string `json:"config_revision,omitempty"`
	// Finding and FindingRevision say what it was about.
	Finding         string `json:"finding"`
	FindingRevision int    `json:"finding_revision"`
	// Entity of the finding.
	Entity string `json:"entity"`
	// Target and Action of the command, sent or not.
	Target string `json:"target"`
	Action Action `json:"action"`
	// Mode of the rule.
	Mode Mode `json:"mode"`
	// Gates holds every gate in order, those after a refusal too.
	Gates []GateResult `json:"gates"`
	// Explain holds the value of every sub-expression of the rule's condition.
	Explain []SubExpression `json:"explain"`
	// Command is the id of the command sent, if any.
	Command string `json:"command,omitempty"`
}

// GateResult is what one gate said.
type GateResult struct {
	// Gate is its name.
	Gate string `json:"gate"`
	// Pass is whether it lets the command through.
	Pass bool `json:"pass"`
	// Reason says why, for a person.
	Reason string `json:"reason"`
}

// SubExpression is one part of a condition, and its value.
type SubExpression struct {
	// Expr is the part as text.
	Expr string `json:"expr"`
	// Value is what it came to, as text.
	Value string `json:"value"`
}

// Command is what an executor is asked to do: the data of
// dev.flyball.command.v1.
type Command struct {
	// ID is the CloudEvent's id, deterministic, so that a consumer can drop
	// duplicates.
	ID string `json:"-"`
	// At is the event time of the decision.
	At Time `json:"-"`
	// Decision and Finding are the causes.
	Decision string `json:"-"`
	// OperationID is stable over attempts.
	OperationID string `json:"operation_id"`
	// Attempt counts from 1.
	Attempt int `json:"attempt"`
	// Action is what to do.
	Action Action `json:"action"`
	// Target is what to act on.
	Target string `json:"target"`
	// Mode of the rule.
	Mode Mode `json:"mode"`
	// Reason says why.
	Reason CommandReason `json:"reason"`
	// Deadline after which the command must not be started or finished.
	Deadline Time `json:"deadline"`
}

// CommandReason says which rule sent a command, on which finding, and the
// numbers.
type CommandReason struct {
	// Rule and Revision say which text decided.
	Rule     string `json:"rule"`
	Revision string `json:"revision"`
	// Finding is the finding's id.
	Finding string `json:"finding"`
	// Evidence is the finding's.
	Evidence []Evidence `json:"evidence"`
}
