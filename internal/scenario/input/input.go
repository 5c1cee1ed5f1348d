// Package input reads the samples of a scenario: per source partition, series
// in a shorthand of counts, values, runs and gaps. docs/scenarios.md is its
// manual.
package input

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
)

// Source is a source of the configuration, as far as the shorthand needs it.
type Source struct {
	// Name of the source.
	Name string
	// Topics that it reads; the first is meant when a line names none.
	Topics []string
	// Value is the numeric field that @ sets; "" when it must be named.
	Value string
}

// SourcesOf returns what the shorthand needs of the sources of a configuration.
func SourcesOf(list []flyball.Source) []Source {
	var sources []Source
	for _, src := range list {
		in := Source{Name: src.Name, Topics: src.Topics}
		switch src.Format {
		case spec.FormatOTLPSpans:
			in.Value = flyball.FieldDuration
		case spec.FormatOTLPMetrics, spec.FormatPrometheus:
			in.Value = flyball.FieldValue
		}
		if len(src.JSON.Values) == 1 {
			for name := range src.JSON.Values {
				in.Value = name
			}
		}
		sources = append(sources, in)
	}
	return sources
}

// Input is everything that arrives, and the topics that it arrives at.
type Input struct {
	// Arrivals in the order of their times.
	Arrivals []Arrival
	// Partitions is how many partitions each topic of each source has at first.
	Partitions map[string]int32
}

// Arrival is one record: samples of one series and one event time.
type Arrival struct {
	// Source, Topic and Partition are where it arrives.
	Source, Topic string
	Partition     int32
	// At is when it arrives and Event its event time, both since the origin of the
	// scenario.
	At, Event time.Duration
	// Series says what its samples have in common.
	Series *Series
	// Total is the number of samples, Bad how many of them, the last ones, are
	// bad.
	Total, Bad int64
	// From and To are the values of the first and the last sample; the others lie
	// evenly between. NaN when they have none.
	From, To float64
	// Cumulative makes it one point of a cumulative stream, of the value Totals since
	// Since; a Since of nil is one that the sender does not say.
	Cumulative bool
	Totals     float64
	Since      *time.Duration
	// Line is where it is written.
	Line int
}

// Series is what the samples of one line have in common.
type Series struct {
	// Labels of every sample, Value the field that holds its value, and With
	// further numeric fields.
	Labels flyball.Labels
	Value  string
	With   map[string]float64
	// BadLabels and BadWith are added to bad samples.
	BadLabels flyball.Labels
	BadWith   map[string]float64
}

// Sample returns what the sample number i of the arrival carries: the label
// called name, and the numeric field called name, NaN when it has none.
func (a *Arrival) Sample(i int64) (label func(name string) string, number func(name string) float64) {
	bad := i >= a.Total-a.Bad
	label = func(name string) string {
		if v := a.Series.BadLabels.Get(name); bad && v != "" {
			return v
		}
		return a.Series.Labels.Get(name)
	}
	number = func(name string) float64 {
		if v, ok := a.Series.BadWith[name]; bad && ok {
			return v
		}
		if name == a.Series.Value {
			return a.value(i)
		}
		if v, ok := a.Series.With[name]; ok {
			return v
		}
		return math.NaN()
	}
	return label, number
}

// value returns the value of sample i, to the nearest integer where the ends
// are integers, as durations are.
func (a *Arrival) value(i int64) float64 {
	if a.Total <= 1 || a.From == a.To {
		return a.From
	}
	v := a.From + (a.To-a.From)*float64(i)/float64(a.Total-1)
	if a.From == math.Trunc(a.From) && a.To == math.Trunc(a.To) {
		v = math.Round(v)
	}
	return v
}

// Error is a line that cannot be read.
type Error struct {
	// Line in the text, from 1.
	Line int
	// Message says what is wrong, and what would be right.
	Message string
}

// Error returns the line and the message.
func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Message) }

// Parse reads the input of a scenario.
func Parse(text string, sources []Source) (*Input, error) {
	p := &parser{sources: sources, step: defaultStep, partitions: map[string]int32{}, declared: map[string]bool{}}
	p.bad.BadLabels = flyball.LabelsOf("status.code", "ERROR")
	if len(sources) > 0 {
		p.source = sources[0]
	}
	for _, s := range sources {
		for _, topic := range s.Topics {
			p.partitions[topic] = 1
		}
	}
	if err := p.parse(text); err != nil {
		return nil, err
	}
	slices.SortStableFunc(p.arrivals, func(a, b Arrival) int { return cmp.Compare(a.At, b.At) })
	return &Input{Arrivals: p.arrivals, Partitions: p.partitions}, nil
}

// defaultStep is the event time between two items when a line does not say.
const defaultStep = 10 * time.Second
