package automation

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// clientID names the commands in the brokers' logs.
const clientID = "flyball"

// sendControl writes what a person says to the control topic, and returns when the
// brokers have it.
func sendControl(ctx context.Context, cfg *config.Config, c *flyball.Control) error {
	topics := sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix}
	r, err := sinkkafka.Encoder{Topics: topics, Source: "/flyball/" + cfg.Pipeline.Name}.Control(c)
	if err != nil {
		return err
	}
	cl, err := connect.Client(cfg, clientID, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer cl.Close()
	if err := cl.ProduceSync(ctx, r).FirstErr(); err != nil {
		return fmt.Errorf("cannot send control %q: %w", c.Kind, err)
	}
	return nil
}

// readDecisions reads the decision log, from its start to its end as of now, and calls
// each with every decision, in the order of each partition.
func readDecisions(ctx context.Context, cfg *config.Config, each func(flyball.Decision)) error {
	topic := sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix}.Decisions()
	return readTopics(ctx, cfg, []string{topic}, func(r *kgo.Record) {
		if d, err := sinkkafka.DecodeDecision(r); err == nil {
			each(d)
		}
	})
}

// readTopics reads topics from their starts to their ends as of now, and calls each with
// every record, in the order of each partition.
func readTopics(ctx context.Context, cfg *config.Config, topics []string, each func(*kgo.Record)) error {
	return connect.ReadTopics(ctx, cfg, clientID, time.Time{}, topics, func(r *kgo.Record) error {
		each(r)
		return nil
	})
}
