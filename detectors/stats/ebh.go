package stats

import (
	"math"
	"slices"
)

// EBH returns which hypotheses are rejected at a false discovery rate of alpha,
// given the logarithms of their e-values: the k greatest for the largest k whose
// k-th greatest is at least m/(kα). It holds whatever the dependence between them
// (Wang and Ramdas, "False discovery rate control with e-values", JRSS B 84, 2022).
func EBH(logE []float64, alpha float64) []bool {
	rejected := make([]bool, len(logE))
	order := make([]int, len(logE))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compareNaNLast(-logE[a], -logE[b]) })
	last := 0
	for i, h := range order {
		k := i + 1
		if logE[h] >= math.Log(float64(len(logE))/(float64(k)*alpha)) {
			last = k
		}
	}
	for _, h := range order[:last] {
		rejected[h] = true
	}
	return rejected
}
