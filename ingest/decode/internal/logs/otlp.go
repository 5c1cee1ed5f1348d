package logs

import (
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
)

// OTLP decodes OTLP logs in protobuf: an ExportLogsServiceRequest or LogsData
// (opentelemetry-proto, logs/v1). One log record is one sample.
//
// The event time is time_unix_nano, or observed_time_unix_nano where that is absent.
//
// The label "severity" is TRACE, DEBUG, INFO, WARN, ERROR or FATAL by the severity
// number, or where that is absent by the severity text if it is one of the usual
// words; it is absent otherwise. "severity.text", "event.name", "scope.name" and
// "scope.version" are those fields, "body" is the body as text, and "body.x" the field
// x of a body that is a key-value list. Any other label is an attribute, of the log
// record ("log." as a prefix), else of its scope, else of its resource. The value
// "severity.number" is that field, "body.x" a field of the body, and any other value
// an attribute.
type OTLP struct {
	row      row
	envelope otlp.Envelope
}

// NewOTLP returns a decoder that keeps the columns of p.
func NewOTLP(p ingest.Projection) *OTLP {
	d := &OTLP{row: newRow(p), envelope: otlp.Envelope{Resource: "ResourceLogs", Scope: "ScopeLogs"}}
	d.envelope.Item = d.record
	return d
}

// Tags of LogRecord (opentelemetry/proto/logs/v1).
const (
	timeTag           = 1<<3 | otlp.WireFixed64
	severityNumberTag = 2<<3 | otlp.WireVarint
	severityTextTag   = 3<<3 | otlp.WireBytes
	bodyTag           = 5<<3 | otlp.WireBytes
	attributesTag     = 6<<3 | otlp.WireBytes
	traceTag          = 9<<3 | otlp.WireBytes
	observedTimeTag   = 11<<3 | otlp.WireFixed64
	eventNameTag      = 12<<3 | otlp.WireBytes
)

// Decode implements [ingest.Decoder].
func (d *OTLP) Decode(value []byte, b *ingest.Builder) error {
	void := d.row.begin(b)
	return d.envelope.Decode(value, &d.row.Row, b, void)
}

// record reads one LogRecord and ends its row.
func (d *OTLP) record(m []byte, b *ingest.Builder) {
	d.row.Enter(otlp.SampleLevel)
	var f fields
	var body []byte
	wanted := d.row.Wanted(otlp.SampleLevel)
	for i := 0; i < len(m); {
		if m[i] == attributesTag {
			if i = otlp.SkipAttributes(m, i, attributesTag, wanted); i == len(m) {
				break
			}
		}
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			d.row.Broken[otlp.SampleLevel] = true
			break
		}
		switch t {
		case attributesTag:
			d.row.ReadAttribute(otlp.SampleLevel, m[from:i])
		case timeTag:
			f.at, _ = otlp.Fixed64(m, from)
		case observedTimeTag:
			f.observed, _ = otlp.Fixed64(m, from)
		case severityNumberTag:
			n, _ := otlp.Uvarint(m, from)
			f.severity = int32(n)
		case severityTextTag:
			f.text = m[from:i]
		case eventNameTag:
			f.eventName = m[from:i]
		case traceTag:
			f.trace = m[from:i]
		case bodyTag:
			if body == nil {
				body = m[from:i:i]
			} else { // parts of one message merge as their bytes joined do
				body = append(body, m[from:i]...)
			}
		}
	}
	if d.row.wantsBody() || d.row.showsBody(&f) {
		var ok bool
		if f.body, ok = otlp.ReadAny(body); !ok && d.row.wantsBody() {
			d.row.Broken[otlp.SampleLevel] = true
		}
	}
	d.row.end(&f, b)
}
