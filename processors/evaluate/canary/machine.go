// Package canary compares canaries with their baselines: it gathers what each cohort
// of an entity has in the panes, starts analyses when a new cohort appears or when it
// is asked to, shows every look to a judge, and reports verdicts, and a finding when
// a canary fails.
//
// It is a part of the evaluate machine, and keeps its laws: what it says follows from
// the records alone, one after the other.
package canary

import (
	"fmt"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/window"
)

// Config is what a machine works on.
type Config struct {
	// Partition of the panes topic.
	Partition int32
	// Canaries and Indicators of the configuration.
	Canaries   []flyball.Canary
	Indicators []flyball.Indicator
	// Judge makes the judge of an analysis.
	Judge detectors.NewCanaryJudge
}

// Output is what came of a record.
type Output struct {
	Verdicts    []flyball.Verdict
	Findings    []flyball.Finding
	DeadLetters []processors.DeadLetter
	// CohortsLost and ReplicasLost count looks at which there were too many of them,
	// HistoriesLost those at which what a cohort counted was not remembered.
	CohortsLost, ReplicasLost, HistoriesLost int64
}

// Machine runs the analyses of one partition.
type Machine struct {
	cfg  Config
	defs []*definition
	out  Output
	gone []string // keys of the state that nothing has any more

	orphans     []orphan
	orphansSaid bool // since the last commit
}

// definition is a canary of the configuration and all entities that it is about.
type definition struct {
	spec     flyball.Canary
	source   string
	feeds    []*feed
	feedOf   []int // of each metric, its place in feeds
	subjects map[string]*subject
	touched  []*subject

	memory
}

// New returns a machine that has seen nothing. Canaries whose indicators are not
// there are passed over.
func New(cfg Config) *Machine {
	m := &Machine{cfg: cfg}
	for _, spec := range cfg.Canaries {
		d := &definition{spec: spec, subjects: map[string]*subject{}}
		for _, metric := range spec.Metrics {
			i := slices.IndexFunc(cfg.Indicators, func(i flyball.Indicator) bool { return i.Name == metric.Indicator })
			if i < 0 {
				break
			}
			d.source = cfg.Indicators[i].Source
			d.feedOf = append(d.feedOf, d.feed(cfg.Indicators[i], metric.Kind, cfg.Partition))
		}
		if len(d.feedOf) == len(spec.Metrics) {
			d.memory = newMemory(d, cfg.Indicators)
			m.defs = append(m.defs, d)
		}
	}
	return m
}

// Feed is an indicator counted by cohorts: panes of its own.
type Feed struct {
	// Store keeps them.
	Store *window.Store
	// Row returns what a partial pane counts; ok is false for nothing.
	Row func(processors.PaneRow) (_ processors.PaneRow, ok bool)
}

// Feeds returns what must be counted of an indicator. The owner of the machine adds
// to the stores, commits and aborts them.
func (m *Machine) Feeds(indicator string) []Feed {
	var out []Feed
	for _, d := range m.defs {
		for _, f := range d.feeds {
			if f.indicator == indicator {
				out = append(out, Feed{f.store, f.row})
			}
		}
	}
	return out
}

// ReasonRequest is that of dead letters about requests which cannot be followed.
const ReasonRequest = "canary_request"

// Request takes a request to start or to end an analysis; it is followed at the next
// look.
func (m *Machine) Request(r flyball.CanaryRequest, value []byte) {
	i := slices.IndexFunc(m.defs, func(d *definition) bool { return d.spec.Name == r.Canary })
	problem := ""
	switch {
	case r.ID == "" || r.Entity == "":
		problem = "it has no id or no entity"
	case i < 0:
		problem = fmt.Sprintf("no canary %q is configured", r.Canary)
	case r.Seconds < 0 || r.Seconds > 7*24*3600:
		problem = fmt.Sprintf("%d seconds are no length of an analysis", r.Seconds)
	case m.defs[i].subject(r.Entity).full():
		problem = fmt.Sprintf("%d other requests wait", maxPending)
	}
	if problem != "" {
		m.out.DeadLetters = append(m.out.DeadLetters, processors.DeadLetter{
			Reason: ReasonRequest, Detail: fmt.Sprintf("cannot follow request %q: %s", r.ID, problem), Value: value})
		return
	}
	s := m.defs[i].subject(r.Entity)
	s.touch()
	s.Pending = append(s.Pending, r)
}

// Advance looks at everything that the step of a source's watermark allows. The
// panes up to it are in the stores of the feeds. Complete reports whether a source
// has given all it has up to a time.
func (m *Machine) Advance(source string, from, to flyball.Time, complete func(upTo flyball.Time) bool) {
	m.resolveOrphans(to)
	for _, d := range m.defs {
		if d.source == source {
			m.advance(d, from, to, complete)
		}
	}
}

func (m *Machine) advance(d *definition, from, to flyball.Time, complete func(upTo flyball.Time) bool) {
	at := from
	if from != flyball.NoTime {
		at = from.Floor(d.spec.Interval)
	}
	for {
		edge, ok := d.nextEdge(at, to)
		if !ok || edge > to {
			return
		}
		data := d.gather(edge, "")
		for _, entity := range d.concerned(edge, data) {
			s := d.subject(entity)
			s.look(m, look{at: edge, known: from, data: data[entity], complete: complete(edge)})
		}
		at = edge
	}
}

// nextEdge returns the next end of an interval at which something is to be looked at.
func (d *definition) nextEdge(at, to flyball.Time) (edge flyball.Time, ok bool) {
	for _, f := range d.feeds {
		if start, any := f.store.Next(at); any && (!ok || start.Add(d.spec.Interval) < edge) {
			edge, ok = start.Add(d.spec.Interval), true
		}
	}
	for _, s := range d.subjects {
		switch {
		case !s.active():
		case at != flyball.NoTime:
			return at.Add(d.spec.Interval), true
		case !ok: // there is nothing at all: time begins where the watermark is
			return to.Floor(d.spec.Interval), true
		}
	}
	return edge, ok
}

// Take returns what came since it was last called.
func (m *Machine) Take() Output {
	out := m.out
	m.out = Output{}
	return out
}

// Commit makes what was done since the last Commit permanent.
func (m *Machine) Commit() {
	for _, d := range m.defs {
		for _, s := range d.touched {
			s.saved = nil
			if s.empty() {
				delete(d.subjects, s.entity)
			}
		}
		d.touched = d.touched[:0]
		d.commitPasts()
	}
	m.gone = nil
	if m.orphansSaid {
		m.orphans, m.orphansSaid = nil, false
	}
}

// Abort takes it back.
func (m *Machine) Abort() {
	for _, d := range m.defs {
		for _, s := range d.touched {
			s.undo()
		}
		d.touched = d.touched[:0]
		d.abortPasts()
	}
	m.out = Output{}
	m.orphansSaid = false
}
