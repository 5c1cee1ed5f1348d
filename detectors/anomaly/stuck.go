package anomaly

import (
	"math"
	"time"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// stuck is surprised by a value that repeats for longer than it ever does. A
// series that has always been constant does not surprise it.
type stuck struct {
	value  float64
	run    int
	digits float64    // of this run so far
	tail   tail.Upper // of the logarithms of the runs that have ended
}

// durationFloor is the smallest mean excess of a logarithm of a duration: those
// of a series that was always on time must be well beyond it to count.
const durationFloor = 0.7

func newStuck(cfg *Config) *stuck { return &stuck{tail: tail.NewUpper(cfg.Generation)} }

func (s *stuck) observe(f *frame) opinion {
	o := opinion{center: math.NaN()}
	if s.run == 0 || f.value != s.value {
		if s.run > 0 {
			s.tail.Add(math.Log(float64(s.run)), 1)
		}
		s.value, s.run, s.digits = f.value, 1, 0
		return o
	}
	s.run++
	if worthTelling(s.run) {
		s.digits = s.tail.Digits(math.Log(float64(s.run)), durationFloor)
	}
	o.digits = s.digits
	o.length = time.Duration(s.run-1) * f.step
	return o
}

// worthTelling reports whether something that has lasted for n points is worth
// judging again: when it has grown by half since, so that it does not speak up at
// every point.
func worthTelling(n int) bool {
	mark := 2
	for mark < n {
		mark += (mark + 1) / 2
	}
	return mark == n
}

func (s *stuck) code(c *snapshot.Codec) {
	c.Float64(&s.value)
	c.Count(&s.run)
	c.Float64(&s.digits)
	s.tail.Code(c)
}
