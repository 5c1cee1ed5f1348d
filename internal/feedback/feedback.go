// Package feedback tells a running Flyball what people say of its findings.
package feedback

import (
	"context"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// Send finds the finding on its topic and writes the label to the topics that evaluate
// and the copy to ClickHouse read, both or neither. The label's entity is filled in.
func Send(ctx context.Context, topics sinkkafka.Topics, l flyball.FindingLabel, opts ...kgo.Opt) (flyball.Finding, error) {
	client, err := kgo.NewClient(slices.Concat(opts, []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID("flyball-label-" + l.Finding),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topics.Findings(): {0: kgo.NewOffset().AtStart()}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	})...)
	if err != nil {
		return flyball.Finding{}, fmt.Errorf("cannot reach Kafka: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	f, err := find(ctx, client, admin, topics.Findings(), l.Finding)
	if err != nil {
		return f, err
	}
	details, err := admin.ListTopics(ctx, topics.Panes())
	if err != nil {
		return f, fmt.Errorf("cannot label finding %q: %w", l.Finding, err)
	}
	panes := int32(len(details[topics.Panes()].Partitions))
	if panes == 0 {
		return f, fmt.Errorf("cannot label finding %q: topic %q is missing", l.Finding, topics.Panes())
	}
	l.Entity = f.Entity
	records, err := sinkkafka.LabelRecords(topics, l, processors.PartitionOf(f.Entity, panes))
	if err != nil {
		return f, err
	}
	if err := client.BeginTransaction(); err != nil {
		return f, fmt.Errorf("cannot label finding %q: %w", l.Finding, err)
	}
	produced := client.ProduceSync(ctx, records...).FirstErr()
	if err := client.EndTransaction(ctx, kgo.TransactionEndTry(produced == nil)); err != nil || produced != nil {
		return f, fmt.Errorf("cannot label finding %q: %w", l.Finding, first(produced, err))
	}
	return f, nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// find reads the findings topic up to its end for the last state of a finding.
func find(ctx context.Context, client *kgo.Client, admin *kadm.Client, topic, id string) (out flyball.Finding, err error) {
	ends, err := admin.ListCommittedOffsets(ctx, topic)
	if err != nil {
		return out, fmt.Errorf("cannot find finding %q: %w", id, err)
	}
	end, ok := ends.Lookup(topic, 0)
	if !ok || end.Err != nil {
		return out, fmt.Errorf("cannot find finding %q: topic %q: %w", id, topic, end.Err)
	}
	found := false
	for at := int64(0); at < end.Offset; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return out, fmt.Errorf("cannot find finding %q: %w", id, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			at = r.Offset + 1
			if f, err := sinkkafka.DecodeFinding(r); err == nil && f.ID == id {
				out, found = f, true
			}
		})
	}
	if !found {
		return out, fmt.Errorf("cannot find finding %q: it is not on topic %q", id, topic)
	}
	return out, nil
}
