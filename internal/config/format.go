package config

import (
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
)

// format is what linting knows of a format of sources.
type format struct {
	// encodings that it has, the default first.
	encodings []string
	// mapped says that the configuration names the fields of a sample.
	mapped bool
	// registry says that there must be a Schema Registry.
	registry bool
	// value and bad are what an indicator measures and what is bad where it does not
	// say.
	value, bad string
	// durations and numbers are the numeric fields that every sample may have, those
	// in nanoseconds and the others.
	durations, numbers []string
	// names is the label that tells apart what has nothing in common, so that an
	// indicator must have a condition on it.
	names string
	// entity is an example of what indicators may be about, where samples have no
	// service.name.
	entity string
	// prefixes are how the names of labels and numbers begin, where that is known.
	prefixes []string
}

var formats = map[string]format{
	spec.FormatOTLPSpans: {
		encodings: []string{"proto", "json"}, value: flyball.FieldDuration, bad: DefaultBad, durations: []string{flyball.FieldDuration},
	},
	spec.FormatOTLPMetrics: {
		encodings: []string{"proto", "json"}, durations: []string{flyball.FieldDuration}, numbers: []string{flyball.FieldValue}, names: "metric.name",
	},
	spec.FormatOTLPLogs: {
		encodings: []string{"proto", "json"}, bad: `severity=~"ERROR|FATAL"`, numbers: []string{"severity.number"},
	},
	spec.FormatJSON: {mapped: true},
	spec.FormatPrometheus: {
		encodings: []string{"snappy", "proto"}, durations: []string{flyball.FieldDuration}, numbers: []string{flyball.FieldValue}, names: "metric.name",
		entity: "job",
	},
	spec.FormatInflux:      {names: "metric.name", entity: "host"},
	spec.FormatTelegraf:    {names: "metric.name", entity: "host"},
	spec.FormatCloudEvents: {entity: "ce.subject", prefixes: []string{"ce.", "data.", "cdevent."}},
	spec.FormatConfluent:   {mapped: true, registry: true},
	spec.FormatKubernetes:  {entity: "k8s.workload", bad: `k8s.type="Warning"`},
}

// isNumber reports whether a name is that of a numeric field of every sample.
func (f *format) isNumber(name string) bool {
	return slices.Contains(f.durations, name) || slices.Contains(f.numbers, name)
}
