package objective

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
)

const day = 24 * time.Hour

func TestDefaultTiers(t *testing.T) {
	f := func(period, pane time.Duration, want string) {
		t.Helper()
		if got := FormatTiers(DefaultTiers(period, pane)); got != want {
			t.Errorf("over %v: got %s, want %s", period, got, want)
		}
	}
	const ten = 10 * time.Second
	f(30*day, ten, "page_fast=14.4x1h/5m:page, page_slow=6x6h/30m:page, ticket_fast=3x1d/2h:ticket, ticket_slow=1x3d/6h:ticket")
	f(7*day, ten, "page_fast=14.4x14m/1m10s:page, page_slow=6x1h24m/7m:page, ticket_fast=3x5h36m/28m:ticket, ticket_slow=1x16h48m/1h24m:ticket")
	f(28*day, ten, "page_fast=14.4x56m/4m40s:page, page_slow=6x5h36m/28m:page, ticket_fast=3x22h24m/1h52m:ticket, ticket_slow=1x67h12m/5h36m:ticket")
	f(90*day, ten, "page_fast=14.4x3h/15m:page, page_slow=6x18h/1h30m:page, ticket_fast=3x3d/6h:ticket, ticket_slow=1x9d/18h:ticket")
	// Whole panes: the shares of the budget stay, the factors give way, but never below 1.
	f(7*day, time.Minute, "page_fast=14.4x14m/2m:page, page_slow=6x1h24m/7m:page, ticket_fast=3x5h36m/28m:ticket, ticket_slow=1x16h48m/1h24m:ticket")
	f(30*day, 7*time.Second, "page_fast=10368/721x1h0m5s/5m1s:page, page_slow=64800/10801x6h0m2s/30m6s:page, ticket_fast=259200/86401x24h0m1s/2h0m3s:ticket, ticket_slow=1x72h0m3s/6h0m2s:ticket")
	want := flyball.BurnRateTier{Name: "page_fast", Severity: "page", FactorNum: 72, FactorDen: 5, Long: time.Hour, Short: 5 * time.Minute}
	if diff := cmp.Diff(want, DefaultTiers(30*day, ten)[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDefaultTiersLaw: whatever the period and the pane, the windows are whole
// panes, the short ones shorter; a tier stands for its share of the budget, or
// its factor is 1.
func TestDefaultTiersLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pane := time.Duration(rapid.IntRange(1, 60).Draw(t, "pane")) * time.Second
		period := time.Duration(rapid.IntRange(60, 366*24*3600).Draw(t, "period")) * time.Second
		percent := map[string]int64{"page_fast": 2, "page_slow": 5, "ticket_fast": 10, "ticket_slow": 10}
		for _, tier := range DefaultTiers(period, pane) {
			if tier.Long%pane != 0 || tier.Short%pane != 0 || tier.Short <= 0 || tier.Short >= tier.Long {
				t.Errorf("%s: the windows are %v and %v", tier.Name, tier.Long, tier.Short)
			}
			factor := Factor(tier)
			share := new(big.Rat).Mul(factor, new(big.Rat).SetFrac64(int64(tier.Long), int64(period)))
			if one := big.NewRat(1, 1); factor.Cmp(one) != 0 && share.Cmp(big.NewRat(percent[tier.Name], 100)) != 0 || factor.Cmp(one) < 0 {
				t.Errorf("%s: a factor of %v spends %v of the budget", tier.Name, factor, share)
			}
		}
	})
}

// The published thresholds: budget share × period ÷ window.
func TestBurnRateAgainstPublishedCases(t *testing.T) {
	shared := os.Getenv("FLYBALL_SHARED")
	if shared == "" {
		shared = "../../../../shared"
	}
	data, err := os.ReadFile(filepath.Join(shared, "data", "slo_cases.json"))
	if err != nil {
		t.Skipf("needs the shared data: set FLYBALL_SHARED: %v", err)
	}
	var file struct {
		Cases []struct {
			ID, Family    string
			Given, Expect json.RawMessage // the shape depends on the family
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, c := range file.Cases {
		if c.Family != "burn_rate_threshold" {
			continue
		}
		var given struct {
			Percent float64 `json:"budget_pct"`
			Period  int64   `json:"slo_period_s"`
			Long    int64   `json:"long_window_s"`
		}
		var expect struct {
			BurnRate float64 `json:"burn_rate"`
		}
		if err := errors.Join(json.Unmarshal(c.Given, &given), json.Unmarshal(c.Expect, &expect)); err != nil {
			t.Fatal(err)
		}
		if given.Percent != math.Trunc(given.Percent) {
			continue // our tiers spend whole percents
		}
		got, _ := burnRate(int64(given.Percent), time.Duration(given.Period)*time.Second, time.Duration(given.Long)*time.Second).Float64()
		if math.Abs(got-expect.BurnRate) > 5e-5 {
			t.Errorf("%s: got %v, want %v", c.ID, got, expect.BurnRate)
		}
		checked++
	}
	if checked == 0 {
		t.Error("no case was checked")
	}
}

func TestParseTiers(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		tiers, issues := ParseTiers(text)
		if len(issues) > 0 {
			t.Fatalf("%q: %v", text, issues)
		}
		if got := FormatTiers(tiers); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	f("a=1x2h/1h:page", "a=1x2h/1h:page")
	f(" t=9x1d/2h:ticket ,\n p=2x1h/5m:page,q=28/10x1h/5m:page", "q=2.8x1h/5m:page, p=2x1h/5m:page, t=9x1d/2h:ticket")
	f("a=0.000000001x2h/1h:page", "a=0.000000001x2h/1h:page")
	f("a=1/3x2h/1h:page", "a=1/3x2h/1h:page")
	f("a=14.40x1w/1d12h:page", "a=14.4x7d/36h:page")
}

func TestParsePPB(t *testing.T) {
	f := func(text string, shift int, want int64) {
		t.Helper()
		got, err := ParsePPB(spec.Decimal(text), shift)
		if err != nil && want != 0 || err == nil && want == 0 {
			t.Fatalf("%s: %v", text, err)
		}
		if got != want {
			t.Errorf("%s shifted by %d: got %d, want %d", text, shift, got, want)
		}
		if want == 0 {
			return
		}
		// By another way: exact rational arithmetic.
		r, _ := new(big.Rat).SetString(text)
		r.Mul(r, big.NewRat(PPB, map[int]int64{0: 1, 2: 100}[shift]))
		if !r.IsInt() || r.Num().Int64() != got {
			t.Errorf("%s: got %d, want %v", text, got, r)
		}
	}
	f("0.999", 0, 999_000_000)
	f("00.9990000000000", 0, 999_000_000)
	f("0.999999999", 0, 999_999_999)
	f("0.000000001", 0, 1)
	f("99.9", 2, 999_000_000)
	f("9.9", 2, 99_000_000)
	f("0.5", 2, 5_000_000)
	f("99.9999999", 2, 999_999_999)
	f("0.0000001", 2, 1)
	f("1", 0, 0)
	f("1.0", 0, 0)
	f("0", 0, 0)
	f("0.0", 0, 0)
	f("100", 2, 0)
	f("100.5", 2, 0)
	f("0.0000000001", 0, 0)
	f("99.99999999", 2, 0)
	f("99999999999999999999999", 0, 0)
	if got := FormatPPB(999_000_000); got != "0.999" {
		t.Errorf("got %s", got)
	}
	if got := FormatPPB(1); got != "0.000000001" {
		t.Errorf("got %s", got)
	}
}
