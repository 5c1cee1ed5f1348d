package slo

import (
	"slices"
	"time"

	"github.com/flyball-io/flyball"
)

// Tracker holds the counts of one SLO series. It changes in place; Abort takes
// changes back. What it counts are samples or, where the SLO's budget is one of
// slices of time, finished slices (thousand-millionths of them for
// RatioTimeslices).
type Tracker struct {
	spec    flyball.SLO
	unit    time.Duration // width of the finest slices
	pane    time.Duration
	tiers   []reach
	longest time.Duration // window of a tier
	held    bool          // a tier waits before it fires
	rings   []ring        // finest first
	periods periods
	// exclusions are shared by trackers, and no part of the state.
	exclusions *Exclusions
	stale      []string // keys of what a predecessor kept and this one does not
}

// reach is how far the two windows of a tier look back.
type reach struct{ short, long time.Duration }

// NewTracker returns an empty tracker for an SLO whose indicator has panes of
// this width. Panes are kept as far back as least, at least. The windows of its
// tiers should be multiples of the pane (of the slice, where the SLO counts
// those); one that is not reaches back to the start of the one in which it begins.
func NewTracker(s flyball.SLO, pane, least time.Duration) *Tracker {
	t := &Tracker{spec: s, pane: pane, unit: unitOf(&s, pane), longest: max(pane, least)}
	for _, tier := range s.Tiers {
		t.tiers = append(t.tiers, reach{min(tier.Long, tier.Short), max(tier.Long, tier.Short)})
		t.longest = max(t.longest, tier.Long, tier.Short)
		t.held = t.held || tier.After > 0
	}
	t.rings = layout(&s, t.unit, least)
	t.periods.calendar = s.Calendar
	return t
}

// ExclusionsOf returns the exclusions of an SLO, for all its trackers.
func ExclusionsOf(s *flyball.SLO, pane time.Duration) *Exclusions {
	return NewExclusions(s.Exclusions, unitOf(s, pane))
}

// NewExactTracker is NewTracker with a slice for every pane of the period, however
// many they are: windows of any length are exact. It is for reports from counts at
// hand: it has no durable state, and what it counted cannot be taken back.
func NewExactTracker(s flyball.SLO, pane time.Duration) *Tracker {
	t := NewTracker(s, pane, pane)
	exact := newRing('f', t.unit, roundUp(max(t.longest, s.Period), t.unit), weighBy(&s))
	exact.line = &line{}
	t.rings = []ring{exact}
	return t
}

func unitOf(s *flyball.SLO, pane time.Duration) time.Duration {
	if s.Method == flyball.Occurrences {
		return pane
	}
	return roundUp(max(s.Slice, pane), pane)
}

// Add counts samples of the pane that starts at start, on time or late, and returns
// what the budget counts more (or less) by them: for a method that counts slices of
// time, how the slice changed. Of a composite SLO that counts slices, what is added
// are such changes of its parts.
func (t *Tracker) Add(start flyball.Time, total, bad int64) (moreTotal, moreBad int64) {
	if total == 0 && bad == 0 {
		return 0, 0
	}
	c := t.add(start, counts{total, bad})
	return c.total, c.bad
}

func (t *Tracker) add(start flyball.Time, c counts) counts {
	was, is := t.rings[0].add(start, c)
	if w := t.rings[0].weigh; w != nil {
		c = w(is).minus(w(was))
	} else {
		c = is.minus(was)
	}
	if c == (counts{}) {
		return c
	}
	for i := range t.rings[1:] {
		t.rings[i+1].add(start, c)
	}
	t.periods.add(start, c)
	return c
}

// Sum returns the counts of [at − window, at). window is at most the longest of
// the SLO's tiers, its rolling period, or what NewTracker was told to keep.
func (t *Tracker) Sum(at flyball.Time, window time.Duration) (total, bad int64) {
	at = t.floor(at)
	from := at.Add(-window)
	c := t.count(from, at)
	if t.countsMissing() {
		c = t.withMissing(c, max(from, t.since(at)), at)
	}
	return c.total, c.bad
}

// SumAt returns the counts of [past − window, past) as they are known at a time
// not before past. It is Sum where the finest ring reaches back so far; beyond, a
// slice that an edge cuts counts by the share of its time.
func (t *Tracker) SumAt(at, past flyball.Time, window time.Duration) (total, bad int64) {
	past = t.floor(past)
	from := past.Add(-window)
	i := t.ringFor(at.Sub(from))
	if i == 0 || past == at {
		return t.Sum(past, window)
	}
	r := &t.rings[i]
	c := within(r.part(past).minus(r.part(from)).minus(t.excluded(from, past)))
	if t.countsMissing() {
		c = t.withMissing(c, max(from, t.since(past)), past)
	}
	return c.total, c.bad
}

// floor returns the end of the last slice that can be counted: an unfinished
// slice of time is neither good nor bad.
func (t *Tracker) floor(at flyball.Time) flyball.Time {
	if t.rings[0].weigh == nil {
		return at
	}
	return at.Floor(t.unit)
}

// count returns what counts in [from, to).
func (t *Tracker) count(from, to flyball.Time) counts {
	all := t.gross(from, to)
	if t.exclusions == nil {
		return all
	}
	return within(all.minus(t.excluded(from, to)))
}

// gross returns what was counted in [from, to), in the finest ring that reaches
// back so far, with what is excluded.
func (t *Tracker) gross(from, to flyball.Time) counts {
	return t.countIn(t.ringFor(to.Sub(from)), from, to)
}

func (t *Tracker) ringFor(window time.Duration) int {
	for i := range t.rings {
		if t.rings[i].span >= window {
			return i
		}
	}
	return len(t.rings) - 1
}

func (t *Tracker) countIn(i int, from, to flyball.Time) counts {
	if from >= to {
		return counts{}
	}
	r := &t.rings[i]
	if r.empty() {
		return counts{}
	}
	if i == 0 {
		return r.upTo(to.Add(r.width - 1)).minus(r.upTo(from))
	}
	head := to.Floor(r.width)
	if from >= head {
		return t.countIn(i-1, from, to)
	}
	sum := r.upTo(head).minus(r.upTo(from))
	if start := from.Floor(r.width); start != from {
		cut := r.at(from)
		left := int64(r.width) - int64(from.Sub(start))
		sum = sum.minus(cut).plus(counts{scale(cut.total, left, int64(r.width)), scale(cut.bad, left, int64(r.width))})
	}
	return sum.plus(t.countIn(i-1, head, to))
}

// withMissing adds the slices of time in [from, to) that had no samples.
func (t *Tracker) withMissing(c counts, from, to flyball.Time) counts {
	missing := max(int64((to.Sub(from)-t.excludedTime(from, to))/t.unit)*t.each()-c.total, 0)
	c.total += missing
	if t.spec.NoData == flyball.NoDataBad {
		c.bad += missing
	}
	return c
}

// each is the weight of a slice of time.
func (t *Tracker) each() int64 {
	if t.spec.Method != flyball.RatioTimeslices {
		return 1
	}
	weight := int64(0)
	for i := range t.spec.Parts {
		weight += t.spec.Parts[i].Weight
	}
	return ratioUnit * max(weight, 1)
}

// countsMissing reports whether slices of time without samples count.
func (t *Tracker) countsMissing() bool {
	return t.spec.Method != flyball.Occurrences && t.spec.NoData >= flyball.NoDataGood
}

// since returns from when on samples are remembered, as of at: nothing is missing
// before.
func (t *Tracker) since(at flyball.Time) flyball.Time {
	last := &t.rings[len(t.rings)-1]
	start, ok := last.first(flyball.NoTime + 1)
	switch {
	case !ok:
		return at
	case len(t.rings) == 1:
		return start
	case start < at.Add(-t.rings[0].span):
		return start.Add(last.width) // somewhere in that slice
	}
	start, _ = t.rings[0].first(start)
	return start
}

// Quiet reports whether no tier can fire unless samples come: none has a bad one
// in its shorter window, or silence that counts as bad.
func (t *Tracker) Quiet(at flyball.Time) bool {
	if t.spec.NoData == flyball.NoDataBad && t.Active(at) {
		return false
	}
	if end := t.floor(at); end != at && t.rings[0].at(end) != (counts{}) {
		return false
	}
	for _, r := range t.tiers {
		if _, bad := t.Sum(at, r.short); bad > 0 {
			return false
		}
	}
	return true
}

// Active reports whether any sample lies within the longest window.
func (t *Tracker) Active(at flyball.Time) bool { return t.Measured(at, t.longest) }

// Gap returns how long before at the last sample was, as finely as is known, and 0
// when that is longer ago than anything is kept.
func (t *Tracker) Gap(at flyball.Time) time.Duration {
	for i := range t.rings {
		r := &t.rings[i]
		if start, ok := r.last(at); ok && start.Add(r.width) > at.Add(-r.span) {
			return max(at.Sub(start.Add(r.width)), 0)
		}
	}
	return 0
}

// Missing reports whether a window of a tier has no samples, while they are not
// long gone.
func (t *Tracker) Missing(at flyball.Time) bool {
	return t.Active(at) && slices.ContainsFunc(t.tiers, func(r reach) bool { return !t.Measured(at, r.short) })
}

// Measured reports whether any sample lies within [at − window, at).
func (t *Tracker) Measured(at flyball.Time, window time.Duration) bool {
	r := &t.rings[t.ringFor(window)]
	start, ok := r.last(at)
	return ok && start.Add(r.width) > at.Add(-window)
}

// Expire forgets chunks that no window ending at at or later needs.
func (t *Tracker) Expire(at flyball.Time) {
	for i := range t.rings {
		t.rings[i].expire(at)
	}
	t.periods.expire(at)
}

// Forget drops everything.
func (t *Tracker) Forget() {
	for i := range t.rings {
		t.rings[i].expire(farthest)
	}
	t.periods.forget()
}

// SilentAt returns when the last sample before at will have been ttl ago, as
// finely as counts are kept that long.
func (t *Tracker) SilentAt(at flyball.Time, ttl time.Duration) (flyball.Time, bool) {
	r := &t.rings[t.ringFor(ttl)]
	start, ok := r.last(at)
	return start.Add(r.width + ttl + t.pane - 1).Floor(t.pane), ok
}

// Empty reports whether nothing is counted any more.
func (t *Tracker) Empty() bool {
	return len(t.periods.list) == 0 && !slices.ContainsFunc(t.rings, func(r ring) bool { return !r.empty() })
}

// Dirty reports whether Changed has anything to say.
func (t *Tracker) Dirty() bool {
	return len(t.stale) > 0 || t.periods.dirty() || slices.ContainsFunc(t.rings, func(r ring) bool { return r.dirty() })
}

// Changed calls f with every chunk that changed since the last Commit; value is
// nil for one that is gone. Values are not changed afterwards.
func (t *Tracker) Changed(f func(key string, value []byte)) {
	for i := range t.rings {
		t.rings[i].changed(f)
	}
	t.periods.changed(f)
	for _, key := range t.stale {
		f(key, nil)
	}
}

// Commit makes changes permanent.
func (t *Tracker) Commit() {
	for i := range t.rings {
		t.rings[i].commit()
	}
	t.periods.commit()
	t.stale = nil
}

// Abort takes back what changed since the last Commit.
func (t *Tracker) Abort() {
	for i := range t.rings {
		t.rings[i].abort()
	}
	t.periods.abort()
}
