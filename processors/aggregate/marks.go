package aggregate

import (
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// marker keeps the watermark of each source partition that the member owns, and
// knows when it must be sent: when it crosses the edge of a pane, when the
// partition becomes idle, stalled or busy, and again every pane while it is not busy.
type marker struct {
	source     flyball.Source
	panes      []time.Duration // distinct widths, ascending
	partitions map[sourceKey]*progress
}

type sourceKey struct {
	topic     string
	partition int32
}

// progress is what is known of one source partition.
type progress struct {
	max    flyball.Time // latest event time folded
	safe   flyball.Time // max as of the last commit: an abort must not leave it ahead
	active flyball.Time // wall clock of the last flush at which it was not idle
	moved  flyball.Time // wall clock of the last flush at which it gave something, or had nothing to give
	fed    bool         // samples came since the last flush

	complaint  string       // about the schema of records
	complained flyball.Time // wall clock of the last flush with one

	sent    lastMark // as of the last commit
	pending lastMark // as of the last flush
}

// lastMark is the mark sent last.
type lastMark struct {
	watermark flyball.Time
	idle      bool
	stalled   bool
	complaint string
	at        flyball.Time // wall clock
	ever      bool
}

func newMarker(source flyball.Source, panes []time.Duration) marker {
	if len(panes) == 0 {
		panes = []time.Duration{time.Minute}
	}
	panes = slices.Compact(slices.Sorted(slices.Values(panes)))
	return marker{source: source, panes: panes, partitions: map[sourceKey]*progress{}}
}

func (m *marker) observe(topic string, partition int32, t flyball.Time) {
	p := m.get(sourceKey{topic, partition})
	p.max = max(p.max, t)
	p.fed = true
}

// latest returns the latest event time of a partition, NoTime before the first.
func (m *marker) latest(topic string, partition int32) flyball.Time {
	if p := m.partitions[sourceKey{topic, partition}]; p != nil {
		return p.max
	}
	return flyball.NoTime
}

func (m *marker) get(k sourceKey) *progress {
	p := m.partitions[k]
	if p == nil {
		p = &progress{max: flyball.NoTime, safe: flyball.NoTime, active: flyball.NoTime, moved: flyball.NoTime}
		m.partitions[k] = p
	}
	return p
}

func (m *marker) flush(f *Flush) []processors.Mark {
	var marks []processors.Mark
	owned := make(map[sourceKey]bool, len(f.Partitions))
	for _, sp := range f.Partitions {
		k := sourceKey{sp.Topic, sp.Partition}
		owned[k] = true
		p := m.get(k)
		if !sp.CaughtUp || p.fed || p.active == flyball.NoTime {
			p.active = f.Now
		}
		if sp.CaughtUp || sp.Held || p.fed || p.moved == flyball.NoTime {
			p.moved = f.Now
		}
		p.fed = false
		p.complain(sp.Complaint, f.Now)
		next := lastMark{
			idle: f.Now.Sub(p.active) >= m.source.IdleTimeout, at: f.Now, ever: true,
			stalled:   m.source.StallTimeout > 0 && f.Now.Sub(p.moved) >= m.source.StallTimeout,
			watermark: p.max.Add(-m.source.OutOfOrderness), complaint: p.complaint,
		}
		p.pending = p.sent
		if !m.due(p.sent, next) {
			continue
		}
		p.pending = next
		marks = append(marks, processors.Mark{
			Source: m.source.Name, Topic: sp.Topic, Partition: sp.Partition, Of: sp.Of,
			Watermark: next.watermark, Idle: next.idle, Stalled: next.stalled, Complaint: next.complaint,
		})
	}
	m.forget(owned)
	return marks
}

// quiet is for how long nothing must be wrong with records until it is said to be over.
const quiet = time.Minute

// complain notes what is wrong with records. The first of several says what.
func (p *progress) complain(complaint string, now flyball.Time) {
	switch {
	case complaint != "":
		p.complained = now
		if p.complaint == "" {
			p.complaint = complaint[:min(len(complaint), maxComplaint)]
		}
	case p.complaint != "" && now.Sub(p.complained) >= quiet:
		p.complaint = ""
	}
}

// maxComplaint bounds what a mark says of records.
const maxComplaint = 500

// forget drops partitions that were revoked: they start anew with their next
// owner. One that gave samples since the last flush is only too new to be listed.
func (m *marker) forget(owned map[sourceKey]bool) {
	for k, p := range m.partitions {
		if !owned[k] && !p.fed {
			delete(m.partitions, k)
		}
		if !owned[k] {
			p.fed, p.pending = false, p.sent
		}
	}
}

// due reports whether a mark says what the last one did not: an edge of some pane
// crossed, idle, stalled or busy; and while not busy, once every narrowest pane.
func (m *marker) due(last, next lastMark) bool {
	if !last.ever || next.idle != last.idle || next.stalled != last.stalled || next.complaint != last.complaint || (next.idle || next.stalled) && next.at.Sub(last.at) >= m.panes[0] {
		return true
	}
	return slices.ContainsFunc(m.panes, func(d time.Duration) bool { return next.watermark.Floor(d) != last.watermark.Floor(d) })
}

func (m *marker) commit() {
	for _, p := range m.partitions {
		p.sent, p.safe = p.pending, p.max
	}
}

func (m *marker) abort() {
	for _, p := range m.partitions {
		p.pending, p.max = p.sent, p.safe
	}
}
