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
	// VerbSuggest waits for a person to start it.
	VerbSuggest Verb = "suggest"
	// VerbAwait waits for approval, for a limited time.
	VerbAwait Verb = "await_approval"
)

// What becomes of an operation after it was decided. Each is a record of its own.
const (
	// VerbAccept says that the executor has begun, VerbFail that it failed, and VerbClose that
	// it ended without effect (superseded, cancelled, expired).
	VerbAccept Verb = "accepted"
	VerbFail   Verb = "failed"
	VerbClose  Verb = "closed"
	// VerbVerify says that the executor succeeded and verification began.
	VerbVerify Verb = "verifying"
	// VerbRecover says that the indicator has recovered and must now stay so.
	VerbRecover Verb = "recovered"
	// VerbEffective, VerbIneffective and VerbWorse are the results of verification.
	VerbEffective   Verb = "effective"
	VerbIneffective Verb = "ineffective"
	VerbWorse       Verb = "worse"
	// VerbUnknown says that nothing was heard by the deadline: the target is blocked.
	VerbUnknown Verb = "unknown"
	// VerbRelease says that a person has freed the target.
	VerbRelease Verb = "released"
	// VerbReject says that a person has refused, VerbExpire that none answered.
	VerbReject Verb = "rejected"
	VerbExpire Verb = "expired"
	// VerbGroup says that a finding is explained by a running operation.
	VerbGroup Verb = "grouped"
	// VerbPage says that automation has nothing left to try, or was stopped: a person is
	// needed.
	VerbPage Verb = "page"
	// VerbControl says that a control was obeyed.
	VerbControl Verb = "control"
)

// Decision is the record of one rule judged on one finding: what it came to and every reason.
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
	// ConfigRevision identifies the whole configuration that the rule was part of.
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
	// Trigger is what made it be decided: finding, hold, retry, escalation, approval,
	// compensation, backlog, outcome, verification, deadline, control or redirect.
	Trigger string `json:"trigger,omitempty"`
	// Operation is the operation that it is about, and Attempt the attempt of it.
	Operation string `json:"operation_id,omitempty"`
	Attempt   int    `json:"attempt,omitempty"`
	// Causes are the operations that may have caused the finding, the latest first.
	Causes []string `json:"causes,omitempty"`
	// Reason says why, for a person, where no gate does.
	Reason string `json:"reason,omitempty"`
	// Who is the person whose control it rests on.
	Who string `json:"who,omitempty"`
	// Notify names who is to be told.
	Notify []string `json:"notify,omitempty"`
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

// Command is what an executor is asked to do: the data of dev.flyball.command.v1.
type Command struct {
	// ID is the CloudEvent's id, deterministic, so that a consumer can drop duplicates.
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
	// Verify says how it will be known that it helped.
	Verify *CommandVerify `json:"verify,omitempty"`
	// Compensation is what will be sent if it makes things worse; Compensates is the operation
	// that this command undoes.
	Compensation *Action `json:"compensation,omitempty"`
	Compensates  string  `json:"compensates,omitempty"`
	// Approvals are those that it rests on.
	Approvals []Approval `json:"approvals,omitempty"`
}

// CommandVerify is how a command will be verified. Durations are in seconds.
type CommandVerify struct {
	// Indicator is the SLO, detector or canary of the finding.
	Indicator string `json:"indicator"`
	// Condition is what must hold, Within this many seconds, and stay so for Stabilisation
	// seconds.
	Condition     string  `json:"condition"`
	Within        float64 `json:"within"`
	Stabilisation float64 `json:"stabilisation"`
}

// Approval is the word of a person.
type Approval struct {
	Who string `json:"who"`
	Why string `json:"why"`
	At  Time   `json:"at"`
}

// CommandReason says which rule sent a command, on which finding, and the numbers.
type CommandReason struct {
	// Rule and Revision say which text decided.
	Rule     string `json:"rule"`
	Revision string `json:"revision"`
	// Finding is the finding's id.
	Finding string `json:"finding"`
	// Evidence is the finding's.
	Evidence []Evidence `json:"evidence"`
}
