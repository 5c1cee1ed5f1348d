package pipeline

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/ingest/kafka"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/pipeline/marks"
	"github.com/flyball-io/flyball/processors"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// emitter turns what machines return into Kafka records.
type emitter struct {
	topics  sinkkafka.Topics
	metrics *Metrics
	events  sinkkafka.Encoder
}

func newEmitter(c *config.Config, topics sinkkafka.Topics, m *Metrics) (*emitter, error) {
	e := &emitter{
		topics: topics, metrics: m,
		events: sinkkafka.Encoder{Topics: topics, Source: "/flyball/" + c.Pipeline.Name},
	}
	if file := c.Pipeline.Signing.KeyFile; file != "" {
		key, err := sinkkafka.LoadSigningKey(file, c.Pipeline.Signing.KeyID)
		if err != nil {
			return nil, err
		}
		e.events.Key = key
	}
	return e, nil
}

// partitioner sends records of keyed topics by their key, and all others to the
// partition that they name.
func (e *emitter) partitioner() kgo.Partitioner {
	keyed := map[string]bool{e.topics.Decisions(): true, e.topics.Verdicts(): true, e.topics.Commands(): true, e.topics.DeadLetters(): true}
	return byTopic{keyed, kgo.StickyKeyPartitioner(nil), kgo.ManualPartitioner()}
}

// byTopic chooses a partitioner by topic.
type byTopic struct {
	keyed          map[string]bool
	sticky, manual kgo.Partitioner
}

// ForTopic implements kgo.Partitioner.
func (b byTopic) ForTopic(topic string) kgo.TopicPartitioner {
	if b.keyed[topic] {
		return b.sticky.ForTopic(topic)
	}
	return b.manual.ForTopic(topic)
}

// panes encodes what aggregate sends. Marks go to every partition and are encoded
// once.
func (e *emitter) panes(blocks []processors.PaneBlock) []*kgo.Record {
	out := make([]*kgo.Record, len(blocks))
	var last []processors.Mark
	var headers []kgo.RecordHeader
	for i, b := range blocks {
		out[i] = &kgo.Record{Topic: e.topics.Panes(), Partition: b.Partition, Value: b.Panes}
		if len(b.Marks) == 0 {
			continue
		}
		if len(last) != len(b.Marks) || &last[0] != &b.Marks[0] {
			last, headers = b.Marks, marks.Headers(b.Marks)
		}
		out[i].Headers = headers
	}
	return out
}

// evaluated encodes what evaluate found in one partition.
func (e *emitter) evaluated(partition int32, r processors.Ready) ([]*kgo.Record, error) {
	var out []*kgo.Record
	for _, columns := range []struct {
		name, topic string
		rows        interface {
			Len() int
			Blocks() [][]byte
		}
	}{{"window", e.topics.Windows(), r.Windows}, {"slo", e.topics.SLO(), r.SLO}, {"band", e.topics.Bands(), r.Bands}} {
		if n := columns.rows.Len(); n > 0 {
			for _, block := range columns.rows.Blocks() {
				out = append(out, &kgo.Record{Topic: columns.topic, Partition: partition, Value: block})
			}
			e.metrics.emitted.WithLabelValues(columns.name).Add(float64(n))
		}
	}
	for i := range r.Windows.Len() {
		if r.Windows.Revision[i] > 1 {
			e.metrics.corrections.WithLabelValues(r.Windows.Indicator[i]).Inc()
		}
	}
	out, err := events(e, out, "finding", r.Findings, e.events.Finding)
	if err == nil {
		out, err = events(e, out, "verdict", r.Verdicts, e.events.Verdict)
	}
	if err != nil {
		return nil, err
	}
	for _, d := range r.DeadLetters {
		out = append(out, e.dead(roleEvaluate, d))
	}
	return append(out, e.state(partition, r.State)...), nil
}

func (e *emitter) state(partition int32, changes []processors.StateChange) []*kgo.Record {
	out := make([]*kgo.Record, len(changes))
	for i, c := range changes {
		out[i] = &kgo.Record{Topic: e.topics.State(), Partition: partition, Key: []byte(c.Key), Value: c.Value}
	}
	return out
}

// decided encodes what decide came to.
func (e *emitter) decided(r processors.Ready) ([]*kgo.Record, error) {
	out := e.state(0, r.State)
	for _, d := range r.DeadLetters {
		out = append(out, e.dead(roleDecide, d))
	}
	out, err := events(e, out, "finding", r.Findings, e.events.Finding)
	if err == nil {
		out, err = events(e, out, "decision", r.Decisions, e.events.Decision)
	}
	if err == nil {
		out, err = events(e, out, "command", r.Commands, e.events.Command)
	}
	return out, err
}

// events appends the records of events of a kind.
func events[T any](e *emitter, out []*kgo.Record, name string, list []T, encode func(*T) (*kgo.Record, error)) ([]*kgo.Record, error) {
	for i := range list {
		r, err := encode(&list[i])
		if err != nil {
			return nil, err
		}
		out = append(out, r)
		e.metrics.emitted.WithLabelValues(name).Inc()
	}
	return out, nil
}

// dead encodes a part of the input that a machine gave up.
func (e *emitter) dead(role string, d processors.DeadLetter) *kgo.Record {
	e.metrics.deadLetters.WithLabelValues(role, d.Reason).Inc()
	return e.topics.DeadPart(d.Value, role, d.Reason, d.Detail)
}

// deadRecord encodes a record that could not be used.
func (e *emitter) deadRecord(role, reason, message string, r *kgo.Record) *kgo.Record {
	e.metrics.deadLetters.WithLabelValues(role, reason).Inc()
	out := e.topics.DeadLetter(r, role, reason, message)
	if sinkkafka.Header(out, sinkkafka.HeaderTruncated) != "" {
		e.metrics.limited.WithLabelValues(role, limitDeadLetter).Inc()
	}
	return out
}

// reasonBatch is that of a batch of records that no client can read.
const reasonBatch = "unreadable_batch"

// deadBatch encodes a batch that cannot be decompressed, as it is.
func (e *emitter) deadBatch(b kafka.Broken) *kgo.Record {
	message := fmt.Sprintf("cannot read the records at offsets %d to %d: %v", b.Offset, b.Next-1, b.Cause)
	return e.deadRecord(roleAggregate, reasonBatch, message, &kgo.Record{
		Topic: b.Topic, Partition: b.Partition.Partition, Offset: b.Offset, Value: b.Raw,
	})
}
