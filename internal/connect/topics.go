package connect

import (
	"context"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/flyball-io/flyball/internal/config"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// CreateTopics creates the topics of a configuration that are missing, with a
// replication factor and a least number of replicas in sync (0 is what the brokers
// have by default), and refuses those that are there and would lose data.
func CreateTopics(ctx context.Context, cfg *config.Config, replication int16, minISR int) error {
	return withTopics(cfg, func(client *kadm.Client, specs []sinkkafka.Spec) error {
		for i := range specs {
			if replication > 0 {
				specs[i].Replication = replication
			}
			if minISR > 0 {
				specs[i].Configs["min.insync.replicas"] = strconv.Itoa(minISR)
			}
		}
		return sinkkafka.Ensure(ctx, client, specs)
	})
}

// InspectTopics says how the topics of a configuration are.
func InspectTopics(ctx context.Context, cfg *config.Config) (list []sinkkafka.Topic, err error) {
	err = withTopics(cfg, func(client *kadm.Client, specs []sinkkafka.Spec) error {
		list, err = sinkkafka.Inspect(ctx, client, specs)
		return err
	})
	return list, err
}

func withTopics(cfg *config.Config, f func(*kadm.Client, []sinkkafka.Spec) error) error {
	client, err := Client(cfg, "flyball")
	if err != nil {
		return err
	}
	defer client.Close()
	topics := sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix}
	return f(kadm.NewClient(client), topics.Specs(int32(cfg.Pipeline.Partitions.Panes)))
}
