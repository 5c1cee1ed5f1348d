package otlp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// Kind says what an OTLP AnyValue holds.
type Kind uint8

// The kinds of an AnyValue.
const (
	Empty Kind = iota
	String
	Bool
	Int
	Double
	Bytes
	Tree // an array or a key-value list
)

// AnyValue is one OTLP AnyValue.
type AnyValue struct {
	Kind  Kind
	Bits  uint64 // bool, int, and the bits of a double
	Bytes []byte // string and bytes; not kept
	Tree  any    // []any or map[string]any, for arrays and lists
	// BadText is set when a string in an array or list is not valid UTF-8; that
	// of a plain string is not looked at.
	BadText bool
}

// AppendText appends the value as a label: what Value.AsString of the
// Collector's pdata gives, so that labels read as they do in other backends.
func (v *AnyValue) AppendText(dst []byte) []byte {
	switch v.Kind {
	case String:
		return append(dst, v.Bytes...)
	case Bool:
		return strconv.AppendBool(dst, v.Bits != 0)
	case Int:
		return strconv.AppendInt(dst, int64(v.Bits), 10)
	case Double:
		return rows.AppendDouble(dst, math.Float64frombits(v.Bits))
	case Bytes:
		return base64.StdEncoding.AppendEncode(dst, v.Bytes)
	case Tree:
		return appendTree(dst, v.Tree)
	}
	return dst
}

// Number returns the value as a number: NaN when it holds nothing or an empty
// string, and false when it is no finite number. A string counts when it spells
// a decimal number.
func (v *AnyValue) Number() (f float64, ok bool) {
	switch v.Kind {
	case Empty:
		return math.NaN(), true
	case Int:
		return float64(int64(v.Bits)), true
	case Double:
		f, ok = math.Float64frombits(v.Bits), true
	case String:
		if len(v.Bytes) == 0 {
			return math.NaN(), true
		}
		f, ok = rows.ParseNumber(v.Bytes)
	}
	return f, ok && !math.IsNaN(f) && !math.IsInf(f, 0)
}

// raw returns the value as encoding/json takes it.
func (v *AnyValue) raw() any {
	switch v.Kind {
	case String:
		return string(v.Bytes)
	case Bool:
		return v.Bits != 0
	case Int:
		return int64(v.Bits)
	case Double:
		return math.Float64frombits(v.Bits)
	case Bytes:
		return append([]byte(nil), v.Bytes...) // none is null, as in pdata
	case Tree:
		return v.Tree
	}
	return nil
}

// ValueOf returns an element of Tree as a value of its own.
func ValueOf(raw any) AnyValue {
	switch x := raw.(type) {
	case string:
		return AnyValue{Kind: String, Bytes: []byte(x)}
	case bool:
		if x {
			return AnyValue{Kind: Bool, Bits: 1}
		}
		return AnyValue{Kind: Bool}
	case int64:
		return AnyValue{Kind: Int, Bits: uint64(x)}
	case float64:
		return AnyValue{Kind: Double, Bits: math.Float64bits(x)}
	case []byte:
		return AnyValue{Kind: Bytes, Bytes: x}
	case []any, map[string]any:
		return AnyValue{Kind: Tree, Tree: x}
	}
	return AnyValue{}
}

// element returns an element of v as encoding/json takes it.
func (v *AnyValue) element(e *AnyValue) any {
	v.BadText = v.BadText || e.BadText || e.Kind == String && !utf8.Valid(e.Bytes)
	return e.raw()
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

// StringTag is the tag of a string in an AnyValue.
const StringTag = 1<<3 | WireBytes

// Tags of AnyValue, ArrayValue, KeyValueList and KeyValue
// (opentelemetry/proto/common/v1/common.proto).
const (
	anyBoolTag   = 2<<3 | WireVarint
	anyIntTag    = 3<<3 | WireVarint
	anyDoubleTag = 4<<3 | WireFixed64
	anyArrayTag  = 5<<3 | WireBytes
	anyListTag   = 6<<3 | WireBytes
	anyBytesTag  = 7<<3 | WireBytes
	anyIndexTag  = 8<<3 | WireVarint // of a string in a table that only profiles have
	elementTag   = 1<<3 | WireBytes
	keyTag       = 1<<3 | WireBytes
	valueTag     = 2<<3 | WireBytes
)

// ReadAny reads an AnyValue message. It returns false when its fields do not
// parse.
func ReadAny(b []byte) (AnyValue, bool) { return readAny(b, 0) }

func readAny(b []byte, depth int) (v AnyValue, ok bool) {
	if depth > MaxNesting {
		return v, false
	}
	var tree []byte // the array or list, put together from its parts
	var treeTag uint64
	for i := 0; i < len(b); {
		from, t := 0, uint64(0)
		if t, from, i = NextField(b, i); i < 0 {
			return v, false
		}
		var n uint64
		switch t {
		case StringTag:
			v = AnyValue{Kind: String, Bytes: b[from:i]}
		case anyBytesTag:
			v = AnyValue{Kind: Bytes, Bytes: b[from:i]}
		case anyBoolTag:
			n, _ = Uvarint(b, from)
			v = AnyValue{Kind: Bool, Bits: n}
		case anyIntTag:
			n, _ = Uvarint(b, from)
			v = AnyValue{Kind: Int, Bits: n}
		case anyDoubleTag:
			n, _ = Fixed64(b, from)
			v = AnyValue{Kind: Double, Bits: n}
		case anyArrayTag, anyListTag:
			if v.Kind != Tree || treeTag != t { // else a part: parts of one field join
				tree, treeTag = nil, t
			}
			tree = append(tree, b[from:i]...)
			v = AnyValue{Kind: Tree}
		case anyIndexTag:
			v = AnyValue{}
		}
	}
	if v.Kind != Tree {
		return v, true
	}
	return v, v.readTree(tree, treeTag == anyListTag, depth)
}

// MaxNesting bounds arrays in arrays.
const MaxNesting = 1000

// readTree reads an ArrayValue, or a KeyValueList when list is set.
func (v *AnyValue) readTree(b []byte, list bool, depth int) bool {
	array, object := []any{}, map[string]any{}
	for i := 0; i < len(b); {
		from, t := 0, uint64(0)
		if t, from, i = NextField(b, i); i < 0 {
			return false
		}
		if t != elementTag {
			continue
		}
		key, value, ok := []byte(nil), b[from:i], true
		if list {
			key, value, ok = ReadKeyValue(value)
		}
		if !ok {
			return false
		}
		element, ok := readAny(value, depth+1)
		if !ok {
			return false
		}
		if list {
			v.BadText = v.BadText || !utf8.Valid(key)
			object[string(key)] = v.element(&element)
		} else {
			array = append(array, v.element(&element))
		}
	}
	v.Tree = array
	if list {
		v.Tree = object
	}
	return true
}

// CutKeyValue returns where the key ends in a KeyValue of the form that every
// exporter writes: key then value, with lengths below 128. It returns 0 for any
// other.
func CutKeyValue(b []byte) int {
	if len(b) < 4 || b[0] != keyTag || b[1] >= 0x80 {
		return 0
	}
	k := 2 + int(b[1])
	if k+2 > len(b) || b[k] != valueTag || b[k+1] >= 0x80 || int(b[k+1]) != len(b)-k-2 {
		return 0
	}
	return k
}

// SkipAttributes steps over the attributes at m[i:], fields of the given tag of
// one byte, that have the form CutKeyValue wants and a key that is not held. It
// returns where the first field starts that is anything else.
func SkipAttributes(m []byte, i int, tag byte, held *rows.Keys) int {
	for i+6 <= len(m) && m[i] == tag && m[i+2] == keyTag {
		key := i + 4
		value, to := key+int(m[i+3]), i+2+int(m[i+1])
		if m[i+1] >= 0x80 || to > len(m) || value+2 > to {
			break
		}
		if m[value] != valueTag || int(m[value+1]) != to-value-2 || held.MayHold(m[key:value]) {
			break
		}
		i = to
	}
	return i
}

// ReadKeyValue reads a KeyValue message into its key and its AnyValue.
func ReadKeyValue(b []byte) (key, value []byte, ok bool) {
	for i := 0; i < len(b); {
		from, t := 0, uint64(0)
		if t, from, i = NextField(b, i); i < 0 {
			return nil, nil, false
		}
		switch {
		case t == keyTag:
			key = b[from:i]
		case t == valueTag && value == nil:
			value = b[from:i:i]
		case t == valueTag: // parts of one message merge as their bytes joined do
			value = append(value, b[from:i]...)
		}
	}
	return key, value, true
}
