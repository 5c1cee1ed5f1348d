package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"
)

var anchors = []float64{0, math.Log(2), -math.Log(2)}

func drawPanes(t *rapid.T) []RatePane {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) RatePane {
		return RatePane{
			Canary: float64(rapid.IntRange(0, 40).Draw(t, "canary")), Baseline: float64(rapid.IntRange(0, 40).Draw(t, "baseline")),
			CanaryExposure:   float64(rapid.IntRange(0, 3).Draw(t, "canary exposure")),
			BaselineExposure: float64(rapid.IntRange(1, 3).Draw(t, "baseline exposure")),
		}
	}), 0, 20).Draw(t, "panes")
}

func rateRatio(panes []RatePane) *RateRatio {
	r := NewRateRatio(anchors...)
	for _, p := range panes {
		r.Add(p)
	}
	return r
}

func close9(a, b float64) bool {
	return a == b || math.Abs(a-b) <= 1e-9*(1+math.Abs(a)+math.Abs(b)) || math.IsNaN(a) && math.IsNaN(b)
}

// sameEvidence compares all that two e-processes say at an anchor.
func sameEvidence(t *rapid.T, a, b *RateRatio, anchorA, anchorB float64, swapped bool) {
	da, knownA := a.Dispersion(anchorA, nil)
	db, knownB := b.Dispersion(anchorB, nil)
	if knownA != knownB || !close9(da.Factor, db.Factor) || !close9(da.DF, db.DF) {
		t.Fatalf("dispersion %+v %v, %+v %v", da, knownA, db, knownB)
	}
	above, below := b.LogAbove(anchorB, db), b.LogBelow(anchorB, db)
	if swapped {
		above, below = below, above
	}
	if !close9(a.LogAbove(anchorA, da), above) || !close9(a.LogBelow(anchorA, da), below) {
		t.Fatalf("evidence %v, %v and %v, %v", a.LogAbove(anchorA, da), a.LogBelow(anchorA, da), above, below)
	}
}

// The e-process of a stretch is the sum of those of its parts.
func TestRateRatiosAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		panes := drawPanes(t)
		cut := rapid.IntRange(0, len(panes)).Draw(t, "cut")
		again := rapid.IntRange(0, cut).Draw(t, "second cut")
		merged := rateRatio(panes[:again])
		merged.Merge(rateRatio(panes[again:cut]))
		merged.Merge(rateRatio(panes[cut:]))
		for _, a := range anchors {
			sameEvidence(t, rateRatio(panes), merged, a, a, false)
		}
	})
}

// When the arms change places, evidence above a ratio becomes evidence below its
// inverse.
func TestRateRatioHasNoFavourite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		panes := drawPanes(t)
		swapped := make([]RatePane, len(panes))
		for i, p := range panes {
			swapped[i] = RatePane{p.Baseline, p.Canary, p.BaselineExposure, p.CanaryExposure}
		}
		for _, a := range anchors {
			sameEvidence(t, rateRatio(panes), rateRatio(swapped), a, -a, true)
		}
	})
}

// Exposures may be in any unit.
func TestRateRatioHasNoUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		panes := drawPanes(t)
		unit := math.Ldexp(1, rapid.IntRange(-20, 20).Draw(t, "unit"))
		scaled := make([]RatePane, len(panes))
		for i, p := range panes {
			scaled[i] = RatePane{p.Canary, p.Baseline, p.CanaryExposure * unit, p.BaselineExposure * unit}
		}
		sameEvidence(t, rateRatio(panes), rateRatio(scaled), 0, 0, false)
	})
}

// The mixture over the grid is the integral over a uniform prior of the log ratio.
func TestRateRatioIsTheIntegral(t *testing.T) {
	f := func(canary, baseline float64) {
		t.Helper()
		r := NewRateRatio(0)
		r.Add(RatePane{canary, baseline, 1, 1})
		sum, steps := 0.0, 200000
		for i := range steps {
			d := gridFar * (float64(i) + 0.5) / float64(steps)
			p := 1 / (1 + math.Exp(-d))
			sum += math.Exp(canary*math.Log(2*p) + baseline*math.Log(2*(1-p)))
		}
		want := math.Log(sum / float64(steps))
		if got := r.LogAbove(0, PoissonDispersion); math.Abs(got-want) > 0.05 {
			t.Errorf("%v against %v: got %v, want %v", canary, baseline, got, want)
		}
	}
	f(7, 0)
	f(0, 7)
	f(20, 10)
	f(10, 10)
	f(300, 200)
	f(30000, 29000)
}

// Whenever one stops, harm that is not there is found at most as often as promised:
// at every look of every run, with a load that both arms share and that varies, and
// a split that varies too.
func TestRateRatioUnderOptionalStopping(t *testing.T) {
	const runs, looks, alpha = 1500, 200, 0.05
	src := rand.NewPCG(1, 1)
	rng := rand.New(src)
	poisson := func(mean float64) float64 { return distuv.Poisson{Lambda: mean, Src: src}.Rand() }
	found := 0
	for range runs {
		r, load := NewRateRatio(0), 1.0
		for range looks {
			load *= math.Exp(0.2 * rng.NormFloat64())
			share := 0.1 + 0.8*rng.Float64()
			r.Add(RatePane{poisson(5 * load * share), poisson(5 * load * (1 - share)), share, 1 - share})
			if r.LogAbove(0, PoissonDispersion) >= -math.Log(alpha) {
				found++
				break
			}
		}
	}
	if rate := float64(found) / runs; rate > alpha {
		t.Errorf("found harm in %v of the runs, promised at most %v", rate, alpha)
	} else if found == 0 {
		t.Errorf("found no harm in %d runs: the evidence is too weak to be true", runs)
	}
}

// Counts that vary five times more than Poisson counts do not look like harm, and
// the dispersion is found.
func TestRateRatioOfOverdispersedCounts(t *testing.T) {
	const runs, looks, alpha, factor = 400, 60, 0.05, 5.0
	src := rand.NewPCG(2, 2)
	count := func(mean float64) float64 {
		rate := distuv.Gamma{Alpha: mean / (factor - 1), Beta: 1 / (factor - 1), Src: src}.Rand()
		return distuv.Poisson{Lambda: rate, Src: src}.Rand()
	}
	found, taken, sum := 0, 0, 0.0
	for range runs {
		r := NewRateRatio(0)
		corrected, naive := false, false
		for range looks {
			r.Add(RatePane{count(30), count(30), 1, 1})
			d, known := r.Dispersion(0, nil)
			corrected = corrected || known && r.LogAbove(0, d) >= -math.Log(alpha)
			naive = naive || r.LogAbove(0, PoissonDispersion) >= -math.Log(alpha)
		}
		d, _ := r.Dispersion(0, nil)
		sum += d.Factor
		if corrected {
			found++
		}
		if naive {
			taken++
		}
	}
	if rate := float64(found) / runs; rate > alpha {
		t.Errorf("found harm in %v of the runs, promised at most %v", rate, alpha)
	}
	if rate := float64(taken) / runs; rate < 2*alpha {
		t.Errorf("without correction %v: the test shows nothing", rate)
	}
	if mean := sum / runs; mean < 4 || mean > 6 {
		t.Errorf("dispersion %v on average, want about %v", mean, factor)
	}
}

// A reference keeps a canary's bad panes from passing for dispersion.
func TestDispersionFromReference(t *testing.T) {
	var reference ArmCounts
	r := NewRateRatio(0)
	for i := range 60 {
		reference.Add(float64(5+i%3), 1)
		canary := float64(5 + (i+1)%3)
		if i%20 == 10 {
			canary = 300
		}
		r.Add(RatePane{canary, float64(5 + (i+2)%3), 1, 1})
	}
	with, _ := r.Dispersion(0, &reference)
	without, _ := r.Dispersion(0, nil)
	if with.Factor != 1 || without.Factor < 20 {
		t.Errorf("dispersion %v with a reference and %v without", with.Factor, without.Factor)
	}
}

func TestRateRatioInterval(t *testing.T) {
	r := NewRateRatio(anchors...)
	for range 30 {
		r.Add(RatePane{30, 10, 1, 1})
	}
	low, high := r.Interval(PoissonDispersion, 0.05, 0.05)
	if !(low > math.Log(2) && low < math.Log(3) && high > math.Log(3) && high < math.Log(4.5)) {
		t.Errorf("three times the rate: %v to %v", math.Exp(low), math.Exp(high))
	}
	// The ends agree with the evidence.
	for _, a := range anchors {
		if (r.LogAbove(a, PoissonDispersion) >= -math.Log(0.05)) != (a <= low) {
			t.Errorf("anchor %v: evidence %v, but the interval starts at %v", a, r.LogAbove(a, PoissonDispersion), low)
		}
	}
	if n := r.EventsToDecide(math.Log(2), false, PoissonDispersion, 0.05); !math.IsInf(n, 1) {
		t.Errorf("%v events to show that three is below two", n)
	}
}

func TestEventsToDecide(t *testing.T) {
	// 30 against 20: what it says it takes must be what it takes, roughly.
	r := NewRateRatio(0)
	for range 10 {
		r.Add(RatePane{3, 2, 1, 1})
	}
	need := r.EventsToDecide(0, true, PoissonDispersion, 0.01)
	n := 0.0
	for r.LogAbove(0, PoissonDispersion) < math.Log(100) {
		r.Add(RatePane{3, 2, 1, 1})
		n += 5
	}
	if n < 0.7*need || n > 1.6*need {
		t.Errorf("said %v events, took %v", need, n)
	}
}

func TestLogRateBelow(t *testing.T) {
	// No events in 30 panes against a limit of 0.2: e⁶/2 from half of the mixture.
	if got, want := LogRateBelow(0, 30, 0.2, PoissonDispersion), 6-math.Ln2; math.Abs(got-want) > 0.2 {
		t.Errorf("got %v, want about %v", got, want)
	}
	src := rand.NewPCG(3, 3)
	const runs, alpha = 2000, 0.05
	found := 0
	for range runs {
		events := 0.0
		for t := range 100 {
			events += distuv.Poisson{Lambda: 0.2, Src: src}.Rand()
			if LogRateBelow(events, float64(t+1), 0.2, PoissonDispersion) >= -math.Log(alpha) {
				found++
				break
			}
		}
	}
	if rate := float64(found) / runs; rate > alpha || found == 0 {
		t.Errorf("a rate at the limit was found below it in %v of the runs", rate)
	}
}
