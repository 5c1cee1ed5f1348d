package evaluate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/evaluate/threshold"
)

// composites gives every composite SLO a store that its parts feed: with their samples,
// or with what became of their slices of time.
func (m *Machine) composites() {
	for i := range m.cfg.SLOs {
		s := &m.cfg.SLOs[i]
		if len(s.Parts) == 0 || m.byName[s.Indicator] == nil {
			continue
		}
		var atMost *store
		if slices.ContainsFunc(s.Parts, func(p flyball.Part) bool { return p.Threshold != nil }) {
			h := highest(m.cfg).SLOs[i]
			atMost = m.composite(&h, threshold.Most)
			atMost.mute = true
		}
		sharp := !slices.ContainsFunc(s.Parts, func(p flyball.Part) bool { return p.Threshold != nil && !exact(*p.Threshold) })
		st := m.composite(s, threshold.Good) // after what it reports of the other
		st.highest, st.sharp = atMost, sharp
	}
}

// composite adds the store of one composite SLO, whose values are good by a count.
func (m *Machine) composite(s *flyball.SLO, good threshold.Count) *store {
	first := m.byName[s.Indicator].Spec()
	only := func(slo flyball.SLO) Config {
		cfg := m.cfg
		cfg.SLOs = []flyball.SLO{slo}
		return cfg
	}
	all := func(*flyball.SLO) bool { return true }
	st := newStore(first, only(*s), all)
	st.silence()
	for i := range s.Parts {
		p := &s.Parts[i]
		of := m.byName[p.Indicator]
		if of == nil {
			continue
		}
		if s.Method == flyball.Occurrences {
			of.derived = append(of.derived, weighted(st, p, of.Spec().Entity, p.Weight, good))
			continue
		}
		part := newStore(first, only(slicesOf(s, i, first)), all)
		part.silence()
		part.mute, part.feeds, part.weight = true, st, sliceWeight(s, p)
		part.every = part.slos[0].Period
		m.stores = append(m.stores, part)
		of.derived = append(of.derived, weighted(part, p, of.Spec().Entity, 1, good))
	}
	m.stores = append(m.stores, st)
	return st
}

// sliceWeight is as how many slices one of a part counts.
func sliceWeight(s *flyball.SLO, p *flyball.Part) int64 {
	if s.Method == flyball.Timeslices {
		return 1
	}
	return p.Weight
}

// slicesOf returns the budget that counts the slices of a part, as long as one can
// change. Nothing is found by it.
func slicesOf(s *flyball.SLO, part int, of flyball.Indicator) flyball.SLO {
	return flyball.SLO{
		Name:      fmt.Sprintf("%s part %d", s.Name, part), // no name of an SLO has a space
		Indicator: s.Indicator, Method: s.Method, Slice: s.Slice, SliceTargetPPB: s.Parts[part].SliceTargetPPB,
		TargetPPB: s.TargetPPB, Period: roundUp(of.Window+of.Lateness, s.Slice) + 2*s.Slice, Revision: s.Revision,
	}
}

// feed passes on to the composite how a slice of a part changed: as of a pane that
// closes, or of one that had closed before.
func (b *budgets) feed(s *sloSeries, start flyball.Time, total, bad int64, late bool) {
	if b.feeds == nil || total == 0 && bad == 0 {
		return
	}
	to := b.feeds.of(cover{slo: 0}, s.key.entity)
	total, bad = total*b.weight, bad*b.weight
	if late {
		to.tracker.Add(start, total, bad)
		b.feeds.mark(to)
		return
	}
	to.pending = append(to.pending, paneCounts{start, total, bad})
}

// labelSets bounds how many series a part remembers.
const labelSets = 100_000

// weighted counts the samples of a part for their entity, by a weight.
func weighted(st *store, p *flyball.Part, entity string, weight int64, good threshold.Count) derived {
	known := map[string]string{} // labels of a series to those of its entity, empty where it is not meant
	labels := func(r processors.PaneRow) string {
		labels, ok := known[r.Labels]
		if !ok {
			if len(known) >= labelSets {
				clear(known)
			}
			if of, err := labelsOf(r.Labels); err == nil && selects(p.Selector, of) {
				labels = flyball.LabelsOf(entity, r.Entity).JSON()
			}
			known[strings.Clone(r.Labels)] = labels // they are only lent
		}
		return labels
	}
	row := func(r processors.PaneRow) (processors.PaneRow, bool) { return r, true }
	if p.Threshold != nil {
		row = limited(*p.Threshold, good)
	}
	return derived{store: st, labels: labels, row: func(r processors.PaneRow) (processors.PaneRow, bool) {
		of := labels(r)
		if of == "" {
			return r, false
		}
		r, ok := row(r)
		r.Labels, r.Count, r.Bad = of, r.Count*weight, r.Bad*weight
		return counted(r), ok
	}}
}
