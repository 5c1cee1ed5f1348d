package sequential

import (
	"math"
	"slices"
)

// histogram is a sum of buckets by their upper edges, ascending.
type histogram struct {
	buckets []Bucket
	total   float64
}

func (h *histogram) add(buckets []Bucket) {
	for _, b := range buckets {
		if !(b.Count > 0) {
			continue
		}
		i, ok := slices.BinarySearchFunc(h.buckets, b.Upper, func(a Bucket, upper float64) int {
			switch {
			case a.Upper < upper:
				return -1
			case a.Upper > upper:
				return 1
			}
			return 0
		})
		if !ok {
			h.buckets = slices.Insert(h.buckets, i, Bucket{Upper: b.Upper})
		}
		h.buckets[i].Count += b.Count
		h.total += b.Count
	}
}

// quantile returns the upper edge of the bucket that holds the quantile; NaN
// without values. It is too high by at most the width of a bucket.
func (h *histogram) quantile(q float64) float64 {
	if h.total == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, b := range h.buckets {
		if sum += b.Count; sum >= q*h.total {
			return b.Upper
		}
	}
	return h.buckets[len(h.buckets)-1].Upper
}

// above returns how many values lie in buckets that end above a value.
func (h *histogram) above(value float64) float64 {
	sum := 0.0
	for _, b := range h.buckets {
		if b.Upper > value {
			sum += b.Count
		}
	}
	return sum
}

func total(panes [][]Bucket) float64 {
	sum := 0.0
	for _, p := range panes {
		for _, b := range p {
			sum += b.Count
		}
	}
	return sum
}
