package flyball

// OutcomeClass says how an attempt of an executor ended.
type OutcomeClass string

// The classes of outcomes. All but accepted end the attempt. What an executor cannot tell is a
// permanent failure: a repetition might do the thing twice.
const (
	// OutcomeAccepted means that the executor has begun.
	OutcomeAccepted OutcomeClass = "accepted"
	// OutcomeSucceeded means that the action was done; whether it helped is verified
	// afterwards.
	OutcomeSucceeded OutcomeClass = "succeeded"
	// OutcomeTransient means that nothing was changed, and a repetition may work.
	OutcomeTransient OutcomeClass = "transient_failure"
	// OutcomePermanent means that a repetition will not work, or is not safe.
	OutcomePermanent OutcomeClass = "permanent_failure"
	// OutcomeSuperseded means that a later command for the target took its place.
	OutcomeSuperseded OutcomeClass = "superseded"
	// OutcomeCancelled means that a person stopped it at the executor.
	OutcomeCancelled OutcomeClass = "cancelled"
	// OutcomeExpired means that the deadline was over before it was begun.
	OutcomeExpired OutcomeClass = "expired"
	// OutcomeRejected means that the executor may not or cannot do such a thing.
	OutcomeRejected OutcomeClass = "rejected"
)

// OutcomeClasses returns every class.
func OutcomeClasses() []OutcomeClass {
	return []OutcomeClass{OutcomeAccepted, OutcomeSucceeded, OutcomeTransient, OutcomePermanent,
		OutcomeSuperseded, OutcomeCancelled, OutcomeExpired, OutcomeRejected}
}

// Outcome is what an executor reports about an attempt: the data of
// dev.flyball.outcome.<class>.v1.
type Outcome struct {
	// ID is the CloudEvent's id, Class is in its type.
	ID    string       `json:"-"`
	Class OutcomeClass `json:"-"`
	// Command is the id of the command, Target what it acts on.
	Command string `json:"-"`
	Target  string `json:"-"`
	// At is when the executor reported.
	At Time `json:"-"`
	// OperationID and Attempt are those of the command.
	OperationID string `json:"operation_id"`
	Attempt     int    `json:"attempt"`
	// Started and Finished say when the executor began and ended, null where it did not.
	Started  Time `json:"started"`
	Finished Time `json:"finished"`
	// Reason is a short constant, such as RESOURCE_BUSY; Detail is for a person.
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
}
