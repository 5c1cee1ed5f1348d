package change

import "math"

// Bins is into how many bins a Histogram sorts.
const Bins = 12

// Histogram holds the shares of bins, those of late values weighing more.
type Histogram [Bins]float64

// Add takes in how many values fell into each bin lately; rate is their weight together,
// in (0, 1].
func (h *Histogram) Add(counts *[Bins]uint8, rate float64) {
	total := 0
	for _, n := range counts {
		total += int(n)
	}
	each := rate / float64(max(total, 1))
	for i, n := range counts {
		h[i] += float64(n)*each - rate*h[i]
	}
}

// leastShare is what an empty bin counts as: its logarithm must be finite.
const leastShare = 1e-3

// Stability returns the population stability index of two distributions over the
// same bins, PSI = Σ (a−e) ln(a/e) (Siddiqi, 2006). Less than 0.1 is usually
// called stable, more than 0.25 changed.
func Stability(expected, actual []float64) float64 {
	psi := 0.0
	for i := range expected {
		e, a := max(expected[i], leastShare), max(actual[i], leastShare)
		psi += (a - e) * math.Log(a/e)
	}
	return psi
}
