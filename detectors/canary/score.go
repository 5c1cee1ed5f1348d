package canary

import (
	"math"
	"slices"
)

// nodataLimit is the share of metrics without data, in percent, from which on a
// canary fails for want of data.
const nodataLimit = 50

// WeightedScore is Kayenta's score of classified metrics: muted ones are left out;
// a critical one that is not Pass, and half of all without data, make it 0; else it
// is the weighted sum of the groups' shares of Pass. Groups in which nothing was
// measured count as 100 but report 0.
func WeightedScore(results []MetricResult, weights map[string]float64) ([]GroupScore, float64, string) {
	var scored []MetricResult
	nodata := 0
	for _, r := range results {
		if r.Muted {
			continue
		}
		scored = append(scored, r)
		if r.Classification == Nodata {
			nodata++
		}
	}
	groups, total := GroupScores(scored, weights, func(c Classification) (float64, bool) {
		switch c {
		case Pass:
			return 1, true
		case High, Low, NodataFailMetric:
			return 0, true
		}
		return 0, false
	})
	for _, r := range scored {
		if r.Critical && r.Classification != Pass {
			return groups, 0, "Canary Failed: " + r.ClassificationReason
		}
	}
	if len(scored) > 0 && nodata*100 >= nodataLimit*len(scored) {
		return groups, 0, "Canary Failed: 50% or more metrics returned NODATA"
	}
	return groups, total, ""
}

// GroupScores is the score of every group, the mean worth of the classifications
// that count in percent, and their weighted sum. Muted metrics are left out.
func GroupScores(results []MetricResult, weights map[string]float64, worth func(Classification) (float64, bool)) ([]GroupScore, float64) {
	scored := slices.DeleteFunc(slices.Clone(results), func(r MetricResult) bool { return r.Muted })
	var names []string
	for _, r := range scored {
		for _, g := range r.Groups {
			if !slices.Contains(names, g) {
				names = append(names, g)
			}
		}
	}
	weigh := GroupWeights(names, weights)
	groups, sum := []GroupScore{}, 0.0
	for _, name := range names {
		passed, all := 0.0, 0.0
		for _, r := range scored {
			if w, counts := worth(r.Classification); counts && slices.Contains(r.Groups, name) {
				passed += w
				all++
			}
		}
		score, counts := 0.0, 100.0
		if all > 0 {
			score = passed / all * 100
			counts = score
		}
		sum += counts * weigh[name] / 100
		groups = append(groups, GroupScore{Name: name, Score: Number(score)})
	}
	return groups, Round2(sum)
}

// GroupWeights returns the weight of every group that is present, in percent: as
// configured, or an equal part of what the configured ones, present or not, leave
// of 100.
func GroupWeights(present []string, configured map[string]float64) map[string]float64 {
	rest, without := 100.0, 0
	for _, w := range configured {
		rest -= w
	}
	for _, g := range present {
		if _, ok := configured[g]; !ok {
			without++
		}
	}
	weigh := map[string]float64{}
	for _, g := range present {
		w, ok := configured[g]
		if !ok {
			w = rest / float64(without)
		}
		weigh[g] = w
	}
	return weigh
}

// Round2 rounds to two decimals, halves up.
func Round2(v float64) float64 { return math.Floor(v*100+0.5) / 100 }
