package window

import (
	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/histogram"
)

// Content is what a window of a series holds.
type Content struct {
	// Series that it belongs to.
	Series *Series
	// Count of samples, and how many were bad.
	Count, Bad int64
	// Sum of the values.
	Sum float64
	// Hist is the distribution of the values, nil without any; it is only lent.
	Hist *histogram.Histogram
}

// At calls f for every series that has a window with that start, in the order of
// their labels.
func (s *Store) At(start flyball.Time, f func(Content)) {
	if !s.windows.Has(start) {
		return
	}
	s.all(func(sr *Series) {
		at, ok := sr.find(start)
		if !ok {
			return
		}
		c := sr.cells[at]
		out := Content{Series: sr, Count: c.count, Bad: c.bad, Sum: c.sum().Value(), Hist: c.live}
		if c.packed != nil {
			out.Hist = s.pool.hist()
			defer s.pool.freeHist(out.Hist)
			unpack(out.Hist, c.packed)
		}
		f(out)
	})
}

// Next returns the start of the first window that has samples and starts at a time
// or after it.
func (s *Store) Next(from flyball.Time) (start flyball.Time, ok bool) {
	s.windows.Each(func(at flyball.Time, _ int64) {
		if at >= from && (!ok || at < start) {
			start, ok = at, true
		}
	})
	return start, ok
}
