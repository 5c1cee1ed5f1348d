package slo

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/flyball-io/flyball"
)

// Exclusions answers which stretches of time an SLO leaves out. It works out
// recurring ones as far as it is asked, and serves any number of trackers of one
// goroutine. Nil leaves out nothing.
type Exclusions struct {
	once  []interval
	rules []rule
	unit  time.Duration

	known interval   // what list covers
	list  []interval // sorted, apart from each other; nil before the first look-up
}

// interval is [start, end).
type interval struct{ start, end flyball.Time }

// rule is an exclusion that recurs.
type rule struct {
	*rrule.RRule
	length time.Duration
}

// ParseRule reads how an exclusion recurs: an RRULE of RFC 5545, from start on in
// start's location.
func ParseRule(text string, start time.Time) (*rrule.RRule, error) {
	option, err := rrule.StrToROptionInLocation(text, start.Location())
	if err != nil {
		return nil, err
	}
	if option.Freq > rrule.HOURLY {
		return nil, fmt.Errorf("it recurs more often than hourly")
	}
	option.Dtstart = start
	return rrule.NewRRule(*option)
}

// NewExclusions returns the exclusions of an SLO that counts in units of this
// width; a unit that an exclusion touches is left out as a whole. A rule that
// cannot be read is a bug: the configuration has checked it.
func NewExclusions(list []flyball.Exclusion, unit time.Duration) *Exclusions {
	if len(list) == 0 {
		return nil
	}
	x := &Exclusions{unit: unit}
	for _, e := range list {
		if e.Rule == "" {
			x.once = append(x.once, x.whole(e.Start, e.Length))
			continue
		}
		r, err := ParseRule(e.Rule, e.Start)
		if err != nil {
			panic(fmt.Sprintf("BUG: cannot read rule %q: %v", e.Rule, err))
		}
		x.rules = append(x.rules, rule{r, e.Length})
	}
	return x
}

// whole widens a stretch to units.
func (x *Exclusions) whole(start time.Time, length time.Duration) interval {
	t := flyball.TimeOf(start)
	return interval{t.Floor(x.unit), t.Add(length).Add(x.unit - 1).Floor(x.unit)}
}

// within returns the stretches that lie in [from, to), cut to it.
func (x *Exclusions) within(from, to flyball.Time) []interval {
	if x == nil || from >= to {
		return nil
	}
	x.learn(from, to)
	var out []interval
	i, _ := slices.BinarySearchFunc(x.list, from, func(e interval, t flyball.Time) int {
		if e.end <= t {
			return -1
		}
		return 1
	})
	for ; i < len(x.list) && x.list[i].start < to; i++ {
		out = append(out, interval{max(x.list[i].start, from), min(x.list[i].end, to)})
	}
	return out
}

// Covers reports whether t lies in a stretch that is left out.
func (x *Exclusions) Covers(t flyball.Time) bool { return len(x.within(t, t+1)) > 0 }

// Touches reports whether any of [from, to) is left out.
func (x *Exclusions) Touches(from, to flyball.Time) bool { return len(x.within(from, to)) > 0 }

// learnAhead is how much more than was asked for is worked out at a time.
const learnAhead = 32 * 24 * time.Hour

// learn works out the stretches in [from, to).
func (x *Exclusions) learn(from, to flyball.Time) {
	if from >= x.known.start && to <= x.known.end && x.list != nil {
		return
	}
	if x.known.end > x.known.start {
		from, to = min(from, x.known.start), max(to, x.known.end)
	}
	x.known = interval{from.Add(-learnAhead), to.Add(learnAhead)}
	list := slices.Clone(x.once)
	for _, r := range x.rules {
		first := x.known.start.Add(-r.length - x.unit)
		for _, t := range r.Between(first.Std(), x.known.end.Std(), true) {
			list = append(list, x.whole(t, r.length))
		}
	}
	x.list = merged(list)
}

// merged sorts stretches and joins those that touch.
func merged(list []interval) []interval {
	slices.SortFunc(list, func(a, b interval) int { return cmp.Compare(a.start, b.start) })
	out := list[:0]
	for _, e := range list {
		if n := len(out); n > 0 && e.start <= out[n-1].end {
			out[n-1].end = max(out[n-1].end, e.end)
			continue
		}
		out = append(out, e)
	}
	if out == nil {
		out = []interval{}
	}
	return out
}

// Exclude makes the tracker leave out what x says. Its counts stay, so that an
// exclusion may be added or taken back at any time.
func (t *Tracker) Exclude(x *Exclusions) { t.exclusions = x }

// Excluded reports whether [at − window, at) touches a stretch that is left out, so
// that missing samples in it mean nothing.
func (t *Tracker) Excluded(at flyball.Time, window time.Duration) bool {
	return len(t.exclusions.within(at.Add(-window), at)) > 0
}

// excluded returns what was counted in [from, to) and is left out. Where a
// stretch begins or ends within a slice of the ring that reaches back to it, the
// slice counts by the share of its time.
func (t *Tracker) excluded(from, to flyball.Time) (sum counts) {
	for _, e := range t.exclusions.within(from, to) {
		r := &t.rings[t.ringFor(to.Sub(e.start))]
		sum = sum.plus(r.part(e.end).minus(r.part(e.start)))
	}
	return within(sum)
}

// part returns the sum of all before t, with the share of the slice that t cuts.
func (r *ring) part(t flyball.Time) counts {
	if r.empty() {
		return counts{}
	}
	start := t.Floor(r.width)
	sum := r.upTo(start)
	if start != t {
		cut, share := r.at(start), int64(t.Sub(start))
		sum = sum.plus(counts{scale(cut.total, share, int64(r.width)), scale(cut.bad, share, int64(r.width))})
	}
	return sum
}

// excludedTime returns how much of [from, to) is left out.
func (t *Tracker) excludedTime(from, to flyball.Time) (sum time.Duration) {
	for _, e := range t.exclusions.within(from, to) {
		sum += e.end.Sub(e.start)
	}
	return sum
}

// boundaries reports the edges at which silence begins or ceases to be excused.
func (t *Tracker) boundaries(at flyball.Time, found func(flyball.Time)) {
	if t.spec.NoData != flyball.NoDataAlert && t.spec.NoData != flyball.NoDataBad {
		return
	}
	for _, e := range t.exclusions.within(at.Add(-t.longest), at.Add(t.longest)) {
		found(e.start + 1) // the window of the next edge touches it
		for _, r := range t.tiers {
			found(e.end.Add(r.short))
			found(e.end.Add(r.long))
		}
	}
}
