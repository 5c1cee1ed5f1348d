package histogram

import (
	"encoding/binary"
	"math"
)

// QuantilesDDAccuracy is the relative accuracy, as SQL text, that a ClickHouse column
// must be declared with to hold the states of [Histogram.AppendQuantilesDD]:
//
//	AggregateFunction(quantilesDD(0.010830001253373618, 0.5, 0.99), Float64)
//
// It makes ClickHouse's γ, (1+α)/(1-α), the float nearest to 2^(1/32), bit for bit.
// Under any other γ ClickHouse redistributes all buckets on each merge.
const QuantilesDDAccuracy = "0.010830001253373618"

// Tags of ClickHouse's quantilesDD state (src/AggregateFunctions/DDSketch.h
// and DDSketch/Store.h of the server's sources).
const (
	ddLogMapping = 0x02
	ddPositive   = 0x01
	ddNegative   = 0x03
	ddZeroCount  = 0x04
	ddSparse     = 0x04
)

// AppendQuantilesDD appends the state of ClickHouse's aggregate function quantilesDD
// (server 24.1 and later) for h: what quantilesDDState writes for the same
// values. Merged there with other states, of this package or native, it gives
// quantiles within α of the exact ones.
//
//	02, f64 γ, f64 0; 01, store of positive; 03, store of negative; 04, f64 zeros
//	store: 04, uvarint n, n times (zigzag varint key - previous key, f64 count)
//
// The state is always at scale 5. Below it, each bucket's count is spread
// evenly over the scale 5 buckets it covers, as ClickHouse itself does when it refines
// a sketch: a coarse histogram stays as vague as it was, and does not
// coarsen the sharp ones it is merged with. The shares are exact binary
// fractions. Counts above 2^53 are rounded to float64. At scales below 0,
// where a bucket is wider than a doubling, the share of a doubling is put in
// its middle bucket, to bound the size.
//
// Keys of values below 1 are floors here and truncated toward zero in states that
// ClickHouse makes, which therefore read one bucket high; keep values at 1
// and above if both kinds of state are merged.
//
// Values of explicit buckets are written where Quantile takes them to be.
func (h *Histogram) AppendQuantilesDD(dst []byte) []byte {
	h = h.placed()
	dst = append(dst, ddLogMapping)
	dst = appendFloat(dst, roots[1])
	dst = appendFloat(dst, 0)
	dst = h.pos.appendSparse(append(dst, ddPositive), h.shift)
	dst = h.neg.appendSparse(append(dst, ddNegative), h.shift)
	return appendFloat(append(dst, ddZeroCount), float64(h.zero))
}

// appendSparse appends the store with its buckets, at scale 5-shift, refined to scale 5.
func (s *store) appendSparse(dst []byte, shift uint) []byte {
	occupied := 0
	for _, c := range s.counts {
		if c != 0 {
			occupied++
		}
	}
	// Per bucket: this many keys, this far apart, the first one at this distance from
	// the bucket's lower edge.
	halvings, step, first := shift, 1, 0
	if shift > finestScale {
		halvings, step, first = shift-finestScale, perDoubling, perDoubling/2
	}
	keys := 1 << halvings
	dst = append(dst, ddSparse)
	dst = binary.AppendUvarint(dst, uint64(occupied*keys))
	previous := 0
	for i, c := range s.counts {
		if c == 0 {
			continue
		}
		share := float64(c)
		if halvings > 0 {
			share = math.Ldexp(share, -int(halvings))
		}
		key := (s.base+i)<<shift + first
		for range keys {
			if delta := key - previous; uint(delta) < 64 {
				dst = append(dst, byte(delta<<1))
			} else {
				dst = binary.AppendVarint(dst, int64(delta))
			}
			dst = appendFloat(dst, share)
			previous = key
			key += step
		}
	}
	return dst
}

// appendFloat appends the eight bytes of v, little endian.
func appendFloat(dst []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
}
