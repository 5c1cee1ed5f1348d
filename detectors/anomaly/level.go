package anomaly

import (
	"github.com/flyball-io/flyball/detectors/anomaly/average"
	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// level is surprised by what departs from the slow mean of the series.
type level struct {
	average average.Average
	tails   tail.Both
}

const levelRate = 0.02

func newLevel(cfg *Config) *level { return &level{tails: tail.NewBoth(cfg.Generation)} }

func (l *level) observe(f *frame, o *opinion) {
	a := &l.average
	if a.Seen == 0 {
		a.Mean = f.value
	}
	residual := f.value - a.Mean
	*o = opinion{center: a.Mean, scale: 1, tails: &l.tails, floor: f.floor}
	o.digits, o.side = l.tails.Step(residual, f.floor, f.event)
	if scale := a.Spread + f.floor; a.Seen >= average.Trust && scale > 0 {
		f.drift = residual / scale
	}
	a.Learn(residual, levelRate, slowRate, f.steps, f.floor)
}

func (l *level) code(c *snapshot.Codec) {
	l.average.Code(c)
	l.tails.Code(c)
}
