package canary

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"github.com/flyball-io/flyball/detectors/stats"
	"gonum.org/v1/gonum/stat"
)

// Number is a float64 that JSON can hold: what is no number is the string "NaN",
// "Infinity" or "-Infinity", as Kayenta writes it.
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

// Result is Kayenta's judge result. Judges add to it by embedding it.
type Result struct {
	JudgeName   string         `json:"judgeName"`
	Results     []MetricResult `json:"results"`
	GroupScores []GroupScore   `json:"groupScores"`
	Score       Score          `json:"score"`
}

// MetricResult is the judgement of one pair.
type MetricResult struct {
	Name                 string            `json:"name"`
	ID                   string            `json:"id"`
	Tags                 map[string]string `json:"tags"`
	Classification       Classification    `json:"classification"`
	ClassificationReason string            `json:"classificationReason,omitempty"`
	Groups               []string          `json:"groups"`
	ExperimentMetadata   Metadata          `json:"experimentMetadata"`
	ControlMetadata      Metadata          `json:"controlMetadata"`
	ResultMetadata       ResultMetadata    `json:"resultMetadata"`
	Critical             bool              `json:"critical"`
	Muted                bool              `json:"muted"`
}

// Metadata describes the values of one arm.
type Metadata struct {
	Stats Summary `json:"stats"`
}

// ResultMetadata describes the comparison.
type ResultMetadata struct {
	// Ratio is the mean of the canary over that of the baseline.
	Ratio Number `json:"ratio"`
}

// GroupScore is the score of one group of metrics.
type GroupScore struct {
	Name                 string `json:"name"`
	Score                Number `json:"score"`
	Classification       string `json:"classification"`
	ClassificationReason string `json:"classificationReason"`
}

// Score is the score of the canary, 0 to 100.
type Score struct {
	Score                Number `json:"score"`
	Classification       string `json:"classification"`
	ClassificationReason string `json:"classificationReason,omitempty"`
}

// Summary describes a set of values; all zero when it is empty.
type Summary struct {
	Count int    `json:"count"`
	Mean  Number `json:"mean"`
	Min   Number `json:"min"`
	Max   Number `json:"max"`
	// Std is the square root of the sample variance, 0 for one value.
	Std Number `json:"std"`
}

// Summarize describes values.
func Summarize(values []float64) Summary {
	if len(values) == 0 {
		return Summary{}
	}
	s := Summary{
		Count: len(values),
		Mean:  Number(stat.Mean(values, nil)),
		Min:   Number(slices.Min(values)),
		Max:   Number(slices.Max(values)),
	}
	if len(values) > 1 {
		s.Std = Number(stat.StdDev(values, nil))
	}
	return s
}

// EffectSize returns the size of the canary's deviation from the baseline: the
// ratio of means, NaN when either is 0, or the common-language effect size, the
// chance that a value of the canary is above one of the baseline, ties counting
// half (McGraw and Wong, 1992).
func EffectSize(m Measure, control, experiment []float64) float64 {
	if m == CLES {
		ranks, _ := stats.Ranks(slices.Concat(experiment, control))
		sum := 0.0
		for _, r := range ranks[:len(experiment)] {
			sum += r
		}
		n, c := float64(len(experiment)), float64(len(control))
		return (2*sum - n*(n+1)) / (2 * n * c)
	}
	c, e := stat.Mean(control, nil), stat.Mean(experiment, nil)
	if c == 0 || e == 0 {
		return math.NaN()
	}
	return e / c
}

func formatScore(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
