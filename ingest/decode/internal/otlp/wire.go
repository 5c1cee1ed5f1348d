// Package otlp reads the parts that all OTLP signals share: the protobuf wire
// format, and attributes in protobuf and in JSON.
//
// The walkers of the wire take a message and a place in it and return the next
// place, or -1 when the bytes are not a message. They read what the reference
// implementation reads: tags and lengths need not be minimal, groups nest, and a
// known field of the wrong wire type is an unknown field.
package otlp

import (
	"encoding/binary"
	"math"
)

// Wire types of protobuf (https://protobuf.dev/programming-guides/encoding). The
// tag of a field is its number << 3 | its wire type.
const (
	WireVarint     = 0
	WireFixed64    = 1
	WireBytes      = 2
	WireStartGroup = 3
	WireEndGroup   = 4
	WireFixed32    = 5
)

// maxField is the largest field number that protobuf allows.
const maxField = 1<<29 - 1

// maxNesting bounds groups in groups, as the reference implementation does.
const maxNesting = 10_000

// Uvarint reads a varint at b[i].
func Uvarint(b []byte, i int) (v uint64, next int) {
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

// Extent reads a length at b[i] and returns where the bytes that it counts start
// and end.
func Extent(b []byte, i int) (from, to int) {
	if i < len(b) && b[i] < 0x80 && int(b[i]) < len(b)-i {
		return i + 1, i + 1 + int(b[i])
	}
	n, from := Uvarint(b, i)
	if from < 0 || n > uint64(len(b)-from) {
		return 0, -1
	}
	return from, from + int(n)
}

// Fixed64 reads eight bytes at b[i].
func Fixed64(b []byte, i int) (uint64, int) {
	if i+8 > len(b) {
		return 0, -1
	}
	return binary.LittleEndian.Uint64(b[i:]), i + 8
}

// Skip steps over the value at b[i] of a field with tag t.
func Skip(b []byte, i int, t uint64) int {
	if !ValidTag(t) {
		return -1
	}
	switch t & 7 {
	case WireVarint:
		_, i = Uvarint(b, i)
		return i
	case WireFixed64:
		i += 8
	case WireBytes:
		_, i = Extent(b, i)
		return i
	case WireFixed32:
		i += 4
	case WireStartGroup:
		return skipGroup(b, i, t>>3, 1)
	default:
		return -1
	}
	if i > len(b) {
		return -1
	}
	return i
}

// ValidTag reports whether a tag is one that protobuf allows.
func ValidTag(t uint64) bool { return t>>3 >= 1 && t>>3 <= maxField }

// skipGroup steps over a group up to its end tag.
func skipGroup(b []byte, i int, field uint64, depth int) int {
	for depth <= maxNesting {
		var t uint64
		// Inside a group the reference implementation takes larger field numbers.
		if t, i = Uvarint(b, i); i < 0 || t>>3 < 1 || t>>3 > math.MaxInt32 {
			return -1
		}
		switch t & 7 {
		case WireEndGroup:
			if t>>3 != field {
				return -1
			}
			return i
		case WireStartGroup:
			i = skipGroup(b, i, t>>3, depth+1)
		default:
			i = Skip(b, i, 1<<3|t&7)
		}
		if i < 0 {
			return -1
		}
	}
	return -1
}

// NextField reads the field at m[i]: its tag, and where its value starts and
// ends, for a length-delimited one without the length. The end is -1 when the
// bytes are not a field.
func NextField(m []byte, i int) (t uint64, from, to int) {
	// A message of 128 to 16,383 bytes, as spans are, is read in place.
	if i+2 < len(m) && m[i] < 0x80 && m[i]&7 == WireBytes && m[i] >= 1<<3 && m[i+1] >= 0x80 && m[i+2] < 0x80 {
		n := int(m[i+1]&0x7f) | int(m[i+2])<<7
		if from = i + 3; n <= len(m)-from {
			return uint64(m[i]), from, from + n
		}
		return 0, 0, -1
	}
	if t, i = Uvarint(m, i); i < 0 {
		return 0, 0, -1
	}
	if t&7 == WireBytes && ValidTag(t) {
		from, to = Extent(m, i)
		return t, from, to
	}
	return t, i, Skip(m, i, t)
}
