package stats

import (
	"math"
	"slices"
)

// Ranks returns the rank of every value, counted from 1, equal values sharing the
// average of their ranks, and Σ(t³ − t) over the groups of t equal values. NaN
// ranks above every number.
func Ranks(values []float64) (ranks []float64, ties float64) {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return compareNaNLast(values[a], values[b]) })
	ranks = make([]float64, len(values))
	for start := 0; start < len(order); {
		end := start + 1
		for end < len(order) && compareNaNLast(values[order[start]], values[order[end]]) == 0 {
			end++
		}
		for _, i := range order[start:end] {
			ranks[i] = float64(start+end+1) / 2
		}
		t := float64(end - start)
		ties += t*t*t - t
		start = end
	}
	return ranks, ties
}

func compareNaNLast(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	case math.IsNaN(a) && math.IsNaN(b):
		return 0
	case math.IsNaN(a):
		return 1
	}
	return -1
}

// Percentile returns the p-th percentile (0 to 100) of the values by linear
// interpolation at (n−1)p/100, definition 7 of Hyndman and Fan, "Sample Quantiles
// in Statistical Packages", The American Statistician 50 (1996). NaN without values.
func Percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	h := float64(len(sorted)-1) * p / 100
	low := math.Floor(h)
	i := int(low)
	if i >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (h-low)*(sorted[i+1]-sorted[i])
}

// NormalScores returns n values that stand for a normal sample with this mean and
// standard deviation: its quantiles at (i+½)/n. It takes the place of random noise
// where a verdict must not depend on chance.
func NormalScores(mean, sd float64, n int) []float64 {
	scores := make([]float64, n)
	for i := range scores {
		scores[i] = mean + sd*normalQuantile((float64(i)+0.5)/float64(n))
	}
	return scores
}
