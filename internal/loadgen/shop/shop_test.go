package shop

import (
	"math"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func testShop() Config {
	c := Default()
	c.Start = epoch
	c.Duration = 20 * time.Second
	return c
}

// generate plays a whole shop in steps of the given length and calls each for every span.
func generate(t testing.TB, c Config, step time.Duration, each func(*Span)) *Shop {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	for until := c.Start; !s.Done(); {
		until = until.Add(step)
		spans := s.Next(until)
		for i := range spans {
			each(&spans[i])
		}
	}
	return s
}

func TestStepsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := testShop()
		c.Seed = rapid.Uint64().Draw(rt, "seed")
		c.Rate = rapid.Float64Range(20, 3000).Draw(rt, "rate")
		c.Duration = 3 * time.Second
		c.LateShare, c.LateMax = 0.1, 4*time.Second
		var one, other []Span
		generate(t, c, Slot, func(s *Span) { one = append(one, *s) })
		step := time.Duration(rapid.Int64Range(int64(20*time.Millisecond), int64(5*time.Second)).Draw(rt, "step"))
		generate(t, c, step, func(s *Span) { other = append(other, *s) })
		if !slices.EqualFunc(one, other, func(a, b Span) bool {
			return a.ID == b.ID && a.TraceID == b.TraceID && a.Start == b.Start && a.End == b.End && a.Pod() == b.Pod()
		}) {
			rt.Fatalf("steps of %s gave %d spans that differ from the %d of steps of %s", step, len(other), len(one), Slot)
		}
	})
}

func TestRateIsMet(t *testing.T) {
	c := testShop()
	c.Rate, c.Duration = 5000, 40*time.Second
	n := 0.0
	s := generate(t, c, Slot, func(*Span) { n++ })
	if got := n / c.Duration.Seconds(); math.Abs(got-c.Rate) > 0.03*c.Rate {
		t.Errorf("got %.0f spans/s, want %.0f; %.1f spans are expected of a request", got, c.Rate, s.SpansPerRequest())
	}
}

func TestDailyCycle(t *testing.T) {
	c := testShop()
	c.Rate, c.Duration = 2000, 80*time.Second
	c.Day, c.DailyAmplitude = 80*time.Second, 0.8
	c.DailyPeak = time.Duration(c.Start.UnixNano() % int64(c.Day)) // at the very start
	quarters := make([]float64, 5)
	total := 0.0
	generate(t, c, Slot, func(s *Span) {
		quarters[min(4, (s.Start-c.Start.UnixNano())/int64(20*time.Second))]++
		total++
	})
	// The mean of 1 + 0.8 cos over the quarter after the peak is 1 + 0.8·2/π.
	for i, sign := range []float64{1, -1, -1, 1} {
		want := 40_000 * (1 + sign*0.8*2/math.Pi)
		if math.Abs(quarters[i]-want) > 0.06*want {
			t.Errorf("quarter %d of the day has %.0f spans, want about %.0f", i, quarters[i], want)
		}
	}
	if math.Abs(total-160_000) > 5000 {
		t.Errorf("the day has %.0f spans, want about 160,000", total)
	}
}

func TestLatencyQuantiles(t *testing.T) {
	c := testShop()
	c.Duration = time.Minute
	var durations []float64
	generate(t, c, Slot, func(s *Span) {
		if s.Kind() == KindServer && s.Service() == "currency" {
			durations = append(durations, float64(s.Duration()))
		}
	})
	slices.Sort(durations)
	if len(durations) < 2000 {
		t.Fatalf("only %d durations", len(durations))
	}
	// Lognormal: median · exp(z σ), with the shop's 0.4 ms and σ = 0.3.
	for q, z := range map[float64]float64{0.1: -1.2816, 0.5: 0, 0.9: 1.2816, 0.99: 2.3263} {
		got, want := durations[int(q*float64(len(durations)))], 4e5*math.Exp(z*0.3)
		if math.Abs(got-want) > 0.05*want {
			t.Errorf("quantile %v is %.0f ns, want about %.0f", q, got, want)
		}
	}
}

// TestTracesAreWhole checks the tree: one root, parents known, children inside their parents.
func TestTracesAreWhole(t *testing.T) {
	c := testShop()
	traces := map[[16]byte]map[[8]byte]Span{}
	total := 0
	generate(t, c, Slot, func(s *Span) {
		if traces[s.TraceID] == nil {
			traces[s.TraceID] = map[[8]byte]Span{}
		}
		traces[s.TraceID][s.ID] = *s
		total++
	})
	unique := 0
	kinds := map[SpanKind]int{}
	services := map[string]bool{}
	for id, spans := range traces {
		roots := 0
		unique += len(spans)
		for _, s := range spans {
			kinds[s.Kind()]++
			services[s.Service()] = true
			if s.Parent == [8]byte{} {
				roots++
				continue
			}
			parent, ok := spans[s.Parent]
			if !ok {
				t.Fatalf("trace %x: parent of %q is missing", id, s.Name())
			}
			if s.Start < parent.Start || s.Kind() != KindConsumer && parent.Kind() != KindClient && s.End > parent.End {
				t.Fatalf("trace %x: %q [%d, %d] is not inside %q [%d, %d]", id, s.Name(), s.Start, s.End, parent.Name(), parent.Start, parent.End)
			}
			if client := s.Kind() == KindClient || s.Kind() == KindProducer; client != (s.Service() == parent.Service()) {
				t.Fatalf("trace %x: %s span %q of %q is a child of %q", id, s.Kind(), s.Name(), s.Service(), parent.Service())
			}
		}
		if roots != 1 {
			t.Fatalf("trace %x has %d roots", id, roots)
		}
	}
	if unique != total {
		t.Errorf("%d spans share ids with others", total-unique)
	}
	for kind := KindServer; kind <= KindConsumer; kind++ {
		if kinds[kind] == 0 {
			t.Errorf("no %s spans", kind)
		}
	}
	if len(services) < 8 {
		t.Errorf("only %d services: %v", len(services), services)
	}
}

func TestLateAndSkewed(t *testing.T) {
	c := testShop()
	c.LateShare, c.LateMax, c.SkewMax = 0.1, 5*time.Second, 30*time.Millisecond
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	late, total, worst := 0.0, 0.0, time.Duration(0)
	for !s.Done() {
		for _, span := range s.Next(s.Now().Add(Slot)) {
			lag := s.Now().Sub(time.Unix(0, span.End-span.pod.skew))
			worst = max(worst, lag)
			if lag > 3*Slot {
				late++
			}
			total++
			if skew := time.Duration(span.pod.skew).Abs(); skew > c.SkewMax {
				t.Fatalf("clock of %q is off by %s", span.Pod(), skew)
			}
		}
	}
	// A delay is uniform in (0, 5 s]; about 95 % of them are above 250 ms.
	if share := late / total; math.Abs(share-0.095) > 0.008 {
		t.Errorf("share of late spans is %.4f, want about 0.095", share)
	}
	if worst > c.LateMax+Slot || worst < 4*time.Second {
		t.Errorf("the latest span is %s late, want nearly %s", worst, c.LateMax)
	}
}
