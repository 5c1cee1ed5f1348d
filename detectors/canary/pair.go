package canary

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// MetricSet is what a metric source returns for one arm.
type MetricSet struct {
	Name   string
	Tags   map[string]string
	Values []float64
	// Expected is how many values the arm's time range should have.
	Expected int
}

// PairSets matches the sets of both arms of one metric by equal tags, as Kayenta's
// MetricSetMixerService does. When one side is a single set without tags and the
// other has tags, the former only stands for absent data: every set of the other
// is matched with none. What has no match gets NaN for all the values expected of
// that arm, and what is shorter than expected is filled with NaN at its end.
//
// It fails when a side is empty, or when both have tags of different names.
func PairSets(name string, control, experiment []MetricSet) ([]Pair, error) {
	if len(control) == 0 || len(experiment) == 0 {
		return nil, fmt.Errorf("cannot pair metric %q: %d sets of the baseline and %d of the canary", name, len(control), len(experiment))
	}
	c, e := placeholder(control), placeholder(experiment)
	if c == nil && e == nil || c != nil && e != nil {
		if keys(control[0]) != keys(experiment[0]) {
			return nil, fmt.Errorf("cannot pair metric %q: tags %s of the baseline and %s of the canary", name, keys(control[0]), keys(experiment[0]))
		}
		return matchSets(name, control, experiment, control[0].Expected, experiment[0].Expected), nil
	}
	if c != nil {
		return matchSets(name, nil, experiment, c.Expected, experiment[0].Expected), nil
	}
	return matchSets(name, control, nil, control[0].Expected, e.Expected), nil
}

// placeholder returns the one set without tags, if that is all there is.
func placeholder(sets []MetricSet) *MetricSet {
	if len(sets) == 1 && len(sets[0].Tags) == 0 {
		return &sets[0]
	}
	return nil
}

func keys(s MetricSet) string { return fmt.Sprint(slices.Sorted(maps.Keys(s.Tags))) }

func matchSets(name string, control, experiment []MetricSet, controlExpected, experimentExpected int) []Pair {
	var pairs []Pair
	used := make([]bool, len(experiment))
	for _, c := range control {
		p := Pair{Name: name, Tags: c.Tags, Control: fill(c.Values, c.Expected), Experiment: fill(nil, experimentExpected)}
		for i, e := range experiment {
			if !used[i] && maps.Equal(c.Tags, e.Tags) {
				p.Experiment, used[i] = fill(e.Values, e.Expected), true
				break
			}
		}
		pairs = append(pairs, p)
	}
	for i, e := range experiment {
		if !used[i] {
			pairs = append(pairs, Pair{Name: name, Tags: e.Tags, Control: fill(nil, controlExpected), Experiment: fill(e.Values, e.Expected)})
		}
	}
	return pairs
}

func fill(values []float64, expected int) []float64 {
	filled := slices.Clone(values)
	for len(filled) < expected {
		filled = append(filled, math.NaN())
	}
	return filled
}
