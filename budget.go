package flyball

import (
	"math"
	"math/bits"
)

// ppb is one, in parts per thousand million.
const ppb = 1_000_000_000

// Target returns the objective as a share.
func (s *SLO) Target() float64 { return float64(s.TargetPPB) / ppb }

// BurnRate returns how many times faster than sustainable these counts burn the
// error budget, for people; NaN without samples. Comparing is Burning's business.
func (s *SLO) BurnRate(total, bad int64) float64 {
	if total <= 0 {
		return math.NaN()
	}
	return float64(bad) / float64(total) / (float64(ppb-s.TargetPPB) / ppb)
}

// SLI returns the good share, NaN without samples.
func SLI(total, bad int64) float64 {
	if total <= 0 {
		return math.NaN()
	}
	return float64(total-bad) / float64(total)
}

// Burning reports whether these counts burn a budget with that target at the
// tier's factor or faster:
//
//	bad ÷ total ÷ (1 − target) ≥ FactorNum ÷ FactorDen
//
// compared as bad·10⁹·FactorDen ≥ FactorNum·total·(10⁹ − targetPPB) in 128 bits,
// so that a rate exactly at the threshold is. Without samples nothing burns.
// Counts must be ≥ 0; FactorNum and FactorDen must be below 2³³.
func (t *BurnRateTier) Burning(targetPPB, total, bad int64) bool {
	if total <= 0 {
		return false
	}
	leftHi, leftLo := bits.Mul64(uint64(bad), ppb*uint64(t.FactorDen))
	rightHi, rightLo := bits.Mul64(uint64(total), uint64(t.FactorNum)*uint64(ppb-targetPPB))
	return leftHi > rightHi || leftHi == rightHi && leftLo >= rightLo
}

// Factor returns the tier's threshold, for people.
func (t *BurnRateTier) Factor() float64 { return float64(t.FactorNum) / float64(t.FactorDen) }
