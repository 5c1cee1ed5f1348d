// Package offsets keeps from which offset on the log must be read again.
package offsets

import "github.com/flyball-io/flyball"

// Lows holds the lowest offset that fed each slice of time, by its start. It changes in
// place; Abort takes changes back.
type Lows struct {
	at   map[flyball.Time]int64
	undo map[flyball.Time]int64 // as of the last commit, of those that changed; below zero when absent
}

// NewLows returns none.
func NewLows() Lows { return Lows{at: map[flyball.Time]int64{}, undo: map[flyball.Time]int64{}} }

// Note says that a record at offset fed a slice.
func (l *Lows) Note(start flyball.Time, offset int64) {
	if old, ok := l.at[start]; !ok || offset < old {
		l.save(start)
		l.at[start] = offset
	}
}

func (l *Lows) save(start flyball.Time) {
	if _, saved := l.undo[start]; saved {
		return
	}
	l.undo[start] = -1
	if old, ok := l.at[start]; ok {
		l.undo[start] = old
	}
}

// Drop forgets the slices of which gone is true, until an Abort.
func (l *Lows) Drop(gone func(start flyball.Time) bool) {
	for start := range l.at {
		if gone(start) {
			l.save(start)
			delete(l.at, start)
		}
	}
}

// Lowest returns the lowest offset of the slices of which gone is false.
func (l *Lows) Lowest(gone func(start flyball.Time) bool) (low int64, any bool) {
	for start, offset := range l.at {
		if !gone(start) && (!any || offset < low) {
			low, any = offset, true
		}
	}
	return low, any
}

// Has reports whether a slice is there.
func (l *Lows) Has(start flyball.Time) bool {
	_, ok := l.at[start]
	return ok
}

// Len returns how many slices there are.
func (l *Lows) Len() int { return len(l.at) }

// Each calls f with every slice, in no order.
func (l *Lows) Each(f func(start flyball.Time, low int64)) {
	for start, low := range l.at {
		f(start, low)
	}
}

// Commit makes changes permanent, and forgets the slices of which gone is true for good;
// a gone of nil is none.
func (l *Lows) Commit(gone func(start flyball.Time) bool) {
	if gone != nil {
		l.Drop(gone)
	}
	clear(l.undo)
}

// Abort takes back what changed since the last Commit.
func (l *Lows) Abort() {
	for start, old := range l.undo {
		if old < 0 {
			delete(l.at, start)
		} else {
			l.at[start] = old
		}
	}
	clear(l.undo)
}
