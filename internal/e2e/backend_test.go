package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/embedded/apachekafka"
	"github.com/flyball-io/flyball/internal/embedded/kafka"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// onApache reports whether the suite runs against Apache Kafka.
func onApache() bool { return os.Getenv(apachekafka.Env) == "1" }

// broker is where one test has its topics.
type broker struct {
	addrs  []string
	prefix string    // of everything that the test makes
	opts   []kgo.Opt // of the tests' own clients
	client *kgo.Client
	admin  *kadm.Client
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	if onApache() {
		return connect(t, apache.Prefix(t), apache.Broker(t).Addr())
	}
	cfg := kafka.Default()
	cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, err := kafka.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return connect(t, apache.Prefix(t), s.Addrs()[0])
}

// connect returns a broker that runs at an address.
func connect(t *testing.T, prefix, addr string, opts ...kgo.Opt) *broker {
	t.Helper()
	b := &broker{addrs: []string{addr}, prefix: prefix, opts: opts}
	client, err := b.dial(kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.ZstdCompression()), kgo.ProducerBatchMaxBytes(4<<20))
	if err != nil {
		t.Fatal(err)
	}
	b.client, b.admin = client, kadm.NewClient(client)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("how far it came:\n" + b.progress())
		}
		client.Close()
	})
	return b
}

// dial makes a client of the tests.
func (b *broker) dial(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append(append([]kgo.Opt{kgo.SeedBrokers(b.addrs...)}, b.opts...), opts...)...)
}

// patience is how long tests wait for what must come. It is long, because machines
// may be slow; nothing ever takes that time where all is well.
const patience = 2 * time.Minute

// topic makes a topic and returns its full name.
func (b *broker) topic(t *testing.T, name string, partitions int32) string {
	t.Helper()
	full := b.prefix + name
	if _, err := b.admin.CreateTopic(t.Context(), partitions, 1, nil, full); err != nil {
		t.Fatalf("cannot create topic %q: %v", full, err)
	}
	b.awaitLeaders(t, full, int(partitions))
	return full
}

// awaitLeaders waits until every partition of a topic that was just made has a leader, which
// on Apache Kafka takes a moment.
func (b *broker) awaitLeaders(t *testing.T, topic string, partitions int) {
	t.Helper()
	await(t, patience, "leaders of the partitions of "+topic, func() string {
		meta, err := b.admin.Metadata(t.Context(), topic)
		if err != nil {
			return err.Error()
		}
		led := 0
		for _, p := range meta.Topics[topic].Partitions {
			if p.Err == nil && p.Leader >= 0 {
				led++
			}
		}
		if led < partitions {
			return fmt.Sprintf("%d of %d have one", led, partitions)
		}
		return ""
	})
}

// produce writes records and waits until all are acknowledged.
func (b *broker) produce(t *testing.T, records ...*kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	if err := b.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatalf("cannot produce: %v", err)
	}
}

// read returns every committed record that the topics hold now. It waits for the
// end of transactions that are open: the markers of one that was committed may
// come to a topic a moment after its offsets are known.
func (b *broker) read(t *testing.T, topics ...string) []*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	ends, err := b.admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]map[int32]int64{}
	from := map[string]map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Err != nil {
			t.Fatalf("cannot list the end of %s/%d: %v", o.Topic, o.Partition, o.Err)
		}
		if o.Offset > 0 {
			if left[o.Topic] == nil {
				left[o.Topic], from[o.Topic] = map[int32]int64{}, map[int32]kgo.Offset{}
			}
			left[o.Topic][o.Partition], from[o.Topic][o.Partition] = o.Offset, kgo.NewOffset().At(0)
		}
	})
	if len(left) == 0 {
		return nil
	}
	client, err := b.dial(kgo.ConsumePartitions(from),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxWait(250*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var out []*kgo.Record
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("cannot read %v: %v", topics, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() && !sinkkafka.IsWatermark(r) {
				out = append(out, r)
			}
			if r.Offset+1 >= left[r.Topic][r.Partition] {
				delete(left[r.Topic], r.Partition)
				if len(left[r.Topic]) == 0 {
					delete(left, r.Topic)
				}
			}
		})
	}
	return out
}

// head returns how far a group has read each partition of a topic: its committed
// offset, or the head beside an offset that was lowered.
func (b *broker) head(t *testing.T, group, topic string) map[int32]int64 {
	t.Helper()
	out := map[int32]int64{}
	offsets, err := b.admin.FetchOffsets(context.WithoutCancel(t.Context()), group)
	if err != nil {
		return out // the group's coordinator is not there yet
	}
	offsets.Each(func(o kadm.OffsetResponse) {
		if o.Topic != topic || o.Err != nil {
			return
		}
		out[o.Partition] = o.At
		var c struct {
			Head int64 `json:"head"`
		}
		if json.Unmarshal([]byte(o.Metadata), &c) == nil && c.Head > o.At {
			out[o.Partition] = c.Head
		}
	})
	return out
}

// caughtUp says how far a group is behind the last record of a topic, committed or
// not, "" for not at all.
func (b *broker) caughtUp(t *testing.T, group, topic string) string {
	t.Helper()
	ends, err := b.admin.ListEndOffsets(context.WithoutCancel(t.Context()), topic)
	if err != nil {
		t.Fatal(err)
	}
	head := b.head(t, group, topic)
	behind := ""
	ends.Each(func(o kadm.ListedOffset) {
		if o.Err != nil {
			behind += fmt.Sprintf("%s: %v; ", o.Topic, o.Err)
		} else if o.Offset > head[o.Partition] {
			behind += fmt.Sprintf("%s/%d: at %d of %d; ", o.Topic, o.Partition, head[o.Partition], o.Offset)
		}
	})
	return behind
}

// members returns how many members with partitions a stable group has.
func (b *broker) members(t *testing.T, group string) int {
	t.Helper()
	groups, err := b.admin.DescribeGroups(t.Context(), group)
	if err != nil || groups[group].State != "Stable" {
		return 0
	}
	n := 0
	for _, m := range groups[group].Members {
		if c, ok := m.Assigned.AsConsumer(); ok && len(c.Topics) > 0 {
			n++
		}
	}
	return n
}

// await looks again and again until missing returns "", and fails with what it
// returned last when the time is over.
func await(t *testing.T, limit time.Duration, what string, missing func() string) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		last := missing()
		if last == "" {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("%s: not after %s: %s", what, limit, last)
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-look.C:
		}
	}
}

// follower reads topics as they grow.
type follower struct {
	t       *testing.T
	client  *kgo.Client
	records map[string][]*kgo.Record
}

// follow reads committed records of topics from their start; they may be made
// later.
func (b *broker) follow(t *testing.T, topics ...string) *follower {
	t.Helper()
	client, err := b.dial(kgo.ConsumeTopics(topics...),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(time.Second), kgo.UnknownTopicRetries(-1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &follower{t: t, client: client, records: map[string][]*kgo.Record{}}
}

// until reads on until missing returns "".
func (f *follower) until(limit time.Duration, what string, missing func() string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), limit)
	defer cancel()
	for {
		last := missing()
		if last == "" {
			return
		}
		if ctx.Err() != nil {
			f.t.Fatalf("%s: not after %s: %s", what, limit, last)
		}
		f.client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			if !sinkkafka.IsWatermark(r) {
				f.records[r.Topic] = append(f.records[r.Topic], r)
			}
		})
	}
}

// names gives the names of a configuration's topics.
func (b *broker) names() sinkkafka.Topics { return sinkkafka.Topics{Prefix: b.prefix + "fb."} }

// progress says how far every group has come, and what holds it up, for failures.
func (b *broker) progress() string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	topics, err := b.admin.ListTopics(ctx)
	if err != nil {
		return err.Error()
	}
	topics.FilterInternal()
	ends, err1 := b.admin.ListEndOffsets(ctx, topics.Names()...)
	stable, err2 := b.admin.ListCommittedOffsets(ctx, topics.Names()...)
	groups, err3 := b.admin.ListGroups(ctx)
	if err := cmp.Or(err1, err2, err3); err != nil {
		return err.Error()
	}
	out := ""
	for _, o := range ends.Offsets().Sorted() {
		if lso, _ := stable.Lookup(o.Topic, o.Partition); strings.HasPrefix(o.Topic, b.prefix) && o.At > 0 {
			out += fmt.Sprintf("%s/%d ends at %d, is stable to %d\n", o.Topic, o.Partition, o.At, lso.Offset)
		}
	}
	for _, g := range groups.Sorted() {
		if !strings.HasPrefix(g.Group, b.prefix) {
			continue
		}
		out += fmt.Sprintf("group %s is %s\n", g.Group, g.State)
		offsets, err := b.admin.FetchOffsets(ctx, g.Group)
		if err != nil {
			out += err.Error() + "\n"
		}
		for _, o := range offsets.Sorted() {
			out += fmt.Sprintf("\t%s/%d at %d %s\n", o.Topic, o.Partition, o.At, o.Metadata)
		}
	}
	return out
}
