package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
	"github.com/flyball-io/flyball/sinks/clickhouse"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// ensureTopics creates what is missing and refuses what would lose data.
func (p *pipeline) ensureTopics(ctx context.Context) error {
	client, err := kgo.NewClient(p.clientOptions()...)
	if err != nil {
		return fmt.Errorf("cannot reach Kafka: %w", err)
	}
	defer client.Close()
	return sinkkafka.Ensure(ctx, kadm.NewClient(client), p.topics.Specs(int32(p.cfg.Pipeline.Partitions.Panes)))
}

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
	security, err := connect.Kafka(cfg.Pipeline.Kafka)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(append(security, kgo.SeedBrokers(cfg.Pipeline.Kafka.Brokers...), kgo.ClientID("flyball"))...)
	if err != nil {
		return fmt.Errorf("cannot reach Kafka: %w", err)
	}
	defer client.Close()
	topics := sinkkafka.Topics{Prefix: cfg.Pipeline.Kafka.TopicPrefix}
	return f(kadm.NewClient(client), topics.Specs(int32(cfg.Pipeline.Partitions.Panes)))
}

// recordTopics says which topic goes into which table.
func (p *pipeline) recordTopics() map[string]recordTopic {
	return map[string]recordTopic{
		p.topics.Windows():     arrowTopic(clickhouse.TableWindows),
		p.topics.SLO():         arrowTopic(clickhouse.TableSLOStatus),
		p.topics.Bands():       arrowTopic(clickhouse.TableBands),
		p.topics.Labels():      eventTopic(clickhouse.TableLabels, sinkkafka.DecodeLabel, (*clickhouse.Writer).InsertLabels),
		p.topics.Findings():    eventTopic(clickhouse.TableFindings, sinkkafka.DecodeFinding, (*clickhouse.Writer).InsertFindings),
		p.topics.Verdicts():    eventTopic(clickhouse.TableVerdicts, sinkkafka.DecodeVerdict, (*clickhouse.Writer).InsertVerdicts),
		p.topics.Decisions():   eventTopic(clickhouse.TableDecisions, sinkkafka.DecodeDecision, (*clickhouse.Writer).InsertDecisions),
		p.topics.Commands():    eventTopic(clickhouse.TableCommands, sinkkafka.DecodeCommand, (*clickhouse.Writer).InsertCommands),
		p.topics.Outcomes():    eventTopic(clickhouse.TableOutcomes, sinkkafka.DecodeOutcome, (*clickhouse.Writer).InsertOutcomes),
		p.topics.Control():     eventTopic(clickhouse.TableControls, sinkkafka.DecodeControl, (*clickhouse.Writer).InsertControls),
		p.topics.DeadLetters(): eventTopic(clickhouse.TableDeadLetters, deadLetterRow, (*clickhouse.Writer).InsertDeadLetters),
	}
}

func names(topics map[string]recordTopic) []string { return slices.Sorted(maps.Keys(topics)) }

// deadLetterRow reads a dead letter for its table.
func deadLetterRow(r *kgo.Record) (clickhouse.DeadLetter, error) {
	d, err := sinkkafka.ReadDeadLetter(r)
	if err != nil {
		return clickhouse.DeadLetter{}, err
	}
	return clickhouse.DeadLetter{
		At: r.Timestamp, Partition: r.Partition, Offset: r.Offset,
		Stage: d.Stage, Reason: d.Reason, Message: d.Message,
		SourceTopic: d.Record.Topic, SourcePartition: d.Record.Partition, SourceOffset: d.Record.Offset,
		Key: d.Record.Key, Value: d.Record.Value,
	}, nil
}

// prepare brings the tables up to date and checks them, trying again while the
// database is away.
func (r *recorder) prepare(ctx context.Context, db *clickhouse.DB) error {
	return r.insert(ctx, "schema", 0, func() error {
		if _, err := db.Migrate(ctx); err != nil {
			return err
		}
		return db.Check(ctx)
	})
}
