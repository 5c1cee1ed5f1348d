package sequential

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/flyball-io/flyball/detectors/canary"
)

// latencies draws a pane's histogram: log-normal around 100 ms, in buckets 2 % wide.
func latencies(rng *rand.Rand, n int, factor float64) []Bucket {
	counts := map[int]float64{}
	for range n {
		counts[int(math.Ceil(math.Log(100*factor*math.Exp(0.5*rng.NormFloat64()))/math.Log(1.02)))]++
	}
	var buckets []Bucket
	for k, c := range counts {
		buckets = append(buckets, Bucket{math.Pow(1.02, float64(k)), c})
	}
	return buckets
}

func latencyMetric(rng *rand.Rand, slow func(pane int) float64) Metric {
	m := errorsMetric("latency")
	m.Kind, m.Tolerance = Latency, DefaultTolerance
	for i := range 60 {
		m.Before = append(m.Before, latencies(rng, 600, slow(i)))
	}
	return m
}

func TestLatency(t *testing.T) {
	never := func(int) float64 { return 1 }
	f := func(name string, want canary.Verdict, baseline, slow func(pane int) float64) {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 1))
			n := 0
			_, v := watch(t, Default(), 60, []Metric{latencyMetric(rng, baseline)}, func() Pane {
				n++
				return Pane{Arm{Buckets: latencies(rng, 600, slow(n))}, Arm{Buckets: latencies(rng, 600, baseline(n+7))}}
			})
			d := v.Metrics[0]
			if v.Verdict != want {
				t.Errorf("got %s: %s", v.Verdict, d.Reason)
			}
			if len(d.Quantiles) != 4 {
				t.Fatalf("%d quantiles", len(d.Quantiles))
			}
			for _, q := range d.Quantiles[:3] {
				if !(q.CanaryBand[0] <= q.Canary && q.Canary <= q.CanaryBand[1]) || !(q.BaselineBand[0] <= q.Baseline && q.Baseline <= q.BaselineBand[1]) {
					t.Errorf("a quantile outside of its band: %+v", q)
				}
			}
		})
	}
	f("the same", canary.VerdictPass, never, never)
	f("a tenth slower", canary.VerdictFail, never, func(int) float64 { return 1.1 })
	f("faster", canary.VerdictPass, never, func(int) float64 { return 0.8 })
	f("three slow minutes", canary.VerdictFail, never, func(pane int) float64 {
		if pane%20 == 10 {
			return 10
		}
		return 1
	})
	often := func(pane int) float64 {
		if pane%10 == 3 {
			return 10
		}
		return 1
	}
	rng := rand.New(rand.NewPCG(2, 2))
	n := 0
	_, v := watch(t, Default(), 60, []Metric{latencyMetric(rng, often)}, func() Pane {
		n++
		return Pane{Arm{Buckets: latencies(rng, 600, often(n))}, Arm{Buckets: latencies(rng, 600, often(n+5))}}
	})
	if v.Verdict == canary.VerdictFail {
		t.Errorf("slow minutes that both arms have: %s", v.Metrics[0].Reason)
	}
}

func TestLatencyWithoutData(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	_, v := watch(t, Default(), 20, []Metric{latencyMetric(rng, func(int) float64 { return 1 })}, func() Pane {
		return Pane{Baseline: Arm{Buckets: latencies(rng, 600, 1)}}
	})
	if v.Verdict != canary.VerdictInconclusive || !strings.Contains(v.Metrics[0].Reason, "the canary has no data") {
		t.Errorf("%s: %s", v.Verdict, v.Metrics[0].Reason)
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	h.add([]Bucket{{4, 2}, {1, 5}, {2, 0}})
	h.add([]Bucket{{2, 3}, {4, 10}})
	for _, c := range []struct{ q, want float64 }{{0, 1}, {0.25, 1}, {0.26, 2}, {0.4, 2}, {0.5, 4}, {1, 4}} {
		if got := h.quantile(c.q); got != c.want {
			t.Errorf("quantile %v: got %v, want %v", c.q, got, c.want)
		}
	}
	if h.above(1) != 15 || h.above(4) != 0 || h.total != 20 {
		t.Errorf("above 1: %v, above 4: %v, of %v", h.above(1), h.above(4), h.total)
	}
	if !math.IsNaN((&histogram{}).quantile(0.5)) {
		t.Error("a quantile of nothing")
	}
}
