package starter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// Bounds say how much is read of a topic at most.
type Bounds struct {
	// Records and Bytes of values.
	Records, Bytes int
	// Wait is how long records are waited for.
	Wait time.Duration
}

// sample returns the last records of a topic, of all partitions alike, and waits for more
// where there are few. It joins no group and commits nothing.
func sample(ctx context.Context, opts []kgo.Opt, topic string, b Bounds) ([]*kgo.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, b.Wait)
	defer cancel()
	from, err := tails(ctx, opts, topic, b.Records)
	if err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(append(slices.Clip(opts), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxBytes(4<<20), kgo.FetchMaxPartitionBytes(1<<20))...)
	if err != nil {
		return nil, fmt.Errorf("cannot reach Kafka: %w", err)
	}
	defer cl.Close()
	var out []*kgo.Record
	bytes := 0
	for len(out) < b.Records && bytes < b.Bytes {
		fetches := cl.PollRecords(ctx, b.Records-len(out))
		if ctx.Err() != nil && fetches.Empty() {
			break // there are no more for now
		}
		for _, e := range fetches.Errors() {
			if !errors.Is(e.Err, context.DeadlineExceeded) {
				return nil, fmt.Errorf("cannot read topic %q: %w", topic, e.Err)
			}
		}
		for it := fetches.RecordIter(); !it.Done() && bytes < b.Bytes; {
			r := it.Next()
			out = append(out, r)
			bytes += len(r.Value)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("cannot see what is on topic %q: it gave no record in %v; is something sent to it? --wait waits longer", topic, b.Wait)
	}
	return out, nil
}

// tails returns for each partition from where to read so that there are records in all,
// if there are so many.
func tails(ctx context.Context, opts []kgo.Opt, topic string, records int) (map[int32]kgo.Offset, error) {
	cl, err := kgo.NewClient(opts...)
	if err != nil {
		return nil, fmt.Errorf("cannot reach Kafka: %w", err)
	}
	defer cl.Close()
	admin := kadm.NewClient(cl)
	all, err := admin.ListTopics(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list topics: %w", err)
	}
	if !all.Has(topic) || all[topic].Err != nil {
		err := fmt.Errorf("there is no topic %q", topic)
		if hint := strictyaml.DidYouMean(topic, all.Names()); hint != "" {
			err = fmt.Errorf("%w: %s", err, hint)
		}
		return nil, err
	}
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the starts of topic %q: %w", topic, err)
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the ends of topic %q: %w", topic, err)
	}
	from := map[int32]kgo.Offset{}
	partitions := max(1, len(ends[topic]))
	each := int64((records + partitions - 1) / partitions)
	ends.Each(func(o kadm.ListedOffset) {
		start, _ := starts.Lookup(o.Topic, o.Partition)
		from[o.Partition] = kgo.NewOffset().At(max(start.Offset, o.Offset-each))
	})
	return from, nil
}
