package stats

import (
	"fmt"
	"math"
)

// MannWhitneyResult is the outcome of a Mann–Whitney test of x against y.
type MannWhitneyResult struct {
	// U counts the pairs with x above y, half for equal ones.
	U float64
	// Less, Greater and TwoSided are the p-values of "x tends to be less than y",
	// "greater" and "either".
	Less, Greater, TwoSided float64
	// Exact is set when the p-values come from the permutation distribution and
	// not from the normal approximation.
	Exact bool
}

// exactLimit is the size of both samples up to which the permutation distribution
// is counted out; above it the normal approximation with continuity and tie
// corrections is used, as R's wilcox.test does.
const exactLimit = 50

// MannWhitney tests whether x tends to be less or greater than y (Mann and
// Whitney, 1947). Ties are exact too: the permutation distribution is that of the
// midranks at hand.
func MannWhitney(x, y []float64) (MannWhitneyResult, error) {
	n, m := len(x), len(y)
	if n == 0 || m == 0 {
		return MannWhitneyResult{}, fmt.Errorf("cannot compare %d with %d values", n, m)
	}
	ranks, ties := Ranks(append(append(make([]float64, 0, n+m), x...), y...))
	sum := 0.0
	for _, r := range ranks[:n] {
		sum += r
	}
	res := MannWhitneyResult{U: sum - float64(n*(n+1))/2}
	if n <= exactLimit && m <= exactLimit {
		res.Exact = true
		res.Less, res.Greater = exactRankSum(ranks, n, sum)
	} else {
		nm, all := float64(n)*float64(m), float64(n+m)
		sigma := math.Sqrt(nm / 12 * (all + 1 - ties/(all*(all-1))))
		if sigma == 0 {
			return res, fmt.Errorf("cannot compare: all %d values are equal", n+m)
		}
		d := res.U - nm/2
		res.Less = normalCDF((d + 0.5) / sigma)
		res.Greater = normalCDF(-(d - 0.5) / sigma)
	}
	res.TwoSided = math.Min(1, 2*math.Min(res.Less, res.Greater))
	return res, nil
}

// exactRankSum returns the chance that n of these ranks, drawn at random, have a
// sum of at most and of at least the one observed. Midranks are halves, so twice
// a rank is an integer and sums can be counted.
func exactRankSum(ranks []float64, n int, sum float64) (less, greater float64) {
	most := 0
	for _, r := range ranks {
		most += int(math.Round(2 * r))
	}
	// ways[k][s] counts the ways to draw k of the ranks seen so far whose doubled
	// sum is s: at most C(100, 50), which a float64 holds to 1e-16.
	ways := make([][]float64, n+1)
	for k := range ways {
		ways[k] = make([]float64, most+1)
	}
	ways[0][0] = 1
	for i, r := range ranks {
		twice := int(math.Round(2 * r))
		for k := min(i+1, n); k >= 1; k-- {
			for s := most; s >= twice; s-- {
				ways[k][s] += ways[k-1][s-twice]
			}
		}
	}
	total, observed := 0.0, int(math.Round(2*sum))
	for s, w := range ways[n] {
		total += w
		if s <= observed {
			less += w
		}
		if s >= observed {
			greater += w
		}
	}
	return less / total, greater / total
}
