package spans

import (
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
)

// OTLP decodes OTLP traces in protobuf: an ExportTraceServiceRequest or
// TracesData (opentelemetry-proto, trace/v1). One span is one sample.
//
// The event time is end_time_unix_nano: a span is known when it has ended, so it
// is its end that moves on with the topic. A span without one is rejected.
//
// The value "duration" is end − start in nanoseconds; when it is wanted, a span
// without a start or with its end before its start is rejected. Any other value
// is the attribute of that name: an integer, a double, or a string that spells a
// decimal number; anything else, NaN and infinities reject the span, and none or
// an empty one is absent.
//
// The labels "span.name", "span.kind" (UNSPECIFIED, INTERNAL, SERVER, CLIENT,
// PRODUCER, CONSUMER), "status.code" (UNSET, OK, ERROR), "scope.name" and
// "scope.version" are those fields. Any other label is the attribute of that
// name, of the span if it has one, else of its scope, else of its resource; an
// attribute that is there but empty still hides the ones further out. When none
// of the three has it and the name starts with "resource.", "scope." or "span.",
// it is the attribute of the rest of the name at that level alone:
// "resource.host.name" is host.name of the resource even where spans have one
// too. Values follow the same rule, so "span.duration" is an attribute called
// duration. Of attributes with the same key in one list the first counts.
//
// The label "peer" is what a client or producer span calls, by the first of the
// attributes in peerAttributes that it has: with "service.name" an edge of the graph of
// services. Other spans have none.
//
// Booleans are "true" and "false", integers decimal, doubles as ECMAScript
// writes them ("200", "0.5", "1e+21"), bytes base64, arrays and key-value lists
// JSON with sorted keys: the forms of the Collector's pdata. Grouping by arrays
// or lists is possible but slow.
//
// A fault in one span (fields that do not parse, a label that is not UTF-8, bad
// times) costs that span; one in a resource or scope costs the spans under it; a
// request, resource or scope whose list of spans cannot be found costs the
// record.
type OTLP struct {
	row      row
	envelope otlp.Envelope
}

// NewOTLP returns a decoder that keeps the columns of p.
func NewOTLP(p ingest.Projection) *OTLP {
	d := &OTLP{row: newRow(p), envelope: otlp.Envelope{Resource: "ResourceSpans", Scope: "ScopeSpans"}}
	d.envelope.Item = d.span
	return d
}

// Tags of Span and Status (opentelemetry/proto/trace/v1).
const (
	spanTraceTag      = 1<<3 | otlp.WireBytes
	spanNameTag       = 5<<3 | otlp.WireBytes
	spanKindTag       = 6<<3 | otlp.WireVarint
	spanStartTag      = 7<<3 | otlp.WireFixed64
	spanEndTag        = 8<<3 | otlp.WireFixed64
	spanAttributesTag = 9<<3 | otlp.WireBytes
	spanStatusTag     = 15<<3 | otlp.WireBytes

	statusCodeTag = 3<<3 | otlp.WireVarint
)

// Decode implements [ingest.Decoder].
func (d *OTLP) Decode(value []byte, b *ingest.Builder) error {
	void := d.row.begin(b)
	return d.envelope.Decode(value, &d.row.Row, b, void)
}

// span reads one Span and ends its row.
func (d *OTLP) span(m []byte, b *ingest.Builder) {
	d.row.Enter(otlp.SampleLevel)
	var s spanFields
	if !d.spanFields(m, &s) {
		d.row.Broken[otlp.SampleLevel] = true
	}
	d.row.append(&s, b)
}

// spanFields reads the fields of a span. Tags and lengths of one byte, which
// nearly all are, are read in place: this loop is most of the cost of a span.
func (d *OTLP) spanFields(m []byte, s *spanFields) bool {
	wanted := d.row.Wanted(otlp.SampleLevel)
	for i := 0; i < len(m); {
		t := uint64(m[i])
		if t == spanAttributesTag {
			if i = otlp.SkipAttributes(m, i, spanAttributesTag, wanted); i == len(m) {
				break
			}
			t = uint64(m[i])
		}
		if t < 0x80 {
			i++
		} else if t, i = otlp.Uvarint(m, i); i < 0 {
			return false
		}
		from := i + 1
		if t&7 == otlp.WireBytes {
			if from <= len(m) && m[i] < 0x80 && int(m[i]) <= len(m)-from {
				i = from + int(m[i])
			} else if from, i = otlp.Extent(m, i); i < 0 {
				return false
			}
		}
		if t == spanAttributesTag {
			d.row.ReadAttribute(otlp.SampleLevel, m[from:i])
			continue
		}
		switch t {
		case spanTraceTag:
			s.trace = m[from:i]
		case spanNameTag:
			s.name = m[from:i]
		case spanKindTag:
			var n uint64
			n, i = otlp.Uvarint(m, i)
			s.kind = int32(n)
		case spanStartTag:
			s.start, i = otlp.Fixed64(m, i)
		case spanEndTag:
			s.end, i = otlp.Fixed64(m, i)
		case spanStatusTag:
			if !status(m[from:i], s) {
				return false
			}
		default:
			switch {
			case !otlp.ValidTag(t):
				return false
			case t&7 != otlp.WireBytes:
				i = otlp.Skip(m, i, t)
			}
		}
		if i < 0 {
			return false
		}
	}
	return true
}

func status(m []byte, s *spanFields) bool {
	for i := 0; i < len(m); {
		var t, n uint64
		if t, i = otlp.Uvarint(m, i); i < 0 {
			return false
		}
		if t == statusCodeTag {
			n, i = otlp.Uvarint(m, i)
			s.status = int32(n)
		} else {
			i = otlp.Skip(m, i, t)
		}
		if i < 0 {
			return false
		}
	}
	return true
}
