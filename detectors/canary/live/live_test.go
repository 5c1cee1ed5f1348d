package live

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
)

func canaryOf(judge string) flyball.Canary {
	return flyball.Canary{
		Name: "c", Judge: judge, Alpha: 0.05, Beta: 0.05, Pass: 95, Marginal: 75, Interval: 10 * time.Second, Duration: 10 * time.Minute,
		GroupWeights: map[string]float64{"errors": 60},
		Metrics: []flyball.CanaryMetric{
			{Name: "errors", Kind: "count", Direction: "increase", Margin: 1, Floor: 0.001, Group: "errors", Critical: true},
			{Name: "latency", Kind: "latency", Direction: "increase", Margin: 1.1, Group: "speed"},
			{Name: "load", Kind: "gauge", Direction: "either", Margin: 1.2, Group: "speed"},
		},
	}
}

// cohortLook is a look at one cohort with so many requests of which a share is bad,
// slower by a factor.
func cohortLook(rng *rand.Rand, requests int, bad, slower float64) []detectors.CanaryArm {
	errors, counts := 0.0, map[float64]float64{}
	for range requests {
		if rng.Float64() < bad {
			errors++
		}
		counts[math.Exp2(math.Ceil(8*math.Log2(slower*100*math.Exp(rng.NormFloat64()/3)))/8)]++
	}
	var b []detectors.CanaryBucket
	for upper, n := range counts {
		b = append(b, detectors.CanaryBucket{Upper: upper, Count: n})
	}
	var sorted cohort
	sorted.merge(b)
	return []detectors.CanaryArm{
		{Values: []float64{errors}, Exposure: []float64{float64(requests)}},
		{Buckets: sorted.buckets},
		{Values: []float64{50 + rng.NormFloat64()}},
	}
}

// watch shows a judge n looks at two cohorts and returns what it says at the end, and
// after how many looks it first decided.
func watch(t *testing.T, c flyball.Canary, n int, canary, baseline func(*rand.Rand) []detectors.CanaryArm) (v flyball.Verdict, decided int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	before := make([][]detectors.CanaryArm, len(c.Metrics))
	for range 20 {
		for i, a := range baseline(rng) {
			before[i] = append(before[i], a)
		}
	}
	j, err := New(c, detectors.CanaryBefore{Looks: before})
	if err != nil {
		t.Fatal(err)
	}
	for look := 1; look <= n; look++ {
		var panes []detectors.CanaryLook
		for i, a := range canary(rng) {
			panes = append(panes, detectors.CanaryLook{Canary: a, Baseline: baseline(rng)[i]})
		}
		j.Observe(panes)
		if d := j.Decision(); d != flyball.VerdictInconclusive && decided == 0 {
			decided = look
		}
		if got := j.Verdict(false).Verdict; got != j.Decision() {
			t.Fatalf("after look %d the decision is %s, the verdict %s", look, j.Decision(), got)
		}
	}
	return j.Verdict(true), decided
}

func arms(requests int, bad, slower float64) func(*rand.Rand) []detectors.CanaryArm {
	return func(rng *rand.Rand) []detectors.CanaryArm { return cohortLook(rng, requests, bad, slower) }
}

func nothing(*rand.Rand) []detectors.CanaryArm { return make([]detectors.CanaryArm, 3) }

func TestVerdicts(t *testing.T) {
	f := func(judge string, canary, baseline func(*rand.Rand) []detectors.CanaryArm, want string, atMost int, says string) {
		t.Helper()
		v, decided := watch(t, canaryOf(judge), 60, canary, baseline)
		if v.Verdict != want || v.Judge != judge || len(v.Metrics) != 3 {
			t.Errorf("verdict is %s of %s (%s), want %s", v.Verdict, v.Judge, v.Reason, want)
		}
		if atMost > 0 && (decided == 0 || decided > atMost) {
			t.Errorf("%s is decided after look %d, want at most %d", want, decided, atMost)
		}
		if !strings.Contains(v.Reason+v.Needs, says) {
			t.Errorf("%q and %q do not say %q", v.Reason, v.Needs, says)
		}
	}
	good := arms(300, 0.01, 1)
	f("sequential", good, good, flyball.VerdictPass, 60, "no metric that counts")
	f("sequential", arms(100, 0.05, 1), good, flyball.VerdictFail, 15, "errors")
	f("sequential", arms(100, 0.01, 2), good, flyball.VerdictMarginal, 40, "latency") // half of a group of 40 %
	f("sequential", nothing, good, flyball.VerdictInconclusive, 0, "traffic in the canary")
	f("sequential", good, silent(good), flyball.VerdictInconclusive, 0, "traffic in the baseline")
	f("kayenta", good, good, flyball.VerdictPass, 0, "score is 100")
	f("kayenta", arms(300, 0.05, 1), good, flyball.VerdictFail, 0, "Canary Failed")
	f("kayenta", nothing, good, flyball.VerdictFail, 0, "Missing data")
}

// silent has data before the analysis and none in it.
func silent(before func(*rand.Rand) []detectors.CanaryArm) func(*rand.Rand) []detectors.CanaryArm {
	calls := 0
	return func(rng *rand.Rand) []detectors.CanaryArm {
		if calls++; calls <= 20 {
			return before(rng)
		}
		return nothing(rng)
	}
}

// TestCohortsAreDescribed: a cohort's replicas, values and quantiles are told.
func TestCohortsAreDescribed(t *testing.T) {
	v, _ := watch(t, canaryOf("sequential"), 20, arms(100, 0.02, 1), arms(300, 0.01, 1))
	errors, latency, load := v.Metrics[0], v.Metrics[1], v.Metrics[2]
	if errors.Canary.Exposure != 2000 || errors.Baseline.Exposure != 6000 || errors.Canary.Count != 20 || errors.Canary.Replicas != 1 {
		t.Errorf("errors: %+v", errors.Canary)
	}
	for _, m := range v.Metrics {
		q := m.Canary.Quantiles
		if len(q) != 21 || !(q[0] <= q[10] && q[10] <= q[20]) {
			t.Errorf("%s: quantiles %v", m.Name, q)
		}
	}
	if q := latency.Baseline.Quantiles[10]; q < 90 || q > 110 {
		t.Errorf("the median latency is %v, want about 100", q)
	}
	if math.Abs(float64(load.Baseline.Mean)-50) > 1 || load.Allowed != [2]flyball.Number{flyball.Number(1 / 1.2), 1.2} {
		t.Errorf("load: %+v, allowed %v", load.Baseline, load.Allowed)
	}
}

// TestLatencyNeedsAPast: without any latency from before there is no judge.
func TestLatencyNeedsAPast(t *testing.T) {
	if _, err := New(canaryOf("sequential"), detectors.CanaryBefore{Looks: make([][]detectors.CanaryArm, 3)}); err == nil || !strings.Contains(err.Error(), "thresholds") {
		t.Errorf("got %v", err)
	}
}
