package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// pastCounts draws the past of a baseline with so many events a pane, times a factor.
func pastCounts(src rand.Source, stretches int, mean float64, factor func() float64) *Past {
	const length = 15
	var x, e []float64
	for range stretches {
		events := 0.0
		for range length {
			events += distuv.Poisson{Lambda: mean * factor(), Src: src}.Rand()
		}
		x, e = append(x, events), append(e, length)
	}
	return NewPast(length, x, e)
}

func steady() float64 { return 1 }

// harmful is a canary with three times the errors, some minutes into its analysis.
func harmful() *RateRatio {
	r := NewRateRatio(0)
	for range 12 {
		r.Add(RatePane{2, 1, 1, 1})
	}
	return r
}

// What the baseline had before is evidence, as far as it is steady and today's
// baseline bears it out, and never more than its most.
func TestPastIsEvidence(t *testing.T) {
	f := func(name string, p *Past, least, most float64) {
		t.Helper()
		with, without := harmful(), harmful()
		with.Borrow(p, MostBorrowed)
		gain := with.LogAbove(0, PoissonDispersion) - without.LogAbove(0, PoissonDispersion)
		if gain < least || gain > most {
			t.Errorf("%s: the past adds %v to the evidence, want %v to %v", name, gain, least, most)
		}
	}
	src := rand.NewPCG(1, 1)
	rng := rand.New(src)
	f("none", nil, 0, 0)
	f("empty", NewPast(15, nil, nil), 0, 0)
	f("without exposure", NewPast(15, []float64{1, 2}, []float64{0, 0}), 0, 0)
	f("steady", pastCounts(src, 96, 1, steady), 1, math.Log(MostBorrowed))
	f("an hour only", pastCounts(src, 4, 1, steady), 0.1, math.Log(MostBorrowed))
	f("steady, and far lower than today", pastCounts(src, 96, 0.05, steady), -0.5, math.Log(MostBorrowed))
	log := 0.0
	f("wandering", pastCounts(src, 96, 1, func() float64 { log += 0.1 * rng.NormFloat64(); return math.Exp(log) }), -0.5, 0.8)
	f("as bad as the canary", pastCounts(src, 96, 2, steady), -10, -0.2)
}

// Rates that wander by themselves, in both arms and before, are not harm, whenever one
// stops.
func TestPastUnderOptionalStopping(t *testing.T) {
	const runs, looks, alpha = 150, 60, 0.05
	f := func(name string, mean float64, wander func(*rand.Rand) func() float64) {
		t.Helper()
		found := 0
		for i := range runs {
			src := rand.NewPCG(9, uint64(i))
			factor := wander(rand.New(src))
			r := NewRateRatio(0)
			r.Borrow(pastCounts(src, 96, mean, factor), MostBorrowed)
			for range looks {
				rate := distuv.Poisson{Lambda: mean * factor(), Src: src}
				r.Add(RatePane{rate.Rand(), rate.Rand(), 1, 1})
				if d, known := r.Dispersion(0, nil); known && r.LogAbove(0, d) >= -math.Log(alpha) {
					found++
					break
				}
			}
		}
		if rate := float64(found) / runs; rate > alpha {
			t.Errorf("%s: harm in %v of the runs, promised at most %v", name, rate, alpha)
		}
	}
	f("steady", 1, func(*rand.Rand) func() float64 { return steady })
	f("random walk", 3, func(r *rand.Rand) func() float64 {
		log := 0.0
		return func() float64 { log += 0.05 * r.NormFloat64(); return math.Exp(log) }
	})
	f("autocorrelated", 1, func(r *rand.Rand) func() float64 {
		x := r.NormFloat64()
		return func() float64 { x = 0.97*x + math.Sqrt(1-0.97*0.97)*r.NormFloat64(); return math.Exp(x / 2) }
	})
}

// Counts that always came in clumps are known to, from the first pane.
func TestPastKnowsTheDispersion(t *testing.T) {
	src := rand.NewPCG(2, 2)
	clump := func() float64 { return distuv.Gamma{Alpha: 0.75, Beta: 0.75, Src: src}.Rand() }
	r := NewRateRatio(0)
	r.Borrow(pastCounts(src, 96, 3, clump), 1) // variance five times the mean
	r.Add(RatePane{9, 3, 1, 1})
	d, known := r.Dispersion(0, nil)
	if !known || d.Factor < 2.5 || d.Factor > 8 {
		t.Errorf("dispersion %v, known %v, want about 5", d.Factor, known)
	}
}
