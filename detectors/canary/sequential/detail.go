package sequential

import (
	"github.com/flyball-io/flyball/detectors/canary"
)

// Detail is what is known of one metric, and why it was judged as it was.
type Detail struct {
	Name           string                `json:"name"`
	Tags           map[string]string     `json:"tags,omitempty"`
	Kind           Kind                  `json:"kind"`
	Direction      canary.Direction      `json:"direction"`
	Verdict        canary.Verdict        `json:"verdict"`
	Classification canary.Classification `json:"classification"`
	// Critical is set when the metric fails the canary by itself.
	Critical bool `json:"critical"`
	// Reason is one sentence.
	Reason string `json:"reason"`
	// Effect is the ratio of the canary to the baseline, for latency of their
	// medians. Interval holds the ratios that the data leave, at all looks at once:
	// a metric fails when the whole of it is beyond the margin, and passes when it
	// is within the tolerance.
	Effect   canary.Number    `json:"effect"`
	Interval [2]canary.Number `json:"interval"`
	// Absolute says that all of these, and the next, are differences, in Unit.
	Absolute bool   `json:"absolute,omitempty"`
	Unit     string `json:"unit,omitempty"`
	// Allowed are the ratios beyond which is harm, Tolerated those beyond which a
	// metric must be shown not to lie; decrease and increase.
	Allowed   [2]canary.Number `json:"allowed"`
	Tolerated [2]canary.Number `json:"tolerated"`
	// EHarm and ESafe are the evidence, and EFail and EPass what it must reach.
	EHarm canary.Number `json:"e_harm"`
	ESafe canary.Number `json:"e_safe"`
	EFail canary.Number `json:"e_fail"`
	EPass canary.Number `json:"e_pass"`
	// Panes in which both arms had data.
	Panes int `json:"panes"`
	// Canary and Baseline sum up the arms.
	Canary   ArmDetail `json:"canary"`
	Baseline ArmDetail `json:"baseline"`
	// Dispersion is how many times more than Poisson the counts vary.
	Dispersion float64 `json:"dispersion,omitempty"`
	// History is what the baseline counted before, so far as it was evidence.
	History *HistoryDetail `json:"history,omitempty"`
	// Autocorrelation of a gauge's differences from pane to pane, and of counts.
	Autocorrelation float64 `json:"autocorrelation,omitempty"`
	// PodEffect is the standard deviation between replicas, relative to the mean of
	// the baseline; nil when it cannot be known.
	PodEffect *float64 `json:"pod_effect,omitempty"`
	// Quantiles compares the arms' latencies.
	Quantiles []QuantileDetail `json:"quantiles,omitempty"`
	// DecidedAt is the pane, counted from 1, after which the metric was decided; 0
	// when it is not.
	DecidedAt int `json:"decided_at,omitempty"`
	// Needs is what it takes to decide, when it is not.
	Needs *Needs `json:"needs,omitempty"`
	// Notes say what was assumed, or could not be known.
	Notes []string `json:"notes,omitempty"`
}

// ArmDetail sums up one arm.
type ArmDetail struct {
	Replicas int           `json:"replicas"`
	Events   float64       `json:"events,omitempty"`
	Exposure float64       `json:"exposure,omitempty"`
	Mean     canary.Number `json:"mean"`
}

// HistoryDetail says what of the baseline's history was evidence.
type HistoryDetail struct {
	// Minutes of history with samples.
	Minutes float64 `json:"minutes"`
	// Events and Exposure of its latest part.
	Events   float64 `json:"events"`
	Exposure float64 `json:"exposure"`
	// Discount is by how much the information in them was divided for how much such
	// rates wander; infinite when they are no evidence, and only say how much counts
	// vary.
	Discount canary.Number `json:"discount"`
	// Gain is what they multiply the evidence for harm with.
	Gain canary.Number `json:"gain"`
}

// QuantileDetail compares one quantile of both arms. The bands hold at all looks
// and for all quantiles at once.
type QuantileDetail struct {
	Quantile     float64          `json:"quantile"`
	Threshold    float64          `json:"threshold"`
	ShareAbove   [2]canary.Number `json:"share_above"` // canary, baseline
	EHarm        canary.Number    `json:"e_harm"`
	Canary       canary.Number    `json:"canary"`
	CanaryBand   [2]canary.Number `json:"canary_band"`
	Baseline     canary.Number    `json:"baseline"`
	BaselineBand [2]canary.Number `json:"baseline_band"`
}

// Needs is what it takes until a metric is decided, if it goes on as it is.
type Needs struct {
	// Events of both arms together; 0 when they are not what is missing.
	Events float64 `json:"events,omitempty"`
	// Panes and Minutes at the present rate.
	Panes   float64 `json:"panes"`
	Minutes float64 `json:"minutes"`
	// Text is the same in words.
	Text string `json:"text"`
}
