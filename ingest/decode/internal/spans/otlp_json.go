package spans

import (
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
)

// OTLPJSON decodes OTLP traces in their JSON encoding
// (opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"): one TracesData
// object per record. It gives the same rows as [OTLP] does for the same
// spans.
//
// As the specification asks, names are lowerCamelCase (snake_case is read too),
// 64-bit integers may be strings or numbers, enums numbers or names, unknown
// fields are ignored, and null is absent. A record that is not JSON, or whose
// lists of spans are not where they should be, is rejected whole; a field of the
// wrong type in a span costs that span, in a resource or scope the spans under
// it. Of a resource or scope that is given twice the first counts.
type OTLPJSON struct {
	row   row
	json  otlp.EnvelopeJSON
	name  []byte
	trace [16]byte
}

// NewOTLPJSON returns a decoder that keeps the columns of p.
func NewOTLPJSON(p ingest.Projection) *OTLPJSON {
	d := &OTLPJSON{row: newRow(p)}
	d.json.Lists = [3][2]string{{"resourceSpans", "resource_spans"}, {"scopeSpans", "scope_spans"}, {"spans", "spans"}}
	d.json.Item = d.span
	return d
}

// Decode implements [ingest.Decoder].
func (d *OTLPJSON) Decode(value []byte, b *ingest.Builder) error {
	d.row.begin(b)
	return d.json.Decode(value, &d.row.Row, b)
}

// span reads one Span and ends its row.
func (d *OTLPJSON) span(b *ingest.Builder) error {
	d.row.Enter(otlp.SampleLevel)
	var s spanFields
	err := d.json.FieldsOf(&d.row.Row, otlp.SampleLevel, func(key []byte) (err error) {
		ok := true
		switch string(key) {
		case "name":
			d.name, ok, err = d.json.AppendString(d.name[:0])
			s.name = d.name
		case "traceId", "trace_id":
			if !d.row.examples {
				return d.json.Dec.Skip()
			}
			s.trace, err = d.json.TraceID(&d.trace)
		case "kind":
			s.kind, ok, err = d.json.Enum("SPAN_KIND_", d.row.kinds.Texts)
		case "startTimeUnixNano", "start_time_unix_nano":
			s.start, ok, err = d.json.Uint64()
		case "endTimeUnixNano", "end_time_unix_nano":
			s.end, ok, err = d.json.Uint64()
		case "attributes":
			err = d.json.Attributes(&d.row.Row, otlp.SampleLevel)
		case "status":
			err = d.status(&s)
		default:
			err = d.json.Dec.Skip()
		}
		return d.row.Check(otlp.SampleLevel, ok, err)
	})
	if err != nil {
		return err
	}
	d.row.append(&s, b)
	return nil
}

func (d *OTLPJSON) status(s *spanFields) error {
	return d.json.FieldsOf(&d.row.Row, otlp.SampleLevel, func(key []byte) error {
		if string(key) != "code" {
			return d.json.Dec.Skip()
		}
		code, ok, err := d.json.Enum("STATUS_CODE_", d.row.statuses.Texts)
		s.status = code
		return d.row.Check(otlp.SampleLevel, ok, err)
	})
}
