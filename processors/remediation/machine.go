package remediation

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation/condition"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/flyball-io/flyball/processors/remediation/memory"
	"github.com/flyball-io/flyball/processors/remediation/recurrence"
	"github.com/flyball-io/flyball/processors/remediation/surroundings"
)

var _ processors.Machine[Input] = (*Machine)(nil)

// Machine decides. See the package's comment for what, and [processors.Machine]
// for how it is driven.
type Machine struct {
	rules      []*rule
	byName     map[string]*rule
	guardrails []gate.Guardrail
	needs      gate.Topology
	needed     gate.Topology // the other way round
	revision   string
	memory     *memory.Memory
	out        *processors.Ready // of the step that is being made
}

// Step takes entries one after the other.
func (m *Machine) Step(in Input) processors.Ready {
	var out processors.Ready
	m.out = &out
	for _, e := range in {
		switch {
		case e.Finding != nil:
			m.finding(e.Finding)
		case e.Outcome != nil:
			m.outcome(e.Outcome)
		case e.Control != nil:
			m.control(e.Control)
		case e.Watermark != nil:
			m.watermark(*e.Watermark)
		}
	}
	out.State = m.memory.Changes()
	m.out = nil
	return out
}

// Commit makes the steps since the last Commit or Abort permanent.
func (m *Machine) Commit() { m.memory.Commit() }

// Abort takes them back.
func (m *Machine) Abort() { m.memory.Abort() }

// finding judges one state of a finding. What was due by its time comes first.
func (m *Machine) finding(f *flyball.Finding) {
	if f.Kind == recurrence.Kind {
		return // it is our own
	}
	if detail := unusable(f); detail != "" {
		value, _ := json.Marshal(f) // what JSON cannot carry is dead without its value
		m.out.DeadLetters = append(m.out.DeadLetters, processors.DeadLetter{Reason: "finding_unusable", Detail: detail, Value: value})
		return
	}
	for _, id := range memory.Sorted(m.memory.Index.ByEntity[f.Entity]) {
		m.overdue(id, f.At)
	}
	for _, r := range m.rules {
		k := memory.Key{r.Name, f.ID}
		if h, _ := m.memory.Holds.Get(k); h.Again == "" || h.Due < f.At {
			m.fireHold(k, f.At) // what is asked again is asked when all of its time is known
		}
	}
	m.advance(f.At)
	m.note(f)
	view := condition.NewView(f, f.At, m.around())
	for _, id := range memory.Sorted(m.memory.Index.ByEntity[f.Entity]) {
		m.watch(id, f, view)
	}
	for _, r := range m.rules {
		m.rule(r, f, view)
	}
	if f.State == flyball.FindingResolved {
		for _, r := range m.rules {
			m.memory.Resolve(r.Name, f)
		}
	}
	m.neighbours(f)
}

// rule judges a state of a finding by one rule.
func (m *Machine) rule(r *rule, f *flyball.Finding, view *condition.View) {
	if f.State == flyball.FindingResolved {
		m.release(r, f)
		if !r.when.ReadsState() {
			return
		}
	}
	if m.memory.Judged(r.Name, f) {
		return
	}
	holds, err := r.when.Eval(view)
	if r.For > 0 && !m.held(r, f, holds && err == nil) && err == nil {
		return
	}
	if holds || err != nil {
		m.decide(wish{rule: r, finding: f, view: view, err: err, trigger: triggerFinding, at: f.At, attempt: 1})
	}
}

// note keeps the finding among those that are open, and groups one that opens
// under the operations that are running.
func (m *Machine) note(f *flyball.Finding) {
	if !m.memory.Learn(f) {
		m.out.Limited = append(m.out.Limited, processors.Limited{Reason: processors.LimitEdges, Times: 1})
	}
	m.memory.Follow(f, func() []string {
		if f.State != flyball.FindingOpened {
			return nil
		}
		return m.group(f)
	})
}

// group says under which running operations a new finding belongs: those about its
// entity, or about something that the entity needs.
func (m *Machine) group(f *flyball.Finding) []string {
	var causes []string
	for _, entity := range append([]string{f.Entity}, m.around().Needs.Upstream(memory.Service(f))...) {
		for _, id := range memory.Sorted(m.memory.Index.ByEntity[entity]) {
			op, _ := m.memory.Operations.Get(memory.Key{id})
			if !op.Live() || op.Finding == f.ID || f.At < op.SentAt {
				continue
			}
			for _, cause := range append([]string{id}, op.Causes...) {
				if !slices.Contains(causes, cause) {
					causes = append(causes, cause)
				}
			}
			m.tell(op, event{verb: flyball.VerbGroup, trigger: triggerFinding, at: f.At, finding: f,
				reason: fmt.Sprintf("it opened while %s on %s was under way", op.Action.Name, op.Target)})
		}
	}
	const most = 8
	return causes[:min(len(causes), most)]
}

// unusable says why a finding cannot be judged, "" when it can.
func unusable(f *flyball.Finding) string {
	switch {
	case f.ID == "" || !utf8.ValidString(f.ID):
		return "the finding has no id"
	case f.At == flyball.NoTime:
		return fmt.Sprintf("finding %q has no time", f.ID)
	case f.State != flyball.FindingOpened && f.State != flyball.FindingUpdated && f.State != flyball.FindingResolved:
		return fmt.Sprintf("finding %q has the unknown state %q", f.ID, f.State)
	}
	return ""
}

// held keeps since when the condition of a rule holds for a finding, and says
// whether that is for long enough.
func (m *Machine) held(r *rule, f *flyball.Finding, holds bool) bool {
	k := memory.Key{r.Name, f.ID}
	h, known := m.memory.Holds.Get(k)
	switch {
	case !holds || f.State == flyball.FindingResolved:
		if known {
			m.memory.Holds.Del(k)
		}
		return holds && f.State == flyball.FindingResolved
	case known:
		return h.Fired
	case !m.memory.Holds.Full():
		m.memory.Holds.Set(memory.Hold{Rule: r.Name, Finding: f.ID, Due: f.At.Add(r.For)})
	}
	return false
}

// fireHold judges a finding for which the condition of a rule has held for long
// enough by a time.
func (m *Machine) fireHold(k memory.Key, by flyball.Time) {
	h, known := m.memory.Holds.Get(k)
	if !known || h.Fired || h.Due > by {
		return
	}
	r, o, view := m.byName[h.Rule], memory.OpenFinding{}, (*condition.View)(nil)
	_, sent := m.memory.Commanded.Get(k)
	if o, known = m.memory.Open.Get(memory.Key{h.Finding}); !known || r == nil || h.Again != "" && sent {
		m.memory.Holds.Del(k)
		return
	}
	m.advance(h.Due)
	f, trigger := o.Finding, cmp.Or(h.Again, triggerHold)
	h.Fired, h.Again = true, ""
	if m.memory.Holds.Set(h); r.For == 0 {
		m.memory.Holds.Del(k)
	}
	view = condition.NewView(&f, h.Due, m.around())
	err := r.still(view)
	if trigger != triggerHold && errors.Is(err, errOver) {
		return // as when a finding does not fit a rule
	}
	m.decide(wish{rule: r, finding: &f, view: view, err: err, trigger: trigger, at: h.Due, attempt: 1})
}

// advance moves the clock, and resolves what does not recur any more by then.
func (m *Machine) advance(at flyball.Time) {
	if m.memory.Advance(at) {
		recurrence.Resolve(m.memory, at, m.out)
		m.recheck(at, nil)
	}
}

// around is what conditions see besides the finding.
func (m *Machine) around() surroundings.Surroundings {
	return surroundings.Of(m.memory, m.needs, m.needed)
}

// watermark lets everything happen that is due when all findings up to a time are
// known.
func (m *Machine) watermark(w Watermark) {
	if w.Of < 1 || w.Partition < 0 || w.Partition >= w.Of || w.At == flyball.NoTime {
		return
	}
	if n := m.memory.Calls(w.Edges); n > 0 {
		m.out.Limited = append(m.out.Limited, processors.Limited{Reason: processors.LimitEdges, Times: int64(n)})
	}
	by := m.memory.Watermark(w.Partition, w.Of, w.At)
	if by == flyball.NoTime {
		return
	}
	for {
		due := m.due(by)
		if len(due) == 0 {
			break
		}
		for _, d := range due {
			if d.operation {
				m.overdue(d.key[0], d.at)
			} else {
				m.fireHold(d.key, d.at)
			}
		}
	}
	m.advance(by)
}

// Snapshot returns all that the machine remembers, in order of keys: what
// Restore needs, and what the state topic holds after compaction. It is for use
// between transactions.
func (m *Machine) Snapshot() []processors.StateChange { return m.memory.Snapshot() }

// Restore gives the machine one record of the state topic; a nil value deletes
// the key. Records are given in the order of the log before the first Step. A
// record that it does not understand is an error: a machine that has lost its
// memory must not act.
func (m *Machine) Restore(key string, value []byte) error {
	if err := m.memory.Restore(key, value); err != nil {
		return fmt.Errorf("cannot restore state %q: %w", key, err)
	}
	return nil
}
