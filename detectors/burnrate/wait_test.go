package burnrate

import (
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
)

// TestWait: a tier with After fires once it has burnt at every edge for so long.
func TestWait(t *testing.T) {
	s := flyball.SLO{Name: "x", TargetPPB: 990_000_000, Tiers: []flyball.BurnRateTier{
		{Name: "held", Severity: "page", FactorNum: 10, FactorDen: 1, Long: time.Minute, Short: time.Minute, After: 30 * time.Second}}}
	const at = flyball.Time(1000e9)
	f := func(name string, calm time.Duration, want bool) { // the edge so long ago does not burn
		t.Helper()
		got := New(s).Observe(detectors.SLOObservation{
			At: at, Pane: 10 * time.Second,
			Sum: func(time.Duration) (int64, int64) { return 100, 50 },
			SumAt: func(past flyball.Time, _ time.Duration) (int64, int64) {
				if at.Sub(past) == calm {
					return 100, 10
				}
				return 100, 50
			},
		})
		if got.Firing != want || (got.Tiers[0].Suppressed == "") != want {
			t.Errorf("%s: %+v", name, got)
		}
		if !want && !strings.Contains(got.Summary, "it has not burnt for 30s yet") {
			t.Errorf("%s says %q", name, got.Summary)
		}
	}
	f("a pane ago", 10*time.Second, false)
	f("just when it must have begun", 30*time.Second, false)
	f("before", 40*time.Second, true)
}

// TestSilenceThatIsBad: it burns by the share of the window that it takes.
func TestSilenceThatIsBad(t *testing.T) {
	s := flyball.SLO{Name: "x", TargetPPB: 990_000_000, NoData: flyball.NoDataBad, Tiers: []flyball.BurnRateTier{
		{Name: "fast", Severity: "page", FactorNum: 10, FactorDen: 1, Long: time.Hour, Short: 5 * time.Minute}}}
	f := func(name string, gap time.Duration, longTotal, longBad int64, excluded, want bool) {
		t.Helper()
		got := New(s).Observe(detectors.SLOObservation{
			Gap: gap, Excluded: func(time.Duration) bool { return excluded },
			Sum: func(w time.Duration) (int64, int64) {
				if w == time.Hour {
					return longTotal, longBad
				}
				return 0, 0
			},
		})
		if got.Firing != want || got.Tiers[0].NoData != excluded {
			t.Errorf("%s: %+v", name, got)
		}
	}
	f("a tenth of an hour is exactly the limit", 6*time.Minute, 1000, 0, false, false)
	f("a second more", 6*time.Minute+time.Second, 1000, 0, false, true)
	f("less, with bad samples before", 5*time.Minute, 1000, 100, false, true)
	f("a whole hour", time.Hour, 0, 0, false, true)
	f("in a maintenance", time.Hour, 0, 0, true, false)
}

// TestSilenceInAMaintenance is no finding.
func TestSilenceInAMaintenance(t *testing.T) {
	s := flyball.SLO{Name: "x", TargetPPB: 990_000_000, NoData: flyball.NoDataAlert, Tiers: []flyball.BurnRateTier{
		{Name: "fast", Severity: "page", FactorNum: 10, FactorDen: 1, Long: time.Hour, Short: 5 * time.Minute}}}
	for _, excluded := range []bool{false, true} {
		got := New(s).Observe(detectors.SLOObservation{
			Excluded: func(w time.Duration) bool { return excluded && w == 5*time.Minute },
			Sum:      func(time.Duration) (int64, int64) { return 0, 0 },
		})
		if got.Firing == excluded {
			t.Errorf("excluded %v: %+v", excluded, got)
		}
	}
}
