package detectors

import (
	"time"

	"github.com/flyball-io/flyball"
)

// CanaryJudge judges one analysis of a canary, look by look. What it says follows
// from what it was shown, in that order.
type CanaryJudge interface {
	// Observe takes the next look: every metric, in the order of the canary's.
	Observe(look []CanaryLook)
	// Decision is the Verdict of Verdict(false), without the rest, which takes longer to
	// make than to judge.
	Decision() string
	// Verdict says what is known; final is set when no other look follows. It sets
	// Verdict, Score, Reason, Needs, Judge and Metrics.
	Verdict(final bool) flyball.Verdict
}

// NewCanaryJudge makes the judge of an analysis. Metrics of kind latency need some
// looks from before.
type NewCanaryJudge func(c flyball.Canary, before CanaryBefore) (CanaryJudge, error)

// CanaryBefore is what is known of the baseline from before the first look.
type CanaryBefore struct {
	// Looks by metric and time.
	Looks [][]CanaryArm
	// History by metric: what metrics of kind count had for a long time, so far as it
	// is known.
	History []CanaryHistory
}

// CanaryHistory is what a cohort counted in stretches of one length, the oldest
// first; none where it had no samples.
type CanaryHistory struct {
	Stretch          time.Duration
	Events, Exposure []float64
}

// CanaryLook is one metric at one look.
type CanaryLook struct {
	Canary, Baseline CanaryArm
}

// CanaryArm is one cohort at one look, its replicas in the same order at every
// look; later ones may have more.
type CanaryArm struct {
	// Values has one value for each replica, NaN where it has none: bad samples for
	// kind count, the mean for gauge.
	Values []float64
	// Exposure has the samples of each replica, for kind count.
	Exposure []float64
	// Buckets is the distribution of the cohort, for kind latency, by upper edge.
	Buckets []CanaryBucket
}

// CanaryBucket holds so many values up to Upper, above the bucket before.
type CanaryBucket struct {
	Upper, Count float64
}
