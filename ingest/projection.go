package ingest

import (
	"slices"

	"github.com/flyball-io/flyball"
)

// ProjectionOf returns the columns that these indicators need of their source.
func ProjectionOf(indicators []flyball.Indicator) Projection {
	p := Projection{Examples: true}
	for _, ind := range indicators {
		p.Labels = append(p.Labels, ind.GroupBy...)
		if ind.Value != "" {
			p.Values = append(p.Values, ind.Value)
		}
		for _, m := range slices.Concat(ind.Filter, ind.Bad) {
			if m.Numeric() {
				p.Values = append(p.Values, m.Name)
			} else {
				p.Labels = append(p.Labels, m.Name)
			}
		}
	}
	slices.Sort(p.Labels)
	slices.Sort(p.Values)
	p.Labels, p.Values = slices.Compact(p.Labels), slices.Compact(p.Values)
	p.Only = onlyOf(indicators)
	return p
}

// With returns a projection with what changes need besides.
func (p Projection) With(changes []flyball.Changes) Projection {
	if len(changes) == 0 {
		return p
	}
	p.Labels = slices.Clone(p.Labels)
	for i := range changes {
		c := &changes[i]
		for _, name := range []string{c.Entity, c.Kind, c.Version} {
			if name != "" {
				p.Labels = append(p.Labels, name)
			}
		}
		for j := range c.Filter {
			p.Labels = append(p.Labels, c.Filter[j].Name)
		}
	}
	slices.Sort(p.Labels)
	p.Labels = slices.Compact(p.Labels)
	p.Only = nil // a change need not be what an indicator wants
	return p
}

// onlyOf returns the labels that every indicator wants to have a certain value, and
// those values.
func onlyOf(indicators []flyball.Indicator) map[string][]string {
	only := map[string][]string{}
	for _, ind := range indicators {
		wanted := map[string]bool{} // labels of this indicator
		for _, m := range ind.Filter {
			if m.Op == flyball.MatchEqual && !wanted[m.Name] {
				wanted[m.Name] = true
				only[m.Name] = append(only[m.Name], m.Value)
			}
		}
	}
	for name, values := range only {
		if len(values) < len(indicators) { // one of them takes any
			delete(only, name)
		}
	}
	return only
}
