package canaries

import (
	"log/slog"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// FromConfig returns the service of a configuration; nil when that has no canaries.
// Opts are further options of its Kafka client.
func FromConfig(cfg *config.Config, log *slog.Logger, opts ...kgo.Opt) (*Service, error) {
	if len(cfg.Canaries) == 0 {
		return nil, nil
	}
	security, err := connect.Kafka(cfg.Pipeline.Kafka)
	if err != nil {
		return nil, err
	}
	all := slices.Concat([]kgo.Opt{kgo.SeedBrokers(cfg.Pipeline.Kafka.Brokers...), kgo.ClientID("flyball")}, security, opts)
	return New(all, sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix}, "/flyball/"+cfg.Pipeline.Name,
		int32(cfg.Pipeline.Partitions.Panes), cfg.Canaries, log)
}
