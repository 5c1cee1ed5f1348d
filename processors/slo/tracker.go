// Package slo keeps the counts of error budgets: total and bad samples over
// sliding windows, in integers.
package slo

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
)

// Tracker holds the counts of one SLO series: by pane as far back as the longest
// burn-rate window reaches, and by coarse slice for the whole period.
//
// Counts are kept in chunks of consecutive slices, so that a change rewrites one
// chunk of the durable state and not all of it. It changes in place; Mark and
// Rewind take changes back.
type Tracker struct {
	pane   time.Duration
	fine   ring
	coarse ring
}

// coarseSlices is into how many slices the period is cut at least: what the
// trailing edge of the budget's window is off by, at most, is one of them.
const coarseSlices = 720

// NewTracker returns an empty tracker for an SLO whose indicator has panes of
// this width.
func NewTracker(s flyball.SLO, pane time.Duration) *Tracker {
	long := pane
	for _, t := range s.Tiers {
		long = max(long, t.Long, t.Short)
	}
	width := max(pane, s.Period/coarseSlices/pane*pane)
	return &Tracker{
		pane:   pane,
		fine:   newRing('f', pane, long),
		coarse: newRing('c', width, s.Period),
	}
}

// Add counts samples of the pane that starts at start, on time or late.
func (t *Tracker) Add(start flyball.Time, total, bad int64) {
	t.fine.add(start, total, bad)
	t.coarse.add(start, total, bad)
}

// Sum returns the counts of the panes in [at − window, at). window is at most
// the longest burn-rate window.
func (t *Tracker) Sum(at flyball.Time, window time.Duration) (total, bad int64) {
	return t.fine.sum(at.Add(-window), at)
}

// Period returns the counts over the SLO's period that ends at at; its trailing
// edge is exact to one coarse slice.
func (t *Tracker) Period(at flyball.Time) (total, bad int64) {
	return t.coarse.sum(at.Add(-t.coarse.span).Floor(t.coarse.width), at)
}

// Quiet reports whether no sample was bad within the longest burn-rate window:
// then nothing can change at the pane edges to come unless samples do.
func (t *Tracker) Quiet(at flyball.Time) bool {
	_, bad := t.Sum(at, t.fine.span)
	return bad == 0
}

// Active reports whether any sample lies within the longest burn-rate window.
func (t *Tracker) Active(at flyball.Time) bool {
	total, _ := t.Sum(at, t.fine.span)
	return total > 0
}

// Expire forgets slices that no window ending at at or later needs.
func (t *Tracker) Expire(at flyball.Time) {
	t.fine.expire(at)
	t.coarse.expire(at)
}

// Changed calls f with every chunk that changed since the last Commit; value is
// nil for one that is gone.
func (t *Tracker) Changed(f func(key string, value []byte)) {
	t.fine.changed(f)
	t.coarse.changed(f)
}

// Commit makes changes permanent.
func (t *Tracker) Commit() {
	clear(t.fine.undo)
	clear(t.coarse.undo)
}

// Abort takes back what changed since the last Commit.
func (t *Tracker) Abort() {
	t.fine.rewind()
	t.coarse.rewind()
}

// Restore sets one chunk that Changed gave.
func (t *Tracker) Restore(key string, value []byte) error {
	var kind byte
	var index int64
	if _, err := fmt.Sscanf(key, "%c%d", &kind, &index); err != nil {
		return fmt.Errorf("cannot restore chunk %q: %w", key, err)
	}
	for _, r := range []*ring{&t.fine, &t.coarse} {
		if r.kind == kind {
			return r.restore(index, value)
		}
	}
	return fmt.Errorf("cannot restore chunk %q: no ring %q", key, kind)
}

// chunkSlices is how many slices a chunk holds: 64 of 10 s are about ten
// minutes, and a chunk encodes to about 200 bytes.
const chunkSlices = 64

// chunk is a run of slices.
type chunk [chunkSlices]counts

type counts struct{ total, bad int64 }

// ring holds slices of one width as far back as span.
type ring struct {
	kind   byte
	width  time.Duration
	span   time.Duration
	chunks map[int64]*chunk
	undo   map[int64]*chunk // chunks as they were before the transaction; nil if absent
}

func newRing(kind byte, width, span time.Duration) ring {
	return ring{kind: kind, width: width, span: span, chunks: map[int64]*chunk{}, undo: map[int64]*chunk{}}
}

// place returns the chunk and the place in it of the slice that holds t.
func (r *ring) place(t flyball.Time) (index int64, at int) {
	slice := int64(t.Floor(r.width)) / int64(r.width)
	index = slice >> 6
	return index, int(slice - index<<6)
}

func (r *ring) add(t flyball.Time, total, bad int64) {
	index, at := r.place(t)
	c := r.edit(index)
	if c == nil {
		c = new(chunk)
		r.chunks[index] = c
	}
	c[at].total += total
	c[at].bad += bad
}

// edit saves a chunk before its first change and returns it, nil if absent.
func (r *ring) edit(index int64) *chunk {
	c := r.chunks[index]
	if _, saved := r.undo[index]; !saved {
		r.undo[index] = nil
		if c != nil {
			old := *c
			r.undo[index] = &old
		}
	}
	return c
}

func (r *ring) sum(from, to flyball.Time) (total, bad int64) {
	first, start := r.place(from)
	last, end := r.place(to - 1)
	for index := first; index <= last; index++ {
		c := r.chunks[index]
		if c == nil {
			continue
		}
		lo, hi := 0, chunkSlices
		if index == first {
			lo = start
		}
		if index == last {
			hi = end + 1
		}
		for _, n := range c[lo:hi] {
			total += n.total
			bad += n.bad
		}
	}
	return total, bad
}

func (r *ring) expire(at flyball.Time) {
	oldest, _ := r.place(at.Add(-r.span))
	for index := range r.chunks {
		if index < oldest {
			r.edit(index)
			delete(r.chunks, index)
		}
	}
}

func (r *ring) changed(f func(string, []byte)) {
	for _, index := range slices.Sorted(maps.Keys(r.undo)) {
		key := fmt.Sprintf("%c%d", r.kind, index)
		if c := r.chunks[index]; c != nil {
			f(key, c.encode())
		} else {
			f(key, nil)
		}
	}
}

func (r *ring) rewind() {
	for index, c := range r.undo {
		if c == nil {
			delete(r.chunks, index)
		} else {
			r.chunks[index] = c
		}
	}
	clear(r.undo)
}

func (c *chunk) encode() []byte {
	var b []byte
	for _, n := range c {
		b = binary.AppendUvarint(b, uint64(n.total))
		b = binary.AppendUvarint(b, uint64(n.bad))
	}
	return b
}

func (r *ring) restore(index int64, value []byte) error {
	var c chunk
	for i := range c {
		for _, n := range []*int64{&c[i].total, &c[i].bad} {
			v, size := binary.Uvarint(value)
			if size <= 0 {
				return fmt.Errorf("cannot restore chunk %c%d: it ends in slice %d", r.kind, index, i)
			}
			*n, value = int64(v), value[size:]
		}
	}
	r.chunks[index] = &c
	return nil
}
