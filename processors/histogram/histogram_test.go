package histogram

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func of(vs ...float64) *Histogram {
	h := new(Histogram)
	for _, v := range vs {
		h.Add(v)
	}
	return h
}

// buckets collects h.Buckets().
func buckets(h *Histogram) []Bucket {
	var out []Bucket
	for b := range h.Buckets() {
		out = append(out, b)
	}
	return out
}

func TestAdd(t *testing.T) {
	f := func(v float64, want bool, wantBuckets ...Bucket) {
		t.Helper()
		for name, add := range map[string]func(*Histogram) bool{
			"Add":  func(h *Histogram) bool { return h.Add(v) },
			"AddN": func(h *Histogram) bool { return h.AddN(v, 1) },
			"Add in range": func(h *Histogram) bool {
				h.Add(v)
				h.Reset()
				return h.Add(v)
			},
		} {
			h := new(Histogram)
			if got := add(h); got != want {
				t.Errorf("%s(%v) = %v, want %v", name, v, got, want)
			}
			if diff := cmp.Diff(wantBuckets, buckets(h)); diff != "" {
				t.Errorf("%s(%v): buckets (-want +got):\n%s", name, v, diff)
			}
			if got := h.Count(); got != uint64(len(wantBuckets)) {
				t.Errorf("%s(%v): count %d", name, v, got)
			}
		}
	}
	tiny := math.Ldexp(1, -1022)
	zero := Bucket{-tiny, tiny, 1}
	f(math.NaN(), false)
	f(math.Copysign(math.NaN(), -1), false)
	f(math.Inf(1), false)
	f(math.Inf(-1), false)
	f(0, true, zero)
	f(math.Copysign(0, -1), true, zero)
	f(tiny, true, zero)
	f(-tiny, true, zero)
	f(math.SmallestNonzeroFloat64, true, zero)
	f(-math.SmallestNonzeroFloat64, true, zero)
	f(math.Nextafter(tiny, 1), true, Bucket{tiny, math.Ldexp(roots[1], -1022), 1})
	f(-math.Nextafter(tiny, 1), true, Bucket{-math.Ldexp(roots[1], -1022), -tiny, 1})
	f(1, true, Bucket{roots[31] / 2, 1, 1})
	f(-1, true, Bucket{-1, -roots[31] / 2, 1})
	f(1.01, true, Bucket{1, roots[1], 1})
	f(1024, true, Bucket{512 * roots[31], 1024, 1})
	f(math.MaxFloat64, true, Bucket{math.Ldexp(roots[31], 1023), math.Inf(1), 1})
}

func TestAddN(t *testing.T) {
	h := of(3)
	if !h.AddN(3, 0) || !h.AddN(3, 4) || !h.AddN(-3, 2) || !h.AddN(0, 7) {
		t.Fatal("AddN refused")
	}
	if h.AddN(math.NaN(), 0) {
		t.Error("AddN accepted NaN")
	}
	if got := h.Count(); got != 14 {
		t.Errorf("count %d, want 14", got)
	}
	if got := h.ZeroCount(); got != 7 {
		t.Errorf("zero count %d, want 7", got)
	}
	if h.AddN(3, MaxCount-13) {
		t.Error("AddN accepted a total above MaxCount")
	}
	if !h.AddN(3, MaxCount-14) {
		t.Error("AddN refused a total of MaxCount")
	}
	if h.Merge(of(1)) {
		t.Error("Merge accepted a total above MaxCount")
	}
	if got := h.Count(); got != MaxCount {
		t.Errorf("count %d, want MaxCount", got)
	}
}

func TestDurationsNeverDownscale(t *testing.T) {
	h := new(Histogram)
	for e := range 64 {
		h.Add(math.Ldexp(1.5, e))
	}
	if h.Scale() != 5 {
		t.Errorf("scale %d with 64 doublings, want 5", h.Scale())
	}
	h.Add(math.Ldexp(1.5, 64))
	if h.Scale() != 4 {
		t.Errorf("scale %d with 65 doublings, want 4", h.Scale())
	}
	h.Add(-1)
	if h.Scale() != 4 {
		t.Errorf("scale %d, want 4 for both signs", h.Scale())
	}
	if h.Reset(); h.Scale() != 5 {
		t.Errorf("scale %d after reset, want 5", h.Scale())
	}
}

func TestWholeRangeFits(t *testing.T) {
	h := of(math.MaxFloat64, math.Nextafter(math.Ldexp(1, -1022), 1), -math.MaxFloat64, -1e-300, 0)
	if h.Scale() != 0 || h.Count() != 5 {
		t.Errorf("scale %d, count %d, want 0 and 5", h.Scale(), h.Count())
	}
	if len(h.pos.counts) > MaxBuckets || len(h.neg.counts) > MaxBuckets {
		t.Errorf("windows of %d and %d buckets", len(h.pos.counts), len(h.neg.counts))
	}
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	vs := latencies(1000, 0.5, 1)
	h, o, c := of(vs...), of(latencies(1000, 0.7, 2)...), new(Histogram)
	data := o.AppendBinary(nil)
	buf := make([]byte, 0, 1<<16)
	h.Merge(o)
	c.CopyFrom(h)
	f := func(name string, step func()) {
		t.Helper()
		if n := testing.AllocsPerRun(10, step); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	f("add", func() {
		h.Reset()
		for _, v := range vs {
			h.Add(v)
		}
	})
	f("merge", func() { h.Merge(o) })
	f("merge binary", func() {
		if err := h.MergeBinary(data); err != nil {
			t.Fatal(err)
		}
	})
	f("append binary", func() { h.AppendBinary(buf) })
	f("append quantilesDD", func() { h.AppendQuantilesDD(buf) })
	f("copy", func() { c.CopyFrom(o) })
	f("another range", func() {
		h.Reset()
		for _, v := range vs {
			h.Add(v / 1000)
		}
	})
	f("quantile", func() { h.Quantile(0.99) })
}

func TestCopiesAreIndependent(t *testing.T) {
	h := of(1, 2, 3, -4, 0, 1e300)
	want := h.AppendBinary(nil)
	c := h.Clone()
	if !c.Equal(h) || !h.Equal(c) {
		t.Fatal("clone differs")
	}
	c.Add(3)
	c.Add(-1e-9)
	if !bytes.Equal(h.AppendBinary(nil), want) {
		t.Error("adding to the clone changed the original")
	}
	if c.Equal(h) {
		t.Error("clone with more values is equal")
	}
	c.CopyFrom(h)
	if !c.Equal(h) {
		t.Error("copy differs")
	}
	c.CopyFrom(c)
	if !c.Equal(h) {
		t.Error("copy from itself differs")
	}
	c.CopyFrom(new(Histogram))
	if c.Count() != 0 || !c.Equal(new(Histogram)) || c.Scale() != 5 {
		t.Error("copy of an empty histogram is not empty")
	}
}

func TestEqual(t *testing.T) {
	f := func(a, b *Histogram, want bool) {
		t.Helper()
		if got := a.Equal(b); got != want {
			t.Errorf("Equal = %v, want %v", got, want)
		}
		if got := b.Equal(a); got != want {
			t.Errorf("Equal the other way = %v, want %v", got, want)
		}
		if got := bytes.Equal(a.AppendBinary(nil), b.AppendBinary(nil)); got != want {
			t.Errorf("encodings equal: %v, want %v", got, want)
		}
	}
	used := of(5, 1e6)
	used.Reset()
	used.Add(2)
	f(new(Histogram), new(Histogram), true)
	f(of(2), used, true)
	f(of(2), of(2.01), false)
	f(of(2), of(-2), false)
	f(of(2), of(0), false)
	f(of(2), of(2, 2), false)
	f(of(2, 3, 3), of(2, 2, 3), false)
	f(of(2, 8, 8), of(2, 4, 8), false)
}

func TestMergeWithItself(t *testing.T) {
	vs := []float64{1, 2, 3, -4, 0, 1e300}
	h := of(vs...)
	h.Merge(h)
	if want := of(append(vs, vs...)...); !h.Equal(want) {
		t.Errorf("got %v, want %v", buckets(h), buckets(want))
	}
}

// TestMergeAcrossScales merges histograms whose windows coincide by index but not
// by scale.
func TestMergeAcrossScales(t *testing.T) {
	fine := []float64{1, 1.2, 1.5, 1.7, 2.5, 3, 3.5, 40, 100, 700}
	for shift := uint(1); shift <= 6; shift++ {
		for _, vs := range [][]float64{{1.5, 3}, {1.01, 9, 1e5}, {5e4, 1e10}, {1, 1 << 20}} {
			coarse := of(vs...)
			coarse.downscale(shift)
			want := of(append(vs, fine...)...)
			want.downscale(shift)
			for _, n := range []int{1, 4, len(fine)} {
				a, b := of(fine[:n]...), of(fine[n:]...)
				c := coarse.Clone()
				c.Merge(a)
				b.Merge(c)
				if !b.Equal(want) {
					t.Errorf("scale %d, %v, %d: got %v, want %v", 5-shift, vs, n, buckets(b), buckets(want))
				}
			}
		}
	}
}
