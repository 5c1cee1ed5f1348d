package metrics

import (
	"math"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
)

// Tags of HistogramDataPoint and ExponentialHistogramDataPoint, whose times, count and
// sum have the same numbers, and of Buckets.
const (
	pointCountTag = 4<<3 | otlp.WireFixed64
	pointSumTag   = 5<<3 | otlp.WireFixed64
	pointFlagsTag = 10<<3 | otlp.WireVarint

	explicitCountTag      = 6<<3 | otlp.WireFixed64
	explicitCountsTag     = 6<<3 | otlp.WireBytes // packed
	explicitBoundTag      = 7<<3 | otlp.WireFixed64
	explicitBoundsTag     = 7<<3 | otlp.WireBytes
	explicitExemplarsTag  = 8<<3 | otlp.WireBytes
	explicitAttributesTag = 9<<3 | otlp.WireBytes
	explicitMinTag        = 11<<3 | otlp.WireFixed64
	explicitMaxTag        = 12<<3 | otlp.WireFixed64

	exponentialAttributesTag = 1<<3 | otlp.WireBytes
	exponentialScaleTag      = 6<<3 | otlp.WireVarint
	exponentialZeroTag       = 7<<3 | otlp.WireFixed64
	exponentialPositiveTag   = 8<<3 | otlp.WireBytes
	exponentialNegativeTag   = 9<<3 | otlp.WireBytes
	exponentialExemplarsTag  = 11<<3 | otlp.WireBytes
	exponentialMinTag        = 12<<3 | otlp.WireFixed64
	exponentialMaxTag        = 13<<3 | otlp.WireFixed64
	exponentialThresholdTag  = 14<<3 | otlp.WireFixed64

	bucketsOffsetTag = 1<<3 | otlp.WireVarint
	bucketsCountTag  = 2<<3 | otlp.WireVarint
	bucketsCountsTag = 2<<3 | otlp.WireBytes
)

// distribution reads a HistogramDataPoint or an ExponentialHistogramDataPoint and ends
// its row.
func (d *OTLP) distribution(m []byte, b *ingest.Builder) {
	d.row.enterPoint()
	attributes, exemplars, field := uint64(explicitAttributesTag), uint64(explicitExemplarsTag), explicitField
	if d.row.metric.kind == exponentialKind {
		attributes, exemplars, field = exponentialAttributesTag, exponentialExemplarsTag, exponentialField
		d.row.dist.Exponential = true
	}
	var f pointFields
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			d.row.Broken[otlp.SampleLevel] = true
			break
		}
		switch t {
		case attributes:
			d.row.ReadAttribute(otlp.SampleLevel, m[from:i])
		case exemplars:
			d.exemplar(m[from:i])
		case pointStartTag:
			f.start, _ = otlp.Fixed64(m, from)
		case pointTimeTag:
			f.at, _ = otlp.Fixed64(m, from)
		case pointCountTag:
			d.row.dist.Count, _ = otlp.Fixed64(m, from)
		case pointSumTag:
			d.row.dist.Sum = double(m, from)
		case pointFlagsTag:
			f.flags, _ = otlp.Uvarint(m, from)
		default:
			if !field(&d.row.dist, t, m, from, i) {
				d.row.Broken[otlp.SampleLevel] = true
			}
		}
	}
	d.row.endDistribution(b, &f, d.identity(m, attributes))
}

func explicitField(d *flyball.Distribution, t uint64, m []byte, from, to int) (ok bool) {
	ok = true
	switch t {
	case explicitCountTag:
		n, _ := otlp.Fixed64(m, from)
		d.Buckets = append(d.Buckets, n)
	case explicitCountsTag:
		for ; from+8 <= to; from += 8 {
			n, _ := otlp.Fixed64(m, from)
			d.Buckets = append(d.Buckets, n)
		}
		ok = from == to
	case explicitBoundTag:
		d.Bounds = append(d.Bounds, double(m, from))
	case explicitBoundsTag:
		for ; from+8 <= to; from += 8 {
			d.Bounds = append(d.Bounds, double(m, from))
		}
		ok = from == to
	case explicitMinTag:
		d.Min = double(m, from)
	case explicitMaxTag:
		d.Max = double(m, from)
	}
	return ok
}

func exponentialField(d *flyball.Distribution, t uint64, m []byte, from, to int) (ok bool) {
	ok = true
	switch t {
	case exponentialScaleTag:
		n, _ := otlp.Uvarint(m, from)
		d.Scale = zigzag(n)
	case exponentialZeroTag:
		d.Zero, _ = otlp.Fixed64(m, from)
	case exponentialPositiveTag:
		ok = buckets(m[from:to], &d.PosOffset, &d.Pos)
	case exponentialNegativeTag:
		ok = buckets(m[from:to], &d.NegOffset, &d.Neg)
	case exponentialMinTag:
		d.Min = double(m, from)
	case exponentialMaxTag:
		d.Max = double(m, from)
	case exponentialThresholdTag:
		d.ZeroThreshold = double(m, from)
	}
	return ok
}

// zigzag reads a sint32.
func zigzag(n uint64) int32 { return int32(uint32(n)>>1) ^ -int32(n&1) }

// buckets reads one Buckets, or a part of it.
func buckets(m []byte, offset *int32, counts *[]uint64) bool {
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			return false
		}
		var n uint64
		switch t {
		case bucketsOffsetTag:
			n, _ = otlp.Uvarint(m, from)
			*offset = zigzag(n)
		case bucketsCountTag:
			n, _ = otlp.Uvarint(m, from)
			*counts = append(*counts, n)
		case bucketsCountsTag:
			for part := m[:i]; from < i; {
				if n, from = otlp.Uvarint(part, from); from < 0 {
					return false
				}
				*counts = append(*counts, n)
			}
		}
	}
	return true
}

// passTime notes a time in nanoseconds that nobody wants the sample of.
func passTime(at uint64, b *ingest.Builder) {
	if at > 0 && at <= math.MaxInt64 {
		b.Pass(flyball.Time(at))
	}
}
