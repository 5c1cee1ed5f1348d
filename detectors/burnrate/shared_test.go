package burnrate

import (
	"encoding/json"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
)

// sharedCase is one of the facts about SLOs collected from books and other tools.
type sharedCase struct {
	ID, Family string
	Given      struct {
		SLO           float64 `json:"slo"`
		Target        float64 `json:"target"`
		Goal          float64 `json:"goal"`
		ErrorRatio    float64 `json:"error_ratio"`
		LongS         int64   `json:"long_s"`
		ShortS        int64   `json:"short_s"`
		BurnRate      float64 `json:"burn_rate"`
		IncidentS     int64   `json:"incident_s"`
		Total         int64   `json:"total"`
		Bad           int64   `json:"bad"`
		Good          int64   `json:"good"`
		SLI           float64 `json:"sli"`
		RateThreshold float64 `json:"burn_rate_threshold"`
		Tiers         []struct {
			Name     string  `json:"name"`
			LongS    int64   `json:"long_s"`
			ShortS   int64   `json:"short_s"`
			BurnRate float64 `json:"burn_rate"`
		} `json:"tiers"`
	}
	Expect struct {
		PerTier map[string]*struct {
			FireS float64 `json:"fire_s"`
		} `json:"per_tier"`
		SLI         *float64 `json:"sli"`
		BurnRate    *float64 `json:"burn_rate"`
		Fires       *bool    `json:"fires_strict_gt"`
		AlertFires  float64  `json:"alert_fires_s"`
		ClearsAfter float64  `json:"alert_clears_after_incident_end_s"`
	}
}

func sharedCases(t *testing.T, family string, least int) []sharedCase {
	dir := os.Getenv("FLYBALL_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	b, err := os.ReadFile(filepath.Join(dir, "data", "slo_cases.json"))
	if err != nil {
		t.Skipf("no shared SLO cases: %v; set FLYBALL_SHARED", err)
	}
	var file struct{ Cases []json.RawMessage }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	var out []sharedCase
	for _, raw := range file.Cases {
		var head struct{ Family string }
		if err := json.Unmarshal(raw, &head); err != nil {
			t.Fatal(err)
		}
		if head.Family != family {
			continue
		}
		var c sharedCase
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		out = append(out, c)
	}
	if len(out) < least {
		t.Errorf("%d cases of %s, want at least %d", len(out), family, least)
	}
	return out
}

// exact turns a decimal such as 14.4 or 0.9995, read as a float, into the
// fraction that was meant.
func exact(f float64, denominator int64) *big.Rat {
	return big.NewRat(int64(math.Round(f*float64(denominator))), denominator)
}

func tierOf(name string, burnRate float64, long, short int64) flyball.BurnRateTier {
	factor := exact(burnRate, 1000)
	return flyball.BurnRateTier{
		Name: name, Severity: "page", FactorNum: factor.Num().Int64(), FactorDen: factor.Denom().Int64(),
		Long: time.Duration(long) * time.Second, Short: time.Duration(short) * time.Second,
	}
}

func targetOf(slo float64) int64 { return int64(math.Round(slo * 1e9)) }

// perSecond is the constant traffic: so much that all error ratios are whole
// samples.
const perSecond = 1_000_000

// incident asks about second at, when errors began at second 0 and end at second
// until, after a history without any.
func incident(ratio float64, until, at int64) detectors.SLOObservation {
	bad := int64(math.Round(ratio * perSecond))
	return detectors.SLOObservation{Sum: func(w time.Duration) (int64, int64) {
		window := int64(w / time.Second)
		from := max(at-window, 0)
		return window * perSecond, max(min(at, until)-from, 0) * bad
	}}
}

// TestStepIncidents looks second by second when each tier alone fires: the first
// after the one at which the rate reaches the threshold.
func TestStepIncidents(t *testing.T) {
	for _, c := range sharedCases(t, "mwmbr_step_incident", 20) {
		t.Run(c.ID, func(t *testing.T) {
			for _, tier := range c.Given.Tiers {
				want := int64(-1)
				if e := c.Expect.PerTier[tier.Name]; e != nil {
					want = int64(math.Floor(e.FireS)) + 1
				}
				slo := flyball.SLO{TargetPPB: targetOf(c.Given.SLO), Tiers: []flyball.BurnRateTier{
					tierOf(tier.Name, tier.BurnRate, tier.LongS, tier.ShortS),
				}}
				if got := firstFiring(slo, c.Given.ErrorRatio, tier.LongS); got != want {
					t.Errorf("%s fires after %d s, want %d", tier.Name, got, want)
				}
			}
		})
	}
}

func firstFiring(slo flyball.SLO, ratio float64, until int64) int64 {
	d := New(slo)
	for at := range until + 2 {
		if d.Observe(incident(ratio, math.MaxInt64, at)).Firing {
			return at
		}
	}
	return -1
}

func TestPulse(t *testing.T) {
	for _, c := range sharedCases(t, "mwmbr_pulse", 1) {
		g := c.Given
		d := New(flyball.SLO{TargetPPB: targetOf(g.SLO), Tiers: []flyball.BurnRateTier{tierOf("page", g.BurnRate, g.LongS, g.ShortS)}})
		fired, cleared := int64(-1), int64(-1)
		for at := range g.IncidentS + g.LongS {
			firing := d.Observe(incident(g.ErrorRatio, g.IncidentS, at)).Firing
			if firing && fired < 0 {
				fired = at
			}
			if !firing && fired >= 0 && cleared < 0 {
				cleared = at
			}
		}
		if want := int64(math.Floor(c.Expect.AlertFires)) + 1; fired != want {
			t.Errorf("%s: fires at %d s, want %d", c.ID, fired, want)
		}
		if want := g.IncidentS + int64(math.Ceil(c.Expect.ClearsAfter)); cleared != want {
			t.Errorf("%s: clears at %d s, want %d", c.ID, cleared, want)
		}
	}
}

func TestAccounting(t *testing.T) {
	near := func(got, want float64) bool { return math.Abs(got-want) <= 1e-9*math.Abs(want) }
	for _, c := range sharedCases(t, "budget_accounting", 3) {
		g := c.Given
		total, bad := g.Total, g.Bad
		if g.Good > 0 {
			total = g.Good + g.Bad
		}
		if total == 0 { // given as a ratio
			total, bad = 1_000_000, int64(math.Round((1-g.SLI)*1_000_000))
		}
		s := flyball.SLO{TargetPPB: targetOf(g.Target + g.Goal)}
		if c.Expect.SLI != nil && !near(flyball.SLI(total, bad), *c.Expect.SLI) {
			t.Errorf("%s: the SLI is %v, want %v", c.ID, flyball.SLI(total, bad), *c.Expect.SLI)
		}
		if !near(s.BurnRate(total, bad), *c.Expect.BurnRate) {
			t.Errorf("%s: the burn rate is %v, want %v", c.ID, s.BurnRate(total, bad), *c.Expect.BurnRate)
		}
	}
	for _, c := range sharedCases(t, "no_data", 1) {
		s := flyball.SLO{TargetPPB: 999_000_000}
		if rate, sli := s.BurnRate(c.Given.Total, c.Given.Bad), flyball.SLI(c.Given.Total, c.Given.Bad); !math.IsNaN(rate) || !math.IsNaN(sli) {
			t.Errorf("%s: burn rate %v, SLI %v of nothing", c.ID, rate, sli)
		}
	}
	for _, c := range sharedCases(t, "float", 1) {
		if c.Expect.Fires == nil {
			continue
		}
		tier := tierOf("page", c.Given.RateThreshold, 60, 10)
		if got := tier.Burning(targetOf(c.Given.SLO), c.Given.Total, c.Given.Bad); got != *c.Expect.Fires {
			t.Errorf("%s: burning is %v, want %v", c.ID, got, *c.Expect.Fires)
		}
	}
}
