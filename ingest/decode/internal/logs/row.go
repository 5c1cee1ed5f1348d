// Package logs decodes OTLP logs.
package logs

import (
	"math"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// row builds the rows of log records, whatever the encoding they came in.
type row struct {
	otlp.Row
	column     columns
	severities rows.Enum
	body       []bodyField
	scratch    []byte
	examples   bool // texts of errors are wanted
}

// columns holds the column of each field that is not an attribute, or -1.
type columns struct {
	severity, severityText, eventName, body, severityNumber int
}

// bodyField is a column that a field of a structured body feeds.
type bodyField struct {
	key    string
	column int
	value  bool // a numeric column, not a label
}

// bodyPrefix is that of fields of a body.
const bodyPrefix = "body."

func newRow(p ingest.Projection) row {
	fields := otlp.Fields{Prefix: "log.", Labels: []string{"severity", "severity.text", "event.name", "body"}, Values: []string{"severity.number"}}
	r := row{
		column: columns{
			severity: p.Label("severity"), severityText: p.Label("severity.text"), eventName: p.Label("event.name"),
			body: p.Label("body"), severityNumber: p.Value("severity.number"),
		},
		examples:   p.Examples,
		severities: rows.Enum{Texts: []string{"", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}},
	}
	for c, name := range p.Labels {
		if key, ok := strings.CutPrefix(name, bodyPrefix); ok && key != "" {
			r.body, fields.Labels = append(r.body, bodyField{key, c, false}), append(fields.Labels, name)
		}
	}
	for c, name := range p.Values {
		if key, ok := strings.CutPrefix(name, bodyPrefix); ok && key != "" {
			r.body, fields.Values = append(r.body, bodyField{key, c, true}), append(fields.Values, name)
		}
	}
	r.Row = otlp.NewRow(p, fields)
	return r
}

// begin starts a record. It reports whether codes known so far are void.
func (r *row) begin(b *ingest.Builder) bool {
	if !r.Begin(b) {
		return false
	}
	if c := r.column.severity; c >= 0 {
		r.severities.Intern(b.Dictionary(), c)
	}
	return true
}

// wantsBody reports whether the body must be read.
func (r *row) wantsBody() bool { return r.column.body >= 0 || len(r.body) > 0 }

// fields are the fields of a log record that are not attributes.
type fields struct {
	at, observed    uint64
	severity        int32
	text, eventName []byte
	trace           []byte
	body            otlp.AnyValue
}

// end ends the log record at hand: a row, or a rejection.
func (r *row) end(f *fields, b *ingest.Builder) {
	labels, values := r.Labels[otlp.SampleLevel], r.Values[otlp.SampleLevel]
	r.SetField(otlp.SampleLevel, r.column.severityText, f.text)
	r.SetField(otlp.SampleLevel, r.column.eventName, f.eventName)
	if c := r.column.severity; c >= 0 {
		labels[c].Code = r.severities.Code(severityOf(f))
	}
	if c := r.column.severityNumber; c >= 0 && f.severity != 0 {
		values[c] = rows.Number{V: float64(f.severity), Rank: 1}
	}
	if r.wantsBody() {
		r.readBody(&f.body)
	}
	at, fault := timeOf(f)
	if r.Broken[otlp.SampleLevel] {
		fault = rows.FaultFraming
	}
	n := b.Len()
	r.Append(b, at, fault, labels, values)
	if b.Len() > n && r.showsBody(f) {
		b.Note(n, ingest.Note{Trace: f.trace, Text: r.bodyText(&f.body), Value: math.NaN()})
	}
}

// severityError is the place of ERROR in row.severities.
const severityError = 5

// showsBody reports whether the body of the log record at hand is to be shown.
func (r *row) showsBody(f *fields) bool { return r.examples && severityOf(f) >= severityError }

// bodyText returns a body as text, until the next call.
func (r *row) bodyText(v *otlp.AnyValue) []byte {
	if v.Kind == otlp.String {
		return v.Bytes
	}
	r.scratch = v.AppendText(r.scratch[:0])
	return r.scratch
}

// timeOf returns when it happened, or else when it was seen.
func timeOf(f *fields) (flyball.Time, rows.Fault) {
	at := f.at
	if at == 0 {
		at = f.observed
	}
	switch {
	case at == 0:
		return 0, rows.FaultNoTime
	case at > math.MaxInt64:
		return 0, rows.FaultTimeRange
	}
	return flyball.Time(at), rows.NoFault
}

// severityOf returns the place of the severity in row.severities: by the ranges of
// SeverityNumber, or else by what the text usually means.
func severityOf(f *fields) int32 {
	if f.severity >= 1 && f.severity <= 24 {
		return (f.severity-1)/4 + 1
	}
	if len(f.text) > len("INFORMATION") {
		return 0
	}
	var upper [len("INFORMATION")]byte
	for i, c := range f.text {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	switch string(upper[:len(f.text)]) {
	case "TRACE":
		return 1
	case "DEBUG":
		return 2
	case "INFO", "INFORMATION", "NOTICE":
		return 3
	case "WARN", "WARNING":
		return 4
	case "ERR", "ERROR":
		return 5
	case "FATAL", "CRIT", "CRITICAL", "ALERT", "EMERG", "EMERGENCY", "PANIC":
		return 6
	}
	return 0
}

// readBody sets the columns that the body feeds.
func (r *row) readBody(v *otlp.AnyValue) {
	if c := r.column.body; c >= 0 {
		r.SetField(otlp.SampleLevel, c, r.bodyText(v))
		if v.BadText {
			r.Labels[otlp.SampleLevel][c].Fault = rows.FaultUTF8
		}
	}
	object, ok := v.Tree.(map[string]any)
	if !ok {
		return
	}
	for _, f := range r.body {
		field := otlp.ValueOf(object[f.key])
		if f.value {
			n := rows.Number{Rank: 1}
			if n.V, ok = field.Number(); !ok {
				n.Fault = rows.FaultNumber
			}
			r.Values[otlp.SampleLevel][f.column] = n
			continue
		}
		r.scratch = field.AppendText(r.scratch[:0])
		r.SetField(otlp.SampleLevel, f.column, r.scratch)
	}
}
