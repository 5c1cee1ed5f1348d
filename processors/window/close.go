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

// Closed reports whether the window that holds a pane is closed.
func (s *Store) Closed(paneStart, watermark flyball.Time) bool {
	return s.windowOf(paneStart).Add(s.spec.Window) <= watermark
}

// Expired reports whether the window that holds a pane can no longer be
// corrected.
func (s *Store) Expired(paneStart, watermark flyball.Time) bool {
	return s.windowOf(paneStart).Add(s.spec.Window).Add(s.spec.Lateness) <= watermark
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

// after returns the cells whose windows end after t.
func (s *Store) after(sr *Series, t flyball.Time) []*cell {
	n := len(sr.cells)
	for n > 0 && sr.cells[n-1].start.Add(s.spec.Window) > t {
		n--
	}
	return sr.cells[n:]
}

// ClosePanes calls f for every pane whose end lies in (from, to], series by
// series in the order of their labels, each in the order of time.
func (s *Store) ClosePanes(from, to flyball.Time, f func(ClosedPane)) {
	s.all(func(sr *Series) {
		for _, c := range s.after(sr, from) {
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

// CloseWindows appends to out every window whose end lies in (from, to] and that
// has samples, sorted by end and labels.
func (s *Store) CloseWindows(from, to flyball.Time, out *processors.Windows) {
	var closing []*cell
	s.all(func(sr *Series) {
		for _, c := range s.after(sr, from) {
			if c.start.Add(s.spec.Window) > to {
				return
			}
			closing = append(closing, c)
		}
	})
	slices.SortStableFunc(closing, func(a, b *cell) int { return cmp.Compare(a.start, b.start) })
	for _, c := range closing {
		out.Append(s.row(c, 1))
	}
}

// Correct appends the window of a series again, with the revision given, after a
// late pane changed it.
func (s *Store) Correct(labels string, start flyball.Time, revision uint32, out *processors.Windows) {
	sr := s.byKey[labels]
	at, _ := sr.find(s.windowOf(start))
	out.Append(s.row(sr.cells[at], revision))
}

func (s *Store) row(c *cell, revision uint32) processors.WindowRow {
	r := processors.WindowRow{
		Indicator: s.spec.Name, Entity: c.series.Entity, Labels: c.series.Labels,
		Start: c.start, End: c.start.Add(s.spec.Window), Revision: revision,
		Count: c.count, Bad: c.bad, Complete: true,
	}
	h := c.live
	if c.packed != nil {
		h = s.pool.hist()
		defer s.pool.freeHist(h)
		unpack(h, c.packed)
	}
	if h == nil || h.Count() == 0 {
		nan := math.NaN()
		r.Sum, r.Min, r.Max, r.P50, r.P90, r.P95, r.P99 = nan, nan, nan, nan, nan, nan, nan
		return r
	}
	r.Sum, r.Min, r.Max = c.sum().Value(), c.min, c.max
	r.P50, r.P90, r.P95, r.P99 = h.Quantile(0.5), h.Quantile(0.9), h.Quantile(0.95), h.Quantile(0.99)
	r.Hist = h.AppendQuantilesDD(nil)
	return r
}
