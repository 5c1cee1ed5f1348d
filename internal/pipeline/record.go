package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/sinks/clickhouse"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// recorder writes the result topics to ClickHouse. It is a consumer group of its
// own: when the database is away it waits, and nothing else does.
//
// Every insert carries a token made of the offsets of its rows, so that rows
// sent again after a crash are dropped, and offsets are committed only after the
// insert was acknowledged.
type recorder struct {
	client  *kgo.Client
	writer  *clickhouse.Writer
	topics  map[string]recordTopic
	names   sinkkafka.Topics
	metrics *Metrics
	health  *Health // may be nil
	log     *slog.Logger
}

// recordTopic says how a topic is written.
type recordTopic struct {
	table string
	write func(ctx context.Context, r *recorder, topic kgo.FetchTopic, records []*kgo.Record) error
}

// arrowTopic writes one block per record, as it came.
func arrowTopic(table string) recordTopic {
	return recordTopic{table, func(ctx context.Context, r *recorder, topic kgo.FetchTopic, records []*kgo.Record) error {
		for _, rec := range records {
			if rec.Attrs.IsControl() {
				continue
			}
			block, err := processors.DecodeRecord(rec.Value)
			if err != nil {
				r.skip(table, rec, err)
				continue
			}
			rows := block.NumRows()
			err = r.insert(ctx, table, int(rows), func() error { return r.writer.Insert(ctx, table, block, token(topic, rec, rec)) })
			block.Release()
			if clickhouse.Refused(err) {
				err = r.giveUp(ctx, table, rec, err)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}}
}

// eventTopic writes the CloudEvents of one poll in one insert; when that is refused,
// each by itself, so that one that cannot be written costs no other.
func eventTopic[T any](table string, decode func(*kgo.Record) (T, error), write func(*clickhouse.Writer, context.Context, []T, string) error) recordTopic {
	return recordTopic{table, func(ctx context.Context, r *recorder, topic kgo.FetchTopic, records []*kgo.Record) error {
		var rows []T
		var from []*kgo.Record // by row
		for _, rec := range records {
			if rec.Attrs.IsControl() || sinkkafka.IsWatermark(rec) {
				continue
			}
			row, err := decode(rec)
			if err != nil {
				r.skip(table, rec, err)
				continue
			}
			rows, from = append(rows, row), append(from, rec)
		}
		if len(rows) == 0 {
			return nil
		}
		insert := func(rows []T, tok string) error {
			return r.insert(ctx, table, len(rows), func() error { return write(r.writer, ctx, rows, tok) })
		}
		err := insert(rows, token(topic, records[0], records[len(records)-1]))
		if !clickhouse.Refused(err) {
			return err
		}
		for i, rec := range from {
			if err = insert(rows[i:i+1], token(topic, rec, rec)); clickhouse.Refused(err) {
				err = r.giveUp(ctx, table, rec, err)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}}
}

// token names a run of records. The topic's id is in it, because a topic that is
// made anew counts its offsets from 0 again and its rows are others.
func token(topic kgo.FetchTopic, first, last *kgo.Record) string {
	return fmt.Sprintf("%s:%x:%d:%d-%d", topic.Topic, topic.TopicID, first.Partition, first.Offset, last.Offset)
}

// skip passes over a record that is not what its topic holds. The record itself
// stays on the topic.
func (r *recorder) skip(table string, rec *kgo.Record, err error) {
	r.log.Error("cannot record", "topic", rec.Topic, "partition", rec.Partition, "offset", rec.Offset, "error", err)
	r.metrics.skipped.WithLabelValues(table, "malformed").Inc()
}

// reasonRefused is that of a record whose rows the database will never take.
const reasonRefused = "insert_refused"

// giveUp puts a record that cannot be written into the dead-letter topic. One that
// comes from there stays where it is: it would come again and again.
func (r *recorder) giveUp(ctx context.Context, table string, rec *kgo.Record, cause error) error {
	r.log.Error("the database refuses a record", "topic", rec.Topic, "partition", rec.Partition, "offset", rec.Offset, "error", cause)
	r.metrics.skipped.WithLabelValues(table, reasonRefused).Inc()
	if rec.Topic == r.names.DeadLetters() {
		return nil
	}
	r.metrics.deadLetters.WithLabelValues(roleRecord, reasonRefused).Inc()
	dead := r.names.DeadLetter(rec, roleRecord, reasonRefused, cause.Error())
	if err := r.client.ProduceSync(ctx, dead).FirstErr(); err != nil && ctx.Err() == nil {
		r.log.Error("cannot write a dead letter; the record stays on its topic only", "error", err)
	}
	return ctx.Err()
}

// insert tries until the rows are acknowledged or refused, or the context ends. An
// error that will not go away by itself is tried again too, slowly and loudly: the
// rows are safe on their topic until somebody has mended the tables.
func (r *recorder) insert(ctx context.Context, table string, rows int, write func() error) error {
	pause := 100 * time.Millisecond
	for {
		err := write()
		if err == nil {
			r.metrics.recorded.WithLabelValues(table).Add(float64(rows))
			return nil
		}
		if ctx.Err() != nil || clickhouse.Refused(err) {
			return err
		}
		if !clickhouse.Retryable(err) {
			pause = maxPause
		}
		r.metrics.retries.WithLabelValues(table).Inc()
		r.log.Warn("cannot insert; trying again", "table", table, "pause", pause, "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

// maxPause is the longest time between two tries of an insert.
const maxPause = 30 * time.Second

func (r *recorder) run(ctx context.Context) error {
	defer r.client.CloseAllowingRebalance()
	for ctx.Err() == nil {
		fetches := r.client.PollRecords(ctx, 5000)
		if fetches.IsClientClosed() || ctx.Err() != nil {
			break
		}
		for _, e := range fetches.Errors() {
			r.metrics.pollErrors.WithLabelValues(roleRecord, e.Topic).Inc()
			r.log.Warn("cannot fetch", "role", roleRecord, "topic", e.Topic, "partition", e.Partition, "error", e.Err)
		}
		r.metrics.fetched(roleRecord, fetches)
		if err := r.write(ctx, fetches); err != nil {
			break // the context ended
		}
		r.commit(ctx)
		r.health.update(roleRecord, roleRecord, func(h *MemberHealth) { h.Committed = time.Now() })
		r.client.AllowRebalance()
	}
	return nil
}

func (r *recorder) write(ctx context.Context, fetches kgo.Fetches) (err error) {
	fetches.EachTopic(func(topic kgo.FetchTopic) {
		for _, p := range topic.Partitions {
			if t, ok := r.topics[topic.Topic]; ok && err == nil && len(p.Records) > 0 {
				err = t.write(ctx, r, topic, p.Records)
			}
		}
	})
	return err
}

// commit commits what was inserted, also when the context has just ended.
func (r *recorder) commit(ctx context.Context) {
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := r.client.CommitUncommittedOffsets(drain); err != nil {
		r.log.Warn("cannot commit; what was read may be sent again, and is dropped then", "role", roleRecord, "error", err)
	}
}
