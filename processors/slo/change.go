package slo

import (
	"time"

	"github.com/flyball-io/flyball"
)

// NextChange returns the first pane edge after at, which is one too, where what is
// to be said of the tiers may change by itself, without more samples: because
// samples leave a window of a tier that is not quiet, a slice of time is finished,
// or a window becomes empty and that means something. It returns false when there
// is none. It may name an edge at which nothing changes after all, but it passes
// over none at which something does.
func (t *Tracker) NextChange(at flyball.Time) (edge flyball.Time, ok bool) {
	end := t.floor(at)
	sooner := func(e flyball.Time) {
		e = e.Add(t.pane - 1).Floor(t.pane)
		if e > at && (!ok || e < edge) {
			edge, ok = e, true
		}
	}
	if end != at && t.rings[0].at(end) != (counts{}) || t.countsMissing() && t.Active(at) {
		sooner(end.Add(t.unit))
	}
	for _, r := range t.tiers {
		total, bad := t.Sum(at, r.short)
		if t.held && bad > 0 {
			sooner(at + 1) // how long it has burnt grows
		}
		if bad == 0 && !(total == 0 && t.spec.NoData == flyball.NoDataBad) {
			continue
		}
		for _, window := range [...]time.Duration{r.short, r.long} {
			if e, any := t.leaves(end, window); any {
				sooner(e)
			}
		}
	}
	if t.spec.NoData == flyball.NoDataBad && t.Missing(at) {
		sooner(at + 1) // the longer it is silent, the more is bad
	}
	t.silences(at, sooner)
	if t.exclusions != nil && t.Active(at) {
		t.boundaries(at, sooner)
	}
	return edge, ok
}

// leaves returns when the first samples of [end − window, end) begin to leave that
// window, as it goes on.
func (t *Tracker) leaves(end flyball.Time, window time.Duration) (flyball.Time, bool) {
	i := t.ringFor(window)
	r := &t.rings[i]
	from := end.Add(-window)
	start, ok := r.first(from.Floor(r.width))
	if !ok || start >= end {
		return 0, false
	}
	if i == 0 { // a slice leaves as a whole
		return start.Add(r.width + window), true
	}
	return max(start.Add(window), end) + 1, true // bit by bit
}

// silences reports the edges at which windows become empty.
func (t *Tracker) silences(at flyball.Time, found func(flyball.Time)) {
	var ends [len("fmc")]flyball.Time // of the last slice with samples, by ring
	for i := range t.rings {
		ends[i] = flyball.NoTime
		if start, ok := t.rings[i].last(at); ok {
			ends[i] = start.Add(t.rings[i].width)
		}
	}
	empty := func(window time.Duration) {
		end := ends[t.ringFor(window)]
		if end == flyball.NoTime {
			return
		}
		end = end.Add(window)
		found(end)
		if t.rings[0].weigh != nil { // sums end at the last finished slice
			found(end.Add(t.unit - 1).Floor(t.unit))
		}
	}
	empty(t.longest)
	if t.spec.NoData == flyball.NoDataGood {
		return
	}
	for _, r := range t.tiers {
		empty(r.short)
		empty(r.long)
	}
}
