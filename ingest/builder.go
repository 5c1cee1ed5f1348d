package ingest

import (
	"fmt"

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
	time       *array.Int64Builder
	set        *array.Uint32Builder
	values     []*array.Float64Builder
	first      int // rows to make room for at first
	latest     flyball.Time
	max        flyball.Time
	points     *Points // nil until a sample has more to say than a row holds
	spare      *Points // given back by the last batch
	traces     [][16]byte
	notes      Notes
}

// NewBuilder returns an empty builder. Builders of one owner share its
// dictionary and allocator.
func NewBuilder(p Projection, d *Dictionary, mem memory.Allocator) *Builder {
	b := &Builder{
		projection: p, dict: d,
		time: array.NewInt64Builder(mem), set: array.NewUint32Builder(mem),
		first: firstRows, latest: 1<<63 - 1, max: flyball.NoTime,
	}
	for range p.Values {
		b.values = append(b.values, array.NewFloat64Builder(mem))
	}
	return b
}

// Projection returns the columns wanted.
func (b *Builder) Projection() Projection { return b.projection }

// Dictionary returns where labels are interned.
func (b *Builder) Dictionary() *Dictionary { return b.dict }

// SetLatest sets the latest event time that Append takes.
func (b *Builder) SetLatest(t flyball.Time) { b.latest = t }

// Len returns the number of samples appended since the last Batch.
func (b *Builder) Len() int { return b.time.Len() }

// Append adds one sample: its event time, the id of its label set, and one value
// per value column, NaN where it has none. It returns a *Rejection when the
// sample lies further in the future than SetLatest allows.
func (b *Builder) Append(t flyball.Time, set uint32, values []float64) error {
	if t > b.latest {
		return &Rejection{Reason: ReasonTooFarAhead, Samples: 1,
			Detail: fmt.Sprintf("event time %s is after %s", t, b.latest)}
	}
	b.max = max(b.max, t)
	if b.time.Len() == b.time.Cap() {
		b.grow()
	}
	b.time.UnsafeAppend(int64(t))
	b.set.UnsafeAppend(set)
	for i, v := range values {
		b.values[i].UnsafeAppend(v)
	}
	return nil
}

// AppendPoint is Append for a data point of a metric.
func (b *Builder) AppendPoint(t flyball.Time, set uint32, values []float64, p *Point) error {
	row := b.Len()
	if err := b.Append(t, set, values); err != nil {
		return err
	}
	if b.points == nil {
		if b.points, b.spare = b.spare, nil; b.points == nil {
			b.points = &Points{}
		}
	}
	b.points.append(row, p)
	return nil
}

// Pass notes the event time of a sample that no indicator wants: it has no row, but
// the topic has come as far. What is further ahead than SetLatest allows is ignored.
func (b *Builder) Pass(t flyball.Time) {
	if t <= b.latest {
		b.max = max(b.max, t)
	}
}

// firstRows is the least first capacity, a small fetch's worth of one partition.
const firstRows = 4096

// grow makes room: at first for as many rows as the batch before had, then for
// twice as many.
func (b *Builder) grow() {
	n := max(b.first, b.time.Len())
	b.time.Reserve(n)
	n = b.time.Cap() - b.time.Len()
	b.set.Reserve(n)
	for _, v := range b.values {
		v.Reserve(n)
	}
}

// Truncate drops the samples after the first n, so that a decoder can take back
// what it appended of a record that turned out malformed. The maximum event time
// is recomputed from what stays; what was passed is forgotten, which only holds the
// watermark back.
func (b *Builder) Truncate(n int) {
	if n >= b.Len() {
		return
	}
	if b.points != nil {
		b.points.truncate(n)
	}
	b.traces = b.traces[:min(n, len(b.traces))]
	b.notes.truncate(n)
	b.time.Resize(n)
	b.set.Resize(n)
	for _, v := range b.values {
		v.Resize(n)
	}
	b.max = flyball.NoTime
	for i := range n {
		b.max = max(b.max, flyball.Time(b.time.Value(i)))
	}
}

// Batch hands over the samples appended so far and empties the builder. The
// caller must Release it.
func (b *Builder) Batch() *Batch {
	b.first = max(firstRows, b.Len())
	out := &Batch{Time: b.time.NewInt64Array(), Set: b.set.NewUint32Array(), MaxTime: b.max, Traces: b.traces, Notes: b.notes, builder: b}
	b.traces, b.notes = nil, Notes{}
	for _, v := range b.values {
		out.Values = append(out.Values, v.NewFloat64Array())
	}
	b.max = flyball.NoTime
	if b.points != nil {
		b.points.pad(out.Rows())
		out.Points, b.points = b.points, nil
	}
	return out
}

// Release frees the buffers of a builder that is not used any more.
func (b *Builder) Release() {
	b.time.Release()
	b.set.Release()
	for _, v := range b.values {
		v.Release()
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
	// MaxTime is the latest event time in the batch, also of samples passed, or
	// NoTime when there is none.
	MaxTime flyball.Time
	// Points says more of each row, nil when all are ordinary samples.
	Points *Points
	// Traces are the ids of the traces of rows, all zero for none; rows beyond have none.
	Traces [][16]byte
	// Notes are what rows have for people to look at.
	Notes Notes

	builder *Builder // that gets Points, Traces and Notes back
}

// Rows returns the number of samples.
func (b *Batch) Rows() int { return b.Time.Len() }

// Release returns the buffers to the allocator and to the builder.
func (b *Batch) Release() {
	b.Time.Release()
	b.Set.Release()
	for _, v := range b.Values {
		v.Release()
	}
	if b.Points != nil {
		b.Points.reset()
		b.builder.spare, b.Points = b.Points, nil
	}
	if owner := b.builder; owner != nil && owner.Len() == 0 {
		b.Notes.reset()
		owner.traces, owner.notes = b.Traces[:0], b.Notes
		b.Traces, b.Notes = nil, Notes{}
	}
}
