package evaluate

import (
	"fmt"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/counter"
)

// ReasonTooManyStreams is of a point of a cumulative stream beyond the limit.
const ReasonTooManyStreams = "too_many_streams"

// point takes a point of a cumulative stream, which is row number at of its record. It
// counts when its pane closes or, when it comes late, now.
func (m *Machine) point(st *store, row processors.PaneRow, offset int64, at int, corrected corrections) {
	p, err := counter.ReadPoint(row.Point)
	if err != nil {
		m.deadLetter(ReasonMalformed, err.Error(), describe(row))
		return
	}
	row.Start = p.At.Floor(st.pane)
	wm := m.watermarks.Of(st.Spec().Source)
	key := counter.Row{Offset: offset, Row: at}
	if st.Expired(p.At, wm) {
		m.passed.Add(key)
		m.deadLetter(ReasonLate, fmt.Sprintf("a total as of %s came when the watermark was %s", p.At, wm), describe(row))
		return
	}
	series := counter.Series{Entity: row.Entity, Labels: row.Labels}
	fate, in := st.counters.Add(series, p, offset)
	switch fate {
	case counter.Late:
		m.passed.Add(key)
	case counter.Refused:
		m.passed.Add(key)
		m.deadLetter(ReasonTooManyStreams, fmt.Sprintf("indicator %q has %d cumulative streams", row.Indicator, m.cfg.Streams), describe(row))
	case counter.Waits:
		m.reserve(st, row, offset)
	case counter.Counts:
		m.reserve(st, row, offset)
		if row, ok := st.increaseRow(series, in); ok {
			m.merge(st, row, offset, corrected)
		}
	}
}

// reserve gives the series of a point its places under the limits: a successor adds its
// increase after other rows, and must come to the same.
func (m *Machine) reserve(st *store, row processors.PaneRow, offset int64) {
	st.Reserve(row, offset)
	for _, d := range st.derived {
		if d.labels == nil {
			d.Reserve(row, offset)
		} else if labels := d.labels(row); labels != "" {
			r := row
			r.Labels = labels
			d.Reserve(r, offset)
		}
	}
}

// release counts what totals grew by up to a watermark.
func (m *Machine) release(st *store, to flyball.Time) {
	if st.counters == nil {
		return
	}
	st.counters.Close(to, func(s counter.Series, in counter.Increase, offset int64) {
		row, ok := st.increaseRow(s, in)
		if !ok {
			return
		}
		if _, err := st.Add(row, offset); err != nil {
			m.deadLetter(ReasonMalformed, err.Error(), describe(row))
			return
		}
		for _, d := range st.derived {
			if counted, ok := d.row(row); ok {
				_, _ = d.Add(counted, offset) // it is what was added above, with other counts
			}
		}
	})
}

// caughtUp ends the replay of the log: what totals grew by up to the watermark was
// counted before, and only rebuilds the memory.
func (m *Machine) caughtUp() {
	if m.live {
		return
	}
	m.live = true
	for _, st := range m.stores {
		wm := m.watermarks.Of(st.Spec().Source)
		if st.silent {
			st.Settle(wm)
		}
		if st.counters == nil {
			continue
		}
		st.counters.Close(wm, func(s counter.Series, in counter.Increase, offset int64) {
			if row, ok := st.increaseRow(s, in); ok {
				m.rebuild(st, row, offset, wm)
			}
		})
	}
}

// increaseRow is what an increase counts, as a partial pane; ok is false for nothing, as
// with a fraction of a sample.
func (st *store) increaseRow(s counter.Series, in counter.Increase) (_ processors.PaneRow, ok bool) {
	spec := st.Spec()
	p := processors.NewPane()
	switch {
	case in.Distribution != nil:
		st.points.Add(p, in.Distribution, in.Bad)
	case spec.Value != "":
		p.Count = 1
		p.Observe(in.Value)
	default:
		p.Count = in.Count
	}
	if in.Bad && in.Distribution == nil {
		p.Bad = p.Count
	}
	row := processors.PaneRow{
		Indicator: spec.Name, Entity: s.Entity, Labels: s.Labels, Start: in.At.Floor(spec.Pane),
		Count: p.Count, Bad: p.Bad, Sum: p.Sum, Min: p.Min, Max: p.Max,
	}
	if p.Hist.Count() > 0 {
		row.Hist = p.Hist.AppendBinary(nil)
	}
	return row, row.Count > 0
}
