package histogram

import (
	"encoding/binary"
	"math"
)

// The encoding, all of it canonical: one content, one byte string.
//
//	header     byte: 0x40 (version 1), + 1 zero count, + 2 zero threshold,
//	                 + 4 positive buckets, + 8 negative buckets, + 16 scale,
//	                 + 32 explicit buckets
//	scale      byte: 5-scale, 1 to 15; absent at scale 5
//	zero       uvarint: absent if 0
//	threshold  float64, little endian: absent if 0
//	positive, negative: absent if empty, else
//	  first    varint (zigzag): lowest occupied bucket
//	  span     uvarint: highest occupied bucket - lowest
//	  tokens   uvarints until the last bucket of the span has its count:
//	           count<<1, or gap<<1|1 for a run of gap empty buckets
//	explicit: absent if empty, else
//	  level      byte: of the grid of the edges, 0 for none
//	  n          uvarint, then n times, in the order of the edges:
//	  low, high  float64, little endian
//	  count      uvarint
const (
	encodingVersion = 0x40
	versionMask     = 0xc0
	hasZero         = 1
	hasThreshold    = 2
	hasPositive     = 4
	hasNegative     = 8
	hasScale        = 16
	hasExplicit     = 32
)

// AppendBinary appends the encoding of h to dst and returns the result. Equal
// histograms have equal encodings. A typical pane of 100 buckets takes 100 to 200
// bytes.
func (h *Histogram) AppendBinary(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, encodingVersion)
	if h.shift != 0 {
		dst[at] |= hasScale
		dst = append(dst, byte(h.shift))
	}
	if h.zero != 0 {
		dst[at] |= hasZero
		dst = binary.AppendUvarint(dst, h.zero)
	}
	if h.zeroThreshold != 0 {
		dst[at] |= hasThreshold
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(h.zeroThreshold))
	}
	if lo, hi, any := h.pos.occupied(); any {
		dst[at] |= hasPositive
		dst = h.pos.appendTokens(dst, lo, hi)
	}
	if lo, hi, any := h.neg.occupied(); any {
		dst[at] |= hasNegative
		dst = h.neg.appendTokens(dst, lo, hi)
	}
	if len(h.explicit.list) > 0 {
		dst[at] |= hasExplicit
		dst = h.explicit.append(dst)
	}
	return dst
}

func (s *intervals) append(dst []byte) []byte {
	dst = append(dst, byte(s.level))
	dst = binary.AppendUvarint(dst, uint64(len(s.list)))
	for _, x := range s.list {
		dst = appendFloat(appendFloat(dst, x.low), x.high)
		dst = binary.AppendUvarint(dst, x.count)
	}
	return dst
}

// appendTokens appends the encoding of buckets lo to hi, the occupied range.
func (s *store) appendTokens(dst []byte, lo, hi int) []byte {
	dst = binary.AppendVarint(dst, int64(lo))
	dst = binary.AppendUvarint(dst, uint64(hi-lo))
	gap := uint64(0)
	for _, c := range s.counts[lo-s.base : hi-s.base+1] {
		if c == 0 {
			gap++
			continue
		}
		if gap > 0 {
			dst = appendToken(dst, gap<<1|1)
			gap = 0
		}
		dst = appendToken(dst, c<<1)
	}
	return dst
}

// appendToken is binary.AppendUvarint with the one-byte case inlined.
func appendToken(dst []byte, t uint64) []byte {
	if t < 0x80 {
		return append(dst, byte(t))
	}
	return binary.AppendUvarint(dst, t)
}

// MarshalBinary implements encoding.BinaryMarshaler.
func (h *Histogram) MarshalBinary() ([]byte, error) { return h.AppendBinary(nil), nil }
