// Package points turns the distributions that data points of metrics carry into what
// panes count.
package points

import (
	"math"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
)

// Folder folds distributions for one indicator.
type Folder struct {
	value string            // numeric field that is measured, empty for none
	bad   []flyball.Matcher // numeric conditions of bad samples

	// One at a time.
	distribution, other histogram.Histogram
	bounds              []float64
}

// NewFolder returns one for an indicator.
func NewFolder(spec *flyball.Indicator) *Folder {
	f := &Folder{value: spec.Value}
	for _, m := range spec.Bad {
		if m.Numeric() {
			f.bad = append(f.bad, m)
		}
	}
	return f
}

// Measures reports whether a numeric field is one that the buckets of a distribution
// measure.
func Measures(field string) bool {
	return field == flyball.FieldValue || field == flyball.FieldDuration
}

// Add adds the samples of a distribution to a pane. bad says that by all but what they
// measured they are bad ones: of numeric conditions as many are taken to meet them as
// may.
func (f *Folder) Add(p *processors.Pane, d *flyball.Distribution, bad bool) {
	if d.Count == 0 {
		return
	}
	p.Count += int64(d.Count)
	if bad {
		p.Bad += f.badOf(d)
	}
	if unit := unitOf(f.value, d); unit > 0 {
		observe(p, f.histogramOf(d, unit), d, unit)
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
func (f *Folder) badOf(d *flyball.Distribution) int64 {
	n := d.Count
	for i := range f.bad {
		unit := unitOf(f.bad[i].Name, d)
		if unit == 0 {
			if Measures(f.bad[i].Name) {
				return 0 // a duration, and this is none
			}
			continue
		}
		h := f.histogramOf(d, unit)
		if h.Count() == 0 {
			continue // it has no buckets: all of it may be
		}
		n = min(n, possible(h, &f.bad[i]))
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
func (f *Folder) histogramOf(d *flyball.Distribution, unit float64) *histogram.Histogram {
	h := &f.distribution
	h.Reset()
	switch {
	case d.Exponential && unit == 1:
		_ = h.MergeExponential(d.Scale, d.Zero, d.ZeroThreshold, d.PosOffset, d.Pos, d.NegOffset, d.Neg)
	case d.Exponential:
		f.other.Reset()
		if f.other.MergeExponential(d.Scale, d.Zero, d.ZeroThreshold, d.PosOffset, d.Pos, d.NegOffset, d.Neg) == nil {
			for b := range f.other.Buckets() {
				h.AddN(middle(b)*unit, b.Count)
			}
		}
	case len(d.Bounds) > 0:
		f.bounds = f.bounds[:0]
		for _, b := range d.Bounds {
			f.bounds = append(f.bounds, scaled(b, unit))
		}
		_ = h.MergeExplicit(f.bounds, d.Buckets)
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
