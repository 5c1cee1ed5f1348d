package main

import (
	"cmp"
	"math"
	"slices"
)

// profile weighs what detectors do right and wrong.
type profile struct {
	name               string
	found, missed, bad float64
}

func profiles() []profile {
	return []profile{{"standard", 1, 1, 0.11}, {"low_fp", 1, 1, 0.22}, {"low_fn", 1, 2, 0.11}}
}

// curve is what a detector scores by its threshold, from high to low.
type curve []outcome

// outcome is what a threshold came to.
type outcome struct {
	threshold float64
	sum       float64
	falseRows int
	found     int
}

// sweep tries every threshold on some series, of which scores has a list each.
func sweep(p profile, list []*series, scores map[string][]float64) curve {
	type alert struct {
		score  float64
		series int
		row
	}
	var alerts []alert
	start := outcome{threshold: math.Inf(1)}
	for n, s := range list {
		counted := map[int]bool{}
		for i := s.probation; i < len(s.rows); i++ {
			r := s.rows[i]
			if r.window >= 0 && !counted[r.window] {
				counted[r.window] = true
				start.sum -= p.missed
			}
			if score := scores[s.name][i]; score > 0 {
				alerts = append(alerts, alert{score, n, r})
			}
		}
	}
	slices.SortFunc(alerts, func(a, b alert) int { return cmp.Compare(b.score, a.score) })
	best := map[[2]int]float64{} // by series and window
	out, now := curve{start}, start
	for i, a := range alerts {
		if a.window < 0 {
			now.falseRows++
			now.sum += p.bad * a.value
		} else {
			key, value := [2]int{a.series, a.window}, p.found*a.value
			before, found := best[key]
			switch {
			case !found:
				now.found++
				now.sum += value + p.missed
				best[key] = value
			case value > before:
				now.sum += value - before
				best[key] = value
			}
		}
		if i+1 == len(alerts) || alerts[i+1].score < a.score {
			now.threshold = a.score
			out = append(out, now)
		}
	}
	return out
}

func (c curve) best() outcome {
	return slices.MaxFunc(c, func(a, b outcome) int { return cmp.Compare(a.sum, b.sum) })
}

// at returns what a threshold comes to.
func (c curve) at(threshold float64) outcome {
	n, _ := slices.BinarySearchFunc(c, threshold, func(o outcome, t float64) int { return -cmp.Compare(o.threshold, t) })
	if n < len(c) && c[n].threshold == threshold {
		return c[n]
	}
	return c[n-1]
}

// scale turns a sum into the benchmark's score: 0 for silence, 100 for perfection.
func (p profile) scale(sum float64, list []*series) float64 {
	windows := 0
	for _, s := range list {
		windows += s.windows
	}
	null := -p.missed * float64(windows)
	return 100 * (sum - null) / (p.found*float64(windows) - null)
}

// leftOut is the score when the threshold for each group of series is the one
// that is best for all others.
func leftOut(p profile, list []*series, scores map[string][]float64, group func(*series) string) float64 {
	groups := map[string][]*series{}
	for _, s := range list {
		groups[group(s)] = append(groups[group(s)], s)
	}
	sum := 0.0
	for name, own := range groups {
		others := slices.DeleteFunc(slices.Clone(list), func(s *series) bool { return group(s) == name })
		sum += sweep(p, own, scores).at(sweep(p, others, scores).best().threshold).sum
	}
	return p.scale(sum, list)
}
