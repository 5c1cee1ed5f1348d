package anomaly

import (
	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// level is surprised by what departs from the slow mean of the series.
type level struct {
	average average
	tails   tail.Both
}

const levelRate = 0.02

func newLevel(cfg *Config) *level { return &level{tails: tail.NewBoth(cfg.Generation)} }

func (l *level) observe(f *frame) opinion {
	a := &l.average
	if a.seen == 0 {
		a.mean = f.value
	}
	residual := f.value - a.mean
	o := opinion{center: a.mean, scale: 1, tails: &l.tails, floor: f.floor}
	o.digits, o.side = l.tails.Step(residual, f.floor, f.event)
	if scale := a.spread + f.floor; a.seen >= averageTrust && scale > 0 {
		f.drift = residual / scale
	}
	a.learn(residual, levelRate, slowRate, f.steps, f.floor)
	return o
}

func (l *level) code(c *snapshot.Codec) {
	l.average.code(c)
	l.tails.Code(c)
}
