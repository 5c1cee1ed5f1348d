package evaluate

import (
	"math"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
)

// derived counts the samples of indicators anew, for SLOs that want them counted
// otherwise. It has panes of its own and no windows.
type derived struct {
	*store
	// row returns what a partial pane counts; ok is false for nothing.
	row func(processors.PaneRow) (_ processors.PaneRow, ok bool)
}

// thresholds returns a store for every threshold that SLOs have on an indicator.
func thresholds(spec flyball.Indicator, cfg Config) []derived {
	var out []derived
	var have []flyball.Threshold
	for i := range cfg.SLOs {
		s := &cfg.SLOs[i]
		if s.Indicator != spec.Name || s.Threshold == nil || slices.Contains(have, *s.Threshold) {
			continue
		}
		limit := *s.Threshold
		have = append(have, limit)
		st := newStore(spec, cfg, func(o *flyball.SLO) bool { return o.Threshold != nil && *o.Threshold == limit })
		st.silent = true
		out = append(out, derived{st, limited(limit)})
	}
	return out
}

// limited counts by a threshold what of a partial pane has values.
func limited(t flyball.Threshold) func(processors.PaneRow) (processors.PaneRow, bool) {
	return func(r processors.PaneRow) (processors.PaneRow, bool) {
		var h histogram.Histogram
		if len(r.Hist) == 0 || h.MergeBinary(r.Hist) != nil || h.Count() == 0 {
			return r, false
		}
		r.Count = int64(h.Count())
		r.Bad = r.Count - int64(good(&h, t))
		return counted(r), true
	}
}

// counted returns a row without its values.
func counted(r processors.PaneRow) processors.PaneRow {
	r.Hist, r.Sum, r.Min, r.Max = nil, processors.Sum{}, math.Inf(1), math.Inf(-1)
	return r
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
