package aggregate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/examples"
	"github.com/flyball-io/flyball/processors/points"
)

// indicator folds the samples of one indicator.
//
// Everything that depends on labels only (does the filter let it in, is it bad,
// which series) is worked out once per label set and kept in sets, a slab
// indexed by the set's id. What is left per sample are numeric conditions and
// the pane.
type indicator struct {
	spec       flyball.Indicator
	partitions int32
	value      int // column of the value, -1 for none
	group      []int
	filter     conditions
	bad        conditions

	sets     []setEntry
	scratch  []string
	series   []series
	byKey    map[string]int32
	overflow int32 // place of the overflow series, -1 while there is none
	touched  []int32
	free     []*slice

	limited int64 // samples beyond the series limit since the last flush

	// For data points of metrics.
	points  *points.Folder
	totals  []total // since the last flush
	encoded []byte
}

// setEntry is what is known of a label set.
type setEntry struct {
	series int32 // unresolved, excluded, or 1 + place in indicator.series
	bad    bool  // the label conditions of `bad` hold
}

const (
	unresolved = 0
	excluded   = -1
)

// series is one series that this member has seen, and its panes since the last
// flush.
type series struct {
	start          int64  // of last
	last           *slice // the pane of the sample before; nil for none
	panes          []*slice
	index          map[int64]*slice // by start, once there are many
	entity, labels string
	partition      int32
	touched        bool
}

// slice is one pane and where it starts.
type slice struct {
	start int64
	pane  processors.Pane
	few   examples.Few
}

func newIndicator(spec flyball.Indicator, cfg Config) (*indicator, error) {
	ind := &indicator{
		spec: spec, partitions: cfg.Partitions, value: -1, byKey: map[string]int32{}, overflow: -1,
		points: points.NewFolder(&spec),
	}
	if spec.Value != "" {
		if ind.value = slices.Index(cfg.Values, spec.Value); ind.value < 0 {
			return nil, fmt.Errorf("no value column %q", spec.Value)
		}
	}
	for _, name := range spec.GroupBy {
		c := slices.Index(cfg.Labels, name)
		if c < 0 {
			return nil, fmt.Errorf("no label column %q", name)
		}
		ind.group = append(ind.group, c)
	}
	var err error
	if ind.filter, err = newConditions(spec.Filter, cfg); err != nil {
		return nil, err
	}
	ind.bad, err = newConditions(spec.Bad, cfg)
	return ind, err
}

// forget drops what is known of label sets, whose ids are given out anew, and of
// the series behind them, so that series which are gone do not pile up. Series
// with samples that are not flushed stay.
func (ind *indicator) forget() {
	clear(ind.sets)
	ind.sets = ind.sets[:0]
	if len(ind.touched) > 0 {
		return
	}
	clear(ind.series)
	ind.series = ind.series[:0]
	clear(ind.byKey)
	ind.overflow = -1
}

// fold adds a run of samples. Each is looked at once; the branch on numeric
// conditions is the same for a whole run and predicts well.
func (ind *indicator) fold(s *Samples, sets LabelSets) {
	for n := sets.Sets(); len(ind.sets) < n; {
		ind.sets = append(ind.sets, setEntry{})
	}
	var values []float64
	if ind.value >= 0 {
		values = s.Values[ind.value][:len(s.Set)]
	}
	times := s.Time[:len(s.Set)]
	width := uint64(ind.spec.Pane)
	filtered := len(ind.filter.numbers) > 0
	for i, set := range s.Set {
		e := ind.sets[set]
		if e.series == unresolved {
			e = ind.resolve(set, sets)
		}
		if e.series == excluded || filtered && !ind.filter.numbersHold(s, i) {
			continue
		}
		sr := &ind.series[e.series-1]
		sl := sr.last
		if t := times[i]; sl == nil || uint64(t-sr.start) >= width {
			sl = ind.pane(e.series-1, t)
		}
		p := &sl.pane
		p.Count++
		if e.bad && ind.bad.numbersHold(s, i) {
			p.Bad++
		}
		if values != nil {
			p.Observe(values[i])
		}
	}
}

// pane finds or opens the pane of a series that holds t, and remembers it for the
// next sample. A transaction takes so many series; the samples of more go to the
// overflow series.
func (ind *indicator) pane(id int32, t int64) *slice {
	sr := &ind.series[ind.touch(id)]
	start := int64(flyball.Time(t).Floor(ind.spec.Pane))
	sl := sr.find(start)
	if sl == nil {
		sl = ind.newSlice(start)
		sr.add(sl)
	}
	sr.start, sr.last = start, sl
	return sr.last
}

// touch makes a series one of the transaction, and returns it or, where that is one too
// many, the overflow series.
func (ind *indicator) touch(id int32) int32 {
	if ind.series[id].touched {
		return id
	}
	if limit := ind.spec.SeriesLimit; limit > 0 && len(ind.touched) >= limit && id != ind.overflow {
		ind.limited++
		return ind.touch(ind.overflowSeries())
	}
	ind.series[id].touched = true
	ind.touched = append(ind.touched, id)
	return id
}

// manyPanes is how many panes of a series are looked through one by one. More
// come of telemetry that catches up, or of senders whose clocks tell nothing.
const manyPanes = 16

func (sr *series) find(start int64) *slice {
	if sr.index != nil {
		return sr.index[start]
	}
	for _, sl := range sr.panes {
		if sl.start == start {
			return sl
		}
	}
	return nil
}

func (sr *series) add(sl *slice) {
	sr.panes = append(sr.panes, sl)
	if sr.index == nil && len(sr.panes) > manyPanes {
		sr.index = map[int64]*slice{}
		for _, old := range sr.panes {
			sr.index[old.start] = old
		}
	} else if sr.index != nil {
		sr.index[sl.start] = sl
	}
}

func (ind *indicator) newSlice(start int64) *slice {
	n := len(ind.free)
	if n == 0 {
		sl := &slice{start: start}
		sl.pane.Reset()
		return sl
	}
	sl := ind.free[n-1]
	ind.free = ind.free[:n-1]
	sl.start = start
	return sl
}

// resolve works out what a label set means to this indicator.
func (ind *indicator) resolve(set uint32, sets LabelSets) setEntry {
	ind.scratch = sets.Values(set, ind.scratch[:0])
	e := setEntry{series: excluded}
	if ind.filter.labelsHold(ind.scratch) {
		e.series = 1 + ind.seriesOf(ind.scratch)
		e.bad = len(ind.spec.Bad) > 0 && ind.bad.labelsHold(ind.scratch)
	}
	ind.sets[set] = e
	return e
}

func (ind *indicator) seriesOf(values []string) int32 {
	labels := make(flyball.Labels, 0, len(ind.group))
	for i, c := range ind.group {
		if values[c] != "" {
			labels = append(labels, flyball.Label{Name: ind.spec.GroupBy[i], Value: values[c]})
		}
	}
	return ind.add(labels)
}

// overflowSeries returns the series that takes what is beyond the limit.
func (ind *indicator) overflowSeries() int32 {
	if ind.overflow < 0 {
		labels := make(flyball.Labels, 0, len(ind.group))
		for _, name := range ind.spec.GroupBy {
			labels = append(labels, flyball.Label{Name: name, Value: flyball.OverflowValue})
		}
		ind.overflow = ind.add(labels)
	}
	return ind.overflow
}

// add returns the place of the series with these labels, new or not.
func (ind *indicator) add(labels flyball.Labels) int32 {
	slices.SortFunc(labels, func(a, b flyball.Label) int { return strings.Compare(a.Name, b.Name) })
	key := labels.JSON()
	if id, ok := ind.byKey[key]; ok {
		return id
	}
	entity := labels.Get(ind.spec.Entity)
	id := int32(len(ind.series))
	ind.series = append(ind.series, series{
		entity: strings.Clone(entity), labels: key, partition: processors.PartitionOf(entity, ind.partitions),
	})
	ind.byKey[key] = id
	return id
}

// flush writes every pane touched since the last flush and empties them. It calls
// cut for a partition whose writer is full.
func (ind *indicator) flush(writers []processors.PaneWriter, arena []byte, cut func(partition int32)) []byte {
	for _, id := range ind.touched {
		sr := &ind.series[id]
		slices.SortFunc(sr.panes, func(a, b *slice) int { return cmp.Compare(a.start, b.start) })
		for _, sl := range sr.panes {
			p := &sl.pane
			row := processors.PaneRow{
				Indicator: ind.spec.Name, Entity: sr.entity, Labels: sr.labels,
				Start: flyball.Time(sl.start), Count: p.Count, Bad: p.Bad,
				Sum: p.Sum, Min: p.Min, Max: p.Max,
			}
			if p.Hist.Count() > 0 {
				from := len(arena)
				arena = p.Hist.AppendBinary(arena)
				row.Hist = arena[from:len(arena):len(arena)]
			}
			if !sl.few.Empty() {
				sl.few.Redact()
				from := len(arena)
				arena = sl.few.AppendBinary(arena, row.Start)
				row.Examples = arena[from:len(arena):len(arena)]
			}
			w := &writers[sr.partition]
			if w.Append(row); w.Size() >= processors.MaxBlock {
				cut(sr.partition)
			}
		}
	}
	ind.flushTotals(writers, cut)
	ind.drop()
	return arena
}

// spare is how many empty panes are kept at least; beyond, it is twice what the
// last transaction took, so that a flood of series is not paid for for ever.
const spare = 64

// drop empties every pane touched and keeps its memory.
func (ind *indicator) drop() {
	used := 0
	for _, id := range ind.touched {
		sr := &ind.series[id]
		used += len(sr.panes)
		for _, sl := range sr.panes {
			sl.pane.Reset()
			sl.few = examples.Few{}
			ind.free = append(ind.free, sl)
		}
		clear(sr.panes)
		sr.panes, sr.index, sr.last, sr.touched = sr.panes[:0], nil, nil, false
	}
	ind.touched = ind.touched[:0]
	ind.totals, ind.encoded = ind.totals[:0], ind.encoded[:0]
	if most := 2*used + spare; len(ind.free) > most {
		clear(ind.free[most:])
		ind.free = ind.free[:most]
	}
}
