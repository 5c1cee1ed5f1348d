package decode

import (
	"encoding/binary"
	"math"
)

// The protobuf wire format (https://protobuf.dev/programming-guides/encoding).
// The walkers below take a message and a place in it and return the next place,
// or -1 when the bytes are not a message. They read what the reference
// implementation reads: tags and lengths need not be minimal, groups nest, and a
// known field of the wrong wire type is an unknown field.

const (
	wireVarint     = 0
	wireFixed64    = 1
	wireBytes      = 2
	wireStartGroup = 3
	wireEndGroup   = 4
	wireFixed32    = 5
)

// maxField is the largest field number that protobuf allows.
const maxField = 1<<29 - 1

// maxNesting bounds groups in groups and values in values, as the reference
// implementation does.
const maxNesting = 10_000

// uvarint reads a varint at b[i].
func uvarint(b []byte, i int) (v uint64, next int) {
	for shift := 0; shift < 64; shift += 7 {
		if i >= len(b) {
			return 0, -1
		}
		c := b[i]
		i++
		if shift == 63 && c > 1 {
			return 0, -1
		}
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v, i
		}
	}
	return 0, -1
}

// extent reads a length at b[i] and returns where the bytes that it counts start
// and end.
func extent(b []byte, i int) (from, to int) {
	if i < len(b) && b[i] < 0x80 && int(b[i]) < len(b)-i {
		return i + 1, i + 1 + int(b[i])
	}
	n, from := uvarint(b, i)
	if from < 0 || n > uint64(len(b)-from) {
		return 0, -1
	}
	return from, from + int(n)
}

// fixed64 reads eight bytes at b[i].
func fixed64(b []byte, i int) (uint64, int) {
	if i+8 > len(b) {
		return 0, -1
	}
	return binary.LittleEndian.Uint64(b[i:]), i + 8
}

// skip steps over the value at b[i] of a field with tag t.
func skip(b []byte, i int, t uint64) int {
	if !validTag(t) {
		return -1
	}
	switch t & 7 {
	case wireVarint:
		_, i = uvarint(b, i)
		return i
	case wireFixed64:
		i += 8
	case wireBytes:
		_, i = extent(b, i)
		return i
	case wireFixed32:
		i += 4
	case wireStartGroup:
		return skipGroup(b, i, t>>3, 1)
	default:
		return -1
	}
	if i > len(b) {
		return -1
	}
	return i
}

func validTag(t uint64) bool { return t>>3 >= 1 && t>>3 <= maxField }

// skipGroup steps over a group up to its end tag.
func skipGroup(b []byte, i int, field uint64, depth int) int {
	for depth <= maxNesting {
		var t uint64
		// Inside a group the reference implementation takes larger field numbers.
		if t, i = uvarint(b, i); i < 0 || t>>3 < 1 || t>>3 > math.MaxInt32 {
			return -1
		}
		switch t & 7 {
		case wireEndGroup:
			if t>>3 != field {
				return -1
			}
			return i
		case wireStartGroup:
			i = skipGroup(b, i, t>>3, depth+1)
		default:
			i = skip(b, i, 1<<3|t&7)
		}
		if i < 0 {
			return -1
		}
	}
	return -1
}
