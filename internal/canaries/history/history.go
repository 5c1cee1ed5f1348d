// Package history judges canaries of the past, from panes that were kept: it shows
// them to the machine that judges canaries while they run, so that the same panes
// give the same verdict.
package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/canary/live"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/evaluate/canary"
)

// Question is what is asked about the past.
type Question struct {
	// Canary names a canary of the configuration, Entity what is compared.
	Canary, Entity string
	// Version and Baseline are the cohorts; empty for the newest, and for that with
	// the most samples.
	Version, Baseline string
	// From and To are the ends of the analysis.
	From, To flyball.Time
	// Pass and Marginal override the thresholds of the score; nil does not.
	Pass, Marginal *float64
}

// Widths returns the canary as it can be judged from windows, and its indicators with
// panes as wide as those: from one look to the next it takes the widest window.
func Widths(c flyball.Canary, all []flyball.Indicator) (flyball.Canary, []flyball.Indicator, error) {
	var used []flyball.Indicator
	for _, m := range c.Metrics {
		i := slices.IndexFunc(all, func(i flyball.Indicator) bool { return i.Name == m.Indicator })
		if i < 0 {
			return c, nil, fmt.Errorf("cannot judge canary %q: there is no indicator %q", c.Name, m.Indicator)
		}
		if !slices.ContainsFunc(used, func(u flyball.Indicator) bool { return u.Name == m.Indicator }) {
			used = append(used, all[i])
		}
		c.Interval = max(c.Interval, all[i].Window)
	}
	for i := range used {
		if c.Interval%used[i].Window != 0 {
			return c, nil, fmt.Errorf("cannot judge canary %q: windows of %v of indicator %q do not make up %v; give its indicators windows that do",
				c.Name, used[i].Window, used[i].Name, c.Interval)
		}
		used[i].Pane, used[i].Hop = used[i].Window, 0
	}
	c.Warmup = (c.Warmup + c.Interval - 1) / c.Interval * c.Interval
	c.Auto = false
	return c, used, nil
}

// Before returns how long before an analysis panes are of use: as long as a running
// Flyball remembers what the baseline had, and what it counted for long.
func Before(c flyball.Canary, indicators []flyball.Indicator) (looks, counts time.Duration) {
	longest := time.Duration(0)
	for _, i := range indicators {
		longest = max(longest, i.Lateness)
	}
	looks = longest/c.Interval*c.Interval + 2*c.Interval
	counts = looks
	if c.History > 0 { // a stretch that began before counts in full
		counts = max(counts, (c.History+time.Hour)/c.Interval*c.Interval)
	}
	return looks, counts
}

// Analyse returns the verdicts of an analysis of the past, in their order. Canary and
// indicators are those of [Widths], rows the panes of the entity, by start.
func Analyse(c flyball.Canary, indicators []flyball.Indicator, rows []processors.PaneRow, q Question) ([]flyball.Verdict, error) {
	begin, end := q.From.Floor(c.Interval), q.To.Floor(c.Interval)
	length := end.Sub(begin)
	switch {
	case length < c.Warmup+c.Interval:
		return nil, fmt.Errorf("cannot judge canary %q from %s to %s: want its warm-up of %v and a look of %v at least",
			c.Name, begin, end, c.Warmup, c.Interval)
	case length > 7*24*time.Hour:
		return nil, fmt.Errorf("cannot judge canary %q over %v: want a week at most", c.Name, length)
	}
	m := canary.New(canary.Config{Canaries: []flyball.Canary{c}, Indicators: indicators, Judge: live.New})
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b processors.PaneRow) int { return cmp.Compare(a.Start, b.Start) })
	var out []flyball.Verdict
	_, before := Before(c, indicators)
	for at := begin.Add(-before); at < end; at = at.Add(c.Interval) {
		edge := at.Add(c.Interval)
		n := 0
		for ; n < len(rows) && rows[n].Start < edge; n++ {
			if err := add(m, rows[n]); err != nil {
				return nil, err
			}
		}
		rows = rows[n:]
		if at == begin {
			m.Request(flyball.CanaryRequest{ID: "history", Canary: c.Name, Entity: q.Entity, Version: q.Version, Baseline: q.Baseline,
				Seconds: int64(length / time.Second), Pass: q.Pass, Marginal: q.Marginal, By: "history"}, nil)
		}
		m.Advance(indicators[0].Source, at, edge, func(flyball.Time) bool { return true })
		taken := m.Take()
		for _, d := range taken.DeadLetters {
			return nil, fmt.Errorf("cannot judge canary %q: %s", c.Name, d.Detail)
		}
		out = append(out, taken.Verdicts...)
		if n := len(out); n > 0 && out[n-1].Final() {
			return out, nil
		}
		forget(m, indicators, edge)
	}
	return out, nil
}

// forget lets go of panes that are of no more use.
func forget(m *canary.Machine, indicators []flyball.Indicator, watermark flyball.Time) {
	m.Commit()
	for _, i := range indicators {
		for _, f := range m.Feeds(i.Name) {
			f.Store.Commit(watermark)
		}
	}
}

// add counts a pane in what the machine keeps of its indicator.
func add(m *canary.Machine, r processors.PaneRow) error {
	for _, f := range m.Feeds(r.Indicator) {
		if row, ok := f.Row(r); ok {
			if _, err := f.Store.Add(row, 0); err != nil {
				return fmt.Errorf("cannot count the pane of %q at %s: %w", r.Indicator, r.Start, err)
			}
		}
	}
	return nil
}
