package history

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/canary/live"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/evaluate/canary"
	"github.com/flyball-io/flyball/processors/histogram"
)

var (
	requests = flyball.Indicator{Name: "requests", Source: "spans", Entity: "service.name", GroupBy: []string{"service.name", "service.version"},
		Pane: 10 * time.Second, Window: time.Minute, Hop: 10 * time.Second, Lateness: 5 * time.Minute, SeriesLimit: 1000}
	release = flyball.Canary{Name: "release", Entity: "service.name", Version: "service.version", Auto: true, Judge: "sequential", Alpha: 0.05, Beta: 0.05,
		Pass: 95, Marginal: 75, Interval: 10 * time.Second, Warmup: 90 * time.Second, Duration: time.Hour, Revision: "1", History: 24 * time.Hour,
		Metrics: []flyball.CanaryMetric{{Name: "errors", Indicator: "requests", Kind: "count", Direction: "increase", Margin: 1, Floor: 0.001, Critical: true}}}
)

const begin = flyball.Time(1767225600_000000000) // 2026-01-01T00:00:00Z

// minutes are windows of two versions, from ten minutes before the analysis.
func minutes(n int, bad, worse int64) []processors.PaneRow {
	var out []processors.PaneRow
	for i := -10; i < n; i++ {
		for version, errors := range map[string]int64{"1": bad, "2": worse} {
			out = append(out, processors.PaneRow{Indicator: "requests", Entity: "cart", Start: begin.Add(time.Duration(i) * time.Minute),
				Labels: flyball.LabelsOf("service.name", "cart", "service.version", version).JSON(),
				Count:  600, Bad: errors + int64(i&1), Min: math.Inf(1), Max: math.Inf(-1)})
		}
	}
	return out
}

func TestAnalyse(t *testing.T) {
	f := func(rows []processors.PaneRow, version, want, says string, looks int) {
		t.Helper()
		c, indicators, err := Widths(release, []flyball.Indicator{requests})
		if err != nil || c.Interval != time.Minute || c.Warmup != 2*time.Minute || c.Auto {
			t.Fatalf("%v: %+v", err, c)
		}
		got, err := Analyse(c, indicators, rows, Question{Canary: "release", Entity: "cart", Version: version, From: begin, To: begin.Add(40 * time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		last := got[len(got)-1]
		if last.Verdict != want || !last.Final() || last.Looks != looks || last.StartedAt != begin || !strings.Contains(last.Reason+last.Needs, says) {
			t.Errorf("%s after %d looks from %s: %s; needs %s", last.Verdict, last.Looks, last.StartedAt, last.Reason, last.Needs)
		}
	}
	f(minutes(40, 6, 24), "2", flyball.VerdictFail, "errors", 8)
	f(minutes(40, 6, 6), "2", flyball.VerdictPass, "no metric", 8)
	f(minutes(40, 6, 6), "9", flyball.VerdictInconclusive, "traffic in the canary", 38)
	f(nil, "2", flyball.VerdictInconclusive, "traffic in both", 38)
}

// What a machine said while the canary ran, it says of the same panes afterwards, with
// histograms as they are in ClickHouse.
func TestHistoryIsJudgedAsItRan(t *testing.T) {
	f := func(slower float64, worse int64, want string) {
		t.Helper()
		i, c := requests, release
		i.Window, i.Hop, i.Value = 10*time.Second, 0, "duration"
		c.Metrics = append(slices.Clone(c.Metrics), flyball.CanaryMetric{Name: "latency", Indicator: "requests", Kind: "latency", Direction: "increase", Margin: 1.1})
		c.Duration = 30 * time.Minute
		rows := panes(180, slower, worse)
		m := canary.New(canary.Config{Canaries: []flyball.Canary{c}, Indicators: []flyball.Indicator{i}, Judge: live.New})
		var ran []flyball.Verdict
		for at, n := begin.Add(-lead*10*time.Second), 0; len(ran) == 0 || !ran[len(ran)-1].Final(); at = at.Add(c.Interval) {
			for ; n < len(rows) && rows[n].Start == at; n++ {
				if err := add(m, rows[n]); err != nil {
					t.Fatal(err)
				}
			}
			m.Advance("spans", at, at.Add(c.Interval), func(flyball.Time) bool { return true })
			ran = append(ran, m.Take().Verdicts...)
		}
		for k := range rows {
			var h, back histogram.Histogram
			if err := h.MergeBinary(rows[k].Hist); err != nil {
				t.Fatal(err)
			}
			if err := back.MergeQuantilesDD(h.AppendQuantilesDD(nil)); err != nil {
				t.Fatal(err)
			}
			rows[k].Hist = back.AppendBinary(nil)
		}
		last := ran[len(ran)-1]
		c, indicators, err := Widths(c, []flyball.Indicator{i})
		if err != nil {
			t.Fatal(err)
		}
		got, err := Analyse(c, indicators, rows, Question{Canary: "release", Entity: "cart", Version: last.Version, Baseline: last.Baseline, From: last.StartedAt, To: last.EndsAt})
		if err != nil {
			t.Fatal(err)
		}
		for k := range got {
			got[k].ID, got[k].By = last.ID, last.By
		}
		if diff := cmp.Diff(ran, got, cmp.Comparer(sameNumber)); diff != "" || last.Verdict != want {
			t.Errorf("it was %s, want %s (- as it ran, + history): %s", last.Verdict, want, diff)
		}
		if h := last.Metrics[0].History; h == nil || h.Minutes < 165 {
			t.Errorf("of three hours before %+v were used", h)
		}
	}
	f(1, 5, flyball.VerdictFail)
	f(2, 1, flyball.VerdictFail)
	f(1, 1, flyball.VerdictPass)
}

// lead is how many panes there are before.
const lead = 3 * 360

// panes are of ten seconds each, of a version and, from begin on, another.
func panes(n int, slower float64, worse int64) []processors.PaneRow {
	rng := rand.New(rand.NewPCG(1, 1))
	var out []processors.PaneRow
	for i := -lead; i < n; i++ {
		for _, version := range []string{"1", "2"} {
			r := processors.PaneRow{Indicator: "requests", Entity: "cart", Start: begin.Add(time.Duration(i) * 10 * time.Second), Count: 200,
				Labels: flyball.LabelsOf("service.name", "cart", "service.version", version).JSON(), Bad: 1 + int64(rng.IntN(3)), Min: math.Inf(1), Max: math.Inf(-1)}
			factor := 1e8
			if version == "2" {
				if i < 0 {
					continue
				}
				factor, r.Bad = factor*slower, r.Bad*worse
			}
			var h histogram.Histogram
			for range r.Count {
				v := factor * math.Exp(rng.NormFloat64()/3)
				h.Add(v)
				r.Sum.Add(v)
				r.Min, r.Max = min(r.Min, v), max(r.Max, v)
			}
			r.Hist = h.AppendBinary(nil)
			out = append(out, r)
		}
	}
	return out
}

func TestQuestionsThatHaveNoAnswer(t *testing.T) {
	f := func(says string, edit func(*flyball.Canary, *flyball.Indicator, *Question)) {
		t.Helper()
		c, i, q := release, requests, Question{Canary: "release", Entity: "cart", From: begin, To: begin.Add(time.Hour)}
		edit(&c, &i, &q)
		c, indicators, err := Widths(c, []flyball.Indicator{i})
		if err == nil {
			_, err = Analyse(c, indicators, nil, q)
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %q", err, says)
		}
	}
	f("no indicator", func(_ *flyball.Canary, i *flyball.Indicator, _ *Question) { i.Name = "other" })
	f("do not make up", func(c *flyball.Canary, i *flyball.Indicator, _ *Question) { c.Interval = 100 * time.Second })
	f("warm-up", func(_ *flyball.Canary, _ *flyball.Indicator, q *Question) { q.To = q.From.Add(2 * time.Minute) })
	f("a week at most", func(_ *flyball.Canary, _ *flyball.Indicator, q *Question) { q.To = q.From.Add(8 * 24 * time.Hour) })
	f("no entity", func(_ *flyball.Canary, _ *flyball.Indicator, q *Question) { q.Entity = "" })
}

// sameNumber takes what is no number for the same.
func sameNumber(a, b flyball.Number) bool {
	return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b))
}
