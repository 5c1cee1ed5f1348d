package logs

import (
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
)

// OTLPJSON decodes OTLP logs in their JSON encoding: one LogsData object per record.
// It gives the same rows as [OTLP] does for the same log records, and reads JSON as the
// decoder of spans does.
type OTLPJSON struct {
	row        row
	json       otlp.EnvelopeJSON
	text, name []byte
	body       []byte
	trace      [16]byte
}

// NewOTLPJSON returns a decoder that keeps the columns of p.
func NewOTLPJSON(p ingest.Projection) *OTLPJSON {
	d := &OTLPJSON{row: newRow(p)}
	d.json.Lists = [3][2]string{{"resourceLogs", "resource_logs"}, {"scopeLogs", "scope_logs"}, {"logRecords", "log_records"}}
	d.json.Item = d.record
	return d
}

// Decode implements [ingest.Decoder].
func (d *OTLPJSON) Decode(value []byte, b *ingest.Builder) error {
	d.row.begin(b)
	return d.json.Decode(value, &d.row.Row, b)
}

// severityNames are the names of SeverityNumber, without their prefix.
var severityNames = []string{"UNSPECIFIED",
	"TRACE", "TRACE2", "TRACE3", "TRACE4", "DEBUG", "DEBUG2", "DEBUG3", "DEBUG4", "INFO", "INFO2", "INFO3", "INFO4",
	"WARN", "WARN2", "WARN3", "WARN4", "ERROR", "ERROR2", "ERROR3", "ERROR4", "FATAL", "FATAL2", "FATAL3", "FATAL4"}

// record reads one LogRecord and ends its row.
func (d *OTLPJSON) record(b *ingest.Builder) error {
	d.row.Enter(otlp.SampleLevel)
	var f fields
	err := d.json.FieldsOf(&d.row.Row, otlp.SampleLevel, func(key []byte) (err error) {
		ok := true
		switch string(key) {
		case "timeUnixNano", "time_unix_nano":
			f.at, ok, err = d.json.Uint64()
		case "observedTimeUnixNano", "observed_time_unix_nano":
			f.observed, ok, err = d.json.Uint64()
		case "severityNumber", "severity_number":
			f.severity, ok, err = d.json.Enum("SEVERITY_NUMBER_", severityNames)
		case "severityText", "severity_text":
			d.text, ok, err = d.json.AppendString(d.text[:0])
			f.text = d.text
		case "eventName", "event_name":
			d.name, ok, err = d.json.AppendString(d.name[:0])
			f.eventName = d.name
		case "body":
			if !d.row.wantsBody() && !d.row.examples { // whether it is an error may come later
				return d.json.Dec.Skip()
			}
			ok, err = d.json.Any(&f.body)
			d.body = append(d.body[:0], f.body.Bytes...) // the next string takes its place
			f.body.Bytes = d.body
			ok = ok || !d.row.wantsBody() // what is only shown costs nothing
		case "traceId", "trace_id":
			if !d.row.examples {
				return d.json.Dec.Skip()
			}
			f.trace, err = d.json.TraceID(&d.trace)
		case "attributes":
			err = d.json.Attributes(&d.row.Row, otlp.SampleLevel)
		default:
			err = d.json.Dec.Skip()
		}
		return d.row.Check(otlp.SampleLevel, ok, err)
	})
	if err != nil {
		return err
	}
	d.row.end(&f, b)
	return nil
}
