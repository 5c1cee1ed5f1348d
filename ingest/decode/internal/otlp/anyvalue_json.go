package otlp

import (
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/go-faster/jx"

	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// Any reads an AnyValue, whose text is kept until the next string is read.
func (j *JSON) Any(v *AnyValue) (ok bool, err error) { return j.any(v) }

// any reads an AnyValue; of several kinds of value in it the last counts.
func (j *JSON) any(v *AnyValue) (ok bool, err error) {
	all := true
	ok, err = j.Fields(func(key []byte) (err error) {
		if j.Dec.Next() == jx.Null {
			return j.Dec.Skip()
		}
		good := true
		switch string(key) {
		case "stringValue", "string_value":
			good, err = j.anyString(v, String)
		case "bytesValue", "bytes_value":
			good, err = j.anyString(v, Bytes)
		case "boolValue", "bool_value":
			good, err = j.anyBool(v)
		case "intValue", "int_value":
			good, err = j.anyNumber(v, Int)
		case "doubleValue", "double_value":
			good, err = j.anyNumber(v, Double)
		case "arrayValue", "array_value":
			good, err = j.anyTree(v, false)
		case "kvlistValue", "kvlist_value":
			good, err = j.anyTree(v, true)
		default:
			err = j.Dec.Skip()
		}
		all = all && good
		return err
	})
	return ok && all, err
}

// anyString reads a string, or bytes in base64.
func (j *JSON) anyString(v *AnyValue, kind Kind) (bool, error) {
	s, ok, err := j.String()
	if err != nil || !ok {
		return false, err
	}
	*v = AnyValue{Kind: kind, Bytes: s}
	if kind == Bytes {
		raw, bad := base64.StdEncoding.DecodeString(rows.Text(s))
		v.Bytes = raw
		ok = bad == nil
	}
	return ok, nil
}

func (j *JSON) anyBool(v *AnyValue) (bool, error) {
	if j.Dec.Next() != jx.Bool {
		return false, j.Dec.Skip()
	}
	set, err := j.Dec.Bool()
	*v = AnyValue{Kind: Bool}
	if set {
		v.Bits = 1
	}
	return true, err
}

// anyNumber reads an integer or a double, either of them a number or a string.
func (j *JSON) anyNumber(v *AnyValue, kind Kind) (bool, error) {
	s, ok, err := j.Scalar()
	if err != nil || !ok {
		return false, err
	}
	if kind == Int {
		n, bad := strconv.ParseInt(rows.Text(s), 10, 64)
		*v = AnyValue{Kind: Int, Bits: uint64(n)}
		return bad == nil, nil
	}
	f, ok := parseDouble(s)
	*v = AnyValue{Kind: Double, Bits: math.Float64bits(f)}
	return ok, nil
}

// parseDouble reads a double as protobuf's JSON has it.
func parseDouble(s []byte) (float64, bool) {
	switch string(s) {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	return rows.ParseNumber(s)
}

// anyTree reads an ArrayValue, or a KeyValueList when list is set.
func (j *JSON) anyTree(v *AnyValue, list bool) (ok bool, err error) {
	*v = AnyValue{Kind: Tree}
	array, entries := []any{}, map[string]any{}
	all := true
	ok, err = j.Fields(func(key []byte) error {
		if string(key) != "values" {
			return j.Dec.Skip()
		}
		if kind := j.Dec.Next(); kind != jx.Array {
			all = all && kind == jx.Null
			return j.Dec.Skip()
		}
		return j.Array(func() error {
			if list {
				good, err := j.entry(v, entries)
				all = all && good
				return err
			}
			var element AnyValue
			good, err := j.any(&element)
			array = append(array, v.element(&element))
			all = all && good
			return err
		})
	})
	v.Tree = array
	if list {
		v.Tree = entries
	}
	return ok && all, err
}

// entry reads a KeyValue of the list v.
func (j *JSON) entry(v *AnyValue, entries map[string]any) (ok bool, err error) {
	var name string
	var value any
	all := true
	ok, err = j.Fields(func(key []byte) error {
		switch string(key) {
		case "key":
			s, good, err := j.String()
			name, all = string(s), all && good
			return err
		case "value":
			var element AnyValue
			good, err := j.any(&element)
			value, all = v.element(&element), all && good
			return err
		}
		return j.Dec.Skip()
	})
	v.BadText = v.BadText || !utf8.ValidString(name)
	entries[name] = value
	return ok && all, err
}
