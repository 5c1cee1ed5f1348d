package histogram

import (
	"fmt"
	"math"
)

// MergeExponential merges a data point of an OTLP exponential histogram, given by its
// fields: posCounts[i] and negCounts[i] are the counts of bucket offset+i of
// the given scale, which covers magnitudes (b^(offset+i), b^(offset+i+1)],
// b = 2^(2^-scale).
//
// A scale of 5 or more is brought down to 5, which loses nothing that h could
// hold: the result is that of adding the original values one by one. A smaller scale,
// down to -10, brings h down to it, unless all buckets are empty. Buckets at
// or below 2^-1022 join the zero bucket.
//
// zeroThreshold is the magnitude up to which the sender counted values as zero; those
// stay zero here. The largest one seen is kept, so that CountBelow and
// Buckets do not claim to know where below it they are; quantiles that fall
// among them are off by that much at most, in absolute terms.
//
// On error h is unchanged: the scale is below -10, the threshold is negative or not
// finite, a bucket lies beyond the range of float64, or the total would exceed
// MaxCount.
func (h *Histogram) MergeExponential(scale int32, zeroCount uint64, zeroThreshold float64,
	posOffset int32, posCounts []uint64, negOffset int32, negCounts []uint64) error {
	if scale < coarsestScale {
		return fmt.Errorf("cannot merge exponential histogram: scale %d is below %d", scale, coarsestScale)
	}
	if !(zeroThreshold >= 0) || math.IsInf(zeroThreshold, 1) {
		return fmt.Errorf("cannot merge exponential histogram: zero threshold %v is not a finite number >= 0", zeroThreshold)
	}
	pos, err := newForeign(scale, posOffset, posCounts)
	if err != nil {
		return fmt.Errorf("cannot merge exponential histogram: positive buckets: %w", err)
	}
	neg, err := newForeign(scale, negOffset, negCounts)
	if err != nil {
		return fmt.Errorf("cannot merge exponential histogram: negative buckets: %w", err)
	}
	total := zeroCount
	for _, n := range [...]uint64{pos.total, neg.total} {
		if total += n; total < n || total > MaxCount {
			total = math.MaxUint64
			break
		}
	}
	if !h.canHold(total) {
		return fmt.Errorf("cannot merge exponential histogram: total count exceeds %d", uint64(MaxCount))
	}
	pos.mergeRoom(h, &h.pos)
	neg.mergeRoom(h, &h.neg)
	h.zero += zeroCount + pos.addTo(h, &h.pos) + neg.addTo(h, &h.neg)
	h.count += total
	if zeroCount > 0 && zeroThreshold > math.Float64frombits(smallestBits) {
		h.zeroThreshold = max(h.zeroThreshold, zeroThreshold)
	}
	return nil
}

// foreign is the buckets of one sign of an exponential histogram at any scale.
type foreign struct {
	counts []uint64 // from the first occupied bucket to the last
	offset int64    // bucket of counts[0] at the foreign scale
	down   uint     // how many scales to go down to get to ours: scale-5, or 0
	shift  uint     // 5-scale after that
	tiny   int      // leading counts that are empty or join the zero bucket
	total  uint64
}

// newForeign trims empty buckets and checks range and total.
func newForeign(scale, offset int32, counts []uint64) (foreign, error) {
	f := foreign{counts: counts, offset: int64(offset)}
	if scale >= finestScale {
		f.down = uint(scale - finestScale)
	} else {
		f.shift = uint(finestScale - scale)
	}
	for len(f.counts) > 0 && f.counts[len(f.counts)-1] == 0 {
		f.counts = f.counts[:len(f.counts)-1]
	}
	for len(f.counts) > 0 && f.counts[0] == 0 {
		f.counts = f.counts[1:]
		f.offset++
	}
	for _, c := range f.counts {
		if f.total += c; f.total > MaxCount || c > MaxCount {
			return f, fmt.Errorf("total count exceeds %d", uint64(MaxCount))
		}
	}
	if n := len(f.counts); n > 0 && f.bucket(n-1) > maxIndex>>f.shift {
		return f, fmt.Errorf("bucket %d at scale %d is beyond the range of float64", f.offset+int64(n-1), scale)
	}
	// Decided at the foreign resolution, whatever h's is: merging must give
	// the same in any order.
	for f.tiny < len(f.counts) && (f.counts[f.tiny] == 0 || f.bucket(f.tiny) < minIndex>>f.shift) {
		f.tiny++
	}
	return f, nil
}

// bucket returns the bucket, at scale 5-f.shift, that counts[i] goes to.
func (f *foreign) bucket(i int) int { return int((f.offset + int64(i)) >> f.down) }

// mergeRoom brings h to f's scale and lets s, one of its stores, cover f's buckets.
func (f *foreign) mergeRoom(h *Histogram, s *store) {
	if f.tiny == len(f.counts) {
		return
	}
	if f.shift > h.shift {
		h.downscale(f.shift - h.shift)
	}
	d := h.shift - f.shift
	h.makeRoom(s, f.bucket(f.tiny)>>d, f.bucket(len(f.counts)-1)>>d)
}

// addTo adds the counts to s, one of h's stores, and returns how many values
// belong to the zero bucket instead.
func (f *foreign) addTo(h *Histogram, s *store) (zero uint64) {
	for _, c := range f.counts[:f.tiny] {
		zero += c
	}
	if f.tiny == len(f.counts) {
		return zero
	}
	d := h.shift - f.shift
	for i := f.tiny; i < len(f.counts); i++ {
		s.counts[f.bucket(i)>>d-s.base] += f.counts[i]
	}
	return zero
}
