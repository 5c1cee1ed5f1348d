package scenario

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/aggregate"
	"github.com/flyball-io/flyball/processors/window"
)

// runWatermarkCase runs Flink's operator tests. A watermark of W says there that
// no sample of W or before follows; here, that none before W + 1 ms does. ours,
// when set, replaces the value of corrections.
func runWatermarkCase(t *testing.T, c peerCase, ours string) {
	type expected struct {
		Emit []emission `json:"emit"`
	}
	want := must[[]expected](t, c.Expect)
	b := newBench(t, time.Millisecond, c.Config.Size, c.Config.Lateness)
	if c.Config.Slide > 0 {
		b = newHoppingBench(t, time.Millisecond, c.Config.Size, c.Config.Slide, c.Config.Lateness)
	}
	closed := map[[2]int64]bool{}
	for i, op := range c.Ops {
		switch {
		case op["el"] != nil:
			e := must[element](t, op["el"])
			b.element(e.Key, e.TS, must[float64](t, e.Value))
		case op["snapshot_restore"] != nil:
			b.restart()
		case op["wm"] != nil:
			wm := must[int64](t, op["wm"])
			b.watermark(ms(wm + 1))
			for j := range want[0].Emit {
				e := &want[0].Emit[j]
				if ours != "" && closed[e.Window] {
					e.Value = must[tally](t, json.RawMessage(ours))
				}
				closed[e.Window] = true
			}
			if diff := cmp.Diff(emissions(want[0].Emit), b.take()); diff != "" {
				t.Errorf("op %d, watermark %d (-want +got):\n%s", i, wm, diff)
			}
			want = want[1:]
		default:
			t.Fatalf("op %d is unknown: %v", i, op)
		}
	}
	if len(b.late) != len(c.LateDropped) {
		t.Errorf("%d samples are late, want %d: %v", len(b.late), len(c.LateDropped), b.late)
	}
}

// runOverflowCase runs the case at the end of time in nanoseconds, which is where
// our times end.
func runOverflowCase(t *testing.T, c peerCase, _ string) {
	b := newBench(t, 1, c.Config.Size, c.Config.Lateness)
	e := must[element](t, c.Ops[0]["el"])
	b.element(e.Key, e.TS, 1)
	b.watermark(b.at(must[int64](t, c.Ops[1]["wm"]) + 1))
	if got := b.take(); got != "" {
		t.Errorf("before its end, the window gives %s", got)
	}
	end := b.at(e.TS).Floor(b.spec.Window).Add(b.spec.Window)
	b.watermark(end)
	want := fmt.Sprintf("%s[%d,%d)=1", e.Key, int64(end)-c.Config.Size, int64(end))
	if got := b.take(); got != want {
		t.Errorf("at its end, the window gives %q, want %q", got, want)
	}
	b.watermark(math.MaxInt64) // beyond the end of the window's lateness, were there any such time
	b.element(e.Key, e.TS, 1)
	if len(b.late) != 1 {
		t.Errorf("at the end of time, late are %v", b.late)
	}
}

// runStreamTimeCase runs Kafka Streams' tests: the watermark is the largest event
// time so far, and grace is lateness.
func runStreamTimeCase(t *testing.T, c peerCase, _ string) {
	b := newBench(t, time.Millisecond, c.Config.Size, c.Config.Grace)
	for i, op := range c.Ops {
		e := must[element](t, op["el"])
		late := len(b.late)
		b.element(e.Key, e.TS, 1)
		b.watermark(b.max)
		if want := lateAt(c, i); (len(b.late) > late) != want {
			t.Errorf("op %d is late: %v, want %v", i, !want, want)
		}
	}
	if diff := cmp.Diff(emissions(c.ExpectFinal), b.final()); diff != "" {
		t.Errorf("final windows (-want +got):\n%s", diff)
	}
}

// runHoppingCase runs Kafka Streams' tests of hopping windows. A window is final there
// when stream time has passed its end by the grace: so that less the grace is the
// watermark. Windows that begin before zero it does not have.
func runHoppingCase(t *testing.T, c peerCase, _ string) {
	b := newHoppingBench(t, time.Millisecond, c.Config.Size, c.Config.Slide, 0)
	for _, op := range c.Ops {
		if op["snapshot_restore"] != nil {
			b.restart()
			continue
		}
		e := must[element](t, op["el"])
		b.element(e.Key, e.TS, 1)
		b.watermark(b.max.Add(-time.Duration(c.Config.Grace) * time.Millisecond))
	}
	want := c.ExpectFinal
	if len(c.ExpectState) > 0 {
		b.watermark(math.MaxInt64)
		want = c.ExpectState
	}
	b.rows = slices.DeleteFunc(b.rows, func(r processors.WindowRow) bool { return r.Start < 0 })
	if diff := cmp.Diff(emissions(want), b.take()); diff != "" {
		t.Errorf("windows (-want +got):\n%s", diff)
	}
	if len(b.late) > 0 {
		t.Errorf("late are %v", b.late)
	}
}

// runAssignCase runs Bytewax' tests of which windows a time is in.
func runAssignCase(t *testing.T, c peerCase, _ string) {
	const half = 500 * time.Millisecond
	b := newHoppingBench(t, half, 2*c.Config.SizeS, 2*c.Config.SlideS, 0)
	b.element("k", int64(2*must[float64](t, c.Ops[0]["ts_s"])), 1)
	b.watermark(math.MaxInt64)
	want := must[struct {
		Windows [][2]int64 `json:"windows"`
	}](t, c.Expect)
	var list []emission
	for _, w := range want.Windows {
		list = append(list, emission{"k", [2]int64{2 * w[0], 2 * w[1]}, 1})
	}
	if diff := cmp.Diff(emissions(list), b.take()); diff != "" {
		t.Errorf("windows (-want +got):\n%s", diff)
	}
}

// lateAt reports whether the case says that its op number i is late.
func lateAt(c peerCase, i int) bool {
	return slices.ContainsFunc(c.LateDropped, func(e element) bool { return e.Index == i })
}

// runBeamLateCase: the first element may be too late for any window.
func runBeamLateCase(t *testing.T, c peerCase, _ string) {
	b := newBench(t, time.Millisecond, c.Config.Size, c.Config.Lateness)
	for _, op := range c.Ops {
		switch {
		case op["el"] != nil:
			e := must[element](t, op["el"])
			b.element("k", e.TS, 1)
		case string(op["wm"]) == `"inf"`:
			b.watermark(math.MaxInt64)
		default:
			b.watermark(ms(must[int64](t, op["wm"])))
		}
	}
	if got, want := b.take(), "k[0,1000)=1"; got != want || len(b.late) != 1 {
		t.Errorf("windows are %q, want %q; late are %v, want one", got, want, b.late)
	}
}

// runBeamMonotonicCase: a watermark that goes back is an error there.
func runBeamMonotonicCase(t *testing.T, c peerCase, _ string) {
	b := newBench(t, time.Millisecond, 1000, 0)
	for _, op := range c.Ops {
		b.watermark(ms(must[int64](t, op["wm"])))
	}
	if got := b.machine.Watermark("s"); got != 0 {
		t.Errorf("the watermark is %v, want the first", got)
	}
}

// merged is the watermark of one source whose topic has some partitions.
type merged struct {
	*window.Watermarks
	of   int32
	last map[int32]processors.Mark
}

func newMerged(of int32) *merged {
	return &merged{window.NewWatermarks([]flyball.Source{{Name: "s", Topics: []string{"t"}}}), of, map[int32]processors.Mark{}}
}

// mark lets a partition say how far it is, or that it is idle or busy.
func (m *merged) mark(p int32, change func(*processors.Mark)) {
	next, ok := m.last[p]
	if !ok {
		next.Watermark = flyball.NoTime
	}
	next.Source, next.Topic, next.Partition, next.Of = "s", "t", p, m.of
	change(&next)
	m.last[p] = next
	m.Mark(next)
}

// runMultiplexerCase runs Flink's tests of per-partition watermarks. Partitions
// are not unregistered here: a topic does not shrink, and a partition that changes
// owners stays the same one.
func runMultiplexerCase(t *testing.T, c peerCase, _ string) {
	// An owner that comes when another has gone gets the partition of that one.
	index, gone, partitions := map[string]int32{}, []int32{}, int32(0)
	for _, op := range c.Ops {
		switch {
		case op["register"] != nil && len(gone) > 0:
			index[must[string](t, op["register"])], gone = gone[0], gone[1:]
		case op["register"] != nil:
			index[must[string](t, op["register"])] = partitions
			partitions++
		case op["unregister"] != nil:
			gone = append(gone, index[must[string](t, op["unregister"])])
		}
	}
	m := newMerged(partitions)
	for _, op := range c.Ops {
		switch {
		case op["register"] != nil, op["periodic"] != nil:
		case op["unregister"] != nil:
			delete(m.last, index[must[string](t, op["unregister"])])
		case op["idle"] != nil:
			m.mark(index[must[string](t, op["idle"])], func(k *processors.Mark) { k.Idle = true })
		case op["emit"] != nil:
			pair := must[[2]json.RawMessage](t, op["emit"])
			m.mark(index[must[string](t, pair[0])], func(k *processors.Mark) {
				k.Watermark, k.Idle = ms(must[int64](t, pair[1])), false
			})
		default:
			t.Fatalf("unknown op %v", op)
		}
	}
	want := must[struct {
		Last *int64 `json:"last"`
	}](t, c.Expect)
	at := flyball.NoTime
	if want.Last != nil {
		at = ms(*want.Last)
	}
	if got := m.Of("s"); got != at {
		t.Errorf("the watermark is %v, want %v", got, at)
	}
}

// runValveCase runs Flink's tests of the merging of channels: each is a
// partition. ours lists what each step gives, where that differs, "-" being
// nothing.
func runValveCase(t *testing.T, c peerCase, ours string) {
	m := newMerged(c.Config.Channels)
	for i, s := range c.Steps {
		before := m.Of("s")
		if s["wm"] != nil {
			pair := must[[2]int64](t, s["wm"])
			m.mark(int32(pair[0]), func(k *processors.Mark) { k.Watermark, k.Idle = ms(pair[1]), false })
		} else {
			pair := must[[2]json.RawMessage](t, s["status"])
			idle := must[string](t, pair[1]) == "IDLE"
			m.mark(int32(must[int64](t, pair[0])), func(k *processors.Mark) { k.Idle = idle })
		}
		want := flyball.NoTime
		for _, out := range must[[]json.RawMessage](t, s["out"]) {
			if !strings.HasPrefix(string(out), `"`) {
				want = ms(must[int64](t, out))
			}
		}
		if ours != "" {
			want = flyball.NoTime
			if w := strings.Fields(ours)[i]; w != "-" {
				want = ms(must[int64](t, json.RawMessage(w)))
			}
		}
		got := m.Of("s")
		if got == before {
			got = flyball.NoTime
		}
		if got != want {
			t.Errorf("step %d gives %v, want %v", i, got, want)
		}
	}
}

// tracker is an aggregate machine of which only the marks are looked at.
type tracker struct {
	t       *testing.T
	machine *aggregate.Machine
	now     flyball.Time
	mark    flyball.Time
}

// noSets serves samples without labels.
type noSets struct{}

func (noSets) Values(_ uint32, dst []string) []string { return append(dst, "x") }
func (noSets) Sets() int                              { return 1 }
func (noSets) Generation() uint64                     { return 1 }

func newTracker(t *testing.T, outOfOrderness time.Duration) *tracker {
	t.Helper()
	m, err := aggregate.New(aggregate.Config{
		Source:     flyball.Source{Name: "s", Topics: []string{"t"}, OutOfOrderness: outOfOrderness, IdleTimeout: time.Hour},
		Indicators: []flyball.Indicator{{Name: "i", Source: "s", Entity: "key", GroupBy: []string{"key"}, Pane: time.Second, Window: time.Second, SeriesLimit: 10}},
		Labels:     []string{"key"}, Partitions: 1,
	}, noSets{})
	if err != nil {
		t.Fatal(err)
	}
	return &tracker{t: t, machine: m, mark: flyball.NoTime}
}

// read folds a sample, if at is one, and commits.
func (tr *tracker) read(at flyball.Time) {
	in := aggregate.Input{Flush: &aggregate.Flush{Now: tr.now, Partitions: []aggregate.SourcePartition{{Topic: "t", Of: 1, CaughtUp: true}}}}
	if at != flyball.NoTime {
		in.Samples = []aggregate.Samples{{Topic: "t", Time: []int64{int64(at)}, Set: []uint32{0}, MaxTime: at}}
	}
	for _, b := range tr.machine.Step(in).Panes {
		for _, m := range b.Marks {
			tr.mark = max(tr.mark, m.Watermark)
		}
	}
	tr.machine.Commit()
}

// runMarkCase runs Bytewax' tests of its clock. ours is the watermark, in
// seconds, where ours differs.
func runMarkCase(t *testing.T, c peerCase, ours string) {
	tr := newTracker(t, time.Duration(c.Config.WaitS)*time.Second)
	for _, op := range c.Ops {
		if op["item"] != nil {
			tr.read(ms(1000 * must[int64](t, op["item"])))
			continue
		}
		tr.now = tr.now.Add(time.Duration(must[int64](t, op["clock+"])) * time.Second)
		tr.read(flyball.NoTime)
	}
	want := must[struct {
		At int64 `json:"watermark_s"`
	}](t, c.Expect).At
	if ours != "" {
		want = must[int64](t, json.RawMessage(ours))
	}
	if got := tr.mark; got != ms(1000*want) {
		t.Errorf("the watermark is %v, want %v s", got, want)
	}
}

// clock reads 16:51 and 16:51:30.
func clock(t *testing.T, s string) flyball.Time {
	t.Helper()
	if strings.Count(s, ":") == 1 {
		s += ":00"
	}
	at, err := time.Parse("15:04:05", s)
	if err != nil {
		t.Fatal(err)
	}
	return ms(int64(at.Hour()*3600+at.Minute()*60+at.Second()) * 1000)
}

// runHourCase runs RisingWave's test of emission on window close.
func runHourCase(t *testing.T, c peerCase, _ string) {
	b := newBench(t, time.Minute, c.Config.SizeMin, 0)
	tr := newTracker(t, time.Duration(c.Config.DelayMin)*time.Minute)
	want := must[[][][2]json.RawMessage](t, c.Expect)
	for _, op := range c.Ops {
		if op["query"] != nil {
			var expected, got []string
			for _, w := range want[0] {
				expected = append(expected, fmt.Sprintf("%v max %s", clock(t, must[string](t, w[0])), w[1]))
			}
			for _, r := range b.rows { // the table keeps what came out before
				got = append(got, fmt.Sprintf("%v max %v", r.Start, r.Max))
			}
			if diff := cmp.Diff(expected, got); diff != "" {
				t.Errorf("closed windows (-want +got):\n%s", diff)
			}
			want = want[1:]
			continue
		}
		for _, row := range must[[][2]json.RawMessage](t, op["insert"]) {
			at := clock(t, must[string](t, row[0]))
			b.element("k", int64(at)/int64(time.Minute), must[float64](t, row[1]))
			tr.read(at)
		}
		b.watermark(tr.mark)
	}
}

// runDocLateCase runs the example of RisingWave's manual.
func runDocLateCase(t *testing.T, c peerCase, _ string) {
	b := newBench(t, time.Second, 3600, 0)
	tr := newTracker(t, time.Duration(c.Config.DelayS)*time.Second)
	want := must[struct {
		Watermarks []string `json:"watermarks"`
		Late       []string `json:"late"`
	}](t, c.Expect)
	for i, op := range c.Ops {
		at := clock(t, must[string](t, op["ts"]))
		b.element("k", int64(at)/int64(time.Second), 1)
		tr.read(at)
		b.watermark(tr.mark)
		if expected := clock(t, want.Watermarks[i]); tr.mark != expected {
			t.Errorf("after %s the watermark is %v, want %v", op["ts"], tr.mark, expected)
		}
	}
	noon := clock(t, "12:00")
	if got, expected := b.take(), fmt.Sprintf("k[%d,%d)=1", 11*3600, 12*3600); got != expected {
		t.Errorf("the window to %v is %q, want %q", noon, got, expected)
	}
	if len(b.late) != len(want.Late) {
		t.Errorf("late are %v, want %v", b.late, want.Late)
	}
}
