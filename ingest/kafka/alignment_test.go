package kafka

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
)

func TestAlignmentHolds(t *testing.T) {
	minute := func(n int) flyball.Time { return flyball.Time(0).Add(time.Duration(n) * time.Minute) }
	behind := func(at flyball.Time) Reading { return Reading{Next: 10, End: 20, Time: at} }
	done := func(at flyball.Time) Reading { return Reading{Next: 20, End: 20, Time: at} }
	f := func(name string, drift time.Duration, readings []Reading, want ...int32) {
		t.Helper()
		a := Alignment{MaxDrift: drift, StallTimeout: time.Minute}
		all := map[Partition]Reading{}
		for i, r := range readings {
			all[Partition{topic, int32(i)}] = r
		}
		var got []int32
		for p := range a.Hold(time.Unix(0, 0), all) {
			got = append(got, p.Partition)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v are held, want %v", name, got, want)
		}
	}
	f("near to each other", 15*time.Minute, []Reading{behind(minute(0)), behind(minute(15)), done(minute(9))})
	f("far ahead", 15*time.Minute, []Reading{behind(minute(5)), behind(minute(21)), done(minute(60)), behind(minute(20))}, 1, 2)
	f("nobody waits for who has read everything", 15*time.Minute, []Reading{done(minute(0)), behind(minute(60))})
	f("nor for who has not said where it is", 15*time.Minute, []Reading{behind(flyball.NoTime), behind(minute(60))})
	f("no limit", 0, []Reading{behind(minute(0)), behind(minute(60))})
	f("nothing", time.Minute, nil)
}

// TestAlignmentDoesNotWaitForTheStalled: a partition that nobody reads on holds the
// others only for a while, and again once it is read on.
func TestAlignmentDoesNotWaitForTheStalled(t *testing.T) {
	a := Alignment{MaxDrift: time.Minute, StallTimeout: 2 * time.Minute}
	slow, fast := Partition{topic, 0}, Partition{topic, 1}
	look := func(after time.Duration, next int64) bool {
		held := a.Hold(time.Unix(0, 0).Add(after), map[Partition]Reading{
			slow: {Next: next, End: 100}, fast: {Next: 50, End: 100, Time: flyball.Time(time.Hour)},
		})
		return maps.Equal(held, map[Partition]bool{fast: true})
	}
	for _, c := range []struct {
		after time.Duration
		next  int64
		held  bool
	}{{0, 1, true}, {time.Minute, 1, true}, {2 * time.Minute, 1, false}, {3 * time.Minute, 2, true}, {5 * time.Minute, 2, false}} {
		if got := look(c.after, c.next); got != c.held {
			t.Errorf("after %v at %d: held %v, want %v", c.after, c.next, got, c.held)
		}
	}
}
