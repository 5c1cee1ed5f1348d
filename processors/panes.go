package processors

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/counter"
	"github.com/flyball-io/flyball/processors/examples"
)

// PaneRow is one partial pane: what one sender saw of one slice of event time of
// one series since its last flush. Partial panes of the same slice add up.
type PaneRow struct {
	// Indicator, Entity and Labels (canonical JSON) identify the series.
	Indicator, Entity, Labels string
	// Start of the slice.
	Start flyball.Time
	// Count of samples, and how many of them were bad.
	Count, Bad int64
	// Sum, Min and Max of the value; zero, +Inf and -Inf when it has none.
	Sum      Sum
	Min, Max float64
	// Hist is the encoded histogram, empty when the indicator has no value.
	Hist []byte
	// Point, when not empty, is a point of a cumulative stream (counter.Point, encoded):
	// a total, of which what it adds to the one before it counts. The row counts nothing
	// by itself then.
	Point []byte
	// Examples are encoded examples of its samples (examples.Few), empty for none.
	Examples []byte
}

// maxPaneCount is more samples than one sender can see in one slice; it keeps
// sums of panes within int64.
const maxPaneCount = 1 << 48

// Validate says what is wrong with numbers that no sender can mean. It does not
// look into the histogram.
func (r *PaneRow) Validate() error {
	switch {
	case r.Count < 0 || r.Bad < 0 || r.Bad > r.Count || r.Count > maxPaneCount:
		return fmt.Errorf("cannot use pane of indicator %q: %d of %d samples are bad", r.Indicator, r.Bad, r.Count)
	case !r.Sum.finite() || math.IsNaN(r.Min) || math.IsNaN(r.Max):
		return fmt.Errorf("cannot use pane of indicator %q: sum %v, min %v, max %v", r.Indicator, r.Sum.Value(), r.Min, r.Max)
	}
	return nil
}

var paneSchema = arrow.NewSchema([]arrow.Field{
	field("indicator", arrow.BinaryTypes.String),
	field("entity", arrow.BinaryTypes.String),
	field("labels", arrow.BinaryTypes.String),
	field("start", timestampType),
	field("count", arrow.PrimitiveTypes.Int64),
	field("bad", arrow.PrimitiveTypes.Int64),
	field("sum", arrow.PrimitiveTypes.Float64),
	field("sum_error", arrow.PrimitiveTypes.Float64),
	field("min", arrow.PrimitiveTypes.Float64),
	field("max", arrow.PrimitiveTypes.Float64),
	field("hist", arrow.BinaryTypes.Binary),
}, nil)

// paneSchemaFrame is how every stream of panes begins: the schema, encoded. It is
// compared as bytes before the Arrow reader sees the stream, which makes arrays
// as long as a spoiled schema says.
var paneSchemaFrame = schemaFrame(paneSchema)

// PaneWriter collects partial panes into columns. The zero value is ready.
type PaneWriter struct {
	indicator, entity, labels []string
	start, count, bad         []int64
	sum, sumError, min, max   []float64
	hist                      [][]byte
	size                      int
	stream                    *streamWriter
}

// MaxBlock is about how many bytes a record of a result topic may hold. Writers
// that pass it begin another, because brokers refuse what is too large.
const MaxBlock = 1 << 20

// Append adds a row. Its Hist and Point are kept until Encode.
func (w *PaneWriter) Append(r PaneRow) {
	w.indicator = append(w.indicator, r.Indicator)
	w.entity = append(w.entity, r.Entity)
	w.labels = append(w.labels, r.Labels)
	w.start = append(w.start, int64(r.Start))
	w.count = append(w.count, r.Count)
	w.bad = append(w.bad, r.Bad)
	sum, sumError := r.Sum.Parts()
	w.sum = append(w.sum, sum)
	w.sumError = append(w.sumError, sumError)
	w.min = append(w.min, r.Min)
	w.max = append(w.max, r.Max)
	hist := r.Hist
	if len(r.Point) > 0 { // they share a column: a histogram does not begin as a point does
		hist = r.Point
	}
	if len(r.Examples) > 0 {
		hist = append(r.Examples[:len(r.Examples):len(r.Examples)], hist...)
	}
	w.hist = append(w.hist, hist)
	w.size += 80 + len(r.Indicator) + len(r.Entity) + len(r.Labels) + len(hist)
}

// Size returns about how many bytes Encode will return.
func (w *PaneWriter) Size() int { return w.size }

// Len returns the number of rows since the last Encode.
func (w *PaneWriter) Len() int { return len(w.count) }

// Encode returns the rows as an Arrow IPC stream and empties the writer, or nil
// when there are none.
func (w *PaneWriter) Encode() []byte {
	if w.Len() == 0 {
		return nil
	}
	if w.stream == nil {
		w.stream = &streamWriter{}
	}
	out := w.stream.encode(paneSchema, paneSchemaFrame, w.Len(), []arrow.Array{
		stringColumn(w.indicator), stringColumn(w.entity), stringColumn(w.labels),
		timeColumn(w.start), int64Column(w.count), int64Column(w.bad),
		floatColumn(w.sum), floatColumn(w.sumError), floatColumn(w.min), floatColumn(w.max), binaryColumn(w.hist),
	})
	*w = PaneWriter{
		indicator: w.indicator[:0], entity: w.entity[:0], labels: w.labels[:0],
		start: w.start[:0], count: w.count[:0], bad: w.bad[:0],
		sum: w.sum[:0], sumError: w.sumError[:0], min: w.min[:0], max: w.max[:0], hist: w.hist[:0],
		stream: w.stream,
	}
	return out
}

// ReadPanes calls f for each row of an Arrow IPC stream of partial panes. The
// strings and bytes of a row are valid only during the call. Bytes that are not
// such a stream are an error, and then f is not called.
func ReadPanes(data []byte, f func(PaneRow)) error {
	if !bytes.HasPrefix(data, paneSchemaFrame) {
		return errors.New("cannot read panes: the bytes are no Arrow stream of partial panes")
	}
	rec, err := DecodeRecord(data)
	if err != nil {
		return err
	}
	defer rec.Release()
	if err := requireValues(rec); err != nil {
		return err
	}
	str := func(i int) *array.String { return rec.Column(i).(*array.String) }
	i64 := func(i int) *array.Int64 { return rec.Column(i).(*array.Int64) }
	f64 := func(i int) *array.Float64 { return rec.Column(i).(*array.Float64) }
	indicator, entity, labels := str(0), str(1), str(2)
	start := rec.Column(3).(*array.Timestamp)
	count, bad := i64(4), i64(5)
	sum, sumError, min, max := f64(6), f64(7), f64(8), f64(9)
	hist := rec.Column(10).(*array.Binary)
	for i := range int(rec.NumRows()) {
		row := PaneRow{
			Indicator: indicator.Value(i), Entity: entity.Value(i), Labels: labels.Value(i),
			Start: flyball.Time(start.Value(i)), Count: count.Value(i), Bad: bad.Value(i),
			Sum: SumOf(sum.Value(i), sumError.Value(i)), Min: min.Value(i), Max: max.Value(i), Hist: hist.Value(i),
		}
		row.Examples, row.Hist = examples.Cut(row.Hist)
		if len(row.Hist) > 0 && row.Hist[0] == counter.Mark {
			row.Hist, row.Point = nil, row.Hist
		}
		f(row)
	}
	return nil
}
