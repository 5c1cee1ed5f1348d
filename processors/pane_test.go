package processors

import (
	"math"
	"testing"

	"github.com/flyball-io/flyball/processors/histogram"
)

func TestPaneObserve(t *testing.T) {
	p := NewPane()
	for _, v := range []float64{3, math.NaN(), math.Inf(1), math.Inf(-1), 1e300, -1e300, 1, 2} {
		p.Count++
		p.Observe(v)
	}
	if p.Count != 8 || p.Hist.Count() != 3 || p.Sum.Value() != 6 || p.Min != 1 || p.Max != 3 {
		t.Errorf("pane is %d samples, %d values, sum %v, %v to %v", p.Count, p.Hist.Count(), p.Sum.Value(), p.Min, p.Max)
	}
	p.Reset()
	if p.Count != 0 || p.Hist.Count() != 0 || p.Sum.Value() != 0 || !math.IsInf(p.Min, 1) || !math.IsInf(p.Max, -1) {
		t.Errorf("a pane reset still holds %+v", p)
	}
}

func TestPaneMergeRow(t *testing.T) {
	whole, a, b := NewPane(), NewPane(), NewPane()
	for i := range 100 {
		v, part := float64(i*i), a
		if i%3 == 0 {
			part = b
		}
		for _, p := range []*Pane{whole, part} {
			p.Count++
			p.Bad += int64(i & 1)
			p.Observe(v)
		}
	}
	merged := NewPane()
	for _, p := range []*Pane{a, b} {
		row := PaneRow{Count: p.Count, Bad: p.Bad, Sum: p.Sum, Min: p.Min, Max: p.Max, Hist: p.Hist.AppendBinary(nil)}
		if err := merged.MergeRow(row); err != nil {
			t.Fatal(err)
		}
	}
	other := NewPane()
	other.Merge(a)
	other.Merge(b)
	for _, got := range []*Pane{merged, other} {
		if got.Count != whole.Count || got.Bad != whole.Bad || got.Sum.Value() != whole.Sum.Value() ||
			got.Min != whole.Min || got.Max != whole.Max || !got.Hist.Equal(&whole.Hist) {
			t.Errorf("merged pane is %+v, want %+v", got, whole)
		}
	}
}

func TestPaneMergeRowRefusesAndKeeps(t *testing.T) {
	var h histogram.Histogram
	h.Add(5)
	good := PaneRow{Count: 1, Sum: SumOf(5, 0), Min: 5, Max: 5, Hist: h.AppendBinary(nil)}
	f := func(name string, spoil func(*PaneRow)) {
		t.Helper()
		p := NewPane()
		if err := p.MergeRow(good); err != nil {
			t.Fatal(err)
		}
		row := good
		spoil(&row)
		if err := p.MergeRow(row); err == nil {
			t.Errorf("%s: taken", name)
		}
		if p.Count != 1 || p.Hist.Count() != 1 || p.Sum.Value() != 5 {
			t.Errorf("%s: refused, but the pane is now %+v", name, p)
		}
	}
	f("negative count", func(r *PaneRow) { r.Count = -1 })
	f("negative bad", func(r *PaneRow) { r.Bad = -1 })
	f("more bad than samples", func(r *PaneRow) { r.Bad = 2 })
	f("too many samples", func(r *PaneRow) { r.Count = math.MaxInt64 })
	f("sum is no number", func(r *PaneRow) { r.Sum = SumOf(math.NaN(), 0) })
	f("infinite sum", func(r *PaneRow) { r.Sum = SumOf(1, math.Inf(1)) })
	f("minimum is no number", func(r *PaneRow) { r.Min = math.NaN() })
	f("histogram cut short", func(r *PaneRow) { r.Hist = r.Hist[:len(r.Hist)-1] })
	f("histogram of other bytes", func(r *PaneRow) { r.Hist = []byte{0xff} })
}
