package flyball

import "time"

// WindowValue names one number of a window, as a series over time.
type WindowValue string

// The numbers of a window that a detector can watch.
const (
	// ValueRate is samples per second.
	ValueRate WindowValue = "rate"
	// ValueErrorRatio is the share of bad samples.
	ValueErrorRatio WindowValue = "error_ratio"
	// ValueMean and the quantiles are of the indicator's value.
	ValueMean WindowValue = "mean"
	ValueP50  WindowValue = "p50"
	ValueP90  WindowValue = "p90"
	ValueP95  WindowValue = "p95"
	ValueP99  WindowValue = "p99"
)

// Direction says which departures from what is usual are findings.
type Direction string

// The directions of a detector.
const (
	DirectionBoth Direction = "both"
	DirectionUp   Direction = "up"
	DirectionDown Direction = "down"
)

// Detector says which series are watched for anomalies, and how.
type Detector struct {
	// Name identifies the detector.
	Name string
	// Watches are the indicators that it watches, by name, and which of their numbers.
	Watches []Watch
	// Selector holds the conditions on the labels of a series, all of them.
	Selector []Matcher
	// Algorithms that have a say, by their names; empty is the default ensemble.
	Algorithms []string
	// FalseAlarms is how many alarms by chance are accepted in a week, for one series.
	FalseAlarms float64
	// Direction of what is found.
	Direction Direction
	// Periods that the series may follow, shortest first; empty is an hour, a day and
	// a week.
	Periods []time.Duration
	// MinSamples is how many samples a window must have to be judged and learned. It
	// does not hold for the rate, which is made of them.
	MinSamples int64
	// Range is what the value can be, such as 0 to 100; nil is not known.
	Range *ValueRange
	// Horizon is how far ahead it is foreseen that the value reaches the end of its
	// range.
	Horizon time.Duration
	// Severity of its findings.
	Severity string
	// SeriesLimit bounds the series that are watched, for each indicator and
	// partition; more are not.
	SeriesLimit int
	// Exclusions are stretches of time that are neither judged nor learned.
	Exclusions []Exclusion
	// Revision changes when what is learned changes: a memory starts anew then.
	Revision string
}

// Watch is an indicator with those of its numbers that a detector watches.
type Watch struct {
	// Indicator by its name.
	Indicator string
	// Values of its windows.
	Values []WindowValue
}

// ValueRange is a declared range.
type ValueRange struct{ Min, Max float64 }
