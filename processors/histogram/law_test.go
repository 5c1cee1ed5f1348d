package histogram

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// change is one thing that can happen to a histogram.
type change func(t *rapid.T, h *Histogram)

// exponential is an OTLP data point.
type exponential struct {
	scale                int32
	zero                 uint64
	threshold            float64
	posOffset, negOffset int32
	pos, neg             []uint64
}

func (e exponential) mergeInto(h *Histogram) error {
	return h.MergeExponential(e.scale, e.zero, e.threshold, e.posOffset, e.pos, e.negOffset, e.neg)
}

// valueGen yields latencies mostly, and anything finite sometimes.
func valueGen() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.Float64Range(1, 1e10),
		rapid.Float64Range(1e6, 3e6),
		rapid.Float64Range(0.5, 8), // low indexes, which mean something at every scale
		rapid.Float64Range(-1e6, 1e6),
		rapid.Map(rapid.Uint64Range(0, 2*infinityBits), func(u uint64) float64 {
			if v := math.Float64frombits(u); !math.IsNaN(v) && !math.IsInf(v, 0) {
				return v
			}
			return 0
		}),
		rapid.Map(rapid.IntRange(-1074, 1023), func(e int) float64 { return math.Ldexp(1, e) }),
	)
}

// exponentialGen yields valid data points at scales -10 to 20.
func exponentialGen() *rapid.Generator[exponential] {
	return rapid.Custom(func(t *rapid.T) exponential {
		e := exponential{
			scale:     rapid.Int32Range(-10, 20).Draw(t, "scale"),
			zero:      rapid.Uint64Range(0, 3).Draw(t, "zero"),
			threshold: rapid.SampledFrom([]float64{0, 0, 1e-320, 1e-6, 5}).Draw(t, "threshold"),
		}
		draw := func(label string) (int32, []uint64) {
			counts := rapid.SliceOfN(rapid.Uint64Range(0, 3), 0, 40).Draw(t, label)
			lo, hi := math.Ldexp(-1080, int(e.scale)), math.Ldexp(1024, int(e.scale))-float64(len(counts))
			hi = min(hi, math.MaxInt32)
			lo = min(max(lo, math.MinInt32), hi)
			lowest, highest := int32(math.Floor(lo)), int32(hi)
			if rapid.Bool().Draw(t, label+" near 1") && lowest <= 8 && highest >= -8 {
				lowest, highest = max(lowest, -8), min(highest, 8)
			}
			return rapid.Int32Range(lowest, highest).Draw(t, label+" offset"), counts
		}
		e.posOffset, e.pos = draw("positive")
		e.negOffset, e.neg = draw("negative")
		return e
	})
}

func changeGen() *rapid.Generator[change] {
	add := rapid.Map(valueGen(), func(v float64) change {
		return func(t *rapid.T, h *Histogram) {
			if !h.Add(v) {
				t.Fatalf("Add(%v) refused", v)
			}
		}
	})
	addN := rapid.Custom(func(t *rapid.T) change {
		v, n := valueGen().Draw(t, "value"), rapid.Uint64Range(0, 1<<40).Draw(t, "times")
		return func(t *rapid.T, h *Histogram) {
			if !h.AddN(v, n) {
				t.Fatalf("AddN(%v, %d) refused", v, n)
			}
		}
	})
	merge := rapid.Map(exponentialGen(), func(e exponential) change {
		return func(t *rapid.T, h *Histogram) {
			if err := e.mergeInto(h); err != nil {
				t.Fatalf("%+v: %v", e, err)
			}
		}
	})
	explicit := rapid.Map(explicitGen(), func(e explicit) change {
		return func(t *rapid.T, h *Histogram) {
			if err := h.MergeExplicit(e.bounds, e.counts); err != nil {
				t.Fatalf("%+v: %v", e, err)
			}
		}
	})
	// Coarse data points would drown everything else if there were many.
	return rapid.OneOf(add, add, add, add, addN, merge, explicit)
}

// TestAnyOrderAnyGrouping is the law that replay rests on: however changes are ordered,
// split among histograms, and those merged, by pointer or by bytes, the
// encoding comes out the same.
func TestAnyOrderAnyGrouping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		changes := rapid.SliceOfN(changeGen(), 0, 30).Draw(t, "changes")
		direct := new(Histogram)
		for _, c := range changes {
			c(t, direct)
		}
		want := direct.AppendBinary(nil)

		parts := make([]*Histogram, rapid.IntRange(1, 5).Draw(t, "parts"))
		for i := range parts {
			parts[i] = new(Histogram)
			if rapid.Bool().Draw(t, "used before") {
				parts[i].Add(rapid.Float64Range(1, 1e300).Draw(t, "earlier value"))
				parts[i].Reset()
			}
		}
		for _, c := range rapid.Permutation(slices.Clone(changes)).Draw(t, "order") {
			c(t, parts[rapid.IntRange(0, len(parts)-1).Draw(t, "part")])
		}
		for len(parts) > 1 {
			i := rapid.IntRange(0, len(parts)-2).Draw(t, "left")
			a, b := parts[i], parts[i+1]
			if rapid.Bool().Draw(t, "swap") {
				a, b = b, a
			}
			before := b.AppendBinary(nil)
			if rapid.Bool().Draw(t, "by bytes") {
				if err := a.MergeBinary(before); err != nil {
					t.Fatal(err)
				}
			} else if !a.Merge(b) {
				t.Fatal("merge refused")
			}
			if !bytes.Equal(b.AppendBinary(nil), before) {
				t.Fatal("merge changed its argument")
			}
			parts[i] = a
			parts = slices.Delete(parts, i+1, i+2)
		}
		if got := parts[0].AppendBinary(nil); !bytes.Equal(got, want) {
			t.Fatalf("encoding depends on order:\n%x\n%x", got, want)
		}
		if !parts[0].Equal(direct) {
			t.Fatal("not Equal, though the encodings are")
		}
		checkInvariants(t, direct)
		checkInvariants(t, parts[0])
	})
}

// checkInvariants verifies what the rest of the package takes for granted.
func checkInvariants(t *rapid.T, h *Histogram) {
	total, occupied := h.zero, false
	for name, s := range map[string]*store{"positive": &h.pos, "negative": &h.neg} {
		if len(s.counts) > MaxBuckets {
			t.Fatalf("%s window of %d buckets", name, len(s.counts))
		}
		for _, c := range s.counts {
			total += c
		}
		if lo, hi, any := s.occupied(); any {
			occupied = true
			if lo < minIndex>>h.shift || hi > maxIndex>>h.shift {
				t.Fatalf("%s buckets %d to %d at scale %d", name, lo, hi, h.Scale())
			}
		}
	}
	for _, x := range h.explicit.list {
		total += x.count
		if x.widened(h.explicit.level) != x {
			t.Fatalf("%v is not on the grid of level %d", x, h.explicit.level)
		}
	}
	if len(h.explicit.list) > maxIntervals {
		t.Fatalf("%d explicit buckets", len(h.explicit.list))
	}
	if total != h.count {
		t.Fatalf("count %d, buckets sum to %d", h.count, total)
	}
	if h.shift > maxShift || h.shift > 0 && !occupied {
		t.Fatalf("shift %d, occupied %v", h.shift, occupied)
	}
}

// TestScaleIsTheFinestThatFits compares buckets and scale with a model: a map from
// scale 5 buckets to counts, folded until it fits.
func TestScaleIsTheFinestThatFits(t *testing.T) {
	edges := bigEdges()
	rapid.Check(t, func(t *rapid.T) {
		vs := rapid.SliceOfN(rapid.OneOf(valueGen(), rapid.Float64Range(1, 1e9)), 0, 40).Draw(t, "values")
		type signed struct {
			negative bool
			index    int
		}
		model, zeros := map[signed]uint64{}, uint64(0)
		h := new(Histogram)
		for _, v := range vs {
			h.Add(v)
			if math.Abs(v) <= math.Ldexp(1, -1022) {
				zeros++
				continue
			}
			model[signed{v < 0, referenceIndex(edges, math.Abs(v))}]++
		}
		shift := 0
		for {
			folded := map[signed]uint64{}
			lo, hi := map[bool]int{}, map[bool]int{}
			for k, n := range model {
				k.index >>= shift
				folded[k] += n
				if _, seen := lo[k.negative]; !seen {
					lo[k.negative], hi[k.negative] = k.index, k.index
				}
				lo[k.negative], hi[k.negative] = min(lo[k.negative], k.index), max(hi[k.negative], k.index)
			}
			if hi[false]-lo[false] < MaxBuckets && hi[true]-lo[true] < MaxBuckets {
				model = folded
				break
			}
			shift++
		}
		if h.Scale() != 5-shift || h.ZeroCount() != zeros || h.Count() != uint64(len(vs)) {
			t.Fatalf("scale %d, zeros %d, count %d; want %d, %d, %d", h.Scale(), h.ZeroCount(), h.Count(), 5-shift, zeros, len(vs))
		}
		for k, n := range model {
			s := &h.pos
			if k.negative {
				s = &h.neg
			}
			if got := s.at(k.index); got != n {
				t.Fatalf("bucket %+v holds %d, want %d", k, got, n)
			}
		}
	})
}
