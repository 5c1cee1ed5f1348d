package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/processors"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// cluster is the broker's process and an own connection to it.
type cluster struct {
	process *child
	brokers []string
	client  *kgo.Client
	admin   *kadm.Client
}

func startCluster(ctx context.Context) (*cluster, error) {
	process, err := start(ctx, Task{Kind: "broker"})
	if err != nil {
		return nil, err
	}
	c := &cluster{process: process}
	if err := process.read(&c.brokers); err != nil {
		return nil, errors.Join(err, process.stop())
	}
	if c.client, err = kgo.NewClient(kgo.SeedBrokers(c.brokers...)); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot reach Kafka: %w", err), process.stop())
	}
	c.admin = kadm.NewClient(c.client)
	return c, nil
}

func (c *cluster) close() error {
	c.client.Close()
	return c.process.stop()
}

// records returns how many records a topic has in each partition. No
// transaction writes to it, so that the ends are the counts.
func (c *cluster) records(ctx context.Context, topic string, partitions int) ([]int64, error) {
	ends, err := c.admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the ends of topic %q: %w", topic, err)
	}
	out := make([]int64, partitions)
	for p := range out {
		end, ok := ends.Lookup(topic, int32(p))
		if !ok {
			return nil, fmt.Errorf("cannot find partition %d of topic %q", p, topic)
		}
		out[p] = end.Offset
	}
	return out, nil
}

// awaitTopic waits until a topic is there.
func (c *cluster) awaitTopic(ctx context.Context, topic string) error {
	for {
		topics, err := c.admin.ListTopics(ctx, topic)
		if err != nil {
			return fmt.Errorf("cannot look for topic %q: %w", topic, err)
		}
		if topics.Has(topic) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cannot wait for topic %q: %w", topic, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// awaitCommitted waits until a group has committed the ends of a topic.
func (c *cluster) awaitCommitted(ctx context.Context, group, topic string, ends []int64) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		offsets, err := c.admin.FetchOffsets(ctx, group)
		if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			return fmt.Errorf("cannot fetch the offsets of group %q: %w", group, err)
		}
		done := true
		for p, end := range ends {
			at, ok := offsets.Lookup(topic, int32(p))
			done = done && (end == 0 || ok && at.At >= end)
		}
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cannot wait for group %q to read topic %q: %w", group, topic, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// panes adds up what a run of aggregate sent, reading only what is committed.
func (c *cluster) panes(ctx context.Context, prefix string, unit float64) (Sums, error) {
	topic := sinkkafka.Topics{Prefix: prefix}.Panes()
	ends, err := c.admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return Sums{}, fmt.Errorf("cannot list the ends of topic %q: %w", topic, err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.brokers...), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return Sums{}, fmt.Errorf("cannot reach Kafka: %w", err)
	}
	defer client.Close()
	left := 0
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left++
		}
	})
	var sums adder
	for left > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return Sums{}, fmt.Errorf("cannot read panes: %w", err)
		}
		var failed error
		fetches.EachRecord(func(r *kgo.Record) {
			failed = errors.Join(failed, sums.add(r))
			if end, _ := ends.Lookup(topic, r.Partition); r.Offset == end.Offset-1 {
				left--
			}
		})
		if failed != nil {
			return Sums{}, failed
		}
	}
	return sums.total(unit), nil
}

// adder adds up panes.
type adder struct {
	sums   Sums
	values processors.Sum
	series map[string]bool
}

func (a *adder) add(r *kgo.Record) error {
	if r.Attrs.IsControl() || len(r.Value) == 0 {
		return nil
	}
	if a.series == nil {
		a.series = map[string]bool{}
	}
	return processors.ReadPanes(r.Value, func(p processors.PaneRow) {
		a.sums.Spans += p.Count
		a.sums.Failed += p.Bad
		a.values.Merge(p.Sum)
		if !a.series[p.Labels] {
			a.series[string(append([]byte(nil), p.Labels...))] = true
		}
	})
}

func (a *adder) total(unit float64) Sums {
	s := a.sums
	s.Total, s.Series = a.values.Value()/unit, len(a.series)
	return s
}
