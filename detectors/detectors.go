// Package detectors is the contract of the third stage: pure judges of windows
// and SLOs. What they find, the evaluate machine turns into findings that open,
// change and resolve.
package detectors

import (
	"time"

	"github.com/flyball-io/flyball"
)

// SLODetector judges one SLO series at the ends of panes: of every pane with
// samples, and of those at which a pane leaves a window of a tier that may fire.
// Others are left out, so that a gap of days costs no more than its samples.
//
// So what it says must follow from the sums over the windows of the SLO's tiers
// alone, and no tier may fire without a bad sample in its shorter window.
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
}

// Signal is what a detector says of a series at one point in event time.
type Signal struct {
	// Firing is whether there is something to be found.
	Firing bool
	// Severity and Tier say how urgent, when firing.
	Severity, Tier string
	// Summary is one sentence with the numbers in it.
	Summary string
	// Evidence holds the numbers.
	Evidence []flyball.Evidence
	// Tiers holds every tier, firing or not.
	Tiers []Tier
}

// Tier is the state of one burn-rate tier.
type Tier struct {
	Name string
	// Long and Short are the burn rates, NaN without samples.
	Long, Short float64
	Firing      bool
}
