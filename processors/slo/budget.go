package slo

import (
	"time"

	"github.com/flyball-io/flyball"
)

// Budget is what was counted in a period.
type Budget struct {
	// Total and Bad samples, or slices of time. For Timeslices over a calendar
	// Total is all slices of the period: those to come are taken for good.
	Total, Bad int64
	// ExcludedTotal and ExcludedBad were counted and left out.
	ExcludedTotal, ExcludedBad int64
	// Start and End of the period; what was counted ends at the time asked for.
	Start, End flyball.Time
	// Elapsed is for how much of the period the counts stand: since its start or
	// the first sample. Where Total is that of the whole period, it is all of it.
	Elapsed time.Duration
}

// Length returns how long the period is.
func (b Budget) Length() time.Duration { return b.End.Sub(b.Start) }

// Period returns the counts over the SLO's period as of at, as Budget does.
func (t *Tracker) Period(at flyball.Time) (total, bad int64) {
	b := t.Budget(at)
	return b.Total, b.Bad
}

// Budget returns the counts of the period that ends at at or, of a calendar, of
// the one that at lies in; the end of a period still belongs to it.
func (t *Tracker) Budget(at flyball.Time) Budget {
	end := t.floor(at)
	if t.spec.Calendar != nil {
		return t.calendarBudget(at, end)
	}
	from := end.Add(-t.spec.Period)
	c := t.count(from, end)
	if t.countsMissing() {
		c = t.withMissing(c, max(from, t.since(end)), end)
	}
	out := t.excluded(from, end)
	b := Budget{Total: c.total, Bad: c.bad, ExcludedTotal: out.total, ExcludedBad: out.bad, Start: at.Add(-t.spec.Period), End: at}
	last := &t.rings[len(t.rings)-1]
	if first, ok := last.first(b.Start.Floor(last.width)); ok {
		b.Elapsed = max(at.Sub(max(b.Start, first)), 0)
	}
	return b
}

func (t *Tracker) calendarBudget(at, end flyball.Time) Budget {
	p := t.periods.of(at - 1)
	b := Budget{Start: p.start, End: p.end, Elapsed: max(at.Sub(max(p.start, p.first.Floor(t.unit))), 0)}
	c := p.sum
	if end < at && end >= p.start { // the slice under way is in the sum already
		c = c.minus(t.rings[0].at(end))
	}
	if t.exclusions != nil {
		out := t.excluded(p.start, end)
		c = within(c.minus(out))
		b.ExcludedTotal, b.ExcludedBad = out.total, out.bad
	}
	if t.countsMissing() && end > p.first {
		c = t.withMissing(c, max(p.start, p.first.Floor(t.unit)), end)
	}
	b.Total, b.Bad = c.total, c.bad
	if t.spec.Method != flyball.Occurrences && c.total > 0 {
		counted := b.Length() - t.excludedTime(p.start, p.end)
		b.Total = max(int64((counted+t.unit-1)/t.unit)*t.each(), c.total)
		b.Elapsed = b.Length()
	}
	return b
}
