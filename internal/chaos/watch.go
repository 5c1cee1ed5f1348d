package chaos

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/processors"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// watcher follows the closed windows of a run as readers of committed records see
// them.
type watcher struct {
	client *kgo.Client
	admin  *kadm.Client
	topic  string
	group  string // of evaluate

	mu      sync.Mutex
	last    map[int32]int64 // offset of the last record of each partition
	through time.Time       // latest end of a window
	changed chan struct{}   // closed at every record
}

func newWatcher(broker string, n names) (*watcher, error) {
	w := &watcher{
		topic: sinkkafka.Topics{Prefix: n.topicPrefix}.Windows(), group: n.group + "-evaluate",
		last: map[int32]int64{}, changed: make(chan struct{}),
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(w.topic),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(time.Second), kgo.UnknownTopicRetries(-1))
	if err != nil {
		return nil, fmt.Errorf("cannot watch %q: %w", w.topic, err)
	}
	w.client, w.admin = client, kadm.NewClient(client)
	return w, nil
}

// follow reads until the context ends.
func (w *watcher) follow(ctx context.Context) {
	for ctx.Err() == nil {
		fetches := w.client.PollFetches(ctx) // errors last as long as the broker is away
		w.mu.Lock()
		fetches.EachRecord(w.take)
		if !fetches.Empty() {
			close(w.changed)
			w.changed = make(chan struct{})
		}
		w.mu.Unlock()
	}
}

func (w *watcher) take(r *kgo.Record) {
	w.last[r.Partition] = r.Offset
	block, err := processors.DecodeRecord(r.Value)
	if err != nil {
		return // the comparison at the end will say so
	}
	defer block.Release()
	ends := column(block, "end").(*array.Timestamp)
	for i := range ends.Len() {
		if end := time.Unix(0, int64(ends.Value(i))); end.After(w.through) {
			w.through = end
		}
	}
}

// until waits until cond holds of what has been read; the caller of cond holds the
// lock. It returns when that was, and false if the context ended before.
func (w *watcher) until(ctx context.Context, cond func() bool) (time.Time, bool) {
	for {
		w.mu.Lock()
		ok, changed := cond(), w.changed
		w.mu.Unlock()
		if ok {
			return time.Now(), true
		}
		select {
		case <-ctx.Done():
			return time.Time{}, false
		case <-changed:
		}
	}
}

// partitionsOf returns the partitions that the evaluate members with a client id
// have.
func (w *watcher) partitionsOf(ctx context.Context, clientID string) []int32 {
	groups, err := w.admin.DescribeGroups(ctx, w.group)
	if err != nil {
		return nil
	}
	var out []int32
	for _, m := range groups[w.group].Members {
		c, ok := m.Assigned.AsConsumer()
		if m.ClientID != clientID+"-evaluate" || !ok {
			continue
		}
		for _, t := range c.Topics {
			out = append(out, t.Partitions...)
		}
	}
	return out
}

// ends returns the offsets after the last record of each partition, committed or
// not.
func (w *watcher) ends(ctx context.Context) (map[int32]int64, error) {
	listed, err := w.admin.ListEndOffsets(ctx, w.topic)
	if err != nil {
		return nil, fmt.Errorf("cannot list the ends of %q: %w", w.topic, err)
	}
	out := map[int32]int64{}
	listed.Each(func(o kadm.ListedOffset) { out[o.Partition] = o.Offset })
	return out, listed.Error()
}
