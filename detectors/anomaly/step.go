package anomaly

import (
	"math"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// step is surprised by a jump or a ramp: by how far the value has come in twelve
// points.
type step struct {
	ring  [stepLag]float64
	at    int
	seen  int
	tails tail.Both
}

const stepLag = 12

func newStep(cfg *Config) *step { return &step{tails: tail.NewBoth(cfg.Generation)} }

func (s *step) observe(f *frame, o *opinion) {
	before := s.ring[s.at]
	s.ring[s.at] = f.value
	if s.at++; s.at == stepLag {
		s.at = 0
	}
	if s.seen < stepLag {
		s.seen++
		*o = opinion{center: math.NaN()}
		return
	}
	*o = opinion{center: before, scale: 1, tails: &s.tails, floor: f.floor, level: before}
	o.digits, o.side = s.tails.Step(f.value-before, f.floor, f.event)
}

func (s *step) code(c *snapshot.Codec) {
	c.Float64s(s.ring[:])
	c.Index(&s.at, stepLag)
	c.Index(&s.seen, stepLag+1)
	s.tails.Code(c)
}
