package ingest

import (
	"math"

	"github.com/flyball-io/flyball"
)

// Point says more of a sample that is a data point of a metric: it stands for many
// samples, or for a total since some time.
type Point struct {
	// Weight is how many samples it stands for where samples are counted, 0 or more.
	Weight int64
	// Value that it has, also where the field "value" is not wanted; NaN when it has a
	// distribution.
	Value float64
	// Distribution of what they measured, nil when there is one value. The numeric
	// fields "value" and "duration" are then NaN. It is copied.
	Distribution *flyball.Distribution
	// Cumulative is set when value, weight and distribution are totals since Start.
	// Such a point is no sample yet: what it adds to the point before it in its
	// stream is.
	Cumulative bool
	// Start of the total, 0 when the sender does not say.
	Start flyball.Time
	// Stream is the stream of a cumulative point.
	Stream flyball.StreamID
}

// Points is what Point says, row by row.
type Points struct {
	// Weight and Value of each row.
	Weight []int64
	Value  []float64
	// Distribution is the place in Distributions of that of each row, or -1.
	Distribution  []int32
	Distributions []flyball.Distribution
	// Cumulative, Start and Stream of each row.
	Cumulative []bool
	Start      []flyball.Time
	Stream     []flyball.StreamID

	bounds []float64 // what Distributions have their slices of
	counts []uint64
}

// append adds the row number row, ordinary samples before it.
func (p *Points) append(row int, x *Point) {
	p.pad(row)
	at := int32(-1)
	if x.Distribution != nil {
		at = int32(len(p.Distributions))
		p.Distributions = append(p.Distributions, p.copyOf(x.Distribution))
	}
	p.Weight = append(p.Weight, x.Weight)
	p.Value = append(p.Value, x.Value)
	p.Distribution = append(p.Distribution, at)
	p.Cumulative = append(p.Cumulative, x.Cumulative)
	p.Start = append(p.Start, x.Start)
	p.Stream = append(p.Stream, x.Stream)
}

// pad makes the rows up to n ordinary samples.
func (p *Points) pad(n int) {
	for len(p.Weight) < n {
		p.Weight = append(p.Weight, 1)
		p.Value = append(p.Value, math.NaN())
		p.Distribution = append(p.Distribution, -1)
		p.Cumulative = append(p.Cumulative, false)
		p.Start = append(p.Start, 0)
		p.Stream = append(p.Stream, flyball.StreamID{})
	}
}

func (p *Points) truncate(n int) {
	if n >= len(p.Weight) {
		return
	}
	for _, at := range p.Distribution[n:] {
		if at >= 0 { // places ascend
			p.Distributions = p.Distributions[:at]
			break
		}
	}
	p.Weight, p.Value, p.Distribution, p.Cumulative = p.Weight[:n], p.Value[:n], p.Distribution[:n], p.Cumulative[:n]
	p.Start, p.Stream = p.Start[:n], p.Stream[:n]
}

func (p *Points) reset() {
	p.truncate(0)
	p.Distributions, p.bounds, p.counts = p.Distributions[:0], p.bounds[:0], p.counts[:0]
}

// copyOf copies a distribution into memory of p.
func (p *Points) copyOf(d *flyball.Distribution) flyball.Distribution {
	out := *d
	from := len(p.bounds)
	p.bounds = append(p.bounds, d.Bounds...)
	out.Bounds = p.bounds[from:len(p.bounds):len(p.bounds)]
	counts := func(list []uint64) []uint64 {
		from := len(p.counts)
		p.counts = append(p.counts, list...)
		return p.counts[from:len(p.counts):len(p.counts)]
	}
	out.Buckets, out.Pos, out.Neg = counts(d.Buckets), counts(d.Pos), counts(d.Neg)
	return out
}
