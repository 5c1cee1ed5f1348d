package shown

import (
	"fmt"
	"math/rand"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/examples"
)

const width = 10 * time.Second

func at(seconds int) flyball.Time { return flyball.Time(seconds) * flyball.Time(time.Second) }

func row(service, route string, seconds int, bad bool, value float64, trace byte) *processors.PaneRow {
	var f examples.Few
	e := examples.Example{Bad: bad, Value: value, At: at(seconds), Trace: [16]byte{trace}}
	e.Hash = examples.TraceHash(e.Trace)
	f.Add(&e)
	start := at(seconds).Floor(width)
	return &processors.PaneRow{Indicator: "latency", Entity: service, Start: start, Examples: f.AppendBinary(nil, start),
		Labels: flyball.LabelsOf("service.name", service, "http.route", route).JSON()}
}

func newStore() *Store {
	route := func(text string) []flyball.Matcher {
		m, err := flyball.ParseMatcher(text)
		if err != nil {
			panic(err)
		}
		return []flyball.Matcher{m}
	}
	return New([]flyball.Indicator{{Name: "latency", Source: "spans", Pane: width}},
		[]flyball.SLO{{Name: "errors", Indicator: "latency"}, {Name: "api", Indicator: "latency", Selector: route(`http.route="/api"`)},
			{Name: "fast", Indicator: "latency", Threshold: &flyball.Threshold{Op: "lte", Value: 30}},
			{Name: "full", Indicator: "latency", Threshold: &flyball.Threshold{Op: "gte", Value: 30}}},
		[]flyball.Canary{{Name: "release", Metrics: []flyball.CanaryMetric{{Indicator: "latency", Kind: "latency"}}}})
}

func traces(f flyball.Finding) (out []string) {
	for _, e := range f.Examples {
		line := e.Trace[:2]
		if e.Bad {
			line += " bad"
		}
		out = append(out, fmt.Sprintf("%s %g", line, *e.Value))
	}
	return out
}

func TestAttachByExample(t *testing.T) {
	s := newStore()
	for i, r := range []*processors.PaneRow{
		row("cart", "/api", 1, true, 10, 0xa0), row("cart", "/web", 2, true, 20, 0xa1), row("cart", "/web", 3, false, 50, 0xa2),
		row("cart", "/web", 12, false, 40, 0xa3), row("pay", "/api", 4, true, 99, 0xa4), row("cart", "/api", 25, true, 70, 0xa5),
	} {
		s.Add(r, int64(i), 0)
	}
	f := func(finding flyball.Finding, want ...string) {
		t.Helper()
		finding.Entity, finding.At = "cart", at(20)
		list := []flyball.Finding{finding}
		s.Attach(list)
		if diff := cmp.Diff(want, traces(list[0])); diff != "" {
			t.Errorf("%s (−want +got):\n%s", finding.Detector, diff)
		}
	}
	opened := flyball.FindingOpened
	f(flyball.Finding{Detector: "errors", State: opened}, "a1 bad 20", "a0 bad 10")
	f(flyball.Finding{Detector: "api", State: opened}, "a0 bad 10")
	f(flyball.Finding{Detector: "fast", State: opened}, "a2 bad 50", "a3 bad 40")
	f(flyball.Finding{Detector: "full", State: opened}, "a0 bad 10", "a1 bad 20")
	f(flyball.Finding{Detector: "errors", State: opened, Labels: flyball.LabelsOf("service.name", "cart", "http.route", "/api")}, "a0 bad 10")
	f(flyball.Finding{Detector: "release", State: opened}, "a1 bad 20", "a0 bad 10", "a2 50", "a3 40")
	f(flyball.Finding{Detector: "any", State: opened, Series: []flyball.FindingSeries{{Indicator: "latency"}, {Indicator: "latency"}}}, "a1 bad 20", "a0 bad 10", "a2 50", "a3 40")
	f(flyball.Finding{Detector: "errors", State: flyball.FindingResolved})
	f(flyball.Finding{Detector: "nobody", State: opened})
}

func TestKept(t *testing.T) {
	s := newStore()
	none := func(string) flyball.Time { return flyball.NoTime }
	late := func(wm flyball.Time) func(string) flyball.Time { return func(string) flyball.Time { return wm } }
	if _, any := s.Low(none); any {
		t.Error("an empty store needs something of the log")
	}
	s.Add(row("cart", "/", 1, true, 1, 1), 7, flyball.NoTime)
	s.Add(row("cart", "/", 12, true, 1, 2), 3, flyball.NoTime)
	if low, any := s.Low(none); low != 3 || !any {
		t.Errorf("low is %d, want 3", low)
	}
	end := at(20).Add(Kept)
	if low, any := s.Low(late(at(10).Add(Kept))); low != 3 || !any {
		t.Errorf("low is %d, want 3", low)
	}
	if _, any := s.Low(late(end)); any {
		t.Error("it needs what is too old")
	}
	s.Commit(late(at(10).Add(Kept)))
	list := []flyball.Finding{{Detector: "errors", Entity: "cart", At: at(20), State: flyball.FindingOpened}}
	s.Attach(list)
	if got := traces(list[0]); len(got) != 1 {
		t.Errorf("%q is left, want the younger", got)
	}
	s.Add(row("cart", "/", 1, true, 1, 1), 9, end)
	if _, any := s.Low(none); !any || len(s.indicators["latency"].panes) != 1 {
		t.Error("what is too old came back")
	}
	s.Add(&processors.PaneRow{Indicator: "latency", Examples: []byte{examples.Mark, 3, 0}, Start: at(20)}, 9, flyball.NoTime)
	s.Add(&processors.PaneRow{Indicator: "other", Examples: row("", "", 1, true, 1, 1).Examples}, 9, flyball.NoTime)
	if len(s.indicators["latency"].panes) != 1 {
		t.Error("what does not decode is kept")
	}
}

// TestStoreLaw: what is kept follows from the rows, in whatever order they come, with
// transactions that are taken back among them, and is bounded.
func TestStoreLaw(t *testing.T) {
	none := func(string) flyball.Time { return flyball.NoTime }
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed")))
		rows := make([]*processors.PaneRow, rapid.IntRange(0, 400).Draw(t, "rows"))
		for i := range rows {
			rows[i] = row("cart", fmt.Sprint("/", rng.Intn(2*mostSeries)), rng.Intn(20), rng.Intn(2) == 0, float64(rng.Intn(9)), byte(1+rng.Intn(250)))
		}
		want, got := newStore(), newStore()
		for i, r := range rows {
			want.Add(r, int64(i), flyball.NoTime)
		}
		for _, i := range rng.Perm(len(rows)) {
			switch rng.Intn(20) {
			case 0:
				got.Commit(none)
				for range rng.Intn(5) {
					got.Add(row("cart", fmt.Sprint("/no", rng.Intn(9)), rng.Intn(20), true, 99, 99), 0, flyball.NoTime)
				}
				got.Abort()
			case 1:
				got.Commit(none)
			}
			got.Add(rows[i], int64(i), flyball.NoTime)
		}
		list := func(s *Store) []flyball.Finding {
			out := []flyball.Finding{{Detector: "release", Entity: "cart", At: at(20), State: flyball.FindingOpened}}
			s.Attach(out)
			return out
		}
		if diff := cmp.Diff(list(want), list(got)); diff != "" {
			t.Fatalf("(−in order +as it came):\n%s", diff)
		}
		if diff := cmp.Diff(describe(want), describe(got)); diff != "" {
			t.Fatalf("(−in order +as it came):\n%s", diff)
		}
		for _, p := range got.indicators["latency"].panes {
			if len(p.bad.series) > mostSeries || len(p.high.series) > mostSeries {
				t.Fatalf("it keeps %d and %d series", len(p.bad.series), len(p.high.series))
			}
		}
	})
}

func describe(s *Store) map[string]string {
	out := map[string]string{}
	for start, p := range s.indicators["latency"].panes {
		for kind, first := range map[string]*top{"bad": &p.bad, "high": &p.high} {
			for labels, h := range first.series {
				h.few.Each(func(e *examples.Example) { out[fmt.Sprint(start, kind, labels)] += fmt.Sprint(*e) })
			}
		}
	}
	return out
}
