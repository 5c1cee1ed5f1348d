// Package histogram holds the mergeable histogram that every pane carries: a
// log histogram with γ = 2^(1/32), which is an OpenTelemetry exponential
// histogram of scale 5 and a DDSketch of α = 1.083 % at the same time.
//
// Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
// relative-error guarantees", VLDB 2019. OpenTelemetry metrics data model,
// section ExponentialHistogram.
//
// # Buckets
//
// Bucket i of scale s covers (b^i, b^(i+1)] with b = 2^(2^-s): the upper edge
// belongs to the bucket, as OpenTelemetry demands. Negative values are kept by
// their magnitude in buckets of their own. Values of magnitude up to 2^-1022
// count as zero.
//
// The three conventions for the bucket of v at this γ differ only where v is an
// edge, and the only edges that are floats are the powers of two:
//
//	                      covers             2^k is in bucket
//	here, OTLP            (γ^i, γ^(i+1)]     32k-1
//	DDSketch, as printed  (γ^(i-1), γ^i]     32k     (our index + 1, always)
//	ClickHouse            [γ^i, γ^(i+1))     32k     (truncated toward zero: below 1 a bucket higher)
//
// Our index i is written to ClickHouse as key i. Both report γ^i·(1+α) for it,
// so the report for an exact power of two is α below it here and α above it
// in a state that ClickHouse made: within the error bound either way.
//
// # Scale
//
// A histogram is at scale 5 while each sign's occupied buckets span at most
// [MaxBuckets]: 64 doublings, 1 ns to 584 years. A wider span halves the
// resolution (scale 4, 3, …, each bucket the union of two) until it fits; scale 0
// always fits. The scale is that of the coarsest exponential histogram merged
// in, or the finest at which the occupied buckets fit, whichever is coarser.
// Both depend only on what was added, never on the order, so merging is
// associative and commutative and equal contents have equal encodings.
//
// # Explicit buckets
//
// Histograms with explicit buckets, as most metrics still have, are kept beside the
// log buckets with the edges that their senders chose: see [Histogram.MergeExplicit].
package histogram

import "math"

const (
	// MaxBuckets is the largest number of buckets, from the lowest occupied one
	// to the highest, that either sign of a histogram spans.
	MaxBuckets = 2048
	// MaxCount is the largest total that merging accepts. Keeping it at half
	// the range of the counters means that no counter can wrap.
	MaxCount = math.MaxInt64
	// finestError is α at scale 5, and the literal to give to ClickHouse's
	// quantilesDD: it makes (1+α)/(1-α) exactly the float nearest to 2^(1/32).
	finestError = 0.010830001253373618
)

// Histogram counts values in buckets of equal relative width. The zero value is
// empty and ready to use. It is not safe for concurrent use, and must be
// copied with [Histogram.CopyFrom] or [Histogram.Clone] only.
type Histogram struct {
	// What Add touches comes first, to share a cache line.
	pos   store
	count uint64
	// shift is 5-scale. It is 0 while no bucket is occupied.
	shift uint
	zero  uint64
	// zeroThreshold is the largest magnitude that a merged exponential
	// histogram counted as zero; 0 means 2^-1022.
	zeroThreshold float64
	neg           store
	// explicit holds values that came in explicit buckets; count has them, too.
	explicit intervals
}

// Add counts v once. It reports false, and counts nothing, if v is NaN or
// infinite.
func (h *Histogram) Add(v float64) bool {
	bits := math.Float64bits(v)
	// One unsigned comparison sends negative, zero, subnormal, infinite and NaN
	// away; a second one, an index outside the window.
	if bits-(smallestBits+1) < infinityBits-(smallestBits+1) {
		if i := uint(index(bits)>>(h.shift&63) - h.pos.base); i < uint(len(h.pos.counts)) {
			h.pos.counts[i]++
			h.count++
			return true
		}
	}
	return h.AddN(v, 1)
}

// AddN counts v n times. It reports false, and counts nothing, if v is NaN or
// infinite or if the total would exceed [MaxCount].
func (h *Histogram) AddN(v float64, n uint64) bool {
	bits := math.Float64bits(v)
	s := &h.pos
	if bits >= signBit {
		s = &h.neg
		bits -= signBit
	}
	if bits >= infinityBits || !h.canHold(n) {
		return false
	}
	if n == 0 {
		return true
	}
	h.count += n
	if bits <= smallestBits {
		h.zero += n
		return true
	}
	i := index(bits) >> (h.shift & 63)
	i >>= h.makeRoom(s, i, i)
	s.counts[i-s.base] += n
	return true
}

// canHold reports whether n more values keep the total within MaxCount.
func (h *Histogram) canHold(n uint64) bool {
	return h.count <= MaxCount && n <= MaxCount-h.count
}

// makeRoom makes the window of s, one of h's two stores, cover buckets lo to hi
// at h's scale. If the span gets too wide h is downscaled first; the result is by
// how much, so the buckets are then lo>>d to hi>>d.
func (h *Histogram) makeRoom(s *store, lo, hi int) (d uint) {
	if s.covers(lo, hi) {
		return 0
	}
	if olo, ohi, any := s.occupied(); any {
		lo, hi = min(lo, olo), max(hi, ohi)
	}
	for hi>>d-lo>>d >= MaxBuckets {
		d++
	}
	h.downscale(d)
	s.reserve(lo>>d, hi>>d)
	return d
}

// downscale lowers the scale by d.
func (h *Histogram) downscale(d uint) {
	if d == 0 {
		return
	}
	h.pos.downscale(d)
	h.neg.downscale(d)
	h.shift += d
}

// Merge adds the contents of o, which it leaves as it is. It reports false, and
// changes nothing, if the total would exceed [MaxCount].
func (h *Histogram) Merge(o *Histogram) bool {
	if !h.canHold(o.count) {
		return false
	}
	if h.shift != o.shift || !h.pos.coversAll(&o.pos) || !h.neg.coversAll(&o.neg) {
		if o.shift > h.shift {
			h.downscale(o.shift - h.shift)
		}
		h.makeRoomFor(&h.pos, &o.pos, o.shift)
		h.makeRoomFor(&h.neg, &o.neg, o.shift)
	}
	d := h.shift - o.shift
	h.pos.add(&o.pos, d)
	h.neg.add(&o.neg, d)
	h.count += o.count
	h.zero += o.zero
	h.zeroThreshold = max(h.zeroThreshold, o.zeroThreshold)
	h.explicit.merge(&o.explicit)
	return true
}

// makeRoomFor makes the window of s, one of h's two stores, cover what o, at a
// scale of 5-shift, has occupied.
func (h *Histogram) makeRoomFor(s, o *store, shift uint) {
	if lo, hi, any := o.occupied(); any {
		d := h.shift - shift
		h.makeRoom(s, lo>>d, hi>>d)
	}
}

// Reset empties h and keeps its memory.
func (h *Histogram) Reset() {
	clear(h.pos.counts)
	clear(h.neg.counts)
	h.count, h.zero, h.zeroThreshold, h.shift = 0, 0, 0, 0
	h.explicit.reset()
}

// CopyFrom makes h equal to o, in h's own memory where it suffices.
func (h *Histogram) CopyFrom(o *Histogram) {
	if h == o {
		return
	}
	h.pos.copyFrom(&o.pos)
	h.neg.copyFrom(&o.neg)
	h.count, h.zero, h.zeroThreshold, h.shift = o.count, o.zero, o.zeroThreshold, o.shift
	h.explicit.copyFrom(&o.explicit)
}

// Clone returns an independent copy of h that takes no more memory than its
// contents need.
func (h *Histogram) Clone() *Histogram {
	c := new(Histogram)
	c.CopyFrom(h)
	return c
}

// Equal reports whether h and o hold the same counts in the same buckets at the
// same scale. It is true exactly if their encodings are equal.
func (h *Histogram) Equal(o *Histogram) bool {
	return h.count == o.count && h.zero == o.zero && h.zeroThreshold == o.zeroThreshold &&
		h.shift == o.shift && h.pos.equal(&o.pos) && h.neg.equal(&o.neg) && h.explicit.equal(&o.explicit)
}

// Count returns how many values h holds.
func (h *Histogram) Count() uint64 { return h.count }

// ZeroCount returns how many of them are in the zero bucket.
func (h *Histogram) ZeroCount() uint64 { return h.zero }

// Scale returns the OpenTelemetry scale of the buckets, 5 to -10.
func (h *Histogram) Scale() int { return finestScale - int(h.shift) }

// RelativeError returns α, the bound of [Histogram.Quantile]'s relative error at
// the present scale: 0.01083 at scale 5.
func (h *Histogram) RelativeError() float64 { return relativeError(h.shift) }
