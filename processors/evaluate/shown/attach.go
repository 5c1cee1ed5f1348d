package shown

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/examples"
)

// most is how many examples a finding has at most.
const most = 5

// target is what a finding by an SLO or canary rests on.
type target struct {
	indicator string
	selector  []flyball.Matcher
	threshold *flyball.Threshold
	badOnly   bool
}

func targetsOf(slos []flyball.SLO, canaries []flyball.Canary) map[string][]target {
	out := map[string][]target{}
	for i := range slos {
		s := &slos[i]
		for _, p := range s.Parts {
			out[s.Name] = append(out[s.Name], target{p.Indicator, p.Selector, p.Threshold, true})
		}
		if len(s.Parts) == 0 {
			out[s.Name] = append(out[s.Name], target{s.Indicator, s.Selector, s.Threshold, true})
		}
	}
	for i := range canaries {
		for _, m := range canaries[i].Metrics {
			out[canaries[i].Name] = append(out[canaries[i].Name], target{m.Indicator, canaries[i].Selector, nil, m.Kind == "count"})
		}
	}
	return out
}

// candidate is an example that a finding may have.
type candidate struct {
	examples.Example
	indicator, labels string
	low               bool // the lower its value, the worse
}

// Attach gives findings that open or go on their examples: of the samples of their
// entity, group and SLO in the panes that closed in the last minutes the bad ones, those
// with the worst values first.
func (s *Store) Attach(findings []flyball.Finding) {
	for i := range findings {
		f := &findings[i]
		if f.State == flyball.FindingResolved {
			continue
		}
		var list []candidate
		for _, t := range s.targetsOf(f) {
			list = s.candidates(list, f, &t)
		}
		slices.SortFunc(list, worse)
		for j := range list {
			if c := &list[j]; len(f.Examples) < most && !shows(f.Examples, c) {
				f.Examples = append(f.Examples, c.shown())
			}
		}
	}
}

// targetsOf returns what a finding rests on.
func (s *Store) targetsOf(f *flyball.Finding) []target {
	if len(f.Series) == 0 {
		return s.targets[f.Detector]
	}
	var out []target
	for i := range f.Series {
		if name := f.Series[i].Indicator; !slices.ContainsFunc(out, func(t target) bool { return t.indicator == name }) {
			out = append(out, target{indicator: name})
		}
	}
	return out
}

// candidates appends the examples that a finding may have of one target.
func (s *Store) candidates(list []candidate, f *flyball.Finding, t *target) []candidate {
	ind := s.indicators[t.indicator]
	if ind == nil {
		return list
	}
	gone := ind.gone(f.At) // and not by the watermark: that may have come in any step
	add := func(first *top) {
		for labels, h := range first.series {
			if h.entity != f.Entity || !fits(labels, f.Labels, t.selector) {
				continue
			}
			h.few.Each(func(e *examples.Example) {
				c := candidate{Example: *e, indicator: t.indicator, labels: labels}
				if t.threshold != nil {
					c.Bad, c.low = !good(e.Value, t.threshold), t.threshold.Op == "gte" || t.threshold.Op == "gt"
				}
				if c.Bad || !t.badOnly {
					list = append(list, c)
				}
			})
		}
	}
	for start, p := range ind.panes {
		if start.Add(ind.width) <= f.At && !gone(start) {
			add(&p.bad)
			add(&p.high)
		}
	}
	return list
}

// good reports whether a value is good; that of a sample without one is not asked for.
func good(v float64, t *flyball.Threshold) bool {
	switch t.Op {
	case "lte":
		return !(v > t.Value)
	case "lt":
		return !(v >= t.Value)
	case "gte":
		return !(v < t.Value)
	}
	return !(v <= t.Value)
}

// fits reports whether a series may be one of a finding with these labels: those that
// both have are the same.
func fits(series string, of flyball.Labels, selector []flyball.Matcher) bool {
	if len(of) < 2 && len(selector) == 0 { // the entity only, which was compared
		return true
	}
	var labels flyball.Labels
	if json.Unmarshal([]byte(series), &labels) != nil {
		return false
	}
	for _, l := range of {
		if v := labels.Get(l.Name); v != "" && v != l.Value {
			return false
		}
	}
	for i := range selector {
		if !selector[i].MatchString(labels.Get(selector[i].Name)) {
			return false
		}
	}
	return true
}

// worse orders candidates: bad ones first, then the worst value, then the newest.
func worse(a, b candidate) int {
	if a.Bad != b.Bad {
		if a.Bad {
			return -1
		}
		return 1
	}
	c := cmp.Compare(b.Value, a.Value)
	if a.low && b.low && !math.IsNaN(a.Value) && !math.IsNaN(b.Value) {
		c = -c
	}
	return cmp.Or(c, cmp.Compare(b.At, a.At), cmp.Compare(a.Hash, b.Hash), strings.Compare(a.indicator, b.indicator),
		strings.Compare(a.labels, b.labels), strings.Compare(a.Text, b.Text))
}

// shows reports whether a finding has an example of the same trace or text.
func shows(have []flyball.Example, c *candidate) bool {
	return slices.ContainsFunc(have, func(e flyball.Example) bool {
		return c.Text != "" && e.Text == c.Text || c.Trace != [16]byte{} && e.Trace == hex.EncodeToString(c.Trace[:])
	})
}

func (c *candidate) shown() flyball.Example {
	e := flyball.Example{Indicator: c.indicator, At: c.At, Text: c.Text, Bad: c.Bad}
	_ = json.Unmarshal([]byte(c.labels), &e.Labels) // it was read before, or is canonical
	if c.Trace != [16]byte{} {
		e.Trace = hex.EncodeToString(c.Trace[:])
	}
	if !math.IsNaN(c.Value) {
		v := c.Value
		e.Value = &v
	}
	return e
}
