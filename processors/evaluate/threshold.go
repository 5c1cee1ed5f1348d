package evaluate

import (
	"math"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/evaluate/threshold"
	"github.com/flyball-io/flyball/processors/histogram"
)

// derived counts the samples of indicators anew, for SLOs that want them counted
// otherwise. It has panes of its own and no windows.
type derived struct {
	*store
	// row returns what a partial pane counts; ok is false for nothing.
	row func(processors.PaneRow) (_ processors.PaneRow, ok bool)
	// labels returns those of the series that counts a row, empty for none; nil is the
	// row's own.
	labels func(processors.PaneRow) string
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
		wanted := func(o *flyball.SLO) bool { return o.Threshold != nil && *o.Threshold == limit }
		st := newStore(spec, cfg, wanted)
		st.silence()
		st.highest, st.sharp = newStore(spec, highest(cfg), wanted), exact(limit)
		st.highest.silence()
		st.highest.mute = true
		// The highest first, so that it has counted what st reports.
		out = append(out, derived{store: st.highest, row: limited(limit, threshold.Most)}, derived{store: st, row: limited(limit, threshold.Good)})
	}
	return out
}

// highest returns the SLOs as those that count what may be good at most. Nothing is
// found by them.
func highest(cfg Config) Config {
	cfg.SLOs = slices.Clone(cfg.SLOs)
	for i := range cfg.SLOs {
		s := &cfg.SLOs[i]
		s.Name += highestSuffix
		s.Tiers, s.ExhaustsWithin = nil, 0
	}
	return cfg
}

// highestSuffix marks a budget as that of what may be good at most; no name of an
// SLO has a space.
const highestSuffix = " highest"

// exact reports whether a threshold is an edge between the buckets of a histogram
// that was not scaled down, on the side that its operator needs. Explicit buckets of a
// sender may still not have it.
func exact(t flyball.Threshold) bool {
	low, high := histogram.BucketOf(t.Value, 5)
	return low == high || high == t.Value && (t.Op == "lte" || t.Op == "gt")
}

// sliHighest returns what the SLI of a budget may be at most, NaN where it is exact.
func (b *budgets) sliHighest(s *sloSeries, at flyball.Time) float64 {
	if b.highest == nil {
		return math.NaN()
	}
	k := s.key
	k.slo += highestSuffix
	other := b.highest.series[k]
	if other == nil {
		return math.NaN()
	}
	budget := other.tracker.Budget(at)
	sli := flyball.SLI(budget.Total, budget.Bad)
	if own := s.tracker.Budget(at); b.sharp && sli == flyball.SLI(own.Total, own.Bad) {
		return math.NaN()
	}
	return sli
}

// limited counts by a threshold what of a partial pane has values.
func limited(t flyball.Threshold, good threshold.Count) func(processors.PaneRow) (processors.PaneRow, bool) {
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
