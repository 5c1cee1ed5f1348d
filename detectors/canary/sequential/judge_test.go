package sequential

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball/detectors/canary"
)

// source makes the data of a metric, pane by pane.
type source func() Pane

func errorsMetric(name string) Metric {
	return Metric{Name: name, Groups: []string{"all"}, Kind: Counts, Direction: canary.Increase, Increase: 1, Decrease: 1, CriticalIncrease: 1, CriticalDecrease: 1, Tolerance: 1, Floor: 0.2}
}

func gaugeMetric(name string) Metric {
	m := errorsMetric(name)
	m.Kind, m.Tolerance, m.Direction = Gauge, 0.25, canary.Either
	return m
}

func poisson(src rand.Source, canaryMean, baselineMean float64) source {
	return func() Pane {
		draw := func(mean float64) Arm {
			if mean == 0 {
				return Arm{Values: []float64{0}}
			}
			return Arm{Values: []float64{distuv.Poisson{Lambda: mean, Src: src}.Rand()}}
		}
		return Pane{draw(canaryMean), draw(baselineMean)}
	}
}

func normal(src rand.Source, canaryMean, baselineMean, sd float64) source {
	return func() Pane {
		draw := func(mean float64) Arm {
			return Arm{Values: []float64{distuv.Normal{Mu: mean, Sigma: sd, Src: src}.Rand()}}
		}
		return Pane{draw(canaryMean), draw(baselineMean)}
	}
}

func constant(c, b float64) source {
	return func() Pane { return Pane{Arm{Values: []float64{c}}, Arm{Values: []float64{b}}} }
}

func watch(t testing.TB, c Config, panes int, metrics []Metric, sources ...source) (*Judge, Verdict) {
	t.Helper()
	j, err := New(c, metrics)
	if err != nil {
		t.Fatal(err)
	}
	for range panes {
		list := make([]Pane, len(sources))
		for i, s := range sources {
			list[i] = s()
		}
		if err := j.Observe(list); err != nil {
			t.Fatal(err)
		}
	}
	return j, j.Verdict()
}

func critical(m Metric) Metric { m.Critical = true; return m }
func muted(m Metric) Metric    { m.Muted = true; return m }
func mustHave(m Metric) Metric { m.MustHaveData = true; return m }

func TestVerdicts(t *testing.T) {
	src := rand.NewPCG(1, 1)
	nan := math.NaN()
	f := func(name string, want canary.Verdict, reason string, panes int, metrics []Metric, sources ...source) {
		t.Run(name, func(t *testing.T) {
			j, _ := watch(t, Default(), panes, metrics, sources...)
			j.End()
			v := j.Verdict()
			if v.Verdict != want || !strings.Contains(v.Reason, reason) {
				t.Errorf("got %s, %q; want %s with %q", v.Verdict, v.Reason, want, reason)
			}
			decided := v.Verdict != canary.VerdictInconclusive
			thresholds := Default().Thresholds
			if label := thresholds.Label(v.Score); decided && label != map[canary.Verdict]string{canary.VerdictPass: "Pass", canary.VerdictMarginal: "Marginal", canary.VerdictFail: "Fail"}[want] {
				t.Errorf("the score %v says %s", v.Score, label)
			}
			if !decided && (v.Score <= thresholds.Marginal || v.Score >= thresholds.Pass) {
				t.Errorf("inconclusive with a score of %v", v.Score)
			}
			if decided != (v.DecidedAt > 0) {
				t.Errorf("%s, decided at %d", v.Verdict, v.DecidedAt)
			}
		})
	}
	e, g := errorsMetric("errors"), gaugeMetric("cpu")
	f("healthy", canary.VerdictPass, "", 60, []Metric{e, g}, poisson(src, 10, 10), normal(src, 100, 100, 10))
	f("errors", canary.VerdictFail, "errors", 20, []Metric{e, g}, poisson(src, 30, 10), normal(src, 100, 100, 10))
	f("cpu", canary.VerdictFail, "cpu", 60, []Metric{e, g}, poisson(src, 10, 10), normal(src, 130, 100, 10))
	f("fewer errors", canary.VerdictPass, "", 60, []Metric{e}, poisson(src, 2, 10))
	f("too early", canary.VerdictInconclusive, "cpu", 5, []Metric{e, g}, poisson(src, 10, 10), normal(src, 100, 100, 10))
	f("nothing wrong anywhere", canary.VerdictPass, "", 60, []Metric{e}, constant(0, 0))
	f("no data", canary.VerdictInconclusive, "errors", 60, []Metric{e}, constant(nan, nan))
	f("no data, critical", canary.VerdictInconclusive, "errors", 60, []Metric{critical(e)}, constant(nan, nan))
	f("no data, which there must be", canary.VerdictFail, "errors", 60, []Metric{mustHave(e)}, constant(nan, nan))
	f("nothing counts", canary.VerdictInconclusive, "no metric counts", 60, []Metric{muted(e)}, poisson(src, 30, 10))
	f("muted", canary.VerdictPass, "", 60, []Metric{muted(e), g}, poisson(src, 30, 10), normal(src, 100, 100, 10))
	five := []Metric{e, errorsMetric("b"), errorsMetric("c"), errorsMetric("d"), errorsMetric("f")}
	ok := poisson(src, 10, 10)
	f("one of five", canary.VerdictMarginal, "errors", 60, five, poisson(src, 40, 10), ok, ok, ok, ok)
	five[0] = critical(e)
	f("one of five, critical", canary.VerdictFail, "critical metric errors", 60, five, poisson(src, 40, 10), ok, ok, ok, ok)
	five[1] = critical(errorsMetric("b"))
	f("a critical one without data", canary.VerdictInconclusive, "b", 60, five, ok, constant(nan, nan), ok, ok, ok)
}

// A critical metric that is worse than allowed by less than is critical counts like
// any other.
func TestCriticalSize(t *testing.T) {
	m := critical(errorsMetric("errors"))
	m.CriticalIncrease = 5
	five := []Metric{m, errorsMetric("b"), errorsMetric("c"), errorsMetric("d"), errorsMetric("e")}
	ok := poisson(rand.NewPCG(2, 2), 10, 10)
	_, v := watch(t, Default(), 60, five, poisson(rand.NewPCG(3, 3), 30, 10), ok, ok, ok, ok)
	if v.Verdict != canary.VerdictMarginal || v.Metrics[0].Classification != canary.High || v.Metrics[0].Critical {
		t.Errorf("%s, %s, critical %v", v.Verdict, v.Metrics[0].Classification, v.Metrics[0].Critical)
	}
}

// A series that is absent while there is traffic is no errors; without traffic
// there are no data.
func TestAbsence(t *testing.T) {
	nan := math.NaN()
	f := func(canaryValue, canaryTraffic float64, want canary.Verdict) {
		t.Helper()
		m := errorsMetric("errors")
		m.Floor = DefaultFloorShare
		_, v := watch(t, Default(), 60, []Metric{m}, func() Pane {
			return Pane{
				Canary:   Arm{Values: []float64{canaryValue}, Exposure: []float64{canaryTraffic}},
				Baseline: Arm{Values: []float64{nan}, Exposure: []float64{600}},
			}
		})
		if v.Verdict != want {
			t.Errorf("canary value %v, traffic %v: got %s (%s), want %s", canaryValue, canaryTraffic, v.Verdict, v.Reason, want)
		}
	}
	f(nan, 600, canary.VerdictPass)
	f(5, 600, canary.VerdictFail)
	f(nan, 0, canary.VerdictInconclusive)
	f(nan, nan, canary.VerdictInconclusive)
	f(5, nan, canary.VerdictInconclusive)
}

// Both arms may have any traffic, and it may change.
func TestExposureVaries(t *testing.T) {
	src := rand.NewPCG(4, 4)
	rng := rand.New(src)
	f := func(ratio float64, want canary.Verdict) {
		t.Helper()
		_, v := watch(t, Default(), 60, []Metric{errorsMetric("errors")}, func() Pane {
			n, m := 100+900*rng.Float64(), 5000+5000*rng.Float64()
			draw := func(rate float64) []float64 { return []float64{distuv.Poisson{Lambda: rate, Src: src}.Rand()} }
			return Pane{
				Canary:   Arm{Values: draw(0.01 * ratio * n), Exposure: []float64{n}},
				Baseline: Arm{Values: draw(0.01 * m), Exposure: []float64{m}},
			}
		})
		if v.Verdict != want {
			t.Errorf("%v times the errors: got %s, %s", ratio, v.Verdict, v.Metrics[0].Reason)
		}
	}
	f(1, canary.VerdictPass)
	f(2, canary.VerdictFail)
}

func TestAutocorrelatedGaugeIsRefused(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	x := 0.0
	_, v := watch(t, Default(), 60, []Metric{gaugeMetric("memory")}, func() Pane {
		x = 0.97*x + rng.NormFloat64()
		return Pane{Arm{Values: []float64{100 + x}}, Arm{Values: []float64{100}}}
	})
	d := v.Metrics[0]
	if d.Classification != canary.Inconclusive || !strings.Contains(d.Reason, "too autocorrelated") || d.Needs == nil || d.Needs.Panes < 60 {
		t.Errorf("%s: %s (%+v)", d.Classification, d.Reason, d.Needs)
	}
}

// An offset between pods is not a difference between versions, once there are pods
// to tell by.
func TestPods(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	arm := func(offsets []float64) Arm {
		a := Arm{}
		for _, o := range offsets {
			a.Values = append(a.Values, 100+10*o+10*rng.NormFloat64())
		}
		return a
	}
	canaryPods, baselinePods := []float64{1.2, 0.1, 0.5}, []float64{-0.5, 0.4, -0.8}
	mean := func(a Arm) Arm { return Arm{Values: []float64{(a.Values[0] + a.Values[1] + a.Values[2]) / 3}} }
	_, pods := watch(t, Default(), 60, []Metric{gaugeMetric("cpu")}, func() Pane { return Pane{arm(canaryPods), arm(baselinePods)} })
	_, averaged := watch(t, Default(), 60, []Metric{gaugeMetric("cpu")}, func() Pane { return Pane{mean(arm(canaryPods)), mean(arm(baselinePods))} })
	if d := pods.Metrics[0]; d.Classification == canary.High || d.PodEffect == nil || *d.PodEffect < 0.01 || *d.PodEffect > 0.1 {
		t.Errorf("with pods: %s, pod effect %v", d.Reason, d.PodEffect)
	}
	d := averaged.Metrics[0]
	if d.Classification != canary.High || d.PodEffect != nil || !strings.Contains(strings.Join(d.Notes, " "), "offset between pods") {
		t.Errorf("without pods: %s, pod effect %v, notes %q", d.Reason, d.PodEffect, d.Notes)
	}
}

func TestTrafficSplit(t *testing.T) {
	c := Default()
	c.CanaryShare = 0.5
	f := func(share float64, want canary.Verdict) {
		t.Helper()
		src := rand.NewPCG(7, 7)
		_, v := watch(t, c, 60, []Metric{errorsMetric("errors")}, func() Pane {
			n := distuv.Poisson{Lambda: 1200 * share, Src: src}.Rand()
			m := distuv.Poisson{Lambda: 1200 * (1 - share), Src: src}.Rand()
			draw := func(rate float64) []float64 { return []float64{distuv.Poisson{Lambda: rate, Src: src}.Rand()} }
			return Pane{Arm{draw(n / 50), []float64{n}, nil}, Arm{draw(m / 50), []float64{m}, nil}}
		})
		if v.Verdict != want {
			t.Errorf("share %v: got %s, %s", share, v.Verdict, v.Reason)
		}
		if want == canary.VerdictInconclusive && !strings.Contains(v.Reason, "of the traffic instead of 50 %") {
			t.Errorf("share %v: %s", share, v.Reason)
		}
	}
	f(0.5, canary.VerdictPass)
	f(0.51, canary.VerdictPass)
	f(0.3, canary.VerdictInconclusive)
	f(0.7, canary.VerdictInconclusive)
}

func TestWarmup(t *testing.T) {
	c := Default()
	c.Warmup = 5
	n := 0
	src := rand.NewPCG(8, 8)
	ok := poisson(src, 10, 10)
	_, v := watch(t, c, 60, []Metric{errorsMetric("errors")}, func() Pane {
		if n++; n <= 5 {
			return Pane{Arm{Values: []float64{1000}}, Arm{Values: []float64{10}}}
		}
		return ok()
	})
	if v.Verdict != canary.VerdictPass || v.Metrics[0].Panes != 55 {
		t.Errorf("%s: %s", v.Verdict, v.Metrics[0].Reason)
	}
}

// What the verdict says it needs is about what it takes.
func TestNeeds(t *testing.T) {
	f := func(name string, m Metric, s source) {
		t.Run(name, func(t *testing.T) {
			j, v := watch(t, Default(), 20, []Metric{m}, s)
			if v.Verdict != canary.VerdictInconclusive || v.Needs == nil || !strings.Contains(v.Reason, v.Needs.Text) {
				t.Fatalf("%s: %s, needs %+v", v.Verdict, v.Reason, v.Needs)
			}
			need, took := v.Needs.Panes, 0.0
			for j.Verdict().Verdict == canary.VerdictInconclusive && took < 2000 {
				if err := j.Observe([]Pane{s()}); err != nil {
					t.Fatal(err)
				}
				took++
			}
			if took < need/3 || took > need*3+5 {
				t.Errorf("said %v panes (%s), took %v", need, v.Needs.Text, took)
			}
		})
	}
	f("errors", errorsMetric("errors"), poisson(rand.NewPCG(9, 9), 1, 1))
	f("no errors", errorsMetric("errors"), constant(0, 0))
	f("gauge", gaugeMetric("cpu"), normal(rand.NewPCG(10, 10), 100, 100, 30))
	broken := errorsMetric("errors")
	broken.Tolerance = 0.01
	f("more errors", broken, constant(6, 4))
}

// A fixed horizon finds with less what an open end finds.
func TestHorizon(t *testing.T) {
	const runs = 12
	found := map[int]int{}
	for run := range uint64(runs) {
		for _, horizon := range []int{0, 60} {
			c := Default()
			c.Horizon = horizon
			_, v := watch(t, c, 60, []Metric{errorsMetric("errors")}, poisson(rand.NewPCG(12, run), 66, 60))
			if v.Verdict == canary.VerdictFail {
				found[horizon]++
			}
		}
	}
	if found[60] < runs*8/10 || found[60] <= found[0] {
		t.Errorf("a tenth more of 60 errors a minute: found %d of %d with a horizon and %d without", found[60], runs, found[0])
	}
}

// The verdict does not change with the unit of a gauge.
func TestGaugeHasNoUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		unit := math.Ldexp(1, rapid.IntRange(-30, 30).Draw(t, "unit"))
		shift := rapid.Float64Range(0.5, 1.5).Draw(t, "shift")
		verdict := func(unit float64) Verdict {
			j, err := New(Default(), []Metric{gaugeMetric("cpu")})
			if err != nil {
				t.Fatal(err)
			}
			s := normal(rand.NewPCG(seed, 1), 100*shift, 100, 10)
			for range 40 {
				p := s()
				p.Canary.Values[0] *= unit
				p.Baseline.Values[0] *= unit
				if err := j.Observe([]Pane{p}); err != nil {
					t.Fatal(err)
				}
			}
			v := j.Verdict()
			v.Metrics[0].Canary.Mean, v.Metrics[0].Baseline.Mean = 0, 0
			return v
		}
		if diff := cmp.Diff(asJSON(t, verdict(1)), asJSON(t, verdict(unit))); diff != "" {
			t.Fatalf("in another unit:\n%s", diff)
		}
	})
}

// When the arms change places, an increase becomes a decrease.
func TestGaugeHasNoFavourite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		shift := rapid.Float64Range(0.7, 1.4).Draw(t, "shift")
		m := gaugeMetric("cpu")
		m.Increase, m.Decrease = 1.1, 1/1.1
		one, other := newGauge(m, 0), newGauge(m, 0)
		s := normal(rand.NewPCG(seed, 1), 100*shift, 100, 10)
		for range 40 {
			p := s()
			one.observe(p)
			other.observe(Pane{p.Baseline, p.Canary})
		}
		a, b := one.assess(), other.assess()
		if math.Abs(a.up-b.down) > 1e-6*(1+math.Abs(a.up)) || math.Abs(a.down-b.up) > 1e-6*(1+math.Abs(a.down)) {
			t.Fatalf("%+v and %+v", a, b)
		}
	})
}

func asJSON(t interface{ Fatal(...any) }, v any) string {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestNewRefuses(t *testing.T) {
	f := func(want string, change func(*Config, *Metric)) {
		t.Helper()
		c, m := Default(), errorsMetric("errors")
		change(&c, &m)
		if _, err := New(c, []Metric{m}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f("alpha", func(c *Config, _ *Metric) { c.Alpha = 0 })
	f("beta", func(c *Config, _ *Metric) { c.Beta = 1 })
	f("horizon", func(c *Config, _ *Metric) { c.Horizon = -1 })
	f("canary share", func(c *Config, _ *Metric) { c.CanaryShare = 1 })
	f("marginal", func(c *Config, _ *Metric) { c.Thresholds.Marginal = 99 })
	f("warm-up", func(c *Config, _ *Metric) { c.Warmup = -1 })
	f("length", func(c *Config, _ *Metric) { c.PaneLength = 0 })
	f("kind", func(_ *Config, m *Metric) { m.Kind = "text" })
	f("increase", func(_ *Config, m *Metric) { m.Increase = 0.5 })
	f("decrease", func(_ *Config, m *Metric) { m.Decrease = 2 })
	f("tolerance", func(_ *Config, m *Metric) { m.Tolerance = 0 })
	f("floor", func(_ *Config, m *Metric) { m.Floor = -1 })
	f("before the canary", func(_ *Config, m *Metric) { m.Kind = Latency })
	j, err := New(Default(), []Metric{errorsMetric("errors")})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Observe(nil); err == nil {
		t.Error("took a pane without metrics")
	}
	j.End()
	if err := j.Observe([]Pane{{}}); err == nil {
		t.Error("took a pane after the end")
	}
}
