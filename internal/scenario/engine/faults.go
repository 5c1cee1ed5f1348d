package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/flyball-io/flyball/internal/scenario/memlog"
)

// Plan sets what becomes of the next transaction with input of a member, or of
// every member of the role when number is negative. A member that crashes is
// down that long.
func (e *Engine) Plan(role Role, number int, f Fault, down time.Duration) error {
	list, err := e.pick(role, number)
	for _, m := range list {
		m.planned, m.downFor = f, down
	}
	return err
}

// Crash ends a member, or every member of the role when number is negative,
// between two transactions. It is down that long.
func (e *Engine) Crash(role Role, number int, down time.Duration) error {
	list, err := e.pick(role, number)
	for _, m := range list {
		m.downFor = down
		m.crash()
	}
	return err
}

// Suspend keeps a role from working until it is told otherwise.
func (e *Engine) Suspend(role Role, suspended bool) {
	for _, m := range e.of(role) {
		m.suspended = suspended
	}
}

// Rebalance gives the partitions of a role to other members. Transactions under
// way are taken back, as Kafka's sessions do.
func (e *Engine) Rebalance(role Role) error {
	for _, m := range e.of(role) {
		if m.stage == nil || !m.poll() {
			continue
		}
		if _, err := m.stage.flush(); err != nil {
			return err
		}
		m.finish(e.log.Begin(), Abort)
		m.tries, m.aborted = 0, false
	}
	clear(e.unowned)
	e.shift[role]++
	e.assign(role)
	return nil
}

// pick returns the members of a role that are meant. Numbers beyond the last
// start over, so that a scenario fits any number of members.
func (e *Engine) pick(role Role, number int) ([]*member, error) {
	list := e.of(role)
	if number < 0 || len(list) == 0 {
		return list, nil
	}
	of := 0
	for _, m := range list {
		of = max(of, m.number+1)
	}
	list = slices.DeleteFunc(list, func(m *member) bool { return m.number != number%of })
	if len(list) == 0 {
		return nil, fmt.Errorf("there is no %s %d", role, number)
	}
	return list, nil
}

// assign shares the partitions of each group among its members, in turn.
func (e *Engine) assign(role Role) {
	groups := map[string][]*member{}
	for _, m := range e.of(role) {
		groups[m.group] = append(groups[m.group], m)
	}
	for _, members := range groups {
		i := e.shift[role]
		shall := map[*member][]memlog.Partition{}
		for _, topic := range members[0].topics {
			if role == Evaluate {
				i = e.shift[role] // partitions of equal number belong together
			}
			for _, p := range e.log.Partitions(topic) {
				if !e.unowned[p] {
					at := i
					if role == Decide { // its topics are one input: they are assigned together
						at = e.shift[role] + int(p.Index)
					}
					m := members[at%len(members)]
					shall[m] = append(shall[m], p)
				}
				i++
			}
		}
		for _, m := range members {
			m.reassign(shall[m])
		}
	}
}

// reassign makes the member the owner of exactly these partitions: it forgets
// those that are gone at once and joins those that are new at its next turn.
func (m *member) reassign(shall []memlog.Partition) {
	for _, p := range slices.Clone(m.owned) {
		if slices.Contains(shall, p) {
			continue
		}
		if k, ok := m.stage.(keeper); ok {
			k.revoke(p)
		}
		delete(m.position, p)
		delete(m.head, p)
		m.owned = slices.DeleteFunc(m.owned, func(x memlog.Partition) bool { return x == p })
	}
	m.wanted = slices.DeleteFunc(slices.Clone(shall), func(p memlog.Partition) bool { return slices.Contains(m.owned, p) })
}
