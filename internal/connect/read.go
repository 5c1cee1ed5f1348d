package connect

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config"
)

// Client returns a client of the brokers of a configuration, for what people ask.
func Client(cfg *config.Config, id string, more ...kgo.Opt) (*kgo.Client, error) {
	security, err := Kafka(cfg.Pipeline.Kafka)
	if err != nil {
		return nil, err
	}
	opts := append(security, kgo.SeedBrokers(cfg.Pipeline.Kafka.Brokers...), kgo.ClientID(id))
	c, err := kgo.NewClient(append(opts, more...)...)
	if err != nil {
		return nil, fmt.Errorf("cannot reach Kafka: %w", err)
	}
	return c, nil
}

// ReadTopics reads topics to their ends as of now, from a time on (zero is all that they
// hold), and calls each with every committed record, in the order of each partition. An
// error of each ends it.
func ReadTopics(ctx context.Context, cfg *config.Config, id string, since time.Time, topics []string, each func(*kgo.Record) error) error {
	from := kgo.NewOffset().AtStart()
	if !since.IsZero() {
		from = from.AfterMilli(since.UnixMilli())
	}
	cl, err := Client(cfg, id, kgo.ConsumeTopics(topics...), kgo.ConsumeStartOffset(from), kgo.ConsumeResetOffset(from),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return err
	}
	defer cl.Close()
	left, err := extent(ctx, kadm.NewClient(cl), since, topics)
	if err != nil {
		return err
	}
	for len(left) > 0 {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("cannot read %q: %w", topics, err)
		}
		for it := fetches.RecordIter(); !it.Done(); {
			r := it.Next()
			at := partition{r.Topic, r.Partition}
			if end, ok := left[at]; ok && r.Offset+1 >= end {
				delete(left, at)
			}
			if r.Attrs.IsControl() {
				continue
			}
			if err := each(r); err != nil {
				return err
			}
		}
	}
	return nil
}

type partition struct {
	topic string
	n     int32
}

// extent returns the ends of the partitions that hold something from a time on.
func extent(ctx context.Context, admin *kadm.Client, since time.Time, topics []string) (map[partition]int64, error) {
	ends, err := admin.ListEndOffsets(ctx, topics...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the ends of %q: %w", topics, err)
	}
	var starts kadm.ListedOffsets
	if since.IsZero() {
		starts, err = admin.ListStartOffsets(ctx, topics...)
	} else {
		starts, err = admin.ListOffsetsAfterMilli(ctx, since.UnixMilli(), topics...)
	}
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the starts of %q: %w", topics, err)
	}
	left := map[partition]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if s, ok := starts.Lookup(o.Topic, o.Partition); ok && s.Offset < o.Offset {
			left[partition{o.Topic, o.Partition}] = o.Offset
		}
	})
	return left, nil
}
