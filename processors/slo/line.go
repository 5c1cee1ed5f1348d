package slo

import (
	"cmp"
	"slices"

	"github.com/flyball-io/flyball"
)

// line holds the slices of an exact ring as they are, with running sums: it takes
// more memory than chunks, and no decoding. It is neither durable nor taken back, and
// forgets nothing.
type line struct {
	slices []entry // those with samples, by start
}

// entry is one slice.
type entry struct {
	start  flyball.Time
	counts counts
	before counts // weighed sum of all earlier ones
}

// from returns the place of the first slice that starts at t or later.
func (l *line) from(t flyball.Time) int {
	if n := len(l.slices); n == 0 || l.slices[n-1].start < t {
		return n
	}
	i, _ := slices.BinarySearchFunc(l.slices, t, func(e entry, t flyball.Time) int { return cmp.Compare(e.start, t) })
	return i
}

// set replaces the slice that starts at start.
func (l *line) set(start flyball.Time, c counts, w weigh) {
	i := l.from(start)
	found := i < len(l.slices) && l.slices[i].start == start
	switch {
	case c == (counts{}) && found:
		l.slices = slices.Delete(l.slices, i, i+1)
	case c == (counts{}):
		return
	case found:
		l.slices[i].counts = c
	default:
		l.slices = slices.Insert(l.slices, i, entry{start: start, counts: c})
	}
	for ; i < len(l.slices); i++ {
		l.slices[i].before = l.upTo(i, w)
	}
}

// upTo returns the sum of the slices before the i-th.
func (l *line) upTo(i int, w weigh) counts {
	if i == 0 {
		return counts{}
	}
	last := &l.slices[i-1]
	return last.before.plus(w.of(last.counts))
}

func (l *line) at(start flyball.Time) counts {
	if i := l.from(start); i < len(l.slices) && l.slices[i].start == start {
		return l.slices[i].counts
	}
	return counts{}
}
