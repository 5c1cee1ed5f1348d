package window

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/offsets"
)

// Store keeps the panes of one indicator in one partition, from their first
// partial until their windows can no longer be corrected.
//
// It changes in place and remembers how to take changes back: the first time a
// transaction touches a window of a series its old content is saved, which is one
// copy of a small array, and an abort puts it back.
//
// It bounds its memory by Indicator.SeriesLimit: a part (which is a window, unless they
// overlap) takes that many series, and the samples of more go to one overflow series.
// The limit counts by part, in the order of the log, because a successor rebuilds whole
// parts from the log: so it takes the same series. A limit of 0 or less is none.
type Store struct {
	geometry
	spec     flyball.Indicator
	overflow Series // whose identity the series beyond the limit share
	byKey    map[string]*Series
	order    []*Series // sorted by labels while sorted is set
	sorted   bool
	windows  offsets.Lows         // of cells, by their start
	parts    map[flyball.Time]int // series in a part, without the overflow series

	trimmed   flyball.Time // pane edge of the last trim
	touched   []*cell
	undoParts map[flyball.Time]int // parts as they were
	reserved  map[place]bool       // series that have a place in a part without samples in it
	taken     []place              // of those, since the last commit
	pool      pool
	settled   settled
	limited   int64 // rows that the overflow series took since TakeLimited
}

// place is that of a series in a part.
type place struct {
	part   flyball.Time
	labels string
}

// Series is one series of an indicator, as seen by its panes.
type Series struct {
	// Entity and Labels (canonical JSON) identify it.
	Entity, Labels string
	// Note is the owner's, to keep what it works out of the labels; nil at first.
	Note any

	cells   []*cell    // by start
	settled []*segment // by start
	held    bool       // whether the store has it
}

// NewStore returns an empty store. The partition, of the panes topic, tells the
// overflow series of different partitions apart.
func NewStore(spec flyball.Indicator, partition int32) *Store {
	entity := fmt.Sprintf("%s/%d", flyball.OverflowValue, partition)
	var labels flyball.Labels
	for _, name := range spec.GroupBy {
		value := flyball.OverflowValue
		if name == spec.Entity {
			value = entity
		}
		labels = append(labels, flyball.Label{Name: name, Value: value})
	}
	slices.SortFunc(labels, func(a, b flyball.Label) int { return strings.Compare(a.Name, b.Name) })
	return &Store{
		geometry: geometryOf(&spec, Rebuilt), spec: spec, overflow: Series{Entity: entity, Labels: labels.JSON()},
		byKey: map[string]*Series{}, windows: offsets.NewLows(), parts: map[flyball.Time]int{},
		undoParts: map[flyball.Time]int{}, reserved: map[place]bool{}, trimmed: flyball.NoTime, settled: newSettled(),
	}
}

// RebuildAtMost makes the store settle windows that are longer than a duration, in
// place of Rebuilt. It belongs before anything else.
func (s *Store) RebuildAtMost(window time.Duration) { s.geometry = geometryOf(&s.spec, window) }

// Spec returns the indicator.
func (s *Store) Spec() flyball.Indicator { return s.spec }

// Series returns how many series have panes.
func (s *Store) Series() int { return len(s.byKey) }

// Overflow returns the entity of the series that takes what is beyond the limit.
func (s *Store) Overflow() string { return s.overflow.Entity }

// Add merges a partial pane that came with the record at offset, and returns the
// series that took it. It fails, and changes nothing, when the row is not valid:
// its numbers, its labels, or its histogram.
func (s *Store) Add(r processors.PaneRow, offset int64) (*Series, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	r.Start = r.Start.Floor(s.pane) // should its sender have another idea of panes
	start := s.cellOf(r.Start)
	if s.isSettled(start) {
		return s.addSettled(&r, offset)
	}
	sr, at, found, err := s.place(&r, start, offset)
	if err != nil {
		return nil, err
	}
	c := &cell{series: sr, start: start, first: offset, content: emptyContent()}
	if found {
		c = sr.cells[at]
		s.touch(c)
	}
	if len(r.Hist) > 0 {
		c.thaw(&s.pool)
		if err := c.live.MergeBinary(r.Hist); err != nil {
			if !found {
				s.pool.freeHist(c.live)
			}
			return nil, err
		}
	}
	if !found {
		s.count(s.partOf(start), sr)
		s.insert(c, at)
	}
	c.merge(&r)
	s.windows.Note(start, offset)
	return sr, nil
}

// place returns the series that takes a row, and where its cell is or belongs.
func (s *Store) place(r *processors.PaneRow, start flyball.Time, offset int64) (sr *Series, at int, found bool, err error) {
	if sr = s.byKey[r.Labels]; sr != nil {
		if at, found = sr.find(start); found {
			return sr, at, true, nil
		}
	}
	if sr, err = s.admit(r, s.partOf(start), offset); err != nil {
		return nil, 0, false, err
	}
	at, found = sr.find(start)
	return sr, at, found, nil
}

// admit returns the series of a row in a part: its own, or where that would be one too
// many, the overflow's. One that is new is not held yet.
func (s *Store) admit(r *processors.PaneRow, part flyball.Time, offset int64) (*Series, error) {
	sr, err := s.own(r)
	if err != nil {
		return nil, err
	}
	if len(s.settled.later) > 0 {
		s.arrive(part, offset)
	}
	if s.spec.SeriesLimit > 0 && s.parts[part] >= s.spec.SeriesLimit && r.Labels != s.overflow.Labels && !s.inPart(sr, part) {
		if sr = s.byKey[s.overflow.Labels]; sr == nil {
			sr = &Series{Entity: s.overflow.Entity, Labels: s.overflow.Labels}
		}
		s.limited++
	}
	return sr, nil
}

// own returns the series that a row belongs to. One that is new is not held yet.
func (s *Store) own(r *processors.PaneRow) (*Series, error) {
	if sr := s.byKey[r.Labels]; sr != nil {
		return sr, nil
	}
	var ls flyball.Labels
	if err := json.Unmarshal([]byte(r.Labels), &ls); err != nil {
		return nil, fmt.Errorf("cannot use pane of indicator %q: %w", r.Indicator, err)
	}
	// The row's bytes are only lent.
	return &Series{Entity: strings.Clone(r.Entity), Labels: strings.Clone(r.Labels)}, nil
}

// isSettled reports whether a cell is settled.
func (s *Store) isSettled(start flyball.Time) bool {
	return s.long && s.settled.to != flyball.NoTime && s.filled(start, s.settled.to)
}

// TakeLimited returns how many rows the overflow series has taken since the last call,
// because their own would have been too many. Rows that are replayed or given again
// count again.
func (s *Store) TakeLimited() int64 {
	n := s.limited
	s.limited = 0
	return n
}

// Reserve gives the series of a row that is to be added later its place under the limit
// now, in the order of the log.
func (s *Store) Reserve(r processors.PaneRow, offset int64) {
	if s.spec.SeriesLimit <= 0 {
		return
	}
	part := s.partOf(r.Start)
	if s.settled.drops && s.isSettled(s.cellOf(r.Start)) {
		return // nothing of it is counted
	}
	if s.reserved[place{part, r.Labels}] {
		return // by an earlier point, so that its labels need not be read again
	}
	sr, err := s.admit(&r, part, offset)
	if err != nil || sr.Labels == s.overflow.Labels || s.inPart(sr, part) {
		return
	}
	s.count(part, sr)
	p := place{part, sr.Labels}
	s.reserved[p] = true
	s.taken = append(s.taken, p)
}

// inPart reports whether a series has samples in a part, or a place.
func (s *Store) inPart(sr *Series, part flyball.Time) bool {
	if len(s.reserved) > 0 && s.reserved[place{part, sr.Labels}] {
		return true
	}
	if _, ok := sr.segment(part); ok {
		return true
	}
	at, ok := sr.find(part)
	return ok || at < len(sr.cells) && sr.cells[at].start < part.Add(s.part)
}

// count counts a series that comes into a part, if it does; it must be called before.
func (s *Store) count(part flyball.Time, sr *Series) {
	if sr.Labels == s.overflow.Labels || s.inPart(sr, part) {
		return
	}
	if _, saved := s.undoParts[part]; !saved {
		s.undoParts[part] = s.parts[part]
	}
	s.parts[part]++
}

// hold makes a series one of the store's.
func (s *Store) hold(sr *Series) {
	if !sr.held {
		sr.held = true
		s.byKey[sr.Labels] = sr
		s.order, s.sorted = append(s.order, sr), false
	}
}

func (sr *Series) find(start flyball.Time) (int, bool) {
	if n := len(sr.cells); n > 0 && sr.cells[n-1].start <= start {
		if sr.cells[n-1].start == start {
			return n - 1, true
		}
		return n, false
	}
	return slices.BinarySearchFunc(sr.cells, start, func(c *cell, t flyball.Time) int { return cmp.Compare(c.start, t) })
}

// insert adds a new cell to its series, and the series if it is new too.
func (s *Store) insert(c *cell, at int) {
	s.hold(c.series)
	c.series.cells = slices.Insert(c.series.cells, at, c)
	c.touched = true
	s.touched = append(s.touched, c)
}

// touch saves a cell before the transaction's first change of it.
func (s *Store) touch(c *cell) {
	if !c.touched {
		c.touched, c.was = true, s.pool.save(&c.content)
		s.touched = append(s.touched, c)
	}
}

// Low returns the lowest offset that a pane came from whose window can still be
// corrected at this watermark.
func (s *Store) Low(watermark flyball.Time) (low int64, any bool) {
	return s.windows.Lowest(func(start flyball.Time) bool { return s.Expired(start, watermark) })
}

// Commit makes the transaction's changes permanent, given the watermark: closed
// windows are packed, and those that can no longer be corrected are dropped.
func (s *Store) Commit(watermark flyball.Time) {
	for _, c := range s.touched {
		s.pool.free(c.was)
		c.was, c.touched = nil, false
		if s.filled(c.start, watermark) {
			c.freeze(&s.pool)
		}
	}
	s.touched = s.touched[:0]
	s.windows.Commit(nil)
	clear(s.undoParts)
	s.taken = s.taken[:0]
	s.commitSettled()
	if edge := watermark.Floor(s.spec.Pane); edge != s.trimmed {
		s.trim(s.trimmed, edge)
		s.trimmed = edge
	}
}

// trim packs what closed between two pane edges and drops what expired.
func (s *Store) trim(from, to flyball.Time) {
	cells := 0
	for _, sr := range s.order {
		n := 0
		for n < len(sr.cells) && s.Expired(sr.cells[n].start, to) {
			s.pool.freeHist(sr.cells[n].live)
			n++
		}
		if n > 0 {
			sr.cells = slices.Delete(sr.cells, 0, n)
		}
		for _, c := range s.open(sr, from) {
			if !s.filled(c.start, to) {
				break
			}
			c.freeze(&s.pool)
		}
		cells += len(sr.cells)
	}
	s.dropEmpty()
	s.windows.Commit(func(start flyball.Time) bool { return s.Expired(start, to) })
	for p := range s.reserved {
		if s.Expired(p.part, to) {
			delete(s.reserved, p)
		}
	}
	for start := range s.parts {
		if s.Expired(start, to) {
			delete(s.parts, start)
			delete(s.settled.later, start)
		}
	}
	s.pool.trim(2*cells + 64)
}

// Abort takes the transaction's changes back.
func (s *Store) Abort() {
	s.abortSettled()
	for _, p := range s.taken {
		delete(s.reserved, p)
	}
	s.taken = s.taken[:0]
	for _, c := range s.touched {
		c.touched = false
		if c.was != nil {
			s.pool.undo(c)
			continue
		}
		if at, ok := c.series.find(c.start); ok {
			c.series.cells = slices.Delete(c.series.cells, at, at+1)
		}
		s.pool.freeHist(c.live)
	}
	s.touched = s.touched[:0]
	s.dropEmpty()
	s.windows.Abort()
	for part, old := range s.undoParts {
		if old == 0 {
			delete(s.parts, part)
		} else {
			s.parts[part] = old
		}
	}
	clear(s.undoParts)
}

// dropEmpty forgets series without panes.
func (s *Store) dropEmpty() {
	s.order = slices.DeleteFunc(s.order, func(sr *Series) bool {
		if len(sr.cells)+len(sr.settled) > 0 {
			return false
		}
		sr.held = false
		delete(s.byKey, sr.Labels)
		return true
	})
}
