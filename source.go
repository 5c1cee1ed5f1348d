package flyball

import "time"

// Source is telemetry of one format on one or more Kafka topics.
type Source struct {
	// Name identifies the source in indicators, metrics and watermarks.
	Name string
	// Topics are read by one consumer group.
	Topics []string
	// Format names the decoder, "otlp_spans" for one; ingest/decode lists them.
	Format string
	// Encoding of the format where it has several: "proto" (default) or "json".
	Encoding string
	// JSON maps fields, for formats whose samples have no labels by themselves.
	JSON JSONMapping
	// Registry has the schemas of the format "confluent".
	Registry SchemaRegistry
	// OutOfOrderness is how far samples of one partition may arrive out of order without being
	// late: the watermark trails the maximum event time by it.
	OutOfOrderness time.Duration
	// IdleTimeout is how long a partition must have had nothing left to read before it stops
	// holding back the watermark.
	IdleTimeout time.Duration
	// StallTimeout is how long a partition with lag may give nothing before windows go on
	// without it.
	StallTimeout time.Duration
	// MaxDrift is how far ahead of the slowest one a partition is read; 0 is no limit.
	MaxDrift time.Duration
	// MaxAhead is how far in the future of the wall clock a sample may lie; one further ahead
	// is dead-lettered and never moves a watermark.
	MaxAhead time.Duration
	// NoExamples keeps findings from showing samples of it.
	NoExamples bool
	Changes    []Changes
}

// Changes says which samples are changes of what runs, and the names of labels; Target has the
// place {{entity}}.
type Changes struct {
	Filter                        []Matcher
	Entity, Kind, Version, Target string
}

// SchemaRegistry is a Schema Registry as Confluent's API has it.
type SchemaRegistry struct {
	// URL of the registry, and how to log in to it; empty for not at all.
	URL, Username, Password string
}

// JSONMapping says where the parts of a sample are in a JSON document. Paths are keys joined
// by dots; a key that itself has dots is tried first as a whole.
type JSONMapping struct {
	// Timestamp is the path of the event time.
	Timestamp string
	// TimestampFormat is "auto", "rfc3339", "unix_s", "unix_ms", "unix_us", "unix_ns" or a Go
	// layout. "auto" reads RFC 3339 strings and numbers, the unit of a number being told by
	// its size.
	TimestampFormat string
	// Labels maps a label's name to its path.
	Labels map[string]string
	// Values maps a numeric field's name to where it is.
	Values map[string]JSONValue
}

// JSONValue is where one numeric field is, and its unit.
type JSONValue struct {
	// Path of the number; a string that holds a number is read too.
	Path string
	// Unit is "" for a plain number, or "s", "ms", "us", "ns": then the value is a duration
	// and is kept in nanoseconds.
	Unit string
}
