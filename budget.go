package flyball

import (
	"math"
	"math/big"
	"math/bits"
	"slices"
	"time"
)

// ppb is one, in parts per thousand million.
const ppb = 1_000_000_000

// Target returns the objective as a share.
func (s *SLO) Target() float64 { return float64(s.TargetPPB) / ppb }

// BurnRate returns how many times faster than sustainable these counts burn the error budget,
// for people: NaN without samples, +Inf when there is no budget and something was bad.
// Comparing is Burning's business.
func (s *SLO) BurnRate(total, bad int64) float64 {
	switch {
	case total <= 0:
		return math.NaN()
	case bad <= 0:
		return 0
	}
	return float64(bad) * ppb / (float64(total) * float64(ppb-s.TargetPPB)) // exact until it divides, for counts below 2^23
}

// SLI returns the good share, NaN without samples.
func SLI(total, bad int64) float64 {
	if total <= 0 {
		return math.NaN()
	}
	return float64(total-bad) / float64(total)
}

// Burning reports whether these counts burn a budget with that target faster than the tier's
// factor:
//
//	bad ÷ total ÷ (1 − target) > FactorNum ÷ FactorDen
//
// (The Site Reliability Workbook, chapter 5), compared as bad·10⁹·FactorDen >
// FactorNum·total·(10⁹ − targetPPB) in integers of 192 bits, so that no rate is rounded: one
// exactly at the threshold does not burn, unless the tier says OrEqual. So a budget that is
// used up exactly at the end of its period raises nothing at a factor of 1. targetPPB lies
// between 0 and 10⁹; FactorNum and FactorDen are positive.
func (t *BurnRateTier) Burning(targetPPB, total, bad int64) bool {
	if total <= 0 || bad <= 0 {
		return false
	}
	left := product(uint64(bad), ppb, uint64(t.FactorDen))
	right := product(uint64(total), uint64(ppb-targetPPB), uint64(t.FactorNum))
	c := slices.Compare(left[:], right[:])
	return c > 0 || c == 0 && t.OrEqual
}

// product returns a·b·c, the most significant word first.
func product(a, b, c uint64) [3]uint64 {
	abHi, abLo := bits.Mul64(a, b)
	midLow, low := bits.Mul64(abLo, c)
	high, midHigh := bits.Mul64(abHi, c)
	mid, carry := bits.Add64(midLow, midHigh, 0)
	return [3]uint64{high + carry, mid, low}
}

// Factor returns the tier's threshold, for people.
func (t *BurnRateTier) Factor() float64 { return float64(t.FactorNum) / float64(t.FactorDen) }

// Exhausted reports whether the budget of a whole period is gone: whether the bad samples are
// as many as a period may have, or more,
//
//	bad ≥ (1 − target) · total · length ÷ elapsed
//
// where total and bad were counted in the elapsed part of a period of that length, and the
// rest is taken to have as much traffic. So a budget that is new is not gone with its first
// bad sample. It compares in integers of 192 bits.
func (s *SLO) Exhausted(total, bad int64, elapsed, length time.Duration) bool {
	if total <= 0 || bad <= 0 || elapsed <= 0 {
		return false
	}
	left := product(uint64(bad), ppb, uint64(elapsed))
	right := product(uint64(total), uint64(ppb-s.TargetPPB), uint64(length))
	return slices.Compare(left[:], right[:]) >= 0
}

// Spent is what is gone of a budget: the counts of the elapsed part of a period of that
// length.
type Spent struct {
	Total, Bad      int64
	Elapsed, Length time.Duration
}

// ExhaustsSoon reports whether what is left of a budget lasts at most within at the burn rate
// of recent counts:
//
//	(1 − bad·elapsed ÷ (budget·total·length)) · length ≤ within · recentBad ÷ (budget·recentTotal)
//
// as fractions, so that nothing is rounded before it is compared.
func (s *SLO) ExhaustsSoon(within time.Duration, b Spent, recentTotal, recentBad int64) bool {
	if b.Total <= 0 || recentTotal <= 0 || recentBad <= 0 {
		return false
	}
	number := func(factors ...int64) *big.Int {
		out := big.NewInt(1)
		for _, f := range factors {
			out.Mul(out, big.NewInt(f))
		}
		return out
	}
	budget := ppb - s.TargetPPB
	// Both sides times budget·total·recentTotal, in units of 1/ppb.
	left := number(budget, b.Total, int64(b.Length))
	left.Sub(left, number(b.Bad, ppb, int64(b.Elapsed)))
	left.Mul(left, big.NewInt(recentTotal))
	return left.Cmp(number(int64(within), recentBad, ppb, b.Total)) <= 0
}
