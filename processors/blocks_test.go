package processors

import (
	"bytes"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

func TestBlocksHoldEveryRowOnceAndFitIntoRecords(t *testing.T) {
	var w Windows
	var s SLOStatus
	const rows = 5000
	for i := range rows {
		w.Append(WindowRow{Indicator: "i", Entity: "e", Labels: `{"service.name":"e"}`, End: 1, Count: int64(i), Hist: bytes.Repeat([]byte{2}, 600)})
		s.Append(SLORow{SLO: "s", Total: int64(i), Tiers: []string{"page_fast"}, BurnLong: []float64{1}, BurnShort: []float64{1}})
	}
	check := func(name string, blocks [][]byte, column string) {
		t.Helper()
		if len(blocks) < 2 {
			t.Errorf("%s: %d blocks", name, len(blocks))
		}
		next := int64(0)
		for _, b := range blocks {
			if len(b) > MaxBlock {
				t.Errorf("%s: a block has %d bytes, at most %d", name, len(b), MaxBlock)
			}
			rec, err := DecodeRecord(b)
			if err != nil {
				t.Fatal(err)
			}
			for _, got := range int64s(rec, column) {
				if got != next {
					t.Fatalf("%s: row %d holds %d", name, next, got)
				}
				next++
			}
			rec.Release()
		}
		if next != rows {
			t.Errorf("%s: %d rows, want %d", name, next, rows)
		}
	}
	check("windows", w.Blocks(), "count")
	check("slo", s.Blocks(), "total")
	if got := new(Windows).Blocks(); got != nil {
		t.Errorf("no windows make %d blocks", len(got))
	}
}

func int64s(rec arrow.Record, column string) []int64 {
	return rec.Column(rec.Schema().FieldIndices(column)[0]).(*array.Int64).Int64Values()
}
