package window

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// ClosedPane is the count of one pane that the watermark has passed.
type ClosedPane struct {
	// Series that it belongs to.
	Series *Series
	// Start of the pane.
	Start flyball.Time
	// Count of samples, and how many were bad.
	Count, Bad int64
}

// all calls f for each series, in the order of their labels.
func (s *Store) all(f func(*Series)) {
	if !s.sorted {
		slices.SortFunc(s.order, func(a, b *Series) int { return strings.Compare(a.Labels, b.Labels) })
		s.sorted = true
	}
	for _, sr := range s.order {
		f(sr)
	}
}

// ClosePanes calls f for every pane whose end lies in (from, to], series by
// series, each in the order of time.
func (s *Store) ClosePanes(from, to flyball.Time, f func(ClosedPane)) {
	s.all(func(sr *Series) {
		for _, sl := range sr.slots {
			if end := sl.start.Add(s.spec.Pane); end > from && end <= to {
				count, bad := sl.counts()
				f(ClosedPane{Series: sr, Start: sl.start, Count: count, Bad: bad})
			}
		}
	})
}

func (sl *slot) counts() (count, bad int64) {
	if sl.live != nil {
		return sl.live.Count, sl.live.Bad
	}
	return sl.packed.count, sl.packed.bad
}

// CloseWindows appends to out every window whose end lies in (from, to] and that
// has samples, sorted by end and labels.
func (s *Store) CloseWindows(from, to flyball.Time, out *processors.Windows) {
	var rows []processors.WindowRow
	scratch := s.newPane()
	s.all(func(sr *Series) {
		for i := 0; i < len(sr.slots); {
			start := sr.slots[i].start.Floor(s.spec.Window)
			end := start.Add(s.spec.Window)
			j := i
			for j < len(sr.slots) && sr.slots[j].start < end {
				j++
			}
			if end > from && end <= to {
				rows = append(rows, s.window(sr, sr.slots[i:j], start, end, 1, scratch))
			}
			i = j
		}
	})
	s.freePane(scratch)
	slices.SortStableFunc(rows, func(a, b processors.WindowRow) int { return cmp.Compare(a.End, b.End) })
	for _, r := range rows {
		out.Append(r)
	}
}

// Correct appends the window of r again, with the revision given, after a late
// pane changed it.
func (s *Store) Correct(labels string, paneStart flyball.Time, revision uint32, out *processors.Windows) {
	sr := s.byKey[labels]
	start := paneStart.Floor(s.spec.Window)
	end := start.Add(s.spec.Window)
	from, _ := sr.find(start)
	to, _ := sr.find(end)
	scratch := s.newPane()
	out.Append(s.window(sr, sr.slots[from:to], start, end, revision, scratch))
	s.freePane(scratch)
}

func (s *Store) window(sr *Series, slots []*slot, start, end flyball.Time, revision uint32, scratch *processors.Pane) processors.WindowRow {
	scratch.Reset()
	for _, sl := range slots {
		if sl.live != nil {
			scratch.Merge(sl.live)
		} else {
			sl.packed.mergeInto(scratch)
		}
	}
	r := processors.WindowRow{
		Indicator: s.spec.Name, Entity: sr.Entity, Labels: sr.Labels,
		Start: start, End: end, Revision: revision, Count: scratch.Count, Bad: scratch.Bad, Complete: true,
	}
	h := &scratch.Hist
	if h.Count() == 0 {
		nan := math.NaN()
		r.Sum, r.Min, r.Max, r.P50, r.P90, r.P95, r.P99 = nan, nan, nan, nan, nan, nan, nan
		return r
	}
	r.Sum, r.Min, r.Max = scratch.Sum.Value(), scratch.Min, scratch.Max
	r.P50, r.P90, r.P95, r.P99 = h.Quantile(0.5), h.Quantile(0.9), h.Quantile(0.95), h.Quantile(0.99)
	r.Hist = h.AppendQuantilesDD(nil)
	return r
}

// Commit makes the transaction's changes permanent, given the watermark: closed
// panes are packed, and those whose windows can no longer be corrected are
// dropped.
func (s *Store) Commit(watermark flyball.Time) {
	for _, sl := range s.touched {
		s.freePane(sl.wasLive)
		sl.wasLive, sl.wasPack, sl.touched = nil, nil, false
	}
	s.touched = s.touched[:0]
	clear(s.lowered)
	if watermark == s.trimmed {
		return
	}
	s.trimmed = watermark
	for _, sr := range s.order {
		s.trim(sr, watermark)
	}
	s.dropEmpty()
	for start := range s.starts {
		if s.Expired(start, watermark) {
			delete(s.starts, start)
		}
	}
}

// Expired reports whether the window of a pane can no longer be corrected.
func (s *Store) Expired(paneStart, watermark flyball.Time) bool {
	end := paneStart.Floor(s.spec.Window).Add(s.spec.Window)
	return end.Add(s.spec.Lateness) <= watermark
}

// Closed reports whether the window of a pane is closed.
func (s *Store) Closed(paneStart, watermark flyball.Time) bool {
	return paneStart.Floor(s.spec.Window).Add(s.spec.Window) <= watermark
}

func (s *Store) trim(sr *Series, watermark flyball.Time) {
	kept := sr.slots[:0]
	for _, sl := range sr.slots {
		if s.Expired(sl.start, watermark) {
			s.freePane(sl.live)
			continue
		}
		if sl.live != nil && sl.start.Add(s.spec.Pane) <= watermark {
			sl.packed = pack(sl.live)
			s.freePane(sl.live)
			sl.live = nil
		}
		kept = append(kept, sl)
	}
	clear(sr.slots[len(kept):])
	sr.slots = kept
}

func pack(p *processors.Pane) *packed {
	out := &packed{count: p.Count, bad: p.Bad, sum: p.Sum, min: p.Min, max: p.Max}
	if p.Hist.Count() > 0 {
		out.hist = p.Hist.AppendBinary(nil)
	}
	return out
}

// Abort takes the transaction's changes back.
func (s *Store) Abort() {
	for _, sl := range s.touched {
		s.freePane(sl.live)
		sl.live, sl.packed, sl.touched = sl.wasLive, sl.wasPack, false
		sl.wasLive, sl.wasPack = nil, nil
		if sl.live == nil && sl.packed == nil {
			sr := sl.series
			if at, ok := sr.find(sl.start); ok {
				sr.slots = slices.Delete(sr.slots, at, at+1)
			}
		}
	}
	s.touched = s.touched[:0]
	s.dropEmpty()
	for start, offset := range s.lowered {
		if offset < 0 {
			delete(s.starts, start)
		} else {
			s.starts[start] = offset
		}
	}
	clear(s.lowered)
}

// dropEmpty forgets series without panes.
func (s *Store) dropEmpty() {
	s.order = slices.DeleteFunc(s.order, func(sr *Series) bool {
		if len(sr.slots) > 0 {
			return false
		}
		delete(s.byKey, sr.Labels)
		return true
	})
}
