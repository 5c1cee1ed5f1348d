package evaluate

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/canary/live"
	"github.com/flyball-io/flyball/processors"
)

// compared is small with canaries, of cohorts that appear and are gone all the time.
func compared() Config {
	cfg := small()
	metric := func(name, indicator, kind string) flyball.CanaryMetric {
		return flyball.CanaryMetric{Name: name, Indicator: indicator, Kind: kind, Direction: "increase", Margin: 1}
	}
	base := flyball.Canary{Entity: "service.name", Version: "http.route", Auto: true, Judge: "sequential", Alpha: 0.2, Beta: 0.2,
		Pass: 95, Marginal: 75, Severity: "page", Interval: 10 * time.Second, Warmup: 20 * time.Second, Duration: 4 * time.Minute, Revision: "1", History: 10 * time.Minute}
	all, tracks, late := base, base, base
	all.Name, all.Metrics = "all", []flyball.CanaryMetric{metric("bad", "latency", "count"), metric("slow", "latency", "latency"), metric("mean", "latency", "gauge")}
	all.Steps = []flyball.CanaryStep{{Weight: 5, For: time.Minute}, {Weight: 50, For: 3 * time.Minute}, {Weight: 100}}
	tracks.Name, tracks.Metrics = "tracks", []flyball.CanaryMetric{metric("bad", "latency", "count")}
	tracks.Version, tracks.Baseline = "", []flyball.Matcher{mustMatcher(`http.route!="/c"`)}
	tracks.Canary, tracks.Interval, tracks.Judge = []flyball.Matcher{mustMatcher(`http.route="/c"`)}, 30*time.Second, "kayenta"
	tracks.Warmup, tracks.Duration = 0, 3*time.Minute
	late.Name, late.Metrics, late.Auto = "late", []flyball.CanaryMetric{metric("mean", "latency", "gauge"), metric("bad", "latency", "count")}, false
	late.Metrics[1].Critical = true
	cfg.Canaries, cfg.CanaryJudge = []flyball.Canary{all, tracks, late}, live.New
	return cfg
}

// withRequests puts requests between the records of a log.
func withRequests(t *rapid.T, log []Record) []Record {
	var out []Record
	for _, r := range log {
		out = append(out, r)
		if rapid.IntRange(0, 5).Draw(t, "request") > 0 {
			continue
		}
		id := rapid.SampledFrom([]string{"a", "b", "c", ""}).Draw(t, "id")
		out = append(out, Record{Offset: r.Offset, Panes: []byte("request"), Canary: &flyball.CanaryRequest{
			ID: id, Canary: rapid.SampledFrom([]string{"late", "late", "all", "none"}).Draw(t, "canary"),
			Entity: rapid.SampledFrom([]string{"api", "cart"}).Draw(t, "entity"), Cancel: rapid.IntRange(0, 3).Draw(t, "cancel") == 0,
			Version: rapid.SampledFrom([]string{"", "/a", "/b"}).Draw(t, "version"), Seconds: rapid.SampledFrom([]int64{0, 60, 90}).Draw(t, "seconds"),
		}})
	}
	return out
}

// TestCanariesLawIsNotEmpty makes sure that the random logs of TestLaw reach them.
func TestCanariesLawIsNotEmpty(t *testing.T) {
	draw(t, "100")
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		out := reference(compared(), withRequests(t, drawLog(t))).out
		for _, v := range out.Verdicts {
			seen[v.Canary+" "+v.Phase]++
			seen[v.Verdict]++
			if v.Held > 0 {
				seen["held"]++
			}
			if v.Step > 1 {
				seen["steps"]++
			}
		}
		for _, f := range out.Findings {
			if f.Kind == "canary" {
				seen["findings "+string(f.State)]++
			}
		}
		for _, d := range out.DeadLetters {
			seen[d.Reason]++
		}
	})
	for _, what := range []string{
		"all warmup", "all running", "all ended", "all cancelled", "tracks ended", "late running", "late cancelled",
		"pass", "fail", "inconclusive", "held", "steps", "canary_request", "findings opened", "findings resolved",
	} {
		if seen[what] == 0 {
			t.Errorf("no random log has any %s", what)
		}
	}
	t.Log(seen)
}

// TestCanaryLimits: more cohorts than are remembered, and more replicas than are told
// apart, are limits that show.
func TestCanaryLimits(t *testing.T) {
	cfg := compared()
	cfg.Canaries = cfg.Canaries[:1]
	cfg.Canaries[0].Replica, cfg.Canaries[0].Version, cfg.Canaries[0].Warmup = "http.route", "service.name", 0
	cfg.Indicators[0].SeriesLimit = 0
	cfg.Canaries = append(cfg.Canaries, compared().Canaries[0])
	cfg.Canaries[1].Name = "routes"
	w := newLogWriter(1)
	for pane := range flyball.Time(4) {
		for route := range 120 {
			w.writer.Append(rowOf("latency", "api", fmt.Sprint("/", route), w.now.Floor(10*time.Second)+pane*10*second, 0, 1, 2))
		}
	}
	w.finish(time.Minute)
	w.log[0].Offset, w.log = 1, append([]Record{{Offset: 0, Panes: []byte{}, Canary: &flyball.CanaryRequest{ID: "x", Canary: "all", Entity: "api", Version: "api", Baseline: "api"}}}, w.log...)
	got := map[string]int64{}
	for _, l := range New(cfg).Step(Input{Records: w.log}).Limited {
		got[l.Reason] = l.Times
	}
	if got[processors.LimitCohorts] == 0 || got[processors.LimitReplicas] == 0 {
		t.Errorf("got %v", got)
	}
}
