package processors

import (
	"github.com/apache/arrow/go/v17/arrow"

	"github.com/flyball-io/flyball"
)

// BandRow is what a detector expected of one number of one window of one series, and
// how unusual that was.
type BandRow struct {
	// Detector by its name, and the number: Indicator, Value, Entity and Labels
	// (canonical JSON).
	Detector, Indicator string
	Value               flyball.WindowValue
	Entity, Labels      string
	// Start and End of the window.
	Start, End flyball.Time
	// Observed is the number; Expected the forecast, Low and High where alarms would
	// begin. NaN where there is none.
	Observed, Expected, Low, High float64
	// Digits of surprise, and from how many on news is an alarm.
	Digits, Threshold float64
	// Algorithm that is surprised most.
	Algorithm string
	// Alarm is set when it raised one.
	Alarm bool
	// Muted is the exclusion for which the window was not judged, "" for none.
	Muted string
}

// Bands holds rows as columns; their names are those of the ClickHouse table `bands`.
// The zero value is ready.
type Bands struct{ rows []BandRow }

var bandSchema = arrow.NewSchema([]arrow.Field{
	field("detector", arrow.BinaryTypes.String),
	field("indicator", arrow.BinaryTypes.String),
	field("value", arrow.BinaryTypes.String),
	field("entity", arrow.BinaryTypes.String),
	field("labels", arrow.BinaryTypes.String),
	field("start", timestampType),
	field("end", timestampType),
	nullable("observed", arrow.PrimitiveTypes.Float64),
	nullable("expected", arrow.PrimitiveTypes.Float64),
	nullable("low", arrow.PrimitiveTypes.Float64),
	nullable("high", arrow.PrimitiveTypes.Float64),
	field("digits", arrow.PrimitiveTypes.Float64),
	field("threshold", arrow.PrimitiveTypes.Float64),
	field("algorithm", arrow.BinaryTypes.String),
	field("alarm", arrow.FixedWidthTypes.Boolean),
	field("muted", arrow.BinaryTypes.String),
}, nil)

// BandSchema returns the Arrow schema of the bands topic.
func BandSchema() *arrow.Schema { return bandSchema }

// Len returns the number of rows.
func (b *Bands) Len() int {
	if b == nil {
		return 0
	}
	return len(b.rows)
}

// Append adds a row.
func (b *Bands) Append(r BandRow) { b.rows = append(b.rows, r) }

// Row returns row i.
func (b *Bands) Row(i int) BandRow { return b.rows[i] }

// Encode returns the rows as an Arrow IPC stream.
func (b *Bands) Encode() []byte {
	text := func(f func(*BandRow) string) arrow.Array {
		list := make([]string, len(b.rows))
		for i := range b.rows {
			list[i] = f(&b.rows[i])
		}
		return stringColumn(list)
	}
	number := func(f func(*BandRow) float64) arrow.Array {
		list := make([]float64, len(b.rows))
		for i := range b.rows {
			list[i] = f(&b.rows[i])
		}
		return floatColumn(list)
	}
	at := func(f func(*BandRow) flyball.Time) arrow.Array {
		list := make([]int64, len(b.rows))
		for i := range b.rows {
			list[i] = int64(f(&b.rows[i]))
		}
		return timeColumn(list)
	}
	alarm := make([]bool, len(b.rows))
	for i := range b.rows {
		alarm[i] = b.rows[i].Alarm
	}
	return encodeRecord(bandSchema, len(b.rows), []arrow.Array{
		text(func(r *BandRow) string { return r.Detector }), text(func(r *BandRow) string { return r.Indicator }),
		text(func(r *BandRow) string { return string(r.Value) }),
		text(func(r *BandRow) string { return r.Entity }), text(func(r *BandRow) string { return r.Labels }),
		at(func(r *BandRow) flyball.Time { return r.Start }), at(func(r *BandRow) flyball.Time { return r.End }),
		number(func(r *BandRow) float64 { return r.Observed }), number(func(r *BandRow) float64 { return r.Expected }),
		number(func(r *BandRow) float64 { return r.Low }), number(func(r *BandRow) float64 { return r.High }),
		number(func(r *BandRow) float64 { return r.Digits }), number(func(r *BandRow) float64 { return r.Threshold }),
		text(func(r *BandRow) string { return r.Algorithm }), boolColumn(alarm),
		text(func(r *BandRow) string { return r.Muted }),
	})
}

// Blocks returns the rows as Arrow IPC streams, each small enough for a record.
func (b *Bands) Blocks() [][]byte {
	var out [][]byte
	for from := 0; from < b.Len(); from += bandRows {
		part := Bands{rows: b.rows[from:min(from+bandRows, b.Len())]}
		out = append(out, part.Encode())
	}
	return out
}

// bandRows is how many rows fit into a block with room to spare.
const bandRows = MaxBlock / 1024
