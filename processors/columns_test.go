package processors

import (
	"math"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
)

func TestPanesRoundTrip(t *testing.T) {
	var w PaneWriter
	for round := range 2 { // the second round shows that Encode emptied the writer
		want := []PaneRow{
			{Indicator: "requests", Entity: "cart", Labels: `{"service.name":"cart"}`, Start: -10, Count: 7, Bad: 2, Sum: SumOf(1.5, 0x1p-60), Min: 0.5, Max: 1, Hist: []byte{1, 2}},
			{Indicator: "requests", Entity: "pay", Labels: `{"service.name":"pay"}`, Start: flyball.Time(round), Count: 1, Hist: []byte{}},
		}
		for _, r := range want {
			w.Append(r)
		}
		var got []PaneRow
		if err := ReadPanes(w.Encode(), func(r PaneRow) {
			r.Hist = append([]byte{}, r.Hist...)
			got = append(got, r)
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Sum{})); diff != "" {
			t.Error(diff)
		}
	}
	if w.Encode() != nil {
		t.Error("an empty writer encodes something")
	}
}

func TestReadPanesRefusesOtherBytes(t *testing.T) {
	var s SLOStatus
	s.Append(SLORow{SLO: "x"})
	var w PaneWriter
	w.Append(PaneRow{Indicator: "i"})
	good := w.Encode()
	for _, data := range [][]byte{nil, []byte("not arrow"), good[:len(good)/2], s.Encode()} {
		if err := ReadPanes(data, func(PaneRow) {}); err == nil {
			t.Errorf("%d bytes are taken for panes", len(data))
		}
	}
}

func TestNoDataIsNull(t *testing.T) {
	nan := math.NaN()
	var w Windows
	w.Append(WindowRow{Indicator: "i", Start: 0, End: 1e9, Sum: nan, Min: nan, Max: nan, P50: nan, P90: nan, P95: nan, P99: nan})
	w.Append(WindowRow{Indicator: "i", Start: 0, End: 2e9, Count: 10, Bad: 1})
	rec, err := DecodeRecord(w.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	for _, name := range []string{"error_ratio", "sum", "p50"} {
		col := rec.Column(rec.Schema().FieldIndices(name)[0]).(*array.Float64)
		if !col.IsNull(0) || col.IsNull(1) {
			t.Errorf("%s: null %v %v, want true false", name, col.IsNull(0), col.IsNull(1))
		}
	}
	if rate := rec.Column(rec.Schema().FieldIndices("rate")[0]).(*array.Float64).Value(1); rate != 5 {
		t.Errorf("rate %v, want 5 a second", rate)
	}

	var s SLOStatus
	s.Append(SLORow{SLO: "x", SLI: nan, Target: 0.99, BudgetConsumed: nan, Tiers: []string{"page_fast"}, BurnLong: []float64{nan}, BurnShort: []float64{2}})
	srec, err := DecodeRecord(s.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer srec.Release()
	list := srec.Column(srec.Schema().FieldIndices("burn_long")[0]).(*array.List).ListValues()
	if !list.IsNull(0) {
		t.Error("a burn rate without samples is a number")
	}
}

func TestPartitionOfIsFixed(t *testing.T) {
	// State is co-partitioned with panes by this hash: it must never change.
	for entity, want := range map[string]int32{"": 1, "cart": 7, "checkout": 0, "payment": 0} {
		if got := PartitionOf(entity, 8); got != want {
			t.Errorf("PartitionOf(%q, 8) = %d, want %d", entity, got, want)
		}
	}
}
