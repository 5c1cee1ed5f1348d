package decode

import (
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/go-faster/jx"
)

// The parts of an AnyValue in JSON. Each reads the value at hand; its result is
// false when that has the wrong type, its error one of the syntax.

func (d *OTLPSpansJSON) anyString(v *anyValue) (bool, error) {
	if d.dec.Next() != jx.String {
		return false, d.dec.Skip()
	}
	var err error
	d.scratch, err = d.dec.StrAppend(d.scratch[:0])
	*v = anyValue{kind: anyString, bytes: d.scratch}
	return true, err
}

func (d *OTLPSpansJSON) anyBool(v *anyValue) (bool, error) {
	if d.dec.Next() != jx.Bool {
		return false, d.dec.Skip()
	}
	set, err := d.dec.Bool()
	*v = anyValue{kind: anyBool}
	if set {
		v.bits = 1
	}
	return true, err
}

// anyNumber reads an integer or a double, either of them a number or a string.
func (d *OTLPSpansJSON) anyNumber(v *anyValue, integer bool) (bool, error) {
	var s []byte
	var err error
	switch d.dec.Next() {
	case jx.String:
		d.scratch, err = d.dec.StrAppend(d.scratch[:0])
		s = d.scratch
	case jx.Number:
		s, err = d.dec.Raw()
	default:
		return false, d.dec.Skip()
	}
	if err != nil {
		return false, err
	}
	if integer {
		n, bad := strconv.ParseInt(text(s), 10, 64)
		*v = anyValue{kind: anyInt, bits: uint64(n)}
		return bad == nil, nil
	}
	f, ok := parseDouble(s)
	*v = anyValue{kind: anyDouble, bits: math.Float64bits(f)}
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
	return parseNumber(s)
}

func (d *OTLPSpansJSON) anyBytes(v *anyValue) (bool, error) {
	if d.dec.Next() != jx.String {
		return false, d.dec.Skip()
	}
	var err error
	d.scratch, err = d.dec.StrAppend(d.scratch[:0])
	if err != nil {
		return false, err
	}
	raw, bad := base64.StdEncoding.DecodeString(text(d.scratch))
	*v = anyValue{kind: anyBytes, bytes: raw}
	return bad == nil, nil
}

// anyTree reads an ArrayValue, or a KeyValueList when list is set.
func (d *OTLPSpansJSON) anyTree(v *anyValue, list bool) (ok bool, err error) {
	if d.dec.Next() != jx.Object {
		return false, d.dec.Skip()
	}
	ok = true
	array, entries := []any{}, map[string]any{}
	err = d.object(func(key []byte) error {
		if string(key) != "values" {
			return d.dec.Skip()
		}
		if kind := d.dec.Next(); kind != jx.Array {
			ok = ok && kind == jx.Null
			return d.dec.Skip()
		}
		return d.array(func() error {
			var element anyValue
			if list {
				name, good, err := d.entry(&element)
				entries[name] = element.raw()
				ok = ok && good
				return err
			}
			good, err := d.any(&element)
			array = append(array, element.raw())
			ok = ok && good
			return err
		})
	})
	*v = anyValue{kind: anyTree, tree: array}
	if list {
		v.tree = entries
	}
	return ok, err
}

// entry reads a KeyValue of a KeyValueList.
func (d *OTLPSpansJSON) entry(v *anyValue) (name string, ok bool, err error) {
	switch d.dec.Next() {
	case jx.Object:
	case jx.Null:
		return "", true, d.dec.Skip()
	default:
		return "", false, d.dec.Skip()
	}
	ok = true
	var value any
	err = d.object(func(key []byte) (err error) {
		good := true
		switch string(key) {
		case "key":
			if d.dec.Next() == jx.String {
				name, err = d.dec.Str()
				return err
			}
			ok = ok && d.dec.Next() == jx.Null
			return d.dec.Skip()
		case "value":
			good, err = d.any(v)
			value = v.raw() // the scratch is used again
		default:
			err = d.dec.Skip()
		}
		ok = ok && good
		return err
	})
	*v = anyValue{kind: anyTree, tree: value}
	return name, ok, err
}

// validTree reports whether all strings in an array or list are valid UTF-8.
func validTree(tree any) bool {
	switch v := tree.(type) {
	case string:
		return utf8.ValidString(v)
	case []any:
		for _, element := range v {
			if !validTree(element) {
				return false
			}
		}
	case map[string]any:
		for key, element := range v {
			if !utf8.ValidString(key) || !validTree(element) {
				return false
			}
		}
	}
	return true
}
