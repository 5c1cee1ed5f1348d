package metrics

import (
	"math"

	"github.com/go-faster/jx"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
)

// mostExemplars is how many exemplars of a data point are looked at.
const mostExemplars = 32

// Tags of Exemplar (opentelemetry/proto/metrics/v1).
const (
	exemplarTimeTag   = 2<<3 | otlp.WireFixed64
	exemplarDoubleTag = 3<<3 | otlp.WireFixed64
	exemplarTraceTag  = 5<<3 | otlp.WireBytes
	exemplarIntTag    = 6<<3 | otlp.WireFixed64
)

// exemplar reads an Exemplar of the point at hand. One that does not parse, or is of no
// trace, is none; it costs nothing but itself.
func (d *OTLP) exemplar(m []byte) {
	if !d.row.examples {
		return
	}
	note := ingest.Note{Value: math.NaN()}
	for i := 0; i < len(m); {
		from, t := 0, uint64(0)
		if t, from, i = otlp.NextField(m, i); i < 0 {
			return
		}
		switch t {
		case exemplarTimeTag:
			n, _ := otlp.Fixed64(m, from)
			note.At = flyball.Time(min(n, math.MaxInt64))
		case exemplarDoubleTag:
			note.Value = double(m, from)
		case exemplarIntTag:
			n, _ := otlp.Fixed64(m, from)
			note.Value = float64(int64(n))
		case exemplarTraceTag:
			note.Trace = m[from:i]
		}
	}
	d.row.exemplar(note)
}

// exemplars reads the exemplars of the point at hand.
func (d *OTLPJSON) exemplars() error {
	if d.json.Dec.Next() != jx.Array {
		return d.json.Dec.Skip()
	}
	return d.json.Array(func() error {
		note, trace := ingest.Note{Value: math.NaN()}, new([16]byte)
		_, err := d.json.Fields(func(key []byte) (err error) {
			switch string(key) {
			case "timeUnixNano", "time_unix_nano":
				var n uint64
				n, _, err = d.json.Uint64()
				note.At = flyball.Time(min(n, math.MaxInt64))
			case "asDouble", "as_double":
				note.Value, _, err = d.json.Double()
			case "asInt", "as_int":
				var n int64
				n, _, err = d.json.Int64(64)
				note.Value = float64(n)
			case "traceId", "trace_id":
				note.Trace, err = d.json.TraceID(trace)
			default:
				err = d.json.Dec.Skip()
			}
			return err
		})
		d.row.exemplar(note)
		return err
	})
}

// exemplar takes one of the point at hand.
func (r *row) exemplar(n ingest.Note) {
	if len(n.Trace) == 16 && len(r.exemplars) < mostExemplars && !math.IsInf(n.Value, 0) {
		r.exemplars = append(r.exemplars, n)
	}
}

// noteExemplars notes those of the point that row is.
func (r *row) noteExemplars(row int, b *ingest.Builder) {
	for _, n := range r.exemplars {
		n.Nanos = r.metric.nanos
		b.Note(row, n)
	}
}
