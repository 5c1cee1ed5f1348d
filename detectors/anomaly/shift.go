package anomaly

import (
	"math"
	"time"

	"github.com/flyball-io/flyball/detectors/anomaly/average"
	"github.com/flyball-io/flyball/detectors/anomaly/change"
	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// shift is surprised by a mean that has moved for good, even by little: by the
// sums of CUSUM over the residuals from the season and a slow mean. A shift that
// is found becomes the new mean at once, so that it is told once.
type shift struct {
	average average.Average
	sums    change.CUSUM
	tails   tail.Both
}

const (
	shiftRate      = 0.001
	shiftAllowance = 0.5 // of the usual residual: shifts of half of it are found
	shiftClip      = 3
	// shiftFloor is the smallest mean excess of the sums to believe in.
	shiftFloor = 1
	// shiftFound is how many digits make a shift a fact.
	shiftFound = 4
	// sigmaOfSpread turns the mean absolute residual of normal noise into its
	// standard deviation, √(π/2).
	sigmaOfSpread = 1.2533141373155001
)

func newShift(cfg *Config) *shift {
	return &shift{tails: tail.NewBoth(cfg.Generation), sums: change.CUSUM{Allowance: shiftAllowance}}
}

func (s *shift) observe(f *frame, o *opinion) {
	a := &s.average
	if a.Seen == 0 {
		a.Mean = f.value - f.base
	} else {
		a.Mean += f.rebase
	}
	expected := f.base + a.Mean
	residual := f.value - expected
	scale := sigmaOfSpread*a.Spread + f.floor
	o.digits, o.center, o.level = 0, expected, expected
	if a.Seen >= average.Trust && scale > 0 {
		s.sums.Add(max(-shiftClip, min(shiftClip, residual/scale)))
		sum, length := s.sums.Up, s.sums.UpFor
		if s.sums.Down > sum {
			sum, length = -s.sums.Down, s.sums.DownFor
		}
		o.digits, o.side = s.tails.Step(sum, shiftFloor, f.event)
		o.length = time.Duration(length) * f.step
		if length > 0 {
			moved := math.Copysign(math.Abs(sum)/float64(length)+shiftAllowance, sum) * scale
			o.level = expected + moved
			if o.digits >= shiftFound && sum > 0 == (o.side > 0) {
				a.Mean += moved
				s.sums.Reset()
			}
		}
	}
	a.Learn(f.value-f.base-a.Mean, shiftRate, slowRate, f.steps, f.floor)
}

func (s *shift) code(c *snapshot.Codec) {
	s.average.Code(c)
	s.sums.Code(c)
	s.tails.Code(c)
}
