package histogram

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// interval is a bucket of an explicit histogram: count values above low and up to
// high, and nobody knows where in between. Its edges may be infinite.
type interval struct {
	low, high float64
	count     uint64
}

// intervals is the buckets of explicit histograms, in the order of their edges. They
// are kept apart from h's own buckets and placed among them only where an estimate
// is asked for, so that bounds stay true however they are merged.
//
// There are maxIntervals at most. More of them, which means senders with many
// different layouts, are widened to a grid, one that is just coarse enough: powers
// of 2 at level 1, of 4 at level 2, of 16 at level 3, and so on. What a level gives
// does not depend on the levels before it, and more intervals never need a lower
// one, so that merging gives the same in any order.
type intervals struct {
	level uint
	list  []interval
}

const (
	maxIntervals = 512
	maxLevel     = 12 // powers of 2^2048: all that is left are 0, 1 and the infinities
)

// MergeExplicit merges a histogram with explicit buckets, as OTLP and Prometheus have
// them: counts[i] values above bounds[i-1] and up to bounds[i], the first ones from
// -Inf and the last ones up to +Inf.
//
// Where in its bucket a value lies is not known, and h does not pretend that it is:
// CountBelow, CountAtMost and CountLess give true bounds. Quantiles are estimated as
// if the values of a bucket lay evenly in it, those below the first bound above 0,
// and those above the last bound at it, as Prometheus does; how far off they can be
// is a matter of the sender's buckets.
//
// On error h is unchanged: the bounds are not numbers in ascending order, there is
// not one count more than bounds, or the total would exceed MaxCount.
func (h *Histogram) MergeExplicit(bounds []float64, counts []uint64) error {
	if len(counts) != len(bounds)+1 {
		return fmt.Errorf("cannot merge explicit histogram: %d counts do not fit %d bounds", len(counts), len(bounds))
	}
	low := math.Inf(-1)
	total := uint64(0)
	for i, n := range counts {
		if i < len(bounds) {
			if !(bounds[i] > low) || math.IsInf(bounds[i], 1) {
				return fmt.Errorf("cannot merge explicit histogram: bound %v is not above the one before it", bounds[i])
			}
			low = bounds[i]
		}
		if total += n; total > MaxCount || n > MaxCount {
			return fmt.Errorf("cannot merge explicit histogram: total count exceeds %d", uint64(MaxCount))
		}
	}
	if !h.canHold(total) {
		return fmt.Errorf("cannot merge explicit histogram: total count exceeds %d", uint64(MaxCount))
	}
	low = math.Inf(-1)
	for i, n := range counts {
		high := math.Inf(1)
		if i < len(bounds) {
			high = bounds[i]
		}
		if n > 0 {
			h.explicit.add(interval{low + 0, high + 0, n}) // + 0: there is no -0
		}
		low = high
	}
	h.count += total
	return nil
}

// Explicit returns how many of the values came in explicit buckets.
func (h *Histogram) Explicit() uint64 { return h.explicit.total() }

func (s *intervals) total() (n uint64) {
	for i := range s.list {
		n += s.list[i].count
	}
	return n
}

func compareEdges(a, b interval) int {
	return cmp.Or(cmp.Compare(a.low, b.low), cmp.Compare(a.high, b.high))
}

// add adds one interval, at any level up to that of s.
func (s *intervals) add(x interval) {
	s.put(x.widened(s.level))
	for len(s.list) > maxIntervals {
		s.raise(s.level + 1)
	}
}

func (s *intervals) put(x interval) {
	at, found := slices.BinarySearchFunc(s.list, x, compareEdges)
	if found {
		s.list[at].count += x.count
		return
	}
	s.list = slices.Insert(s.list, at, x)
}

// raise widens everything to a level.
func (s *intervals) raise(level uint) {
	if level <= s.level {
		return
	}
	if level > maxLevel {
		panic("BUG: intervals do not become fewer")
	}
	s.level = level
	old := slices.Clone(s.list)
	s.list = s.list[:0]
	for _, x := range old {
		s.put(x.widened(level))
	}
}

// merge adds the intervals of o.
func (s *intervals) merge(o *intervals) {
	if len(o.list) == 0 {
		return
	}
	s.raise(o.level)
	for _, x := range o.list {
		s.add(x)
	}
}

func (s *intervals) reset() { s.level, s.list = 0, s.list[:0] }

func (s *intervals) copyFrom(o *intervals) { s.level, s.list = o.level, append(s.list[:0], o.list...) }

func (s *intervals) equal(o *intervals) bool {
	return s.level == o.level && slices.Equal(s.list, o.list)
}

// below bounds how many values are below v, or at most v.
func (s *intervals) below(v float64, atMost bool) (lower, upper uint64) {
	for _, x := range s.list {
		if x.high < v || atMost && x.high == v {
			lower += x.count
		}
		if x.low < v {
			upper += x.count
		}
	}
	return lower, upper
}

// widened returns x with its edges moved outward to the grid of a level.
func (x interval) widened(level uint) interval {
	if level > 0 {
		x.low, x.high = -gridAbove(-x.low, level)+0, gridAbove(x.high, level)
	}
	return x
}

// gridAbove returns the least ±2^(k·2^(level-1)), 0 or infinity that is not below v.
func gridAbove(v float64, level uint) float64 {
	if v == 0 || math.IsInf(v, 0) {
		return v
	}
	step := 1 << (level - 1)
	fraction, exponent := math.Frexp(v)
	if v > 0 {
		if fraction == 0.5 {
			exponent-- // v is a power of two
		}
		return math.Ldexp(1, ceilTo(exponent, step))
	}
	return -math.Ldexp(1, -ceilTo(1-exponent, step)) + 0
}

// ceilTo returns the least multiple of step that is not below n.
func ceilTo(n, step int) int { return -(-n &^ (step - 1)) }

// placed returns h with the values of explicit buckets among its own buckets, for
// estimates.
func (h *Histogram) placed() *Histogram {
	if len(h.explicit.list) == 0 {
		return h
	}
	out := h.Clone()
	out.count -= out.explicit.total()
	out.explicit.reset()
	for _, x := range h.explicit.list {
		x.place(out)
	}
	return out
}

// place adds the values to h, evenly between the edges.
func (x interval) place(h *Histogram) {
	low, high := x.low, x.high
	switch {
	case math.IsInf(high, 1):
		h.AddN(max(low, 0), x.count) // without any bound: at 0
		return
	case math.IsInf(low, -1) && high <= 0:
		h.AddN(high, x.count)
		return
	case math.IsInf(low, -1):
		low = 0
	}
	if low < 0 {
		x.placeByParts(h, low, high)
		return
	}
	// Below the first bucket that ends above high/count there is no whole value.
	first := max(low, high/float64(x.count)/2, math.Float64frombits(smallestBits+1))
	if first >= high {
		h.AddN(high, x.count)
		return
	}
	placed := uint64(0)
	for i := index(math.Float64bits(first)); placed < x.count; i++ {
		edge := min(lowerEdge(i+1, 0), high)
		upTo := x.count
		if edge < high {
			upTo = min(uint64(float64(x.count)*((edge-low)/(high-low))), x.count)
		}
		if upTo > placed {
			h.AddN(edge, upTo-placed)
			placed = upTo
		}
	}
}

// placeParts is into how many parts an interval with values below 0 is cut.
const placeParts = 64

func (x interval) placeByParts(h *Histogram, low, high float64) {
	placed := uint64(0)
	for k := range placeParts {
		upTo := x.count
		if k < placeParts-1 {
			upTo = uint64(float64(x.count) * (float64(k+1) / placeParts))
		}
		share := (float64(k) + 0.5) / placeParts
		h.AddN(low*(1-share)+high*share, upTo-placed)
		placed = upTo
	}
}
