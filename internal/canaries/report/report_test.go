package report

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/detectors/canary/live"
)

// analysis is that of a canary with three times the errors, the same latency, and a load
// within its margin, which is a difference.
func analysis(t *testing.T) *Report {
	t.Helper()
	const begin = flyball.Time(1767225600_000000000)
	c := flyball.Canary{Name: "release", Judge: "sequential", Alpha: 0.05, Beta: 0.05, Pass: 95, Marginal: 75, Interval: time.Minute, Duration: time.Hour, Borrow: 20,
		Metrics: []flyball.CanaryMetric{
			{Name: "errors <b>", Kind: "count", Direction: "increase", Margin: 1, Floor: 0.001, Muted: true},
			{Name: "latency", Kind: "latency", Direction: "increase", Margin: 1.1, Unit: "ns"},
			{Name: "load", Kind: "gauge", Direction: "either", Margin: 5, Absolute: true, Unit: "conns"},
		}}
	src := rand.NewPCG(1, 2)
	rng := rand.New(src)
	arm := func(rate float64) []detectors.CanaryArm {
		counts := map[float64]float64{}
		for range 300 {
			counts[math.Exp2(math.Ceil(32*math.Log2(8e7*math.Exp(rng.NormFloat64()/3)))/32)]++
		}
		var b []detectors.CanaryBucket
		for key := math.Floor(32 * math.Log2(1e7)); key < 32*math.Log2(1e9); key++ {
			if upper := math.Exp2(key / 32); counts[upper] > 0 {
				b = append(b, detectors.CanaryBucket{Upper: upper, Count: counts[upper]})
			}
		}
		return []detectors.CanaryArm{
			{Values: []float64{distuv.Poisson{Lambda: 600 * rate, Src: src}.Rand()}, Exposure: []float64{600}},
			{Buckets: b},
			{Values: []float64{50 + 4*rng.NormFloat64()}},
		}
	}
	before := detectors.CanaryBefore{Looks: make([][]detectors.CanaryArm, 3), History: make([]detectors.CanaryHistory, 3)}
	for range 20 {
		for i, a := range arm(0.001) {
			before.Looks[i] = append(before.Looks[i], a)
		}
	}
	h := detectors.CanaryHistory{Stretch: 15 * time.Minute}
	for range 96 {
		h.Events, h.Exposure = append(h.Events, distuv.Poisson{Lambda: 9, Src: src}.Rand()), append(h.Exposure, 9000)
	}
	before.History[0] = h
	j, err := live.New(c, before)
	if err != nil {
		t.Fatal(err)
	}
	r := &Report{}
	for i := range 45 {
		var look []detectors.CanaryLook
		baseline := arm(0.001)
		for k, a := range arm(0.003) {
			look = append(look, detectors.CanaryLook{Canary: a, Baseline: baseline[k]})
		}
		j.Observe(look)
		v := j.Verdict(i == 44)
		v.ID, v.Canary, v.Entity, v.Version, v.Baseline, v.Phase, v.Looks = "a1", "release", "checkout", "2.1.0", "2.0.9", flyball.PhaseRunning, i+1
		v.StartedAt, v.At = begin, begin.Add(time.Duration(i+1)*time.Minute)
		if i == 44 {
			v.Phase = flyball.PhaseEnded
		}
		r.Verdicts = append(r.Verdicts, v)
	}
	return r
}

// Every metric has its two distributions, evidence and effects over time, and a sentence;
// the page needs nothing from elsewhere, and text in it is text.
func TestReport(t *testing.T) {
	r := analysis(t)
	var html, markdown, text bytes.Buffer
	for _, err := range []error{r.HTML(&html), r.Markdown(&markdown), r.JSON(&text)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if dir := os.Getenv("FLYBALL_REPORT"); dir != "" { // to look at it
		if err := os.WriteFile(filepath.Join(dir, "canary.html"), html.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Log(markdown.String())
	}
	page := html.String()
	if n := strings.Count(page, "<svg"); n != 9 {
		t.Errorf("%d drawings, want three for each of three metrics", n)
	}
	for _, bad := range []string{"<b>", "http:", "https:", "<script", "NaN", "Inf"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, v := range r.last().Metrics {
		if v.Reason == "" || !strings.Contains(markdown.String(), escape(v.Reason)) {
			t.Errorf("the sentence on %s is missing: %q", v.Name, v.Reason)
		}
	}
	for _, want := range []string{"| load | pass |", "conns", "before raise the evidence", "×"} {
		if !strings.Contains(markdown.String(), want) {
			t.Errorf("there is no %q in %s", want, markdown.String())
		}
	}
	var back struct{ History []flyball.Verdict }
	if err := json.Unmarshal(text.Bytes(), &back); err != nil || len(back.History) != 45 || back.History[44].Metrics[0].History == nil {
		t.Errorf("%v: %d verdicts", err, len(back.History))
	}
}
