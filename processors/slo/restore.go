package slo

import (
	"fmt"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
)

// Restore adds one chunk that Changed gave to a predecessor, before any other
// change. Chunks of another width, from before the configuration changed, are
// counted over into those of the present one, by the starts of their slices;
// Changed then reports both. What the present configuration does not keep is
// deleted.
func (t *Tracker) Restore(key string, value []byte) error {
	if err := t.restore(key, value); err != nil {
		return fmt.Errorf("cannot restore chunk %q: %w", key, err)
	}
	return nil
}

func (t *Tracker) restore(key string, value []byte) error {
	if strings.HasPrefix(key, periodKey) {
		return t.periods.restore(key, value)
	}
	kind, width, index, err := parseKey(key)
	if err != nil {
		return err
	}
	for i := range t.rings {
		if t.rings[i].kind == kind {
			return t.rings[i].restore(key, width, index, value)
		}
	}
	if err := check(value); err != nil {
		return err
	}
	if own := kinds[t.spec.Method]; kind == own[2] && t.spec.Calendar != nil { // its period was rolling
		for i, c := range unpack(value) {
			if c != (counts{}) {
				t.periods.add(flyball.Time((index<<6+int64(i))*int64(width)), c)
			}
		}
		t.periods.owe()
	}
	t.stale = append(t.stale, key)
	return nil
}

// Reopen ends a restore: it takes back the panes that start at from or later. There
// are none unless the width of panes changed, and with it the pane that is open;
// its samples will be counted when it closes.
func (t *Tracker) Reopen(from flyball.Time) {
	for i := range t.rings[1:] {
		if r := &t.rings[i+1]; len(r.stale) > 0 {
			r.reconcile(&t.rings[i])
		}
	}
	for fine := &t.rings[0]; ; {
		start, ok := fine.first(from)
		if !ok {
			break
		}
		t.add(start, counts{}.minus(fine.raw(start)))
	}
	for i := range t.rings {
		if len(t.rings[i].undo) > 0 {
			t.rings[i].owe()
		}
	}
	if len(t.periods.touched) > 0 {
		t.periods.owe()
	}
}

// reconcile puts right what was counted over from slices of another width: as far
// back as the finer ring knows, the counts are what that one has; before, the sum
// of all stays what it was.
func (r *ring) reconcile(finer *ring) {
	first, ok := finer.first(flyball.NoTime + 1)
	if !ok {
		return
	}
	seam := first.Add(r.width - 1).Floor(r.width)
	all := r.upTo(farthest)
	for start, ok := r.first(seam); ok; start, ok = r.first(seam) {
		r.add(start, counts{}.minus(r.raw(start)))
	}
	for start, ok := finer.first(seam); ok; start, ok = finer.first(start + 1) {
		r.add(start, finer.at(start))
	}
	over := r.upTo(farthest).minus(all)
	if start, ok := r.last(seam); ok && over.total > 0 {
		r.add(start, counts{}.minus(over))
	}
}

// farthest is later than every slice.
const farthest = flyball.Time(1 << 62)

// parseKey reads what ring.key writes: f10s.27, c1h0m0s.3.
func parseKey(key string) (kind byte, width time.Duration, index int64, err error) {
	text, number, ok := strings.Cut(key, ".")
	if !ok || text == "" || !strings.Contains(strings.Join(kinds[:], ""), text[:1]) {
		return 0, 0, 0, fmt.Errorf("want the letter of a ring, the width of a slice, a dot and a number")
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
