package ingest

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
)

func newTestBuilder() *Builder {
	p := Projection{Labels: []string{"service.name", "http.route"}, Values: []string{"duration"}}
	return NewBuilder(p, NewDictionary(len(p.Labels)), NewPool())
}

func TestDictionaryKeepsEveryValueThroughGrowth(t *testing.T) {
	d := NewDictionary(2)
	ids := map[uint32][2]string{}
	for i := range 5000 {
		a, b := fmt.Sprint("svc-", i%70), fmt.Sprint("/route/", i)
		set := d.Set([]uint32{d.Code(0, []byte(a)), d.Code(1, []byte(b))})
		ids[set] = [2]string{a, b}
	}
	if len(ids) != 5000 || d.Sets() != 5000 {
		t.Fatalf("got %d ids, %d sets, want 5000 of each", len(ids), d.Sets())
	}
	for set, want := range ids {
		if got := d.Values(set, nil); !cmp.Equal(got, want[:]) {
			t.Fatalf("set %d: got %v, want %v", set, got, want)
		}
	}
	if got := d.Set([]uint32{d.Code(0, []byte("svc-0")), d.Code(1, []byte("/route/0"))}); ids[got] != [2]string{"svc-0", "/route/0"} {
		t.Fatalf("a set seen before got a new id %d", got)
	}
}

func TestDictionaryResetStartsAGeneration(t *testing.T) {
	d := NewDictionary(1)
	d.Set([]uint32{d.Code(0, []byte("x"))})
	g := d.Generation()
	d.Reset()
	if d.Generation() == g || d.Sets() != 0 {
		t.Fatalf("generation %d → %d, %d sets", g, d.Generation(), d.Sets())
	}
	if got := d.Code(0, nil); got != 0 {
		t.Fatalf("the absent value has code %d, want 0", got)
	}
}

func TestBuilderHandsOverColumnsAndReusesBuffers(t *testing.T) {
	b := newTestBuilder()
	defer b.Release()
	round := func(n int) {
		for i := range n {
			if err := b.Append(flyball.Time(i), uint32(i), []float64{float64(i)}); err != nil {
				t.Fatal(err)
			}
		}
		batch := b.Batch()
		defer batch.Release()
		if batch.Rows() != n || batch.MaxTime != flyball.Time(n-1) || batch.Values[0].NullN() != 0 {
			t.Fatalf("rows %d, max %d", batch.Rows(), batch.MaxTime)
		}
		for i, v := range batch.Values[0].Float64Values() {
			if v != float64(i) || batch.Time.Value(i) != int64(i) || batch.Set.Value(i) != uint32(i) {
				t.Fatalf("row %d is %v %v %v", i, batch.Time.Value(i), batch.Set.Value(i), v)
			}
		}
	}
	round(10_000)
	round(3)
	if perRow := testing.AllocsPerRun(20, func() { round(10_000) }) / 10_000; perRow > 0.01 {
		t.Errorf("%.3f allocations per sample, want none in the steady state", perRow)
	}
}

func TestBuilderTruncateTakesBack(t *testing.T) {
	b := newTestBuilder()
	defer b.Release()
	for i, at := range []flyball.Time{5, 9, 7, 100} {
		if err := b.Append(at, uint32(i), []float64{math.NaN()}); err != nil {
			t.Fatal(err)
		}
	}
	b.Truncate(3)
	if err := b.Append(8, 9, []float64{1}); err != nil {
		t.Fatal(err)
	}
	batch := b.Batch()
	defer batch.Release()
	if diff := cmp.Diff([]int64{5, 9, 7, 8}, batch.Time.Int64Values()); diff != "" {
		t.Error(diff)
	}
	if batch.MaxTime != 9 || batch.Set.Value(3) != 9 {
		t.Errorf("max %d, set %d", batch.MaxTime, batch.Set.Value(3))
	}
}

func TestBuilderRejectsTheFarFuture(t *testing.T) {
	b := newTestBuilder()
	defer b.Release()
	b.SetLatest(100)
	err := b.Append(101, 0, []float64{0})
	if r, ok := Rejected(err); !ok || r.Reason != ReasonTooFarAhead || r.Samples != 1 {
		t.Fatalf("got %v", err)
	}
	if b.Len() != 0 {
		t.Fatal("the sample was kept")
	}
}
