package slo

import (
	"maps"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
)

const pane = 10 * time.Second

var spec = flyball.SLO{
	Period: 10 * 24 * time.Hour,
	Tiers: []flyball.BurnRateTier{
		{Long: 40 * time.Minute, Short: 2 * time.Minute},
		{Long: 4 * time.Hour, Short: 30 * time.Minute},
	},
}

// model is a Tracker by its definition: every slice, and every sum counted anew.
type model map[flyball.Time]counts

func (m model) add(width time.Duration, start flyball.Time, c counts) {
	s := start.Floor(width)
	m[s] = m[s].plus(c)
}

func (m model) between(width time.Duration, from, to flyball.Time) (sum counts) {
	for start, c := range m {
		if start >= from.Floor(width) && start < to {
			sum = sum.plus(c)
		}
	}
	return sum
}

// cut counts as a ring of that width does: of the slice that the window begins in,
// a part as long as the window has of it.
func (m model) cut(width time.Duration, from, to flyball.Time) counts {
	start := from.Floor(width)
	sum, first := m.between(pane, start.Add(width), to), m.between(pane, start, start.Add(width))
	part := func(n int64) int64 {
		left := int64(width) - int64(from.Sub(start))
		exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(n), big.NewInt(left)), big.NewInt(int64(width)))
		q, rest := new(big.Int).QuoRem(exact.Num(), exact.Denom(), new(big.Int))
		return q.Int64() + int64(rest.Sign())
	}
	return sum.plus(counts{part(first.total), part(first.bad)})
}

// TestTrackerAgainstModel runs random changes against a Tracker and the model of
// it, with aborts and restarts on the way.
func TestTrackerAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tracker := NewTracker(spec, pane, 0)
		fine, wasFine := model{}, model{}
		durable := map[string][]byte{}
		now := flyball.Time(rapid.Int64Range(-100, 100).Draw(t, "origin")) * flyball.Time(time.Hour)
		expired := flyball.Time(flyball.NoTime)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				start := now.Add(-time.Duration(rapid.IntRange(0, 30).Draw(t, "late")) * pane)
				c := counts{total: rapid.Int64Range(1, 5000).Draw(t, "total")}
				c.bad = rapid.Int64Range(0, c.total).Draw(t, "bad")
				tracker.Add(start, c.total, c.bad)
				fine.add(pane, start, c)
			},
			"step":  func(*rapid.T) { now = now.Add(pane) },
			"later": func(t *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(1, 900).Draw(t, "panes")) * pane) },
			"gap":   func(t *rapid.T) { now = now.Add(time.Duration(rapid.IntRange(1, 500).Draw(t, "hours")) * time.Hour) },
			"expire": func(*rapid.T) {
				tracker.Expire(now)
				expired = now
			},
			"commit": func(*rapid.T) {
				tracker.Changed(func(key string, value []byte) {
					if value == nil {
						delete(durable, key)
					} else {
						durable[key] = value
					}
				})
				tracker.Commit()
				wasFine = maps.Clone(fine)
			},
			"abort": func(*rapid.T) {
				tracker.Abort()
				fine = maps.Clone(wasFine)
			},
			"restart": func(t *rapid.T) {
				tracker = NewTracker(spec, pane, 0)
				for _, key := range rapid.Permutation(slices.Sorted(maps.Keys(durable))).Draw(t, "order") {
					if err := tracker.Restore(key, durable[key]); err != nil {
						t.Fatal(err)
					}
				}
				if tracker.Dirty() {
					t.Fatal("a restore of the same widths leaves something to say")
				}
				fine = maps.Clone(wasFine)
			},
			"": func(t *rapid.T) { compare(t, tracker, fine, max(now, expired)) },
		})
	})
}

func compare(t *rapid.T, tracker *Tracker, fine model, at flyball.Time) {
	for _, window := range []time.Duration{pane, 2 * time.Minute, 30 * time.Minute, 40 * time.Minute, 4*time.Hour - pane, 4 * time.Hour} {
		total, bad := tracker.Sum(at, window)
		if want := fine.between(pane, at.Add(-window), at); want != (counts{total, bad}) {
			t.Fatalf("over %v before %v: %d, %d, want %v", window, at, total, bad, want)
		}
	}
	total, bad := tracker.Period(at)
	if want := fine.cut(tracker.rings[1].width, at.Add(-spec.Period), at); want != (counts{total, bad}) {
		t.Fatalf("over the period before %v: %d, %d, want %v", at, total, bad, want)
	}
	if got, want := tracker.Active(at), fine.between(pane, at.Add(-4*time.Hour), at).total > 0; got != want {
		t.Fatalf("Active is %v, want %v", got, want)
	}
	quiet := fine.between(pane, at.Add(-2*time.Minute), at).bad == 0 && fine.between(pane, at.Add(-30*time.Minute), at).bad == 0
	if tracker.Quiet(at) != quiet {
		t.Fatalf("Quiet is %v, want %v", tracker.Quiet(at), quiet)
	}
	edge, ok := tracker.NextChange(at)
	wantEdge, wantOK := nextChange(fine, at)
	if edge != wantEdge || ok != wantOK {
		t.Fatalf("after %v the next change is %v, %v, want %v, %v", at, edge, ok, wantEdge, wantOK)
	}
}

// nextChange tries every edge: a sum of a tier that is not quiet is another one,
// or a window has become empty.
func nextChange(fine model, at flyball.Time) (flyball.Time, bool) {
	past := model{} // what comes at or after at is no part of any window that ends there
	for start, c := range fine {
		if start < at {
			past[start] = c
		}
	}
	for edge := at.Add(pane); edge <= at.Add(4*time.Hour+pane); edge = edge.Add(pane) {
		for _, tier := range spec.Tiers {
			quiet := past.between(pane, at.Add(-tier.Short), at).bad == 0
			for _, w := range []time.Duration{tier.Short, tier.Long} {
				was, is := past.between(pane, at.Add(-w), at), past.between(pane, edge.Add(-w), edge)
				if is != was && (!quiet || is.total == 0) {
					return edge, true
				}
			}
		}
	}
	return 0, false
}

func TestTrackerForgets(t *testing.T) {
	tracker := NewTracker(spec, pane, 0)
	start := flyball.Time(0)
	for i := range 3 * 24 * 360 { // three days of panes
		tracker.Add(start.Add(time.Duration(i)*pane), 100, 1)
		tracker.Expire(start.Add(time.Duration(i+1) * pane))
		tracker.Commit()
	}
	if n, most := len(tracker.rings[0].chunks), 4*360/chunkSlices+2; n > most {
		t.Errorf("%d chunks of panes are kept, want at most %d", n, most)
	}
	if tracker.Empty() {
		t.Error("nothing is counted")
	}
	gone := 0
	tracker.Expire(start.Add(20 * 24 * time.Hour))
	tracker.Changed(func(key string, value []byte) {
		if value != nil {
			t.Errorf("%s is still there", key)
		}
		gone++
	})
	if gone == 0 || !tracker.Empty() {
		t.Errorf("%d chunks are gone; empty %v", gone, tracker.Empty())
	}
	tracker.Abort()
	if tracker.Empty() {
		t.Error("an abort does not bring them back")
	}
}

// TestTrackerSurvivesAChangeOfWidths restores the chunks of one configuration in
// another: the totals stay, old keys are deleted once and for all.
func TestTrackerSurvivesAChangeOfWidths(t *testing.T) {
	old := NewTracker(spec, pane, 0)
	at := flyball.Time(1_700_000_000e9)
	for i := range 1000 {
		old.Add(at.Add(time.Duration(i)*pane), 50, int64(i%3))
	}
	durable := map[string][]byte{}
	old.Changed(func(key string, value []byte) { durable[key] = value })

	changed := spec
	changed.Period = 7 * 24 * time.Hour
	tracker := NewTracker(changed, 30*time.Second, 0)
	for key, value := range durable {
		if err := tracker.Restore(key, value); err != nil {
			t.Fatal(err)
		}
	}
	end := at.Add(1000 * pane).Floor(30 * time.Second).Add(30 * time.Second)
	tracker.Reopen(end)
	check := func(tr *Tracker) {
		t.Helper()
		if total, bad := tr.Sum(end, 4*time.Hour); total != 50*1000 || bad != 999 {
			t.Errorf("the sum is %d, %d, want 50000, 999", total, bad)
		}
		if total, bad := tr.Period(end); total != 50*1000 || bad != 999 {
			t.Errorf("the period has %d, %d, want 50000, 999", total, bad)
		}
	}
	check(tracker)
	tracker.Abort() // the transaction that would have written it fails
	check(tracker)
	tracker.Changed(func(key string, value []byte) {
		if value == nil {
			delete(durable, key)
		} else {
			durable[key] = value
		}
	})
	tracker.Commit()
	if tracker.Dirty() {
		t.Error("committed, but it has still something to say")
	}
	again := NewTracker(changed, 30*time.Second, 0)
	for key, value := range durable {
		if err := again.Restore(key, value); err != nil {
			t.Fatal(err)
		}
	}
	if again.Dirty() {
		t.Error("old chunks are still there")
	}
	check(again)
}

func TestReopen(t *testing.T) {
	old := NewTracker(spec, pane, 0)
	for i := range 7 { // panes to 1m10s
		old.Add(flyball.Time(i)*flyball.Time(pane), 10, 1)
	}
	tracker := NewTracker(spec, 30*time.Second, 0)
	old.Changed(func(key string, value []byte) {
		if err := tracker.Restore(key, value); err != nil {
			t.Fatal(err)
		}
	})
	open := flyball.Time(60e9) // the pane that the watermark of 1m10s is in
	tracker.Reopen(open)
	tracker.Abort()
	end := open.Add(time.Hour)
	if total, bad := tracker.Sum(end, 4*time.Hour); total != 60 || bad != 6 {
		t.Errorf("the sum is %d, %d, want 60, 6", total, bad)
	}
	if total, bad := tracker.Period(end); total != 60 || bad != 6 {
		t.Errorf("the period has %d, %d, want 60, 6", total, bad)
	}
	tracker.Reopen(0)
	if !tracker.Empty() || !tracker.Dirty() {
		t.Errorf("empty %v, dirty %v", tracker.Empty(), tracker.Dirty())
	}
}

func TestRestoreRefuses(t *testing.T) {
	good := pack(&[chunkSlices]counts{{total: 5, bad: 1}, {total: 300}})
	f := func(key string, value []byte) {
		t.Helper()
		tracker := NewTracker(spec, pane, 0)
		if err := tracker.Restore(key, value); err == nil {
			t.Errorf("%q is taken with % x", key, value)
		}
		if !tracker.Empty() {
			t.Errorf("%q is refused, but something is counted", key)
		}
	}
	for _, key := range []string{"", "f", "f10s", "x10s.1", "f10s.", "f10s.x", "f0s.1", "f-10s.1", "f10.1", ".1"} {
		f(key, good)
	}
	f("f10s.1", nil)
	f("f10s.1", good[:1])
	f("f10s.1", good[:3])
	f("f10s.1", append(slices.Clone(good), 0x80))
	f("f10s.1", []byte{1, 2})
	f("c20m0s.1", make([]byte, 2*chunkSlices+2))
	tracker := NewTracker(spec, pane, 0)
	if err := tracker.Restore("f10s.-3", good); err != nil {
		t.Error(err)
	}
}

func TestChunkRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list [chunkSlices]counts
		for range rapid.IntRange(0, 80).Draw(t, "n") {
			total := rapid.Int64Range(0, maxSlice).Draw(t, "total")
			list[rapid.IntRange(0, chunkSlices-1).Draw(t, "at")] = counts{total, rapid.Int64Range(0, total).Draw(t, "bad")}
		}
		data := pack(&list)
		if err := check(data); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(list, unpack(data), cmp.AllowUnexported(counts{})); diff != "" {
			t.Fatal(diff)
		}
		var sum counts
		for i, c := range list {
			if got := firstSlices(data, i, nil); got != sum {
				t.Fatalf("the first %d slices are %v, want %v", i, got, sum)
			}
			sum = sum.plus(c)
		}
	})
}

func FuzzRestore(f *testing.F) {
	f.Add("f10s.5", pack(&[chunkSlices]counts{{total: 5, bad: 1}}))
	f.Add("c20m0s.-1", []byte{0, 0, 1})
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		tracker := NewTracker(spec, pane, 0)
		if err := tracker.Restore(key, value); err != nil {
			return
		}
		total, bad := tracker.Sum(1e18, 4*time.Hour)
		if bad > total {
			t.Errorf("%d of %d are bad", bad, total)
		}
	})
}
