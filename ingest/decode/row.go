package decode

import (
	"math"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

// cell is what a label column of the sample at hand holds so far, number the
// same for a value column. The rank says where it was found: a place with a
// higher one takes over. A fault counts only if it is still there at the end.
type cell struct {
	code  uint32
	rank  uint8
	fault fault
}

type number struct {
	v     float64
	rank  uint8 // 0 when there is none
	fault fault
}

// rows ends samples: each becomes a row or a rejection.
type rows struct {
	rejections
	interner
	names   ingest.Projection
	codes   []uint32 // of the sample at hand
	numbers []float64
}

func newRows(p ingest.Projection) rows {
	return rows{
		interner: newInterner(len(p.Labels)), names: p,
		codes: make([]uint32, len(p.Labels)), numbers: make([]float64, len(p.Values)),
	}
}

// begin starts a record. It reports whether codes known so far are void.
func (r *rows) begin(b *ingest.Builder) bool {
	r.rejections.reset()
	return r.interner.use(b.Dictionary())
}

// cell interns a label's value.
func (r *rows) cell(column int, text []byte) cell {
	code, ok := r.interner.code(column, text)
	if !ok {
		return cell{fault: faultUTF8}
	}
	return cell{code: code}
}

// append ends a sample, f being what is wrong with it beyond its columns.
func (r *rows) append(b *ingest.Builder, at flyball.Time, f fault, labels []cell, values []number) {
	r.seen++
	bad := f
	for c, cell := range labels {
		r.codes[c] = cell.code
		bad |= cell.fault
	}
	for c, n := range values {
		if n.rank == 0 {
			n.v = math.NaN()
		}
		r.numbers[c] = n.v
		bad |= n.fault
	}
	if bad != noFault {
		r.reject(f, labels, values)
		return
	}
	if err := b.Append(at, b.Dictionary().Set(r.codes), r.numbers); err != nil {
		rejected, _ := ingest.Rejected(err)
		r.addRejection(rejected.Reason, rejected.Detail)
	}
}

// reject finds which fault to tell of a sample that has some.
func (r *rows) reject(f fault, labels []cell, values []number) {
	if f != noFault {
		r.add(f, "")
		return
	}
	for c, cell := range labels {
		if cell.fault != noFault {
			r.add(cell.fault, r.names.Labels[c])
			return
		}
	}
	for c, n := range values {
		if n.fault != noFault {
			r.add(n.fault, r.names.Values[c])
			return
		}
	}
}
