package counter

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/offsets"
)

// Stale is after how long without a point a stream is forgotten: what came meanwhile is
// not known then, as with a stream that is seen for the first time.
const Stale = 5 * time.Minute

// Streams holds the streams of one indicator in one partition. Points wait until the pane
// that they are in is closed, so that the order in which they came does not matter; then
// each gives its increase. It changes in place; Abort takes changes back.
//
// It has no durable state of its own. A successor adds the points since Low again, but
// those that came late for nothing (see Late), and closes what was closed.
type Streams struct {
	pane    time.Duration
	kept    time.Duration // how long closed points matter
	limit   int
	closed  flyball.Time // panes that end at it or before are
	pending map[flyball.Time][]waiting
	streams map[flyball.StreamID]*stream
	lows    offsets.Lows // of panes

	was      flyball.Time                 // closed, as of the last commit
	added    []waiting                    // since then
	released []waiting                    // closed since then
	undo     map[flyball.StreamID]*stream // as they were; nil for absent
}

// Series is whose samples a stream counts.
type Series struct{ Entity, Labels string }

// waiting is a point in a pane that is not closed.
type waiting struct {
	Series
	Point
	offset int64
}

// stream is what is known of one: its last point of each start, the latest first. There
// are two at most.
type stream struct {
	last   []Point
	series Series // of its last point that waited, to be used again
}

// New returns no streams. kept is for how long after a pane is closed its points may
// still be needed to know what it held. limit bounds the streams, 0 is none.
func New(pane, kept time.Duration, limit int) *Streams {
	return &Streams{
		pane: pane, kept: kept + Stale, limit: limit, closed: flyball.NoTime, was: flyball.NoTime,
		pending: map[flyball.Time][]waiting{}, streams: map[flyball.StreamID]*stream{}, lows: offsets.NewLows(),
		undo: map[flyball.StreamID]*stream{},
	}
}

// Fate is what becomes of a point.
type Fate uint8

// The fates.
const (
	// Waits: it gives its increase when its pane closes.
	Waits Fate = iota
	// Counts: it came late, and gives what it adds now.
	Counts
	// Late: it came late for nothing, because a later point of its stream has counted
	// what it says, or because it is older than what is kept. A successor must not add it
	// again.
	Late
	// Refused: it is of one stream too many.
	Refused
)

// Add takes a point that came with the record at offset. The strings of its series may
// be lent: they are copied once per stream.
func (s *Streams) Add(series Series, p Point, offset int64) (Fate, Increase) {
	st := s.streams[p.Stream]
	if st == nil && s.limit > 0 && len(s.streams) >= s.limit {
		return Refused, Increase{}
	}
	start := p.At.Floor(s.pane)
	if s.closed != flyball.NoTime && start.Add(s.pane) <= s.closed {
		if st != nil && st.passed(&p) || s.expired(start, s.closed.Add(Stale)) {
			return Late, Increase{}
		}
		s.lows.Note(start, offset)
		in, ok := s.count(&p)
		if !ok {
			return Waits, Increase{} // it says where its stream begins
		}
		return Counts, in
	}
	if st == nil {
		s.save(p.Stream)
		s.streams[p.Stream] = &stream{}
	}
	s.lows.Note(start, offset)
	if st = s.streams[p.Stream]; st.series != series {
		st.series = Series{strings.Clone(series.Entity), strings.Clone(series.Labels)}
	}
	w := waiting{st.series, p, offset}
	s.pending[start] = append(s.pending[start], w)
	s.added = append(s.added, w)
	return Waits, Increase{}
}

// passed reports whether a later point of the same start has counted what p says.
func (st *stream) passed(p *Point) bool {
	return slices.ContainsFunc(st.last, func(l Point) bool { return l.Start == p.Start && l.At >= p.At })
}

// count makes p the last point of its stream and start, and returns what it adds to the
// one before it.
func (s *Streams) count(p *Point) (in Increase, ok bool) {
	s.save(p.Stream)
	st := s.streams[p.Stream]
	if st == nil {
		st = &stream{}
		s.streams[p.Stream] = st
	}
	i := slices.IndexFunc(st.last, func(l Point) bool { return l.Start == p.Start })
	switch {
	case i >= 0 && p.At <= st.last[i].At:
		return in, false
	case i >= 0 && p.At.Sub(st.last[i].At) <= Stale:
		in, ok = between(&st.last[i], p), true
	case p.Start > 0 && p.Start <= p.At && p.At.Sub(p.Start) <= Stale:
		in, ok = whole(p), true // all of it is from after its start
	}
	last := slices.Clone(st.last)
	if i >= 0 {
		last = slices.Delete(last, i, i+1)
	}
	last = append(last, *p)
	slices.SortFunc(last, func(a, b Point) int { return cmp.Compare(b.At, a.At) })
	st.last = last[:min(len(last), 2)]
	return in, ok && (in.Distribution != nil && in.Distribution.Count > 0 || in.Value > 0)
}

// Close gives the increases of all points in panes that end at to or before, in the
// order of time, with the offsets of the points.
func (s *Streams) Close(to flyball.Time, f func(Series, Increase, int64)) {
	if to == flyball.NoTime || to <= s.closed {
		return
	}
	var due []waiting
	for start, list := range s.pending {
		if start.Add(s.pane) <= to {
			due = append(due, list...)
			delete(s.pending, start)
		}
	}
	last := s.closed
	s.closed = to
	slices.SortFunc(due, func(a, b waiting) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Stream.Hi, b.Stream.Hi), cmp.Compare(a.Stream.Lo, b.Stream.Lo),
			cmp.Compare(a.Start, b.Start), cmp.Compare(a.Value, b.Value), cmp.Compare(a.offset, b.offset))
	})
	for i := range due {
		if in, ok := s.count(&due[i].Point); ok {
			f(due[i].Series, in, due[i].offset)
		}
	}
	s.released = append(s.released, due...)
	if to.Floor(Stale) != last.Floor(Stale) {
		s.forget()
	}
}

// save keeps a stream as it was before the transaction's first change of it.
func (s *Streams) save(id flyball.StreamID) {
	if _, saved := s.undo[id]; saved {
		return
	}
	s.undo[id] = nil
	if st := s.streams[id]; st != nil {
		s.undo[id] = &stream{st.last, st.series}
	}
}

// Low returns the lowest offset that a successor must read from, at a watermark.
func (s *Streams) Low(watermark flyball.Time) (low int64, any bool) {
	return s.lows.Lowest(func(start flyball.Time) bool { return s.expired(start, watermark) })
}

func (s *Streams) expired(start, watermark flyball.Time) bool {
	return watermark != flyball.NoTime && start.Add(s.pane).Add(s.kept) <= watermark
}

// Len returns how many streams are known.
func (s *Streams) Len() int { return len(s.streams) }

// Commit makes the changes since the last one permanent.
func (s *Streams) Commit(watermark flyball.Time) {
	s.was, s.added, s.released = s.closed, nil, nil
	clear(s.undo)
	s.lows.Commit(func(start flyball.Time) bool { return s.expired(start, watermark) })
}

// forget drops the streams that are stale.
func (s *Streams) forget() {
	waits := map[flyball.StreamID]bool{}
	for _, list := range s.pending {
		for i := range list {
			waits[list[i].Stream] = true
		}
	}
	for id, st := range s.streams {
		if !waits[id] && (len(st.last) == 0 || s.expired(st.last[0].At.Floor(s.pane), s.closed)) {
			s.save(id)
			delete(s.streams, id)
		}
	}
}

// Abort takes the changes since the last Commit back.
func (s *Streams) Abort() {
	for _, w := range s.released {
		start := w.At.Floor(s.pane)
		s.pending[start] = append(s.pending[start], w)
	}
	for _, w := range s.added {
		start := w.At.Floor(s.pane)
		list := s.pending[start]
		i := slices.IndexFunc(list, func(x waiting) bool {
			return x.offset == w.offset && x.Stream == w.Stream && x.At == w.At && x.Start == w.Start && x.Series == w.Series
		})
		if list = slices.Delete(list, i, i+1); len(list) == 0 {
			delete(s.pending, start)
		} else {
			s.pending[start] = list
		}
	}
	for id, was := range s.undo {
		if was == nil {
			delete(s.streams, id)
		} else {
			s.streams[id] = was
		}
	}
	s.lows.Abort()
	s.closed, s.added, s.released = s.was, nil, nil
	clear(s.undo)
}
