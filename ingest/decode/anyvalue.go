package decode

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// anyKind says what an OTLP AnyValue holds.
type anyKind uint8

const (
	anyEmpty anyKind = iota
	anyString
	anyBool
	anyInt
	anyDouble
	anyBytes
	anyTree // an array or a key-value list
)

// anyValue is one OTLP AnyValue.
type anyValue struct {
	kind  anyKind
	bits  uint64 // bool, int, and the bits of a double
	bytes []byte // string and bytes; not kept
	tree  any    // []any or map[string]any, for arrays and lists
}

// appendText appends the value as a label: what Value.AsString of the
// Collector's pdata gives, so that labels read as they do in other backends.
func (v *anyValue) appendText(dst []byte) []byte {
	switch v.kind {
	case anyString:
		return append(dst, v.bytes...)
	case anyBool:
		return strconv.AppendBool(dst, v.bits != 0)
	case anyInt:
		return strconv.AppendInt(dst, int64(v.bits), 10)
	case anyDouble:
		return appendDouble(dst, math.Float64frombits(v.bits))
	case anyBytes:
		return base64.StdEncoding.AppendEncode(dst, v.bytes)
	case anyTree:
		return appendTree(dst, v.tree)
	}
	return dst
}

// number returns the value as a finite number; absent is true when it holds
// nothing. A string counts when it spells a decimal number.
func (v *anyValue) number() (f float64, absent bool, flt fault) {
	switch v.kind {
	case anyEmpty:
		return 0, true, noFault
	case anyInt:
		return float64(int64(v.bits)), false, noFault
	case anyDouble:
		f = math.Float64frombits(v.bits)
	case anyString:
		if len(v.bytes) == 0 {
			return 0, true, noFault
		}
		var ok bool
		if f, ok = parseNumber(v.bytes); !ok {
			return 0, false, faultNumber
		}
	default:
		return 0, false, faultNumber
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, false, faultNumber
	}
	return f, false, noFault
}

// raw returns the value as encoding/json takes it.
func (v *anyValue) raw() any {
	switch v.kind {
	case anyString:
		return string(v.bytes)
	case anyBool:
		return v.bits != 0
	case anyInt:
		return int64(v.bits)
	case anyDouble:
		return math.Float64frombits(v.bits)
	case anyBytes:
		return append([]byte(nil), v.bytes...) // none is null, as in pdata
	case anyTree:
		return v.tree
	}
	return nil
}

// appendDouble writes f in the shortest form that reads back the same, with an
// exponent only where ECMAScript has one (ECMA-262, Number::toString).
func appendDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	abs := math.Abs(f)
	if abs == 0 || abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
		dst = append(dst[:n-2], dst[n-1]) // e-09 is written e-9
	}
	return dst
}

// appendTree writes an array or list as JSON with its keys sorted; one that JSON
// cannot hold (a NaN in it) gives nothing, as in pdata.
func appendTree(dst []byte, tree any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(tree); err != nil {
		return dst
	}
	return append(dst, bytes.TrimRight(out.Bytes(), "\n")...)
}

// parseNumber reads a decimal number. Hexadecimal and underscores, which Go
// reads too, are not numbers to other tools that read the same telemetry.
func parseNumber(s []byte) (float64, bool) {
	for _, c := range s {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(text(s), 64)
	return f, err == nil
}

// text views b as a string for the length of a call that does not keep it.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Tags of AnyValue, ArrayValue, KeyValueList and KeyValue
// (opentelemetry/proto/common/v1/common.proto).
const (
	anyStringTag = 1<<3 | wireBytes
	anyBoolTag   = 2<<3 | wireVarint
	anyIntTag    = 3<<3 | wireVarint
	anyDoubleTag = 4<<3 | wireFixed64
	anyArrayTag  = 5<<3 | wireBytes
	anyListTag   = 6<<3 | wireBytes
	anyBytesTag  = 7<<3 | wireBytes
	anyIndexTag  = 8<<3 | wireVarint // of a string in a table that only profiles have
	elementTag   = 1<<3 | wireBytes
	keyTag       = 1<<3 | wireBytes
	valueTag     = 2<<3 | wireBytes
)

// readAny reads an AnyValue message.
func readAny(b []byte, depth int) (v anyValue, f fault) {
	if depth > maxValueNesting {
		return v, faultFraming
	}
	var tree []byte // the array or list, put together from its parts
	var treeTag uint64
	for i := 0; i < len(b); {
		var t uint64
		if t, i = uvarint(b, i); i < 0 {
			return v, faultFraming
		}
		from := i
		switch t {
		case anyStringTag, anyBytesTag:
			if from, i = extent(b, i); i < 0 {
				return v, faultFraming
			}
			v = anyValue{kind: anyString, bytes: b[from:i]}
			if t == anyBytesTag {
				v.kind = anyBytes
			}
		case anyBoolTag, anyIntTag:
			var n uint64
			if n, i = uvarint(b, i); i < 0 {
				return v, faultFraming
			}
			v = anyValue{kind: anyBool, bits: n}
			if t == anyIntTag {
				v.kind = anyInt
			}
		case anyDoubleTag:
			var n uint64
			if n, i = fixed64(b, i); i < 0 {
				return v, faultFraming
			}
			v = anyValue{kind: anyDouble, bits: n}
		case anyArrayTag, anyListTag:
			if from, i = extent(b, i); i < 0 {
				return v, faultFraming
			}
			if v.kind != anyTree || treeTag != t { // else a part: parts of one field join
				tree, treeTag = nil, t
			}
			tree = append(tree, b[from:i]...)
			v = anyValue{kind: anyTree}
		case anyIndexTag:
			if _, i = uvarint(b, i); i < 0 {
				return v, faultFraming
			}
			v = anyValue{}
		default:
			if i = skip(b, i, t); i < 0 {
				return v, faultFraming
			}
		}
	}
	if v.kind != anyTree {
		return v, noFault
	}
	v.tree, f = readTree(tree, treeTag == anyListTag, depth)
	return v, f
}

// maxValueNesting bounds arrays in arrays.
const maxValueNesting = 1000

// readTree reads an ArrayValue, or a KeyValueList when list is set.
func readTree(b []byte, list bool, depth int) (any, fault) {
	array, object := []any{}, map[string]any{}
	for i := 0; i < len(b); {
		var t uint64
		if t, i = uvarint(b, i); i < 0 {
			return nil, faultFraming
		}
		if t != elementTag {
			if i = skip(b, i, t); i < 0 {
				return nil, faultFraming
			}
			continue
		}
		var from int
		if from, i = extent(b, i); i < 0 {
			return nil, faultFraming
		}
		key, value := []byte(nil), b[from:i]
		if list {
			var ok bool
			if key, value, ok = readKeyValue(value); !ok {
				return nil, faultFraming
			}
		}
		v, f := readAny(value, depth+1)
		if f != noFault {
			return nil, f
		}
		if !utf8.Valid(key) || v.kind == anyString && !utf8.Valid(v.bytes) {
			return nil, faultUTF8
		}
		if list {
			object[string(key)] = v.raw()
		} else {
			array = append(array, v.raw())
		}
	}
	if list {
		return object, noFault
	}
	return array, noFault
}

// cutKeyValue returns where the key ends in a KeyValue of the form that every
// exporter writes: key then value, with lengths below 128. It returns 0 for any
// other.
func cutKeyValue(b []byte) int {
	if len(b) < 4 || b[0] != keyTag || b[1] >= 0x80 {
		return 0
	}
	k := 2 + int(b[1])
	if k+2 > len(b) || b[k] != valueTag || b[k+1] >= 0x80 || int(b[k+1]) != len(b)-k-2 {
		return 0
	}
	return k
}

// readKeyValue reads a KeyValue message into its key and its AnyValue.
func readKeyValue(b []byte) (key, value []byte, ok bool) {
	for i := 0; i < len(b); {
		var t uint64
		if t, i = uvarint(b, i); i < 0 {
			return nil, nil, false
		}
		from := i
		switch t {
		case keyTag:
			if from, i = extent(b, i); i < 0 {
				return nil, nil, false
			}
			key = b[from:i]
		case valueTag:
			if from, i = extent(b, i); i < 0 {
				return nil, nil, false
			}
			if value == nil {
				value = b[from:i:i]
			} else { // parts of one message merge as their bytes joined do
				value = append(value, b[from:i]...)
			}
		default:
			if i = skip(b, i, t); i < 0 {
				return nil, nil, false
			}
		}
	}
	return key, value, true
}
