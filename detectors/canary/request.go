package canary

// Request is what a judge is asked: the body of Kayenta's remote-judge call.
type Request struct {
	Judge JudgeConfig
	// Metrics are the metrics of the canary configuration.
	Metrics []MetricConfig
	// GroupWeights are percentages by group; groups without one share the rest.
	GroupWeights map[string]float64
	Thresholds   Thresholds
	// Pairs are the data: a metric, its tags, and the values of both arms.
	Pairs []Pair
}

// JudgeConfig is canaryConfig.judge.judgeConfigurations.
type JudgeConfig struct {
	// Tolerance and Confidence of the Mann–Whitney judge; 0.25 and 0.98.
	Tolerance, Confidence float64
	// MeansOnly selects Kayenta's MeanInequalityClassifier in place of its
	// MannWhitneyClassifier.
	MeansOnly bool
	// Alpha and Beta are the chances of a false fail and a false pass that the
	// sequential judge may take; 0 for its defaults.
	Alpha, Beta float64
	// Borrow is by how much a history of the baseline may raise evidence; 0 or 1 for
	// not at all.
	Borrow float64
	// Horizon is the number of panes after which the analysis ends, when that is
	// fixed beforehand; 0 when it is not.
	Horizon int
	// Warmup is the number of panes at the start that the sequential judge passes
	// over.
	Warmup int
	// ReplicaTag names the tag by which the series of one arm differ; "pod".
	ReplicaTag string
	// CanaryShare is the share of traffic that the canary should get, 0 to 1; 0
	// when the split is not to be checked.
	CanaryShare float64
}

// MetricConfig is one metric of the canary configuration with its
// analysisConfigurations.canary and analysisConfigurations.flyball.
type MetricConfig struct {
	Name         string
	Groups       []string
	Direction    Direction
	ReplaceNaN   bool // nanStrategy: replace NaN by 0 instead of dropping it
	Outliers     Outliers
	Critical     bool
	MustHaveData bool
	Muted        bool
	Effect       Effect
	// Kind is "counts" or "gauge", or "" for the sequential judge to tell from
	// the data.
	Kind string
	// Exposure names the metric that counts what the counts are out of, such as
	// requests; "" when both arms are taken to have the same traffic.
	Exposure string
	// Tolerance is how far beyond the margin the sequential judge still passes the
	// metric, relative; 0 for the default.
	Tolerance float64
	// Floor is the rise that does not matter whatever its ratio, in the metric's
	// own unit per pane, or per exposure when there is one; negative for the
	// default.
	Floor float64
}

// Outliers says whether outliers are dropped before the Mann–Whitney test.
type Outliers struct {
	Remove bool
	// Factor multiplies the interquartile range; 3.
	Factor float64
}

// Measure is how the Mann–Whitney judge expresses the size of an effect.
type Measure string

// The measures: the ratio of means, and the common-language effect size, the
// chance that a canary value is above a baseline value.
const (
	MeanRatio Measure = "meanRatio"
	CLES      Measure = "cles"
)

// Effect holds the sizes of effect that are allowed, and that are critical.
type Effect struct {
	Measure                            Measure
	AllowedIncrease, AllowedDecrease   float64
	CriticalIncrease, CriticalDecrease float64
}

// Pair is one metric's data.
type Pair struct {
	Name string
	ID   string
	Tags map[string]string
	// Control are the baseline's values, one per step, NaN where there is none;
	// Experiment the canary's.
	Control, Experiment []float64
	// History are the baseline's values before the first of Control, one per step,
	// the oldest first; nil when they are not given.
	History []float64
	// StartMillis and StepMillis place the values in time; 0 when not given.
	StartMillis, StepMillis int64
}

// Metric returns the configuration of the metric called name.
func (r *Request) Metric(name string) (MetricConfig, bool) {
	for _, m := range r.Metrics {
		if m.Name == name {
			return m, true
		}
	}
	return MetricConfig{}, false
}
