package slo

import (
	"math"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
)

// rates feeds a tracker 1,000 samples per pane, of which bad(age) are bad, over the
// last days.
func rates(s flyball.SLO, history time.Duration, bad func(age time.Duration) int64) (*Tracker, flyball.Time) {
	tracker, at := NewExactTracker(s, pane), flyball.Time(1_700_006_400e9)
	for age := history; age > 0; age -= pane {
		tracker.Add(at.Add(-age), 1000, bad(age))
	}
	return tracker, at
}

func TestForecast(t *testing.T) {
	s := flyball.SLO{TargetPPB: 990_000_000, Period: 10 * day, Tiers: workbook()}
	f := func(name string, s flyball.SLO, bad func(age time.Duration) int64, want Forecast) {
		t.Helper()
		tracker, at := rates(s, 10*day, bad)
		got := tracker.Forecast(at, tracker.Budget(at))
		near := func(what string, got, want float64) {
			t.Helper()
			if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 0.005*want {
				t.Errorf("%s: %s in %v s, want %v", name, what, got, want)
			}
		}
		near("hour", got.Hour, want.Hour)
		near("6 hours", got.SixHours, want.SixHours)
		near("3 days", got.ThreeDays, want.ThreeDays)
		near("trend", got.Trend, want.Trend)
		near("earliest", got.Earliest, want.Earliest)
		near("latest", got.Latest, want.Latest)
	}
	nan, period := math.NaN(), (10 * day).Seconds()
	// Half of the sustainable rate all the time: half is left, and lasts ten days.
	f("steady", s, func(time.Duration) int64 { return 5 }, Forecast{period, period, period, period, period, period})
	f("nothing bad", s, func(time.Duration) int64 { return 0 }, Forecast{nan, nan, nan, nan, nan, nan})
	f("all gone", s, func(time.Duration) int64 { return 20 }, Forecast{})
	// Twice the sustainable rate in the last three days: 0.4 is left, for two days.
	f("a step", s, func(age time.Duration) int64 {
		if age <= 3*day {
			return 20
		}
		return 0
	}, Forecast{period / 5, period / 5, period / 5, period / 5, period / 5, period / 5})
	// Only the last hour burns, at 10x: it has spent 1/24 of the period's tenth.
	left := 1 - 10.0/240
	spike := Forecast{left * period / 10, left * period / 60, left * period * 72 / 10, 0, 0, 0}
	tracker, at := rates(s, 10*day, func(age time.Duration) int64 {
		if age <= time.Hour {
			return 100
		}
		return 0
	})
	got := tracker.Forecast(at, tracker.Budget(at))
	if math.Abs(got.Hour-spike.Hour) > 1 || math.Abs(got.SixHours-left*period/(10.0/6)) > 1 || !math.IsNaN(got.ThreeDays) {
		t.Errorf("a spike: got %+v", got)
	}
	if !(got.Earliest < got.Trend) || got.Latest == got.Trend {
		t.Errorf("a spike: the trend says %+v", got)
	}
}

// The trend sees a burn that grows before its rate is high.
func TestForecastOfGrowth(t *testing.T) {
	s := flyball.SLO{TargetPPB: 990_000_000, Period: 10 * day, Tiers: workbook()}
	tracker, at := rates(s, 10*day, func(age time.Duration) int64 {
		return max(int64((72*time.Hour-age)/(6*time.Hour)), 0) // 0 to 1.1x in steps
	})
	f := tracker.Forecast(at, tracker.Budget(at))
	if !(f.Trend < f.Hour && math.IsNaN(f.ThreeDays) && f.Earliest <= f.Trend && f.Trend <= f.Latest) {
		t.Errorf("got %+v", f)
	}
}

// A calendar's budget begins anew before a slow burn has used it up.
func TestForecastEndsWithThePeriod(t *testing.T) {
	c := &flyball.Calendar{Anchor: time.Unix(1_700_006_400, 0).UTC().Add(-5 * day), Days: 10}
	s := flyball.SLO{TargetPPB: 990_000_000, Period: 10 * day, Calendar: c, Tiers: workbook()}
	f := func(bad int64, want float64) {
		t.Helper()
		tracker, at := rates(s, 5*day, func(time.Duration) int64 { return bad })
		got := tracker.Forecast(at, tracker.Budget(at))
		if math.IsNaN(got.SixHours) != math.IsNaN(want) || math.Abs(got.SixHours-want) > 1 {
			t.Errorf("%d bad: gone in %v s, want %v", bad, got.SixHours, want)
		}
	}
	f(9, math.NaN())                        // 45 % used halfway: it lasts
	f(16, (0.2 * 10 * day.Seconds() / 1.6)) // 80 % used: a fifth is left, for 1.25 days
	f(20, 0)                                // used up
}
