package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Lan and DeMets' version of O'Brien and Fleming's bounds for five equal looks at a
// two-sided error of 0.05, as printed in textbooks (Jennison and Turnbull, "Group
// Sequential Methods", and Reboussin et al., 2000).
func TestGroupSequentialBounds(t *testing.T) {
	z := normalQuantile(1 - 0.05/4)
	g := NewGroupSequential(func(f float64) float64 { return 2 * normalCDF(-z/math.Sqrt(f)) })
	for i, want := range []float64{4.8769, 3.3569, 2.6803, 2.2898, 2.0310} {
		f := float64(i+1) / 5
		if got := g.Look(f, f); math.Abs(got-want) > 5e-4 {
			t.Errorf("look %d: got %.4f, want %.4f", i+1, got, want)
		}
	}
}

// However uneven the looks, the error is spent as planned.
func TestGroupSequentialError(t *testing.T) {
	const runs, alpha = 20000, 0.05
	rng := rand.New(rand.NewPCG(6, 6))
	information := []float64{3, 4, 9, 9.0001, 15, 40, 41, 60}
	g := NewGroupSequential(PowerSpending(alpha))
	var bounds []float64
	for _, i := range information {
		bounds = append(bounds, g.Look(i, i/60))
	}
	if !math.IsInf(bounds[3], 1) {
		t.Errorf("a look without new information has the bound %v", bounds[3])
	}
	found := 0
	for range runs {
		sum, last := 0.0, 0.0
		for k, i := range information {
			sum += rng.NormFloat64() * math.Sqrt(i-last)
			last = i
			if sum/math.Sqrt(i) >= bounds[k] {
				found++
				break
			}
		}
	}
	if rate := float64(found) / runs; math.Abs(rate-alpha) > 0.006 {
		t.Errorf("found in %v of the runs, want %v", rate, alpha)
	}
}
