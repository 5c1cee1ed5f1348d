package anomaly

import (
	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// silence is surprised when values stay away for longer than they do: at points
// without a value. Alone, it is also surprised by the value that ends a silence
// during which there were no points; that is too late to be said of the value
// when others judge it.
type silence struct {
	last   flyball.Time // of a value
	asked  bool         // since then
	alone  bool         // nobody else has a say
	digits float64      // of this silence so far
	told   int          // for how many steps
	tail   tail.Lengths // of distances between values, in usual steps
}

func newSilence(cfg *Config) *silence {
	return &silence{last: flyball.NoTime, alone: len(cfg.Detectors) == 1, tail: tail.NewLengths(cfg.Generation)}
}

// missing judges a point without a value.
func (s *silence) missing(at flyball.Time, step float64, o *opinion) {
	o.digits = 0
	if s.last == flyball.NoTime {
		return
	}
	s.asked = true
	o.length = at.Sub(s.last)
	steps := int(min(float64(o.length)/step, 1e9))
	if steps > s.told+s.told/2 {
		s.told = steps
		s.digits = s.tail.Digits(float64(steps))
	}
	o.digits = s.digits
}

func (s *silence) observe(f *frame, o *opinion) {
	o.digits = 0
	if s.last != flyball.NoTime && f.gap > 0 {
		o.length = f.gap
		steps := float64(f.gap) / float64(f.step)
		if s.alone && !s.asked {
			o.digits = s.tail.Digits(steps)
		}
		s.tail.Add(steps)
	}
	s.last, s.asked = max(s.last, f.at), false
	s.digits, s.told = 0, 0
}

func (s *silence) code(c *snapshot.Codec) {
	last := int64(s.last)
	c.Int64(&last)
	s.last = flyball.Time(last)
	c.Bool(&s.asked)
	c.Float64(&s.digits)
	c.Count(&s.told)
	s.tail.Code(c)
}
