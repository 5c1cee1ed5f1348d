package anomaly

import (
	"math"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
)

// average is a mean that forgets, with the usual size of what it is wrong by.
// Outliers move it by four times that size at most, so that an incident does not
// become the measure of what follows; what lasts is believed in the end.
type average struct {
	mean, spread float64
	seen, pushed int
}

const (
	averageTrust  = 20 // residuals after which the spread is believed
	averageClip   = 4
	averagePushed = 60 // outliers in a row after which they are no outliers
)

// limit returns how far a residual counts.
func (a *average) limit(floor float64) float64 {
	if a.seen < averageTrust {
		return math.Inf(1)
	}
	limit := averageClip*a.spread + floor
	if a.pushed > averagePushed {
		limit = math.Ldexp(limit, min(a.pushed-averagePushed, 1000))
	}
	return limit
}

// learn takes in a residual, and returns it with its outlying part cut off.
// steps is how many rates' worth of time has passed.
func (a *average) learn(residual, rate, spreadRate, steps, floor float64) float64 {
	limit := a.limit(floor)
	a.seen++
	if math.Abs(residual) > limit {
		residual = math.Copysign(limit, residual)
		a.pushed++
	} else {
		a.pushed = 0
	}
	early := 1 / float64(a.seen)
	a.spread += max(spreadRate, early) * (math.Abs(residual) - a.spread)
	a.mean += max(overSteps(rate, steps), early) * residual
	return residual
}

// overSteps returns the weight of a sample that comes after a gap: as much as
// the samples that are missing would have had.
func overSteps(rate, steps float64) float64 {
	if steps <= 1 {
		return rate
	}
	return 1 - math.Pow(1-rate, min(steps, 1000))
}

func (a *average) code(c *snapshot.Codec) {
	c.Float64(&a.mean)
	c.Float64(&a.spread)
	c.Count(&a.seen)
	c.Count(&a.pushed)
}
