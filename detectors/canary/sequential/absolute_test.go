package sequential

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/flyball-io/flyball/detectors/canary"
)

func absolute(kind Kind, direction canary.Direction, margin float64, unit string) Metric {
	return Metric{Name: "m", Groups: []string{"g"}, Kind: kind, Direction: direction, Absolute: true, Unit: unit, BucketRatio: 1.02,
		Increase: margin, Decrease: -margin, CriticalIncrease: margin, CriticalDecrease: -margin, Tolerance: 1}
}

// share draws errors out of 600 requests in each arm.
func share(src rand.Source, c, b float64) source {
	rng := rand.New(src)
	return func() Pane {
		common := 0.5 + rng.Float64() // what both arms share
		draw := func(p float64) float64 { return distuv.Poisson{Lambda: 600 * p, Src: src}.Rand() }
		return Pane{
			Canary:   Arm{Values: []float64{draw(b*common + c - b)}, Exposure: []float64{600}},
			Baseline: Arm{Values: []float64{draw(b * common)}, Exposure: []float64{600}},
		}
	}
}

// Margins that are differences: half a percentage point, twenty milliseconds, five of
// whatever a gauge measures.
func TestAbsoluteMargins(t *testing.T) {
	f := func(name string, m Metric, make func(rand.Source) source, want canary.Verdict, says string) {
		t.Helper()
		j, v := watch(t, Default(), 60, []Metric{m}, make(rand.NewPCG(3, 4)))
		d := v.Metrics[0]
		if v.Verdict != want || !strings.Contains(d.Reason, says) {
			t.Errorf("%s: %s, want %s with %q: %s", name, v.Verdict, want, says, d.Reason)
		}
		if !d.Absolute || d.Unit != m.Unit || !(d.Interval[0] <= d.Effect && d.Effect <= d.Interval[1]) {
			t.Errorf("%s: effect %v in %v", name, d.Effect, d.Interval)
		}
		_ = j
	}
	pp := absolute(Counts, canary.Increase, 0.005, "%")
	counts := func(c, b float64) func(rand.Source) source {
		return func(s rand.Source) source { return share(s, c, b) }
	}
	f("2 → 3.5 %", pp, counts(0.035, 0.02), canary.VerdictFail, "more than the allowed 0.5 pp")
	f("0 → 2 %", pp, counts(0.02, 0), canary.VerdictFail, "pp above")
	f("2 → 2.2 %", pp, counts(0.022, 0.02), canary.VerdictPass, "within")
	f("0.01 → 0.1 %, ten times as much", pp, counts(0.001, 0.0001), canary.VerdictPass, "within")
	f("0 → 0", pp, counts(0, 0), canary.VerdictPass, "0 in both")
	f("3.5 → 2 %, which is harm", absolute(Counts, canary.Decrease, 0.005, "%"), counts(0.02, 0.035), canary.VerdictFail, "less than the allowed -0.5 pp")
	f("either way", absolute(Counts, canary.Either, 0.005, "%"), counts(0.035, 0.02), canary.VerdictFail, "more than")
	gauges := func(c, b float64) func(rand.Source) source {
		return func(s rand.Source) source { return normal(s, c, b, 5) }
	}
	g := absolute(Gauge, canary.Increase, 5, "")
	f("100 → 115", g, gauges(115, 100), canary.VerdictFail, "above the baseline")
	f("100 → 103", g, gauges(103, 100), canary.VerdictPass, "within")
	f("0 → 3: no ratio", g, gauges(3, 0), canary.VerdictPass, "within")
	f("100 → 85, which is harm", absolute(Gauge, canary.Decrease, 5, ""), gauges(85, 100), canary.VerdictFail, "below the baseline")
}

// Latencies are compared with those of the baseline shifted by the margin.
func TestAbsoluteLatency(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	base := func() (out []float64) {
		for range 400 {
			out = append(out, 100e6*math.Exp(rng.NormFloat64()/4))
		}
		return out
	}
	buckets := func(values []float64, shift float64) []Bucket {
		var h histogram
		for _, v := range values {
			h.add([]Bucket{{Upper: math.Pow(1.02, math.Ceil(math.Log(v+shift)/math.Log(1.02))), Count: 1}})
		}
		return h.buckets
	}
	f := func(direction canary.Direction, margin, shift float64, want canary.Verdict) {
		t.Helper()
		m := absolute(Latency, direction, margin, "ns")
		for range 60 {
			m.Before = append(m.Before, buckets(base(), 0))
		}
		_, v := watch(t, Default(), 60, []Metric{m}, func() Pane {
			return Pane{Canary: Arm{Buckets: buckets(base(), shift)}, Baseline: Arm{Buckets: buckets(base(), 0)}}
		})
		if v.Verdict != want {
			t.Errorf("%s by %v with a margin of %v: %s, want %s: %s", direction, shift, margin, v.Verdict, want, v.Metrics[0].Reason)
		}
	}
	f(canary.Increase, 20e6, 30e6, canary.VerdictFail)
	f(canary.Increase, 20e6, 10e6, canary.VerdictPass)
	f(canary.Increase, 20e6, 0, canary.VerdictPass)
	f(canary.Decrease, 20e6, -30e6, canary.VerdictFail)
	f(canary.Decrease, 20e6, 0, canary.VerdictPass)
}

// A canary that is worse by just what is allowed fails in at most a fortieth of the
// runs, however often one looks, also with counts in clumps and a load that wanders.
func TestAbsoluteMarginsUnderOptionalStopping(t *testing.T) {
	const runs = 300
	f := func(name string, m Metric, make func(rand.Source) source) {
		t.Helper()
		failed := 0
		for i := range runs {
			_, v := watch(t, Default(), 60, []Metric{m}, make(rand.NewPCG(7, uint64(i))))
			if v.Verdict == canary.VerdictFail {
				failed++
			}
		}
		if rate := float64(failed) / runs; rate > 0.025 {
			t.Errorf("%s: %v of the runs fail, promised at most 0.025", name, rate)
		}
	}
	pp := absolute(Counts, canary.Increase, 0.005, "%")
	f("on a load that varies", pp, func(s rand.Source) source { return share(s, 0.015, 0.01) })
	f("on nothing", pp, func(s rand.Source) source { return share(s, 0.005, 0) })
	f("in clumps", pp, func(s rand.Source) source {
		clump := func(mean float64) float64 {
			return distuv.Poisson{Lambda: distuv.Gamma{Alpha: mean / 2, Beta: 0.5, Src: s}.Rand(), Src: s}.Rand()
		}
		return func() Pane {
			return Pane{Canary: Arm{Values: []float64{clump(9)}, Exposure: []float64{600}}, Baseline: Arm{Values: []float64{clump(6)}, Exposure: []float64{600}}}
		}
	})
	f("a gauge", absolute(Gauge, canary.Increase, 5, ""), func(s rand.Source) source { return normal(s, 105, 100, 5) })
}

func TestAbsoluteMarginsThatAreRefused(t *testing.T) {
	f := func(says string, edit func(*Metric)) {
		t.Helper()
		m := absolute(Latency, canary.Increase, 5, "")
		m.Before = [][]Bucket{{{1, 1}}}
		edit(&m)
		if _, err := New(Default(), []Metric{m}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
	f("above 0", func(m *Metric) { m.Increase = 0 })
	f("below 0", func(m *Metric) { m.Decrease = 1 })
	f("one direction", func(m *Metric) { m.Direction = canary.Either })
	f("edges of buckets", func(m *Metric) { m.BucketRatio = 0 })
}
