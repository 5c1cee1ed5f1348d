package sequential

import (
	"fmt"
	"math"

	"github.com/flyball-io/flyball/detectors/canary"
)

// size says how the canary compares: "1.2 times", or "0.3 pp above".
func (m Metric) size(effect canary.Number) string {
	switch v := float64(effect); {
	case !m.Absolute:
		return short(effect) + " times"
	case v < 0:
		return m.difference(-v) + " below"
	default:
		return m.difference(v) + " above"
	}
}

// span says which effects are left.
func (m Metric) span(p [2]canary.Number) string {
	if !m.Absolute {
		return short(p[0]) + " to " + short(p[1])
	}
	return m.difference(float64(p[0])) + " to " + m.difference(float64(p[1]))
}

// limit is a margin.
func (m Metric) limit(n canary.Number) string {
	if !m.Absolute {
		return short(n) + " times"
	}
	return m.difference(float64(n))
}

func (m Metric) difference(v float64) string { return canary.FormatDifference(v, m.Unit) }

func short(n canary.Number) string {
	if math.IsInf(float64(n), 0) {
		return "any"
	}
	return fmt.Sprintf("%.3g", float64(n))
}
