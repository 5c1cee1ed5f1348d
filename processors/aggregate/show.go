package aggregate

import (
	"math"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/examples"
	"github.com/flyball-io/flyball/processors/points"
)

// show keeps of a run of samples that was folded those that best show what is in their
// panes: by their traces, and by the texts of log records.
func (ind *indicator) show(s *Samples) {
	if len(s.Traces) > 0 {
		ind.showTraces(s)
	}
	for n, row := range s.Notes.Row {
		i := int(row)
		e := ind.sets[s.Set[i]]
		if e.series == excluded || !ind.filter.numbersHold(s, i) {
			continue
		}
		bad := e.bad && ind.bad.numbersHold(s, i)
		value := ind.valueAt(s, i)
		sl := ind.shownIn(e.series-1, s.Time[i])
		if sl == nil || !sl.few.Wants(bad, value) {
			continue
		}
		text := s.Notes.Text[n]
		sl.few.Add(&examples.Example{
			Bad: bad, Value: value, At: flyball.Time(s.Time[i]), Trace: s.Notes.Trace[n],
			Text: string(text), Hash: examples.TextHash(text),
		})
	}
}

// showTraces looks at every sample that has a trace: all but a few are passed over at
// the cost of a comparison.
func (ind *indicator) showTraces(s *Samples) {
	var values []float64
	if ind.value >= 0 {
		values = s.Values[ind.value]
	}
	width := uint64(ind.spec.Pane)
	filtered := len(ind.filter.numbers) > 0
	for i := range s.Traces {
		e := ind.sets[s.Set[i]]
		if e.series == excluded || values == nil && !e.bad || filtered && !ind.filter.numbersHold(s, i) {
			continue
		}
		bad := e.bad && ind.bad.numbersHold(s, i)
		value := math.NaN()
		if values != nil {
			value = values[i]
		}
		sr := &ind.series[e.series-1]
		sl := sr.last
		if t := s.Time[i]; sl == nil || uint64(t-sr.start) >= width {
			if sl = ind.shownIn(e.series-1, t); sl == nil {
				continue
			}
		}
		if !sl.few.Wants(bad, value) || s.Traces[i] == [16]byte{} {
			continue
		}
		sl.few.Add(&examples.Example{
			Bad: bad, Value: value, At: flyball.Time(s.Time[i]), Trace: s.Traces[i], Hash: examples.TraceHash(s.Traces[i]),
		})
	}
}

// shownIn returns the pane of a series that holds t, nil when its samples went to the
// overflow series, of which there is nothing to show.
func (ind *indicator) shownIn(id int32, t int64) *slice {
	sr := &ind.series[id]
	return sr.find(int64(flyball.Time(t).Floor(ind.spec.Pane)))
}

// valueAt returns what the indicator measures of a sample, NaN for nothing.
func (ind *indicator) valueAt(s *Samples, row int) float64 {
	if ind.value < 0 {
		return math.NaN()
	}
	return s.Values[ind.value][row]
}

// from returns the place of the first note, not before at, that is about row or one after
// it; of those the first about row, or else how many there are.
func (n *Notes) from(at, row int) int {
	for at < len(n.Row) && int(n.Row[at]) < row {
		at++
	}
	return at
}

// exemplars returns what is to be shown of the exemplars of a data point, of which the
// first is number note. Of a distribution each has the value that was measured; a point
// with a number is one value, and its exemplars show where that comes from.
func (ind *indicator) exemplars(s *Samples, row, note int, e setEntry) (few examples.Few) {
	for n := note; n < len(s.Notes.Row) && int(s.Notes.Row[n]) == row; n++ {
		value := math.NaN()
		if ind.value >= 0 && points.Measures(ind.spec.Value) {
			value = s.Notes.measured(n, ind.spec.Value)
		}
		at := s.Notes.At[n]
		if at == 0 {
			at = flyball.Time(s.Time[row])
		}
		few.Add(&examples.Example{
			Bad: e.bad && ind.othersHold(s, row) && ind.measuredHold(s, n), Value: value, At: at,
			Trace: s.Notes.Trace[n], Hash: examples.TraceHash(s.Notes.Trace[n]),
		})
	}
	return few
}

// measured returns the value of an exemplar as a numeric field has it, NaN where it has
// none.
func (n *Notes) measured(at int, field string) float64 {
	if field == flyball.FieldValue {
		return n.Value[at]
	}
	if n.Nanos[at] == 0 {
		return math.NaN()
	}
	return n.Value[at] * n.Nanos[at]
}

// measuredHold reports whether an exemplar meets the conditions of `bad` on what it
// measured.
func (ind *indicator) measuredHold(s *Samples, note int) bool {
	for i := range ind.bad.numbers {
		c := &ind.bad.numbers[i]
		if points.Measures(c.Name) && !c.MatchNumber(s.Notes.measured(note, c.Name)) {
			return false
		}
	}
	return true
}
