package slo

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
)

func berlin(t *testing.T, text string) time.Time {
	t.Helper()
	place, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation(time.DateTime, text, place)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestExclusionsRecurByTheClock: Sundays from 3 to 5 in Berlin are an hour earlier by
// UTC in summer; what overlaps or touches is one stretch; each is widened to panes.
func TestExclusionsRecurByTheClock(t *testing.T) {
	x := NewExclusions([]flyball.Exclusion{
		{Start: berlin(t, "2026-03-01 03:00:00"), Length: 2 * time.Hour, Rule: "FREQ=WEEKLY;BYDAY=SU"},
		{Start: berlin(t, "2026-03-22 05:00:00"), Length: 61 * time.Second},
		{Start: berlin(t, "2026-03-29 04:30:00"), Length: time.Hour},
	}, time.Minute)
	var got []string
	from := flyball.TimeOf(berlin(t, "2026-03-15 00:00:00"))
	for _, e := range x.within(from, from.Add(23*day)) {
		got = append(got, e.start.Std().Format(time.DateTime)+" +"+e.end.Sub(e.start).String())
	}
	want := []string{"2026-03-15 02:00:00 +2h0m0s", "2026-03-22 02:00:00 +2h2m0s", "2026-03-29 01:00:00 +2h30m0s", "2026-04-05 01:00:00 +2h0m0s"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for at, want := range map[string]bool{"2026-03-15 02:59:59": false, "2026-03-15 03:00:00": true, "2026-03-15 04:59:59": true, "2026-03-15 05:00:00": false} {
		if got := x.Covers(flyball.TimeOf(berlin(t, at))); got != want {
			t.Errorf("%s is excluded: %v", at, got)
		}
	}
	if len(x.within(from, from)) > 0 || NewExclusions(nil, pane).Covers(from) {
		t.Error("nothing has something in it")
	}
	for _, text := range []string{"", "FREQ=NEVER", "FREQ=SECONDLY", "FREQ=MINUTELY", "BYDAY=SU"} {
		if _, err := ParseRule(text, time.Now()); err == nil {
			t.Errorf("%q is a rule", text)
		}
	}
}

// TestExclusionsStayExact: a maintenance of full hours is out of a 30-day budget as
// long as the budget remembers it, in rings and in exact trackers, given before or
// after; the windows of tiers leave it out too.
func TestExclusionsStayExact(t *testing.T) {
	const pane = time.Minute
	start := flyball.TimeOf(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	for _, calendar := range []*flyball.Calendar{nil, {Anchor: start.Std(), Months: 1}} {
		s := flyball.SLO{Period: 30 * day, Calendar: calendar, Tiers: workbook(), TargetPPB: 999_000_000,
			Exclusions: []flyball.Exclusion{{Start: start.Std().Add(26 * time.Hour), Length: 2 * time.Hour}}}
		rings, exact := NewTracker(s, pane, 0), NewExactTracker(s, pane)
		x := ExclusionsOf(&s, pane)
		exact.Exclude(x)
		for at := start; at < start.Add(20*day); at = at.Add(pane) {
			bad := int64(0)
			if age := at.Sub(start); age >= 26*time.Hour && age < 28*time.Hour {
				bad = 50
			}
			for _, tracker := range []*Tracker{rings, exact} {
				tracker.Add(at, 100, bad)
			}
			end := at.Add(pane)
			rings.Expire(end)
			rings.Commit()
			if at == start.Add(27*time.Hour) {
				if _, bad := rings.Sum(end, time.Hour); bad == 0 {
					t.Fatal("nothing is bad before it is excluded")
				}
				rings.Exclude(x) // after the fact
				if _, bad := rings.Sum(end, time.Hour); bad != 0 {
					t.Errorf("%d are bad in the last hour", bad)
				}
			}
			if end.Floor(day) != end {
				continue
			}
			want := Budget{Total: int64(end.Sub(start)/pane) * 100, Start: end.Add(-s.Period), End: end, Elapsed: end.Sub(start)}
			if calendar != nil {
				want.Start, want.End = start, start.Add(31*day)
			}
			if end > start.Add(28*time.Hour) {
				want.Total -= 12_000
				want.ExcludedTotal, want.ExcludedBad = 12_000, 6_000
			}
			for name, tracker := range map[string]*Tracker{"rings": rings, "exact": exact} {
				if end < start.Add(28*time.Hour) {
					break
				}
				if diff := cmp.Diff(want, tracker.Budget(end)); diff != "" {
					t.Fatalf("%s at %v, calendar %v (-want +got):\n%s", name, end, calendar != nil, diff)
				}
			}
		}
	}
}

// TestForgetIsTakenBack: a tracker that forgot is as before after an abort, and
// empty, with its chunks to be deleted, otherwise.
func TestForgetIsTakenBack(t *testing.T) {
	s := flyball.SLO{Period: 30 * day, Calendar: &flyball.Calendar{Anchor: time.Unix(0, 0).UTC(), Days: 30}, Tiers: workbook()}
	tracker := NewTracker(s, pane, 0)
	at := flyball.Time(1_700_000_000e9).Floor(pane)
	tracker.Add(at, 10, 3)
	tracker.Commit()
	before := tracker.Budget(at.Add(pane))
	tracker.Forget()
	if !tracker.Empty() || !tracker.Dirty() {
		t.Error("it is not empty")
	}
	deleted := 0
	tracker.Changed(func(_ string, value []byte) {
		if value == nil {
			deleted++
		}
	})
	if deleted != len(tracker.rings)+1 {
		t.Errorf("%d chunks are deleted, of %d rings and a period", deleted, len(tracker.rings))
	}
	tracker.Abort()
	if diff := cmp.Diff(before, tracker.Budget(at.Add(pane))); diff != "" || tracker.Dirty() {
		t.Errorf("after an abort (-want +got):\n%s", diff)
	}
}
