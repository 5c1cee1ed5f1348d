package slo

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
)

// ring holds slices of one width as far back as span.
type ring struct {
	kind   byte
	width  time.Duration
	span   time.Duration
	weigh  weigh
	line   *line            // instead of chunks, in an exact tracker
	chunks []chunk          // those with samples, by index
	undo   map[int64][]byte // chunks as of the last commit, of those changed since; nil if absent
	owed   map[int64]bool   // chunks that a restore counted over, not committed yet
	stale  []string         // the keys that they came from
}

func newRing(kind byte, width, span time.Duration, w weigh) ring {
	return ring{kind: kind, width: width, span: span, weigh: w, undo: map[int64][]byte{}}
}

// place returns the chunk and the place in it of the slice that holds t.
func (r *ring) place(t flyball.Time) (index int64, at int) {
	slice := int64(t.Floor(r.width)) / int64(r.width)
	index = slice >> 6
	return index, int(slice - index<<6)
}

// find returns where in chunks an index is or belongs.
func (r *ring) find(index int64) (int, bool) {
	if n := len(r.chunks); n > 0 && r.chunks[n-1].index <= index {
		if r.chunks[n-1].index == index {
			return n - 1, true
		}
		return n, false
	}
	return slices.BinarySearchFunc(r.chunks, index, func(c chunk, i int64) int { return cmp.Compare(c.index, i) })
}

// add counts into the slice that holds t, and returns what was in it before and
// is now. Nothing goes below zero.
func (r *ring) add(t flyball.Time, c counts) (was, is counts) {
	if r.line != nil {
		start := t.Floor(r.width)
		was = r.line.at(start)
		is = within(was.plus(c))
		r.line.set(start, is, r.weigh)
		return was, is
	}
	index, at := r.place(t)
	var list [chunkSlices]counts
	var old []byte
	if p, ok := r.find(index); ok {
		old = r.chunks[p].data
		list = unpack(old)
	}
	if _, saved := r.undo[index]; !saved {
		r.undo[index] = old
	}
	was = list[at]
	is = within(was.plus(c))
	list[at] = is
	r.set(index, pack(&list))
	return was, is
}

// within returns counts of which none is below zero, and not more are bad than
// there are.
func within(c counts) counts {
	c.total = max(c.total, 0)
	c.bad = min(max(c.bad, 0), c.total)
	return c
}

// set replaces a chunk; one of nothing is removed.
func (r *ring) set(index int64, data []byte) {
	p, ok := r.find(index)
	switch {
	case len(data) == 0 && ok:
		r.chunks = slices.Delete(r.chunks, p, p+1)
	case len(data) == 0:
		return
	case ok:
		r.chunks[p].data, r.chunks[p].sum = data, firstSlices(data, chunkSlices, r.weigh)
	default:
		r.chunks = slices.Insert(r.chunks, p, chunk{index: index, data: data, sum: firstSlices(data, chunkSlices, r.weigh)})
	}
	r.settle(p)
}

// settle recomputes the sums before the chunks from p on. The sum before the
// first chunk is an arbitrary origin.
func (r *ring) settle(p int) {
	for ; p < len(r.chunks); p++ {
		if p == 0 {
			r.chunks[0].before = counts{}
		} else {
			r.chunks[p].before = r.chunks[p-1].before.plus(r.chunks[p-1].sum)
		}
	}
}

// upTo returns the sum of all slices before the one that holds t.
func (r *ring) upTo(t flyball.Time) counts {
	if r.line != nil {
		return r.line.upTo(r.line.from(t.Floor(r.width)), r.weigh)
	}
	index, at := r.place(t)
	p, ok := r.find(index)
	switch {
	case ok:
		return r.chunks[p].before.plus(firstSlices(r.chunks[p].data, at, r.weigh))
	case p < len(r.chunks):
		return r.chunks[p].before
	case p > 0:
		return r.chunks[p-1].before.plus(r.chunks[p-1].sum)
	}
	return counts{}
}

// at returns what the slice that holds t counts.
func (r *ring) at(t flyball.Time) counts { return r.weigh.of(r.raw(t)) }

// raw returns what was counted in the slice that holds t.
func (r *ring) raw(t flyball.Time) counts {
	if r.line != nil {
		return r.line.at(t.Floor(r.width))
	}
	index, at := r.place(t)
	if p, ok := r.find(index); ok {
		return slice(r.chunks[p].data, at)
	}
	return counts{}
}

// first returns the start of the first slice with samples that starts at t or
// later.
func (r *ring) first(t flyball.Time) (flyball.Time, bool) {
	if r.line != nil {
		i := r.line.from(t)
		if i == len(r.line.slices) {
			return 0, false
		}
		return r.line.slices[i].start, true
	}
	index, at := r.place(t.Add(r.width - 1))
	p, ok := r.find(index)
	if !ok {
		at = 0
	}
	for ; p < len(r.chunks); p, at = p+1, 0 {
		var c counts
		for i, data := 0, r.chunks[p].data; len(data) > 0; i++ {
			if c, data = next(data); i >= at && c.total > 0 {
				return r.start(r.chunks[p].index, i), true
			}
		}
	}
	return 0, false
}

// last returns the start of the last slice with samples that starts before t.
func (r *ring) last(t flyball.Time) (flyball.Time, bool) {
	if r.line != nil {
		i := r.line.from(t)
		if i == 0 {
			return 0, false
		}
		return r.line.slices[i-1].start, true
	}
	index, at := r.place(t.Add(r.width - 1))
	p, ok := r.find(index)
	if !ok {
		at = 0
	}
	if ok && at == 0 || !ok {
		p, at = p-1, chunkSlices
	}
	for ; p >= 0; p, at = p-1, chunkSlices {
		found := -1
		var c counts
		for i, data := 0, r.chunks[p].data; len(data) > 0 && i < at; i++ {
			if c, data = next(data); c.total > 0 {
				found = i
			}
		}
		if found >= 0 {
			return r.start(r.chunks[p].index, found), true
		}
	}
	return 0, false
}

// empty reports whether nothing is counted.
func (r *ring) empty() bool { return len(r.chunks) == 0 && (r.line == nil || len(r.line.slices) == 0) }

func (r *ring) start(index int64, at int) flyball.Time {
	return flyball.Time((index<<6 + int64(at)) * int64(r.width))
}

func (r *ring) expire(at flyball.Time) {
	if len(r.chunks) == 0 {
		return
	}
	oldest, _ := r.place(at.Add(-r.span))
	n := 0
	for ; n < len(r.chunks) && r.chunks[n].index < oldest; n++ {
		if c := &r.chunks[n]; !r.saved(c.index) {
			r.undo[c.index] = c.data
		}
	}
	if n > 0 {
		r.chunks = slices.Delete(r.chunks, 0, n)
		r.settle(0)
	}
}

func (r *ring) saved(index int64) bool {
	_, ok := r.undo[index]
	return ok
}

func (r *ring) dirty() bool { return len(r.undo)+len(r.owed)+len(r.stale) > 0 }

func (r *ring) key(index int64) string { return fmt.Sprintf("%c%v.%d", r.kind, r.width, index) }

func (r *ring) changed(f func(string, []byte)) {
	if !r.dirty() {
		return
	}
	touched := maps.Clone(r.owed)
	if touched == nil {
		touched = map[int64]bool{}
	}
	for index := range r.undo {
		touched[index] = true
	}
	for _, index := range slices.Sorted(maps.Keys(touched)) {
		if p, ok := r.find(index); ok {
			f(r.key(index), r.chunks[p].data)
		} else {
			f(r.key(index), nil)
		}
	}
	for _, key := range r.stale {
		f(key, nil)
	}
}

func (r *ring) commit() {
	clear(r.undo)
	r.owed, r.stale = nil, nil
}

func (r *ring) abort() {
	for index, data := range r.undo {
		r.set(index, data)
	}
	clear(r.undo)
}

func (r *ring) restore(key string, width time.Duration, index int64, value []byte) error {
	if err := check(value); err != nil {
		return err
	}
	if len(value) == 0 {
		return fmt.Errorf("it is empty")
	}
	if width == r.width && !r.owed[index] {
		r.set(index, slices.Clone(value))
		return nil
	}
	for i, c := range unpack(value) {
		if c != (counts{}) {
			r.add(flyball.Time((index<<6+int64(i))*int64(width)), c)
		}
	}
	r.owe()
	if width != r.width {
		r.stale = append(r.stale, key)
	}
	return nil
}

// owe makes what changed since the last commit something that an abort does not
// take back, but that is still to be written.
func (r *ring) owe() {
	if r.owed == nil {
		r.owed = map[int64]bool{}
	}
	for i := range r.undo {
		r.owed[i] = true
	}
	clear(r.undo)
}
