package evaluate

import (
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// composites gives every composite SLO a store, which the parts feed: the samples of
// an entity add up there by their weights.
func (m *Machine) composites() {
	for i := range m.cfg.SLOs {
		s := &m.cfg.SLOs[i]
		first := m.byName[s.Indicator]
		if len(s.Parts) == 0 || first == nil {
			continue
		}
		st := newStore(first.Spec(), m.cfg, func(o *flyball.SLO) bool { return o.Name == s.Name })
		st.silent = true
		m.stores = append(m.stores, st)
		for _, p := range s.Parts {
			if of := m.byName[p.Indicator]; of != nil {
				of.derived = append(of.derived, derived{st, weighted(&p, of.Spec().Entity)})
			}
		}
	}
}

// labelSets bounds how many series a part remembers.
const labelSets = 100_000

// weighted counts the samples of a part for their entity, by the weight of the part.
func weighted(p *flyball.Part, entity string) func(processors.PaneRow) (processors.PaneRow, bool) {
	known := map[string]string{} // labels of a series to those of its entity, empty where it is not meant
	return func(r processors.PaneRow) (processors.PaneRow, bool) {
		labels, ok := known[r.Labels]
		if !ok {
			if len(known) >= labelSets {
				clear(known)
			}
			if selects(p.Selector, mustLabels(r.Labels)) {
				labels = flyball.LabelsOf(entity, r.Entity).JSON()
			}
			known[strings.Clone(r.Labels)] = labels // they are only lent
		}
		if labels == "" {
			return r, false
		}
		r.Labels, r.Count, r.Bad = labels, r.Count*p.Weight, r.Bad*p.Weight
		return counted(r), true
	}
}
