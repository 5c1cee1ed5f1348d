package slo

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
)

// TestExactLaw: an exact tracker counts what adding up counts, over any window,
// whatever the order in which samples came.
func TestExactLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := flyball.SLO{Period: 40 * pane, TargetPPB: 999_000_000}
		s.Method = rapid.SampledFrom([]flyball.BudgetingMethod{flyball.Occurrences, flyball.Timeslices, flyball.RatioTimeslices}).Draw(t, "method")
		s.Slice, s.SliceTargetPPB = 2*pane, 900_000_000
		tracker, w := NewExactTracker(s, pane), weighBy(&s)
		slices := map[flyball.Time]counts{}
		for range rapid.IntRange(1, 40).Draw(t, "samples") {
			at := flyball.Time(rapid.Int64Range(-50, 50).Draw(t, "pane") * int64(pane))
			total := rapid.Int64Range(0, 20).Draw(t, "total")
			bad := rapid.Int64Range(0, total).Draw(t, "bad")
			tracker.Add(at, total, bad)
			start := at.Floor(tracker.unit)
			slices[start] = slices[start].plus(counts{total, bad})
		}
		at := flyball.Time(rapid.Int64Range(-50, 90).Draw(t, "at") * int64(tracker.unit))
		window := time.Duration(rapid.Int64Range(1, 60).Draw(t, "window")) * tracker.unit
		var want counts
		for start, c := range slices {
			if start >= at.Add(-window) && start < at {
				want = want.plus(w.of(c))
			}
		}
		if total, bad := tracker.Sum(at, window); total != want.total || bad != want.bad {
			t.Fatalf("[%v, +%v): got %d of %d, want %+v", at.Add(-window), window, bad, total, want)
		}
	})
}
