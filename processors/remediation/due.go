package remediation

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/memory"
)

// dueItem is something that happens by itself.
type dueItem struct {
	at        flyball.Time
	key       memory.Key
	operation bool // else a hold
}

// due lists what is due by a time, in order.
func (m *Machine) due(by flyball.Time) []dueItem {
	var out []dueItem
	for id := range m.memory.Index.Active {
		if op, _ := m.memory.Operations.Get(memory.Key{id}); op.Due != flyball.NoTime && op.Due <= by {
			out = append(out, dueItem{op.Due, op.Key(), true})
		}
	}
	for k, h := range m.memory.Holds.Rows {
		if !h.Fired && h.Due <= by {
			out = append(out, dueItem{h.Due, k, false})
		}
	}
	slices.SortFunc(out, func(a, b dueItem) int {
		return cmp.Or(cmp.Compare(a.at, b.at), slices.Compare(a.key[:], b.key[:]))
	})
	return out
}

// overdue lets what an operation waits for happen, if it is due by a time.
func (m *Machine) overdue(id string, by flyball.Time) {
	for {
		op, ok := m.memory.Operations.Get(memory.Key{id})
		if !ok || op.Phase == memory.Closed || op.Due == flyball.NoTime || op.Due > by {
			return
		}
		at := op.Due
		op.Due = flyball.NoTime
		switch op.Phase {
		case memory.Waiting:
			m.end(op, event{verb: flyball.VerbExpire, trigger: triggerDeadline, at: at, reason: "nobody approved it in time"})
		case memory.Sent, memory.Accepted:
			m.silent(op, at)
		case memory.Verifying:
			m.judged(op, event{verb: flyball.VerbIneffective, trigger: triggerVerification, at: at,
				reason: "the indicator did not recover in time"})
		case memory.Stabilising:
			m.judged(op, event{verb: flyball.VerbEffective, trigger: triggerVerification, at: at,
				reason: "the indicator recovered at " + op.RecoveredAt.String() + " and stayed so"})
		case memory.Pausing:
			m.again(op, at)
		default:
			panic(fmt.Sprintf("BUG: an operation that is %s is due", op.Phase))
		}
	}
}

// silent ends the wait for an executor that has said nothing by the deadline. What
// it did is not known, so the target stays blocked, unless the indicator tells.
func (m *Machine) silent(op memory.Operation, at flyball.Time) {
	if op.RecoveredAt != flyball.NoTime {
		m.end(op, event{verb: flyball.VerbClose, trigger: triggerDeadline, at: at,
			reason: "nothing was heard by the deadline; the indicator has recovered, so the target is free"})
		return
	}
	op.Phase = memory.Unknown
	m.memory.Operations.Set(op)
	m.tell(op, event{verb: flyball.VerbUnknown, trigger: triggerDeadline, at: at, page: true,
		reason: "nothing was heard by the deadline: " + op.Target + " is blocked until the indicator recovers, the executor reports, or a person releases it"})
}
