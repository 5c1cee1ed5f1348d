package season

import (
	"math"
	"time"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
)

// Clock follows a change of the clocks: people and cron jobs keep local time, so
// twice a year a daily course moves by an hour against UTC. It compares how well
// the profile fits as it is, an hour earlier and an hour later, and moves when
// another hour has fitted twice as well for half a day.
type Clock struct {
	ahead int // hours that local time has moved since the profile was learned: −1, 0 or 1
	wrong [3]float64
	seen  time.Duration // that wrong rests on
}

const clockPatience = 12 * time.Hour

// Shift returns by how much times have to be moved before the profile is asked.
func (c *Clock) Shift() time.Duration { return time.Duration(c.ahead) * time.Hour }

// Observe learns how far the value lay from the profile an hour before, at, and
// an hour after where it was looked up, each step after the last.
func (c *Clock) Observe(errors [3]float64, step time.Duration) {
	rate := max(float64(step)*(1/float64(clockPatience)), 1e-4)
	if c.seen < clockPatience {
		rate = max(rate, float64(step)/float64(c.seen+step))
	}
	rate = min(rate, 1)
	for i, e := range errors {
		c.wrong[i] += rate * (math.Abs(e) - c.wrong[i])
	}
	if c.seen < clockPatience {
		c.seen += step
		return
	}
	for i, move := range [...]int{-1, 0, 1} {
		if to := c.ahead + move; move != 0 && to >= -1 && to <= 1 && 2*c.wrong[i] < c.wrong[1] {
			*c = Clock{ahead: to}
			return
		}
	}
}

// Code walks over the memory.
func (c *Clock) Code(s *snapshot.Codec) {
	i := c.ahead + 1
	s.Index(&i, 3)
	c.ahead = i - 1
	s.Float64s(c.wrong[:])
	seen := int64(c.seen)
	s.Int64(&seen)
	c.seen = time.Duration(seen)
}
