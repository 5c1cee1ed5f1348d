package burnrate

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
)

var slo = flyball.SLO{
	Name: "avail", TargetPPB: 999_000_000,
	Tiers: []flyball.BurnRateTier{
		{Name: "page_fast", Severity: "page", FactorNum: 72, FactorDen: 5, Long: time.Hour, Short: 5 * time.Minute},
		{Name: "ticket", Severity: "ticket", FactorNum: 1, FactorDen: 1, Long: 72 * time.Hour, Short: 90 * time.Second},
	},
}

type counts struct{ total, bad int64 }

// observe asks a detector about these counts by window.
func observe(s flyball.SLO, byWindow map[time.Duration]counts) detectors.Signal {
	return New(s).Observe(detectors.SLOObservation{Sum: func(w time.Duration) (total, bad int64) {
		c, ok := byWindow[w]
		if !ok {
			panic("asked for a window that no tier has: " + w.String())
		}
		return c.total, c.bad
	}})
}

func TestTiers(t *testing.T) {
	f := func(name string, long, short, slowLong, slowShort counts, want string, firing ...bool) {
		t.Helper()
		s := observe(slo, map[time.Duration]counts{time.Hour: long, 5 * time.Minute: short, 72 * time.Hour: slowLong, 90 * time.Second: slowShort})
		if s.Firing != (want != "") || s.Tier != want {
			t.Errorf("%s: firing %v in tier %q, want %q", name, s.Firing, s.Tier, want)
		}
		if s.Firing == (s.Severity == "") || s.Firing == (len(s.Evidence) == 0) || s.Firing == (s.Summary == "") {
			t.Errorf("%s: severity %q, evidence %v, summary %q", name, s.Severity, s.Evidence, s.Summary)
		}
		for i, tier := range s.Tiers {
			if tier.Firing != firing[i] || tier.Name != slo.Tiers[i].Name {
				t.Errorf("%s: tier %s fires: %v, want %v", name, tier.Name, tier.Firing, firing[i])
			}
		}
	}
	none, calm, hot := counts{}, counts{1_000_000, 100}, counts{1000, 100}
	f("calm", calm, calm, calm, calm, "", false, false)
	f("no samples at all", none, none, none, none, "", false, false)
	f("long alone: it is over", hot, calm, calm, calm, "", false, false)
	f("short alone: it does not matter yet", calm, hot, calm, calm, "", false, false)
	f("long, and the short window is empty", hot, none, hot, none, "", false, false)
	f("both", hot, hot, calm, calm, "page_fast", true, false)
	f("the slow one only", calm, calm, hot, hot, "ticket", false, true)
	f("all: the most urgent speaks", hot, hot, hot, hot, "page_fast", true, true)
	exact, above := counts{10_000, 144}, counts{10_000, 145}
	f("just above the threshold", above, above, calm, calm, "page_fast", true, false)
	f("exactly at the threshold in the long window", exact, above, calm, calm, "", false, false)
	f("exactly at the threshold in the short window", above, exact, calm, calm, "", false, false)
}

func TestSignalHoldsTheNumbers(t *testing.T) {
	hot, hotter := counts{10_000, 200}, counts{1000, 300}
	got := observe(slo, map[time.Duration]counts{time.Hour: hot, 5 * time.Minute: hotter, 72 * time.Hour: {}, 90 * time.Second: {}})
	factor := 14.4
	want := detectors.Signal{
		Firing: true, Severity: "page", Tier: "page_fast",
		Summary: "error budget of avail burns 20.0 times too fast over 1h and 300.0 times over 5m (limit 14.4): 200 of 10000 bad",
		Evidence: []flyball.Evidence{
			{Name: "burn_long", Value: 20, Threshold: &factor, Unit: "x", Window: "1h"},
			{Name: "burn_short", Value: 300, Threshold: &factor, Unit: "x", Window: "5m"},
			{Name: "bad", Value: 200, Unit: "samples", Window: "1h"},
			{Name: "total", Value: 10_000, Unit: "samples", Window: "1h"},
		},
		Tiers: []detectors.Tier{
			{Name: "page_fast", Long: 20, Short: 300, Firing: true},
			{Name: "ticket", Long: math.NaN(), Short: math.NaN(), NoData: true},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-12, 0)); diff != "" {
		t.Error(diff)
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		72 * time.Hour: "3d", 36 * time.Hour: "36h", time.Hour: "1h", 90 * time.Minute: "90m", 90 * time.Second: "1m30s", 10 * time.Second: "10s",
	} {
		if got := spell(d); got != want {
			t.Errorf("%v is written %s, want %s", d, got, want)
		}
	}
}
