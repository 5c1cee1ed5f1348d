package pipeline

import (
	"log/slog"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/canaries"
	"github.com/flyball-io/flyball/internal/config"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// NewCanaries returns what serves analyses of canaries; nil when the configuration has
// none. Opts are further options of its Kafka client.
func NewCanaries(cfg *config.Config, log *slog.Logger, opts ...kgo.Opt) (*canaries.Service, error) {
	if len(cfg.Canaries) == 0 {
		return nil, nil
	}
	security, err := securityOptions(cfg.Pipeline.Kafka)
	if err != nil {
		return nil, err
	}
	all := slices.Concat([]kgo.Opt{kgo.SeedBrokers(cfg.Pipeline.Kafka.Brokers...), kgo.ClientID("flyball")}, security, opts)
	return canaries.New(all, sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix}, "/flyball/"+cfg.Pipeline.Name,
		int32(cfg.Pipeline.Partitions.Panes), cfg.Canaries, log)
}
