package shop

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
)

// static is a constant part of a message in both encodings.
type static struct{ proto, json []byte }

// attr is one attribute: a string, or an integer when isInt.
type attr struct {
	key, str string
	num      int64
	isInt    bool
}

// protoAttrs encodes attributes as repeated KeyValue in the given field.
func protoAttrs(field int, attrs []attr) []byte {
	var out []byte
	for _, a := range attrs {
		var value []byte
		if a.isInt {
			value = binary.AppendUvarint([]byte{3 << 3}, uint64(a.num))
		} else {
			value = protoString(nil, 1, a.str)
		}
		out = protoField(out, field, protoField(protoString(nil, 1, a.key), 2, value))
	}
	return out
}

// protoField appends a length-delimited field.
func protoField(dst []byte, field int, value []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(field)<<3|2)
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	return append(dst, value...)
}

func protoString(dst []byte, field int, s string) []byte { return protoField(dst, field, []byte(s)) }

// jsonAttrs encodes attributes as the elements of a JSON array, without the brackets.
func jsonAttrs(attrs []attr) []byte {
	var out []byte
	for i, a := range attrs {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"key":`...)
		out = append(out, quote(a.key)...)
		if a.isInt {
			// OTLP's JSON form follows proto3: 64-bit integers are strings.
			out = append(out, `,"value":{"intValue":"`...)
			out = strconv.AppendInt(out, a.num, 10)
			out = append(out, `"}}`...)
			continue
		}
		out = append(out, `,"value":{"stringValue":`...)
		out = append(out, quote(a.str)...)
		out = append(out, `}}`...)
	}
	return out
}

func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("BUG: cannot quote %q: %v", s, err))
	}
	return b
}
