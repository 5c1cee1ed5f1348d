package counter

import (
	"math"
	"slices"

	"github.com/flyball-io/flyball"
)

// Increase is by how much a stream grew up to a time.
type Increase struct {
	// At is the time of the point that says so.
	At flyball.Time
	// Bad is as in Point.
	Bad bool
	// Value is the growth of the value, above 0, and Count of its whole part: the
	// fractions of many increases add up in it. NaN and 0 with a distribution.
	Value float64
	Count int64
	// Distribution of what was measured meanwhile, nil where there is a value. Min and
	// Max of it are NaN: totals do not tell.
	Distribution *flyball.Distribution
}

// whole is an increase from nothing.
func whole(p *Point) Increase {
	out := Increase{At: p.At, Bad: p.Bad, Value: p.Value}
	if p.Distribution == nil {
		out.Count = int64(math.Floor(p.Value))
		return out
	}
	d := *p.Distribution
	out.Distribution = &d
	return out
}

// between returns by how much p is more than the point before it of the same start.
// A total that has become less has begun anew.
func between(last, p *Point) Increase {
	a, b := last.Distribution, p.Distribution
	switch {
	case a == nil && b == nil && p.Value >= last.Value:
		return Increase{At: p.At, Bad: p.Bad, Value: p.Value - last.Value, Count: int64(math.Floor(p.Value) - math.Floor(last.Value))}
	case a == nil || b == nil:
		return whole(p)
	}
	d, ok := less(b, a)
	if !ok {
		return whole(p)
	}
	return Increase{At: p.At, Bad: p.Bad, Value: math.NaN(), Distribution: &d}
}

// less returns b without a, of the same stream before. ok is false when it is not more in
// every bucket, or they cannot be compared.
func less(b, a *flyball.Distribution) (d flyball.Distribution, ok bool) {
	if b.Exponential != a.Exponential || b.Count < a.Count {
		return d, false
	}
	d = flyball.Distribution{Count: b.Count - a.Count, Sum: b.Sum - a.Sum, Min: math.NaN(), Max: math.NaN(), Nanos: b.Nanos, Exponential: b.Exponential}
	if !b.Exponential {
		if !slices.Equal(a.Bounds, b.Bounds) {
			return d, false
		}
		d.Bounds = b.Bounds
		d.Buckets, ok = subtract(b.Buckets, 0, a.Buckets, 0)
		return d, ok
	}
	// The scale of a stream goes down as its range grows; the older one is rescaled.
	if a.Scale < b.Scale || a.ZeroThreshold > b.ZeroThreshold || b.Zero < a.Zero {
		return d, false
	}
	d.Scale, d.Zero, d.ZeroThreshold = b.Scale, b.Zero-a.Zero, b.ZeroThreshold
	shift := uint(min(a.Scale-b.Scale, 31))
	pos, posAt := rescaled(a.Pos, a.PosOffset, shift)
	neg, negAt := rescaled(a.Neg, a.NegOffset, shift)
	var okPos, okNeg bool
	d.PosOffset, d.NegOffset = b.PosOffset, b.NegOffset
	d.Pos, okPos = subtract(b.Pos, b.PosOffset, pos, posAt)
	d.Neg, okNeg = subtract(b.Neg, b.NegOffset, neg, negAt)
	return d, okPos && okNeg
}

// subtract takes the buckets of a from those of b, which begin at these places.
func subtract(b []uint64, bAt int32, a []uint64, aAt int32) ([]uint64, bool) {
	out := slices.Clone(b)
	for i, n := range a {
		at := int64(aAt) + int64(i) - int64(bAt)
		switch {
		case n == 0:
		case at < 0 || at >= int64(len(out)) || out[at] < n:
			return nil, false
		default:
			out[at] -= n
		}
	}
	return out, true
}

// rescaled joins 2^shift buckets into one (OpenTelemetry data model, exponential
// histograms, "Perfect subsetting").
func rescaled(list []uint64, at int32, shift uint) ([]uint64, int32) {
	if shift == 0 || len(list) == 0 {
		return list, at
	}
	first := at >> shift
	out := make([]uint64, (at+int32(len(list))-1)>>shift-first+1)
	for i, n := range list {
		out[(at+int32(i))>>shift-first] += n
	}
	return out, first
}
