package histogram

import (
	"bytes"
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// explicit is a data point with explicit buckets.
type explicit struct {
	bounds []float64
	counts []uint64
}

// explicitGen yields valid data points, sometimes with many buckets.
func explicitGen() *rapid.Generator[explicit] {
	return rapid.Custom(func(t *rapid.T) explicit {
		edges := rapid.OneOf(rapid.SampledFrom([]float64{0.005, 0.01, 0.1, 0.25, 0.5, 1, 2, 2.5, 10, -1, 0}), valueGen())
		bounds := rapid.SliceOfN(edges, 0, rapid.SampledFrom([]int{0, 3, 15, 300}).Draw(t, "size")).Draw(t, "bounds")
		slices.Sort(bounds)
		bounds = slices.Compact(bounds)
		counts := make([]uint64, len(bounds)+1)
		for i := range counts {
			counts[i] = rapid.Uint64Range(0, 3).Draw(t, "count")
		}
		return explicit{bounds, counts}
	})
}

// TestIntervalsInAnyOrder is the law of merging where there are more intervals than
// are kept.
func TestIntervalsInAnyOrder(t *testing.T) {
	for seed := range int64(20) {
		rng := rand.New(rand.NewSource(seed))
		spread := []float64{0, 1, 10, 300}[seed%4]
		var all []interval
		for range 3 * maxIntervals {
			low := math.Ldexp(rng.NormFloat64(), int(spread*rng.NormFloat64()))
			high := low + math.Ldexp(rng.ExpFloat64(), int(spread*rng.NormFloat64()))
			if high > low {
				all = append(all, interval{low, high, uint64(rng.Intn(3) + 1)})
			}
		}
		var one intervals
		for _, x := range all {
			one.add(x)
		}
		if one.level == 0 || len(one.list) > maxIntervals || len(one.list) == 0 {
			t.Fatalf("seed %d: %d intervals at level %d", seed, len(one.list), one.level)
		}
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		parts := make([]intervals, 4)
		for _, x := range all {
			parts[rng.Intn(len(parts))].add(x)
		}
		for i := range parts[1:] {
			parts[0].merge(&parts[i+1])
		}
		if !one.equal(&parts[0]) {
			t.Fatalf("seed %d: level %d with %d intervals or level %d with %d, by the order", seed, one.level, len(one.list), parts[0].level, len(parts[0].list))
		}
	}
}

// TestBoundsHoldForExplicitBuckets puts known values into explicit buckets: whatever
// is merged and however wide the buckets have become, the bounds must hold.
func TestBoundsHoldForExplicitBuckets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, all := new(Histogram), []float64(nil)
		for range rapid.IntRange(1, 4).Draw(t, "points") {
			e := explicitGen().Draw(t, "layout")
			clear(e.counts)
			for _, v := range rapid.SliceOfN(valueGen(), 0, 20).Draw(t, "values") {
				at, _ := slices.BinarySearch(e.bounds, v)
				e.counts[at]++
				all = append(all, v)
			}
			if err := h.MergeExplicit(e.bounds, e.counts); err != nil {
				t.Fatal(err)
			}
			if v := valueGen().Draw(t, "own"); rapid.Bool().Draw(t, "has own") {
				h.Add(v)
				all = append(all, v)
			}
		}
		for _, v := range append(all, valueGen().Draw(t, "elsewhere"), 0.25, 1) {
			less, atMost := uint64(0), uint64(0)
			for _, x := range all {
				if x < v {
					less++
				}
				if x <= v {
					atMost++
				}
			}
			if lower, upper := h.CountLess(v); less < lower || less > upper {
				t.Fatalf("%d values are below %v, CountLess says %d to %d", less, v, lower, upper)
			}
			if lower, upper := h.CountAtMost(v); atMost < lower || atMost > upper {
				t.Fatalf("%d values are at most %v, CountAtMost says %d to %d", atMost, v, lower, upper)
			}
			if lower, upper := h.CountBelow(v); less < lower || atMost > upper {
				t.Fatalf("%d values below, %d at most %v, CountBelow says %d to %d", less, atMost, v, lower, upper)
			}
		}
	})
}

// TestExplicitEdgesAreExact: a threshold that is a bound of the sender is not vague.
func TestExplicitEdgesAreExact(t *testing.T) {
	h := new(Histogram)
	if err := h.MergeExplicit([]float64{0.1, 0.25, 1}, []uint64{10, 20, 30, 40}); err != nil {
		t.Fatal(err)
	}
	f := func(v float64, wantLower, wantUpper uint64) {
		t.Helper()
		if lower, upper := h.CountAtMost(v); lower != wantLower || upper != wantUpper {
			t.Errorf("at most %v: %d to %d, want %d to %d", v, lower, upper, wantLower, wantUpper)
		}
	}
	f(0.1, 10, 10)
	f(0.25, 30, 30)
	f(1, 60, 60)
	f(0.3, 30, 60)
	f(0.05, 0, 10)
	f(7, 60, 100)
	f(math.Inf(1), 100, 100)
	f(math.NaN(), 0, 0)
	if lower, upper := h.CountLess(0.25); lower != 10 || upper != 30 { // all 20 may be at 0.25
		t.Errorf("below 0.25: %d to %d", lower, upper)
	}
	if h.Count() != 100 || h.Explicit() != 100 {
		t.Errorf("count %d, %d of them explicit", h.Count(), h.Explicit())
	}
}

// TestQuantilesOfExplicitBuckets are Prometheus' histogram_quantile, within the width
// of a log bucket.
func TestQuantilesOfExplicitBuckets(t *testing.T) {
	h := new(Histogram)
	if err := h.MergeExplicit([]float64{100, 200, 400}, []uint64{100, 100, 100, 100}); err != nil {
		t.Fatal(err)
	}
	before := h.AppendBinary(nil)
	f := func(q, want float64) {
		t.Helper()
		if got := h.Quantile(q); math.Abs(got-want) > 0.0325*want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	f(0.125, 50)
	f(0.25, 100)
	f(0.375, 150)
	f(0.5, 200)
	f(0.625, 300)
	f(0.75, 400)
	f(0.99, 400)
	if !bytes.Equal(before, h.AppendBinary(nil)) {
		t.Error("asking for quantiles changed the histogram")
	}
	var none Histogram
	if err := none.MergeExplicit(nil, []uint64{7}); err != nil || none.Quantile(0.5) != 0 || none.Count() != 7 {
		t.Errorf("without bounds: %v, %v of %d", err, none.Quantile(0.5), none.Count())
	}
}

func TestPlacingLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := new(Histogram)
		for range rapid.IntRange(1, 3).Draw(t, "points") {
			e := explicitGen().Draw(t, "point")
			for i := range e.counts {
				e.counts[i] *= rapid.SampledFrom([]uint64{1, 1000, 1 << 40}).Draw(t, "times")
			}
			if err := h.MergeExplicit(e.bounds, e.counts); err != nil {
				t.Fatal(err)
			}
		}
		if p := h.placed(); p.Count() != h.Count() || p.Explicit() != 0 {
			t.Fatalf("%d of %d values are placed, %d explicit", p.Count(), h.Count(), p.Explicit())
		}
		if h.Count() > 0 && math.IsNaN(h.Quantile(0.5)) {
			t.Fatal("there is no median")
		}
	})
}

func TestMergeExplicitRefuses(t *testing.T) {
	f := func(want string, bounds []float64, counts ...uint64) {
		t.Helper()
		h := of(1)
		if err := h.MergeExplicit(bounds, counts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		if !h.Equal(of(1)) {
			t.Error("the error changed the histogram")
		}
	}
	f("2 counts do not fit 2 bounds", []float64{1, 2}, 1, 2)
	f("bound 1 is not above", []float64{1, 1}, 1, 2, 3)
	f("bound NaN is not above", []float64{math.NaN()}, 1, 2)
	f("bound +Inf is not above", []float64{math.Inf(1)}, 1, 2)
	f("bound -Inf is not above", []float64{math.Inf(-1)}, 1, 2)
	f("total count exceeds", []float64{1}, 1, math.MaxUint64)
	f("total count exceeds", []float64{1}, MaxCount, 1)
	f("total count exceeds", []float64{1}, MaxCount, 0)
}
