// Package aggregate folds samples into partial panes: the hot path of the
// engine, columnar and pure.
//
// A machine belongs to one group member. It keeps no state that outlives a
// transaction: what it folded is flushed with the transaction's input offsets,
// and an abort simply drops it. Series and label sets are remembered only as a
// cache, until label sets start a new generation.
//
// Indicator.SeriesLimit bounds the series of one transaction here; evaluate, which
// sees all members, applies it to windows.
package aggregate

import (
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// Config is what a machine works on.
type Config struct {
	// Source is where the samples come from.
	Source flyball.Source
	// Indicators of that source.
	Indicators []flyball.Indicator
	// Labels and Values name the columns of the samples.
	Labels, Values []string
	// Partitions is the number of partitions of the panes topic.
	Partitions int32
}

// LabelSets resolves the label set ids of samples.
type LabelSets interface {
	// Values appends the values of a set, in the order of Config.Labels.
	Values(set uint32, dst []string) []string
	// Sets returns how many sets there are; ids are below it.
	Sets() int
	// Generation changes when ids are given out anew.
	Generation() uint64
}

// Input is what a machine is stepped with.
type Input struct {
	// Samples are runs of samples, one source partition each.
	Samples []Samples
	// Flush, when set, ends the transaction: everything folded so far is returned.
	Flush *Flush
}

// Samples is a run of samples of one source partition, column by column.
type Samples struct {
	// Topic and Partition are where they come from.
	Topic     string
	Partition int32
	// Time is the event time of each sample, in nanoseconds since the epoch.
	Time []int64
	// Set is the id of each sample's label set.
	Set []uint32
	// Values are the numeric columns; NaN is no value.
	Values [][]float64
	// MaxTime is the latest event time read, NoTime for none.
	MaxTime flyball.Time
	// Points says more of each sample, nil when all are ordinary ones.
	Points *Points
	// Traces are the traces that samples belong to, all zero for none; there may be
	// fewer than samples.
	Traces [][16]byte
	// Notes are what samples have for people to look at, in the order of the samples.
	Notes Notes
}

// Notes is what some samples carry to be shown, column by column: the exemplars of a
// data point, of which a sample may have several, and the texts of log records.
type Notes struct {
	// Row is the number of the sample.
	Row   []int32
	Trace [][16]byte
	Text  [][]byte
	// Value of an exemplar in the unit of its metric, which has so many Nanos if it is a
	// time, and At when it was measured.
	Value, Nanos []float64
	At           []flyball.Time
}

// Points says of samples that are data points of metrics what they stand for.
type Points struct {
	// Weight is how many samples each stands for where samples are counted.
	Weight []int64
	// Distribution is the place in Distributions of what each measured, or -1.
	Distribution  []int32
	Distributions []flyball.Distribution
	// Cumulative points are totals of the Stream since Start, of Value or of a
	// distribution; they are handed on.
	Cumulative []bool
	Start      []flyball.Time
	Stream     []flyball.StreamID
	Value      []float64
}

// Flush ends a transaction.
type Flush struct {
	// Now is the wall clock; it serves to tell how long a partition has been idle.
	Now flyball.Time
	// Partitions are the source partitions that the member owns.
	Partitions []SourcePartition
}

// SourcePartition says how far a source partition has been read.
type SourcePartition struct {
	Topic     string
	Partition int32
	// Of is the number of partitions that the topic has.
	Of int32
	// CaughtUp is set when nothing is left to read.
	CaughtUp bool
	// Held is set when what is left is not read on purpose.
	Held bool
	// Complaint says what is wrong with the schema of records read since the last flush,
	// empty for nothing.
	Complaint string
}

// Machine folds the samples of one source. It implements
// processors.Machine[Input].
type Machine struct {
	cfg        Config
	sets       LabelSets
	generation uint64
	indicators []*indicator
	marks      marker
	writers    []processors.PaneWriter
	arena      []byte
}

// New returns a machine. It fails when an indicator needs a column that is not
// there.
func New(cfg Config, sets LabelSets) (*Machine, error) {
	m := &Machine{
		cfg: cfg, sets: sets, generation: sets.Generation(),
		writers: make([]processors.PaneWriter, cfg.Partitions),
	}
	var panes []time.Duration
	for _, spec := range cfg.Indicators {
		ind, err := newIndicator(spec, cfg)
		if err != nil {
			return nil, fmt.Errorf("cannot aggregate indicator %q: %w", spec.Name, err)
		}
		m.indicators = append(m.indicators, ind)
		panes = append(panes, spec.Pane)
	}
	m.marks = newMarker(cfg.Source, panes)
	return m, nil
}

// Step folds samples, and on a flush returns partial panes and marks.
func (m *Machine) Step(in Input) processors.Ready {
	if g := m.sets.Generation(); g != m.generation {
		m.generation = g
		for _, ind := range m.indicators {
			ind.forget()
		}
	}
	for i := range in.Samples {
		s := &in.Samples[i]
		m.marks.observe(s.Topic, s.Partition, s.MaxTime)
		for _, ind := range m.indicators {
			if s.Points != nil {
				ind.foldPoints(s, m.sets)
			} else {
				ind.fold(s, m.sets)
				ind.show(s)
			}
		}
	}
	if in.Flush == nil {
		return processors.Ready{}
	}
	return m.flush(in.Flush)
}

func (m *Machine) flush(f *Flush) processors.Ready {
	m.arena = m.arena[:0]
	var ready processors.Ready
	cut := func(p int32) {
		ready.Panes = append(ready.Panes, processors.PaneBlock{Partition: p, Panes: m.writers[p].Encode()})
	}
	limited := int64(0)
	for _, ind := range m.indicators {
		m.arena = ind.flush(m.writers, m.arena, cut)
		limited, ind.limited = limited+ind.limited, 0
	}
	if limited > 0 {
		ready.Limited = append(ready.Limited, processors.Limited{Reason: processors.LimitSeries, Times: limited})
	}
	marks := m.marks.flush(f)
	for p := range m.writers {
		panes := m.writers[p].Encode()
		if panes != nil || len(marks) > 0 {
			ready.Panes = append(ready.Panes, processors.PaneBlock{Partition: int32(p), Panes: panes, Marks: marks})
		}
	}
	return ready
}

// Commit has nothing to do but to note that marks have been sent.
func (m *Machine) Commit() { m.marks.commit() }

// Latest returns the latest event time of a source partition, flyball.NoTime while
// none is known.
func (m *Machine) Latest(topic string, partition int32) flyball.Time {
	return m.marks.latest(topic, partition)
}

// Abort drops what was folded since the last flush. The shell reads it again.
func (m *Machine) Abort() {
	for _, ind := range m.indicators {
		ind.drop()
	}
	m.marks.abort()
}

var _ processors.Machine[Input] = (*Machine)(nil)
