package burnrate

import (
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
)

// policy judges the two tiers of the tests' SLO with a policy and guards.
func policy(p flyball.NoDataPolicy, minTotal, minBad int64, silent bool, long, short, slowLong, slowShort counts) detectors.Signal {
	s := slo
	s.NoData, s.MinTotal, s.MinBad = p, minTotal, minBad
	byWindow := map[time.Duration]counts{time.Hour: long, 5 * time.Minute: short, 72 * time.Hour: slowLong, 90 * time.Second: slowShort}
	return New(s).Observe(detectors.SLOObservation{Silent: silent, Sum: func(w time.Duration) (total, bad int64) {
		return byWindow[w].total, byWindow[w].bad
	}})
}

func TestGuards(t *testing.T) {
	f := func(name string, minTotal, minBad int64, c counts, wantFiring bool, wantWhy string) {
		t.Helper()
		s := policy(flyball.NoDataFreeze, minTotal, minBad, false, c, c, counts{1_000_000, 0}, counts{1, 0})
		tier := s.Tiers[0]
		if s.Firing != wantFiring || tier.Firing != wantFiring || (tier.Suppressed != "") == (wantWhy == "") || !strings.Contains(tier.Suppressed, wantWhy) {
			t.Errorf("%s: firing %v, %+v", name, s.Firing, tier)
		}
		if wantWhy != "" && !strings.Contains(s.Summary, wantWhy) {
			t.Errorf("%s: the summary is %q", name, s.Summary)
		}
	}
	f("no guards", 0, 0, counts{10, 1}, true, "")
	f("too few samples", 11, 0, counts{10, 1}, false, "10 samples are fewer than the 11 wanted")
	f("just enough samples", 10, 0, counts{10, 1}, true, "")
	f("too few bad ones", 0, 2, counts{10, 1}, false, "1 bad samples of 10 are fewer than the 2 wanted")
	f("just enough bad ones", 0, 1, counts{10, 1}, true, "")
	f("nothing to suppress", 100, 100, counts{10, 0}, false, "")
}

func TestGuardsLeaveTheOtherTiers(t *testing.T) {
	few, many := counts{10, 5}, counts{10_000, 500}
	s := policy(flyball.NoDataFreeze, 100, 0, false, few, few, many, few)
	if !s.Firing || s.Tier != "ticket" || s.Tiers[0].Suppressed == "" || s.Tiers[1].Suppressed != "" {
		t.Errorf("got %+v", s)
	}
}

func TestNoDataPolicies(t *testing.T) {
	none, hot, calm := counts{}, counts{1000, 500}, counts{1000, 0}
	f := func(name string, p flyball.NoDataPolicy, long, short counts, wantTier string, wantHeld bool) {
		t.Helper()
		s := policy(p, 0, 0, false, long, short, calm, calm)
		if s.Firing != (wantTier != "") || s.Tier != wantTier {
			t.Errorf("%s: firing %v in %q, want %q", name, s.Firing, s.Tier, wantTier)
		}
		if held := s.Holds("page_fast"); held != wantHeld {
			t.Errorf("%s: holds is %v", name, held)
		}
		if s.Firing && (s.Severity != "page" || s.Summary == "" || len(s.Evidence) == 0) {
			t.Errorf("%s: %+v", name, s)
		}
	}
	f("freeze: it stays what it was", flyball.NoDataFreeze, hot, none, "", true)
	f("freeze: with samples it is judged", flyball.NoDataFreeze, hot, calm, "", false)
	f("alert: silence is a finding of its own", flyball.NoDataAlert, calm, none, "no_data", true)
	f("alert: with samples it is judged", flyball.NoDataAlert, hot, hot, "page_fast", false)
	f("good: it resolves", flyball.NoDataGood, hot, none, "", false)
	f("bad: an empty window is all bad", flyball.NoDataBad, hot, none, "page_fast", false)
	f("bad: both are", flyball.NoDataBad, none, none, "page_fast", false)
	f("bad: the long window says that it does not matter yet", flyball.NoDataBad, calm, none, "", false)
}

func TestHolds(t *testing.T) {
	f := func(name string, s detectors.Signal, tier string, want bool) {
		t.Helper()
		if got := s.Holds(tier); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	silent := []detectors.Tier{{Name: "a", NoData: true}, {Name: "b", NoData: true}}
	f("nothing is known", detectors.Signal{Tiers: silent}, "b", true)
	f("a tier that is no more", detectors.Signal{Tiers: silent}, "x", false)
	f("a more urgent one fires", detectors.Signal{Firing: true, Tier: "a", Tiers: []detectors.Tier{{Name: "a", Firing: true}, {Name: "b", NoData: true}}}, "b", false)
	f("a less urgent one fires", detectors.Signal{Firing: true, Tier: "b", Tiers: []detectors.Tier{{Name: "a", NoData: true}, {Name: "b", Firing: true}}}, "a", true)
	f("silence takes the place of a ticket", detectors.Signal{Firing: true, Tier: "no_data", Tiers: silent}, "b", false)
	f("silence is not more urgent than the first", detectors.Signal{Firing: true, Tier: "no_data", Tiers: silent}, "a", true)
}

func TestSilent(t *testing.T) {
	hot := counts{1000, 500}
	for _, p := range []flyball.NoDataPolicy{flyball.NoDataFreeze, flyball.NoDataAlert, flyball.NoDataGood, flyball.NoDataBad} {
		s := policy(p, 0, 0, true, hot, counts{}, counts{}, counts{})
		if s.Firing || s.Holds("page_fast") || !strings.Contains(s.Summary, "no samples for 3d") {
			t.Errorf("%v: %+v", p, s)
		}
	}
}
