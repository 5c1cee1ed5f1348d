package spec

// Canary is the spec of kind Canary: how a new version is compared with the old
// one. Both are cohorts of the series of the same indicators.
type Canary struct {
	// Selector holds matchers on the group labels of the indicators: which series
	// take part. Without it all do, entity by entity.
	Selector []string `yaml:"selector,omitempty"`
	// Version is the label whose values are the cohorts.
	Version string `yaml:"version" default:"service.version"`
	// Baseline and Canary select the cohorts by matchers on group labels, where it is
	// not the version that tells them apart: `track="stable"`.
	Baseline []string `yaml:"baseline,omitempty"`
	// Canary selects the canary then: `track="canary"`.
	Canary []string `yaml:"canary,omitempty"`
	// Replica is the label that tells the pods of a cohort apart, so that how much
	// they differ is part of the uncertainty.
	Replica string `yaml:"replica,omitempty"`
	// Start is auto, when a new version appears with traffic and on request, or
	// request only.
	Start string `yaml:"start" default:"auto" enum:"auto|request"`
	// Metrics are what is compared.
	Metrics []CanaryMetric `yaml:"metrics" required:"true"`
	// Interval is the time from one look to the next. Without it, the widest pane of
	// the indicators.
	Interval Duration `yaml:"interval,omitempty" max:"1h"`
	// Warmup is how much at the start is passed over.
	Warmup Duration `yaml:"warmup" default:"1m" max:"1d"`
	// Duration is how long the analysis goes on, warm-up included. Without it, as
	// long as the steps, or an hour.
	Duration Duration `yaml:"duration,omitempty" max:"7d"`
	// History is how long before the analysis it is known what the baseline counted,
	// and so how much such counts vary; 0 for not at all. A day without it.
	History *Duration `yaml:"history,omitempty" max:"7d"`
	// Borrow makes the rate in the history evidence too: it may raise that for harm by
	// this factor, from 1, not at all, to 20. Errors of both cohorts that rise just when
	// a canary starts can fail it then.
	Borrow Decimal `yaml:"borrow,omitempty" default:"1"`
	// Steps are the shares of traffic that the canary gets, with a gate after each.
	Steps []CanaryStep `yaml:"steps,omitempty"`
	// Judge is sequential, which is right however often one looks, or kayenta, which
	// judges once at the end.
	Judge string `yaml:"judge" default:"sequential" enum:"sequential|kayenta"`
	// Alpha is the chance that a canary which is no worse fails.
	Alpha Decimal `yaml:"alpha,omitempty" default:"0.05"`
	// Beta is the chance that a metric worse than tolerated passes.
	Beta Decimal `yaml:"beta,omitempty" default:"0.05"`
	// FixedHorizon says that the analysis ends after its duration for certain: harm
	// is found by a group sequential test, with fewer data.
	FixedHorizon bool `yaml:"fixedHorizon,omitempty"`
	// Thresholds of the score.
	Thresholds CanaryThresholds `yaml:"thresholds"`
	// Share is the share of the traffic that the canary should get, such as 0.1. It
	// is not checked without.
	Share Decimal `yaml:"share,omitempty"`
	// Severity of the finding when the canary fails.
	Severity string `yaml:"severity" default:"page" enum:"page|ticket|info"`
}

// CanaryThresholds are scores from 0 to 100.
type CanaryThresholds struct {
	// Pass is the score from which on a canary passes.
	Pass Decimal `yaml:"pass" default:"95"`
	// Marginal is the score below which it fails.
	Marginal Decimal `yaml:"marginal" default:"75"`
}

// CanaryMetric is one metric of a canary.
type CanaryMetric struct {
	// Name of the metric. Without it, that of the indicator and the kind.
	Name string `yaml:"name,omitempty"`
	// Indicator that measures it.
	Indicator string `yaml:"indicator" required:"true"`
	// Kind is count, the bad share of the samples; latency, the distribution of the
	// value; or gauge, the mean of the value.
	Kind string `yaml:"kind" default:"count" enum:"count|latency|gauge"`
	// Direction is the change that is harm.
	Direction string `yaml:"direction" default:"increase" enum:"increase|decrease|either"`
	// Margin is the ratio that is still allowed: 1.1 allows a rise by a tenth, or a
	// fall to 1/1.1. Or a difference: 0.5pp is half a percentage point of the bad share,
	// 20ms is of a value that is a time, +5 of any other.
	Margin Margin `yaml:"margin" default:"1"`
	// Tolerance is how far beyond the margin a metric must be shown not to lie in
	// order to pass: 0.25 is a quarter. Without it 1 for counts, 0.25 else.
	Tolerance Decimal `yaml:"tolerance,omitempty"`
	// Floor is, for counts, the bad share that does not matter whatever its ratio.
	// 0.001 without it.
	Floor Decimal `yaml:"floor,omitempty"`
	// Critical fails the canary by itself.
	Critical bool `yaml:"critical,omitempty"`
	// Muted is judged and shown, and counts for nothing.
	Muted bool `yaml:"muted,omitempty"`
	// MustHaveData fails a metric that has no data at the end.
	MustHaveData bool `yaml:"mustHaveData,omitempty"`
	// Group of the score that it counts in.
	Group string `yaml:"group,omitempty"`
	// Weight is the percentage of its group. Groups without a weight share what is
	// left.
	Weight Decimal `yaml:"weight,omitempty"`
}

// CanaryStep is one share of traffic.
type CanaryStep struct {
	// Weight is the share in percent.
	Weight int `yaml:"weight" required:"true" min:"1" max:"100"`
	// For is how long the canary has it at least; not needed with 100, which ends the
	// analysis.
	For Duration `yaml:"for,omitempty" max:"7d"`
}
