// Package counter turns the points of cumulative streams into increases.
//
// A point of a cumulative stream says how much there has been since a start. What counts
// is what it adds to the point before it. Streams are told apart by their identity, and
// what they were before and after a restart by their start: a counter that begins anew at
// a later start has grown by all it says.
package counter

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/flyball-io/flyball"
)

// Point is a total of a stream.
type Point struct {
	// Stream that it belongs to.
	Stream flyball.StreamID
	// Start is since when it counts, 0 when the sender does not say; At is until when.
	Start, At flyball.Time
	// Bad says that by its labels what it counts is bad.
	Bad bool
	// Value of the total, NaN with a distribution.
	Value float64
	// Distribution of what was measured, nil where there is a value.
	Distribution *flyball.Distribution
}

// Mark is the first byte of an encoded point. No histogram begins with it.
const Mark = 0xf0

const (
	flagBad = 1 << iota
	flagDistribution
	flagExponential
)

// AppendBinary appends the encoding of a point:
//
//	mark, flags   bytes
//	stream        two uint64, little endian
//	start, at     varints
//	value         float64; or of a distribution:
//	count         uvarint
//	sum, min, max, nanos  float64
//	bounds        uvarint n, n float64; buckets: uvarint n, n uvarints; or of an exponential one:
//	scale         varint; zero: uvarint; threshold: float64
//	positive, negative    offset: varint, n: uvarint, n uvarints
func (p *Point) AppendBinary(b []byte) []byte {
	flags := byte(0)
	if p.Bad {
		flags |= flagBad
	}
	d := p.Distribution
	if d != nil {
		flags |= flagDistribution
		if d.Exponential {
			flags |= flagExponential
		}
	}
	b = append(b, Mark, flags)
	b = binary.LittleEndian.AppendUint64(b, p.Stream.Hi)
	b = binary.LittleEndian.AppendUint64(b, p.Stream.Lo)
	b = binary.AppendVarint(b, int64(p.Start))
	b = binary.AppendVarint(b, int64(p.At))
	if d == nil {
		return appendFloats(b, p.Value)
	}
	b = binary.AppendUvarint(b, d.Count)
	b = appendFloats(b, d.Sum, d.Min, d.Max, d.Nanos)
	if !d.Exponential {
		b = binary.AppendUvarint(b, uint64(len(d.Bounds)))
		b = appendFloats(b, d.Bounds...)
		return appendCounts(b, d.Buckets)
	}
	b = binary.AppendVarint(b, int64(d.Scale))
	b = binary.AppendUvarint(b, d.Zero)
	b = appendFloats(b, d.ZeroThreshold)
	b = binary.AppendVarint(b, int64(d.PosOffset))
	b = appendCounts(b, d.Pos)
	b = binary.AppendVarint(b, int64(d.NegOffset))
	return appendCounts(b, d.Neg)
}

func appendFloats(b []byte, list ...float64) []byte {
	for _, f := range list {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
	}
	return b
}

func appendCounts(b []byte, list []uint64) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, n := range list {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

var errPoint = errors.New("cannot read point of a cumulative stream: its bytes are not those of one")

// ReadPoint decodes what AppendBinary wrote. It keeps nothing of b.
func ReadPoint(b []byte) (Point, error) {
	if len(b) < 2 || b[0] != Mark || b[1]&^(flagBad|flagDistribution|flagExponential) != 0 {
		return Point{}, errPoint
	}
	r := reader{b: b[2:]}
	flags := b[1]
	p := Point{Bad: flags&flagBad != 0, Stream: flyball.StreamID{Hi: r.word(), Lo: r.word()}, Value: math.NaN()}
	p.Start, p.At = flyball.Time(r.varint()), flyball.Time(r.varint())
	if flags&flagDistribution == 0 {
		p.Value = r.float()
	} else {
		p.Distribution = r.distribution(flags&flagExponential != 0)
	}
	if r.bad || len(r.b) > 0 || p.Distribution == nil && (math.IsNaN(p.Value) || math.IsInf(p.Value, 0)) {
		return Point{}, errPoint
	}
	return p, nil
}

// reader reads a point; bad is set once something is not there.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) word() uint64 {
	if len(r.b) < 8 {
		r.bad, r.b = true, nil
		return 0
	}
	v := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

func (r *reader) float() float64 { return math.Float64frombits(r.word()) }

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// counts reads a list; each number takes a byte at least.
func (r *reader) counts() []uint64 {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	out := make([]uint64, n)
	for i := range out {
		out[i] = r.uvarint()
	}
	return out
}

func (r *reader) distribution(exponential bool) *flyball.Distribution {
	d := &flyball.Distribution{Exponential: exponential, Count: r.uvarint(), Sum: r.float(), Min: r.float(), Max: r.float(), Nanos: r.float()}
	if !exponential {
		n := r.uvarint()
		if n > uint64(len(r.b)/8) {
			r.bad = true
			return d
		}
		d.Bounds = make([]float64, n)
		for i := range d.Bounds {
			d.Bounds[i] = r.float()
		}
		d.Buckets = r.counts()
		return d
	}
	scale := r.varint()
	d.Scale = int32(scale)
	r.bad = r.bad || int64(d.Scale) != scale
	d.Zero, d.ZeroThreshold = r.uvarint(), r.float()
	d.PosOffset, d.Pos = r.offset(), r.counts()
	d.NegOffset, d.Neg = r.offset(), r.counts()
	return d
}

func (r *reader) offset() int32 {
	v := r.varint()
	r.bad = r.bad || int64(int32(v)) != v
	return int32(v)
}
