package anomaly

import (
	"time"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// stuck is surprised by a value that repeats for longer than it ever does. A
// series that has always been constant does not surprise it.
type stuck struct {
	value  float64
	run    int
	digits float64      // of this run so far
	tail   tail.Lengths // of the runs that have ended
}

func newStuck(cfg *Config) *stuck { return &stuck{tail: tail.NewLengths(cfg.Generation)} }

func (s *stuck) observe(f *frame, o *opinion) {
	o.digits = 0
	if s.run == 0 || f.value != s.value {
		if s.run > 0 {
			s.tail.Add(float64(s.run))
		}
		s.value, s.run, s.digits = f.value, 1, 0
		return
	}
	s.run++
	if tail.WorthTelling(s.run) {
		s.digits = s.tail.Digits(float64(s.run))
	}
	o.digits = s.digits
	o.length = time.Duration(s.run-1) * f.step
}

func (s *stuck) code(c *snapshot.Codec) {
	c.Float64(&s.value)
	c.Count(&s.run)
	c.Float64(&s.digits)
	s.tail.Code(c)
}
