package remediation

import (
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/condition"
	"github.com/flyball-io/flyball/processors/remediation/memory"
)

const (
	// maxTries is how often an action is tried that fails for the moment.
	maxTries = 3
	// maxHeld is how often gates may hold the next attempt, heldPause apart.
	maxHeld   = 6
	heldPause = 10 * time.Minute
)

// event is something that becomes of an operation, and is recorded.
type event struct {
	verb    flyball.Verb
	trigger string
	at      flyball.Time
	finding *flyball.Finding // when it is not that of the operation
	reason  string
	who     string
	page    bool // somebody is to be told
}

// tell records what became of an operation.
func (m *Machine) tell(op memory.Operation, e event) {
	d := flyball.Decision{
		ID: hashOf("decision", string(e.verb), op.ID, fmt.Sprint(op.Attempt), e.at.String()),
		At: e.at, Verb: e.verb, Rule: op.Rule, RuleRevision: op.RuleRevision, ConfigRevision: m.revision,
		Finding: op.Finding, Entity: op.Entity, Target: op.Target, Action: op.Action, Mode: op.Mode,
		Trigger: e.trigger, Operation: op.ID, Attempt: op.Attempt, Causes: op.Causes, Reason: e.reason, Who: e.who,
	}
	if o, ok := m.memory.Open.Get(memory.Key{op.Finding}); ok {
		d.FindingRevision = o.Finding.Revision
	}
	if f := e.finding; f != nil {
		d.ID = hashOf("decision", string(e.verb), op.ID, f.ID, fmt.Sprint(f.Revision))
		d.Finding, d.FindingRevision, d.Entity = f.ID, f.Revision, f.Entity
	}
	if r := m.byName[op.Rule]; r != nil && e.page {
		d.Notify = r.Notify
	}
	m.out.Decisions = append(m.out.Decisions, d)
}

// end closes an operation.
func (m *Machine) end(op memory.Operation, e event) {
	op.Phase, op.EndedAt, op.Result, op.Due = memory.Closed, e.at, e.verb, flyball.NoTime
	m.memory.Operations.Set(op)
	m.tell(op, e)
}

// judged takes the result of verification.
func (m *Machine) judged(op memory.Operation, e event) {
	m.memory.Note(op.Action.Name, op.Target, func(r *memory.Result) {
		list := &r.Ineffective
		if e.verb == flyball.VerbEffective {
			list = &r.Effective
		}
		*list = memory.With(*list, e.at, memory.DoneWindow)
	})
	if e.verb == flyball.VerbEffective {
		m.end(op, e)
		return
	}
	op.Result = e.verb
	m.tell(op, e)
	if e.verb == flyball.VerbWorse && m.compensate(op, e.at) {
		return
	}
	m.next(op, e.at, e.trigger)
}

// next goes on with the next stronger action, or gives up and calls a person.
func (m *Machine) next(op memory.Operation, at flyball.Time, trigger string) {
	r := m.byName[op.Rule]
	_, open := m.memory.Open.Get(memory.Key{op.Finding})
	if r != nil && open && op.Compensates == "" && op.Step < len(r.escalate) {
		op.Phase, op.Step, op.Tries, op.Held = memory.Pausing, op.Step+1, 0, 0
		op.Due = max(at, op.SentAt.Add(r.EscalateAfter))
		m.memory.Operations.Set(op)
		m.overdue(op.ID, at)
		return
	}
	if !open && op.Compensates == "" {
		m.end(op, event{verb: flyball.VerbClose, trigger: trigger, at: at, reason: "the finding is not open any more"})
		return
	}
	m.end(op, event{verb: flyball.VerbPage, trigger: trigger, at: at, page: true,
		reason: fmt.Sprintf("nothing is left to try on %s: a person is needed", op.Target)})
}

// compensate undoes an operation that made things worse. It reports whether the
// rule says how.
func (m *Machine) compensate(op memory.Operation, at flyball.Time) bool {
	r := m.byName[op.Rule]
	if r == nil || r.compensation == nil || op.Compensates != "" {
		return false
	}
	op.Phase, op.EndedAt, op.Due = memory.Closed, at, flyball.NoTime
	m.memory.Operations.Set(op)
	undo := op
	undo.ID, undo.Compensates = hashOf("operation", "compensation", op.ID), op.ID
	undo.Phase, undo.Attempt, undo.Step, undo.Tries, undo.Held = memory.Pausing, 0, 0, 0, 0
	undo.EndedAt, undo.Result, undo.Command, undo.Due = flyball.NoTime, "", "", at
	m.memory.Operations.Set(undo)
	m.overdue(undo.ID, at)
	return true
}

// again makes the next attempt of an operation, if the gates let it.
func (m *Machine) again(op memory.Operation, at flyball.Time) {
	r := m.byName[op.Rule]
	o, open := m.memory.Open.Get(memory.Key{op.Finding})
	switch {
	case r == nil:
		m.end(op, event{verb: flyball.VerbClose, trigger: triggerRetry, at: at, reason: "the rule is not configured any more"})
		return
	case !open && op.Compensates == "":
		m.end(op, event{verb: flyball.VerbClose, trigger: triggerRetry, at: at, reason: "the finding is not open any more"})
		return
	case !open:
		o.Finding = flyball.Finding{ID: op.Finding, Entity: op.Entity, Detector: op.Detector, Severity: op.Severity, At: at, OpenedAt: at, State: flyball.FindingResolved}
	}
	w := m.goOn(r, op, &o.Finding, at)
	switch verb := m.decide(w); verb {
	case flyball.VerbAct, flyball.VerbSuggest, flyball.VerbAwait:
		return
	}
	if op.Held++; op.Held > maxHeld {
		m.end(op, event{verb: flyball.VerbPage, trigger: w.trigger, at: at, page: true,
			reason: fmt.Sprintf("gates have held the next attempt %d times: a person is needed", op.Held)})
		return
	}
	op.Due = at.Add(heldPause)
	m.memory.Operations.Set(op)
}

// goOn is the wish to go on with an operation.
func (m *Machine) goOn(r *rule, op memory.Operation, f *flyball.Finding, at flyball.Time) wish {
	w := wish{rule: r, finding: f, view: condition.NewView(f, at, m.around()), trigger: triggerEscalation, at: at,
		attempt: op.Attempt + 1, operation: &op, action: r.step(op)}
	if op.Tries > 0 {
		w.trigger = triggerRetry
	}
	if op.Compensates != "" {
		w.trigger = triggerCompensation
		return w
	}
	if w.asked = w.view; op.Origin != "" {
		o, open := m.memory.Open.Get(memory.Key{op.Origin})
		if w.origin = &o.Finding; !open {
			w.origin, w.err = &flyball.Finding{ID: op.Origin}, fmt.Errorf("finding %s, which it was redirected from, is not open any more", op.Origin)
			return w
		}
		w.asked = condition.NewView(w.origin, at, m.around())
	}
	w.err = r.still(w.asked)
	return w
}

// watch looks at what a state of a finding says about an operation.
func (m *Machine) watch(id string, f *flyball.Finding, view *condition.View) {
	op, ok := m.memory.Operations.Get(memory.Key{id})
	if !ok || !op.Live() {
		return
	}
	r := m.byName[op.Rule]
	checked := op.Phase == memory.Verifying || op.Phase == memory.Stabilising
	if checked && r.worse(op, f, view) {
		m.judged(op, event{verb: flyball.VerbWorse, trigger: triggerVerification, at: f.At,
			reason: fmt.Sprintf("finding %s is worse than before: %s %s", f.ID, f.Severity, f.State)})
		return
	}
	if op.Finding != f.ID {
		if op.Phase == memory.Stabilising && f.State == flyball.FindingOpened && f.Detector == op.Detector {
			m.judged(op, event{verb: flyball.VerbIneffective, trigger: triggerVerification, at: f.At,
				reason: "it came back as finding " + f.ID + " before it was stable"})
		}
		return
	}
	recovered := r.recovered(f, view)
	switch {
	case recovered && op.Phase == memory.Unknown:
		m.end(op, event{verb: flyball.VerbClose, trigger: triggerVerification, at: f.At,
			reason: "what the executor did is unknown; the indicator has recovered, so the target is free"})
	case recovered && op.Phase == memory.Verifying:
		m.recover(op, f.At)
	case !recovered && op.Phase == memory.Stabilising:
		m.judged(op, event{verb: flyball.VerbIneffective, trigger: triggerVerification, at: f.At,
			reason: "the indicator did not stay recovered"})
	case recovered && op.RecoveredAt == flyball.NoTime:
		op.RecoveredAt = f.At
		m.memory.Operations.Set(op)
	case !recovered && op.RecoveredAt != flyball.NoTime && (op.Phase == memory.Sent || op.Phase == memory.Accepted):
		op.RecoveredAt = flyball.NoTime
		m.memory.Operations.Set(op)
	}
}

// recover begins the stabilisation of an operation whose indicator has recovered.
func (m *Machine) recover(op memory.Operation, at flyball.Time) {
	op.RecoveredAt = at
	r := m.byName[op.Rule]
	if r == nil || r.Verify.Stabilisation == 0 {
		m.judged(op, event{verb: flyball.VerbEffective, trigger: triggerVerification, at: at, reason: "the indicator has recovered"})
		return
	}
	op.Phase, op.Due = memory.Stabilising, at.Add(r.Verify.Stabilisation)
	m.memory.Operations.Set(op)
	m.tell(op, event{verb: flyball.VerbRecover, trigger: triggerVerification, at: at,
		reason: "the indicator has recovered and must stay so for " + r.Verify.Stabilisation.String()})
}

// release ends what waits for a finding that is resolved.
func (m *Machine) release(r *rule, f *flyball.Finding) {
	op, ok := m.memory.Operations.Get(memory.Key{operationID(r.Name, f.ID)})
	if ok && (op.Phase == memory.Waiting || op.Phase == memory.Pausing) {
		m.end(op, event{verb: flyball.VerbClose, trigger: triggerFinding, at: f.At, reason: "the finding was resolved meanwhile"})
	}
}
