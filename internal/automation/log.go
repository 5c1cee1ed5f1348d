package automation

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// client returns a client of the brokers of a configuration, for what people ask.
func client(cfg *config.Config, more ...kgo.Opt) (*kgo.Client, error) {
	security, err := connect.Kafka(cfg.Pipeline.Kafka)
	if err != nil {
		return nil, err
	}
	opts := append(security, kgo.SeedBrokers(cfg.Pipeline.Kafka.Brokers...), kgo.ClientID("flyball"))
	c, err := kgo.NewClient(append(opts, more...)...)
	if err != nil {
		return nil, fmt.Errorf("cannot reach Kafka: %w", err)
	}
	return c, nil
}

// sendControl writes what a person says to the control topic, and returns when the
// brokers have it.
func sendControl(ctx context.Context, cfg *config.Config, c *flyball.Control) error {
	topics := sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix}
	r, err := sinkkafka.Encoder{Topics: topics, Source: "/flyball/" + cfg.Pipeline.Name}.Control(c)
	if err != nil {
		return err
	}
	cl, err := client(cfg, kgo.RecordPartitioner(kgo.ManualPartitioner()))
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
	cl, err := client(cfg, kgo.ConsumeTopics(topics...), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return err
	}
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, topics...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return fmt.Errorf("cannot list the ends of %q: %w", topics, err)
	}
	starts, err := kadm.NewClient(cl).ListStartOffsets(ctx, topics...)
	if err != nil {
		return fmt.Errorf("cannot list the starts of %q: %w", topics, err)
	}
	type partition struct {
		topic string
		n     int32
	}
	left := map[partition]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if s, ok := starts.Lookup(o.Topic, o.Partition); ok && s.Offset < o.Offset {
			left[partition{o.Topic, o.Partition}] = o.Offset
		}
	})
	for len(left) > 0 {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("cannot read %q: %w", topics, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				each(r)
			}
			at := partition{r.Topic, r.Partition}
			if end, ok := left[at]; ok && r.Offset+1 >= end {
				delete(left, at)
			}
		})
	}
	return nil
}
