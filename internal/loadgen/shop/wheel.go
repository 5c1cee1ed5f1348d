package shop

import "time"

// Slot is the step of the simulation: spans leave the shop in slots of this much event time. Within a
// slot they come trace by trace and not sorted by time, as they do from a Collector.
const Slot = 100 * time.Millisecond

// wheel holds the spans that are generated but not yet exported, by the slot they leave in. A sorted
// queue would cost more than generating the span.
type wheel struct {
	ring    [][]Span
	first   int64 // the slot that ring[first % len] holds
	pending int
	// What take gave out last, and buffers that are free again. Slots far ahead never hold many spans
	// in the wheel of punctual ones; the wheel of late ones does not reuse buffers, as they would all
	// grow to the size of a full slot.
	reuse bool
	taken []Span
	free  [][]Span
}

// add returns the place for a span that leaves in the given slot.
func (w *wheel) add(at int64) *Span {
	at = max(at, w.first)
	if at-w.first >= int64(len(w.ring)) {
		w.grow(at - w.first + 1)
	}
	bucket := &w.ring[at&int64(len(w.ring)-1)]
	if n := len(*bucket); n < cap(*bucket) {
		*bucket = (*bucket)[:n+1]
	} else {
		if n := len(w.free); *bucket == nil && n > 0 {
			*bucket, w.free = w.free[n-1], w.free[:n-1]
		}
		*bucket = append(*bucket, Span{})
	}
	w.pending++
	return &(*bucket)[len(*bucket)-1]
}

func (w *wheel) grow(slots int64) {
	size := int64(64)
	for size < slots {
		size *= 2
	}
	ring := make([][]Span, size)
	for i := range int64(len(w.ring)) {
		at := w.first + i
		ring[at&(size-1)] = w.ring[at&int64(len(w.ring)-1)]
	}
	w.ring = ring
}

// take empties the first slot. The spans stay valid until the next call of take.
func (w *wheel) take() []Span {
	if w.reuse && cap(w.taken) > 0 {
		w.free = append(w.free, w.taken[:0])
	}
	w.taken = nil
	if len(w.ring) > 0 {
		bucket := &w.ring[w.first&int64(len(w.ring)-1)]
		w.taken, *bucket = *bucket, nil
	}
	w.pending -= len(w.taken)
	w.first++
	return w.taken
}
