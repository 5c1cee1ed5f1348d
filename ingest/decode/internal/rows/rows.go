// Package rows is how every decoder ends a sample: a row in the builder, or a
// rejection. It interns labels and collects what is wrong.
package rows

import (
	"math"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

// Cell is what a label column of the sample at hand holds so far. The rank says
// where it was found: a place with a higher one takes over. A fault counts only
// if it is still there at the end.
type Cell struct {
	Code  uint32
	Rank  uint8
	Fault Fault
}

// Number is what a value column of the sample at hand holds so far, with rank 0
// when that is nothing.
type Number struct {
	V     float64
	Rank  uint8
	Fault Fault
}

// Rows ends samples: each becomes a row or a rejection.
type Rows struct {
	rejections
	interner interner
	names    ingest.Projection
	codes    []uint32 // of the sample at hand
	numbers  []float64
}

// New returns the rows of a projection.
func New(p ingest.Projection) Rows {
	return Rows{
		interner: newInterner(len(p.Labels)), names: p,
		codes: make([]uint32, len(p.Labels)), numbers: make([]float64, len(p.Values)),
	}
}

// Begin starts a record. It reports whether codes known so far are void.
func (r *Rows) Begin(b *ingest.Builder) bool {
	r.rejections.reset()
	return r.interner.use(b.Dictionary())
}

// Cell interns a label's value.
func (r *Rows) Cell(column int, text []byte) Cell {
	code, ok := r.interner.code(column, text)
	if !ok {
		return Cell{Fault: FaultUTF8}
	}
	return Cell{Code: code}
}

// Append ends a sample, f being what is wrong with it beyond its columns.
func (r *Rows) Append(b *ingest.Builder, at flyball.Time, f Fault, labels []Cell, values []Number) {
	if r.fill(f, labels, values) {
		r.took(b.Append(at, b.Dictionary().Set(r.codes), r.numbers))
	}
}

// AppendPoint is Append for a data point of a metric.
func (r *Rows) AppendPoint(b *ingest.Builder, at flyball.Time, f Fault, labels []Cell, values []Number, p *ingest.Point) {
	if r.fill(f, labels, values) {
		r.took(b.AppendPoint(at, b.Dictionary().Set(r.codes), r.numbers, p))
	}
}

// took notes what the builder said of a sample.
func (r *Rows) took(err error) {
	if err != nil {
		rejected, _ := ingest.Rejected(err)
		r.addRejection(rejected.Reason, rejected.Detail)
	}
}

// fill sets the columns of the sample at hand, or rejects it.
func (r *Rows) fill(f Fault, labels []Cell, values []Number) bool {
	r.seen++
	bad := f
	for c, cell := range labels {
		r.codes[c] = cell.Code
		bad |= cell.Fault
	}
	for c, n := range values {
		if n.Rank == 0 {
			n.V = math.NaN()
		}
		r.numbers[c] = n.V
		bad |= n.Fault
	}
	if bad != NoFault {
		r.reject(f, labels, values)
	}
	return bad == NoFault
}

// Mark is a place to go back to.
type Mark struct {
	rows int
	rejections
}

// Mark returns the place at hand.
func (r *Rows) Mark(b *ingest.Builder) Mark { return Mark{b.Len(), r.rejections} }

// TakeBack forgets the samples since m.
func (r *Rows) TakeBack(b *ingest.Builder, m Mark) {
	b.Truncate(m.rows)
	r.rejections = m.rejections
}

// Reject ends a sample that has no columns.
func (r *Rows) Reject(f Fault) {
	r.seen++
	r.add(f, "")
}

// reject finds which fault to tell of a sample that has some.
func (r *Rows) reject(f Fault, labels []Cell, values []Number) {
	if f != NoFault {
		r.add(f, "")
		return
	}
	for c, cell := range labels {
		if cell.Fault != NoFault {
			r.add(cell.Fault, r.names.Labels[c])
			return
		}
	}
	for c, n := range values {
		if n.Fault != NoFault {
			r.add(n.Fault, r.names.Values[c])
			return
		}
	}
}
