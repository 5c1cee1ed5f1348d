package kayenta

import (
	"math"
	"slices"

	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/detectors/stats"
)

// prepare applies the NaN strategy and the outlier strategy to one arm.
func prepare(m canary.MetricConfig, values []float64) []float64 {
	kept := make([]float64, 0, len(values))
	for _, v := range values {
		switch {
		case !math.IsNaN(v):
			kept = append(kept, v)
		case m.ReplaceNaN:
			kept = append(kept, 0)
		}
	}
	if m.Outliers.Remove && len(kept) > 0 {
		outlier := Outliers(kept, m.Outliers.Factor, true)
		i := -1
		kept = slices.DeleteFunc(kept, func(float64) bool { i++; return outlier[i] })
	}
	return kept
}

// Outliers returns which values lie more than factor interquartile ranges below
// the first or above the third quartile. Reduced sensitivity widens the fences to
// the first and the 99th percentile when those lie further out; the judge uses it.
func Outliers(values []float64, factor float64, reduced bool) []bool {
	q1, q3 := stats.Percentile(values, 25), stats.Percentile(values, 75)
	low, high := q1-factor*(q3-q1), q3+factor*(q3-q1)
	if reduced {
		low = math.Min(low, stats.Percentile(values, 1))
		high = math.Max(high, stats.Percentile(values, 99))
	}
	out := make([]bool, len(values))
	for i, v := range values {
		out[i] = v < low || v > high
	}
	return out
}
