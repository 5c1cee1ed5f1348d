package evaluate

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
)

// extended is small with SLOs that are grouped, excluded from, held back, forecast,
// of thresholds and of slices of time.
func extended() Config {
	cfg := small()
	cfg.Indicators[0].Hop = 10 * time.Second
	tier := func(factor int64, long, short, after time.Duration) []flyball.BurnRateTier {
		return []flyball.BurnRateTier{{Name: "page", Severity: "page", FactorNum: factor, FactorDen: 1, Long: long, Short: short, After: after}}
	}
	start := time.Unix(1_700_000_100, 0).UTC()
	cfg.SLOs = []flyball.SLO{
		{Name: "groups", Indicator: "latency", TargetPPB: 900_000_000, Period: time.Hour, GroupBy: []string{"http.route"}, GroupLimit: 3,
			GroupTTL: 4 * time.Minute, Tiers: tier(3, 10*time.Minute, time.Minute, 0), Revision: "a"},
		{Name: "held", Indicator: "errors", TargetPPB: 800_000_000, Period: time.Hour, Tiers: tier(2, time.Minute, 10*time.Second, 25*time.Second),
			ExhaustsWithin: 10 * time.Minute},
		{Name: "maintained", Indicator: "latency", TargetPPB: 900_000_000, Period: time.Hour, NoData: flyball.NoDataBad,
			Tiers: tier(3, 2*time.Minute, 30*time.Second, 0),
			Exclusions: []flyball.Exclusion{{Name: "once", Start: start, Length: 200 * time.Second},
				{Name: "hourly", Start: start.Add(7 * time.Minute), Length: time.Minute, Rule: "FREQ=HOURLY"}}},
		{Name: "slow", Indicator: "latency", TargetPPB: 900_000_000, Period: time.Hour, Threshold: &flyball.Threshold{Op: "lte", Value: 1e6},
			Tiers: tier(2, time.Minute, 20*time.Second, 0), ExhaustsWithin: 20 * time.Minute},
		{Name: "slices", Indicator: "errors", TargetPPB: 800_000_000, Period: 2 * time.Hour, Method: flyball.Timeslices, Slice: 20 * time.Second,
			SliceTargetPPB: 700_000_000, NoData: flyball.NoDataGood, Tiers: tier(2, 5*time.Minute, time.Minute, 0),
			Calendar: &flyball.Calendar{Anchor: start, Fixed: 20 * time.Minute}},
		{Name: "whole", Indicator: "latency", TargetPPB: 900_000_000, Period: time.Hour, Tiers: tier(3, time.Minute, 20*time.Second, 0),
			Parts: []flyball.Part{{Indicator: "latency", Weight: 3, Selector: []flyball.Matcher{mustMatcher(`http.route="/a"`)}},
				{Indicator: "latency", Weight: 1, Selector: []flyball.Matcher{mustMatcher(`http.route!="/a"`)}}}},
		{Name: "either", Indicator: "latency", TargetPPB: 800_000_000, Period: 2 * time.Hour, Method: flyball.Timeslices, Slice: 20 * time.Second,
			NoData: flyball.NoDataGood, Tiers: tier(2, 5*time.Minute, time.Minute, 0),
			Parts: []flyball.Part{{Indicator: "latency", Weight: 1, SliceTargetPPB: 700_000_000, Threshold: &flyball.Threshold{Op: "lte", Value: 1e6}},
				{Indicator: "latency", Weight: 1, SliceTargetPPB: 900_000_000, Selector: []flyball.Matcher{mustMatcher(`http.route="/a"`)}}}},
		{Name: "shares", Indicator: "latency", TargetPPB: 800_000_000, Period: time.Hour, Method: flyball.RatioTimeslices, Slice: 20 * time.Second,
			NoData: flyball.NoDataBad, Tiers: tier(2, time.Minute, 20*time.Second, 0),
			Parts: []flyball.Part{{Indicator: "latency", Weight: 2, Selector: []flyball.Matcher{mustMatcher(`http.route="/a"`)}},
				{Indicator: "latency", Weight: 1, Threshold: &flyball.Threshold{Op: "lt", Value: 2e6}}}},
	}
	return cfg
}

// long is extended with windows of which the state, and not the log, holds what is past.
func long() Config {
	cfg := extended()
	cfg.Rebuilt = time.Second
	cfg.Indicators[0].Hop = 0
	cfg.Indicators[0].SeriesLimit = 4
	return cfg
}

// TestLongIsSettled makes sure that the random logs of TestLaw reach what is settled.
func TestLongIsSettled(t *testing.T) {
	draw(t, "30")
	segments, corrections := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m := reference(long(), drawLog(t))
		for key := range m.state {
			if strings.HasPrefix(key, "evaluate/0/window/latency/") && !strings.HasSuffix(key, "/settled") {
				segments++
			}
		}
		for _, w := range m.out.Windows {
			if w.Revision > 1 && w.Indicator == "latency" {
				corrections++
			}
		}
	})
	if segments == 0 || corrections == 0 {
		t.Errorf("%d segments are left in the state, %d windows were corrected", segments, corrections)
	}
}

// TestExtensionsLawIsNotEmpty makes sure that the random logs of TestLaw reach them.
func TestExtensionsLawIsNotEmpty(t *testing.T) {
	draw(t, "100")
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		out := reference(extended(), drawLogOf(t, true)).out
		for _, f := range out.Findings {
			seen[f.Detector+" "+f.Kind]++
			if len(f.Labels) > 1 {
				seen["groups"]++
			}
		}
		for _, r := range out.SLO {
			if r.ExcludedTotal > 0 {
				seen["excluded"]++
			}
			if len(r.Suppressed) > 0 {
				seen["suppressed"]++
			}
		}
	})
	for _, what := range []string{
		"groups burn_rate", "held burn_rate", "held budget_forecast", "maintained burn_rate", "slow burn_rate", "slow budget_forecast",
		"slices burn_rate", "whole burn_rate", "either burn_rate", "shares burn_rate", "groups", "excluded", "suppressed",
	} {
		if seen[what] == 0 {
			t.Errorf("no random log has any %s", what)
		}
	}
	t.Log(seen)
}

// TestRevisionStartsAnew: a budget of another revision starts anew, and what was
// open about the old one is resolved, not forgotten; its state is deleted.
func TestRevisionStartsAnew(t *testing.T) {
	d := newDriver(t, simple())
	for i := range flyball.Time(12) {
		d.row("cart", i*10*second, 10, 10).mark((i + 1) * 10 * second)
	}
	if len(d.out.Findings) == 0 || len(d.state) == 0 {
		t.Fatal("nothing burns")
	}
	opened := d.out.Findings[len(d.out.Findings)-1]
	for i := range d.cfg.SLOs {
		d.cfg.SLOs[i].Revision = "second"
	}
	before := len(d.out.Findings)
	d.restart()
	d.mark(140 * second)
	d.drain()
	var resolved []string
	for _, f := range d.out.Findings[before:] {
		if f.State == flyball.FindingResolved {
			resolved = append(resolved, f.ID)
		}
	}
	if len(resolved) == 0 || opened.ID == "" {
		t.Errorf("of %+v nothing is resolved: %+v", opened, d.out.Findings[before:])
	}
	for key := range d.state {
		if len(key) > 15 && key[:15] == "evaluate/0/slo/" {
			t.Errorf("the state still has %s", key)
		}
	}
}
