package config

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

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
)

func TestDefaultTiers(t *testing.T) {
	f := func(period time.Duration, want string) {
		t.Helper()
		if got := FormatTiers(DefaultTiers(period)); got != want {
			t.Errorf("over %v: got %s, want %s", period, got, want)
		}
	}
	f(30*day, "page_fast=14.4x1h/5m:page, page_slow=6x6h/30m:page, ticket_fast=3x1d/2h:ticket, ticket_slow=1x3d/6h:ticket")
	f(28*day, "page_fast=13.44x1h/5m:page, page_slow=5.6x6h/30m:page, ticket_fast=2.8x1d/2h:ticket, ticket_slow=14/15x3d/6h:ticket")
	f(90*day, "page_fast=43.2x1h/5m:page, page_slow=18x6h/30m:page, ticket_fast=9x1d/2h:ticket, ticket_slow=3x3d/6h:ticket")
	want := flyball.BurnRateTier{Name: "page_fast", Severity: "page", FactorNum: 72, FactorDen: 5, Long: time.Hour, Short: 5 * time.Minute}
	if diff := cmp.Diff(want, DefaultTiers(30 * day)[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The published thresholds: budget share × period ÷ window.
func TestBurnRateAgainstPublishedCases(t *testing.T) {
	shared := os.Getenv("FLYBALL_SHARED")
	if shared == "" {
		shared = "../../../shared"
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
		got, err := parsePPB(spec.Decimal(text), shift)
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
		r.Mul(r, big.NewRat(ppb, map[int]int64{0: 1, 2: 100}[shift]))
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
	if got := formatPPB(999_000_000); got != "0.999" {
		t.Errorf("got %s", got)
	}
	if got := formatPPB(1); got != "0.000000001" {
		t.Errorf("got %s", got)
	}
}
