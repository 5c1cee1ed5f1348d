// Package evaluate drives one partition of panes: it merges partial panes,
// closes panes and windows as watermarks pass, keeps the SLOs' counts, asks the
// detectors, and turns what they say into findings.
package evaluate

import (
	"cmp"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/counter"
	"github.com/flyball-io/flyball/processors/evaluate/anomaly"
	"github.com/flyball-io/flyball/processors/evaluate/canary"
	"github.com/flyball-io/flyball/processors/evaluate/complaint"
	"github.com/flyball-io/flyball/processors/evaluate/shown"
	"github.com/flyball-io/flyball/processors/points"
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
	// Canaries of the configuration, and what makes their judges; nil without.
	Canaries    []flyball.Canary
	CanaryJudge detectors.NewCanaryJudge
	// Detectors say which series are watched for anomalies; Anomaly returns the judge of
	// one number of an indicator's windows.
	Detectors []flyball.Detector
	Anomaly   func(d flyball.Detector, v flyball.WindowValue, of flyball.Indicator) detectors.SeriesDetector
	// StatusEvery is how often, in event time, the status of an SLO is reported;
	// it is rounded up to whole panes. An SLO without samples since the last
	// report is reported hourly, as long as a burn-rate window holds any.
	StatusEvery time.Duration
	// Rebuilt is the longest window that a successor rebuilds from the log; what longer
	// ones count is durable state. 0 is window.Rebuilt.
	Rebuilt time.Duration
	// Streams bounds the cumulative streams of an indicator; 0 is no limit.
	Streams int
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
	// Label is what a person said of a finding, nil for none.
	Label *flyball.FindingLabel
	// Canary makes it a record of the topic of requests instead, whose value Panes is;
	// Offset means nothing then.
	Canary *flyball.CanaryRequest
}

// Machine evaluates one partition. It implements processors.Machine[Input].
//
// What it says follows from the records alone, one after the other: it is the
// same however they are cut into transactions, whichever of those are taken
// back, and wherever a successor takes over.
type Machine struct {
	cfg        Config
	head       int64 // records below were evaluated before: they only rebuild memory
	next       int64 // records below are in memory already
	wasNext    int64 // as of the last commit
	watermarks *window.Watermarks
	stores     []*store // in the order of the configuration
	byName     map[string]*store
	revisions  window.Revisions
	former     []string // keys of the state that nothing has any more, still to be deleted
	ready      processors.Ready
	windows    processors.Windows
	status     processors.SLOStatus
	stalls     stalls
	canaries   *canary.Machine
	// Times that limits of canaries were hit in this step.
	cohortsLost, replicasLost, historiesLost int64
	passed                                   counter.Passed
	live                                     bool // the log was read up to what is new
	wasLive                                  bool // as of the last commit
	anomalies                                *anomaly.Machine
	examples                                 *shown.Store
	complaints                               *complaint.Tracker
	unusual                                  anomaly.Output
	incomplete                               bool // what is judged at the moment rests on a source of which something is missing
}

// store is the memory of one indicator.
type store struct {
	*window.Store
	budgets
	derived  []derived        // its samples, counted anew
	silent   bool             // its windows are not reported
	counters *counter.Streams // nil where samples are counted anew
	points   *points.Folder   // likewise
}

// New returns a machine that has seen nothing. Restore and ResumeAt follow when
// it takes over from another.
func New(cfg Config) *Machine {
	m := &Machine{
		cfg: cfg, watermarks: window.NewWatermarks(cfg.Sources),
		byName: map[string]*store{}, revisions: window.NewRevisions(), stalls: newStalls(), passed: counter.NewPassed(),
	}
	m.canaries = canary.New(canary.Config{Partition: cfg.Partition, Canaries: cfg.Canaries, Indicators: cfg.Indicators, Judge: cfg.CanaryJudge})
	for _, spec := range cfg.Indicators {
		st := newStore(spec, cfg, func(s *flyball.SLO) bool { return s.Threshold == nil && len(s.Parts) == 0 })
		st.counters, st.points = counter.New(spec.Pane, st.Kept(), cfg.Streams), points.NewFolder(&spec)
		st.derived = append(thresholds(spec, cfg), m.cohorts(spec)...)
		m.stores = append(m.stores, st)
		m.byName[spec.Name] = st
		for _, d := range st.derived {
			m.stores = append(m.stores, d.store)
		}
	}
	m.composites()
	m.complaints = complaint.New(func(source string, at flyball.Time) string {
		return findingID(kindSelf, complaint.Detector, source, at)
	})
	m.examples = shown.New(cfg.Indicators, cfg.SLOs, cfg.Canaries)
	m.anomalies = anomaly.New(anomaly.Config{Partition: cfg.Partition, Indicators: cfg.Indicators, Detectors: cfg.Detectors, New: cfg.Anomaly})
	return m
}

// newStore returns the memory of an indicator for those of its SLOs that are wanted.
func newStore(spec flyball.Indicator, cfg Config, wanted func(*flyball.SLO) bool) *store {
	st := &store{Store: window.NewStore(spec, cfg.Partition)}
	if cfg.Rebuilt > 0 {
		st.RebuildAtMost(cfg.Rebuilt)
	}
	st.budgets = newBudgets(spec, cfg, st.Overflow(), wanted)
	return st
}

// silence makes a store one that counts for budgets only.
func (st *store) silence() {
	st.silent = true
	st.DropWindows()
}

// ResumeAt tells from which offset on records are news; those below, which a
// predecessor has evaluated, only rebuild the panes in memory.
func (m *Machine) ResumeAt(head int64) { m.head = head }

// Watermark returns the watermark of a source, NoTime while there is none.
func (m *Machine) Watermark(source string) flyball.Time { return m.watermarks.Of(source) }

// Step evaluates records one by one, so that where a transaction begins and ends
// does not matter.
func (m *Machine) Step(in Input) processors.Ready {
	m.windows, m.status, m.unusual = processors.Windows{}, processors.SLOStatus{}, anomaly.Output{}
	m.ready = processors.Ready{Windows: &m.windows, SLO: &m.status, Bands: &m.unusual.Bands}
	for i := range in.Records {
		r := &in.Records[i]
		if r.Canary != nil {
			m.canaries.Request(*r.Canary, r.Panes)
			m.takeCanaries()
			continue
		}
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
	low := m.low()
	m.passed.Expire(low)
	m.stateChanges()
	m.limits()
	if m.next > 0 { // else nothing is known that could be committed
		m.ready.Resume = &processors.Resume{Low: low, Head: max(m.next, m.head)}
	}
	return m.ready
}

// limits says which limits were hit.
func (m *Machine) limits() {
	series, budgets := int64(0), int64(0)
	for _, st := range m.stores {
		series += st.TakeLimited()
		budgets += st.limited
		st.limited = 0
	}
	for _, l := range []processors.Limited{{Reason: processors.LimitSeries, Times: series}, {Reason: processors.LimitBudgets, Times: budgets},
		{Reason: processors.LimitWatched, Times: m.anomalies.TakeUnwatched()},
		{Reason: processors.LimitCohorts, Times: m.cohortsLost}, {Reason: processors.LimitReplicas, Times: m.replicasLost},
		{Reason: processors.LimitHistories, Times: m.historiesLost}} {
		if l.Times > 0 {
			m.ready.Limited = append(m.ready.Limited, l)
		}
	}
	m.cohortsLost, m.replicasLost, m.historiesLost = 0, 0, 0
}

// closeUpTo does everything that the watermark's step from one time to another
// allows, for the indicators of a source.
func (m *Machine) closeUpTo(source string, from, to flyball.Time) {
	first := m.windows.Len()
	for _, st := range m.stores {
		if st.Spec().Source != source || !st.Crosses(from, to) {
			continue
		}
		m.release(st, to)
		m.closeBudgets(st, from, to)
		if !st.silent {
			st.CloseWindows(from, to, &m.windows)
		}
		m.revisions.Expire(st.Store, to)
		st.Settle(to)
	}
	m.unusual.Findings = m.unusual.Findings[:0]
	m.anomalies.Close(anomaly.Step{Source: source, From: from, To: to, Windows: &m.windows, First: first,
		Complete: func(end flyball.Time) bool { return m.watermarks.Complete(source, end) }}, &m.unusual)
	m.ready.Findings = append(m.ready.Findings, m.unusual.Findings...)
}

// low returns the lowest offset that a window in memory came from, or where to go
// on when none is needed.
func (m *Machine) low() int64 {
	low := m.next
	for _, st := range m.stores {
		wm := m.watermarks.Of(st.Spec().Source)
		if l, ok := st.Low(wm); ok {
			low = min(low, l)
		}
		if st.counters != nil {
			if l, ok := st.counters.Low(wm); ok {
				low = min(low, l)
			}
		}
	}
	if l, ok := m.examples.Low(m.watermarks.Of); ok {
		low = min(low, l)
	}
	return low
}

// Commit makes the steps since the last Commit permanent.
func (m *Machine) Commit() {
	for _, st := range m.stores {
		wm := m.watermarks.Of(st.Spec().Source)
		st.Store.Commit(wm)
		if st.counters != nil {
			st.counters.Commit(wm)
		}
		st.budgets.commit()
	}
	m.watermarks.Commit()
	m.revisions.Commit()
	m.stalls.commit()
	m.canaries.Commit()
	m.passed.Commit()
	m.wasLive = m.live
	m.anomalies.Commit()
	m.complaints.Commit()
	m.examples.Commit(m.watermarks.Of)
	m.former = nil
	m.wasNext = m.next
}

// Abort takes them back.
func (m *Machine) Abort() {
	for _, st := range m.stores {
		st.Store.Abort()
		if st.counters != nil {
			st.counters.Abort()
		}
		st.budgets.abort()
	}
	m.watermarks.Abort()
	m.revisions.Abort()
	m.stalls.abort()
	m.canaries.Abort()
	m.passed.Abort()
	m.live = m.wasLive
	m.anomalies.Abort()
	m.complaints.Abort()
	m.examples.Abort()
	m.next = m.wasNext
}

// sortFindings orders the findings of one record by their time, so that the step
// of a watermark over many panes reports in the order in which many small steps
// would have.
func (m *Machine) sortFindings(from int) {
	slices.SortStableFunc(m.ready.Findings[from:], func(a, b flyball.Finding) int { return cmp.Compare(a.At, b.At) })
}

var _ processors.Machine[Input] = (*Machine)(nil)
