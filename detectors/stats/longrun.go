package stats

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Autocorrelation returns the sample autocorrelation at a lag: the mean product of
// deviations from the mean, over the variance (Box, Jenkins and Reinsel, "Time
// Series Analysis", section 2.1.5). 0 for constant values.
func Autocorrelation(values []float64, lag int) float64 {
	if lag >= len(values) {
		return 0
	}
	mean := stat.Mean(values, nil)
	var product, square float64
	for i, v := range values {
		square += (v - mean) * (v - mean)
		if i >= lag {
			product += (v - mean) * (values[i-lag] - mean)
		}
	}
	if square == 0 {
		return 0
	}
	return product / square
}

// debias corrects the lag-1 autocorrelation of n values whose mean is estimated:
// its expectation is ρ − (1+4ρ)/n for an AR(1) process (Marriott and Pope, "Bias
// in the estimation of autocorrelations", Biometrika 41, 1954). It stays below 1.
func debias(r, n float64) float64 {
	if n <= 5 {
		return r
	}
	return math.Min((n*r+1)/(n-4), 0.99)
}

// LongRun describes the mean of a series whose values may follow one another.
type LongRun struct {
	Mean float64
	// Variance is that of the mean.
	Variance float64
	// Inflation is how much larger it is than for independent values; at least 1.
	Inflation float64
	// DF is the degrees of freedom of Variance: the number of independent values
	// that are worth as much as the series, less one.
	DF float64
	// Autocorrelation at lag 1, corrected for its bias.
	Autocorrelation float64
}

// confidentRho is how many standard errors are added to the autocorrelation, so
// that it is underestimated in 1 of 10 cases only: half would be too many, because
// an underestimate of the variance is a false alarm.
const confidentRho = 1.2816

// NewLongRun estimates the mean and its long-run variance: that of independent
// values times the greater of two inflations, that of an AR(1) process with the
// upper confidence bound of the lag-1 autocorrelation, and the sum of the sample
// autocorrelations up to the first that noise could explain (Geyer, "Practical
// Markov chain Monte Carlo", Statistical Science 7, 1992, stops at the first
// negative one).
func NewLongRun(values []float64) LongRun {
	n := float64(len(values))
	if n < 3 {
		return LongRun{Mean: stat.Mean(values, nil), Variance: math.Inf(1), Inflation: 1}
	}
	mean, variance := stat.MeanVariance(values, nil)
	r := LongRun{Mean: mean, Autocorrelation: debias(Autocorrelation(values, 1), n)}
	if variance == 0 {
		r.Inflation, r.DF = 1, n-1
		return r
	}
	rho := math.Max(0, r.Autocorrelation)
	rho = math.Min(rho+confidentRho*math.Sqrt((1-rho*rho)/n), 0.99)
	sum := 1.0
	for lag := 1; lag < len(values)/4; lag++ {
		c := Autocorrelation(values, lag)
		// Twice the standard error of an autocorrelation of white noise.
		if c < 2/math.Sqrt(n) {
			break
		}
		sum += 2 * c
	}
	r.Inflation = math.Min(math.Max((1+rho)/(1-rho), sum), n)
	r.DF = n/r.Inflation - 1
	// The sample variance misses what the mean took with it: E s² = σ²(n − I)/(n − 1).
	if r.Inflation < n {
		variance *= (n - 1) / (n - r.Inflation)
	}
	r.Variance = variance * r.Inflation / n
	return r
}
