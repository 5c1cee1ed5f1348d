package decode

import (
	"errors"
	"io"
	"strconv"

	"github.com/go-faster/jx"

	"github.com/flyball-io/flyball/ingest"
)

// OTLPSpansJSON decodes OTLP traces in their JSON encoding
// (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"): one TracesData
// object per record. It gives the same rows as [OTLPSpans] does for the same
// spans.
//
// As the specification asks, names are lowerCamelCase (snake_case is read too),
// 64-bit integers may be strings or numbers, enums numbers or names, unknown
// fields are ignored, and null is absent. A record that is not JSON, or whose
// lists of spans are not where they should be, is rejected whole; a field of the
// wrong type in a span costs that span, in a resource or scope the spans under
// it. Of a resource or scope that is given twice the first counts.
type OTLPSpansJSON struct {
	row     spanRow
	dec     jx.Decoder
	scratch []byte
	name    []byte
}

// NewOTLPSpansJSON returns a decoder that keeps the columns of p.
func NewOTLPSpansJSON(p ingest.Projection) *OTLPSpansJSON {
	return &OTLPSpansJSON{row: newSpanRow(p)}
}

var errShape = errors.New("it is not OTLP: a list of objects is something else")

// Decode implements [ingest.Decoder].
func (d *OTLPSpansJSON) Decode(value []byte, b *ingest.Builder) error {
	start := b.Len()
	d.row.begin(b)
	d.dec.ResetBytes(value)
	defer d.dec.ResetBytes(nil)
	if d.dec.Next() != jx.Object {
		return malformed(b, start, "the record is not a JSON object")
	}
	err := d.object(func(key []byte) error {
		switch string(key) {
		case "resourceSpans", "resource_spans":
			return d.array(func() error { return d.resourceSpans(b) })
		}
		return d.dec.Skip()
	})
	if err == nil {
		if err = d.dec.Skip(); err == io.EOF {
			return d.row.err()
		}
		err = errors.New("more follows the object")
	}
	return malformed(b, start, "cannot read the JSON: "+err.Error())
}

// object calls f for every key of the object at hand; f reads the value.
func (d *OTLPSpansJSON) object(f func(key []byte) error) error {
	it, err := d.dec.ObjIter()
	if err != nil {
		return err
	}
	for it.Next() {
		if err := f(it.Key()); err != nil {
			return err
		}
	}
	return it.Err()
}

// array calls f for every element of the array at hand; null is an empty one.
func (d *OTLPSpansJSON) array(f func() error) error {
	if d.dec.Next() != jx.Array {
		return d.notObject()
	}
	it, err := d.dec.ArrIter()
	if err != nil {
		return err
	}
	for it.Next() {
		if err := f(); err != nil {
			return err
		}
	}
	return it.Err()
}

// notObject steps over what should be an object or a list of them; null is an
// empty one, and a fault in the syntax goes before one in the shape.
func (d *OTLPSpansJSON) notObject() error {
	null := d.dec.Next() == jx.Null
	if err := d.dec.Skip(); err != nil || null {
		return err
	}
	return errShape
}

// errFound ends a search.
var errFound = errors.New("found")

// find reads the first value of key in the object at hand with f, and then goes
// back to the start of the object: a resource or scope may come after its spans.
func (d *OTLPSpansJSON) find(key string, f func() error) error {
	mark := d.dec
	err := d.object(func(k []byte) error {
		if string(k) != key {
			return d.dec.Skip()
		}
		if err := f(); err != nil {
			return err
		}
		return errFound
	})
	if err == nil || err == errFound {
		d.dec = mark
		return nil
	}
	return err
}

func (d *OTLPSpansJSON) resourceSpans(b *ingest.Builder) error {
	if d.dec.Next() != jx.Object {
		return d.notObject()
	}
	d.row.enter(resourceLevel)
	if err := d.find("resource", d.resource); err != nil {
		return err
	}
	return d.object(func(key []byte) error {
		switch string(key) {
		case "scopeSpans", "scope_spans":
			return d.array(func() error { return d.scopeSpans(b) })
		}
		return d.dec.Skip()
	})
}

func (d *OTLPSpansJSON) scopeSpans(b *ingest.Builder) error {
	if d.dec.Next() != jx.Object {
		return d.notObject()
	}
	d.row.enter(scopeLevel)
	if err := d.find("scope", d.scope); err != nil {
		return err
	}
	return d.object(func(key []byte) error {
		if string(key) == "spans" {
			return d.array(func() error { return d.span(b) })
		}
		return d.dec.Skip()
	})
}

// fields reads an object of a level with f; null is an empty one, and anything
// else a fault of the level.
func (d *OTLPSpansJSON) fields(l level, f func(key []byte) error) error {
	switch d.dec.Next() {
	case jx.Object:
		return d.object(f)
	case jx.Null:
	default:
		d.row.broken[l] = true
	}
	return d.dec.Skip()
}

func (d *OTLPSpansJSON) resource() error {
	return d.fields(resourceLevel, func(key []byte) error {
		if string(key) == "attributes" {
			return d.attributes(resourceLevel)
		}
		return d.dec.Skip()
	})
}

func (d *OTLPSpansJSON) scope() error {
	return d.fields(scopeLevel, func(key []byte) (err error) {
		switch string(key) {
		case "name":
			d.scratch, err = d.str(scopeLevel, d.scratch[:0])
			d.row.setField(scopeLevel, d.row.column.scopeName, d.scratch)
		case "version":
			d.scratch, err = d.str(scopeLevel, d.scratch[:0])
			d.row.setField(scopeLevel, d.row.column.scopeVersion, d.scratch)
		case "attributes":
			err = d.attributes(scopeLevel)
		default:
			err = d.dec.Skip()
		}
		return err
	})
}

// span reads one Span and ends its row.
func (d *OTLPSpansJSON) span(b *ingest.Builder) error {
	d.row.enter(spanLevel)
	var s spanFields
	err := d.fields(spanLevel, func(key []byte) (err error) {
		switch string(key) {
		case "name":
			d.name, err = d.str(spanLevel, d.name[:0])
			s.name = d.name
		case "kind":
			s.kind, err = d.enum("SPAN_KIND_", d.row.kinds.texts)
		case "startTimeUnixNano", "start_time_unix_nano":
			s.start, err = d.time()
		case "endTimeUnixNano", "end_time_unix_nano":
			s.end, err = d.time()
		case "attributes":
			err = d.attributes(spanLevel)
		case "status":
			err = d.status(&s)
		default:
			err = d.dec.Skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	d.row.append(&s, b)
	return nil
}

func (d *OTLPSpansJSON) status(s *spanFields) error {
	return d.fields(spanLevel, func(key []byte) (err error) {
		if string(key) == "code" {
			s.status, err = d.enum("STATUS_CODE_", d.row.statuses.texts)
			return err
		}
		return d.dec.Skip()
	})
}

// str appends the string at hand to dst; anything but null else is a fault.
func (d *OTLPSpansJSON) str(l level, dst []byte) ([]byte, error) {
	switch d.dec.Next() {
	case jx.String:
		return d.dec.StrAppend(dst)
	case jx.Null:
	default:
		d.row.broken[l] = true
	}
	return dst, d.dec.Skip()
}

// scalar returns the text of the string or number at hand; ok is false for
// anything else, which is a fault of the level unless it is null.
func (d *OTLPSpansJSON) scalar(l level) (s []byte, ok bool, err error) {
	switch d.dec.Next() {
	case jx.String:
		d.scratch, err = d.dec.StrAppend(d.scratch[:0])
		return d.scratch, true, err
	case jx.Number:
		s, err = d.dec.Raw()
		return s, true, err
	case jx.Null:
	default:
		d.row.broken[l] = true
	}
	return nil, false, d.dec.Skip()
}

// time reads nanoseconds since the epoch.
func (d *OTLPSpansJSON) time() (uint64, error) {
	s, ok, err := d.scalar(spanLevel)
	if !ok || err != nil {
		return 0, err
	}
	n, bad := strconv.ParseUint(text(s), 10, 64)
	if bad != nil {
		d.row.broken[spanLevel] = true
	}
	return n, nil
}

// enum reads the number of an enum, or its name: prefix and one of the texts.
func (d *OTLPSpansJSON) enum(prefix string, texts []string) (int32, error) {
	s, ok, err := d.scalar(spanLevel)
	if !ok || err != nil {
		return 0, err
	}
	if n, bad := strconv.ParseInt(text(s), 10, 32); bad == nil {
		return int32(n), nil
	}
	for n, name := range texts {
		if len(s) == len(prefix)+len(name) && string(s[:len(prefix)]) == prefix && string(s[len(prefix):]) == name {
			return int32(n), nil
		}
	}
	d.row.broken[spanLevel] = true
	return 0, nil
}

// attributes reads a list of KeyValue.
func (d *OTLPSpansJSON) attributes(l level) error {
	switch d.dec.Next() {
	case jx.Array, jx.Null:
		return d.array(func() error { return d.attribute(l) })
	}
	d.row.broken[l] = true
	return d.dec.Skip()
}

// attribute reads one KeyValue, its value only when the key is wanted. The value
// may come before the key: then it is gone back to.
func (d *OTLPSpansJSON) attribute(l level) error {
	n, known, read := -1, false, false
	var before jx.Decoder // at the value, when it came first
	valueFirst := false
	err := d.fields(l, func(key []byte) (err error) {
		switch {
		case string(key) == "key":
			d.scratch, err = d.str(l, d.scratch[:0])
			n, known = d.row.wanted[l].keys.find(d.scratch), true
			return err
		case string(key) == "value" && n >= 0:
			read = true
			return d.value(l, n)
		case string(key) == "value" && !known:
			before, valueFirst = d.dec, true
		}
		return d.dec.Skip()
	})
	switch {
	case err != nil || n < 0 || read:
		return err
	case !valueFirst:
		d.row.attribute(l, n, &anyValue{}, noFault)
		return nil
	}
	after := d.dec
	d.dec = before
	err = d.value(l, n)
	d.dec = after
	return err
}

// value reads the AnyValue of a wanted key.
func (d *OTLPSpansJSON) value(l level, key int) error {
	var v anyValue
	ok, err := d.any(&v)
	if err != nil {
		return err
	}
	if !ok {
		d.row.broken[l] = true
		return nil
	}
	f := noFault
	if !validTree(v.tree) {
		f = faultUTF8
	}
	d.row.attribute(l, key, &v, f)
	return nil
}

// any reads an AnyValue; ok is false when a part of it has the wrong type.
func (d *OTLPSpansJSON) any(v *anyValue) (ok bool, err error) {
	ok = true
	switch d.dec.Next() {
	case jx.Object:
	case jx.Null:
		return true, d.dec.Skip()
	default:
		return false, d.dec.Skip()
	}
	err = d.object(func(key []byte) (err error) {
		if d.dec.Next() == jx.Null {
			return d.dec.Skip()
		}
		good := true
		switch string(key) {
		case "stringValue", "string_value":
			good, err = d.anyString(v)
		case "boolValue", "bool_value":
			good, err = d.anyBool(v)
		case "intValue", "int_value", "doubleValue", "double_value":
			good, err = d.anyNumber(v, key[0] == 'i')
		case "bytesValue", "bytes_value":
			good, err = d.anyBytes(v)
		case "arrayValue", "array_value":
			good, err = d.anyTree(v, false)
		case "kvlistValue", "kvlist_value":
			good, err = d.anyTree(v, true)
		default:
			err = d.dec.Skip()
		}
		ok = ok && good
		return err
	})
	return ok, err
}
