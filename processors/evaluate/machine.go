// Package evaluate drives one partition of panes: it merges partial panes,
// closes panes and windows as watermarks pass, keeps the SLOs' counts, asks the
// detectors, and turns what they say into findings.
package evaluate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/window"
)

// Config is what a machine works on.
type Config struct {
	// Partition of the panes topic.
	Partition int32
	// Sources, Indicators and SLOs of the configuration.
	Sources    []flyball.Source
	Indicators []flyball.Indicator
	SLOs       []flyball.SLO
	// Detector returns the judge of an SLO.
	Detector func(flyball.SLO) detectors.SLODetector
	// StatusEvery is how often, in event time, the status of an SLO is reported.
	StatusEvery time.Duration
}

// Input is a run of records of the partition, in the order of their offsets.
type Input struct {
	Records []Record
}

// Record is one record of the panes topic.
type Record struct {
	// Offset in the partition.
	Offset int64
	// Panes is an Arrow IPC stream, empty when there are only marks.
	Panes []byte
	// Marks hold after the panes.
	Marks []processors.Mark
}

// Reasons for which parts of the input become dead letters.
const (
	ReasonLate             = "late"
	ReasonMalformed        = "malformed"
	ReasonUnknownIndicator = "unknown_indicator"
)

// Machine evaluates one partition. It implements processors.Machine[Input].
type Machine struct {
	cfg        Config
	head       int64 // records below were evaluated before: they only rebuild memory
	next       int64 // records below are in memory already
	wasNext    int64 // as of the last commit
	watermarks *window.Watermarks
	stores     []*store // in the order of the configuration
	byName     map[string]*store
	revisions  revisions
	ready      processors.Ready
	windows    processors.Windows
	status     processors.SLOStatus
}

// store is the memory of one indicator.
type store struct {
	*window.Store
	slos   []flyball.SLO // those that rest on the indicator
	series map[seriesKey]*sloSeries
}

// New returns a machine that has seen nothing. Restore and ResumeAt follow when
// it takes over from another.
func New(cfg Config) *Machine {
	m := &Machine{
		cfg: cfg, watermarks: window.NewWatermarks(cfg.Sources),
		byName: map[string]*store{}, revisions: newRevisions(),
	}
	for _, spec := range cfg.Indicators {
		st := &store{Store: window.NewStore(spec), series: map[seriesKey]*sloSeries{}}
		for _, s := range cfg.SLOs {
			if s.Indicator == spec.Name {
				st.slos = append(st.slos, s)
			}
		}
		m.stores = append(m.stores, st)
		m.byName[spec.Name] = st
	}
	return m
}

// ResumeAt tells from which offset on records are news; those below, which a
// predecessor has evaluated, only rebuild the panes in memory.
func (m *Machine) ResumeAt(head int64) { m.head = head }

// Watermark returns the watermark of a source, NoTime while there is none.
func (m *Machine) Watermark(source string) flyball.Time { return m.watermarks.Of(source) }

// Step evaluates records one by one, so that where a transaction begins and ends
// does not matter.
func (m *Machine) Step(in Input) processors.Ready {
	m.windows, m.status = processors.Windows{}, processors.SLOStatus{}
	m.ready = processors.Ready{Windows: &m.windows, SLO: &m.status}
	for i := range in.Records {
		r := &in.Records[i]
		if r.Offset < m.next {
			continue // given twice, as after an abort that went back too far
		}
		m.next = r.Offset + 1
		if r.Offset < m.head {
			m.replay(r)
		} else {
			m.record(r)
		}
	}
	m.stateChanges()
	if low, ok := m.low(); ok {
		m.ready.Resume = &processors.Resume{Low: low}
	}
	return m.ready
}

// replay rebuilds panes from a record that was evaluated before.
func (m *Machine) replay(r *Record) {
	if len(r.Panes) == 0 {
		return
	}
	// What does not decode was dead-lettered the first time.
	_ = processors.ReadPanes(r.Panes, func(row processors.PaneRow) {
		st := m.byName[row.Indicator]
		if st == nil || st.Expired(row.Start, m.watermarks.Of(st.Spec().Source)) {
			return
		}
		_ = st.Add(row, r.Offset)
	})
}

func (m *Machine) record(r *Record) {
	if len(r.Panes) > 0 {
		corrected := corrections{}
		err := processors.ReadPanes(r.Panes, func(row processors.PaneRow) { m.pane(row, r.Offset, corrected) })
		if err != nil {
			m.deadLetter(ReasonMalformed, err.Error(), slices.Clone(r.Panes))
		}
		m.correct(corrected)
	}
	before := map[string]flyball.Time{}
	for _, mark := range r.Marks {
		if _, ok := before[mark.Source]; !ok {
			before[mark.Source] = m.watermarks.Of(mark.Source)
		}
		m.watermarks.Mark(mark)
	}
	for _, s := range m.cfg.Sources {
		from, ok := before[s.Name]
		if to := m.watermarks.Of(s.Name); ok && to > from {
			m.closeUpTo(s.Name, from, to)
		}
	}
}

// pane merges one partial pane, if it is not too late.
func (m *Machine) pane(row processors.PaneRow, offset int64, corrected corrections) {
	st := m.byName[row.Indicator]
	if st == nil {
		m.deadLetter(ReasonUnknownIndicator, fmt.Sprintf("no indicator %q is configured", row.Indicator), describe(row))
		return
	}
	spec := st.Spec()
	wm := m.watermarks.Of(spec.Source)
	if st.Expired(row.Start, wm) {
		m.deadLetter(ReasonLate, fmt.Sprintf("%d samples of the pane at %s came when the watermark was %s", row.Count, row.Start, wm), describe(row))
		return
	}
	if err := st.Add(row, offset); err != nil {
		m.deadLetter(ReasonMalformed, err.Error(), describe(row))
		return
	}
	if row.Start.Add(spec.Pane) <= wm {
		m.lateForBudgets(st, row)
	}
	if st.Closed(row.Start, wm) {
		corrected.add(st, row)
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

// closeUpTo does everything that the watermark's step from one time to another
// allows, for the indicators of a source.
func (m *Machine) closeUpTo(source string, from, to flyball.Time) {
	for _, st := range m.stores {
		if st.Spec().Source != source {
			continue
		}
		if len(st.slos) > 0 {
			m.closeBudgets(st, from, to)
		}
		st.CloseWindows(from, to, &m.windows)
		m.revisions.expire(st.Store, to)
	}
}

// low returns the lowest offset that a pane in memory came from.
func (m *Machine) low() (low int64, any bool) {
	for _, st := range m.stores {
		if l, ok := st.Low(m.watermarks.Of(st.Spec().Source)); ok && (!any || l < low) {
			low, any = l, true
		}
	}
	return low, any
}

// Commit makes the steps since the last Commit permanent.
func (m *Machine) Commit() {
	for _, st := range m.stores {
		st.Commit(m.watermarks.Of(st.Spec().Source))
		for _, s := range st.series {
			s.commit()
		}
	}
	m.watermarks.Commit()
	m.revisions.commit()
	m.wasNext = m.next
}

// Abort takes them back.
func (m *Machine) Abort() {
	for _, st := range m.stores {
		st.Abort()
		for k, s := range st.series {
			if s.isNew {
				delete(st.series, k)
				continue
			}
			s.abort()
		}
	}
	m.watermarks.Abort()
	m.revisions.abort()
	m.next = m.wasNext
}

var _ processors.Machine[Input] = (*Machine)(nil)
