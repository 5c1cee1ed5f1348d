package anomaly

import (
	"math"

	"github.com/flyball-io/flyball/detectors/anomaly/average"
	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// spike is surprised by what departs from the last few points, on top of the
// season, in units of how much the series has lately been wrong by. It forgets
// fast and so lives with drifting levels.
type spike struct {
	average average.Average
	tails   tail.Both
}

const (
	spikeRate = 0.1
	// relativeFloor is the smallest spread to believe in, relative to the value:
	// no series is steadier than that for long.
	relativeFloor = 1e-4
)

func newSpike(cfg *Config) *spike { return &spike{tails: tail.NewBoth(cfg.Generation)} }

func (s *spike) observe(f *frame, o *opinion) {
	a := &s.average
	if a.Seen == 0 {
		a.Mean = f.value - f.base
	} else {
		a.Mean += f.rebase
	}
	expected := f.base + a.Mean
	residual := f.value - expected
	scale := a.Spread + relativeFloor*math.Abs(f.value) + f.floor
	floor := 0.0
	if scale > 0 {
		f.surprise = residual / scale
		floor = f.floor / scale
	}
	*o = opinion{center: expected, scale: scale, tails: &s.tails, floor: floor}
	f.known = a.Seen >= average.Trust
	o.digits, o.side = s.tails.Step(f.surprise, floor, f.event)
	a.Learn(residual, spikeRate, slowRate, f.steps, f.floor)
}

func (s *spike) code(c *snapshot.Codec) {
	s.average.Code(c)
	s.tails.Code(c)
}
