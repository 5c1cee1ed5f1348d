package histogram

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// latencies returns n lognormal durations in nanoseconds, median 20 ms.
func latencies(n int, sigma float64, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	vs := make([]float64, n)
	for i := range vs {
		vs[i] = math.Floor(20e6 * math.Exp(sigma*r.NormFloat64()))
	}
	return vs
}

// bimodal returns n durations, nine in ten near 2 ms and the rest near 800 ms.
func bimodal(n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 2))
	vs := make([]float64, n)
	for i := range vs {
		mean := 2e6
		if r.Float64() < 0.1 {
			mean = 800e6
		}
		vs[i] = math.Floor(mean * (1 + 0.05*r.NormFloat64()))
	}
	return vs
}

// constant returns n times v.
func constant(n int, v float64) []float64 { return slices.Repeat([]float64{v}, n) }

// exact returns the value of rank floor(q·(n-1)).
func exact(sorted []float64, q float64) float64 {
	return sorted[int(q*float64(len(sorted)-1))]
}

// withinError reports whether got is within α of want, with room for rounding only.
func withinError(got, want, alpha float64) bool {
	return math.Abs(got-want) <= alpha*(1+1e-9)*math.Abs(want)
}

var quantiles = []float64{0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1}

func TestQuantileError(t *testing.T) {
	f := func(name string, vs []float64) {
		t.Helper()
		h := of(vs...)
		sorted := slices.Sorted(slices.Values(vs))
		for _, q := range quantiles {
			if got, want := h.Quantile(q), exact(sorted, q); !withinError(got, want, finestError) {
				t.Errorf("%s: quantile %v = %v, want %v ± 1.083 %%", name, q, got, want)
			}
		}
	}
	for seed := range uint64(5) {
		f("lognormal 0.5", latencies(10000, 0.5, seed))
		f("lognormal 2", latencies(10000, 2, seed))
		f("bimodal", bimodal(10000, seed))
	}
	f("one value", constant(1, 123456))
	f("constant", constant(1000, 123456))
	f("constant power of two", constant(1000, 1<<20))
	f("constant 1", constant(1000, 1))
	f("zeros", constant(1000, 0))
	f("negative constant", constant(1000, -7))
	f("seconds", constant(1000, 1e-9))
}

func TestQuantileErrorOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vs := rapid.SliceOfN(valueGen(), 1, 100).Draw(t, "values")
		h := of(vs...)
		sorted := slices.Sorted(slices.Values(vs))
		q := rapid.OneOf(rapid.Float64Range(0, 1), rapid.SampledFrom(quantiles)).Draw(t, "q")
		got, want := h.Quantile(q), exact(sorted, q)
		if math.Abs(want) <= math.Ldexp(1, -1022) {
			want = 0
		}
		if !withinError(got, want, h.RelativeError()) {
			t.Fatalf("quantile %v = %v, want %v ± %v", q, got, want, h.RelativeError())
		}
	})
}

func TestQuantileOfNothing(t *testing.T) {
	f := func(h *Histogram, q float64) {
		t.Helper()
		if got := h.Quantile(q); !math.IsNaN(got) {
			t.Errorf("quantile %v = %v, want NaN", q, got)
		}
	}
	f(new(Histogram), 0.5)
	f(of(1), -0.1)
	f(of(1), 1.1)
	f(of(1), math.NaN())
	h := of(1)
	h.Reset()
	f(h, 0.5)
}

func TestQuantileAtMaxCount(t *testing.T) {
	h := of(1, 2)
	h.AddN(2, MaxCount-2)
	if got := h.Quantile(1); !withinError(got, 2, finestError) {
		t.Errorf("quantile 1 = %v, want 2", got)
	}
}

func TestCountBelowBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vs := rapid.SliceOfN(valueGen(), 0, 60).Draw(t, "values")
		gens := []*rapid.Generator[float64]{valueGen(), rapid.SampledFrom([]float64{0, math.Inf(1), math.Inf(-1)})}
		if len(vs) > 0 {
			gens = append(gens, rapid.SampledFrom(vs))
		}
		v := rapid.OneOf(gens...).Draw(t, "v")
		below, atMost, near := uint64(0), uint64(0), uint64(0)
		h := of(vs...)
		for _, x := range vs {
			if x < v {
				below++
			}
			if x <= v {
				atMost++
			}
			one := Histogram{shift: h.shift}
			one.Add(x)
			other := Histogram{shift: h.shift}
			if other.Add(v) && one.Equal(&other) {
				near++
			}
		}
		lower, upper := h.CountBelow(v)
		if lower > below || atMost > upper {
			t.Fatalf("CountBelow(%v) = %d, %d; %d values are below, %d at most that", v, lower, upper, below, atMost)
		}
		if upper-lower != near {
			t.Fatalf("CountBelow(%v) leaves %d open, want the %d values of its bucket", v, upper-lower, near)
		}
	})
}

func TestCountBelow(t *testing.T) {
	f := func(h *Histogram, v float64, wantLower, wantUpper uint64) {
		t.Helper()
		if lower, upper := h.CountBelow(v); lower != wantLower || upper != wantUpper {
			t.Errorf("CountBelow(%v) = %d, %d, want %d, %d", v, lower, upper, wantLower, wantUpper)
		}
	}
	h := of(-100, -1, 0, 0, 1, 100, 100, 1000)
	f(h, math.Inf(-1), 0, 0)
	f(h, -200, 0, 0)
	f(h, -100, 0, 1)
	f(h, -50, 1, 1)
	f(h, 0, 2, 4)
	f(h, 0.5, 4, 4)
	f(h, 1, 4, 5)
	f(h, 50, 5, 5)
	f(h, 100, 5, 7)
	f(h, 300, 7, 7)
	f(h, 1e9, 8, 8)
	f(h, math.Inf(1), 8, 8)
	f(h, math.NaN(), 0, 0)
	f(new(Histogram), 1, 0, 0)

	// Values that were zero for a sender with a threshold of 10.
	if err := h.MergeExponential(5, 3, 10, 0, nil, 0, nil); err != nil {
		t.Fatal(err)
	}
	f(h, -50, 1, 1)
	f(h, -10, 1, 6)
	f(h, -5, 1, 6)
	f(h, 0, 2, 7)
	f(h, 5, 3, 8)
	f(h, 10, 3, 8)
	f(h, 11, 8, 8)
}
