package processors

import (
	"math"
	"math/big"
	"math/rand"
	"testing"

	"pgregory.net/rapid"
)

// sumInPieces adds values as the engine does: into partial sums, one after the
// other, which are merged, some of them by way of others.
func sumInPieces(values []float64, pieces int, rng *rand.Rand) Sum {
	parts := make([]Sum, pieces)
	for _, v := range values {
		parts[rng.Intn(pieces)].Add(v)
	}
	for len(parts) > 1 {
		i := rng.Intn(len(parts) - 1)
		parts[i].Merge(SumOf(parts[len(parts)-1].Parts()))
		parts = parts[:len(parts)-1]
	}
	return parts[0]
}

func exactSum(values []float64) float64 {
	total := new(big.Float).SetPrec(2400)
	for _, v := range values {
		total.Add(total, new(big.Float).SetFloat64(v))
	}
	f, _ := total.Float64()
	return f
}

func shuffled(values []float64, rng *rand.Rand) []float64 {
	out := append([]float64(nil), values...)
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func TestSumOfIntegersIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var values []float64
		for _, n := range rapid.SliceOfN(rapid.Int64Range(-1<<53, 1<<53), 1, 200).Draw(t, "values") {
			values = append(values, float64(n))
		}
		rng := rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed")))
		want := exactSum(values)
		for range 5 {
			got := sumInPieces(shuffled(values, rng), 1+rng.Intn(20), rng)
			if got.Value() != want {
				t.Fatalf("the sum is %v, want %v", got.Value(), want)
			}
		}
	})
}

// TestSumOfDurationsInAnyOrder is the workload that it is made for: a million
// nanosecond durations with a heavy tail, split over partitions and flushes.
func TestSumOfDurationsInAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	values := make([]float64, 200_000)
	for i := range values {
		values[i] = math.Floor(math.Exp(rng.NormFloat64()*3 + 17))
	}
	want := exactSum(values)
	for _, pieces := range []int{1, 3, 16, 5000} {
		if got := sumInPieces(shuffled(values, rng), pieces, rng).Value(); got != want {
			t.Errorf("in %d pieces the sum is %v, want %v", pieces, got, want)
		}
	}
}

// TestSumOfFractionsInAnyOrder: other values come out the same in every order
// too, as long as they do not cancel.
func TestSumOfFractionsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(1e-6, 1e9), 1, 300).Draw(t, "values")
		rng := rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed")))
		want := exactSum(values)
		for range 5 {
			if got := sumInPieces(shuffled(values, rng), 1+rng.Intn(20), rng).Value(); got != want {
				t.Fatalf("the sum is %v, want %v", got, want)
			}
		}
	})
}

// TestSumDoesNotOverflow: what Observe lets in never sums to infinity or NaN.
func TestSumDoesNotOverflow(t *testing.T) {
	var s, large Sum
	for i := range 1000 {
		s.Add(math.Copysign(MaxMagnitude, float64(i%3)-0.5))
	}
	large = s
	for range 53 { // 2^63 values
		large.Merge(large)
	}
	if !s.finite() || !large.finite() || s.Value() != -334*MaxMagnitude+666*MaxMagnitude {
		t.Errorf("sums are %v and %v", s.Value(), large.Value())
	}
}
