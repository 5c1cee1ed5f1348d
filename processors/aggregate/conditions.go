package aggregate

import (
	"fmt"
	"slices"

	"github.com/flyball-io/flyball"
)

// conditions is a list of matchers that must all hold, split into those on
// labels, which are asked once per label set, and those on numbers.
type conditions struct {
	labels  []labelCondition
	numbers []numberCondition
}

type labelCondition struct {
	column int
	flyball.Matcher
}

type numberCondition struct {
	column int
	flyball.Matcher
}

func newConditions(matchers []flyball.Matcher, cfg Config) (conditions, error) {
	var c conditions
	for _, m := range matchers {
		if m.Numeric() {
			at := slices.Index(cfg.Values, m.Name)
			if at < 0 {
				return c, fmt.Errorf("no value column %q, which %s compares", m.Name, m.String())
			}
			c.numbers = append(c.numbers, numberCondition{at, m})
			continue
		}
		at := slices.Index(cfg.Labels, m.Name)
		if at < 0 {
			return c, fmt.Errorf("no label column %q, which %s matches", m.Name, m.String())
		}
		c.labels = append(c.labels, labelCondition{at, m})
	}
	return c, nil
}

func (c *conditions) labelsHold(values []string) bool {
	for i := range c.labels {
		if !c.labels[i].MatchString(values[c.labels[i].column]) {
			return false
		}
	}
	return true
}

func (c *conditions) numbersHold(s *Samples, row int) bool {
	for i := range c.numbers {
		if !c.numbers[i].MatchNumber(s.Values[c.numbers[i].column][row]) {
			return false
		}
	}
	return true
}
