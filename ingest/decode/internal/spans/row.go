// Package spans decodes OTLP traces.
package spans

import (
	"math"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// row builds the rows of spans, whatever the encoding they came in.
type row struct {
	otlp.Row
	column   columns // of the fields that are not attributes
	kinds    rows.Enum
	statuses rows.Enum
	examples bool // traces are wanted
}

// columns holds the column of each field that is not an attribute, or -1.
type columns struct {
	spanName, spanKind, statusCode, peer, duration int
}

// peerAttributes name what a client or producer calls, the best name first
// (OpenTelemetry semantic conventions, with those before 1.21).
var peerAttributes = []string{
	"service.peer.name", "peer.service", "rpc.service", "messaging.destination.name", "messaging.destination",
	"db.namespace", "db.name", "server.address", "net.peer.name", "db.system.name", "db.system", "network.peer.address",
}

// The kinds of spans that have a peer.
const (
	kindClient   = 3
	kindProducer = 4
)

func newRow(p ingest.Projection) row {
	return row{
		Row: otlp.NewRow(p, otlp.Fields{
			Prefix: "span.", Labels: []string{"span.name", "span.kind", "status.code"}, Values: []string{flyball.FieldDuration},
			Aliases: map[string][]string{"peer": peerAttributes},
		}),
		column: columns{
			spanName: p.Label("span.name"), spanKind: p.Label("span.kind"),
			statusCode: p.Label("status.code"), peer: p.Label("peer"), duration: p.Value(flyball.FieldDuration),
		},
		kinds:    rows.Enum{Texts: []string{"UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"}},
		statuses: rows.Enum{Texts: []string{"UNSET", "OK", "ERROR"}},
		examples: p.Examples,
	}
}

// begin starts a record. It reports whether codes known so far are void.
func (r *row) begin(b *ingest.Builder) bool {
	if !r.Begin(b) {
		return false
	}
	if c := r.column.spanKind; c >= 0 {
		r.kinds.Intern(b.Dictionary(), c)
	}
	if c := r.column.statusCode; c >= 0 {
		r.statuses.Intern(b.Dictionary(), c)
	}
	return true
}

// spanFields are the fields of a span that are not attributes.
type spanFields struct {
	start, end   uint64
	kind, status int32
	name, trace  []byte
}

// append ends the span at hand: a row, or a rejection.
func (r *row) append(s *spanFields, b *ingest.Builder) {
	r.SetField(otlp.SampleLevel, r.column.spanName, s.name)
	if c := r.column.spanKind; c >= 0 {
		r.Labels[otlp.SampleLevel][c].Code = r.kinds.Code(s.kind)
	}
	if c := r.column.statusCode; c >= 0 {
		r.Labels[otlp.SampleLevel][c].Code = r.statuses.Code(s.status)
	}
	if c := r.column.peer; c >= 0 && s.kind != kindClient && s.kind != kindProducer {
		r.Labels[otlp.SampleLevel][c] = rows.Cell{}
	}
	f := r.times(s)
	if r.Broken[otlp.SampleLevel] {
		f = rows.FaultFraming
	}
	if c := r.column.duration; c >= 0 {
		r.Values[otlp.SampleLevel][c] = rows.Number{V: float64(s.end - s.start), Rank: 1}
	}
	n := b.Len()
	r.Rows.Append(b, flyball.Time(s.end), f, r.Labels[otlp.SampleLevel], r.Values[otlp.SampleLevel])
	if r.examples && b.Len() > n {
		b.Trace(n, s.trace)
	}
}

// times returns what is wrong with the times; the start matters only for the
// duration.
func (r *row) times(s *spanFields) rows.Fault {
	switch {
	case s.end == 0:
		return rows.FaultNoTime
	case s.end > math.MaxInt64:
		return rows.FaultTimeRange
	case r.column.duration < 0:
		return rows.NoFault
	case s.start == 0:
		return rows.FaultNoStart
	case s.end < s.start:
		return rows.FaultEndsBeforeStart
	}
	return rows.NoFault
}
