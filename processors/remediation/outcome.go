package remediation

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation/memory"
)

// ahead is how far the clock of an executor or a person may be before event time
// and still be believed: event time is late by what telemetry takes.
const ahead = 15 * time.Minute

// when is the event time of what somebody says at a time of his own clock, about
// something that was sent earlier.
func (m *Machine) when(said, sent flyball.Time) flyball.Time {
	if said < sent || said > m.memory.Clock.Add(ahead) {
		return max(m.memory.Clock, sent)
	}
	return said
}

// outcome takes what an executor reports.
func (m *Machine) outcome(o *flyball.Outcome) {
	op, known := m.memory.Operations.Get(memory.Key{o.OperationID})
	if !known || o.Attempt > op.Attempt {
		value, _ := json.Marshal(o)
		m.out.DeadLetters = append(m.out.DeadLetters, processors.DeadLetter{Reason: "outcome_unmatched", Value: value,
			Detail: fmt.Sprintf("attempt %d of operation %q was never sent, or is forgotten", o.Attempt, o.OperationID)})
		return
	}
	at := m.when(o.At, op.SentAt)
	if o.Attempt < op.Attempt || op.Phase != memory.Sent && op.Phase != memory.Accepted && op.Phase != memory.Unknown {
		return // told before, or too late to matter
	}
	e := event{trigger: triggerOutcome, at: at, reason: wording(o)}
	switch o.Class {
	case flyball.OutcomeAccepted:
		if op.Phase == memory.Sent {
			op.Phase, e.verb = memory.Accepted, flyball.VerbAccept
			m.memory.Operations.Set(op)
			m.tell(op, e)
		}
	case flyball.OutcomeSucceeded:
		m.succeeded(op, e)
	case flyball.OutcomeSuperseded, flyball.OutcomeCancelled:
		e.verb = flyball.VerbClose
		m.end(op, e)
	default:
		m.failed(op, o.Class, e)
	}
}

// wording says what an outcome says, for a person.
func wording(o *flyball.Outcome) string {
	parts := []string{string(o.Class)}
	for _, s := range []string{o.Reason, o.Detail} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// succeeded begins verification: that an action was done does not say that it
// helped.
func (m *Machine) succeeded(op memory.Operation, e event) {
	within := DefaultWithin
	if r := m.byName[op.Rule]; r != nil {
		within = r.Verify.Within
	}
	if k := (memory.Key{op.Action.Name, op.Target}); m.memory.Failures.Rows[k].Count > 0 {
		m.memory.Failures.Del(k)
	}
	m.memory.Note(op.Action.Name, op.Target, func(r *memory.Result) { r.Succeeded = memory.With(r.Succeeded, e.at, memory.DoneWindow) })
	op.Phase, op.Due, e.verb = memory.Verifying, e.at.Add(within), flyball.VerbVerify
	m.memory.Operations.Set(op)
	m.tell(op, e)
	if op.RecoveredAt != flyball.NoTime {
		m.recover(op, e.at)
	}
}

// failed counts a failure, and tries again where that is safe: when nothing was
// changed, and not often.
func (m *Machine) failed(op memory.Operation, class flyball.OutcomeClass, e event) {
	k := memory.Key{op.Action.Name, op.Target}
	fail, _ := m.memory.Failures.Get(k)
	fail.Action, fail.Target, fail.Count = op.Action.Name, op.Target, fail.Count+1
	fail.Until = e.at.Add(backoff(fail.Count))
	m.memory.Failures.Set(fail)
	m.memory.Note(op.Action.Name, op.Target, func(r *memory.Result) { r.Failed = memory.With(r.Failed, e.at, memory.DoneWindow) })
	op.Tries++
	e.verb = flyball.VerbFail
	m.tell(op, e)
	again := class == flyball.OutcomeTransient || class == flyball.OutcomeExpired
	if again && op.Tries < maxTries {
		op.Phase, op.Due, op.Result = memory.Pausing, fail.Until, flyball.VerbFail
		m.memory.Operations.Set(op)
		return
	}
	op.Result = flyball.VerbFail
	m.next(op, e.at, e.trigger)
}

// backoff is how long to wait after so many failures in a row: a minute, twice as
// long each time, and an hour from the third on.
func backoff(failures int) time.Duration {
	if failures >= 3 {
		return time.Hour
	}
	return time.Minute << (failures - 1)
}
