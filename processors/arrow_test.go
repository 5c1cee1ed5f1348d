package processors

import (
	"bytes"
	"math"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Columns that wrap slices must encode to the bytes that Arrow's own builders
// give.
func TestColumnsEncodeAsBuildersDo(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		field("string", arrow.BinaryTypes.String), field("binary", arrow.BinaryTypes.Binary),
		field("int64", arrow.PrimitiveTypes.Int64), field("uint32", arrow.PrimitiveTypes.Uint32),
		field("time", timestampType), nullable("float", arrow.PrimitiveTypes.Float64),
	}, nil)
	f := func(s []string, b [][]byte, i []int64, u []uint32, x []float64) {
		t.Helper()
		got := encodeRecord(schema, len(s), []arrow.Array{
			stringColumn(s), binaryColumn(b), int64Column(i), uint32Column(u), timeColumn(i), floatColumn(x),
		})
		rb := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
		defer rb.Release()
		rb.Field(0).(*array.StringBuilder).AppendValues(s, nil)
		rb.Field(1).(*array.BinaryBuilder).AppendValues(b, nil)
		rb.Field(2).(*array.Int64Builder).AppendValues(i, nil)
		rb.Field(3).(*array.Uint32Builder).AppendValues(u, nil)
		for n := range s {
			rb.Field(4).(*array.TimestampBuilder).Append(arrow.Timestamp(i[n]))
			if fb := rb.Field(5).(*array.Float64Builder); math.IsNaN(x[n]) {
				fb.AppendNull()
			} else {
				fb.Append(x[n])
			}
		}
		rec := rb.NewRecord()
		defer rec.Release()
		want := encodeRecord(schema, len(s), retained(rec))
		if !bytes.Equal(got, want) {
			t.Errorf("%d rows encode to other bytes:\n%x\nwant\n%x", len(s), got, want)
		}
	}
	f([]string{"a"}, [][]byte{{1, 2}}, []int64{-1}, []uint32{1}, []float64{1})
	f([]string{"", "x", "äöü"}, [][]byte{nil, {}, {9}}, []int64{0, 1, math.MaxInt64}, []uint32{0, 1, math.MaxUint32}, []float64{0, math.Inf(1), -0.5})
	f([]string{"", ""}, [][]byte{nil, nil}, []int64{0, 0}, []uint32{0, 0}, []float64{math.NaN(), 2})
}

func retained(rec arrow.Record) []arrow.Array {
	for _, c := range rec.Columns() {
		c.Retain()
	}
	return rec.Columns()
}

// A writer that goes on writing gives the bytes of one that starts anew.
func TestPaneWriterGivesWholeStreams(t *testing.T) {
	row := func(i int64) PaneRow {
		return PaneRow{Indicator: "requests", Entity: "cart", Labels: `{"service.name":"cart"}`, Start: 10, Count: i, Min: 1, Max: 2, Hist: []byte{1, 2, 3}}
	}
	var w PaneWriter
	for i := range int64(4) {
		var fresh PaneWriter
		for n := range i + 1 {
			w.Append(row(n))
			fresh.Append(row(n))
		}
		if got, want := w.Encode(), fresh.Encode(); !bytes.Equal(got, want) {
			t.Fatalf("stream %d differs:\n%x\nwant\n%x", i, got, want)
		}
	}
	if per := testing.AllocsPerRun(20, func() { w.Append(row(1)); w.Encode() }); per > 120 {
		t.Errorf("%.0f allocations per stream, want 120 or less", per)
	}
}
