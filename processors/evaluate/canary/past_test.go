package canary

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/canary/live"
	"github.com/flyball-io/flyball/processors"
)

var requests = flyball.Indicator{Name: "requests", Source: "spans", Entity: "service.name", GroupBy: []string{"service.name", "service.version"},
	Pane: time.Minute, Window: time.Minute, Lateness: 5 * time.Minute, SeriesLimit: 1000}

func remembering(history time.Duration) Config {
	return Config{Indicators: []flyball.Indicator{requests}, Judge: live.New, Canaries: []flyball.Canary{{
		Name: "release", Entity: "service.name", Version: "service.version", Auto: true, Judge: "sequential", Alpha: 0.05, Beta: 0.05,
		Pass: 95, Marginal: 75, Interval: time.Minute, Warmup: time.Minute, Duration: time.Hour, Revision: "1", History: history, Borrow: 20,
		Metrics: []flyball.CanaryMetric{{Name: "errors", Indicator: "requests", Kind: "count", Direction: "increase", Margin: 1, Floor: 0.001}},
	}}}
}

const begin = flyball.Time(1767225600_000000000) // 2026-01-01T00:00:00Z

// engine is a machine with the state that it reported.
type engine struct {
	t     *testing.T
	cfg   Config
	m     *Machine
	state map[string]string
	out   []flyball.Verdict
	lost  int64
}

func newEngine(t *testing.T, cfg Config) *engine {
	return &engine{t: t, cfg: cfg, m: New(cfg), state: map[string]string{}}
}

// errorsOf is what a service's version has in a minute: requests and errors.
type errorsOf func(minute int, version string) (count, bad int64)

// minute shows the machine one minute of versions 1 and 2.
func (e *engine) minute(i int, of errorsOf) {
	at := begin.Add(time.Duration(i) * time.Minute)
	for _, version := range []string{"1", "2"} {
		count, bad := of(i, version)
		if count == 0 {
			continue
		}
		row := processors.PaneRow{Indicator: "requests", Entity: "cart", Start: at, Count: count, Bad: bad, Min: math.Inf(1), Max: math.Inf(-1),
			Labels: flyball.LabelsOf("service.name", "cart", "service.version", version).JSON()}
		for _, f := range e.m.Feeds("requests") {
			if r, ok := f.Row(row); ok {
				if _, err := f.Store.Add(r, 0); err != nil {
					e.t.Fatal(err)
				}
			}
		}
	}
	e.m.Advance("spans", at, at.Add(time.Minute), func(flyball.Time) bool { return true })
}

func (e *engine) commit(at int) {
	e.m.Changed(func(key string, value []byte) {
		if value == nil {
			delete(e.state, key)
		} else {
			e.state[key] = string(value)
		}
	})
	out := e.m.Take()
	e.out, e.lost = append(e.out, out.Verdicts...), e.lost+out.HistoriesLost
	e.m.Commit()
	for _, d := range e.m.defs {
		for _, f := range d.feeds {
			f.store.Commit(begin.Add(time.Duration(at) * time.Minute))
		}
	}
}

// restart makes the machine anew from its state; of what was not judged yet nothing is
// in the stores.
func (e *engine) restart() {
	e.m = New(e.cfg)
	for key, value := range e.state {
		if err := e.m.Restore(key, []byte(value)); err != nil {
			e.t.Fatal(err)
		}
	}
	e.m.Restored()
}

// pasts are the keys of the state that remember what was counted.
func (e *engine) pasts() (n, bytes int) {
	for key, value := range e.state {
		if strings.Contains(key, "/past/") {
			n, bytes = n+1, bytes+len(value)
		}
	}
	return n, bytes
}

// shopFrom has version 2 from a minute on, with its own errors; errors are Poisson
// around one in a thousand, drawn for every minute alike.
func shopFrom(start int, worse float64) errorsOf {
	return func(minute int, version string) (int64, int64) {
		rng := rand.New(rand.NewPCG(uint64(minute), uint64(version[0])))
		mean := 0.6
		if version == "2" {
			if minute < start {
				return 0, 0
			}
			mean *= worse
		}
		bad, p := int64(0), rng.Float64()
		for limit := math.Exp(-mean); p > limit; bad++ {
			p *= rng.Float64()
		}
		return 600, bad
	}
}

// What the baseline counted in the day before a canary is evidence, as much of it as
// there is, and the verdict says so.
func TestHistoryIsEvidence(t *testing.T) {
	f := func(history time.Duration, before int, minutes, events float64) {
		t.Helper()
		e := newEngine(t, remembering(history))
		for i := range before + 40 {
			e.minute(i, shopFrom(before, 3))
			e.commit(i)
		}
		last := e.out[len(e.out)-1]
		h := last.Metrics[0].History
		if last.Verdict != flyball.VerdictFail || !last.Final() {
			t.Errorf("%v of history: %s after %d looks", history, last.Verdict, last.Looks)
		}
		if minutes == 0 {
			if h != nil {
				t.Errorf("%v of history: %+v, want none", history, h)
			}
			return
		}
		if h == nil || float64(h.Minutes) != minutes || math.Abs(float64(h.Events)-events) > 5*math.Sqrt(events) || h.Gain < 1 {
			t.Errorf("%v of history: %+v, want %v minutes and about %v events", history, h, minutes, events)
		}
		if !strings.Contains(last.Metrics[0].Reason, "before raise the evidence") {
			t.Errorf("the sentence does not tell of the history: %s", last.Metrics[0].Reason)
		}
	}
	f(24*time.Hour, 26*60, 24*60, 6*60*0.6)
	f(24*time.Hour, 70, 60, 60*0.6)
	f(24*time.Hour, 10, 0, 0)
	f(0, 26*60, 0, 0)
	f(4*time.Hour, 26*60, 4*60, 72*0.6)
}

// A machine that crashes, gives up transactions and is made anew says what one says
// that never did.
func TestHistoryOutlivesRestarts(t *testing.T) {
	cfg := remembering(24 * time.Hour)
	cfg.Indicators[0].Lateness = 0 // so that nothing but what is durable is known before
	const before, all = 26 * 60, 26*60 + 40
	of := shopFrom(before, 3)
	steady := newEngine(t, cfg)
	for i := range all {
		steady.minute(i, of)
		steady.commit(i)
	}
	shaken := newEngine(t, cfg)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := 0; i < all; i++ {
		switch rng.IntN(20) {
		case 0:
			shaken.restart()
		case 1: // a transaction that is given up, and done again
			shaken.minute(i, of)
			shaken.m.Changed(func(string, []byte) {})
			shaken.m.Abort()
			for _, d := range shaken.m.defs {
				for _, f := range d.feeds {
					f.store.Abort()
				}
			}
		}
		shaken.minute(i, of)
		shaken.commit(i)
	}
	if diff := cmp.Diff(steady.out, shaken.out, cmp.Comparer(sameNumber)); diff != "" {
		t.Errorf("- never restarted, + restarted: %s", diff)
	}
	if diff := cmp.Diff(steady.state, shaken.state); diff != "" {
		t.Errorf("state - never restarted, + restarted: %s", diff)
	}
	if n, bytes := steady.pasts(); n < 24 || n > 26 || bytes > 26*400 {
		t.Errorf("a day of two cohorts is %d keys of %d bytes", n, bytes)
	}
	if got := shaken.m.defs[0].held; got != steady.m.defs[0].held || got < 96 {
		t.Errorf("%d counts are held, %d without restarts", got, steady.m.defs[0].held)
	}
}

// What was counted otherwise is of no use, and what is over is forgotten.
func TestHistoryIsForgotten(t *testing.T) {
	e := newEngine(t, remembering(24*time.Hour))
	for i := range 120 {
		e.minute(i, shopFrom(1e6, 1))
		e.commit(i)
	}
	if n, _ := e.pasts(); n != 2 {
		t.Fatalf("two hours are %d keys, want 2", n)
	}
	e.cfg.Indicators = []flyball.Indicator{requests}
	e.cfg.Indicators[0].Bad = []flyball.Matcher{{Name: "status.code", Op: "=", Value: "ERROR"}}
	e.restart()
	e.commit(120)
	if n, _ := e.pasts(); n != 0 || e.m.defs[0].held != 0 {
		t.Errorf("%d keys of another indicator are left", n)
	}
	e.minute(120, shopFrom(1e6, 1))
	e.commit(120)
	other := func(int, string) (int64, int64) { return 0, 0 }
	for i := 121; i < 121+25*60; i++ {
		e.minute(i, other)
		e.m.defs[0].subject("pay").touch()
		e.m.defs[0].subject("pay").Pending = []flyball.CanaryRequest{{ID: fmt.Sprint(i), Canary: "release", Entity: "pay", Cancel: true}}
		e.commit(i)
	}
	if n, _ := e.pasts(); n != 0 || e.m.defs[0].subjects["cart"] != nil {
		t.Errorf("%d keys are left of a service that is gone for a day", n)
	}
}

// More cohorts than are counted are a limit that shows.
func TestHistoryHasALimit(t *testing.T) {
	e := newEngine(t, remembering(24*time.Hour))
	e.m.defs[0].held = maxHeld
	e.minute(0, shopFrom(0, 1))
	e.commit(0)
	if n, _ := e.pasts(); n != 0 || e.lost != 1 {
		t.Errorf("%d keys, and the limit was hit %d times", n, e.lost)
	}
}

// sameNumber takes what is no number for the same.
func sameNumber(a, b flyball.Number) bool {
	return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b))
}
