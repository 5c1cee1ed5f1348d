package ingest

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flyball-io/flyball"
)

// TestPointsStayWithTheirRows: among ordinary samples, through truncation and reuse.
func TestPointsStayWithTheirRows(t *testing.T) {
	b := newTestBuilder()
	defer b.Release()
	ordinary := func(at int) {
		if err := b.Append(flyball.Time(at), 0, []float64{1}); err != nil {
			t.Fatal(err)
		}
	}
	dist := &flyball.Distribution{Bounds: []float64{1}, Buckets: []uint64{0, 0}}
	point := func(at int) {
		dist.Count, dist.Bounds[0], dist.Buckets[1] = uint64(at), float64(at), uint64(at)
		p := &Point{Weight: int64(at), Value: float64(at), Distribution: dist, Cumulative: true, Start: 7, Stream: flyball.StreamID{Lo: uint64(at)}}
		if err := b.AppendPoint(flyball.Time(at), 0, []float64{math.NaN()}, p); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 3 {
		ordinary(1)
		ordinary(2)
		point(3)
		ordinary(4)
		point(5)
		b.Truncate(4)
		point(6)
		ordinary(7)
		batch := b.Batch()
		p := batch.Points
		if diff := cmp.Diff([]int64{1, 1, 3, 1, 6, 1}, p.Weight); diff != "" {
			t.Fatalf("round %d: %s", round, diff)
		}
		if diff := cmp.Diff([]int32{-1, -1, 0, -1, 1, -1}, p.Distribution); diff != "" {
			t.Fatalf("round %d: %s", round, diff)
		}
		if diff := cmp.Diff([]float64{math.NaN(), math.NaN(), 3, math.NaN(), 6, math.NaN()}, p.Value, cmpopts.EquateNaNs()); diff != "" {
			t.Fatalf("round %d: %s", round, diff)
		}
		if !p.Cumulative[2] || p.Cumulative[3] || p.Start[4] != 7 || p.Stream[4].Lo != 6 {
			t.Fatalf("round %d: %v %v %v", round, p.Cumulative, p.Start, p.Stream)
		}
		for i, want := range []uint64{3, 6} {
			if d := p.Distributions[i]; d.Count != want || d.Bounds[0] != float64(want) || d.Buckets[1] != want {
				t.Fatalf("round %d: distribution %d is %+v", round, i, d)
			}
		}
		batch.Release()
		ordinary(1)
		if plain := b.Batch(); plain.Points != nil {
			t.Fatal("ordinary samples have points")
		} else {
			plain.Release()
		}
	}
}

func TestPassMovesTheLatestTimeAlone(t *testing.T) {
	b := newTestBuilder()
	defer b.Release()
	b.SetLatest(100)
	b.Pass(50)
	b.Pass(101)
	batch := b.Batch()
	defer batch.Release()
	if batch.Rows() != 0 || batch.MaxTime != 50 {
		t.Errorf("%d rows up to %d", batch.Rows(), batch.MaxTime)
	}
}
