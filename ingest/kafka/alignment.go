package kafka

import (
	"time"

	"github.com/flyball-io/flyball"
)

// Reading says how far a partition has been read.
type Reading struct {
	// Next is the next offset to read, End the one after the last record.
	Next, End int64
	// Time is the latest event time read, flyball.NoTime where that is unknown.
	Time flyball.Time
}

// Alignment keeps the partitions of a source together in event time: those that are
// far ahead of one that is still behind are held. What they would give could not be
// finished before that one comes, and would only be kept in memory.
type Alignment struct {
	// MaxDrift is how far ahead, in event time, a partition may be read; 0 is no limit.
	MaxDrift time.Duration
	// StallTimeout is how long a partition that is not read on is waited for; 0 is for ever.
	StallTimeout time.Duration

	seen map[Partition]seen
}

// seen is when a partition was seen to be read on.
type seen struct {
	next int64
	at   time.Time
}

// Hold returns the partitions that are not to be read on at present. now is the wall
// clock: it tells which of the others are read on at all.
func (a *Alignment) Hold(now time.Time, all map[Partition]Reading) map[Partition]bool {
	if a.MaxDrift <= 0 {
		return nil
	}
	was := a.seen
	a.seen = make(map[Partition]seen, len(all))
	slowest, any := flyball.Time(0), false
	for p, r := range all {
		s, ok := was[p]
		if !ok || s.next != r.Next {
			s = seen{next: r.Next, at: now}
		}
		a.seen[p] = s
		stalled := a.StallTimeout > 0 && now.Sub(s.at) >= a.StallTimeout
		if r.Next >= r.End || r.Time == flyball.NoTime || stalled {
			continue
		}
		if !any || r.Time < slowest {
			slowest, any = r.Time, true
		}
	}
	held := map[Partition]bool{}
	for p, r := range all {
		if any && r.Time != flyball.NoTime && r.Time > slowest.Add(a.MaxDrift) {
			held[p] = true
		}
	}
	return held
}
