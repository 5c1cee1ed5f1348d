package loadgen

import (
	"fmt"
	"strings"
	"time"

	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

// Config is a whole run: the shop, how its spans become records, and where those go. Exactly one of
// Kafka.Brokers and Dir names the place for [Run]; [Runner.Run] is handed a sink instead.
type Config struct {
	// Shop is the pure core's configuration. A zero Shop.Start is filled in by the shell: now when
	// paced, else now minus Duration.
	Shop shop.Config
	// Unpaced runs as fast as the sink takes records; otherwise event time follows the wall clock.
	Unpaced bool
	// MaxSpans ends the run after exactly this many spans; 0 is no limit.
	MaxSpans int64
	// Encoding of record values.
	Encoding shop.Encoding
	// BatchSpans is the number of spans per record, 1 to 2,000 (500 for JSON): the Collector's default
	// limit for a record is 1 MB.
	BatchSpans int
	// BatchTimeout is how much event time may pass before a record goes out unfilled.
	BatchTimeout time.Duration
	// Partitions is the number of partitions that records take turns on. A Kafka topic that exists
	// keeps its own number.
	Partitions int
	// Topic names the topic and the files.
	Topic string
	// TruthWindow is the width of the windows of the ground truth, aligned to the Unix epoch.
	TruthWindow time.Duration
	// TruthBy says which timestamp puts a span in a window.
	TruthBy EventTime
	// Kafka is the broker to produce to.
	Kafka KafkaConfig
	// Dir is the directory to write files to.
	Dir string
}

// Default is a shop at 2,000 spans/s without incidents, batched as the Collector's batch processor and
// Kafka exporter do, with 100 spans per record.
func Default() Config {
	return Config{
		Shop:         shop.Default(),
		Encoding:     shop.OTLPProto,
		BatchSpans:   100,
		BatchTimeout: 200 * time.Millisecond,
		Partitions:   4,
		Topic:        "otlp_spans",
		TruthWindow:  10 * time.Second,
		TruthBy:      ByEnd,
		Kafka:        KafkaConfig{Compression: "none", ClientID: "otel-collector"},
	}
}

// Validate reports the first thing wrong with the configuration.
func (c Config) Validate() error {
	if err := c.Shop.Validate(); err != nil {
		return err
	}
	limit := 2000
	switch c.Encoding {
	case shop.OTLPProto:
	case shop.OTLPJSON:
		limit = 500
	default:
		return fmt.Errorf("cannot use encoding %q: want %s or %s", c.Encoding, shop.OTLPProto, shop.OTLPJSON)
	}
	switch {
	case c.BatchSpans < 1 || c.BatchSpans > limit:
		return fmt.Errorf("cannot use %d spans per record: want 1 to %d for %s", c.BatchSpans, limit, c.Encoding)
	case c.BatchTimeout < 0 || c.MaxSpans < 0:
		return fmt.Errorf("cannot use negative batch timeout %s or span limit %d", c.BatchTimeout, c.MaxSpans)
	case c.Partitions < 1 || c.Partitions > 10_000:
		return fmt.Errorf("cannot use %d partitions: want 1 to 10,000", c.Partitions)
	case c.Topic == "" || strings.ContainsAny(c.Topic, `/\`):
		return fmt.Errorf("cannot use topic name %q", c.Topic)
	case c.TruthWindow <= 0:
		return fmt.Errorf("cannot use truth window %s: must be positive", c.TruthWindow)
	case c.Unpaced && c.Shop.Duration == 0 && c.MaxSpans == 0:
		return fmt.Errorf("cannot run unpaced without a duration or a limit of spans: it would never end")
	}
	return c.Kafka.validate()
}
