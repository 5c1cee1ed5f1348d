package anomaly

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Config is how a series is judged. Default holds for most; what a user usually
// sets is the range, when the value has one, and the zone of the periods by
// their own sources.
type Config struct {
	// Detectors that have a say, in the order of their work. Several make an
	// ensemble: the loudest speaks.
	Detectors []Kind
	// Periods that the series may follow, shortest first, at most 4. Those that
	// do not help are told from those that do by how well they forecast.
	Periods []time.Duration
	// Min and Max are the range that the value can have, such as 0 and 100 for a
	// CPU in percent. NaN, both, when it is not known.
	Min, Max float64
	// MinCount is how many samples a point must rest on to be judged and learned.
	MinCount int64
	// FalseAlarms is how many alarms by chance alone are accepted in a week, for
	// one series.
	FalseAlarms float64
	// Quiet is for how many points after a surprise only a greater one is news.
	Quiet int
	// Generation is for how many points at least a detector remembers how
	// extreme the series has been; it forgets after twice as many.
	Generation int
	// Horizon is how far ahead saturation is foreseen.
	Horizon time.Duration
}

// Limits of a configuration.
const (
	maxPeriods    = 4
	maxQuiet      = 1024
	minGeneration = 200
)

// Default returns the configuration of an ensemble for a series of which nothing
// is known.
func Default() Config {
	return Config{
		Detectors:   DefaultKinds(),
		Periods:     []time.Duration{time.Hour, 24 * time.Hour, 7 * 24 * time.Hour},
		Min:         math.NaN(),
		Max:         math.NaN(),
		FalseAlarms: 0.1,
		Quiet:       90,
		Generation:  10080,
		Horizon:     4 * time.Hour,
	}
}

// DefaultKinds returns the detectors of the default ensemble.
func DefaultKinds() []Kind {
	return []Kind{Season, Spike, Level, Step, Sustained, Record, Sequence, Shift, Drift, Stuck, Silence, Saturation}
}

// Validate reports the first field that makes no sense.
func (c *Config) Validate() error {
	if len(c.Detectors) == 0 {
		return fmt.Errorf("cannot use detectors %v: at least one is needed", c.Detectors)
	}
	for i, k := range c.Detectors {
		if k == None || k >= kinds {
			return fmt.Errorf("cannot use detector %q: no such detector", k)
		}
		if slices.Contains(c.Detectors[:i], k) {
			return fmt.Errorf("cannot use detector %q: named twice", k)
		}
	}
	if len(c.Periods) > maxPeriods {
		return fmt.Errorf("cannot use %d periods: at most %d", len(c.Periods), maxPeriods)
	}
	for i, p := range c.Periods {
		if p < time.Minute || i > 0 && p <= c.Periods[i-1] {
			return fmt.Errorf("cannot use period %q: at least a minute, shortest first", p)
		}
	}
	if math.IsNaN(c.Min) != math.IsNaN(c.Max) || c.Min >= c.Max || math.IsInf(c.Max-c.Min, 0) {
		return fmt.Errorf("cannot use range %g to %g: min must be below max, or both NaN", c.Min, c.Max)
	}
	if !(c.FalseAlarms > 0) {
		return fmt.Errorf("cannot accept %g false alarms a week: must be positive", c.FalseAlarms)
	}
	if c.Quiet < 0 || c.Quiet > maxQuiet {
		return fmt.Errorf("cannot be quiet for %d points: 0 to %d", c.Quiet, maxQuiet)
	}
	if c.Generation < minGeneration {
		return fmt.Errorf("cannot forget after %d points: at least %d", c.Generation, minGeneration)
	}
	if c.Horizon < time.Minute {
		return fmt.Errorf("cannot look ahead %q: at least a minute", c.Horizon)
	}
	return nil
}

// declared reports whether the range of the value is known.
func (c *Config) declared() bool { return !math.IsNaN(c.Min) }

// Threshold returns the rarity, in digits, from which on news is an alarm, for a
// series with a point every step: so rare that chance alone gives FalseAlarms a
// week.
func (c *Config) Threshold(step time.Duration) float64 {
	const week = 7 * 24 * time.Hour
	perWeek := float64(week) / float64(max(step, time.Second))
	return max(math.Log10(perWeek/c.FalseAlarms), 1)
}
