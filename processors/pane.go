package processors

import (
	"math"

	"github.com/flyball-io/flyball/processors/histogram"
)

// Pane is the mergeable aggregate of one slice of event time of one series.
// Make one with NewPane, or Reset a used one.
type Pane struct {
	// Count of samples, and how many of them were bad.
	Count, Bad int64
	// Sum, Min and Max of the value, over the samples that have one.
	Sum      Sum
	Min, Max float64
	// Hist holds the values' distribution; its count is the number of samples
	// that have a value.
	Hist histogram.Histogram
}

// NewPane returns an empty pane.
func NewPane() *Pane {
	p := new(Pane)
	p.Reset()
	return p
}

// Reset empties p and keeps its memory.
func (p *Pane) Reset() {
	p.Count, p.Bad, p.Sum = 0, 0, Sum{}
	p.Min, p.Max = math.Inf(1), math.Inf(-1)
	p.Hist.Reset()
}

// MaxMagnitude bounds the values that are measured: no sum of 2^63 of them
// overflows.
const MaxMagnitude = 0x1p957

// Observe adds the value of a sample. NaN, infinities and what is beyond
// MaxMagnitude are no values and change nothing.
func (p *Pane) Observe(v float64) {
	if !(math.Abs(v) <= MaxMagnitude) || !p.Hist.Add(v) {
		return
	}
	p.Sum.Add(v)
	if v < p.Min {
		p.Min = v
	}
	if v > p.Max {
		p.Max = v
	}
}

// Merge adds another pane.
func (p *Pane) Merge(o *Pane) {
	p.mergeScalars(o.Count, o.Bad, o.Sum, o.Min, o.Max)
	p.Hist.Merge(&o.Hist)
}

// MergeRow adds a partial pane from the wire. It fails on a row that is not
// valid or whose histogram does not decode, and then changes nothing.
func (p *Pane) MergeRow(r PaneRow) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if len(r.Hist) > 0 {
		if err := p.Hist.MergeBinary(r.Hist); err != nil {
			return err
		}
	}
	p.mergeScalars(r.Count, r.Bad, r.Sum, r.Min, r.Max)
	return nil
}

func (p *Pane) mergeScalars(count, bad int64, sum Sum, lo, hi float64) {
	p.Count += count
	p.Bad += bad
	p.Sum.Merge(sum)
	p.Min = math.Min(p.Min, lo)
	p.Max = math.Max(p.Max, hi)
}
