package window

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// Store keeps the panes of one indicator in one partition, from their first
// partial until their windows can no longer be corrected.
//
// It changes in place and remembers how to take changes back: the first time a
// transaction touches a window of a series its old content is saved, which is one
// copy of a small array, and an abort puts it back.
//
// It bounds its memory by Indicator.SeriesLimit: a window takes that many series,
// and the samples of more go to one overflow series. The limit counts by window,
// in the order of the log, because a successor rebuilds whole windows from the
// log: so it takes the same series. A limit of 0 or less is none.
type Store struct {
	spec     flyball.Indicator
	overflow Series // whose identity the series beyond the limit share
	byKey    map[string]*Series
	order    []*Series // sorted by labels while sorted is set
	sorted   bool
	windows  map[flyball.Time]extent // by start

	trimmed flyball.Time // pane edge of the last trim
	touched []*cell
	undo    map[flyball.Time]extent // windows as they were; of no series when absent
	pool    pool
}

// extent is what is known of one window over all series.
type extent struct {
	low    int64 // lowest offset that fed it
	series int   // series in it, without the overflow series
}

// Series is one series of an indicator, as seen by its panes.
type Series struct {
	// Entity and Labels (canonical JSON) identify it.
	Entity, Labels string
	// Note is the owner's, to keep what it works out of the labels; nil at first.
	Note any

	cells []*cell // by start
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
		spec: spec, overflow: Series{Entity: entity, Labels: labels.JSON()},
		byKey: map[string]*Series{}, windows: map[flyball.Time]extent{},
		undo: map[flyball.Time]extent{}, trimmed: flyball.NoTime,
	}
}

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
	r.Start = r.Start.Floor(s.spec.Pane) // should its sender have another idea of panes
	start := s.windowOf(r.Start)
	sr, at, found, err := s.place(&r, start)
	if err != nil {
		return nil, err
	}
	c := &cell{series: sr, start: start, content: emptyContent()}
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
		s.insert(c, at)
	}
	c.merge(&r)
	s.note(start, offset, !found && sr.Labels != s.overflow.Labels)
	return sr, nil
}

func (s *Store) windowOf(t flyball.Time) flyball.Time { return t.Floor(s.spec.Window) }

// place returns the series that takes a row, and where its window is or belongs.
func (s *Store) place(r *processors.PaneRow, start flyball.Time) (sr *Series, at int, found bool, err error) {
	if sr = s.byKey[r.Labels]; sr != nil {
		if at, found = sr.find(start); found {
			return sr, at, true, nil
		}
	} else {
		var ls flyball.Labels
		if err := json.Unmarshal([]byte(r.Labels), &ls); err != nil {
			return nil, 0, false, fmt.Errorf("cannot use pane of indicator %q: %w", r.Indicator, err)
		}
	}
	if s.spec.SeriesLimit > 0 && s.windows[start].series >= s.spec.SeriesLimit && r.Labels != s.overflow.Labels {
		if sr = s.byKey[s.overflow.Labels]; sr == nil {
			return &Series{Entity: s.overflow.Entity, Labels: s.overflow.Labels}, 0, false, nil
		}
		at, found = sr.find(start)
		return sr, at, found, nil
	}
	if sr == nil { // the row's bytes are only lent
		sr = &Series{Entity: strings.Clone(r.Entity), Labels: strings.Clone(r.Labels)}
	}
	return sr, at, false, nil
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
	sr := c.series
	if len(sr.cells) == 0 {
		s.byKey[sr.Labels] = sr
		s.order, s.sorted = append(s.order, sr), false
	}
	sr.cells = slices.Insert(sr.cells, at, c)
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

// note keeps the extent of a window.
func (s *Store) note(start flyball.Time, offset int64, newSeries bool) {
	old, ok := s.windows[start]
	now := old
	if !ok || offset < old.low {
		now.low = offset
	}
	if newSeries {
		now.series++
	}
	if now == old && ok {
		return
	}
	if _, saved := s.undo[start]; !saved {
		if !ok {
			old.low = -1
		}
		s.undo[start] = old
	}
	s.windows[start] = now
}

// Low returns the lowest offset that a pane came from whose window can still be
// corrected at this watermark.
func (s *Store) Low(watermark flyball.Time) (low int64, any bool) {
	for start, w := range s.windows {
		if !s.Expired(start, watermark) && (!any || w.low < low) {
			low, any = w.low, true
		}
	}
	return low, any
}

// Commit makes the transaction's changes permanent, given the watermark: closed
// windows are packed, and those that can no longer be corrected are dropped.
func (s *Store) Commit(watermark flyball.Time) {
	for _, c := range s.touched {
		s.pool.free(c.was)
		c.was, c.touched = nil, false
		if s.Closed(c.start, watermark) {
			c.freeze(&s.pool)
		}
	}
	s.touched = s.touched[:0]
	clear(s.undo)
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
		for _, c := range s.after(sr, from) {
			if !s.Closed(c.start, to) {
				break
			}
			c.freeze(&s.pool)
		}
		cells += len(sr.cells)
	}
	s.dropEmpty()
	for start := range s.windows {
		if s.Expired(start, to) {
			delete(s.windows, start)
		}
	}
	s.pool.trim(2*cells + 64)
}

// Abort takes the transaction's changes back.
func (s *Store) Abort() {
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
	for start, old := range s.undo {
		if old.low < 0 {
			delete(s.windows, start)
		} else {
			s.windows[start] = old
		}
	}
	clear(s.undo)
}

// dropEmpty forgets series without panes.
func (s *Store) dropEmpty() {
	s.order = slices.DeleteFunc(s.order, func(sr *Series) bool {
		if len(sr.cells) > 0 {
			return false
		}
		delete(s.byKey, sr.Labels)
		return true
	})
}
