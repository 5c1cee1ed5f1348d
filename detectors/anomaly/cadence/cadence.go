// Package cadence learns how far apart the points of a series usually are.
package cadence

import (
	"slices"
	"time"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
)

// Cadence learns the usual distance between points: the median of the first few,
// then a median that creeps. It changes what it says only when it has moved by a
// quarter, so that rates derived from it stay put.
type Cadence struct {
	first [9]int64
	count int
	creep float64
	said  int64
}

// Step returns the usual distance, a minute while nothing is known.
func (c *Cadence) Step() time.Duration {
	if c.said == 0 {
		return time.Minute
	}
	return time.Duration(c.said)
}

// Observe learns the distance of a point from the one before, which is positive.
func (c *Cadence) Observe(gap time.Duration) {
	d := int64(gap)
	if c.count < len(c.first) {
		c.first[c.count] = d
		c.count++
		sorted := c.first
		slices.Sort(sorted[:c.count])
		c.said = sorted[c.count/2]
		c.creep = float64(c.said)
		return
	}
	const stride, tolerance, moved = 1.02, 1.1, 1.25
	switch x := float64(d); {
	case x > c.creep*tolerance:
		c.creep *= stride
	case x*tolerance < c.creep:
		c.creep /= stride
	default:
		return
	}
	if said := float64(c.said); c.creep > said*moved || c.creep < said/moved {
		c.said = max(int64(c.creep), 1)
	}
}

// Code walks over the memory.
func (c *Cadence) Code(s *snapshot.Codec) {
	for i := range c.first {
		s.Int64(&c.first[i])
	}
	n := c.count
	s.Index(&n, len(c.first)+1)
	c.count = n
	s.Float64(&c.creep)
	s.Int64(&c.said)
	if c.said < 0 {
		s.Fail("negative step")
	}
}
