package aggregate

import (
	"math"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
)

// foldPoints is fold for data points of metrics.
//
// An indicator without a value counts samples: a point counts as many as it stands
// for. One with a value measures: a point with a distribution is all the samples in
// it, any other is one sample. Numeric conditions of the filter are not met by a
// distribution, and of numeric conditions of `bad` as many of its samples are taken to
// meet them as may.
func (ind *indicator) foldPoints(s *Samples, sets LabelSets) {
	for n := sets.Sets(); len(ind.sets) < n; {
		ind.sets = append(ind.sets, setEntry{})
	}
	for i, set := range s.Set {
		if s.Points.Cumulative[i] {
			continue
		}
		e := ind.sets[set]
		if e.series == unresolved {
			e = ind.resolve(set, sets)
		}
		if e.series == excluded || !ind.filter.numbersHold(s, i) {
			continue
		}
		if at := s.Points.Distribution[i]; at >= 0 {
			ind.foldDistribution(s, i, &s.Points.Distributions[at], e)
			continue
		}
		n := int64(1)
		if ind.value < 0 {
			n = s.Points.Weight[i]
		}
		if n == 0 {
			continue
		}
		p := ind.paneAt(e.series-1, s.Time[i])
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
func (ind *indicator) paneAt(id int32, t int64) *processors.Pane {
	sr := &ind.series[id]
	if sr.last == nil || uint64(t-sr.start) >= uint64(ind.spec.Pane) {
		return ind.pane(id, t)
	}
	return sr.last
}

func (ind *indicator) foldDistribution(s *Samples, row int, d *flyball.Distribution, e setEntry) {
	if d.Count == 0 {
		return
	}
	p := ind.paneAt(e.series-1, s.Time[row])
	p.Count += int64(d.Count)
	if e.bad {
		p.Bad += ind.badOf(s, row, d)
	}
	if ind.value < 0 {
		return
	}
	if unit := unitOf(ind.spec.Value, d); unit > 0 {
		observe(p, ind.histogramOf(d, unit), d, unit)
	}
}

// unitOf returns by what the numbers of a distribution are multiplied to be those of a
// numeric field, 0 where they are not.
func unitOf(field string, d *flyball.Distribution) float64 {
	switch field {
	case flyball.FieldValue:
		return 1
	case flyball.FieldDuration:
		return d.Nanos
	}
	return 0
}

// badOf returns how many samples of a distribution are bad, or may be: what is not
// known to be good counts as bad.
func (ind *indicator) badOf(s *Samples, row int, d *flyball.Distribution) int64 {
	n := d.Count
	for i := range ind.bad.numbers {
		c := &ind.bad.numbers[i]
		unit := unitOf(c.Name, d)
		if unit == 0 {
			if !c.MatchNumber(s.Values[c.column][row]) {
				return 0
			}
			continue
		}
		h := ind.histogramOf(d, unit)
		if h.Count() == 0 {
			continue // it has no buckets: all of it may be
		}
		n = min(n, possible(h, &c.Matcher))
	}
	return int64(n)
}

// possible returns how many values may meet a comparison.
func possible(h *histogram.Histogram, m *flyball.Matcher) uint64 {
	switch m.Op {
	case flyball.MatchLess:
		_, upper := h.CountLess(m.Number)
		return upper
	case flyball.MatchLessEqual:
		_, upper := h.CountAtMost(m.Number)
		return upper
	case flyball.MatchGreater:
		lower, _ := h.CountAtMost(m.Number)
		return h.Count() - lower
	}
	lower, _ := h.CountLess(m.Number)
	return h.Count() - lower
}

// histogramOf returns the histogram of a distribution in a unit; it is valid until the
// next call. Exponential buckets in the sender's unit merge without loss; in another
// one each goes where its middle is, which is off by half a bucket at most. It is empty
// when there are no buckets, or none that make sense.
func (ind *indicator) histogramOf(d *flyball.Distribution, unit float64) *histogram.Histogram {
	h := &ind.distribution
	h.Reset()
	switch {
	case d.Exponential && unit == 1:
		_ = h.MergeExponential(d.Scale, d.Zero, d.ZeroThreshold, d.PosOffset, d.Pos, d.NegOffset, d.Neg)
	case d.Exponential:
		ind.other.Reset()
		if ind.other.MergeExponential(d.Scale, d.Zero, d.ZeroThreshold, d.PosOffset, d.Pos, d.NegOffset, d.Neg) == nil {
			for b := range ind.other.Buckets() {
				h.AddN(middle(b)*unit, b.Count)
			}
		}
	case len(d.Bounds) > 0:
		ind.bounds = ind.bounds[:0]
		for _, b := range d.Bounds {
			ind.bounds = append(ind.bounds, scaled(b, unit))
		}
		_ = h.MergeExplicit(ind.bounds, d.Buckets)
	}
	return h
}

// middle returns the value that stands for a bucket: equally far in relative terms
// from its edges.
func middle(b histogram.Bucket) float64 {
	if b.Lower <= 0 && b.Upper >= 0 {
		return 0
	}
	m := 2 * (b.Lower / (b.Lower + b.Upper)) * b.Upper
	if math.IsNaN(m) || math.IsInf(m, 0) {
		return max(min(b.Lower, math.MaxFloat64), -math.MaxFloat64)
	}
	return m
}

// scaled returns a number in another unit. 0.3 s is 300 ms and not a little less.
func scaled(v, unit float64) float64 {
	v *= unit
	if whole := math.Round(v); unit != 1 && math.Abs(v-whole) <= 1e-9*math.Abs(v) {
		return whole
	}
	return v
}

// observe adds the values of a distribution to a pane. What the sender does not say
// of their sum and extremes is taken from the buckets.
func observe(p *processors.Pane, h *histogram.Histogram, d *flyball.Distribution, unit float64) {
	if h.Count() == 0 || !p.Hist.Merge(h) {
		return
	}
	sum, low, high := scaled(d.Sum, unit), scaled(d.Min, unit), scaled(d.Max, unit)
	total, lowest, highest := estimate(h)
	if math.IsNaN(sum) {
		sum = total
	}
	if math.IsNaN(low) {
		low = lowest
	}
	if math.IsNaN(high) {
		high = highest
	}
	if math.Abs(sum) <= processors.MaxMagnitude {
		p.Sum.Add(sum)
	}
	p.Min, p.Max = min(p.Min, low), max(p.Max, high)
}

// estimate returns about what the values add up to, as if each were in the middle of
// its bucket, and the finite edges around them.
func estimate(h *histogram.Histogram) (sum, lowest, highest float64) {
	lowest, highest = math.Inf(1), math.Inf(-1)
	for b := range h.Buckets() {
		switch {
		case math.IsInf(b.Upper, 1):
			b.Upper = max(b.Lower, 0)
			b.Lower = b.Upper
		case math.IsInf(b.Lower, -1):
			b.Lower = min(b.Upper, 0)
		}
		sum += (b.Lower/2 + b.Upper/2) * float64(b.Count)
		lowest, highest = min(lowest, b.Lower), max(highest, b.Upper)
	}
	return sum, lowest, highest
}
