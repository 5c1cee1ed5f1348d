package histogram

import (
	"encoding/binary"
	"fmt"
	"math"
)

// DecodeError says where and why bytes are not an encoded histogram.
type DecodeError struct {
	// Offset is the byte at which the fault was noticed, from 0.
	Offset int
	// Reason is what is wrong there.
	Reason string
}

// Error implements error.
func (e *DecodeError) Error() string {
	return fmt.Sprintf("cannot decode histogram: %s at byte %d", e.Reason, e.Offset)
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler: h becomes the encoded
// histogram, or empty on error.
func (h *Histogram) UnmarshalBinary(data []byte) error {
	h.Reset()
	return h.MergeBinary(data)
}

// MergeBinary merges an encoded histogram straight from its bytes; it allocates only
// if h has to grow. Bytes that AppendBinary would not write are refused with
// a *[DecodeError], and leave h as it was. Memory is bounded by MaxBuckets per sign
// whatever the input claims.
func (h *Histogram) MergeBinary(data []byte) error {
	if h.mergeAtOnce(data) {
		return nil
	}
	var e encoded
	if err := e.parse(data); err != nil {
		return err
	}
	if !h.canHold(e.count) {
		return &DecodeError{len(data), "total count too large"}
	}
	if e.shift > h.shift {
		h.downscale(e.shift - h.shift)
	}
	e.pos.makeRoom(h, &h.pos, e.shift)
	e.neg.makeRoom(h, &h.neg, e.shift)
	e.pos.addTo(&h.pos, h.shift-e.shift)
	e.neg.addTo(&h.neg, h.shift-e.shift)
	h.count += e.count
	h.zero += e.zero
	h.zeroThreshold = max(h.zeroThreshold, e.zeroThreshold)
	h.explicit.merge(&e.explicit)
	return nil
}

// encoded is a checked encoding, its buckets still in their bytes.
type encoded struct {
	count, zero   uint64
	zeroThreshold float64
	shift         uint
	pos, neg      tokens
	explicit      intervals
}

// tokens is the encoded buckets of one sign; body is empty if there are none.
type tokens struct {
	lo, hi int
	body   []byte
}

// parse checks all of data and splits it.
func (e *encoded) parse(data []byte) error {
	r := reader{data: data}
	header := r.byte()
	if header&versionMask != encodingVersion {
		return r.fail("unknown version")
	}
	if header&hasScale != 0 {
		e.shift = uint(r.byte())
		if e.shift == 0 || e.shift > maxShift || header&(hasPositive|hasNegative) == 0 {
			return r.fail("bad scale")
		}
	}
	if header&hasZero != 0 {
		e.zero = r.uvarint()
		if e.zero == 0 || e.zero > MaxCount {
			return r.fail("bad zero count")
		}
		e.count = e.zero
	}
	if header&hasThreshold != 0 {
		t := r.uint64()
		if header&hasZero == 0 || t <= smallestBits || t >= infinityBits {
			return r.fail("bad zero threshold")
		}
		e.zeroThreshold = math.Float64frombits(t)
	}
	if header&hasPositive != 0 {
		if err := e.parseTokens(&r, &e.pos); err != nil {
			return err
		}
	}
	if header&hasNegative != 0 {
		if err := e.parseTokens(&r, &e.neg); err != nil {
			return err
		}
	}
	if header&hasExplicit != 0 {
		if err := e.parseExplicit(&r); err != nil {
			return err
		}
	}
	if r.bad {
		return r.fail("truncated")
	}
	if r.at != len(data) {
		return r.fail("trailing bytes")
	}
	return nil
}

// parseTokens checks the buckets of one sign and adds their counts to e.count.
func (e *encoded) parseTokens(r *reader, t *tokens) error {
	first, span := r.varint(), r.uvarint()
	if r.bad {
		return r.fail("truncated")
	}
	top := int64(maxIndex >> e.shift)
	if span >= MaxBuckets || first < minIndex>>e.shift || first > top || first+int64(span) > top {
		return r.fail("bad bucket range")
	}
	t.lo, t.hi = int(first), int(first)+int(span)
	start := r.at
	left, total, gap := span+1, e.count, true
	for left > 0 {
		v := r.uvarint()
		n := v >> 1
		if n == 0 {
			return r.fail("empty token")
		}
		if v&1 == 0 {
			gap = false
			left--
			if total += n; total > MaxCount {
				return r.fail("total count too large")
			}
			continue
		}
		if gap || n >= left {
			return r.fail("bad gap")
		}
		gap = true
		left -= n
	}
	e.count = total
	t.body = r.data[start:r.at]
	return nil
}

// parseExplicit checks the explicit buckets and adds their counts to e.count.
func (e *encoded) parseExplicit(r *reader) error {
	e.explicit.level = uint(r.byte())
	n := r.uvarint()
	if e.explicit.level > maxLevel || n == 0 || n > maxIntervals {
		return r.fail("bad explicit buckets")
	}
	for range n {
		x := interval{math.Float64frombits(r.uint64()), math.Float64frombits(r.uint64()), r.uvarint()}
		if r.bad {
			return r.fail("truncated")
		}
		last := len(e.explicit.list) - 1
		if !(x.low < x.high) || x.count == 0 || x.widened(e.explicit.level) != x || negativeZero(x.low) || negativeZero(x.high) ||
			last >= 0 && compareEdges(e.explicit.list[last], x) >= 0 {
			return r.fail("bad explicit bucket")
		}
		if x.count > MaxCount || e.count+x.count > MaxCount {
			return r.fail("total count too large")
		}
		e.count += x.count
		e.explicit.list = append(e.explicit.list, x)
	}
	return nil
}

func negativeZero(v float64) bool { return v == 0 && math.Signbit(v) }

// makeRoom lets s, one of h's stores, cover the encoded buckets, which are at
// scale 5-shift.
func (t *tokens) makeRoom(h *Histogram, s *store, shift uint) {
	if len(t.body) > 0 {
		d := h.shift - shift
		h.makeRoom(s, t.lo>>d, t.hi>>d)
	}
}

// addTo adds the counts to s, whose buckets are 2^d times as wide. The bytes have been
// checked.
func (t *tokens) addTo(s *store, d uint) {
	r := reader{data: t.body}
	for i := t.lo; r.at < len(t.body); {
		v := r.uvarint()
		if v&1 != 0 {
			i += int(v >> 1)
			continue
		}
		s.counts[i>>(d&63)-s.base] += v >> 1
		i++
	}
}

// reader walks bytes. After a fault it is bad, and yields zeros.
type reader struct {
	data []byte
	at   int
	bad  bool
}

// fail returns the error for the present place.
func (r *reader) fail(reason string) error {
	if r.bad {
		reason = "truncated or malformed number"
	}
	return &DecodeError{r.at, reason}
}

// byte reads one byte.
func (r *reader) byte() byte {
	if r.at >= len(r.data) {
		r.bad = true
		return 0
	}
	b := r.data[r.at]
	r.at++
	return b
}

// uint64 reads eight bytes, little endian.
func (r *reader) uint64() uint64 {
	if len(r.data)-r.at < 8 {
		r.bad = true
		return 0
	}
	v := binary.LittleEndian.Uint64(r.data[r.at:])
	r.at += 8
	return v
}

// uvarint reads a number in its shortest form, the only one accepted.
func (r *reader) uvarint() uint64 {
	if r.at < len(r.data) && r.data[r.at] < 0x80 {
		r.at++
		return uint64(r.data[r.at-1])
	}
	v, n := binary.Uvarint(r.data[r.at:])
	if n <= 0 || n > 1 && r.data[r.at+n-1] == 0 {
		r.bad = true
		return 0
	}
	r.at += n
	return v
}

// varint reads a zigzag number.
func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}
