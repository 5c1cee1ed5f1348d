package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
)

// With many degrees of freedom the evidence is the one-sided normal mixture.
func TestMeanEvidenceIsTheNormalMixture(t *testing.T) {
	for _, s := range []float64{-20, -3, 0, 5, 30, 80} {
		m := MeanEvidence{Estimate: s / 100, Variance: 0.01, DF: math.Inf(1), Planned: 0.01, Alpha: 0.05}
		got, want := m.LogAbove(0), NewNormalMixture(100, 0.05, true).LogEvidence(s, 100)
		if math.Abs(got-want) > 1e-9*(1+math.Abs(want)) {
			t.Errorf("sum %v: got %v, want %v", s, got, want)
		}
		if below := m.LogBelow(2 * s / 100); math.Abs(below-got) > 1e-12 {
			t.Errorf("sum %v: %v above 0, but %v below its double", s, got, below)
		}
	}
}

// The mixture's boundary is the published radius of the asymptotic confidence
// sequence, sd·√(2(tr²+1)/(t²r²)·ln(√(tr²+1)/α)).
func TestAsymptoticConfidenceSequence(t *testing.T) {
	const alpha, planned = 0.05, 60.0
	r2 := (-2*math.Log(alpha) + math.Log(-2*math.Log(alpha)+1)) / planned
	for _, n := range []float64{15, 60, 600} {
		want := math.Sqrt(2 * (n*r2 + 1) / (n * n * r2) * math.Log(math.Sqrt(n*r2+1)/alpha))
		got := MixtureBound(NewNormalMixture(planned, alpha, false), n, alpha, math.Inf(1)) / n
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("radius after %v: got %v, want %v", n, got, want)
		}
	}
}

func TestMeanEvidenceEnds(t *testing.T) {
	m := MeanEvidence{Estimate: 3, Variance: 0.04, DF: 20, Planned: 0.04, Alpha: 0.025}
	low, high := m.Lower(0.05), m.Upper(0.01)
	if got := m.LogAbove(low); math.Abs(got-math.Log(20)) > 1e-6 {
		t.Errorf("evidence %v at the lower end", got)
	}
	if got := m.LogBelow(high); math.Abs(got-math.Log(100)) > 1e-6 {
		t.Errorf("evidence %v at the upper end", got)
	}
	few := MeanEvidence{Estimate: 3, Variance: 0.04, DF: 0.2, Planned: 0.04, Alpha: 0.025}
	if !math.IsInf(few.Lower(0.001), -1) {
		t.Errorf("an interval from next to nothing: %v", few.Lower(0.001))
	}
	constant := MeanEvidence{Estimate: 3, DF: 20, Alpha: 0.025}
	if constant.LogAbove(2) < 10 || !math.IsInf(constant.LogAbove(4), -1) || constant.LogAbove(3) > 0 {
		t.Errorf("constant differences: %v, %v, %v", constant.LogAbove(2), constant.LogAbove(4), constant.LogAbove(3))
	}
}

func autoregressive(rng *rand.Rand, rho float64, n int) []float64 {
	values := []float64{rng.NormFloat64()}
	for len(values) < n {
		values = append(values, rho*values[len(values)-1]+math.Sqrt(1-rho*rho)*rng.NormFloat64())
	}
	return values
}

// Watched at every pane, a mean of 0 is found above 0 no more often than promised,
// also when values follow one another.
func TestMeanUnderOptionalStopping(t *testing.T) {
	const runs, looks, alpha = 1000, 60, 0.05
	f := func(rho float64) {
		t.Run(fmt.Sprint(rho), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(4, uint64(100*rho)))
			found := 0
			for range runs {
				values := autoregressive(rng, rho, looks)
				for n := 15; n <= looks; n++ {
					r := NewLongRun(values[:n])
					e := MeanEvidence{r.Mean, r.Variance, r.DF, r.Variance * float64(n) / looks, alpha}
					if r.DF >= 10 && e.LogAbove(0) >= -math.Log(alpha) {
						found++
						break
					}
				}
			}
			if rate := float64(found) / runs; rate > alpha {
				t.Errorf("found in %v of the runs, promised at most %v", rate, alpha)
			}
		})
	}
	f(0)
	f(0.5)
	f(0.9)
}

func TestNewLongRun(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	f := func(rho float64, n int) {
		t.Helper()
		want := (1 + rho) / (1 - rho) / float64(n)
		r := NewLongRun(autoregressive(rng, rho, n))
		if r.Variance < 0.8*want || r.Variance > 1.5*want {
			t.Errorf("AR(%v): variance of the mean %v, want about %v", rho, r.Variance, want)
		}
	}
	f(0, 5000)
	f(0.5, 5000)
	f(0.8, 20000)
	if r := NewLongRun([]float64{2, 2, 2, 2}); r.Variance != 0 || r.Mean != 2 || r.DF != 3 {
		t.Errorf("constant values: %+v", r)
	}
	if r := NewLongRun([]float64{1, 2}); !math.IsInf(r.Variance, 1) {
		t.Errorf("two values: %+v", r)
	}
}

// NIST's Statistical Reference Datasets, univariate: hard cases for the mean, the
// standard deviation and the lag-1 autocorrelation.
func TestStrdUnivariate(t *testing.T) {
	var file struct {
		S struct {
			Cases []struct {
				Name string
				Mean float64
				SD   float64
				Lag1 float64 `json:"lag1_autocorr"`
			}
		} `json:"streaming_mean_var_nist_strd"`
	}
	shared(t, "reference_vectors.json", &file)
	alternating := func(first, low, high float64) []float64 {
		return append([]float64{first}, slices.Repeat([]float64{low, high}, 500)...)
	}
	data := map[string][]float64{
		"NumAcc1": {10000001, 10000003, 10000002},
		"NumAcc3": alternating(1000000.2, 1000000.1, 1000000.3),
		"NumAcc4": alternating(10000000.2, 10000000.1, 10000000.3),
	}
	if len(file.S.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range file.S.Cases {
		values := data[c.Name]
		mean, variance := stat.MeanVariance(values, nil)
		if math.Abs(mean-c.Mean) > 1e-7 || math.Abs(math.Sqrt(variance)-c.SD) > 1e-7 || math.Abs(Autocorrelation(values, 1)-c.Lag1) > 1e-6 {
			t.Errorf("%s: %v, %v, %v; want %v, %v, %v", c.Name, mean, math.Sqrt(variance), Autocorrelation(values, 1), c.Mean, c.SD, c.Lag1)
		}
	}
}

func TestEBH(t *testing.T) {
	f := func(e []float64, alpha float64, want ...bool) {
		t.Helper()
		logs := make([]float64, len(e))
		for i, v := range e {
			logs[i] = math.Log(v)
		}
		if got := EBH(logs, alpha); !slices.Equal(got, want) {
			t.Errorf("%v at %v: got %v, want %v", e, alpha, got, want)
		}
	}
	f(nil, 0.05)
	f([]float64{20}, 0.05, true)
	f([]float64{19}, 0.05, false)
	f([]float64{1, 39, 1}, 0.05, false, false, false)
	f([]float64{0, 60, 1}, 0.05, false, true, false)
	// Neither of the two reaches 60 alone, but both reach 60/2.
	f([]float64{31, 1, 35}, 0.05, true, false, true)
	// The third carries the others although the second falls short of its own.
	f([]float64{20, 100, 29}, 0.05, true, true, true)
}
