package evaluate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/counter"
	"github.com/flyball-io/flyball/processors/window"
)

// Reasons for which parts of the input become dead letters.
const (
	ReasonLate             = "late"
	ReasonMalformed        = "malformed"
	ReasonUnknownIndicator = "unknown_indicator"
	ReasonUnknownFinding   = "unknown_finding"
)

// replay rebuilds panes from a record that was evaluated before. What was too
// late then is too late now, and what is not was not; so every window that can
// still be corrected gets the same rows again, in the same order.
func (m *Machine) replay(r *Record) {
	if len(r.Panes) == 0 {
		return
	}
	// What is malformed was dead-lettered the first time.
	at := -1
	_ = processors.ReadPanes(r.Panes, func(row processors.PaneRow) {
		at++
		st := m.byName[row.Indicator]
		if st != nil {
			m.examples.Add(&row, r.Offset, m.watermarks.Of(st.Spec().Source))
		}
		switch {
		case st == nil:
		case len(row.Point) == 0:
			m.rebuild(st, row, r.Offset, m.watermarks.Of(st.Spec().Source))
		case !m.passed.Has(counter.Row{Offset: r.Offset, Row: at}):
			if p, err := counter.ReadPoint(row.Point); err == nil {
				st.counters.Add(counter.Series{Entity: row.Entity, Labels: row.Labels}, p, r.Offset)
				if row.Start = p.At.Floor(st.pane); !st.Expired(p.At, m.watermarks.Of(st.Spec().Source)) {
					m.reserve(st, row, r.Offset)
				}
			}
		}
	})
}

// rebuild adds a row that was counted before to the memory.
func (m *Machine) rebuild(st *store, row processors.PaneRow, offset int64, wm flyball.Time) {
	if st.Expired(row.Start, wm) {
		return
	}
	if !st.Durable(row.Start, wm) {
		if _, err := st.Add(row, offset); err != nil {
			return
		}
	}
	for _, d := range st.derived {
		if counted, ok := d.row(row); ok && !d.Durable(row.Start, wm) {
			_, _ = d.Add(counted, offset)
		}
	}
}

func (m *Machine) record(r *Record) {
	windows := m.windows.Len()
	defer func() { m.flag(windows) }()
	m.caughtUp()
	if r.Label != nil && !m.anomalies.Learn(*r.Label) {
		m.deadLetter(ReasonUnknownFinding, fmt.Sprintf("finding %q of %q is not open, and none of the last", r.Label.Finding, r.Label.Entity), []byte(r.Label.Finding))
	}
	if len(r.Panes) > 0 {
		corrected, at := corrections{}, -1
		err := processors.ReadPanes(r.Panes, func(row processors.PaneRow) {
			at++
			m.pane(row, r.Offset, at, corrected)
		})
		if err != nil {
			m.deadLetter(ReasonMalformed, err.Error(), slices.Clone(r.Panes))
		}
		m.correct(corrected)
	}
	if len(r.Marks) == 0 {
		return
	}
	findings := len(m.ready.Findings)
	before := map[string]flyball.Time{}
	for _, mark := range r.Marks {
		before[mark.Source] = m.watermarks.Of(mark.Source)
	}
	m.watermarks.Mark(r.Marks...)
	m.ready.Findings = append(m.ready.Findings, m.complaints.Take(m.cfg.Partition, m.cfg.Sources, r.Marks, m.watermarks.Of)...)
	for _, s := range m.cfg.Sources {
		from, ok := before[s.Name]
		if to := m.watermarks.Of(s.Name); ok && to > from {
			m.closeUpTo(s.Name, from, to)
			m.canaries.Advance(s.Name, from, to, func(upTo flyball.Time) bool { return m.watermarks.Complete(s.Name, upTo) })
			m.takeCanaries()
		}
		if ok {
			m.trackStalls(s.Name)
		}
	}
	m.sortFindings(findings)
	m.examples.Attach(m.ready.Findings[findings:])
}

// pane merges one partial pane, which is row number at of its record, if it is not too
// late.
func (m *Machine) pane(row processors.PaneRow, offset int64, at int, corrected corrections) {
	st := m.byName[row.Indicator]
	if st == nil {
		m.deadLetter(ReasonUnknownIndicator, fmt.Sprintf("no indicator %q is configured", row.Indicator), describe(row))
		return
	}
	m.examples.Add(&row, offset, m.watermarks.Of(st.Spec().Source))
	if len(row.Point) > 0 {
		m.point(st, row, offset, at, corrected)
		return
	}
	wm := m.watermarks.Of(st.Spec().Source)
	if st.Expired(row.Start, wm) {
		m.deadLetter(ReasonLate, fmt.Sprintf("%d samples of the pane at %s came when the watermark was %s", row.Count, row.Start, wm), describe(row))
		return
	}
	m.merge(st, row, offset, corrected)
}

// merge adds a row, and notes the closed windows that it corrects.
func (m *Machine) merge(st *store, row processors.PaneRow, offset int64, corrected corrections) {
	wm := m.watermarks.Of(st.Spec().Source)
	sr, err := st.Add(row, offset)
	if err != nil {
		m.deadLetter(ReasonMalformed, err.Error(), describe(row))
		return
	}
	m.counted(st, sr, row, wm)
	for _, d := range st.derived {
		counted, ok := d.row(row)
		if !ok {
			continue
		}
		if sr, err := d.Add(counted, offset); err == nil { // it is what was added above, with other counts
			m.counted(d.store, sr, counted, wm)
		}
	}
	for start := range st.Correctable(row.Start, wm) {
		corrected[window.Key{Indicator: st.Spec().Name, Labels: sr.Labels, Start: start}] = st
	}
}

// counted gives to budgets what came after its pane closed.
func (m *Machine) counted(st *store, sr *window.Series, row processors.PaneRow, wm flyball.Time) {
	pane := st.Spec().Pane
	if start := row.Start.Floor(pane); start.Add(pane) <= wm {
		m.lateForBudgets(st, sr, start, row.Count, row.Bad)
	}
}

func (m *Machine) deadLetter(reason, detail string, value []byte) {
	m.ready.DeadLetters = append(m.ready.DeadLetters, processors.DeadLetter{Reason: reason, Detail: detail, Value: value})
}

// describe writes what of a partial pane a person needs.
func describe(r processors.PaneRow) []byte {
	b, err := json.Marshal(map[string]any{
		"indicator": r.Indicator, "labels": json.RawMessage(r.Labels), "pane_start": r.Start,
		"count": r.Count, "bad": r.Bad, "sum": r.Sum.Value(),
	})
	if err != nil {
		return []byte(strings.Clone(r.Labels))
	}
	return b
}
