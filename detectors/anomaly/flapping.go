package anomaly

import (
	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// flapping is surprised by a series that goes up and down between two states
// more often than it does. A state is left only for a value well on the other
// side, so that noise about the middle does not count.
type flapping struct {
	state int8 // 1 high, −1 low, 0 not known
	rate  float64
	seen  int
	tail  tail.Upper
}

const (
	flappingRate = 1.0 / 48
	flappingFar  = 1 // usual residuals away from the level
)

func newFlapping(cfg *Config) *flapping { return &flapping{tail: tail.NewUpper(cfg.Generation)} }

func (p *flapping) observe(f *frame, o *opinion) {
	o.digits = 0
	change := 0.0
	switch {
	case f.drift > flappingFar && p.state <= 0:
		change, p.state = float64(-p.state), 1
	case f.drift < -flappingFar && p.state >= 0:
		change, p.state = float64(p.state), -1
	}
	p.seen++
	p.rate += max(flappingRate, 1/float64(p.seen)) * (change - p.rate)
	if float64(p.seen)*flappingRate < 1 {
		return
	}
	// Only a change is told; between changes the rate can but fall.
	if change > 0 {
		o.digits = p.tail.Digits(p.rate, flappingRate)
	}
	o.level = p.rate / flappingRate
	p.tail.Add(p.rate, f.event)
}

func (p *flapping) code(c *snapshot.Codec) {
	state := uint8(p.state + 1)
	c.Uint8(&state)
	if state > 2 {
		c.Fail("unknown state")
		return
	}
	p.state = int8(state) - 1
	c.Float64(&p.rate)
	c.Count(&p.seen)
	p.tail.Code(c)
}
