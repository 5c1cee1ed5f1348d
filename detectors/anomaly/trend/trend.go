// Package trend holds robust estimates and tests of a trend in a short run of
// equidistant values: Theil–Sen and Mann–Kendall, and Holt's forecast.
package trend

import (
	"math"
	"slices"
)

// Sen is a robust line through values at 0, 1, 2, …
type Sen struct {
	// Slope is the median of the slopes between any two values, Low and High
	// bound it with the confidence asked for. Sen (1968), Theil (1950).
	Slope, Low, High float64
	// S and Z are the statistic of Mann and Kendall and its normal deviate:
	// whether there is a trend at all. Mann (1945), Kendall (1975).
	S, Z float64
}

// Line fits x[i], y[i], x ascending; entries with a NaN are left out. sigmas is
// the half width of the interval in normal deviates, such as 1.96. slopes is
// scratch, grown as needed and returned; with room for n·(n−1)/2 nothing is
// allocated.
func Line(x, y []float64, sigmas float64, slopes []float64) (Sen, []float64) {
	slopes = slopes[:0]
	var s Sen
	n := 0
	for j := range y {
		if math.IsNaN(y[j]) {
			continue
		}
		n++
		for i := range j {
			if math.IsNaN(y[i]) {
				continue
			}
			if x[j] > x[i] {
				slopes = append(slopes, (y[j]-y[i])/(x[j]-x[i]))
			}
			switch {
			case y[j] > y[i]:
				s.S++
			case y[j] < y[i]:
				s.S--
			}
		}
	}
	if len(slopes) == 0 {
		s.Slope, s.Low, s.High = math.NaN(), math.NaN(), math.NaN()
		return s, slopes
	}
	slices.Sort(slopes)
	variance := kendallVariance(y, n)
	switch {
	case variance <= 0:
	case s.S > 0:
		s.Z = (s.S - 1) / math.Sqrt(variance)
	case s.S < 0:
		s.Z = (s.S + 1) / math.Sqrt(variance)
	}
	s.Slope = median(slopes)
	half := sigmas * math.Sqrt(max(variance, 0))
	count := float64(len(slopes))
	s.Low = slopes[clamp(int(math.Round((count-half)/2))-1, len(slopes))]
	s.High = slopes[clamp(int(math.Round((count+half)/2)), len(slopes))]
	return s, slopes
}

func clamp(i, n int) int { return max(0, min(n-1, i)) }

func median(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// kendallVariance returns the variance of S without trend, with ties counted.
func kendallVariance(y []float64, n int) float64 {
	f := func(m float64) float64 { return m * (m - 1) * (2*m + 5) }
	v := f(float64(n))
	for i := range y {
		if math.IsNaN(y[i]) {
			continue
		}
		same, first := 0, true
		for j := range y {
			if y[j] == y[i] {
				if j < i {
					first = false
					break
				}
				same++
			}
		}
		if first && same > 1 {
			v -= f(float64(same))
		}
	}
	return v / 18
}

// Holt is a level and a trend, smoothed: a forecast that follows both. Holt
// (1957).
type Holt struct {
	// Alpha and Beta are the weights of the latest level and trend, in (0, 1].
	Alpha, Beta float64
	// Level and Trend are the estimates; start them at the first value and at
	// the first difference.
	Level, Trend float64
}

// Add takes in a value.
func (h *Holt) Add(x float64) {
	before := h.Level
	h.Level = h.Alpha*x + (1-h.Alpha)*(h.Level+h.Trend)
	h.Trend = h.Beta*(h.Level-before) + (1-h.Beta)*h.Trend
}

// Forecast returns the value expected so many steps ahead.
func (h *Holt) Forecast(steps float64) float64 { return h.Level + steps*h.Trend }
