package aggregate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
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

	sets    []setEntry
	scratch []string
	series  []*series
	byKey   map[string]int32
	touched []*series
	free    []*slice
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
	entity, labels string
	partition      int32
	panes          []*slice
	touched        bool
}

// slice is one pane and where it starts.
type slice struct {
	start int64
	pane  processors.Pane
}

func newIndicator(spec flyball.Indicator, cfg Config) (*indicator, error) {
	ind := &indicator{
		spec: spec, partitions: cfg.Partitions, value: -1, byKey: map[string]int32{},
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

func (ind *indicator) forgetSets() {
	clear(ind.sets)
	ind.sets = ind.sets[:0]
}

// fold adds a run of samples. Each is looked at once; the branch on numeric
// conditions is the same for a whole run and predicts well.
func (ind *indicator) fold(s *Samples, sets LabelSets) {
	for n := sets.Sets(); len(ind.sets) < n; {
		ind.sets = append(ind.sets, setEntry{})
	}
	var values []float64
	if ind.value >= 0 {
		values = s.Values[ind.value]
	}
	width := int64(ind.spec.Pane)
	for i, set := range s.Set {
		e := ind.sets[set]
		if e.series == unresolved {
			e = ind.resolve(set, sets)
		}
		if e.series == excluded || !ind.filter.numbersHold(s, i) {
			continue
		}
		sr := ind.series[e.series-1]
		var p *processors.Pane
		t := s.Time[i]
		if n := len(sr.panes); n > 0 && uint64(t-sr.panes[n-1].start) < uint64(width) {
			p = &sr.panes[n-1].pane
		} else {
			p = ind.pane(sr, t)
		}
		p.Count++
		if e.bad && ind.bad.numbersHold(s, i) {
			p.Bad++
		}
		if values != nil {
			p.Observe(values[i])
		}
	}
}

// pane finds or opens the pane that holds t and moves it to the end, where the
// next sample is most likely to look.
func (ind *indicator) pane(sr *series, t int64) *processors.Pane {
	start := int64(flyball.Time(t).Floor(ind.spec.Pane))
	for i, sl := range sr.panes {
		if sl.start == start {
			last := len(sr.panes) - 1
			sr.panes[i], sr.panes[last] = sr.panes[last], sr.panes[i]
			return &sl.pane
		}
	}
	if !sr.touched {
		sr.touched = true
		ind.touched = append(ind.touched, sr)
	}
	sl := ind.newSlice()
	sl.start = start
	sr.panes = append(sr.panes, sl)
	return &sl.pane
}

func (ind *indicator) newSlice() *slice {
	if n := len(ind.free); n > 0 {
		sl := ind.free[n-1]
		ind.free = ind.free[:n-1]
		return sl
	}
	sl := new(slice)
	sl.pane.Reset()
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
	slices.SortFunc(labels, func(a, b flyball.Label) int { return strings.Compare(a.Name, b.Name) })
	key := labels.JSON()
	if id, ok := ind.byKey[key]; ok {
		return id
	}
	if len(ind.series) >= ind.spec.SeriesLimit {
		return ind.overflow()
	}
	return ind.addSeries(key, labels.Get(ind.spec.Entity))
}

// overflow returns the series that takes what is beyond the limit.
func (ind *indicator) overflow() int32 {
	labels := make(flyball.Labels, 0, len(ind.group))
	for _, name := range ind.spec.GroupBy {
		labels = append(labels, flyball.Label{Name: name, Value: flyball.OverflowValue})
	}
	slices.SortFunc(labels, func(a, b flyball.Label) int { return strings.Compare(a.Name, b.Name) })
	key := labels.JSON()
	if id, ok := ind.byKey[key]; ok {
		return id
	}
	return ind.addSeries(key, flyball.OverflowValue)
}

func (ind *indicator) addSeries(key, entity string) int32 {
	id := int32(len(ind.series))
	ind.series = append(ind.series, &series{
		entity: entity, labels: key, partition: processors.PartitionOf(entity, ind.partitions),
	})
	ind.byKey[key] = id
	return id
}

// flush writes every pane touched since the last flush and empties them.
func (ind *indicator) flush(writers []processors.PaneWriter, arena []byte, cut func(partition int32)) []byte {
	for _, sr := range ind.touched {
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
			w := &writers[sr.partition]
			if w.Append(row); w.Size() >= processors.MaxBlock {
				cut(sr.partition)
			}
		}
	}
	ind.drop()
	return arena
}

// drop empties every pane touched and keeps its memory.
func (ind *indicator) drop() {
	for _, sr := range ind.touched {
		for _, sl := range sr.panes {
			sl.pane.Reset()
			ind.free = append(ind.free, sl)
		}
		clear(sr.panes)
		sr.panes, sr.touched = sr.panes[:0], false
	}
	ind.touched = ind.touched[:0]
}
