// Package slo keeps the counts of error budgets: total and bad samples over
// sliding windows, in integers.
package slo

import (
	"fmt"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
)

// Tracker holds the counts of one SLO series: by pane as far back as the longest
// burn-rate window reaches, and by coarse slice for the whole period.
//
// Counts are kept in encoded chunks of consecutive slices, each with the sum of
// all before it. So any window costs two look-ups, three days of 10 s panes take
// about 100 kB, and a change rewrites one chunk of the durable state and not all
// of it. It changes in place; Abort takes changes back.
type Tracker struct {
	tiers  []reach
	fine   ring
	coarse ring
}

// reach is how far the two windows of a tier look back.
type reach struct{ short, long time.Duration }

// coarseSlices is into how many slices the period is cut at least: what the
// trailing edge of the budget's window is off by, at most, is one of them.
const coarseSlices = 720

// NewTracker returns an empty tracker for an SLO whose indicator has panes of
// this width. It remembers panes as far back as the longest window of the SLO's
// tiers and at least as far as least. The windows of its tiers should be multiples of it; one that is
// not reaches back to the start of the pane in which it begins.
func NewTracker(s flyball.SLO, pane, least time.Duration) *Tracker {
	t := &Tracker{}
	longest := max(pane, least)
	for _, tier := range s.Tiers {
		r := reach{min(tier.Long, tier.Short), max(tier.Long, tier.Short)}
		t.tiers = append(t.tiers, r)
		longest = max(longest, r.long)
	}
	t.fine = newRing('f', pane, longest)
	t.coarse = newRing('c', max(pane, s.Period/coarseSlices/pane*pane), s.Period)
	return t
}

// Add counts samples of the pane that starts at start, on time or late.
func (t *Tracker) Add(start flyball.Time, total, bad int64) {
	if total == 0 && bad == 0 {
		return
	}
	t.fine.add(start, counts{total, bad})
	t.coarse.add(start, counts{total, bad})
}

// Sum returns the counts of the panes in [at − window, at). window is at most
// what the tracker remembers.
func (t *Tracker) Sum(at flyball.Time, window time.Duration) (total, bad int64) {
	c := t.fine.between(at.Add(-window), at)
	return c.total, c.bad
}

// Period returns the counts over the SLO's period that ends at at; its trailing
// edge is exact to one coarse slice.
func (t *Tracker) Period(at flyball.Time) (total, bad int64) {
	c := t.coarse.between(at.Add(-t.coarse.span), at)
	return c.total, c.bad
}

// Quiet reports whether no tier has a bad sample in its shorter window: then none
// can fire, and none will unless samples come.
func (t *Tracker) Quiet(at flyball.Time) bool {
	for _, r := range t.tiers {
		if _, bad := t.Sum(at, r.short); bad > 0 {
			return false
		}
	}
	return true
}

// Active reports whether any sample lies within what the tracker remembers.
func (t *Tracker) Active(at flyball.Time) bool {
	total, _ := t.Sum(at, t.fine.span)
	return total > 0
}

// NextChange returns the first pane edge after at, which is one too, where a sum
// over a window of a tier that is not quiet changes by itself, because a pane
// with samples leaves the window. It returns false when there is none.
func (t *Tracker) NextChange(at flyball.Time) (edge flyball.Time, ok bool) {
	pane := t.fine.width
	for _, r := range t.tiers {
		if _, bad := t.Sum(at, r.short); bad == 0 {
			continue
		}
		for _, window := range [...]time.Duration{r.short, r.long} {
			start, any := t.fine.first(at.Add(-window).Floor(pane))
			if !any || start >= at {
				continue
			}
			leaves := start.Add(pane + window + pane - 1).Floor(pane)
			if !ok || leaves < edge {
				edge, ok = leaves, true
			}
		}
	}
	return edge, ok
}

// Expire forgets chunks that no window ending at at or later needs.
func (t *Tracker) Expire(at flyball.Time) {
	t.fine.expire(at)
	t.coarse.expire(at)
}

// Empty reports whether nothing is counted any more.
func (t *Tracker) Empty() bool { return len(t.fine.chunks) == 0 && len(t.coarse.chunks) == 0 }

// Dirty reports whether Changed has anything to say.
func (t *Tracker) Dirty() bool { return t.fine.dirty() || t.coarse.dirty() }

// Changed calls f with every chunk that changed since the last Commit; value is
// nil for one that is gone. Values are not changed afterwards.
func (t *Tracker) Changed(f func(key string, value []byte)) {
	t.fine.changed(f)
	t.coarse.changed(f)
}

// Commit makes changes permanent.
func (t *Tracker) Commit() {
	t.fine.commit()
	t.coarse.commit()
}

// Abort takes back what changed since the last Commit.
func (t *Tracker) Abort() {
	t.fine.abort()
	t.coarse.abort()
}

// Restore adds one chunk that Changed gave to a predecessor, before any other
// change. Chunks of another width, from before the configuration changed, are
// counted over into those of the present one, by the starts of their slices;
// Changed then reports both.
func (t *Tracker) Restore(key string, value []byte) error {
	kind, width, index, err := parseKey(key)
	if err != nil {
		return fmt.Errorf("cannot restore chunk %q: %w", key, err)
	}
	r := &t.fine
	if kind == t.coarse.kind {
		r = &t.coarse
	}
	if err := r.restore(key, width, index, value); err != nil {
		return fmt.Errorf("cannot restore chunk %q: %w", key, err)
	}
	return nil
}

// Reopen ends a restore: it takes back the panes that start at from or later. There
// are none unless the width of panes changed, and with it the pane that is open;
// its samples will be counted when it closes.
func (t *Tracker) Reopen(from flyball.Time) {
	for {
		start, ok := t.fine.first(from)
		if !ok {
			return
		}
		c := t.fine.between(start, start+1)
		t.fine.restored(func() { t.fine.add(start, counts{}.minus(c)) })
		t.coarse.restored(func() { t.coarse.add(start, counts{}.minus(c)) })
	}
}

// parseKey reads what ring.key writes: f10s.27, c1h0m0s.3.
func parseKey(key string) (kind byte, width time.Duration, index int64, err error) {
	text, number, ok := strings.Cut(key, ".")
	if !ok || text == "" || text[0] != 'f' && text[0] != 'c' {
		return 0, 0, 0, fmt.Errorf("want f or c, the width of a slice, a dot and a number")
	}
	if width, err = time.ParseDuration(text[1:]); err != nil {
		return 0, 0, 0, err
	}
	if width <= 0 {
		return 0, 0, 0, fmt.Errorf("its slices are %v wide", width)
	}
	if _, err = fmt.Sscan(number, &index); err != nil {
		return 0, 0, 0, err
	}
	return text[0], width, index, nil
}
