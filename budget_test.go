package flyball

import (
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// exactlyBurning is Burning by its definition, in fractions.
func exactlyBurning(t BurnRateTier, targetPPB, total, bad int64) bool {
	if total <= 0 || bad <= 0 {
		return false
	}
	left := new(big.Rat).SetFrac64(bad, total)
	budget := new(big.Rat).SetFrac64(ppb-targetPPB, ppb)
	right := new(big.Rat).Mul(new(big.Rat).SetFrac64(t.FactorNum, t.FactorDen), budget)
	return left.Cmp(right) > 0
}

func TestBurningIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tier := BurnRateTier{
			FactorNum: rapid.Int64Range(1, math.MaxInt64).Draw(t, "num"),
			FactorDen: rapid.Int64Range(1, math.MaxInt64).Draw(t, "den"),
		}
		target := rapid.Int64Range(0, ppb).Draw(t, "target")
		total := rapid.Int64Range(0, math.MaxInt64).Draw(t, "total")
		bad := rapid.Int64Range(0, total).Draw(t, "bad")
		if got, want := tier.Burning(target, total, bad), exactlyBurning(tier, target, total, bad); got != want {
			t.Fatalf("Burning is %v, want %v", got, want)
		}
	})
}

// TestBurningAtTheThreshold draws counts whose rate is exactly the factor, and
// one sample to either side: what floats get wrong.
func TestBurningAtTheThreshold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target := rapid.Int64Range(0, ppb-1).Draw(t, "target")
		total := rapid.Int64Range(2, 4e9).Draw(t, "total") // so that the rate is a fraction of 64-bit integers
		bad := rapid.Int64Range(1, total-1).Draw(t, "bad")
		rate := new(big.Rat).Quo(new(big.Rat).SetFrac64(bad, total), new(big.Rat).SetFrac64(ppb-target, ppb))
		tier := BurnRateTier{FactorNum: rate.Num().Int64(), FactorDen: rate.Denom().Int64()}
		if tier.Burning(target, total, bad) {
			t.Error("a rate exactly at the threshold burns")
		}
		if !tier.Burning(target, total, bad+1) {
			t.Error("one bad sample more does not burn")
		}
		if !tier.Burning(target, total-1, bad) {
			t.Error("one good sample fewer does not burn")
		}
	})
}

func TestBurningCases(t *testing.T) {
	f := func(name string, num, den, target, total, bad int64, want bool) {
		t.Helper()
		tier := BurnRateTier{FactorNum: num, FactorDen: den}
		if got := tier.Burning(target, total, bad); got != want {
			t.Errorf("%s: Burning is %v, want %v", name, got, want)
		}
	}
	f("one of a thousand at 99.9 % is exactly 1, no more", 1, 1, 999_000_000, 1000, 1, false)
	f("one of a thousand less one is more", 1, 1, 999_000_000, 999, 1, true)
	f("14.4 at 99.9 %", 72, 5, 999_000_000, 10_000, 144, false)
	f("just above 14.4", 72, 5, 999_000_000, 10_000, 145, true)
	f("a rate of 9.04 is above 9, unrounded", 9, 1, 990_000_000, 10_000, 904, true)
	f("no samples", 1, 1, 999_000_000, 0, 0, false)
	f("nothing bad", 1, 1_000_000, 999_000_000, 1000, 0, false)
	f("no budget and nothing bad", 1, 1, ppb, 1000, 0, false)
	f("no budget and one bad", 1000, 1, ppb, math.MaxInt64, 1, true)
	f("the most there can be, at the factor that it has", 10, 1, 900_000_000, 100, 100, false)
	f("the largest counts", 72, 5, 999_000_000, math.MaxInt64, math.MaxInt64, true)
	f("an unreachable factor", 11, 1, 900_000_000, 100, 100, false)
}

func TestRatesForPeople(t *testing.T) {
	nan := math.NaN()
	f := func(target, total, bad int64, wantSLI, wantRate float64) {
		t.Helper()
		s := SLO{TargetPPB: target}
		same := func(a, b float64) bool { return a == b || a != a && b != b || math.Abs(a-b) < 1e-12*math.Abs(b) }
		if got := SLI(total, bad); !same(got, wantSLI) {
			t.Errorf("SLI(%d, %d) = %v, want %v", total, bad, got, wantSLI)
		}
		if got := s.BurnRate(total, bad); !same(got, wantRate) {
			t.Errorf("BurnRate(%d, %d) at %d = %v, want %v", total, bad, target, got, wantRate)
		}
	}
	f(999_000_000, 0, 0, nan, nan)
	f(999_000_000, 1_000_000, 5000, 0.995, 5)
	f(900_000_000, 7112, 3556, 0.5, 5)
	f(999_000_000, 10, 0, 1, 0)
	f(ppb, 10, 0, 1, 0)
	f(ppb, 10, 1, 0.9, math.Inf(1))
	if got := (&BurnRateTier{FactorNum: 72, FactorDen: 5}).Factor(); got != 14.4 {
		t.Errorf("Factor is %v, want 14.4", got)
	}
	if got := (&SLO{TargetPPB: 999_500_000}).Target(); got != 0.9995 {
		t.Errorf("Target is %v, want 0.9995", got)
	}
}

func TestExhausted(t *testing.T) {
	const day = 24 * time.Hour
	f := func(name string, target, total, bad int64, elapsed, length time.Duration, want bool) {
		t.Helper()
		s := SLO{TargetPPB: target}
		if got := s.Exhausted(total, bad, elapsed, length); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	f("all of it", 999_000_000, 1_000_000, 1000, 30*day, 30*day, true)
	f("all but one", 999_000_000, 1_000_000, 999, 30*day, 30*day, false)
	f("a third of the period, and all of its budget", 999_000_000, 1_000_000, 3000, 10*day, 30*day, true)
	f("a third of the period, and not quite", 999_000_000, 1_000_000, 2999, 10*day, 30*day, false)
	f("the first sample is bad", 999_000_000, 1, 1, 10*time.Second, 30*day, false)
	f("a total outage for the whole budget", 999_000_000, 2592, 2592, 2592*time.Second, 30*day, true)
	f("nothing", 999_000_000, 0, 0, 30*day, 30*day, false)
	f("no budget", ppb, 10, 1, 30*day, 30*day, true)
	f("no budget, nothing bad", ppb, 10, 0, 30*day, 30*day, false)
	f("large", 999_999_999, math.MaxInt64, math.MaxInt64, 292*365*day, 292*365*day, true)
}

// TestExhaustsSoon holds the comparison against the closed form, at its edges.
func TestExhaustsSoon(t *testing.T) {
	s := SLO{TargetPPB: 999_500_000}
	const length = 14 * 24 * time.Hour
	f := func(name string, within time.Duration, b Spent, total, bad int64, want bool) {
		t.Helper()
		if got := s.ExhaustsSoon(within, b, total, bad); got != want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	// A quarter of the budget is gone; at 100x the rest lasts 2 h 31 m 12 s.
	b := Spent{Total: 4_000_000, Bad: 500, Elapsed: length, Length: length}
	left := 3 * length / 4 / 100
	f("exactly", left, b, 1000, 50, true)
	f("a nanosecond less", left-1, b, 1000, 50, false)
	f("as long as nothing burns", length, b, 1000, 0, false)
	f("nobody knows", length, b, 0, 0, false)
	f("nothing was counted", length, Spent{Length: length}, 1000, 50, false)
	// After half the period the same counts are an eighth of its budget.
	half := Spent{Total: 4_000_000, Bad: 500, Elapsed: length / 2, Length: length}
	f("half the period", 7*length/8/100, half, 1000, 50, true)
	f("half the period, less", 7*length/8/100-1, half, 1000, 50, false)
	f("counts beyond 2^53", left, Spent{Total: 8000 << 46, Bad: 1 << 46, Elapsed: length, Length: length}, 20<<50, 1<<50, true)
}

// TestOrEqual: a tier that says so burns exactly at its factor.
func TestOrEqual(t *testing.T) {
	tier := BurnRateTier{FactorNum: 10, FactorDen: 1}
	if tier.Burning(990_000_000, 100, 10) {
		t.Error("it burns at its factor")
	}
	if tier.OrEqual = true; !tier.Burning(990_000_000, 100, 10) || tier.Burning(990_000_000, 1000, 99) {
		t.Error("it does not burn from its factor on")
	}
}
