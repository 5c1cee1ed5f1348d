package memory

import (
	"maps"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/topology"
)

// Memory is all that the machine remembers of the past. What it holds is bounded
// (see the package's comment) and all of it travels through the state topic.
type Memory struct {
	// clock is the latest event time seen; flyball.NoTime before the first.
	Clock flyball.Time
	// Began is the first event time seen.
	Began flyball.Time
	// progress holds the watermarks of the partitions of panes. It is replaced,
	// never written to.
	Progress       []flyball.Time
	clockBefore    flyball.Time // at the last commit
	progressBefore []flyball.Time
	clockDirty     bool

	Commanded  *Table[Commanded]
	Cooldowns  *Table[Cooling]
	Open       *Table[OpenFinding]
	Missed     *Table[Missed]
	Edges      *Table[Edge]
	Operations *Table[Operation]
	Failures   *Table[Failure]
	Results    *Table[Result]
	Controls   *Table[Control]
	Changed    *Table[Change]
	Recent     *Table[Recent]
	Rates      *Table[Rate]
	Blasts     *Table[Blast]
	Holds      *Table[Hold]
	Deferred   *Table[Deferred]
	Alarms     *Table[Alarm]

	Recurrences *Table[Recurrence]

	Index *Index
	// longest is the longest cooldown of any rule, per action.
	longest map[string]time.Duration
}

// New returns a memory of nothing. Longest is the longest cooldown of any rule, per
// action.
func New(longest map[string]time.Duration) *Memory {
	m := &Memory{
		Clock: flyball.NoTime, Began: flyball.NoTime, clockBefore: flyball.NoTime,
		Commanded: newTable[Commanded]("commanded", 2), Cooldowns: newTable[Cooling]("cooldown", 2),
		Open: newTable[OpenFinding]("finding", 1), Missed: newTable[Missed]("missed", 1), Edges: newTable[Edge]("edge", 2),
		Operations: newTable[Operation]("operation", 1),
		Failures:   newTable[Failure]("failure", 2), Results: newTable[Result]("result", 2),
		Controls: newTable[Control]("control", 3), Changed: newTable[Change]("change", 1), Recent: newTable[Recent]("recent", 1),
		Rates: newTable[Rate]("rate", 2), Blasts: newTable[Blast]("blast", 1),
		Holds: newTable[Hold]("hold", 2), Deferred: newTable[Deferred]("deferred", 2), Alarms: newTable[Alarm]("alarm", 2),
		Recurrences: newTable[Recurrence]("recurrence", 2),
		Index:       newIndex(), longest: longest,
	}
	m.Operations.moved, m.Open.moved, m.Edges.moved = m.Index.operation, m.Index.finding, m.Index.edge
	return m
}

// Cools says whether any rule has a cooldown for the action.
func (m *Memory) Cools(action string) bool { return m.longest[action] > 0 }

// Watermark takes the progress of one partition, and returns how far all of them
// have come; NoTime while one is not known.
func (m *Memory) Watermark(partition, of int32, at flyball.Time) flyball.Time {
	next := make([]flyball.Time, of)
	all := flyball.Time(1<<63 - 1)
	for i := range next {
		next[i] = flyball.NoTime
		if len(next) == len(m.Progress) {
			next[i] = m.Progress[i]
		}
		if int32(i) == partition {
			next[i] = max(next[i], at)
		}
		all = min(all, next[i])
	}
	m.Progress, m.clockDirty = next, true
	return all
}

// Advance moves the clock to at, if that is later, and forgets what is over. It
// looks only when the clock enters a new slice of SweepEvery, so that what is
// remembered depends on the log alone and not on how it was cut into steps. It reports
// whether it looked.
func (m *Memory) Advance(at flyball.Time) bool {
	if at <= m.Clock {
		return false
	}
	if m.Clock == flyball.NoTime {
		m.Began = at
	}
	sweep := m.Clock != flyball.NoTime && at.Floor(SweepEvery) > m.Clock.Floor(SweepEvery)
	m.Clock, m.clockDirty = at, true
	if sweep {
		m.forget(at)
	}
	return sweep
}

// forget drops what is over.
func (m *Memory) forget(at flyball.Time) {
	sweep(m.Commanded, func(c Commanded) bool {
		resolved := c.ResolvedAt != flyball.NoTime && at >= c.ResolvedAt.Add(ResolvedFor)
		return resolved || at > c.OpenedAt.Add(OpenFor)
	})
	sweep(m.Cooldowns, func(c Cooling) bool {
		return at >= c.At.Add(max(c.Cooldown, m.longest[c.Action])).Add(LateBy)
	})
	sweep(m.Open, func(o OpenFinding) bool { return at > OpenedAt(&o.Finding).Add(OpenFor) })
	sweep(m.Missed, func(x Missed) bool { return at > x.At.Add(OpenFor) })
	sweep(m.Edges, func(e Edge) bool { _, open := m.Open.Get(Key{e.Finding}); return !open && at > e.At.Add(EdgeFor) })
	sweep(m.Operations, func(o Operation) bool { return o.Phase == Closed && at >= o.EndedAt.Add(ClosedFor) })
	sweep(m.Failures, func(f Failure) bool { return at >= f.Until.Add(LateBy) })
	sweep(m.Results, func(r Result) bool { return r.last() <= at.Add(-DoneWindow) })
	sweep(m.Controls, func(c Control) bool { return c.Over(at) })
	sweep(m.Changed, func(c Change) bool { return at > c.At.Add(OpenFor) })
	sweep(m.Recent, func(r Recent) bool { return at > r.Changes[0].At.Add(RecentFor) })
	sweep(m.Rates, func(r Rate) bool { return len(Since(r.Sent, at, maxWindow)) == 0 })
	sweep(m.Recurrences, func(r Recurrence) bool { day, before := r.Recent(at); return r.Finding == "" && day+before == 0 })
	sweep(m.Deferred, func(d Deferred) bool { _, open := m.Open.Get(Key{d.Finding}); return !open })
	sweep(m.Holds, func(h Hold) bool { _, open := m.Open.Get(Key{h.Finding}); return !open })
}

func sweep[V Row](t *Table[V], over func(V) bool) {
	for k, v := range maps.All(t.Rows) {
		if over(v) {
			t.Del(k)
		}
	}
}

// Resolve keeps that a finding is over, so that it can be forgotten in time.
func (m *Memory) Resolve(rule string, f *flyball.Finding) {
	if c, ok := m.Commanded.Get(Key{rule, f.ID}); ok && c.ResolvedAt == flyball.NoTime {
		c.ResolvedAt = f.At
		m.Commanded.Set(c)
	}
}

// Follow keeps the latest state of a finding while it is open, or that there was no
// room for it. Opening is what it was caused by, asked when it is new.
func (m *Memory) Follow(f *flyball.Finding, opening func() []string) {
	k := Key{f.ID}
	was, known := m.Open.Get(k)
	_, missed := m.Missed.Get(k)
	switch {
	case known && was.Finding.Revision >= f.Revision:
		return
	case f.State == flyball.FindingResolved:
		if known {
			m.Open.Del(k)
		}
	case known:
		was.Finding = *f
		m.Open.Set(was)
	case m.Open.Full():
		if !missed && m.Missed.Full() {
			k = Key{}
		}
		m.Missed.Set(Missed{Finding: k[0], At: f.At})
		return
	default:
		m.Open.Set(OpenFinding{Finding: *f, Causes: opening()})
	}
	if missed {
		m.Missed.Del(k)
	}
}

// Learn keeps who calls whom, when a finding is about calls. It reports whether there
// was room for that.
func (m *Memory) Learn(f *flyball.Finding) bool {
	e := Edge{From: Service(f), To: f.Labels.Get(PeerLabel), At: f.At, Finding: f.ID}
	if e.To == "" || e.From == "" || e.To == e.From {
		return true
	}
	was, known := m.Edges.Get(e.Key())
	if !known && len(m.Edges.Rows) >= MaxEdges {
		return false
	}
	if !known || was.At <= e.At {
		m.Edges.Set(e)
	}
	return true
}

// Calls keeps who was seen to call whom, and returns for how many there was no room.
func (m *Memory) Calls(edges []topology.Edge) (limited int) {
	for _, e := range edges {
		row, known := m.Edges.Get(Key{e.From, e.To})
		switch {
		case e.From == "" || e.To == "" || e.From == e.To || known && row.At >= e.At:
			continue
		case !known && len(m.Edges.Rows) >= MaxEdges:
			limited++
			continue
		}
		row.From, row.To, row.At = e.From, e.To, e.At
		m.Edges.Set(row)
	}
	return limited
}

// Note changes what is remembered of an action on a target.
func (m *Memory) Note(action, target string, change func(*Result)) {
	r, _ := m.Results.Get(Key{action, target})
	r.Action, r.Target = action, target
	change(&r)
	m.Results.Set(r)
}

// Judged says whether the rule has sent or observed on this state of the
// finding or a later one: then this one is a repetition, of which nothing new
// can be said.
func (m *Memory) Judged(rule string, f *flyball.Finding) bool {
	c, ok := m.Commanded.Get(Key{rule, f.ID})
	return ok && f.Revision <= c.Revision
}

// Commit makes the changes since the last Commit or Abort permanent.
func (m *Memory) Commit() {
	m.clockBefore, m.progressBefore = m.Clock, m.Progress
	for _, s := range m.stores() {
		s.Commit()
	}
}

// Abort takes them back.
func (m *Memory) Abort() {
	m.Clock, m.Progress, m.clockDirty = m.clockBefore, m.progressBefore, false
	if m.Clock == flyball.NoTime {
		m.Began = flyball.NoTime
	}
	for _, s := range m.stores() {
		s.Abort()
	}
}

// OpenedAt is when the finding opened.
func OpenedAt(f *flyball.Finding) flyball.Time {
	if f.State == flyball.FindingOpened {
		return f.At
	}
	return f.OpenedAt
}
