package telemetry

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/examples"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/scenario/input"
)

func load(t *testing.T, name string) (*Story, *config.Config) {
	t.Helper()
	cfg, err := config.Load("../../../examples/" + name + "/config")
	if err != nil {
		t.Fatal(err)
	}
	text, err := examples.Files.ReadFile(name + "/telemetry")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(text, cfg.Sources)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s, cfg
}

// column returns the column of a name, −1 where there is none.
func column(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

// TestTelemetryIsRead: what is written for an example comes back from the decoder of its
// source, with the labels and numbers of the line, for every column that is measured.
func TestTelemetryIsRead(t *testing.T) {
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, name := range examples.Names() {
		story, cfg := load(t, name)
		for _, src := range cfg.Sources {
			var measured []flyball.Indicator
			for _, i := range cfg.Indicators {
				if i.Source == src.Name {
					measured = append(measured, i)
				}
			}
			p := ingest.ProjectionOf(measured)
			decoder, err := decode.New(src, p)
			if err != nil {
				t.Fatal(err)
			}
			records := 0
			for _, ph := range story.phases {
				for i := range ph.input.Arrivals {
					if a := &ph.input.Arrivals[i]; a.Source == src.Name {
						records++
						comesBack(t, name, &src, a, at, p, decoder)
					}
				}
			}
			if records == 0 {
				t.Errorf("%s: nothing is sent for source %s", name, src.Name)
			}
		}
	}
}

func comesBack(t *testing.T, name string, src *flyball.Source, a *input.Arrival, at time.Time, p ingest.Projection, decoder ingest.Decoder) {
	t.Helper()
	value, err := encode(src, a, at)
	if err != nil {
		t.Fatal(err)
	}
	dict := ingest.NewDictionary(len(p.Labels))
	b := ingest.NewBuilder(p, dict, ingest.NewPool())
	if err := decoder.Decode(value, b); err != nil {
		t.Fatalf("%s, line %d: %v in %q", name, a.Line, err, value)
	}
	batch := b.Batch()
	defer batch.Release()
	if int64(batch.Time.Len()) != a.Total {
		t.Fatalf("%s, line %d: %d samples came back, want %d", name, a.Line, batch.Time.Len(), a.Total)
	}
	for i := range batch.Time.Len() {
		if got := flyball.Time(batch.Time.Value(i)); got != flyball.TimeOf(at) {
			t.Errorf("%s, line %d: at %s, want %s", name, a.Line, got, at)
		}
		label, number := a.Sample(int64(i))
		for _, l := range append(a.Series.Labels, a.Series.BadLabels...) {
			c, want := column(p.Labels, l.Name), label(l.Name)
			if c < 0 || want == "" {
				continue
			}
			if got := dict.Values(batch.Set.Value(i), nil)[c]; got != want {
				t.Errorf("%s, line %d: label %s is %q, want %q", name, a.Line, l.Name, got, want)
			}
		}
		for c, n := range p.Values {
			if want := number(n); want == want && batch.Values[c].Value(i) != want {
				t.Errorf("%s, line %d: %s is %g, want %g", name, a.Line, n, batch.Values[c].Value(i), want)
			}
		}
	}
}

// TestPlayerWaits: event time goes no further than what was judged allows, the incident
// begins after the history, and ends with its remedy and nothing else.
func TestPlayerWaits(t *testing.T) {
	story, cfg := load(t, "crash-loop")
	present := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	var told []string
	p := NewPlayer(story, cfg.Sources, present, func(_ time.Time, text string) { told = append(told, text) })
	var sent int
	step := func(passed time.Duration) {
		t.Helper()
		if err := p.advance(present, passed, func(*kgo.Record) error { sent++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	start := p.Now()
	if want := present.Add(-time.Hour); !start.Equal(want) {
		t.Fatalf("it starts at %s, want %s", start, want)
	}
	step(time.Second)
	first := p.Now()
	step(time.Second)
	if limit := start.Add(historySlack + p.gap); !first.Equal(limit) || !p.Now().Equal(limit) {
		t.Errorf("nothing was judged, and it is at %s and %s, want %s", first, p.Now(), limit)
	}
	p.Progress(flyball.TimeOf(start.Add(15 * time.Minute)))
	step(time.Second)
	if want := start.Add(20 * time.Minute); !p.Now().Equal(want) || !p.IncidentAt().Equal(want) || len(told) != 1 {
		t.Errorf("the incident is at %s, it is %s, told %q", p.IncidentAt(), p.Now(), told)
	}
	p.Progress(flyball.TimeOf(start.Add(time.Hour)))
	before := sent
	step(2 * time.Second) // 30 s at this pace: crashes every 10 s, others every 20
	if got := p.Now().Sub(start); got != 20*time.Minute+30*time.Second || sent-before != 5 {
		t.Errorf("at %s, %d records in half a minute, want 5", got, sent-before)
	}
	f := func(action string, want int) {
		t.Helper()
		if _, err := p.Remedy(&flyball.Command{Action: flyball.Action{Name: action}, Target: "deploy/checkout"}); err != nil {
			t.Fatal(err)
		}
		step(time.Second)
		if len(told) != want {
			t.Errorf("after %s it told %q", action, told)
		}
	}
	f("restart", 1)
	f("rollback", 2)
	step(time.Hour)
	if !p.Now().Equal(present) {
		t.Errorf("it is %s, later than the present", p.Now())
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	sources := []flyball.Source{{Name: "spans", Topics: []string{"spans"}, Format: "otlp_spans"}}
	whole := "What happens.\n-- settings --\nremedy: restart\nhistory: 5m\n-- usual 1m --\n# All is well.\npartition 0 cart: 1x6\n-- incident 1m --\npartition 0 cart: 1!1x6\n-- remedied 1m --\npartition 0 cart: 1x6\n"
	s, err := Parse([]byte(whole), sources)
	if err != nil || s.Opening != "What happens." || s.phases[usual].text != "All is well." || s.gap() != 10*time.Second {
		t.Errorf("got %+v, %v", s, err)
	}
	f := func(old, new, want string) {
		t.Helper()
		if _, err := Parse([]byte(strings.Replace(whole, old, new, 1)), sources); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", new, err, want)
		}
	}
	f("-- usual 1m --", "-- usual --", "want a time after its name")
	f("-- usual 1m --", "-- before 1m --", `unknown part "before 1m"`)
	f("history: 5m", "", "lack remedy or history")
	f("history: 5m", "history: soon", `setting "history"`)
	f("history: 5m", "story: 5m", `setting "story"`)
	f("-- incident 1m --", "-- incident 30s --", "outside of its 30s")
	f("cart: 1!1x6", "cart: 1!2x6", "bad")
	f("-- remedied 1m --\npartition 0 cart: 1x6\n", "", `no part "remedied"`)
}
