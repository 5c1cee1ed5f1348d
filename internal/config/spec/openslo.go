package spec

// The specs of OpenSLO's kinds (openslo/v1), as far as they are read. Fields
// that Flyball has no use for are accepted as they come.

// Service is the spec of kind Service.
type Service struct {
	// Description is for people.
	Description string `yaml:"description"`
}

// DataSource is the spec of kind DataSource.
type DataSource struct {
	// Description is for people.
	Description string `yaml:"description"`
	// Type of the data source; "flyball" is the one that is read.
	Type string `yaml:"type" required:"true"`
	// ConnectionDetails are not used: Flyball reads its own indicators.
	ConnectionDetails any `yaml:"connectionDetails"`
}

// SLI is the spec of kind SLI.
type SLI struct {
	// Description is for people.
	Description string `yaml:"description,omitempty"`
	// RatioMetric counts good or bad samples against all of them.
	RatioMetric *RatioMetric `yaml:"ratioMetric,omitempty"`
	// ThresholdMetric compares the values of an indicator with the objective's value.
	ThresholdMetric *Metric `yaml:"thresholdMetric,omitempty"`
}

// RatioMetric is a share of samples: total, and one of good and bad.
type RatioMetric struct {
	// Counter makes no difference: Flyball counts samples itself.
	Counter bool `yaml:"counter,omitempty"`
	// Good counts good samples.
	Good *Metric `yaml:"good,omitempty"`
	// Bad counts bad samples.
	Bad *Metric `yaml:"bad,omitempty"`
	// Total counts all samples.
	Total *Metric `yaml:"total,omitempty"`
	// RawType is what a raw ratio is of: success or failure. Flyball counts the samples
	// of the indicator that raw names, whichever it is.
	RawType string `yaml:"rawType,omitempty" enum:"success|failure"`
	// Raw names an indicator whose ratio is meant, instead of total and one of good and
	// bad.
	Raw *Metric `yaml:"raw,omitempty"`
}

// Metric is one count.
type Metric struct {
	// MetricSource says where the count comes from.
	MetricSource MetricSource `yaml:"metricSource" required:"true"`
}

// MetricSource is where a count comes from.
type MetricSource struct {
	// MetricSourceRef names a DataSource, which gives the type.
	MetricSourceRef string `yaml:"metricSourceRef,omitempty"`
	// Type is "flyball".
	Type string `yaml:"type,omitempty"`
	// Spec is a Count when the type is flyball.
	Spec any `yaml:"spec" required:"true"`
}

// Count is the spec of a metric source of type flyball.
type Count struct {
	// Indicator names the Indicator.
	Indicator string `yaml:"indicator" required:"true"`
	// Measure says which of the indicator's counts is meant: count, bad or good.
	// It follows from the place (total, bad, good) and need not be written.
	Measure string `yaml:"measure,omitempty" enum:"count|bad|good"`
	// Unit of the objective's value, for a thresholdMetric on durations.
	Unit string `yaml:"unit,omitempty" enum:"ns|us|ms|s"`
	// Selector narrows the indicator's series by their group labels, with =, !=,
	// =~ and !~; the SLO covers the sum of those that fit. Without it all count.
	Selector []string `yaml:"selector,omitempty"`
}

// SLO is the spec of kind SLO.
type SLO struct {
	// Description is for people.
	Description string `yaml:"description,omitempty"`
	// Service that the SLO belongs to.
	Service string `yaml:"service" required:"true"`
	// Indicator is an SLI written in place.
	Indicator *InlineSLI `yaml:"indicator,omitempty"`
	// IndicatorRef names an SLI, instead.
	IndicatorRef string `yaml:"indicatorRef,omitempty"`
	// TimeWindow is the period of the error budget: one, rolling or of the
	// calendar.
	TimeWindow []TimeWindow `yaml:"timeWindow" required:"true"`
	// BudgetingMethod is what the budget counts: Occurrences counts samples,
	// Timeslices counts slices of time that are good or bad as a whole,
	// RatioTimeslices adds up the bad shares of slices of time.
	BudgetingMethod string `yaml:"budgetingMethod" default:"Occurrences" enum:"Occurrences|Timeslices|RatioTimeslices"`
	// Objectives are the targets. The first gives an SLO of the document's name,
	// every other one of the name name/displayName or name/target.
	Objectives []Objective `yaml:"objectives" required:"true"`
	// AlertPolicies are names of AlertPolicy documents, or such documents in place.
	// Their conditions are the burn-rate tiers, unless the annotation
	// flyball.dev/burn-rate-tiers sets those.
	AlertPolicies []any `yaml:"alertPolicies,omitempty"`
}

// InlineSLI is an SLI inside of an SLO.
type InlineSLI struct {
	// Metadata may name it.
	Metadata InlineMetadata `yaml:"metadata,omitempty"`
	// Spec is that of an SLI.
	Spec SLI `yaml:"spec" required:"true"`
}

// InlineMetadata is metadata in which the name may be left out.
type InlineMetadata struct {
	// Name of the SLI; nothing can refer to it.
	Name string `yaml:"name,omitempty"`
	// DisplayName is for people.
	DisplayName string `yaml:"displayName,omitempty"`
	// Labels are not read.
	Labels map[string]any `yaml:"labels,omitempty"`
	// Annotations are not read.
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

// TimeWindow is the period of an error budget.
type TimeWindow struct {
	// Duration of the period, such as 30d or 4w; of a calendar also 1M, 1Q, 1Y.
	Duration Period `yaml:"duration" required:"true"`
	// IsRolling is true for a window that ends now, and false for a calendar.
	IsRolling bool `yaml:"isRolling"`
	// Calendar says when a budget begins anew, for a window that does not roll.
	Calendar *Calendar `yaml:"calendar,omitempty"`
}

// Calendar is how periods lie in time.
type Calendar struct {
	// StartTime is the start of any one period, in the time zone, as
	// 2026-01-01 00:00:00. Days, months and years are those of the calendar there,
	// whatever the offset to UTC.
	StartTime Text `yaml:"startTime" required:"true"`
	// TimeZone is a name of the IANA time zone database, such as Europe/Berlin.
	TimeZone string `yaml:"timeZone" required:"true"`
}

// Objective is one target.
type Objective struct {
	// DisplayName tells several objectives apart.
	DisplayName string `yaml:"displayName,omitempty"`
	// Target is the good share wanted, more than 0 and less than 1, with up to
	// nine digits after the point.
	Target Decimal `yaml:"target,omitempty"`
	// TargetPercent is the target in percent, instead, with up to seven digits
	// after the point.
	TargetPercent Decimal `yaml:"targetPercent,omitempty"`
	// Op says which values of a thresholdMetric are good: lte, lt, gte or gt, compared
	// with value.
	Op string `yaml:"op,omitempty" enum:"lte|gte|lt|gt"`
	// Value is the threshold of a thresholdMetric: a number with the unit of the metric
	// source, or a duration such as 300ms.
	Value Text `yaml:"value,omitempty"`
	// TimeSliceTarget is the good share from which on a slice of time is good, for
	// Timeslices.
	TimeSliceTarget Decimal `yaml:"timeSliceTarget,omitempty"`
	// TimeSliceWindow is the width of a slice of time: a multiple of the
	// indicator's pane.
	TimeSliceWindow Duration `yaml:"timeSliceWindow,omitempty" min:"1s" max:"1d"`
	// Indicator is an SLI written in place, where the SLO is a composite: the objectives
	// are its parts then, with one target.
	Indicator *InlineSLI `yaml:"indicator,omitempty"`
	// IndicatorRef names an SLI, instead.
	IndicatorRef string `yaml:"indicatorRef,omitempty"`
	// CompositeWeight is as how many samples each of the part counts, compared with the
	// other parts.
	CompositeWeight Decimal `yaml:"compositeWeight,omitempty"`
}
