package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

func normalCDF(z float64) float64 { return distuv.UnitNormal.CDF(z) }

func normalQuantile(p float64) float64 { return distuv.UnitNormal.Quantile(p) }

// logNormalCDF returns ln Φ(z), also where Φ(z) underflows: below −10 by the
// asymptotic series of Mills' ratio (Abramowitz and Stegun 26.2.12).
func logNormalCDF(z float64) float64 {
	if z > -10 {
		return math.Log(0.5 * math.Erfc(-z/math.Sqrt2))
	}
	i := 1 / (z * z)
	return -z*z/2 - math.Log(-z) - 0.5*math.Log(2*math.Pi) + math.Log1p(-i+3*i*i-15*i*i*i)
}

// normalEquivalent returns the z-value that is as unlikely as a t-value.
func normalEquivalent(t, df float64) float64 {
	if !(df > 0) || df > 1e6 || t == 0 {
		return t
	}
	tail := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.CDF(-math.Abs(t))
	return math.Copysign(-normalQuantile(math.Max(tail, 1e-300)), t)
}

// logSumExp adds numbers given by their logarithms.
func logSumExp(logs []float64) float64 {
	top := math.Inf(-1)
	for _, l := range logs {
		top = math.Max(top, l)
	}
	if math.IsInf(top, 0) {
		return top
	}
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - top)
	}
	return top + math.Log(sum)
}

// bisect returns where f crosses zero between low and high, which must have
// values of different sign, to 13 digits.
func bisect(f func(float64) float64, low, high float64) float64 {
	return bisectTo(f, low, high, 1e-13)
}

// bisectTo is bisect to a tolerance, absolute below 1 and relative above.
func bisectTo(f func(float64) float64, low, high, tolerance float64) float64 {
	lowNegative := f(low) < 0
	for high-low > tolerance*(1+math.Abs(low+high)/2) {
		mid := low + (high-low)/2
		if (f(mid) < 0) == lowNegative {
			low = mid
		} else {
			high = mid
		}
	}
	return low + (high-low)/2
}
