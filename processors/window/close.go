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

// Crosses reports whether any pane, and so any window, can close when the
// watermark moves.
func (s *Store) Crosses(from, to flyball.Time) bool {
	return from.Floor(s.spec.Pane) != to.Floor(s.spec.Pane)
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

// open returns the cells that end after t.
func (s *Store) open(sr *Series, t flyball.Time) []*cell {
	n := len(sr.cells)
	for n > 0 && !s.filled(sr.cells[n-1].start, t) {
		n--
	}
	return sr.cells[n:]
}

// ClosePanes calls f for every pane whose end lies in (from, to], series by
// series in the order of their labels, each in the order of time.
func (s *Store) ClosePanes(from, to flyball.Time, f func(ClosedPane)) {
	s.all(func(sr *Series) {
		for _, c := range s.open(sr, from) {
			if c.start >= to {
				return
			}
			for i := range c.panes {
				p := &c.panes[i]
				if end := p.start.Add(s.spec.Pane); end > from && end <= to {
					f(ClosedPane{Series: sr, Start: p.start, Count: p.count, Bad: p.bad})
				}
			}
		}
	})
}

// closing is a window of a series that closes.
type closing struct {
	series *Series
	end    flyball.Time
}

// CloseWindows appends to out every window whose end lies in (from, to] and that
// has samples, sorted by end and labels.
func (s *Store) CloseWindows(from, to flyball.Time, out *processors.Windows) {
	var list []closing
	s.all(func(sr *Series) { list = s.ends(list, sr, from, to) })
	slices.SortStableFunc(list, func(a, b closing) int { return cmp.Compare(a.end, b.end) })
	for _, c := range list {
		out.Append(s.row(c.series, c.end.Add(-s.window), 1))
	}
}

// ends appends the ends in (from, to] of windows that hold anything of a series.
func (s *Store) ends(list []closing, sr *Series, from, to flyball.Time) []closing {
	next := s.last(from.Add(-s.window)).Add(s.hop) // the first that ends after from, or is not in the list
	piece := func(at flyball.Time) {
		start, last := max(s.first(at), next), s.last(at)
		for ; start <= last && start.Add(s.window) <= to; start = next {
			list = append(list, closing{sr, start.Add(s.window)})
			if next = start.Add(s.hop); next == start { // the end of time
				return
			}
		}
	}
	for _, g := range sr.settled {
		piece(g.start)
	}
	n := len(sr.cells) // those before can be in no window that ends after from
	for n > 0 && s.last(sr.cells[n-1].start).Add(s.window) > from {
		n--
	}
	for _, c := range sr.cells[n:] {
		piece(c.start)
	}
	return list
}

// Correct appends the window of a series that starts at start again, with the revision
// given, after a late pane changed it.
func (s *Store) Correct(labels string, start flyball.Time, revision uint32, out *processors.Windows) {
	out.Append(s.row(s.byKey[labels], start, revision))
}

// row adds up the window that starts at start.
func (s *Store) row(sr *Series, start flyball.Time, revision uint32) processors.WindowRow {
	r := processors.WindowRow{
		Indicator: s.spec.Name, Entity: sr.Entity, Labels: sr.Labels,
		Start: start, End: start.Add(s.window), Revision: revision, Complete: true,
		Min: math.Inf(1), Max: math.Inf(-1),
	}
	var sum processors.Sum
	all := s.pool.hist()
	defer s.pool.freeHist(all)
	h := all
	add := func(count, bad int64, least, most float64) {
		r.Count += count
		r.Bad += bad
		r.Min, r.Max = math.Min(r.Min, least), math.Max(r.Max, most)
	}
	at, _ := sr.segment(start)
	for _, g := range sr.settled[at:] {
		if g.start >= r.End {
			break
		}
		add(g.count, g.bad, g.min, g.max)
		sum.Merge(g.sum)
		if len(g.packed) > 0 {
			unpack(all, g.packed)
		}
	}
	at, _ = sr.find(start)
	for _, c := range sr.cells[at:] {
		if c.start >= r.End {
			break
		}
		add(c.count, c.bad, c.min, c.max)
		sum.Merge(c.sum())
		switch {
		case c.live != nil && s.cell == s.window:
			h = c.live // the window is this cell
		case c.live != nil:
			all.Merge(c.live)
		case c.packed != nil:
			unpack(all, c.packed)
		}
	}
	if h.Count() == 0 {
		nan := math.NaN()
		r.Sum, r.Min, r.Max, r.P50, r.P90, r.P95, r.P99 = nan, nan, nan, nan, nan, nan, nan
		return r
	}
	r.Sum = sum.Value()
	r.P50, r.P90, r.P95, r.P99 = h.Quantile(0.5), h.Quantile(0.9), h.Quantile(0.95), h.Quantile(0.99)
	r.Hist = h.AppendQuantilesDD(nil)
	return r
}
