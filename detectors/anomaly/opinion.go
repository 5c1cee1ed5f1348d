package anomaly

import (
	"math"
	"time"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// algorithm is one way of being surprised. It judges a frame by what it has
// learned, then learns it, and may add to the frame what later ones use. The opinion is
// what it left there the last time: digits must be set, the rest as far as it changes or,
// without digits, does not matter.
type algorithm interface {
	observe(*frame, *opinion)
	code(*snapshot.Codec)
}

// opinion is what an algorithm says of a frame. Where its alarms would begin is
// worked out only if it is asked: center plus scale times a bound of tails.
type opinion struct {
	digits float64
	side   int8
	// center is what was expected; NaN for what is not about the value.
	center, scale, floor float64
	tails                *tail.Both
	// length and level are for the explanation; soonest and latest bound length.
	length, soonest, latest time.Duration
	level                   float64
}

// code walks over what of an opinion is not made of the tails.
func (o *opinion) code(c *snapshot.Codec) {
	c.Float64(&o.digits)
	side := uint8(o.side + 1)
	c.Uint8(&side)
	o.side = int8(side) - 1
	c.Float64(&o.level)
	if o.center = math.NaN(); o.side < -1 || o.side > 1 {
		c.Fail("a side that there is not")
	}
	for _, d := range []*time.Duration{&o.length, &o.soonest, &o.latest} {
		v := int64(*d)
		c.Int64(&v)
		*d = time.Duration(v)
	}
}

// band returns the values between which the algorithm would not reach so many
// digits.
func (o *opinion) band(digits float64) (low, high float64) {
	if o.tails == nil {
		return math.NaN(), math.NaN()
	}
	low, high = o.tails.Band(digits, o.floor)
	return o.center + o.scale*low, o.center + o.scale*high
}
