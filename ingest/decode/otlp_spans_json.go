package decode

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-faster/jx"

	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
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
	row  spanRow
	json otlp.JSON
	name []byte
}

// NewOTLPSpansJSON returns a decoder that keeps the columns of p.
func NewOTLPSpansJSON(p ingest.Projection) *OTLPSpansJSON {
	return &OTLPSpansJSON{row: newSpanRow(p)}
}

// Decode implements [ingest.Decoder].
func (d *OTLPSpansJSON) Decode(value []byte, b *ingest.Builder) error {
	start := b.Len()
	d.row.begin(b)
	dec := &d.json.Dec
	dec.ResetBytes(value)
	defer dec.ResetBytes(nil)
	if dec.Next() != jx.Object {
		return rows.Malformed(b, start, "the record is not a JSON object")
	}
	err := d.json.Object(func(key []byte) error {
		switch string(key) {
		case "resourceSpans", "resource_spans":
			return d.json.Array(func() error { return d.resourceSpans(b) })
		}
		return dec.Skip()
	})
	if err == nil {
		if err = dec.Skip(); err == io.EOF {
			return d.row.Err()
		}
		err = errors.New("more follows the object")
	}
	return rows.Malformed(b, start, "cannot read the JSON: "+err.Error())
}

func (d *OTLPSpansJSON) resourceSpans(b *ingest.Builder) error {
	if d.json.Dec.Next() != jx.Object {
		return d.json.NotObject()
	}
	d.row.enter(resourceLevel)
	if err := d.json.Find("resource", d.resource); err != nil {
		return err
	}
	return d.json.Object(func(key []byte) error {
		switch string(key) {
		case "scopeSpans", "scope_spans":
			return d.json.Array(func() error { return d.scopeSpans(b) })
		}
		return d.json.Dec.Skip()
	})
}

func (d *OTLPSpansJSON) scopeSpans(b *ingest.Builder) error {
	if d.json.Dec.Next() != jx.Object {
		return d.json.NotObject()
	}
	d.row.enter(scopeLevel)
	if err := d.json.Find("scope", d.scope); err != nil {
		return err
	}
	return d.json.Object(func(key []byte) error {
		if string(key) == "spans" {
			return d.json.Array(func() error { return d.span(b) })
		}
		return d.json.Dec.Skip()
	})
}

// check notes a fault of a level unless ok, and hands err on.
func (d *OTLPSpansJSON) check(l level, ok bool, err error) error {
	if !ok {
		d.row.broken[l] = true
	}
	return err
}

// fields reads an object of a level with f; what is no object is a fault of it.
func (d *OTLPSpansJSON) fields(l level, f func(key []byte) error) error {
	ok, err := d.json.Fields(f)
	return d.check(l, ok, err)
}

func (d *OTLPSpansJSON) resource() error {
	return d.fields(resourceLevel, func(key []byte) error {
		if string(key) == "attributes" {
			return d.attributes(resourceLevel)
		}
		return d.json.Dec.Skip()
	})
}

func (d *OTLPSpansJSON) scope() error {
	return d.fields(scopeLevel, func(key []byte) error {
		switch string(key) {
		case "name":
			return d.scopeField(d.row.column.scopeName)
		case "version":
			return d.scopeField(d.row.column.scopeVersion)
		case "attributes":
			return d.attributes(scopeLevel)
		}
		return d.json.Dec.Skip()
	})
}

func (d *OTLPSpansJSON) scopeField(column int) error {
	s, ok, err := d.json.String()
	if ok && err == nil {
		d.row.setField(scopeLevel, column, s)
	}
	return d.check(scopeLevel, ok, err)
}

// span reads one Span and ends its row.
func (d *OTLPSpansJSON) span(b *ingest.Builder) error {
	d.row.enter(spanLevel)
	var s spanFields
	err := d.fields(spanLevel, func(key []byte) (err error) {
		ok := true
		switch string(key) {
		case "name":
			d.name, ok, err = d.json.AppendString(d.name[:0])
			s.name = d.name
		case "kind":
			s.kind, ok, err = d.enum("SPAN_KIND_", &d.row.kinds)
		case "startTimeUnixNano", "start_time_unix_nano":
			s.start, ok, err = d.time()
		case "endTimeUnixNano", "end_time_unix_nano":
			s.end, ok, err = d.time()
		case "attributes":
			err = d.attributes(spanLevel)
		case "status":
			err = d.status(&s)
		default:
			err = d.json.Dec.Skip()
		}
		return d.check(spanLevel, ok, err)
	})
	if err != nil {
		return err
	}
	d.row.append(&s, b)
	return nil
}

func (d *OTLPSpansJSON) status(s *spanFields) error {
	return d.fields(spanLevel, func(key []byte) error {
		if string(key) != "code" {
			return d.json.Dec.Skip()
		}
		code, ok, err := d.enum("STATUS_CODE_", &d.row.statuses)
		s.status = code
		return d.check(spanLevel, ok, err)
	})
}

// time reads nanoseconds since the epoch.
func (d *OTLPSpansJSON) time() (t uint64, ok bool, err error) {
	s, ok, err := d.json.Scalar()
	if !ok || err != nil || s == nil {
		return 0, ok, err
	}
	t, bad := strconv.ParseUint(rows.Text(s), 10, 64)
	return t, bad == nil, nil
}

// enum reads the number of an enum, or its name: prefix and one of the texts.
func (d *OTLPSpansJSON) enum(prefix string, e *rows.Enum) (n int32, ok bool, err error) {
	s, ok, err := d.json.Scalar()
	if !ok || err != nil || s == nil {
		return 0, ok, err
	}
	if n, bad := strconv.ParseInt(rows.Text(s), 10, 32); bad == nil {
		return int32(n), true, nil
	}
	name, ok := strings.CutPrefix(rows.Text(s), prefix)
	n = int32(slices.Index(e.Texts, name))
	return max(n, 0), ok && n >= 0, nil
}

// attributes reads a list of KeyValue of a level.
func (d *OTLPSpansJSON) attributes(l level) error {
	if kind := d.json.Dec.Next(); kind != jx.Array {
		return d.check(l, kind == jx.Null, d.json.Dec.Skip())
	}
	return d.json.Array(func() error {
		ok, err := d.json.KeyValue(d.row.wanted[l].keys.Find,
			func(n int, v *otlp.AnyValue) { d.row.attribute(l, n, v) })
		return d.check(l, ok, err)
	})
}
