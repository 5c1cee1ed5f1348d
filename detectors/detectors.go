// Package detectors is the contract of the third stage: pure judges of windows
// and SLOs. What they find, the evaluate machine turns into findings that open,
// change and resolve.
package detectors

import (
	"slices"
	"time"

	"github.com/flyball-io/flyball"
)

// SLODetector judges one SLO series at the ends of panes: of every pane with
// samples, of those at which a pane leaves a window of a tier that may fire, and
// of those at which a window becomes empty. Others are left out, so that a gap of
// days costs no more than its samples.
//
// So what it says must follow from the sums over the windows of the SLO's tiers
// alone (and from Gap, where silence is bad), and no tier may fire without a bad
// sample in its shorter window, unless that window is empty.
type SLODetector interface {
	// Observe looks at the counts as of o.At.
	Observe(o SLOObservation) Signal
}

// SLOObservation is an SLO series at one point in event time.
type SLOObservation struct {
	// At is the end of the last pane counted.
	At flyball.Time
	// Sum returns the counts of [At − window, At).
	Sum func(window time.Duration) (total, bad int64)
	// Pane is the width of panes: edges of the past are At − n·Pane.
	Pane time.Duration
	// SumAt returns the counts of [past − window, past), past being an edge not after
	// At. It is asked for tiers that wait before they fire.
	SumAt func(past flyball.Time, window time.Duration) (total, bad int64)
	// Excluded reports whether [At − window, At) touches time that the SLO leaves out,
	// so that missing samples in it mean nothing; nil is never.
	Excluded func(window time.Duration) bool
	// Gap is how long before At the last sample was, as long as it lies in some window.
	Gap time.Duration
	// Silent is set when there was no sample for as long as the longest window.
	Silent bool
}

// Signal is what a detector says of a series at one point in event time.
type Signal struct {
	// Firing is whether there is something to be found.
	Firing bool
	// Severity and Tier say how urgent, when firing.
	Severity, Tier string
	// Summary is one sentence with the numbers in it; when nothing fires it may say
	// why not.
	Summary string
	// Evidence holds the numbers.
	Evidence []flyball.Evidence
	// Tiers holds every tier, firing or not.
	Tiers []Tier
}

// Holds reports whether a finding of that tier stays as it is, because the samples
// are missing that would tell whether it still burns, and nothing more urgent
// takes its place.
func (s *Signal) Holds(tier string) bool {
	rank := slices.IndexFunc(s.Tiers, func(t Tier) bool { return t.Name == tier })
	if rank < 0 || !s.Tiers[rank].NoData {
		return false
	}
	if s.Firing && s.Tier == TierNoData {
		return rank == 0 // silence is as urgent as the first tier
	}
	return !slices.ContainsFunc(s.Tiers[:rank], func(t Tier) bool { return t.Firing })
}

// Tier is the state of one burn-rate tier.
type Tier struct {
	Name string
	// Long and Short are the burn rates, NaN without samples.
	Long, Short float64
	Firing      bool
	// NoData is set when samples are missing and nobody knows whether the tier
	// would fire: its state is what it was before.
	NoData bool
	// Suppressed says why the tier does not fire although the budget burns fast
	// enough; empty when it does not burn or does fire.
	Suppressed string
}

// TierNoData is the tier of a signal about silence.
const TierNoData = "no_data"
