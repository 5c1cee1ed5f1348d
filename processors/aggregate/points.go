package aggregate

import (
	"math"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/counter"
	"github.com/flyball-io/flyball/processors/examples"
	"github.com/flyball-io/flyball/processors/points"
)

// foldPoints is fold for data points of metrics.
//
// An indicator without a value counts samples: a point counts as many as it stands
// for. One with a value measures: a point with a distribution is all the samples in
// it, any other is one sample. Numeric conditions of the filter are not met by a
// distribution, and of numeric conditions of `bad` as many of its samples are taken to
// meet them as may. Points of cumulative streams are handed on.
func (ind *indicator) foldPoints(s *Samples, sets LabelSets) {
	for n := sets.Sets(); len(ind.sets) < n; {
		ind.sets = append(ind.sets, setEntry{})
	}
	note := 0
	for i, set := range s.Set {
		e := ind.sets[set]
		if e.series == unresolved {
			e = ind.resolve(set, sets)
		}
		if e.series == excluded || !ind.filter.numbersHold(s, i) {
			continue
		}
		var few examples.Few
		if note = s.Notes.from(note, i); note < len(s.Notes.Row) {
			few = ind.exemplars(s, i, note, e)
		}
		if s.Points.Cumulative[i] {
			ind.forward(s, i, e, &few)
			continue
		}
		if at := s.Points.Distribution[i]; at >= 0 {
			if d := &s.Points.Distributions[at]; d.Count > 0 {
				sl := ind.paneAt(e.series-1, s.Time[i])
				ind.points.Add(&sl.pane, d, e.bad && ind.othersHold(s, i))
				sl.few.Merge(&few)
			}
			continue
		}
		n := int64(1)
		if ind.value < 0 {
			n = s.Points.Weight[i]
		}
		if n == 0 {
			continue
		}
		sl := ind.paneAt(e.series-1, s.Time[i])
		sl.few.Merge(&few)
		p := &sl.pane
		p.Count += n
		if e.bad && ind.bad.numbersHold(s, i) {
			p.Bad += n
		}
		if ind.value >= 0 {
			p.Observe(s.Values[ind.value][i])
		}
	}
}

// paneAt returns the pane of a series that holds t.
func (ind *indicator) paneAt(id int32, t int64) *slice {
	sr := &ind.series[id]
	if sr.last == nil || uint64(t-sr.start) >= uint64(ind.spec.Pane) {
		return ind.pane(id, t)
	}
	return sr.last
}

// othersHold reports whether the numeric conditions of `bad` hold that are not about what
// a distribution measures.
func (ind *indicator) othersHold(s *Samples, row int) bool {
	for i := range ind.bad.numbers {
		c := &ind.bad.numbers[i]
		if !points.Measures(c.Name) && !c.MatchNumber(s.Values[c.column][row]) {
			return false
		}
	}
	return true
}

// total is a point of a cumulative stream, which is handed on as it is: only where its
// stream is seen whole can be told what it adds.
type total struct {
	series int32
	at     flyball.Time
	// Where its examples and it are encoded in indicator.encoded.
	examples, from, to int
}

// forward keeps a point of a cumulative stream, and its exemplars, for the next flush.
func (ind *indicator) forward(s *Samples, row int, e setEntry, few *examples.Few) {
	p := counter.Point{Stream: s.Points.Stream[row], Start: s.Points.Start[row], At: flyball.Time(s.Time[row]), Value: s.Points.Value[row], Bad: e.bad}
	if at := s.Points.Distribution[row]; at >= 0 {
		p.Distribution, p.Value = &s.Points.Distributions[at], math.NaN()
		p.Bad = e.bad && ind.othersHold(s, row)
	} else {
		if ind.value >= 0 {
			p.Value = s.Values[ind.value][row]
		}
		if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) {
			return // it has nothing that the indicator measures
		}
		p.Bad = e.bad && ind.bad.numbersHold(s, row)
	}
	from := len(ind.encoded)
	if !few.Empty() {
		ind.encoded = few.AppendBinary(ind.encoded, p.At.Floor(ind.spec.Pane))
	}
	at := len(ind.encoded)
	ind.encoded = p.AppendBinary(ind.encoded)
	ind.totals = append(ind.totals, total{ind.touch(e.series - 1), p.At, from, at, len(ind.encoded)})
}

// flushTotals writes the points of cumulative streams.
func (ind *indicator) flushTotals(writers []processors.PaneWriter, cut func(partition int32)) {
	for i := range ind.totals {
		t := &ind.totals[i]
		sr := &ind.series[t.series]
		w := &writers[sr.partition]
		w.Append(processors.PaneRow{
			Indicator: ind.spec.Name, Entity: sr.entity, Labels: sr.labels, Start: t.at.Floor(ind.spec.Pane),
			Min: math.Inf(1), Max: math.Inf(-1), Point: ind.encoded[t.from:t.to:t.to],
			Examples: ind.encoded[t.examples:t.from:t.from],
		})
		if w.Size() >= processors.MaxBlock {
			cut(sr.partition)
		}
	}
}
