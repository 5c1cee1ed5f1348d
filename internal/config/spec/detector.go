package spec

import (
	"fmt"
	"math"
	"strconv"

	yaml "go.yaml.in/yaml/v4"
)

// Detector is the spec of kind Detector: which series to watch for anomalies, and
// how. An empty one, `spec: {}`, watches every indicator with what suits most.
type Detector struct {
	// Indicators names what to watch; without it every indicator.
	Indicators []string `yaml:"indicators,omitempty"`
	// Values lists which numbers of a window to watch: rate, error_ratio, mean, p50,
	// p90, p95, p99. Without it the rate, the error_ratio of indicators that have
	// bad samples, and the p99 of those that have a value.
	Values []string `yaml:"values,omitempty"`
	// Match holds the conditions on the labels of a series, all of them, as matchers:
	// `service.name=~"check.*"`. Without it every series.
	Match []string `yaml:"match,omitempty"`
	// Algorithms lists who has a say: auto, which is the default ensemble, or names
	// such as season and spike. Several make an ensemble.
	Algorithms []string `yaml:"algorithms" default:"auto"`
	// FalseAlarmsPerWeek is how many alarms by chance alone are accepted in a week,
	// for one series: the sensitivity.
	FalseAlarmsPerWeek Decimal `yaml:"falseAlarmsPerWeek" default:"0.1"`
	// Direction is which departures are findings: up, down or both.
	Direction string `yaml:"direction" default:"both" enum:"both|up|down"`
	// Periods that the series may follow, shortest first; without it an hour, a day
	// and a week.
	Periods []Duration `yaml:"periods,omitempty"`
	// MinSamples is how many samples a window must have to be judged. It does not
	// hold for the rate.
	MinSamples int64 `yaml:"minSamples" default:"1" min:"0" max:"1000000000"`
	// Range is what the value can be, such as 0 to 100 for a CPU in percent.
	Range *Range `yaml:"range,omitempty"`
	// Horizon is how far ahead it is foreseen that the value reaches the end of its
	// range.
	Horizon Duration `yaml:"horizon" default:"4h" min:"1m" max:"30d"`
	// Severity of the findings.
	Severity string `yaml:"severity" default:"info" enum:"info|ticket|page"`
	// SeriesLimit bounds the series that are watched, for each indicator and
	// partition of panes; more are not.
	SeriesLimit int `yaml:"seriesLimit" default:"10000" min:"1" max:"100000"`
}

// Range bounds what a value can be.
type Range struct {
	// Min is the least that the value can be, in its unit.
	Min Number `yaml:"min" required:"true"`
	// Max is the most.
	Max Number `yaml:"max" required:"true"`
}

// Number is any finite number, such as -1.5 or 1e9.
type Number float64

// UnmarshalText reads a number.
func (n *Number) UnmarshalText(text []byte) error {
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return fmt.Errorf("want a number such as 100 or -1.5, got %q", text)
	}
	*n = Number(f)
	return nil
}

// MarshalYAML writes the number with all its digits.
func (n Number) MarshalYAML() (any, error) {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: strconv.FormatFloat(float64(n), 'g', -1, 64)}, nil
}
