package points

import (
	"math"
	"testing"

	"github.com/flyball-io/flyball"
)

// TestExponentialMergesWithoutLoss: what a sender counted in buckets of scale 5 is in
// the pane as it would be had the values come one by one.
func TestExponentialMergesWithoutLoss(t *testing.T) {
	ind := NewFolder(&flyball.Indicator{})
	values := []float64{1.01, 1.02, 7, 100, 100.5}
	d := &flyball.Distribution{Count: 5, Exponential: true, Scale: 5, PosOffset: 0, Pos: make([]uint64, 300), Nanos: 1e9}
	for _, v := range values {
		ind.other.Add(v)
		d.Pos[int(math.Floor(math.Log2(v)*32))]++
	}
	if h := ind.histogramOf(d, 1); !h.Equal(ind.other.Clone()) {
		t.Error("the buckets are others")
	}
	for i, q := range []float64{0, 0.25, 0.5, 0.75, 1} { // in another unit half a bucket more may be lost
		if got, want := ind.histogramOf(d, 1e9).Quantile(q), values[i]*1e9; math.Abs(got-want) > 0.022*want {
			t.Errorf("quantile %v in nanoseconds is %v, want %v", q, got, want)
		}
	}
}

func TestEstimatesOfSums(t *testing.T) {
	ind := NewFolder(&flyball.Indicator{})
	f := func(want, tolerance float64, d flyball.Distribution) {
		t.Helper()
		if got, low, high := estimate(ind.histogramOf(&d, 1)); math.Abs(got-want) > tolerance || low > high {
			t.Errorf("got %v between %v and %v, want %v", got, low, high, want)
		}
	}
	f(10*2+0.5*2, 1e-9, flyball.Distribution{Bounds: []float64{1, 3}, Buckets: []uint64{2, 10, 0}, Count: 12})
	f(6, 1e-9, flyball.Distribution{Bounds: []float64{3}, Buckets: []uint64{0, 2}, Count: 2})
	f(-4, 1e-9, flyball.Distribution{Bounds: []float64{-2, 0}, Buckets: []uint64{2, 0, 0}, Count: 2})
}
