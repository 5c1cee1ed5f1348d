package evaluate

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// sharedCase is a case of window semantics collected from the tests of another
// engine. Times are in milliseconds; a watermark W of theirs means that no more
// samples come up to and including W.
type sharedCase struct {
	ID, Dialect string
	Config      struct {
		Window, Agg, Fire     string
		Size, Lateness, Grace int64
		SizeMin               int64 `json:"size_min"`
		DelayMin              int64 `json:"watermark_delay_min"`
	}
	Ops []struct {
		El *struct {
			Key   string
			Value any
			TS    int64
		}
		WM              any
		SnapshotRestore bool `json:"snapshot_restore"`
		Insert          [][2]any
		Query           bool
	}
	Expect      json.RawMessage
	ExpectFinal []emission `json:"expect_final"`
	LateDropped []any      `json:"late_dropped"`
}

type emission struct {
	Key    string
	Window [2]int64
	Value  int64
}

func sharedCases(t *testing.T, want func(*sharedCase) bool, least int) []sharedCase {
	dir := os.Getenv("FLYBALL_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	b, err := os.ReadFile(filepath.Join(dir, "data", "window_cases.json"))
	if err != nil {
		t.Skipf("no shared window cases: %v; set FLYBALL_SHARED", err)
	}
	var file struct{ Cases []json.RawMessage }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	var out []sharedCase
	for _, raw := range file.Cases {
		var c sharedCase
		if err := json.Unmarshal(raw, &c); err == nil && want(&c) { // others have other shapes
			out = append(out, c)
		}
	}
	if len(out) != least {
		t.Errorf("%d cases, want %d", len(out), least)
	}
	return out
}

// player plays a case on a machine whose panes are as wide as the windows.
type player struct {
	*shell
	size   time.Duration
	writer processors.PaneWriter
	latest int64
}

func newPlayer(size, lateness time.Duration) *player {
	return &player{size: size, latest: -1 << 62, shell: newShell(Config{
		Sources: []flyball.Source{{Name: "spans", Topics: []string{"otlp"}}},
		Indicators: []flyball.Indicator{{
			Name: "latency", Source: "spans", Entity: "service.name", GroupBy: []string{"service.name"}, Value: "duration",
			Pane: size, Window: size, Lateness: lateness,
		}},
	}, nil)}
}

func (p *player) element(key string, ms int64, value float64) {
	at := flyball.Time(ms) * flyball.Time(time.Millisecond)
	p.writer.Append(rowOf("latency", key, "", at.Floor(p.size), 0, value))
	p.latest = max(p.latest, ms)
}

func (p *player) record(marks ...processors.Mark) {
	p.log = append(p.log, Record{Offset: int64(len(p.log)), Panes: p.writer.Encode(), Marks: marks})
	p.drain()
}

// watermark says that no more samples come before ms.
func (p *player) watermark(ms int64) {
	p.record(processors.Mark{Source: "spans", Topic: "otlp", Of: 1, Watermark: flyball.Time(ms) * flyball.Time(time.Millisecond)})
}

// emissions returns what was said since the last call.
func (p *player) emissions() []emission {
	out := []emission{}
	for _, w := range p.out.Windows {
		ms := flyball.Time(time.Millisecond)
		out = append(out, emission{w.Entity, [2]int64{int64(w.Start / ms), int64(w.End / ms)}, w.Count})
	}
	slices.SortFunc(out, func(a, b emission) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	p.out.Windows = nil
	return out
}

// TestTumblingWindowsOfFlink runs the tumbling cases with a watermark, a restart
// among them. Discarding triggers are not ours: a correction holds all samples.
func TestTumblingWindowsOfFlink(t *testing.T) {
	for _, c := range sharedCases(t, func(c *sharedCase) bool {
		return c.Dialect == "watermark" && c.Config.Window == "tumble" && c.Config.Fire == "accumulating" && c.ID != "flink-cleanup-overflow"
	}, 3) {
		t.Run(c.ID, func(t *testing.T) {
			ms := time.Millisecond
			p := newPlayer(time.Duration(c.Config.Size)*ms, time.Duration(c.Config.Lateness)*ms)
			type at struct {
				AtWM any `json:"at_wm"`
				Emit []emission
			}
			var want, got []at
			if err := json.Unmarshal(c.Expect, &want); err != nil {
				t.Fatal(err)
			}
			for _, op := range c.Ops {
				switch {
				case op.El != nil:
					p.element(op.El.Key, op.El.TS, 1)
					p.record()
				case op.SnapshotRestore:
					p.restart()
				default:
					p.watermark(int64(op.WM.(float64)) + 1)
					got = append(got, at{op.WM, p.emissions()})
				}
			}
			for i := range want {
				slices.SortFunc(want[i].Emit, func(a, b emission) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if len(p.out.DeadLetters) != len(c.LateDropped) {
				t.Errorf("%d dead letters, want %d", len(p.out.DeadLetters), len(c.LateDropped))
			}
		})
	}
}

// TestTumblingWindowsOfKafkaStreams: its stream time less the grace is our
// watermark, and its final result our first revision.
func TestTumblingWindowsOfKafkaStreams(t *testing.T) {
	for _, c := range sharedCases(t, func(c *sharedCase) bool {
		return c.Dialect == "stream-time" && c.Config.Window == "tumble"
	}, 1) {
		p := newPlayer(time.Duration(c.Config.Size)*time.Millisecond, 0)
		for _, op := range c.Ops {
			p.element(op.El.Key, op.El.TS, 1)
			p.watermark(p.latest - c.Config.Grace)
		}
		if diff := cmp.Diff(c.ExpectFinal, p.emissions()); diff != "" {
			t.Errorf("%s: %s", c.ID, diff)
		}
		if len(p.out.DeadLetters) != len(c.LateDropped) {
			t.Errorf("%s: %d dead letters, want %d", c.ID, len(p.out.DeadLetters), len(c.LateDropped))
		}
	}
}

// TestEmitOnWindowCloseOfRisingWave: a watermark five minutes behind closes hours.
func TestEmitOnWindowCloseOfRisingWave(t *testing.T) {
	for _, c := range sharedCases(t, func(c *sharedCase) bool { return c.ID == "risingwave-eowc-hour" }, 1) {
		p := newPlayer(time.Duration(c.Config.SizeMin)*time.Minute, 0)
		var want, got [][][2]any
		if err := json.Unmarshal(c.Expect, &want); err != nil {
			t.Fatal(err)
		}
		for _, op := range c.Ops {
			for _, row := range op.Insert {
				clock, err := time.Parse("15:04", row[0].(string))
				if err != nil {
					t.Fatal(err)
				}
				p.element("", clock.Sub(clock.Truncate(24*time.Hour)).Milliseconds(), row[1].(float64))
				p.watermark(p.latest - c.Config.DelayMin*60_000)
			}
			if op.Query {
				rows := [][2]any{}
				for _, w := range p.out.Windows {
					rows = append(rows, [2]any{w.Start.Std().Format("15:04"), w.Max})
				}
				got = append(got, rows)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", c.ID, diff)
		}
	}
}

// TestFirstElementLateOfBeam: a first sample far behind the watermark is dropped,
// and does not disturb the next.
func TestFirstElementLateOfBeam(t *testing.T) {
	for range sharedCases(t, func(c *sharedCase) bool { return c.ID == "beam-first-element-late" }, 1) {
		p := newPlayer(time.Second, 5*time.Second)
		p.watermark(0)
		p.element("late", -1_000_000, 1)
		p.element("onTime", 100, 1)
		p.watermark(1 << 40)
		if diff := cmp.Diff([]emission{{"onTime", [2]int64{0, 1000}, 1}}, p.emissions()); diff != "" {
			t.Error(diff)
		}
		if len(p.out.DeadLetters) != 1 {
			t.Errorf("%d dead letters, want 1", len(p.out.DeadLetters))
		}
	}
}
