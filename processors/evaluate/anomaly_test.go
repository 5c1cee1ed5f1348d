package evaluate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/processors"
)

// nervous is a detector that is easily surprised: by what is far from the mean of what
// it has seen, and by silence. All that it has seen counts, so that one point more,
// less or twice shows.
type nervous struct {
	seen, silent uint64
	sum          float64
	last         detectors.SeriesPoint
}

func (n *nervous) Observe(p detectors.SeriesPoint) detectors.SeriesReading {
	n.last = p
	r := detectors.SeriesReading{Expected: n.sum / float64(n.seen), Low: math.Inf(-1), High: math.NaN(), Algorithm: "nervous", Threshold: 4, Seen: int(n.seen), Reason: n}
	if math.IsNaN(p.Value) {
		if n.silent++; n.silent > 3 {
			r.Digits = min(float64(n.silent), 9)
		}
	} else {
		n.silent = 0
		r.Digits = min(9, 3*math.Abs(p.Value-r.Expected)/(math.Abs(r.Expected)+1e-9))
		r.Direction = 1
		if p.Value < r.Expected {
			r.Direction = -1
		}
		n.seen++
		n.sum += p.Value
	}
	if n.seen < 3 {
		r.Digits = 0
	}
	r.Rarity, r.News = r.Digits, r.Digits >= 3
	r.Alarm = r.News && r.Rarity >= r.Threshold
	return r
}

func (n *nervous) String() string { return fmt.Sprintf("%g after %d", n.last.Value, n.seen) }

func (n *nervous) AppendSnapshot(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, n.seen)
	dst = binary.LittleEndian.AppendUint64(dst, n.silent)
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(n.sum))
}

func (n *nervous) Restore(b []byte) error {
	if len(b) != 24 {
		return errors.New("it has another length")
	}
	n.seen, n.silent = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
	n.sum = math.Float64frombits(binary.LittleEndian.Uint64(b[16:]))
	return nil
}

// watched is small with detectors on everything.
func watched() Config {
	cfg := small()
	start := time.Unix(1_700_000_300, 0).UTC()
	cfg.Detectors = []flyball.Detector{
		{Name: "all", Direction: flyball.DirectionBoth, Severity: "info", SeriesLimit: 12, Revision: "a", Watches: []flyball.Watch{
			{Indicator: "errors", Values: []flyball.WindowValue{flyball.ValueRate, flyball.ValueErrorRatio}},
			{Indicator: "latency", Values: []flyball.WindowValue{flyball.ValueP50, flyball.ValueMean, flyball.ValueRate}}}},
		{Name: "some", Direction: flyball.DirectionUp, Severity: "ticket", SeriesLimit: 3, Revision: "b", Selector: []flyball.Matcher{mustMatcher(`http.route=~"/a|/b"`)},
			Watches:    []flyball.Watch{{Indicator: "latency", Values: []flyball.WindowValue{flyball.ValueP99}}},
			Exclusions: []flyball.Exclusion{{Name: "once", Start: start, Length: 400 * time.Second}}},
	}
	cfg.Anomaly = func(flyball.Detector, flyball.WindowValue, flyball.Indicator) detectors.SeriesDetector {
		return &nervous{}
	}
	return cfg
}

// withLabels adds what people say of the findings that a log gives, and of others.
func withLabels(t *rapid.T, log []Record) []Record {
	ids := map[string]string{"unknown": "api"}
	names := []string{"unknown"}
	for _, f := range reference(watched(), log).out.Findings {
		if f.Kind == "anomaly" && f.State == flyball.FindingOpened {
			ids[f.ID] = f.Entity
			names = append(names, f.ID)
		}
	}
	out := slices.Clone(log)
	for i := range out {
		if rapid.IntRange(0, 3).Draw(t, "label") == 0 {
			id := rapid.SampledFrom(names).Draw(t, "finding")
			out[i].Label = &flyball.FindingLabel{Finding: id, Entity: ids[id], Verdict: rapid.SampledFrom([]flyball.LabelVerdict{"real", "noise", "noise"}).Draw(t, "verdict")}
		}
	}
	return out
}

// TestAnomaliesLawIsNotEmpty makes sure that the random logs of TestLaw reach them.
func TestAnomaliesLawIsNotEmpty(t *testing.T) {
	draw(t, "100")
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		s := reference(watched(), withLabels(t, drawLog(t)))
		for _, f := range s.out.Findings {
			if f.Kind != "anomaly" {
				continue
			}
			seen[f.Detector+" "+string(f.State)]++
			if len(f.Series) > 1 {
				seen["several series"]++
			}
		}
		for _, b := range s.out.Bands {
			seen[string(b.Value)]++
		}
		whole := New(watched()).Step(Input{Records: s.log})
		for _, l := range whole.Limited {
			if l.Reason == processors.LimitWatched {
				seen["limits"]++
			}
		}
		for _, d := range s.out.DeadLetters {
			seen[d.Reason]++
		}
		for key, value := range s.state {
			if strings.Contains(string(value), `"margins"`) {
				seen["margins"]++
			}
			if len(key) > 22 && key[:22] == "evaluate/0/anomaly/wat" {
				seen["state"]++
			}
		}
	})
	for _, what := range []string{
		"all opened", "all updated", "all resolved", "some opened", "some resolved", "several series", "state", "limits", "margins", ReasonUnknownFinding,
		"rate", "error_ratio", "p50", "mean", "p99",
	} {
		if seen[what] == 0 {
			t.Errorf("no random log has any %s", what)
		}
	}
	t.Log(seen)
}

// TestLabelsMoveTheThreshold: what was said to be noise does not come again, however
// often it is said; what was real comes sooner.
func TestLabelsMoveTheThreshold(t *testing.T) {
	f := func(verdict flyball.LabelVerdict, want int) {
		t.Helper()
		cfg := watched()
		cfg.Detectors = cfg.Detectors[:1]
		cfg.Detectors[0].Watches = []flyball.Watch{{Indicator: "errors", Values: []flyball.WindowValue{flyball.ValueErrorRatio}}}
		d := newDriver(t, cfg)
		opened := func() (n int) {
			for _, f := range d.out.Findings {
				if f.Kind == "anomaly" && f.State == flyball.FindingOpened {
					n++
				}
			}
			return n
		}
		at := flyball.Time(0)
		pane := func(bad int64) {
			w := newLogWriter(1)
			w.writer.Append(processors.PaneRow{Indicator: "errors", Entity: "cart", Labels: `{"service.name":"cart"}`, Start: at, Count: 100, Bad: bad, Min: math.Inf(1), Max: math.Inf(-1)})
			at = at.Add(5 * time.Second)
			w.record(processors.Mark{Source: "logs", Topic: "logs", Of: 1, Watermark: at})
			w.log[0].Offset = int64(len(d.log))
			d.log = append(d.log, w.log[0])
		}
		for range 20 {
			pane(10)
		}
		pane(25)
		for range 20 {
			pane(10)
		}
		d.drain()
		if opened() != 1 {
			t.Fatalf("%d findings, want 1", opened())
		}
		for range 2 {
			d.log = append(d.log, Record{Offset: int64(len(d.log)), Label: &flyball.FindingLabel{Finding: d.out.Findings[0].ID, Entity: "cart", Verdict: verdict}})
		}
		d.drain()
		d.restart()
		pane(25)
		for range 20 {
			pane(10)
		}
		d.drain()
		if got := opened() - 1; got != want {
			t.Errorf("after %s: %d findings more, want %d", verdict, got, want)
		}
		if len(d.out.DeadLetters) > 0 {
			t.Errorf("dead letters: %+v", d.out.DeadLetters)
		}
	}
	f(flyball.LabelNoise, 0)
	f(flyball.LabelReal, 1)
}
