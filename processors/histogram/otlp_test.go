package histogram

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// record returns the OTLP data point that a sender at the given scale makes of vs.
// It finds buckets by logarithm, so vs should not sit on a rounding error of an edge.
func record(scale int32, vs []float64) exponential {
	e := exponential{scale: scale}
	var pos, neg []int
	for _, v := range vs {
		if v == 0 {
			e.zero++
			continue
		}
		i := int(math.Ceil(math.Ldexp(math.Log2(math.Abs(v)), int(scale)))) - 1
		if v > 0 {
			pos = append(pos, i)
		} else {
			neg = append(neg, i)
		}
	}
	count := func(indexes []int) (int32, []uint64) {
		if len(indexes) == 0 {
			return 0, nil
		}
		lo, hi := indexes[0], indexes[0]
		for _, i := range indexes {
			lo, hi = min(lo, i), max(hi, i)
		}
		counts := make([]uint64, hi-lo+1)
		for _, i := range indexes {
			counts[i-lo]++
		}
		return int32(lo), counts
	}
	e.posOffset, e.pos = count(pos)
	e.negOffset, e.neg = count(neg)
	return e
}

// TestExponentialIsAddingOneByOne: a data point of scale 5 or finer gives what adding
// the values gives, a coarser one what adding and downscaling gives.
func TestExponentialIsAddingOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scale := rapid.Int32Range(-10, 12).Draw(t, "scale")
		// Odd multiples of an irrational number are no edges; powers of two are
		// edges at scales from 0 on, and exact in the logarithm.
		away := rapid.Map(rapid.IntRange(-500, 500), func(i int) float64 { return float64(2*i+1) * math.Pi })
		exactEdge := rapid.Map(rapid.IntRange(-8, 8), func(e int) float64 { return math.Ldexp(1, e) })
		vs := rapid.SliceOfN(rapid.OneOf(away, exactEdge, rapid.Just(0.0)), 1, 60).Draw(t, "values")

		direct := of(vs...)
		if direct.ZeroCount() < direct.Count() && scale < 5 {
			direct.downscale(uint(5 - scale))
		}
		merged := new(Histogram)
		if err := record(scale, vs).mergeInto(merged); err != nil {
			t.Fatal(err)
		}
		if !merged.Equal(direct) {
			t.Fatalf("merged %v\nadded %v", buckets(merged), buckets(direct))
		}
	})
}

func TestExponentialBuckets(t *testing.T) {
	f := func(e exponential, want *Histogram) {
		t.Helper()
		h := new(Histogram)
		if err := e.mergeInto(h); err != nil {
			t.Errorf("%+v: %v", e, err)
			return
		}
		if !h.Equal(want) {
			t.Errorf("%+v: got %v at scale %d, want %v at scale %d", e, buckets(h), h.Scale(), buckets(want), want.Scale())
		}
	}
	at := func(scale int, vs ...float64) *Histogram {
		h := of(vs...)
		h.downscale(uint(5 - scale))
		return h
	}
	f(exponential{}, of())
	f(exponential{scale: -10, pos: []uint64{0, 0}, posOffset: math.MinInt32}, of())
	f(exponential{scale: 20, pos: []uint64{0, 0}, posOffset: math.MaxInt32, zero: 1}, of(0))
	f(exponential{scale: 0, pos: []uint64{1}}, at(0, 2))
	f(exponential{scale: 0, pos: []uint64{1}, posOffset: -1}, at(0, 1))
	f(exponential{scale: 5, pos: []uint64{1, 0, 1}, posOffset: 31}, of(2, 2.06))
	f(exponential{scale: 6, pos: []uint64{1, 1, 1}, posOffset: 62}, of(2, 2, 2.01))
	f(exponential{scale: 6, neg: []uint64{1, 1, 1}, negOffset: 62}, of(-2, -2, -2.01))
	f(exponential{scale: 20, pos: []uint64{1}, posOffset: -1}, of(1))
	f(exponential{scale: 20, pos: []uint64{1}, posOffset: 0}, of(1.01))
	f(exponential{scale: math.MaxInt32, pos: []uint64{1, 1}, posOffset: -1}, of(1, 1.01))
	f(exponential{scale: -10, pos: []uint64{1, 2}, posOffset: -1}, at(-10, 0.5, 2, 2))
	// Beyond the smallest normal float is zero, as it is for Add.
	f(exponential{scale: 5, pos: []uint64{1, 1}, posOffset: minIndex - 1}, of(0, math.Ldexp(1.01, -1022)))
	f(exponential{scale: 0, neg: []uint64{1, 1}, negOffset: -1023}, at(0, 0, -math.Ldexp(2, -1022)))
	f(exponential{scale: 0, pos: []uint64{3}, posOffset: -1023}, of(0, 0, 0))
	f(exponential{scale: 0, pos: []uint64{3, 0, 0, 1}, posOffset: -1023}, at(0, 0, 0, 0, math.Ldexp(8, -1022)))
	f(exponential{scale: -10, pos: []uint64{4}, posOffset: -2}, of(0, 0, 0, 0))
	// Empty buckets do not widen the span.
	gap := make([]uint64, 3*MaxBuckets)
	gap[0], gap[len(gap)-1] = 1, 1
	f(exponential{scale: 5, pos: gap, posOffset: minIndex - 1}, of(0, math.Ldexp(roots[30]*1.001, -1022+3*MaxBuckets/perDoubling-1)))
	f(exponential{scale: 5, pos: gap[1:], posOffset: -3*MaxBuckets + 2}, of(1.001))
	f(exponential{scale: 5, pos: []uint64{1}, posOffset: maxIndex}, of(math.MaxFloat64))
	f(exponential{scale: 0, pos: []uint64{1}, posOffset: 1023}, at(0, math.MaxFloat64))
}

func TestExponentialErrors(t *testing.T) {
	f := func(e exponential) {
		t.Helper()
		h := of(1, -2, 0)
		if err := e.mergeInto(h); err == nil {
			t.Errorf("%+v was accepted", e)
		}
		if !h.Equal(of(1, -2, 0)) {
			t.Errorf("%+v: the error changed the histogram", e)
		}
	}
	f(exponential{scale: -11})
	f(exponential{scale: math.MinInt32})
	f(exponential{threshold: -1})
	f(exponential{threshold: math.NaN()})
	f(exponential{threshold: math.Inf(1)})
	f(exponential{scale: 5, pos: []uint64{1}, posOffset: maxIndex + 1})
	f(exponential{scale: 5, neg: []uint64{1}, negOffset: maxIndex + 1})
	f(exponential{scale: 0, pos: []uint64{1}, posOffset: 1024})
	f(exponential{scale: -10, pos: []uint64{1}, posOffset: 1})
	f(exponential{scale: 20, pos: []uint64{1, 1}, posOffset: 1<<30 - 1})
	f(exponential{zero: MaxCount - 2})
	f(exponential{zero: math.MaxUint64})
	f(exponential{pos: []uint64{math.MaxUint64}})
	f(exponential{pos: []uint64{MaxCount, 1}})
	f(exponential{pos: []uint64{1, math.MaxUint64}})
	f(exponential{zero: math.MaxUint64, pos: []uint64{1}, neg: []uint64{1}})
	f(exponential{zero: 1 << 62, pos: []uint64{1 << 62}})
	f(exponential{zero: 1 << 62, pos: []uint64{1 << 62}, neg: []uint64{1 << 62}})
}

func TestZeroThreshold(t *testing.T) {
	h := new(Histogram)
	step := func(e exponential, want float64) {
		t.Helper()
		if err := e.mergeInto(h); err != nil {
			t.Fatal(err)
		}
		if got := buckets(h); len(got) > 0 && h.zero > 0 && got[0].Upper != want {
			t.Errorf("after %+v: zero bucket up to %v, want %v", e, got[0].Upper, want)
		}
	}
	step(exponential{zero: 0, threshold: 7}, 0)
	step(exponential{zero: 1, threshold: 1e-320}, math.Ldexp(1, -1022))
	step(exponential{zero: 1, threshold: 0.5}, 0.5)
	step(exponential{zero: 1, threshold: 0.25}, 0.5)
	// A subnormal bucket is no zero of the sender: the threshold does not apply to it.
	step(exponential{zero: 0, threshold: 9, scale: 0, pos: []uint64{1}, posOffset: -1030}, 0.5)
	o := of(0)
	o.Merge(h)
	if !bytes.Equal(o.AppendBinary(nil)[len(o.AppendBinary(nil))-8:], unhex(t, "000000000000e03f")) {
		t.Errorf("threshold lost in a merge: %x", o.AppendBinary(nil))
	}
}

func FuzzMergeExponential(f *testing.F) {
	f.Add(int32(5), uint64(1), 0.0, int32(0), []byte{1, 2, 3}, int32(0), []byte{})
	f.Add(int32(20), uint64(0), 1e-9, int32(-7), []byte{1, 0, 0, 9}, int32(1<<20), []byte{4})
	f.Add(int32(-10), uint64(0), 0.0, int32(-1), []byte{1, 2}, int32(0), []byte{255})
	f.Add(int32(0), uint64(math.MaxUint64), 0.0, int32(1023), []byte{1}, int32(-1080), []byte{1})
	f.Add(int32(3), uint64(0), math.Inf(1), int32(math.MaxInt32), []byte{1, 1}, int32(math.MinInt32), []byte{1, 1})
	widen := func(data []byte) []uint64 {
		counts := make([]uint64, len(data))
		for i, b := range data {
			counts[i] = uint64(b)
		}
		return counts
	}
	f.Fuzz(func(t *testing.T, scale int32, zero uint64, threshold float64, posOffset int32, pos []byte, negOffset int32, neg []byte) {
		e := exponential{scale, zero, threshold, posOffset, negOffset, widen(pos), widen(neg)}
		want := zero
		for _, c := range append(widen(pos), e.neg...) {
			want += c
		}
		h := new(Histogram)
		if err := e.mergeInto(h); err != nil {
			if !h.Equal(new(Histogram)) {
				t.Fatal("an error changed the histogram")
			}
			return
		}
		if h.Count() != want {
			t.Fatalf("count %d, want %d", h.Count(), want)
		}
		if err := new(Histogram).MergeBinary(h.AppendBinary(nil)); err != nil {
			t.Fatal(err)
		}
		// Before or after other values, all the same.
		a, b := of(1e-9, 5, -3e20), of(1e-9, 5, -3e20)
		a.Merge(h)
		if err := e.mergeInto(b); err != nil {
			t.Fatal(err)
		}
		if !a.Equal(b) {
			t.Fatalf("merged %v\ninto %v", buckets(a), buckets(b))
		}
	})
}
