package anomaly

import (
	"math"

	"github.com/flyball-io/flyball/detectors/anomaly/average"
	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// sustained is surprised by small departures from the season that all go one
// way: it sums the last twelve, each cut back to what is usual so that one spike
// does not do.
type sustained struct {
	average average.Average // its mean is not used
	ring    [sustainedOver]float64
	at      int
	seen    int
	tails   tail.Both
}

const sustainedOver = 12

func newSustained(cfg *Config) *sustained {
	return &sustained{tails: tail.NewBoth(cfg.Generation)}
}

func (s *sustained) observe(f *frame, o *opinion) {
	if !f.based {
		*o = opinion{center: math.NaN()}
		return
	}
	s.ring[s.at] = s.average.Learn(f.value-f.base, 0, slowRate, 1, f.floor)
	if s.at++; s.at == sustainedOver {
		s.at = 0
	}
	if s.seen < sustainedOver {
		s.seen++
		*o = opinion{center: math.NaN()}
		return
	}
	// Summed anew, so that rounding cannot build up; in parts, so that no addition waits for
	// all before it.
	r := &s.ring
	sum := (r[0] + r[1] + r[2] + r[3]) + (r[4] + r[5] + r[6] + r[7]) + (r[8] + r[9] + r[10] + r[11])
	*o = opinion{center: f.base, scale: 1.0 / sustainedOver, tails: &s.tails, floor: f.floor, level: f.base + sum/sustainedOver}
	o.digits, o.side = s.tails.Step(sum, f.floor, f.event)
}

func (s *sustained) code(c *snapshot.Codec) {
	s.average.Code(c)
	c.Float64s(s.ring[:])
	c.Index(&s.at, sustainedOver)
	c.Index(&s.seen, sustainedOver+1)
	s.tails.Code(c)
}
