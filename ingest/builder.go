package ingest

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"github.com/flyball-io/flyball"
)

// Builder collects the samples of one source partition into Arrow columns. The
// buffers are reused through its allocator, so that in the steady state a
// sample costs no allocation. It is owned by one goroutine.
type Builder struct {
	projection Projection
	dict       *Dictionary
	mem        memory.Allocator
	time       column[int64]
	set        column[uint32]
	values     []column[float64]
	first      int // rows to make room for at first
	latest     flyball.Time
	max        flyball.Time
}

// NewBuilder returns an empty builder. Builders of one owner share its
// dictionary and allocator.
func NewBuilder(p Projection, d *Dictionary, mem memory.Allocator) *Builder {
	return &Builder{
		projection: p, dict: d, mem: mem, values: make([]column[float64], len(p.Values)),
		first: firstRows, latest: 1<<63 - 1, max: flyball.NoTime,
	}
}

// Projection returns the columns wanted.
func (b *Builder) Projection() Projection { return b.projection }

// Dictionary returns where labels are interned.
func (b *Builder) Dictionary() *Dictionary { return b.dict }

// SetLatest sets the latest event time that Append takes.
func (b *Builder) SetLatest(t flyball.Time) { b.latest = t }

// Len returns the number of samples appended since the last Batch.
func (b *Builder) Len() int { return len(b.time.rows) }

// Append adds one sample: its event time, the id of its label set, and one value
// per value column, NaN where it has none. It returns a *Rejection when the
// sample lies further in the future than SetLatest allows.
func (b *Builder) Append(t flyball.Time, set uint32, values []float64) error {
	if t > b.latest {
		return &Rejection{Reason: ReasonTooFarAhead, Samples: 1,
			Detail: fmt.Sprintf("event time %s is after %s", t, b.latest)}
	}
	b.max = max(b.max, t)
	n := len(b.time.rows)
	if n == cap(b.time.rows) {
		b.grow()
	}
	b.time.rows = append(b.time.rows, int64(t))
	b.set.rows = append(b.set.rows[:n], set)
	for i, v := range values {
		c := &b.values[i]
		c.rows = append(c.rows[:n], v)
	}
	return nil
}

// firstRows is the least first capacity, a small fetch's worth of one partition.
const firstRows = 4096

// grow makes room in all columns: at first for as many rows as the batch before
// had, then for twice as many.
func (b *Builder) grow() {
	n := max(b.first, 2*b.Len())
	b.set.grow(b.mem, n)
	for i := range b.values {
		b.values[i].grow(b.mem, n)
	}
	b.time.grow(b.mem, n)
}

// Truncate drops the samples after the first n, so that a decoder can take back
// what it appended of a record that turned out malformed. The maximum event time
// is recomputed from what stays.
func (b *Builder) Truncate(n int) {
	if n >= b.Len() {
		return
	}
	b.time.rows, b.set.rows = b.time.rows[:n], b.set.rows[:n]
	for i := range b.values {
		b.values[i].rows = b.values[i].rows[:n]
	}
	b.max = flyball.NoTime
	for _, t := range b.time.rows {
		b.max = max(b.max, flyball.Time(t))
	}
}

// Batch hands over the samples appended so far and empties the builder. The
// caller must Release it.
func (b *Builder) Batch() *Batch {
	b.first = max(firstRows, b.Len())
	out := &Batch{MaxTime: b.max}
	fill(b.time.data(arrow.PrimitiveTypes.Int64, b.mem), func(d *array.Data) { out.Time = array.NewInt64Data(d) })
	fill(b.set.data(arrow.PrimitiveTypes.Uint32, b.mem), func(d *array.Data) { out.Set = array.NewUint32Data(d) })
	for i := range b.values {
		fill(b.values[i].data(arrow.PrimitiveTypes.Float64, b.mem), func(d *array.Data) {
			out.Values = append(out.Values, array.NewFloat64Data(d))
		})
	}
	b.max = flyball.NoTime
	return out
}

// fill passes data on and gives up its own hold of it.
func fill(d *array.Data, to func(*array.Data)) {
	to(d)
	d.Release()
}

// Release frees the buffers of a builder that is not used any more.
func (b *Builder) Release() {
	b.time.release(b.mem)
	b.set.release(b.mem)
	for i := range b.values {
		b.values[i].release(b.mem)
	}
}

// Batch is a run of samples as Arrow columns.
type Batch struct {
	// Time is the event time in nanoseconds since the epoch.
	Time *array.Int64
	// Set is the id of the label set in the builder's dictionary.
	Set *array.Uint32
	// Values are the numeric fields of the projection, NaN where absent;
	// durations are in nanoseconds.
	Values []*array.Float64
	// MaxTime is the latest event time in the batch, or NoTime when it is empty.
	MaxTime flyball.Time
}

// Rows returns the number of samples.
func (b *Batch) Rows() int { return b.Time.Len() }

// Release returns the buffers to the allocator.
func (b *Batch) Release() {
	b.Time.Release()
	b.Set.Release()
	for _, v := range b.Values {
		v.Release()
	}
}
