package histogram

import (
	"iter"
	"math"
)

// Quantile returns an estimate of the value of rank floor(q·(n-1)), counting from 0, of
// the n values in ascending order; q is from 0 to 1. The estimate is within
// [Histogram.RelativeError] of that value, relative to it; it is 0 for values
// in the zero bucket. The result is NaN if h is empty or q is out of range. Where
// values came in explicit buckets it is as good as those are.
//
// Rank and estimate are those of ClickHouse's quantileDD, so a report in SQL and
// a decision taken here rest on the same number.
func (h *Histogram) Quantile(q float64) float64 {
	if !(q >= 0 && q <= 1) || h.count == 0 {
		return math.NaN()
	}
	h = h.placed()
	// Above 2^53 values the product can round up to n.
	rank := min(uint64(q*float64(h.count-1)), h.count-1)
	if len(h.neg.counts) > 0 {
		for i := len(h.neg.counts) - 1; i >= 0; i-- {
			c := h.neg.counts[i]
			if rank < c {
				return -representative(h.neg.base+i, h.shift)
			}
			rank -= c
		}
	}
	if rank < h.zero {
		return 0
	}
	rank -= h.zero
	for i, c := range h.pos.counts {
		if rank < c {
			return representative(h.pos.base+i, h.shift)
		}
		rank -= c
	}
	panic("BUG: histogram total exceeds the sum of its buckets")
}

// CountBelow bounds the number of values below v: lower counts the values in
// buckets wholly below v's bucket, upper those and the ones in v's bucket, so
//
//	lower ≤ #{x < v} ≤ #{x ≤ v} ≤ upper
//
// and it serves thresholds that are meant either way. Both are 0 if v is NaN.
func (h *Histogram) CountBelow(v float64) (lower, upper uint64) {
	if math.IsNaN(v) {
		return 0, 0
	}
	lower, upper = h.ownBelow(v)
	low, _ := h.explicit.below(v, false)
	_, high := h.explicit.below(v, true)
	return lower + low, upper + high
}

// CountLess bounds the number of values below v as closely as the buckets allow.
func (h *Histogram) CountLess(v float64) (lower, upper uint64) {
	if math.IsNaN(v) {
		return 0, 0
	}
	lower, upper = h.ownBelow(v)
	low, high := h.explicit.below(v, false)
	return lower + low, upper + high
}

// CountAtMost bounds the number of values up to v as closely as the buckets allow:
// exactly, where v is the edge of one.
func (h *Histogram) CountAtMost(v float64) (lower, upper uint64) {
	if math.IsNaN(v) {
		return 0, 0
	}
	lower, upper = h.ownBelow(v)
	// A bucket holds its upper edge and not the lower one.
	if _, edge := BucketOf(v, h.Scale()); edge == v && v > math.Float64frombits(smallestBits) && v > h.zeroThreshold {
		lower = upper
	}
	low, high := h.explicit.below(v, true)
	return lower + low, upper + high
}

// ownBelow is CountBelow without explicit buckets.
func (h *Histogram) ownBelow(v float64) (lower, upper uint64) {
	own := h.count - h.explicit.total()
	bits := math.Float64bits(v)
	switch magnitude := bits &^ signBit; {
	case magnitude <= smallestBits:
		lower = h.neg.sumFrom(h.neg.base)
		return lower, lower + h.zero
	case bits >= signBit && magnitude == infinityBits:
		return 0, 0
	case bits >= signBit:
		i := index(magnitude) >> (h.shift & 63)
		lower = h.neg.sumFrom(i + 1)
		upper = lower + h.neg.at(i)
		if -v <= h.zeroThreshold {
			upper += h.zero
		}
		return lower, upper
	case magnitude == infinityBits:
		return own, own
	default:
		i := index(magnitude) >> (h.shift & 63)
		upper = own - h.pos.sumFrom(i+1)
		lower = upper - h.pos.at(i)
		if v <= h.zeroThreshold {
			lower -= h.zero
		}
		return lower, upper
	}
}

// BucketOf returns the edges of the bucket that holds a value at a scale, which is
// that of a Histogram: low < v ≤ high for v above 0, and v, v otherwise.
func BucketOf(v float64, scale int) (low, high float64) {
	if !(v > 0) || math.IsInf(v, 0) || math.Float64bits(v) <= smallestBits {
		return v, v
	}
	shift := uint(finestScale - scale)
	i := index(math.Float64bits(v)) >> shift
	return lowerEdge(i, shift), lowerEdge(i+1, shift)
}

// sumFrom returns the sum of the counts in buckets i and up.
func (s *store) sumFrom(i int) uint64 {
	var n uint64
	if first := max(i-s.base, 0); first < len(s.counts) {
		for _, c := range s.counts[first:] {
			n += c
		}
	}
	return n
}

// at returns the count of bucket i.
func (s *store) at(i int) uint64 {
	if !s.covers(i, i) {
		return 0
	}
	return s.counts[i-s.base]
}

// Bucket is an occupied bucket: Count values above Lower and up to Upper. In
// buckets of negative values it is Lower that is inclusive; in the zero bucket both
// are.
type Bucket struct {
	// Lower and Upper are the edges, in the unit of the values. The
	// outermost edges of the range of float64 are infinite.
	Lower, Upper float64
	// Count is how many values the bucket holds, at least 1.
	Count uint64
}

// Buckets yields the occupied buckets in ascending order of value. The zero bucket
// spans the largest zero threshold merged in, and may then overlap others. Explicit
// buckets come last; they may overlap all.
func (h *Histogram) Buckets() iter.Seq[Bucket] {
	return func(yield func(Bucket) bool) {
		for i := len(h.neg.counts) - 1; i >= 0; i-- {
			if c := h.neg.counts[i]; c > 0 {
				at := h.neg.base + i
				if !yield(Bucket{-lowerEdge(at+1, h.shift), -lowerEdge(at, h.shift), c}) {
					return
				}
			}
		}
		if h.zero > 0 {
			edge := max(h.zeroThreshold, math.Float64frombits(smallestBits))
			if !yield(Bucket{-edge, edge, h.zero}) {
				return
			}
		}
		for i, c := range h.pos.counts {
			if c > 0 {
				at := h.pos.base + i
				if !yield(Bucket{lowerEdge(at, h.shift), lowerEdge(at+1, h.shift), c}) {
					return
				}
			}
		}
		for _, x := range h.explicit.list {
			if !yield(Bucket{x.low, x.high, x.count}) {
				return
			}
		}
	}
}
