package spec

// The formats of sources.
const (
	FormatOTLPSpans   = "otlp_spans"
	FormatOTLPMetrics = "otlp_metrics"
	FormatOTLPLogs    = "otlp_logs"
	FormatJSON        = "json"
	FormatPrometheus  = "prometheus"
	FormatInflux      = "influx"
	FormatTelegraf    = "telegraf"
	FormatCloudEvents = "cloudevents"
	FormatKubernetes  = "kubernetes_events"
	FormatConfluent   = "confluent"
)

// Source is the spec of kind Source: telemetry of one format on one or more
// Kafka topics.
type Source struct {
	// Topics to read.
	Topics []string `yaml:"topics" required:"true"`
	// Format of the records: otlp_spans, otlp_metrics and otlp_logs are OTLP export
	// requests, as the OpenTelemetry Collector's Kafka exporter writes them; json is objects
	// whose fields are mapped; prometheus is remote write 1.0; influx is the line
	// protocol; telegraf is what its serializer json writes;
	// cloudevents and kubernetes_events are events; confluent is Avro, Protobuf or
	// JSON with a schema in a Schema Registry.
	Format string `yaml:"format" required:"true" enum:"otlp_spans|otlp_metrics|otlp_logs|json|prometheus|influx|telegraf|cloudevents|kubernetes_events|confluent"`
	// Encoding of otlp formats: proto (the default) or json. That of prometheus:
	// snappy (the default), or proto for what is not compressed.
	Encoding string `yaml:"encoding,omitempty" enum:"proto|json|snappy"`
	// JSON says where the parts of a sample are, for the formats json and confluent.
	JSON *JSONMapping `yaml:"json,omitempty"`
	// Registry is the Schema Registry of the format confluent.
	Registry *SchemaRegistry `yaml:"registry,omitempty"`
	// OutOfOrderness is how far samples of one partition may arrive out of order
	// without being late: the watermark trails the newest sample by it.
	OutOfOrderness Duration `yaml:"outOfOrderness" default:"5s" max:"1h"`
	// IdleTimeout is how long a partition must have had nothing left to read
	// before windows stop waiting for it.
	IdleTimeout Duration `yaml:"idleTimeout" default:"10s" min:"1ms" max:"1h"`
	// StallTimeout is how long a partition with unread records may give nothing
	// before windows go on without it, flagged incomplete.
	StallTimeout Duration `yaml:"stallTimeout" default:"2m" min:"1ms" max:"1d"`
	// MaxDrift is how far ahead of the slowest one, by the time of its samples, a partition
	// is read when there is a backlog: what lies further ahead could not be finished
	// yet. 0 is no limit.
	MaxDrift Duration `yaml:"maxDrift" default:"15m" max:"30d"`
	// MaxAhead is how far in the future a sample may lie; one further ahead goes
	// to the dead-letter topic.
	MaxAhead Duration `yaml:"maxAhead" default:"1m" max:"1d"`
	// Examples says whether findings show a few of the samples: traces, and of log records
	// that are errors the text, redacted.
	Examples bool `yaml:"examples" default:"true"`
	// Changes says which samples are changes of what runs, such as deploys: rules see
	// them, and do not act on what was seen before one.
	Changes []Changes `yaml:"changes,omitempty"`
}

// Changes says which samples of a source are changes. What is left out is, for cloudevents,
// what a CDEvent about a service has, and for kubernetes_events what an Event about a
// Deployment has.
type Changes struct {
	// Filter chooses the samples; all of the matchers must fit.
	Filter []string `yaml:"filter,omitempty"`
	// Entity is the label with the name of what was changed.
	Entity string `yaml:"entity,omitempty"`
	// Kind is the label that says how, such as deployed.
	Kind string `yaml:"kind,omitempty"`
	// Version is the label with the version that it has now.
	Version string `yaml:"version,omitempty"`
	// Target is how rules call what was changed; {{entity}} is the entity.
	Target string `yaml:"target" default:"deploy/{{entity}}"`
}

// JSONMapping says where the parts of a sample are in a JSON document. Paths are
// keys joined by dots; a key that itself has dots is tried first as a whole.
type JSONMapping struct {
	// Timestamp is the path of the event time.
	Timestamp string `yaml:"timestamp" required:"true"`
	// TimestampFormat is auto, rfc3339, unix_s, unix_ms, unix_us, unix_ns or a Go
	// layout such as "2006-01-02 15:04:05". auto reads RFC 3339 text and numbers,
	// whose unit is told by their size.
	TimestampFormat string `yaml:"timestampFormat" default:"auto"`
	// Labels maps the name of a label to its path.
	Labels map[string]string `yaml:"labels,omitempty"`
	// Values maps the name of a numeric field to where it is.
	Values map[string]JSONValue `yaml:"values,omitempty"`
}

// JSONValue is where one numeric field is.
type JSONValue struct {
	// Path of the number.
	Path string `yaml:"path" required:"true"`
	// Unit makes the value a duration, kept in nanoseconds: s, ms, us or ns.
	// Without it the value is a plain number.
	Unit string `yaml:"unit,omitempty" enum:"s|ms|us|ns"`
}

// SchemaRegistry is a Schema Registry as Confluent's API has it.
type SchemaRegistry struct {
	// URL of the registry.
	URL string `yaml:"url" required:"true"`
	// Username and Password, where the registry asks for them.
	Username string `yaml:"username,omitempty"`
	// Password should come from ${env:NAME} or ${file:/path}.
	Password Secret `yaml:"password,omitempty"`
}
