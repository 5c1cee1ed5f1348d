package processors

import (
	"math"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/flyball-io/flyball"
)

// WindowRow is one closed window of one series.
type WindowRow struct {
	// Indicator, Entity and Labels (canonical JSON) identify the series.
	Indicator, Entity, Labels string
	// Start and End of the window, [Start, End).
	Start, End flyball.Time
	// Revision is 1 when it closes, and more in corrections.
	Revision uint32
	// Count of samples, and how many of them were bad.
	Count, Bad int64
	// Sum, Min and Max of the value, NaN when it has none.
	Sum, Min, Max float64
	// P50 to P99 are quantiles of the value, within 1.1 %; NaN when it has none.
	P50, P90, P95, P99 float64
	// Hist is the state of ClickHouse's quantilesDD, empty when there is no value.
	Hist []byte
	// Complete is false when a source was missing.
	Complete bool
}

// Windows holds windows as columns; their names are those of the ClickHouse
// table `windows`. The zero value is ready.
type Windows struct {
	Indicator, Entity, Labels []string
	Start, End                []int64
	Revision                  []uint32
	Count, Bad                []int64
	// Rate is samples per second; ErrorRatio is Bad ÷ Count, NaN for no samples.
	Rate, ErrorRatio   []float64
	Sum, Min, Max      []float64
	P50, P90, P95, P99 []float64
	Hist               [][]byte
	Complete           []bool
}

var windowSchema = arrow.NewSchema([]arrow.Field{
	field("indicator", arrow.BinaryTypes.String),
	field("entity", arrow.BinaryTypes.String),
	field("labels", arrow.BinaryTypes.String),
	field("start", timestampType),
	field("end", timestampType),
	field("revision", arrow.PrimitiveTypes.Uint32),
	field("count", arrow.PrimitiveTypes.Int64),
	field("bad", arrow.PrimitiveTypes.Int64),
	nullable("rate", arrow.PrimitiveTypes.Float64),
	nullable("error_ratio", arrow.PrimitiveTypes.Float64),
	nullable("sum", arrow.PrimitiveTypes.Float64),
	nullable("min", arrow.PrimitiveTypes.Float64),
	nullable("max", arrow.PrimitiveTypes.Float64),
	nullable("p50", arrow.PrimitiveTypes.Float64),
	nullable("p90", arrow.PrimitiveTypes.Float64),
	nullable("p95", arrow.PrimitiveTypes.Float64),
	nullable("p99", arrow.PrimitiveTypes.Float64),
	field("hist", arrow.BinaryTypes.Binary),
	field("complete", arrow.FixedWidthTypes.Boolean),
}, nil)

// WindowSchema returns the Arrow schema of the windows topic.
func WindowSchema() *arrow.Schema { return windowSchema }

// Len returns the number of rows.
func (w *Windows) Len() int {
	if w == nil {
		return 0
	}
	return len(w.Count)
}

// Append adds a row.
func (w *Windows) Append(r WindowRow) {
	w.Indicator = append(w.Indicator, r.Indicator)
	w.Entity = append(w.Entity, r.Entity)
	w.Labels = append(w.Labels, r.Labels)
	w.Start = append(w.Start, int64(r.Start))
	w.End = append(w.End, int64(r.End))
	w.Revision = append(w.Revision, r.Revision)
	w.Count = append(w.Count, r.Count)
	w.Bad = append(w.Bad, r.Bad)
	w.Rate = append(w.Rate, float64(r.Count)/r.End.Sub(r.Start).Seconds())
	ratio := math.NaN()
	if r.Count > 0 {
		ratio = float64(r.Bad) / float64(r.Count)
	}
	w.ErrorRatio = append(w.ErrorRatio, ratio)
	w.Sum = append(w.Sum, r.Sum)
	w.Min = append(w.Min, r.Min)
	w.Max = append(w.Max, r.Max)
	w.P50 = append(w.P50, r.P50)
	w.P90 = append(w.P90, r.P90)
	w.P95 = append(w.P95, r.P95)
	w.P99 = append(w.P99, r.P99)
	w.Hist = append(w.Hist, r.Hist)
	w.Complete = append(w.Complete, r.Complete)
}

// Row returns row i, without the derived columns.
func (w *Windows) Row(i int) WindowRow {
	return WindowRow{
		Indicator: w.Indicator[i], Entity: w.Entity[i], Labels: w.Labels[i],
		Start: flyball.Time(w.Start[i]), End: flyball.Time(w.End[i]), Revision: w.Revision[i],
		Count: w.Count[i], Bad: w.Bad[i], Sum: w.Sum[i], Min: w.Min[i], Max: w.Max[i],
		P50: w.P50[i], P90: w.P90[i], P95: w.P95[i], P99: w.P99[i],
		Hist: w.Hist[i], Complete: w.Complete[i],
	}
}

// Encode returns the rows as an Arrow IPC stream.
func (w *Windows) Encode() []byte {
	return encodeRecord(windowSchema, w.Len(), []arrow.Array{
		stringColumn(w.Indicator), stringColumn(w.Entity), stringColumn(w.Labels),
		timeColumn(w.Start), timeColumn(w.End), uint32Column(w.Revision),
		int64Column(w.Count), int64Column(w.Bad), floatColumn(w.Rate), floatColumn(w.ErrorRatio),
		floatColumn(w.Sum), floatColumn(w.Min), floatColumn(w.Max),
		floatColumn(w.P50), floatColumn(w.P90), floatColumn(w.P95), floatColumn(w.P99),
		binaryColumn(w.Hist), boolColumn(w.Complete),
	})
}

// windowRows is how many windows fit into a block with room to spare.
const windowRows = MaxBlock / 1024

// Blocks returns the rows as Arrow IPC streams, each small enough for a record.
func (w *Windows) Blocks() [][]byte {
	var out [][]byte
	for from := 0; from < w.Len(); from += windowRows {
		part := w.slice(from, min(from+windowRows, w.Len()))
		out = append(out, part.Encode())
	}
	return out
}

func (w *Windows) slice(i, j int) *Windows {
	return &Windows{
		Indicator: w.Indicator[i:j], Entity: w.Entity[i:j], Labels: w.Labels[i:j],
		Start: w.Start[i:j], End: w.End[i:j], Revision: w.Revision[i:j], Count: w.Count[i:j], Bad: w.Bad[i:j],
		Rate: w.Rate[i:j], ErrorRatio: w.ErrorRatio[i:j], Sum: w.Sum[i:j], Min: w.Min[i:j], Max: w.Max[i:j],
		P50: w.P50[i:j], P90: w.P90[i:j], P95: w.P95[i:j], P99: w.P99[i:j],
		Hist: w.Hist[i:j], Complete: w.Complete[i:j],
	}
}
