// Package average holds a mean that forgets, and that a few outliers do not move.
package average

import (
	"math"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
)

// Average is a mean that forgets, with the usual size of what it is wrong by.
// Outliers move it by four times that size at most, so that an incident does not
// become the measure of what follows; what lasts is believed in the end.
type Average struct {
	// Mean of the values, and the Spread of their residuals.
	Mean, Spread float64
	// Seen is how many residuals they rest on.
	Seen   int
	pushed int
}

const (
	// Trust is after how many residuals the spread is believed.
	Trust    = 20
	clip     = 4
	outliers = 60 // outliers in a row after which they are no outliers
	// settled is after how many residuals no rate in use is below that of a plain mean.
	settled = 1000
)

// Limit returns how far a residual counts.
func (a *Average) Limit(floor float64) float64 {
	if a.Seen < Trust {
		return math.Inf(1)
	}
	limit := clip*a.Spread + floor
	if a.pushed > outliers {
		limit = math.Ldexp(limit, min(a.pushed-outliers, 1000))
	}
	return limit
}

// Learn takes in a residual, and returns it with its outlying part cut off.
// steps is how many rates' worth of time has passed.
func (a *Average) Learn(residual, rate, spreadRate, steps, floor float64) float64 {
	limit := a.Limit(floor)
	a.Seen++
	if math.Abs(residual) > limit {
		residual = math.Copysign(limit, residual)
		a.pushed++
	} else {
		a.pushed = 0
	}
	if steps > 1 {
		rate = overSteps(rate, steps)
	}
	if a.Seen < settled {
		early := 1 / float64(a.Seen)
		spreadRate, rate = max(spreadRate, early), max(rate, early)
	}
	a.Spread += spreadRate * (math.Abs(residual) - a.Spread)
	a.Mean += rate * residual
	return residual
}

// overSteps returns the weight of a sample that comes after a gap: as much as
// the samples that are missing would have had.
func overSteps(rate, steps float64) float64 { return 1 - math.Pow(1-rate, min(steps, 1000)) }

// Code walks over the memory.
func (a *Average) Code(c *snapshot.Codec) {
	c.Float64(&a.Mean)
	c.Float64(&a.Spread)
	c.Count(&a.Seen)
	c.Count(&a.pushed)
}
