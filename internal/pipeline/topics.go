package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

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
