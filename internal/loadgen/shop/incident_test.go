package shop

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// tally counts spans that start in [from, to) after the epoch.
type tally struct {
	count, errors float64
	durations     []float64
}

func (t *tally) errorShare() float64 { return t.errors / t.count }

func (t *tally) median() float64 {
	slices.Sort(t.durations)
	return t.durations[len(t.durations)/2]
}

// during plays 30 s of c and tallies server spans by "service version" within three spans of time:
// before 10 s, from 10 to 20 s, and after.
func during(t *testing.T, c Config) [3]map[string]*tally {
	t.Helper()
	c.Duration, c.Rate = 30*time.Second, 6000
	out := [3]map[string]*tally{{}, {}, {}}
	generate(t, c, Slot, func(s *Span) {
		third := min(2, (s.Start-c.Start.UnixNano())/int64(10*time.Second))
		if s.Kind() == KindClient || s.Kind() == KindProducer {
			return
		}
		for _, key := range []string{s.Service(), s.Service() + " " + s.Version(), s.Service() + " " + s.Route()} {
			if out[third][key] == nil {
				out[third][key] = &tally{}
			}
			in := out[third][key]
			in.count++
			in.durations = append(in.durations, float64(s.Duration()))
			if s.Failed() {
				in.errors++
			}
		}
	})
	return out
}

func middle(kind Kind, service string, severity float64) Incident {
	return Incident{Kind: kind, Service: service, Start: 10 * time.Second, Duration: 10 * time.Second, Severity: severity}
}

func TestErrorBurst(t *testing.T) {
	c := testShop()
	c.Incidents = []Incident{middle(ErrorBurst, "catalog", 0.4)}
	thirds := during(t, c)
	for i, low := range []bool{true, false, true} {
		share := thirds[i]["catalog"].errorShare()
		if low && share > 0.02 || !low && (share < 0.37 || share > 0.43) {
			t.Errorf("catalog fails with a share of %.3f in third %d", share, i)
		}
	}
	// A search needs one catalog call; the front page's recommendations are optional.
	if share := thirds[1]["search"].errorShare(); share < 0.34 || share > 0.46 {
		t.Errorf("search fails with a share of %.3f while catalog fails with 0.4", share)
	}
	if share := thirds[1]["frontend /cart"].errorShare(); share > 0.35 {
		t.Errorf("frontend /cart fails with a share of %.3f", share)
	}
}

func TestLatencyRegressionOfOneVersion(t *testing.T) {
	c := testShop()
	c.Canaries = []Canary{{Service: "payment", Version: "1.9.0", Share: 0.3}}
	in := middle(LatencyRegression, "payment", 3)
	in.Version = "1.9.0"
	c.Incidents = []Incident{in}
	thirds := during(t, c)
	canary, stable := thirds[1]["payment 1.9.0"], thirds[1]["payment 1.8.2"]
	if ratio := canary.median() / stable.median(); ratio < 2.6 || ratio > 3.4 {
		t.Errorf("the canary's median is %.2f times the stable version's, want about 3", ratio)
	}
	if ratio := thirds[0]["payment 1.9.0"].median() / thirds[0]["payment 1.8.2"].median(); ratio < 0.7 || ratio > 1.4 {
		t.Errorf("before the incident the ratio is %.2f", ratio)
	}
	if share := canary.count / (canary.count + stable.count); share < 0.24 || share > 0.36 {
		t.Errorf("the canary got a share of %.3f, want 0.3", share)
	}
}

func TestSlowDependencyReachesCallers(t *testing.T) {
	c := testShop()
	c.Incidents = []Incident{middle(SlowDependency, "card-network", 40)}
	thirds := during(t, c)
	for _, name := range []string{"payment", "checkout", "frontend /checkout"} {
		if ratio := thirds[1][name].median() / thirds[0][name].median(); ratio < 5 {
			t.Errorf("%s is only %.1f times slower", name, ratio)
		}
		// 40 × 80 ms is beyond the timeout of 2 s for most.
		if share := thirds[1][name].errorShare(); share < 0.6 {
			t.Errorf("%s fails with a share of only %.3f", name, share)
		}
		if share := thirds[2][name].errorShare(); share > 0.1 {
			t.Errorf("%s fails with a share of %.3f after the incident", name, share)
		}
	}
	if ratio := thirds[1]["cart"].median() / thirds[0]["cart"].median(); ratio > 1.2 {
		t.Errorf("cart is %.1f times slower and has nothing to do with it", ratio)
	}
}

func TestSilence(t *testing.T) {
	c := testShop()
	c.Incidents = []Incident{middle(Silence, "cart", 0)}
	total := 0
	from, to := c.Start.Add(10*time.Second).UnixNano(), c.Start.Add(20*time.Second).UnixNano()
	c.Duration = 30 * time.Second
	generate(t, c, Slot, func(s *Span) {
		if s.Service() == "cart" {
			total++
			if s.End >= from && s.End < to {
				t.Fatalf("cart exported a span that ends at %d", s.End)
			}
		}
	})
	if total < 1000 {
		t.Errorf("only %d spans of cart", total)
	}
	// Two of three pods.
	c = testShop()
	c.Incidents = []Incident{middle(Silence, "cart", 0.6)}
	thirds := during(t, c)
	if ratio := thirds[1]["cart"].count / thirds[0]["cart"].count; ratio < 0.28 || ratio > 0.39 {
		t.Errorf("with two of three pods silent a share of %.3f is left", ratio)
	}
}

func TestLabels(t *testing.T) {
	c := testShop()
	c.Incidents = []Incident{
		middle(ErrorBurst, "cart", 0.4), middle(SlowDependency, "opensearch", 5), middle(Silence, "payment", 0),
		middle(LatencyRegression, "recommendation", 4), middle(ErrorBurst, "recommendation", 0.5), middle(ErrorBurst, "email", 0.5),
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, l := range s.Labels() {
		if !l.Start.Equal(epoch.Add(10*time.Second)) || !l.End.Equal(epoch.Add(20*time.Second)) {
			t.Errorf("label %+v has other times", l)
		}
		got[string(l.Kind)+" "+l.Service] = l.Affected
	}
	want := map[string][]string{
		"error_burst cart":                  {"frontend", "checkout", "cart"},
		"slow_dependency opensearch":        {"frontend", "search"},
		"silence payment":                   {"payment"},
		"latency_regression recommendation": {"frontend", "recommendation"},
		"error_burst recommendation":        {"recommendation"},
		"error_burst email":                 {"email"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("affected services (-want +got):\n%s", diff)
	}
}

func TestParseIncident(t *testing.T) {
	f := func(s string, want Incident) {
		t.Helper()
		got, err := ParseIncident(s)
		if err != nil {
			t.Error(err)
			return
		}
		if got != want {
			t.Errorf("%q is %+v, want %+v", s, got, want)
		}
		if again, err := ParseIncident(got.String()); err != nil || again != got {
			t.Errorf("%q became %q: %v", s, got, err)
		}
	}
	f("error_burst:checkout@20s+30s:0.4", Incident{Kind: ErrorBurst, Service: "checkout", Start: 20 * time.Second, Duration: 30 * time.Second, Severity: 0.4})
	f("silence:cart@0s+1m", Incident{Kind: Silence, Service: "cart", Duration: time.Minute, Severity: 1})
	f("latency_regression:payment,route=POST /charges,version=1.9.0@1m+2m:3", Incident{
		Kind: LatencyRegression, Service: "payment", Route: "POST /charges", Version: "1.9.0", Start: time.Minute, Duration: 2 * time.Minute, Severity: 3,
	})
	for _, bad := range []string{
		"", "error_burst", "error_burst:checkout", "error_burst:checkout@20s", "error_burst:checkout@20s+0s", "error_burst:checkout@-1s+2s",
		"error_burst:checkout@20s+30s:2", "error_burst:checkout@20s+30s:NaN", "latency_regression:a@1s+1s:0.5", "burst:checkout@20s+30s",
		"error_burst:@20s+30s", "error_burst:checkout,pod=x@20s+30s", "error_burst:checkout@20s+30s:high", "error_burst:checkout@soon+30s",
	} {
		if got, err := ParseIncident(bad); err == nil {
			t.Errorf("%q is %+v", bad, got)
		}
	}
}

func FuzzParseIncident(f *testing.F) {
	f.Add("error_burst:checkout@20s+30s:0.4")
	f.Add("latency_regression:payment,route=POST /charges,version=1.9.0@1m+2m:3")
	f.Add("silence:a@b@0s+1h")
	f.Fuzz(func(t *testing.T, s string) {
		in, err := ParseIncident(s)
		if err != nil {
			return
		}
		if again, err := ParseIncident(in.String()); err != nil || again != in {
			t.Errorf("%q is %+v, written as %q it is %+v: %v", s, in, in, again, err)
		}
	})
}
