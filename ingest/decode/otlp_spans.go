package decode

import (
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// OTLPSpans decodes OTLP traces in protobuf: an ExportTraceServiceRequest or
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
// Booleans are "true" and "false", integers decimal, doubles as ECMAScript
// writes them ("200", "0.5", "1e+21"), bytes base64, arrays and key-value lists
// JSON with sorted keys: the forms of the Collector's pdata. Grouping by arrays
// or lists is possible but slow.
//
// A fault in one span (fields that do not parse, a label that is not UTF-8, bad
// times) costs that span; one in a resource or scope costs the spans under it; a
// request, resource or scope whose list of spans cannot be found costs the
// record.
type OTLPSpans struct {
	row  spanRow
	memo resourceMemo
	// scopes are where the ScopeSpans of the ResourceSpans at hand are.
	scopes []extent
}

// extent is a part of a message.
type extent struct{ from, to int }

// NewOTLPSpans returns a decoder that keeps the columns of p.
func NewOTLPSpans(p ingest.Projection) *OTLPSpans {
	return &OTLPSpans{row: newSpanRow(p)}
}

// Tags of TracesData, ResourceSpans, ScopeSpans, Resource, InstrumentationScope,
// Span and Status (opentelemetry/proto/trace/v1, resource/v1, common/v1).
const (
	resourceSpansTag = 1<<3 | otlp.WireBytes

	resourceTag   = 1<<3 | otlp.WireBytes
	scopeSpansTag = 2<<3 | otlp.WireBytes

	scopeTag = 1<<3 | otlp.WireBytes
	spansTag = 2<<3 | otlp.WireBytes

	resourceAttributesTag = 1<<3 | otlp.WireBytes

	scopeNameTag       = 1<<3 | otlp.WireBytes
	scopeVersionTag    = 2<<3 | otlp.WireBytes
	scopeAttributesTag = 3<<3 | otlp.WireBytes

	spanNameTag       = 5<<3 | otlp.WireBytes
	spanKindTag       = 6<<3 | otlp.WireVarint
	spanStartTag      = 7<<3 | otlp.WireFixed64
	spanEndTag        = 8<<3 | otlp.WireFixed64
	spanAttributesTag = 9<<3 | otlp.WireBytes
	spanStatusTag     = 15<<3 | otlp.WireBytes

	statusCodeTag = 3<<3 | otlp.WireVarint
)

// Decode implements [ingest.Decoder].
func (d *OTLPSpans) Decode(value []byte, b *ingest.Builder) error {
	start := b.Len()
	if d.row.begin(b) {
		d.memo.forget()
	}
	for i := 0; i < len(value); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(value, i); i < 0 {
			return rows.Malformed(b, start, "the fields of the request do not parse")
		}
		if t == resourceSpansTag && !d.resourceSpans(value[from:i], b) {
			return rows.Malformed(b, start, "the fields of a ResourceSpans or ScopeSpans do not parse")
		}
	}
	return d.row.Err()
}

// resourceSpans reads one ResourceSpans. The resource may come after the spans
// or in parts, so that the spans wait until all of it was seen.
func (d *OTLPSpans) resourceSpans(m []byte, b *ingest.Builder) bool {
	d.row.enter(resourceLevel)
	d.scopes = d.scopes[:0]
	whole := true // no part of the resource was seen yet
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			return false
		}
		switch t {
		case resourceTag:
			if !whole || !d.memo.recall(m[from:i], &d.row) {
				if !d.resource(m[from:i]) {
					d.row.broken[resourceLevel] = true
				}
				if whole {
					d.memo.keep(m[from:i], &d.row)
				}
			}
			whole = false
		case scopeSpansTag:
			d.scopes = append(d.scopes, extent{from, i})
		}
	}
	for _, s := range d.scopes {
		if !d.scopeSpans(m[s.from:s.to], b) {
			return false
		}
	}
	return true
}

func (d *OTLPSpans) resource(m []byte) bool {
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			return false
		}
		if t == resourceAttributesTag {
			d.attribute(resourceLevel, m[from:i])
		}
	}
	return true
}

// scopeSpans reads one ScopeSpans. Its spans are read as they come, because
// exporters write the scope first; when some of it turns up after a span, it
// starts again.
func (d *OTLPSpans) scopeSpans(m []byte, b *ingest.Builder) bool {
	d.row.enter(scopeLevel)
	mark, spans := d.row.Mark(b), false
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			return false
		}
		switch t {
		case spansTag:
			spans = true
			d.span(m[from:i], b)
		case scopeTag:
			if spans {
				d.row.TakeBack(b, mark)
				return d.scopeLast(m, b)
			}
			if !d.scope(m[from:i]) {
				d.row.broken[scopeLevel] = true
			}
		}
	}
	return true
}

// scopeLast reads one ScopeSpans, all of the scope before any span.
func (d *OTLPSpans) scopeLast(m []byte, b *ingest.Builder) bool {
	d.row.enter(scopeLevel)
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			return false
		}
		if t == scopeTag && !d.scope(m[from:i]) {
			d.row.broken[scopeLevel] = true
		}
	}
	for i := 0; i < len(m); {
		t, from, to := otlp.NextField(m, i)
		if t == spansTag {
			d.span(m[from:to], b)
		}
		i = to
	}
	return true
}

func (d *OTLPSpans) scope(m []byte) bool {
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			return false
		}
		switch t {
		case scopeNameTag:
			d.row.setField(scopeLevel, d.row.column.scopeName, m[from:i])
		case scopeVersionTag:
			d.row.setField(scopeLevel, d.row.column.scopeVersion, m[from:i])
		case scopeAttributesTag:
			d.attribute(scopeLevel, m[from:i])
		}
	}
	return true
}

// span reads one Span and ends its row.
func (d *OTLPSpans) span(m []byte, b *ingest.Builder) {
	d.row.enter(spanLevel)
	var s spanFields
	if !d.spanFields(m, &s) {
		d.row.broken[spanLevel] = true
	}
	d.row.append(&s, b)
}

// spanFields reads the fields of a span. Tags and lengths of one byte, which
// nearly all are, are read in place: this loop is most of the cost of a span.
func (d *OTLPSpans) spanFields(m []byte, s *spanFields) bool {
	wanted := &d.row.wanted[spanLevel].keys
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
			d.attribute(spanLevel, m[from:i])
			continue
		}
		switch t {
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

// attribute reads one KeyValue of a level, its value only when the key is wanted.
func (d *OTLPSpans) attribute(l level, m []byte) {
	var key, value []byte
	if k := otlp.CutKeyValue(m); k > 0 {
		key, value = m[2:k], m[k+2:]
	} else {
		var ok bool
		if key, value, ok = otlp.ReadKeyValue(m); !ok {
			d.row.broken[l] = true
			return
		}
	}
	n := d.row.wanted[l].keys.Find(key)
	if n < 0 {
		return
	}
	if len(value) >= 2 && value[0] == otlp.StringTag && value[1] < 0x80 && int(value[1]) == len(value)-2 {
		d.row.text(l, n, value[2:])
		return
	}
	v, ok := otlp.ReadAny(value)
	if !ok {
		d.row.broken[l] = true
		return
	}
	d.row.attribute(l, n, &v)
}
