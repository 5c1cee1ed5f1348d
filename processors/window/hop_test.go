package window

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

func TestGeometry(t *testing.T) {
	f := func(pane, hop, window, wantCell time.Duration, wantLong bool) {
		t.Helper()
		g := geometryOf(&flyball.Indicator{Pane: pane, Hop: hop, Window: window}, Rebuilt)
		if g.cell != wantCell || g.long != wantLong || g.hop%g.cell != 0 || g.window%g.cell != 0 || g.cell%pane != 0 {
			t.Errorf("windows of %v every %v have cells of %v (long: %v), want %v (%v)", window, hop, g.cell, g.long, wantCell, wantLong)
		}
	}
	const day = 24 * time.Hour
	f(10*time.Second, 0, time.Minute, time.Minute, false)
	f(10*time.Second, 10*time.Second, time.Minute, 10*time.Second, false)
	f(10*time.Second, 5*time.Minute, time.Hour, 5*time.Minute, false)
	f(10*time.Second, 0, 2*time.Hour, 10*time.Minute, true)
	f(10*time.Second, time.Minute, 2*time.Hour, time.Minute, true)
	f(10*time.Second, 0, 30*day, 10*time.Minute, true)
	f(10*time.Second, 7*time.Minute, 70*time.Minute, 7*time.Minute, true)
	f(10*time.Second, 7*time.Minute, 72*time.Minute, time.Minute, true)
	f(10*time.Second, 40*time.Second, time.Minute, 20*time.Second, false)
	f(60*time.Second, 61*time.Minute, 61*time.Minute, time.Minute, true)
}

func TestHoppingWindows(t *testing.T) {
	spec := latency
	spec.Hop = 20 * time.Second
	s := NewStore(spec, 0)
	mustAdd(t, s, row("cart", "/a", 10*second, 100), 1)
	mustAdd(t, s, row("cart", "/a", 30*second, 200), 2)
	mustAdd(t, s, row("cart", "/a", 150*second, 300), 3)
	f := func(from, to flyball.Time, want ...string) {
		t.Helper()
		var w processors.Windows
		s.CloseWindows(from, to, &w)
		var got []string
		for _, r := range rowsOf(&w) {
			got = append(got, fmt.Sprintf("[%d,%d) %d %v..%v", r.Start/second, r.End/second, r.Count, r.Min, r.Max))
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("from %d to %d: %s", from, to, diff)
		}
	}
	f(flyball.NoTime, 19*second)
	f(19*second, 40*second, "[-40,20) 1 100..100", "[-20,40) 2 100..200")
	f(40*second, 500*second, "[0,60) 2 100..200", "[20,80) 1 200..200",
		"[100,160) 1 300..300", "[120,180) 1 300..300", "[140,200) 1 300..300")
	// The pane at 10 s is in windows that end at 20, 40 and 60 s, and 90 s later each expires.
	g := func(watermark flyball.Time, want ...flyball.Time) {
		t.Helper()
		var got []flyball.Time
		for start := range s.Correctable(10*second, watermark) {
			got = append(got, start/second)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("at %d: %s", watermark/second, diff)
		}
	}
	g(19 * second)
	g(40*second, -40, -20)
	g(60*second, -40, -20, 0)
	g(115*second, -20, 0)
	g(149*second, 0)
	g(150 * second)
}

// variety are stores of all geometries, with the unit of time that fits them.
var variety = []struct {
	name string
	unit time.Duration // of panes
	hop  time.Duration // in units
}{
	{"tumbling", 10 * time.Second, 6}, {"hopping", 10 * time.Second, 2}, {"every pane", 10 * time.Second, 1},
	{"not whole hops", 10 * time.Second, 4}, {"long and not whole hops", 20 * time.Minute, 4},
	{"long", 20 * time.Minute, 6}, {"long and hopping", 20 * time.Minute, 2}, {"long and cut", 4 * time.Minute, 30},
}

// scaled is latency in another unit of time, with windows of six units or a hop.
func scaled(unit, hop time.Duration, limit int) flyball.Indicator {
	spec := latency
	spec.Pane, spec.Hop, spec.Window, spec.Lateness, spec.SeriesLimit = unit, hop*unit, max(6, hop)*unit, 9*unit, limit
	return spec
}

// TestWindowsOfAllKindsAgainstModel holds what closes, corrections and the lowest offset
// against windows counted from all rows so far, through transactions that are taken back
// and restarts from the durable state and the log.
func TestWindowsOfAllKindsAgainstModel(t *testing.T) {
	for _, v := range variety {
		t.Run(v.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				spec := scaled(v.unit, v.hop, 0)
				m := &model{spec: spec, t: t, store: NewStore(spec, 0), watermark: flyball.NoTime, state: map[string][]byte{}}
				for _, tx := range rapid.SliceOfN(drawTransaction, 1, 14).Draw(t, "transactions") {
					for i := range tx.rows {
						tx.rows[i].Start = tx.rows[i].Start / (10 * second) * flyball.Time(v.unit)
					}
					tx.watermark = tx.watermark / (10 * second) * flyball.Time(v.unit)
					m.transaction(tx)
					if rapid.IntRange(0, 3).Draw(t, "restart") == 0 {
						m.restart()
					}
				}
			})
		})
	}
}

// model is a store with what must come of it.
type model struct {
	spec      flyball.Indicator
	t         *rapid.T
	store     *Store
	watermark flyball.Time
	log       []logged // what was committed
	low       int64    // from where on a successor reads
	state     map[string][]byte
}

type logged struct {
	row       processors.PaneRow
	watermark flyball.Time // when it came
}

// rows returns those of a window.
func (m *model) rows(list []logged, labels string, start flyball.Time) (out []processors.PaneRow) {
	for _, l := range list {
		if l.row.Labels == labels && l.row.Start >= start && l.row.Start < start.Add(m.spec.Window) {
			out = append(out, l.row)
		}
	}
	return out
}

func (m *model) transaction(tx transaction) {
	list := slices.Clone(m.log)
	for _, r := range tx.rows {
		if m.store.Expired(r.Start, m.watermark) {
			continue
		}
		if _, err := m.store.Add(r, int64(len(list))); err != nil {
			continue
		}
		list = append(list, logged{r, m.watermark})
		for start := range m.store.Correctable(r.Start, m.watermark) {
			var w processors.Windows
			m.store.Correct(r.Labels, start, 1, &w)
			m.same(list, w.Row(0))
		}
	}
	to := max(m.watermark, tx.watermark)
	var w processors.Windows
	m.store.CloseWindows(m.watermark, to, &w)
	m.closed(list, rowsOf(&w), to)
	m.store.Settle(to)
	changes := map[string][]byte{}
	m.store.Changed(func(key string, value []byte) { changes[key] = value })
	if !tx.commit {
		m.store.Abort()
		return
	}
	m.low = int64(len(list))
	if low, ok := m.store.Low(to); ok {
		m.low = low
	}
	maps.Copy(m.state, changes)
	maps.DeleteFunc(m.state, func(_ string, v []byte) bool { return v == nil })
	m.log, m.watermark = list, to
	m.store.Commit(to)
}

// same holds a window against its rows.
func (m *model) same(list []logged, got processors.WindowRow) {
	m.t.Helper()
	want := windowOf(m.rows(list, got.Labels, got.Start))
	want.Start, want.End = got.Start, got.Start.Add(m.spec.Window)
	if diff := gocmp.Diff(want, got, nanEqual); diff != "" {
		m.t.Fatal(diff)
	}
}

// closed holds the windows that a step of the watermark closes against all that it should.
func (m *model) closed(list []logged, got []processors.WindowRow, to flyball.Time) {
	m.t.Helper()
	hop := m.spec.Hop
	want := map[string]bool{}
	for _, l := range list {
		for start := l.row.Start.Floor(hop); start > l.row.Start.Add(-m.spec.Window); start = start.Add(-hop) {
			if end := start.Add(m.spec.Window); end > m.watermark && end <= to {
				want[fmt.Sprint(int64(end), l.row.Labels)] = true
			}
		}
	}
	last := ""
	for _, r := range got {
		key := fmt.Sprint(int64(r.End), r.Labels)
		if !want[key] {
			m.t.Fatalf("window %s closes between %v and %v, twice or for nothing", key, m.watermark, to)
		}
		delete(want, key)
		if at := fmt.Sprintf("%020d%s", int64(r.End), r.Labels); at < last {
			m.t.Fatalf("window %s comes after %s", at, last)
		} else {
			last = at
		}
		m.same(list, r)
	}
	if len(want) > 0 {
		m.t.Fatalf("these windows do not close between %v and %v: %v", m.watermark, to, want)
	}
}

// restart replaces the store by one from the durable state and the log from the lowest
// offset on.
func (m *model) restart() {
	m.store = NewStore(m.spec, 0)
	for _, key := range slices.Sorted(maps.Keys(m.state)) {
		if err := m.store.Restore(key, m.state[key]); err != nil {
			m.t.Fatal(err)
		}
	}
	for i := m.low; i < int64(len(m.log)); i++ {
		r := m.log[i].row
		if m.store.Durable(r.Start, m.watermark) || m.store.Expired(r.Start, m.watermark) {
			continue
		}
		if _, err := m.store.Add(r, i); err != nil {
			m.t.Fatal(err)
		}
	}
	m.store.Commit(m.watermark)
}

// TestLongWindowsNeedLittleOfTheLog: of a window of a day a successor reads the last
// cell, and the state has a segment per series and hop.
func TestLongWindowsNeedLittleOfTheLog(t *testing.T) {
	spec := latency
	spec.Window, spec.Lateness = 24*time.Hour, 5*time.Minute
	s := NewStore(spec, 0)
	at, changes := flyball.Time(0), 0
	state := map[string][]byte{}
	for i := range int64(24 * 360) {
		mustAdd(t, s, row("cart", "/a", at, 1, 1000, 1e6), i)
		at = at.Add(10 * time.Second)
		s.Settle(at)
		s.Changed(func(key string, value []byte) { changes, state[key] = changes+1, value })
		if low, ok := s.Low(at); !ok || i-low > 2*60+30 {
			t.Fatalf("at pane %d the lowest offset needed is %d", i, low)
		}
		s.Commit(at)
		if n := len(s.order[0].cells); n > 3 {
			t.Fatalf("%d cells are kept", n)
		}
	}
	if len(state) != 2 || changes > 2*24*6+2 {
		t.Errorf("%d keys of state, written %d times", len(state), changes)
	}
	var w processors.Windows
	s.CloseWindows(at-1, at, &w)
	if w.Len() != 1 || w.Count[0] != 24*360*3 || w.Max[0] != 1e6 {
		t.Errorf("closed %v", rowsOf(&w))
	}
	s.Settle(at.Add(25 * time.Hour))
	gone := 0
	s.Changed(func(key string, value []byte) {
		if value == nil {
			gone++
		}
	})
	s.Commit(at.Add(25 * time.Hour))
	if gone != 1 || s.Series() != 0 {
		t.Errorf("%d keys are deleted when windows have expired, %d series left", gone, s.Series())
	}
}
