// Package threshold counts the values of a histogram that are good by a threshold.
package threshold

import (
	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/histogram"
)

// Count counts the values that are good by a threshold: [Good] or [Most].
type Count func(*histogram.Histogram, flyball.Threshold) uint64

// Most returns how many values may be good: all in the bucket of the threshold.
func Most(h *histogram.Histogram, t flyball.Threshold) uint64 {
	certain, possible := countTo(h, t)
	if t.Op == "lte" || t.Op == "lt" {
		return possible
	}
	return h.Count() - certain
}

// Good returns how many values are good for certain.
func Good(h *histogram.Histogram, t flyball.Threshold) uint64 {
	certain, possible := countTo(h, t)
	if t.Op == "lte" || t.Op == "lt" {
		return certain
	}
	return h.Count() - possible
}

// countTo returns how many values are on the lower side of the threshold, for certain
// and possibly; those at it are there when the operator is lte or gt.
func countTo(h *histogram.Histogram, t flyball.Threshold) (certain, possible uint64) {
	if t.Op == "lte" || t.Op == "gt" {
		return h.CountAtMost(t.Value)
	}
	return h.CountLess(t.Value)
}
