package window

import (
	"cmp"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// Store keeps the panes of one indicator in one partition, from their first
// partial until their windows can no longer be corrected.
//
// It changes in place and remembers how to take changes back: the first time a
// transaction touches a pane its old content is saved, which is one copy of a
// small array, and an abort puts it back.
type Store struct {
	spec   flyball.Indicator
	byKey  map[string]*Series
	order  []*Series // sorted by labels while sorted is set
	sorted bool
	starts map[flyball.Time]int64 // pane start → lowest offset that fed it

	trimmed flyball.Time // watermark of the last trim
	touched []*slot
	lowered map[flyball.Time]int64 // starts as they were, -1 for absent
	spare   []*processors.Pane
}

// Series is one series of an indicator, as seen by its panes.
type Series struct {
	// Entity and Labels (canonical JSON) identify it.
	Entity, Labels string
	slots          []*slot // sorted by start
}

// slot is one pane of one series. While it is open the pane is live; once closed
// it is packed, because most of what a store holds is only waiting for
// corrections that hardly ever come.
type slot struct {
	series *Series
	start  flyball.Time
	live   *processors.Pane
	packed *packed

	touched bool
	wasLive *processors.Pane // before the transaction; nil if it was not there
	wasPack *packed
}

// packed is a closed pane, its histogram encoded.
type packed struct {
	count, bad int64
	sum        processors.Sum
	min, max   float64
	hist       []byte
}

// NewStore returns an empty store.
func NewStore(spec flyball.Indicator) *Store {
	return &Store{
		spec: spec, byKey: map[string]*Series{}, starts: map[flyball.Time]int64{},
		lowered: map[flyball.Time]int64{}, trimmed: flyball.NoTime,
	}
}

// Spec returns the indicator.
func (s *Store) Spec() flyball.Indicator { return s.spec }

// Series returns how many series have panes.
func (s *Store) Series() int { return len(s.byKey) }

// Add merges a partial pane that came with the record at offset. It fails, and
// changes nothing, when the pane's histogram does not decode.
func (s *Store) Add(r processors.PaneRow, offset int64) error {
	sr := s.byKey[r.Labels]
	if sr == nil {
		sr = &Series{Entity: clone(r.Entity), Labels: clone(r.Labels)}
	}
	sl, isNew := sr.slot(r.Start)
	s.touch(sl, isNew)
	s.makeLive(sl)
	if err := sl.live.MergeRow(r); err != nil {
		return err
	}
	if isNew {
		if s.byKey[sr.Labels] == nil {
			s.byKey[sr.Labels] = sr
			s.order, s.sorted = append(s.order, sr), false
		}
		at, _ := sr.find(r.Start)
		sr.slots = slices.Insert(sr.slots, at, sl)
	}
	s.lower(r.Start, offset)
	return nil
}

func clone(s string) string { return string(append([]byte(nil), s...)) }

func (sr *Series) find(start flyball.Time) (int, bool) {
	return slices.BinarySearchFunc(sr.slots, start, func(sl *slot, t flyball.Time) int { return cmp.Compare(sl.start, t) })
}

func (sr *Series) slot(start flyball.Time) (sl *slot, isNew bool) {
	if n := len(sr.slots); n > 0 && sr.slots[n-1].start == start {
		return sr.slots[n-1], false
	}
	if at, ok := sr.find(start); ok {
		return sr.slots[at], false
	}
	return &slot{series: sr, start: start}, true
}

// touch saves a slot before the transaction's first change of it.
func (s *Store) touch(sl *slot, isNew bool) {
	if sl.touched {
		return
	}
	sl.touched = true
	s.touched = append(s.touched, sl)
	if isNew {
		return
	}
	sl.wasPack = sl.packed
	if sl.live != nil {
		sl.wasLive = s.newPane()
		*sl.wasLive = copyOf(sl.wasLive, sl.live)
	}
}

// copyOf copies src into the memory of dst.
func copyOf(dst, src *processors.Pane) processors.Pane {
	hist := dst.Hist
	hist.CopyFrom(&src.Hist)
	return processors.Pane{Count: src.Count, Bad: src.Bad, Sum: src.Sum, Min: src.Min, Max: src.Max, Hist: hist}
}

// makeLive unpacks a slot, so that it can be added to.
func (s *Store) makeLive(sl *slot) {
	if sl.live != nil {
		return
	}
	sl.live = s.newPane()
	if sl.packed != nil {
		sl.packed.mergeInto(sl.live)
		sl.packed = nil
	}
}

func (p *packed) mergeInto(dst *processors.Pane) {
	err := dst.MergeRow(processors.PaneRow{Count: p.count, Bad: p.bad, Sum: p.sum, Min: p.min, Max: p.max, Hist: p.hist})
	if err != nil {
		panic("BUG: a packed pane does not decode: " + err.Error())
	}
}

func (s *Store) newPane() *processors.Pane {
	if n := len(s.spare); n > 0 {
		p := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return p
	}
	return processors.NewPane()
}

func (s *Store) freePane(p *processors.Pane) {
	if p != nil {
		p.Reset()
		s.spare = append(s.spare, p)
	}
}

func (s *Store) lower(start flyball.Time, offset int64) {
	old, ok := s.starts[start]
	if ok && old <= offset {
		return
	}
	if _, saved := s.lowered[start]; !saved {
		s.lowered[start] = -1
		if ok {
			s.lowered[start] = old
		}
	}
	s.starts[start] = offset
}

// Low returns the lowest offset that a pane came from whose window can still be
// corrected at this watermark.
func (s *Store) Low(watermark flyball.Time) (low int64, any bool) {
	for start, offset := range s.starts {
		if !s.Expired(start, watermark) && (!any || offset < low) {
			low, any = offset, true
		}
	}
	return low, any
}
