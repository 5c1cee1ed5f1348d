package flyball

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Canary says how a canary is compared with its baseline: a new version of an entity with the old one, from the same panes.
type Canary struct {
	// Name identifies it.
	Name string
	// Revision is a hash of what is measured and judged.
	Revision string
	// Entity is the label that names what is compared: that of all its indicators.
	Entity string
	// Selector narrows the series of its indicators, by group labels.
	Selector []Matcher
	// Version is the label whose values tell the cohorts apart, where Baseline and Canary say nothing.
	Version string
	// Baseline and Canary select the series of the cohorts by group labels; both nil is by Version.
	Baseline, Canary []Matcher
	// Replica is the label that tells the replicas of a cohort apart, empty for none.
	Replica string
	// Auto starts an analysis when a new cohort appears with traffic.
	Auto bool
	// Metrics are what is compared.
	Metrics []CanaryMetric
	// GroupWeights are percentages of the score by group.
	GroupWeights map[string]float64
	// Interval is the time from one look to the next, Warmup what is passed over at
	// the start, and Duration the length of the analysis with it; whole Intervals.
	Interval, Warmup, Duration time.Duration
	// History is how long before the analysis it is used what the baseline counted.
	History time.Duration
	// Borrow is the factor, from 1, by which the rate in it may raise evidence.
	Borrow float64
	// Steps are the shares of traffic that the canary gets one after the other; nil is one share.
	Steps []CanaryStep
	// Judge is "sequential" or "kayenta".
	Judge string
	// Alpha and Beta are the chances of a false fail and of a false pass.
	Alpha, Beta float64
	// FixedHorizon says that the analysis ends after Duration for certain, so that a group sequential test can be used.
	FixedHorizon bool
	// Pass and Marginal are the scores, 0 to 100, at which it passes and is marginal.
	Pass, Marginal float64
	// Share is the share of the traffic that the canary should get, 0 when it is not checked.
	Share float64
	// Severity is that of the finding of a canary that fails.
	Severity string
}

// CanaryMetric is one metric of a canary.
type CanaryMetric struct {
	// Name of the metric, and Indicator that measures it.
	Name, Indicator string
	// Kind is "count" (bad of all samples), "latency" (the distribution of the value) or "gauge" (its mean).
	Kind string
	// Direction is the change that is harm: "increase", "decrease" or "either".
	Direction string
	// Margin is the ratio of the worse to the better cohort that is still allowed, at
	// least 1; Tolerance is how far beyond it a metric must be shown not to lie.
	Margin, Tolerance float64
	// Absolute says that Margin is a difference above 0 instead, in Unit, that of the
	// value, "%" for such margins of bad shares, which are from 0 to 1 nevertheless.
	Absolute bool   `json:",omitempty"`
	Unit     string `json:",omitempty"`
	// Floor is the bad share that does not matter whatever its ratio, of kind count.
	Floor float64
	// Critical fails the canary by itself, Muted counts for nothing, MustHaveData fails a metric without data.
	Critical, Muted, MustHaveData bool
	// Group of the score that it belongs to; empty is one of its own.
	Group string
}

// CanaryStep is one share of traffic of a canary.
type CanaryStep struct {
	// Weight is the share in percent.
	Weight int
	// For is how long the canary has it at least.
	For time.Duration
}

// CanaryRequest asks for an analysis, or for its end: the data of dev.flyball.canary.{start,cancel}.v1.
type CanaryRequest struct {
	// ID identifies the analysis; a second request to start it changes nothing.
	ID string `json:"id"`
	// Cancel ends it without a verdict.
	Cancel bool `json:"cancel,omitempty"`
	// Canary names the kind Canary, Entity what is compared.
	Canary string `json:"canary"`
	Entity string `json:"entity"`
	// Version and Baseline are the cohorts: values of the version label. Without a
	// Version it is the newest that has traffic, without a Baseline the one with the most traffic.
	Version  string `json:"version,omitempty"`
	Baseline string `json:"baseline,omitempty"`
	// Seconds overrides the length of the analysis, 0 does not.
	Seconds int64 `json:"seconds,omitempty"`
	// Pass and Marginal override the thresholds of the score; nil does not.
	Pass     *float64 `json:"pass,omitempty"`
	Marginal *float64 `json:"marginal,omitempty"`
	// By says who asks, for people.
	By string `json:"by,omitempty"`
}

// Number is a float64 that JSON can hold: what is no finite number is the string "NaN", "Infinity" or "-Infinity".
type Number float64

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	switch f := float64(n); {
	case math.IsNaN(f):
		return []byte(`"NaN"`), nil
	case math.IsInf(f, 1):
		return []byte(`"Infinity"`), nil
	case math.IsInf(f, -1):
		return []byte(`"-Infinity"`), nil
	default:
		return json.Marshal(f)
	}
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case `"NaN"`:
		*n = Number(math.NaN())
	case `"Infinity"`:
		*n = Number(math.Inf(1))
	case `"-Infinity"`:
		*n = Number(math.Inf(-1))
	default:
		if err := json.Unmarshal(text, (*float64)(n)); err != nil {
			return fmt.Errorf("cannot read number %s: %w", text, err)
		}
	}
	return nil
}

// The verdicts on a canary. Inconclusive means that the data do not decide yet,
// marginal that they do, and the score lies between the thresholds.
const (
	VerdictPass         = "pass"
	VerdictMarginal     = "marginal"
	VerdictFail         = "fail"
	VerdictInconclusive = "inconclusive"
)

// The phases of an analysis.
const (
	PhaseWarmup    = "warmup"
	PhaseRunning   = "running"
	PhaseEnded     = "ended"
	PhaseCancelled = "cancelled"
)

// Verdict is what is known of a canary at one look: the data of dev.flyball.verdict.v1.
type Verdict struct {
	// ID identifies the analysis, Revision counts its verdicts from 1.
	ID       string `json:"id"`
	Revision int    `json:"revision"`
	// Canary names the kind Canary, Entity what is compared.
	Canary string `json:"canary"`
	Entity string `json:"entity"`
	// Version and Baseline are the cohorts; an empty Baseline is all others.
	Version  string `json:"version"`
	Baseline string `json:"baseline"`
	// Phase is warmup, running, ended or cancelled; the last two are final.
	Phase string `json:"phase"`
	// Verdict is pass, marginal, fail or inconclusive, Score 0 to 100.
	Verdict string  `json:"verdict"`
	Score   float64 `json:"score"`
	// Reason is one sentence, Needs what it takes to decide.
	Reason string `json:"reason"`
	Needs  string `json:"needs,omitempty"`
	// Judge that judged.
	Judge string `json:"judge"`
	// At is the look, StartedAt and EndsAt the analysis, in event time.
	At        Time `json:"at"`
	StartedAt Time `json:"started_at"`
	EndsAt    Time `json:"ends_at"`
	// Looks that were judged, and Held those that were not because a source was missing.
	Looks int `json:"looks"`
	Held  int `json:"held"`
	// Step counts the steps of traffic from 1, 0 without; AllowedWeight is the share in percent that the canary may have by now.
	Step          int `json:"step"`
	AllowedWeight int `json:"allowed_weight"`
	// By says who asked for it; empty is by itself.
	By string `json:"by,omitempty"`
	// Metrics say why.
	Metrics []MetricVerdict `json:"metrics"`
}

// Final reports whether no other verdict of the analysis follows.
func (v *Verdict) Final() bool { return v.Phase == PhaseEnded || v.Phase == PhaseCancelled }

// MetricVerdict is what is known of one metric of a canary.
type MetricVerdict struct {
	Name           string `json:"name"`
	Kind           string `json:"kind"`
	Direction      string `json:"direction"`
	Group          string `json:"group,omitempty"`
	Verdict        string `json:"verdict"`
	Classification string `json:"classification"`
	Critical       bool   `json:"critical,omitempty"`
	Muted          bool   `json:"muted,omitempty"`
	// Reason is one sentence.
	Reason string `json:"reason"`
	// Effect is the ratio of the canary to the baseline, Interval those that the data
	// leave at all looks at once; Allowed and Tolerated are the limits of decrease and increase.
	Effect    Number    `json:"effect"`
	Interval  [2]Number `json:"interval"`
	Allowed   [2]Number `json:"allowed"`
	Tolerated [2]Number `json:"tolerated"`
	// Absolute says that all these are differences. Unit is theirs, and of the values.
	Absolute bool   `json:"absolute,omitempty"`
	Unit     string `json:"unit,omitempty"`
	// EHarm and ESafe are the evidence, EFail and EPass what it must reach.
	EHarm Number `json:"e_harm"`
	ESafe Number `json:"e_safe"`
	EFail Number `json:"e_fail"`
	EPass Number `json:"e_pass"`
	// Needs is what it takes to decide.
	Needs string   `json:"needs,omitempty"`
	Notes []string `json:"notes,omitempty"`
	// History is what the baseline counted before, so far as it was evidence.
	History *HistoryVerdict `json:"history,omitempty"`
	// Canary and Baseline describe the cohorts.
	Canary   CohortVerdict `json:"cohort_canary"`
	Baseline CohortVerdict `json:"cohort_baseline"`
}

// HistoryVerdict says what of the baseline's history was evidence.
type HistoryVerdict struct {
	Minutes Number `json:"minutes"`
	// Events and Exposure of its latest part, Discount of their information (infinite when
	// they were no evidence), and Gain, what they multiplied the evidence for harm with.
	Events   Number `json:"events"`
	Exposure Number `json:"exposure"`
	Discount Number `json:"discount"`
	Gain     Number `json:"gain"`
}

// CohortVerdict describes one cohort of one metric so far.
type CohortVerdict struct {
	Replicas int    `json:"replicas"`
	Events   Number `json:"events"`
	Exposure Number `json:"exposure"`
	// Count of looks with a value, and what is known of the values.
	Count int    `json:"count"`
	Mean  Number `json:"mean"`
	Min   Number `json:"min"`
	Max   Number `json:"max"`
	Std   Number `json:"std"`
	// Last is the value of the last look: bad share, median or mean.
	Last Number `json:"last"`
	// Quantiles from 0 to 1 in steps of 0.05: of the samples for latency, of the looks for the rest. Empty without any.
	Quantiles []Number `json:"quantiles,omitempty"`
}
