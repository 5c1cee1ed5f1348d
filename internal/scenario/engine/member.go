package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/scenario/memlog"
)

// stage is what a member does with what it reads; it is shaped as the stages of
// internal/pipeline are.
type stage interface {
	// take adds records of one partition.
	take(p memlog.Partition, records []*memlog.Record)
	// flush steps the machines and returns what must become durable together.
	flush() (output, error)
	// end tells whether that is durable, or never was.
	end(committed bool)
}

// keeper is a stage with memory per partition.
type keeper interface {
	// assign restores a partition from where its group last committed; known is
	// false when it never did.
	assign(p memlog.Partition, from memlog.Offset, known bool) error
	// revoke forgets a partition.
	revoke(p memlog.Partition)
}

// output is one transaction's worth.
type output struct {
	records []memlog.Record
	// offsets replace those that were reached.
	offsets map[memlog.Partition]memlog.Offset
}

// member is one member of a consumer group in a transactional session.
type member struct {
	engine   *Engine
	role     Role
	source   string
	number   int
	group    string
	topics   []string
	always   bool // flush even when nothing was polled
	newStage func() (stage, error)

	stage    stage // nil while it is down
	owned    []memlog.Partition
	position map[memlog.Partition]int64 // where reading goes on
	head     map[memlog.Partition]int64 // the same as of the last commit: an abort goes back there
	wanted   []memlog.Partition         // partitions that it shall own and has not been given yet
	tries    int
	aborted  bool // since the last commit

	suspended bool
	planned   Fault // for its next transaction
	downFor   time.Duration
	back      flyball.Time // when it starts again
	orphaned  *memlog.Txn  // what it left open when it crashed
}

// String names the member for people.
func (m *member) String() string {
	if m.source != "" {
		return fmt.Sprintf("%s %d of source %s", m.role, m.number, m.source)
	}
	return fmt.Sprintf("%s %d", m.role, m.number)
}

// start begins anew, without memory.
func (m *member) start() error {
	s, err := m.newStage()
	if err != nil {
		return err
	}
	m.stage = s
	m.position, m.head = map[memlog.Partition]int64{}, map[memlog.Partition]int64{}
	m.wanted, m.owned = slices.Concat(m.owned, m.wanted), nil
	return nil
}

// crash ends the member now. It comes back, without memory, after downFor.
func (m *member) crash() {
	m.stage = nil
	m.back = m.engine.now.Add(m.downFor)
	m.downFor = 0
}

// turn runs transactions until there is nothing more to do, or the member is
// down.
func (m *member) turn() error {
	const patience = 20 // a fault that never ends is a bug
	for m.tries < patience {
		if m.suspended {
			return nil
		}
		up, err := m.revive()
		if err != nil || !up {
			return err
		}
		if err := m.join(); err != nil {
			return err
		}
		again, err := m.transaction()
		if err != nil || !again {
			return err
		}
	}
	return fmt.Errorf("no transaction commits in %d attempts", patience)
}

// revive starts a member that is down, when its time has come. Brokers take back
// what it left open.
func (m *member) revive() (up bool, err error) {
	if m.stage != nil {
		return true, nil
	}
	if m.engine.now < m.back {
		return false, nil
	}
	if m.orphaned != nil {
		m.orphaned.End(false)
		m.orphaned = nil
	}
	return true, m.start()
}

// join takes over the partitions that the member was assigned, once their
// offsets are stable.
func (m *member) join() error {
	waiting := m.wanted
	m.wanted = nil
	for _, p := range waiting {
		if m.engine.log.Unstable(m.group, p) || m.unstableState(p) {
			m.wanted = append(m.wanted, p)
			continue
		}
		from, known := m.engine.log.Committed(m.group, p)
		if k, ok := m.stage.(keeper); ok {
			if err := k.assign(p, from, known); err != nil {
				return err
			}
		}
		m.owned = append(m.owned, p)
		m.position[p], m.head[p] = from.At, from.At
	}
	slices.SortFunc(m.owned, memlog.Partition.Compare)
	return nil
}

// unstableState reports whether the state that belongs to a partition may still
// change: restoring reads to the end of the state topic.
func (m *member) unstableState(p memlog.Partition) bool {
	if m.role != Evaluate && m.role != Decide {
		return false
	}
	state := memlog.Partition{Topic: m.engine.topics.State(), Index: p.Index}
	return m.engine.log.Stable(state) < m.engine.log.End(state)
}

// transaction polls, steps and commits. Another must follow when it did not
// commit, or when it did not take all there is.
func (m *member) transaction() (again bool, err error) {
	polled := m.poll()
	if !polled && !m.always {
		m.settle()
		return false, nil
	}
	out, err := m.stage.flush()
	if err != nil {
		return false, err
	}
	if !polled && len(out.records) == 0 {
		m.stage.end(true)
		m.settle()
		return false, nil
	}
	txn := m.engine.log.Begin()
	for _, r := range out.records {
		r.At = m.engine.now
		txn.Produce(r)
	}
	for _, p := range m.owned {
		o, ok := out.offsets[p]
		if !ok {
			o = memlog.Offset{At: m.position[p]}
		}
		txn.Send(m.group, p, o)
	}
	return m.finish(txn, m.fault(polled)), nil
}

// poll takes what there is to read.
func (m *member) poll() (polled bool) {
	limit := m.limit()
	for _, p := range m.owned {
		if m.engine.lagging[p] {
			continue
		}
		records, next := m.engine.log.Read(p, m.position[p], limit)
		m.position[p] = next
		if len(records) > 0 {
			polled = true
			m.stage.take(p, records)
		}
	}
	return polled
}

// settle notes that everything up to the position is done with.
func (m *member) settle() {
	for _, p := range m.owned {
		m.head[p] = m.position[p]
	}
}

// fault says what becomes of the transaction. What is planned in a scenario
// strikes a transaction with input.
func (m *member) fault(polled bool) Fault {
	f := None
	if polled {
		f, m.planned = m.planned, None
	}
	if f == None && m.engine.cfg.Fault != nil && polled {
		f = m.engine.cfg.Fault(Attempt{m.role, m.source, m.number, m.tries, m.engine.now})
	}
	return f
}

// limit is how many records of a partition one transaction takes. What is read
// again after an abort comes in other pieces than before.
func (m *member) limit() int {
	if m.aborted {
		return 1
	}
	if n := m.engine.cfg.Batch; n > 0 && (m.role == Evaluate || m.role == Decide) {
		return n
	}
	return 1 << 30
}

// more reports whether there is something left to read.
func (m *member) more() bool {
	return slices.ContainsFunc(m.owned, func(p memlog.Partition) bool {
		return !m.engine.lagging[p] && m.position[p] < m.engine.log.Stable(p)
	})
}

func (m *member) finish(txn *memlog.Txn, f Fault) (again bool) {
	m.tries++
	switch f {
	case None:
		txn.End(true)
		m.stage.end(true)
		m.settle()
		m.tries, m.aborted = 0, false
		return m.more()
	case Abort, Rebalanced:
		txn.End(false)
		m.stage.end(false)
		m.aborted = true
		for _, p := range m.owned {
			m.position[p] = m.head[p]
		}
		if f == Rebalanced {
			m.engine.shift[m.role]++
			m.engine.assign(m.role)
		}
	case CrashBefore:
		m.orphaned = txn
		m.crash()
	case CrashAfter:
		txn.End(true)
		m.crash()
	default:
		panic(fmt.Sprintf("BUG: unknown fault %d", f))
	}
	return true
}
