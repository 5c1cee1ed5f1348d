package evaluate

import (
	"math"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
)

// threshold counts the samples of an indicator anew, good or bad by their value,
// for the SLOs that want that. It has panes of its own and no windows.
type threshold struct {
	*store
	flyball.Threshold
}

// thresholds returns a store for every threshold that SLOs have on an indicator.
func thresholds(spec flyball.Indicator, cfg Config) []*threshold {
	var out []*threshold
	for i := range cfg.SLOs {
		s := &cfg.SLOs[i]
		if s.Indicator != spec.Name || s.Threshold == nil || slices.ContainsFunc(out, func(t *threshold) bool { return t.Threshold == *s.Threshold }) {
			continue
		}
		limit := *s.Threshold
		st := newStore(spec, cfg, func(o *flyball.SLO) bool { return o.Threshold != nil && *o.Threshold == limit })
		out = append(out, &threshold{st, limit})
	}
	return out
}

// row returns what a partial pane counts by the threshold; ok is false where it has
// no values.
func (t *threshold) row(r processors.PaneRow) (_ processors.PaneRow, ok bool) {
	var h histogram.Histogram
	if len(r.Hist) == 0 || h.MergeBinary(r.Hist) != nil || h.Count() == 0 {
		return r, false
	}
	r.Count = int64(h.Count())
	r.Bad = r.Count - int64(good(&h, t.Threshold))
	r.Hist, r.Sum = nil, processors.Sum{}
	r.Min, r.Max = math.Inf(1), math.Inf(-1)
	return r, true
}

// good returns how many values are good for certain.
func good(h *histogram.Histogram, t flyball.Threshold) uint64 {
	lower, upper := h.CountBelow(t.Value)
	// A bucket holds its upper edge and not the lower one: where the threshold is an
	// edge, what is in the bucket is not above it, and all but the edge is below.
	_, edge := histogram.BucketOf(t.Value, h.Scale())
	switch {
	case t.Op == "lte" && edge == t.Value:
		return upper
	case t.Op == "lte" || t.Op == "lt":
		return lower
	}
	return h.Count() - upper
}
