package slo

import (
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/flyball-io/flyball"
)

// full returns a tracker of the default tiers with 30 days of traffic.
func full(period time.Duration, perPane int64) (*Tracker, flyball.Time) {
	return fullOf(flyball.SLO{Period: period, Tiers: workbook(), TargetPPB: 999_000_000}, perPane)
}

// fullOf returns a tracker of an SLO with a period of traffic.
func fullOf(s flyball.SLO, perPane int64) (*Tracker, flyball.Time) {
	period := s.Period
	tracker := NewTracker(s, pane, 0)
	at := flyball.Time(1_700_000_000e9).Floor(time.Hour)
	recent := at.Add(-3*day - time.Hour)
	for old := at.Add(-period); old < recent; old = old.Add(time.Hour) { // only the coarse ring remembers
		tracker.Add(old, 360*perPane, perPane/3)
		tracker.Expire(old)
		tracker.Commit()
	}
	for p := recent; p < at; p = p.Add(pane) {
		n := int64(p) / int64(pane)
		tracker.Add(p, perPane+perPane/2*(n%500)/500, n%7*perPane/5000)
		tracker.Expire(p.Add(pane))
		tracker.Commit()
	}
	return tracker, at
}

// bytes returns what a tracker takes in memory.
func (t *Tracker) bytes() int {
	sum := int(unsafe.Sizeof(*t)) + cap(t.rings)*int(unsafe.Sizeof(ring{}))
	for _, r := range t.rings {
		sum += cap(r.chunks) * int(unsafe.Sizeof(chunk{}))
		for _, c := range r.chunks {
			sum += (cap(c.data) + 15) / 16 * 16 // as the allocator rounds, about
		}
	}
	return sum
}

func TestMemory(t *testing.T) {
	f := func(period time.Duration, calendar *flyball.Calendar, perPane int64) {
		t.Helper()
		tracker, _ := fullOf(flyball.SLO{Period: period, Calendar: calendar, Tiers: workbook(), TargetPPB: 999_000_000}, perPane)
		slices := 0
		for _, r := range tracker.rings {
			slices += len(r.chunks) * chunkSlices
		}
		got := tracker.bytes()
		t.Logf("%v at %d samples per pane: %d slices in %d bytes", period, perPane, slices, got)
		if got > 32<<10 {
			t.Errorf("%v at %d samples per pane: %d bytes, want at most 32 KiB", period, perPane, got)
		}
	}
	f(30*day, nil, 1000)
	f(90*day, nil, 1000)
	f(90*day, nil, 1_000_000)
	quarter := &flyball.Calendar{Anchor: time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), Months: 3}
	f(quarter.Nominal(), quarter, 1_000_000)
}

func BenchmarkSum(b *testing.B) {
	tracker, at := full(30*day, 1000)
	for _, window := range []time.Duration{5 * time.Minute, 6 * time.Hour, 72 * time.Hour} {
		b.Run(fmt.Sprint(window), func(b *testing.B) {
			for b.Loop() {
				tracker.Sum(at, window)
			}
		})
	}
}

func BenchmarkAdd(b *testing.B) {
	tracker, at := full(30*day, 1000)
	for b.Loop() {
		tracker.Add(at, 1000, 3)
		at = at.Add(pane)
		tracker.Expire(at)
		tracker.Commit()
	}
	b.ReportMetric(float64(tracker.bytes()), "bytes/series")
}

func BenchmarkNextChange(b *testing.B) {
	tracker, at := full(30*day, 1000)
	for b.Loop() {
		tracker.NextChange(at)
	}
}
