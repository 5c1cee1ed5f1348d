// Package memory is what the decide machine remembers: tables of rows whose changes
// can be taken back, and which travel through the state topic. All of it is bounded
// by number and by event time.
package memory

import "time"

// Bounds of what is remembered. What lies beyond is refused, so that a bound never
// makes the machine act twice.
const (
	// ResolvedFor is how long after a finding is resolved it is remembered that it
	// was commanded.
	ResolvedFor = time.Hour
	// OpenFor is how long after a finding opened it is remembered that it was
	// commanded, when it is never heard that it is resolved.
	OpenFor = 30 * 24 * time.Hour
	// LateBy is how far behind the latest finding another may be and still be
	// measured against cooldowns.
	LateBy = time.Hour
	// ClosedFor is how long an operation that is over is remembered.
	ClosedFor = 24 * time.Hour
	// DoneWindow is how long it is remembered what an action did for a target.
	DoneWindow = 24 * time.Hour
	// RecentFor is how long after its last change an entity's changes are remembered.
	RecentFor = 7 * 24 * time.Hour
	// Max is how many commanded findings, cooldowns, operations and so on are
	// remembered, of each.
	Max = 100_000
	// EdgeFor is how long after a finding about calls it is remembered who calls whom,
	// and MaxEdges how many such pairs are.
	EdgeFor  = 24 * time.Hour
	MaxEdges = 10_000
	// Prefix is what all keys of the state topic start with.
	Prefix = "decide/"
	// maxWindow is the longest window of a limit.
	maxWindow = 7 * 24 * time.Hour
	// SweepEvery is the event time between two looks for what can be forgotten.
	SweepEvery = 10 * time.Minute
)
