package apachekafka

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The tests of this file run against the real broker.

var kafka Shared

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func newClient(t *testing.T, addr string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addr)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseAllowingRebalance)
	return client
}

func createTopics(ctx context.Context, t *testing.T, addr string, partitions int32, topics ...string) {
	t.Helper()
	admin := kadm.NewClient(newClient(t, addr))
	responses, err := admin.CreateTopics(ctx, partitions, -1, nil, topics...)
	if err == nil {
		err = responses.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func produce(ctx context.Context, t *testing.T, client *kgo.Client, topic string, from, to int) {
	t.Helper()
	var records []*kgo.Record
	for i := from; i < to; i++ {
		records = append(records, &kgo.Record{Topic: topic, Value: fmt.Append(nil, i)})
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// values polls until n records have come and fails when there are more.
func values(ctx context.Context, t *testing.T, poll func(context.Context) kgo.Fetches, n int) []string {
	t.Helper()
	var got []string
	for len(got) < n {
		fetches := poll(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("after %d of %d records: %v", len(got), n, err)
		}
		fetches.EachError(func(topic string, partition int32, err error) {
			t.Fatalf("fetch of %s/%d: %v", topic, partition, err)
		})
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	return got
}

func numbers(from, to int) []string {
	var want []string
	for i := from; i < to; i++ {
		want = append(want, fmt.Sprint(i))
	}
	return want
}

// readTopic reads a one-partition topic from its start up to the end that the isolation level shows.
func readTopic(ctx context.Context, t *testing.T, addr, topic string, level kgo.IsolationLevel) []string {
	t.Helper()
	client := newClient(t, addr, kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(level),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords())
	defer client.Close()
	admin := kadm.NewClient(client)
	list := admin.ListEndOffsets
	if level == kgo.ReadCommitted() {
		list = admin.ListCommittedOffsets
	}
	ends, err := list(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	end, _ := ends.Lookup(topic, 0)
	// A closing marker tells that the end has been reached even if nothing before it was committed,
	// so control records are kept for the position and left out of the result.
	var got []string
	for next := int64(0); next < end.Offset; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("at offset %d of %d: %v", next, end.Offset, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			next = r.Offset + 1
			if !r.Attrs.IsControl() {
				got = append(got, string(r.Value))
			}
		})
	}
	return got
}

func TestProduceConsume(t *testing.T) {
	addr, topic, ctx := kafka.Broker(t).Addr(), kafka.Prefix(t)+"in", testContext(t)
	createTopics(ctx, t, addr, 1, topic)
	produce(ctx, t, newClient(t, addr), topic, 0, 1000)
	if diff := cmp.Diff(numbers(0, 1000), readTopic(ctx, t, addr, topic, kgo.ReadUncommitted())); diff != "" {
		t.Fatalf("unexpected records (-want +got):\n%s", diff)
	}
}

func TestTransactionsAreReadCommitted(t *testing.T) {
	addr, prefix, ctx := kafka.Broker(t).Addr(), kafka.Prefix(t), testContext(t)
	topic := prefix + "out"
	createTopics(ctx, t, addr, 1, topic)
	client := newClient(t, addr, kgo.TransactionalID(prefix+"id"))
	transact := func(from, to int, try kgo.TransactionEndTry) {
		t.Helper()
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		produce(ctx, t, client, topic, from, to)
		if err := client.EndTransaction(ctx, try); err != nil {
			t.Fatal(err)
		}
	}
	transact(0, 10, kgo.TryCommit)
	transact(10, 20, kgo.TryAbort)
	transact(20, 30, kgo.TryCommit)

	f := func(level kgo.IsolationLevel, want []string) {
		t.Helper()
		if diff := cmp.Diff(want, readTopic(ctx, t, addr, topic, level)); diff != "" {
			t.Errorf("unexpected records (-want +got):\n%s", diff)
		}
	}
	f(kgo.ReadCommitted(), append(numbers(0, 10), numbers(20, 30)...))
	f(kgo.ReadUncommitted(), numbers(0, 30))
}

// committed is what a group finds for partition 0 of its topic when it is assigned.
type committed struct {
	Offset   int64
	Metadata string
}

// session is a GroupTransactSession on one topic that reports the commit it starts from.
type session struct {
	*kgo.GroupTransactSession
	found chan committed
}

func newSession(t *testing.T, addr, prefix, transactionalID string) *session {
	t.Helper()
	found := make(chan committed, 16)
	onFetched := func(_ context.Context, _ *kgo.Client, resp *kmsg.OffsetFetchResponse) error {
		for _, group := range resp.Groups {
			for _, topic := range group.Topics {
				for _, p := range topic.Partitions {
					c := committed{Offset: p.Offset}
					if p.Metadata != nil {
						c.Metadata = *p.Metadata
					}
					found <- c
				}
			}
		}
		return nil
	}
	s, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(addr), kgo.ConsumerGroup(prefix+"group"), kgo.ConsumeTopics(prefix+"in"),
		kgo.TransactionalID(transactionalID), kgo.TransactionTimeout(10*time.Second),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.OnOffsetsFetched(onFetched), kgo.FetchMaxWait(250*time.Millisecond),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &session{s, found}
}

func (s *session) foundCommit(ctx context.Context, t *testing.T) committed {
	t.Helper()
	select {
	case c := <-s.found:
		return c
	case <-ctx.Done():
		t.Fatal("no offsets were fetched")
		return committed{}
	}
}

// transact polls n records, copies them to the output topic and ends the transaction;
// a non-nil rewrite replaces what is committed for partition 0.
func (s *session) transact(ctx context.Context, t *testing.T, out string, n int, rewrite *committed, try kgo.TransactionEndTry) []string {
	t.Helper()
	if err := s.Begin(); err != nil {
		t.Fatal(err)
	}
	got := values(ctx, t, s.PollFetches, n)
	for _, v := range got {
		s.Produce(ctx, &kgo.Record{Topic: out, Value: []byte(v)}, nil)
	}
	if rewrite != nil {
		ctx = kgo.PreTxnCommitFnContext(ctx, func(req *kmsg.TxnOffsetCommitRequest) error {
			if len(req.Topics) != 1 || len(req.Topics[0].Partitions) != 1 {
				return errors.New("expected a commit of one partition")
			}
			req.Topics[0].Partitions[0].Offset = rewrite.Offset
			req.Topics[0].Partitions[0].Metadata = &rewrite.Metadata
			return nil
		})
	}
	ended, err := s.End(ctx, try)
	if err != nil {
		t.Fatal(err)
	}
	if ended != bool(try) {
		t.Fatalf("unexpected end of transaction: got committed=%t; want %t", ended, bool(try))
	}
	return got
}

func TestSessionCommitsLowOffsetWithMetadata(t *testing.T) {
	SkipUnlessEnabled(t)
	ctx := testContext(t)
	b, err := Start(ctx, Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Kill)
	prefix := kafka.Prefix(t)
	in, out := prefix+"in", prefix+"out"
	createTopics(ctx, t, b.Addr(), 1, in, out)
	producer := newClient(t, b.Addr())
	produce(ctx, t, producer, in, 0, 20)

	check := func(what string, want, got []string) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s: unexpected records (-want +got):\n%s", what, diff)
		}
	}
	low := committed{Offset: 15, Metadata: "v1 head=20 emitted=20000"}
	s := newSession(t, b.Addr(), prefix, prefix+"txn")
	if got := s.foundCommit(ctx, t); got.Offset != -1 {
		t.Fatalf("unexpected commit of a new group: %+v", got)
	}
	check("first transaction", numbers(0, 20), s.transact(ctx, t, out, 20, &low, kgo.TryCommit))
	produce(ctx, t, producer, in, 20, 25)
	check("after the low commit", numbers(20, 25), s.transact(ctx, t, out, 5, nil, kgo.TryAbort))
	check("after the abort", numbers(20, 25), s.transact(ctx, t, out, 5, &low, kgo.TryCommit))
	s.Close()

	for _, restart := range []struct {
		name string
		stop func()
	}{
		{"no restart", nil},
		{"graceful restart", func() {
			if err := b.Stop(ctx); err != nil {
				t.Fatal(err)
			}
		}},
		{"restart after SIGKILL", b.Kill},
	} {
		if restart.stop != nil {
			restart.stop()
			if err := b.Restart(ctx); err != nil {
				t.Fatal(err)
			}
		}
		s := newSession(t, b.Addr(), prefix, prefix+"txn")
		if diff := cmp.Diff(low, s.foundCommit(ctx, t)); diff != "" {
			t.Fatalf("%s: unexpected commit (-want +got):\n%s", restart.name, diff)
		}
		check(restart.name, numbers(15, 25), s.transact(ctx, t, out, 10, nil, kgo.TryAbort))
		s.Close()
		check(restart.name+", output", numbers(0, 25), readTopic(ctx, t, b.Addr(), out, kgo.ReadCommitted()))
	}
}

// A broker that dies with a transaction open must neither show its records later nor hide those that
// the same transactional id commits after the restart.
func TestKillWithOpenTransaction(t *testing.T) {
	SkipUnlessEnabled(t)
	ctx := testContext(t)
	b, err := Start(ctx, Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Kill)
	prefix := kafka.Prefix(t)
	topic := prefix + "out"
	createTopics(ctx, t, b.Addr(), 1, topic)
	begin := func() *kgo.Client {
		t.Helper()
		client := newClient(t, b.Addr(), kgo.TransactionalID(prefix+"txn"), kgo.TransactionTimeout(30*time.Second))
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		return client
	}
	commit := func(client *kgo.Client) {
		t.Helper()
		if err := client.EndTransaction(ctx, kgo.TryCommit); err != nil {
			t.Fatal(err)
		}
	}
	first := begin()
	produce(ctx, t, first, topic, 0, 1000)
	commit(first)
	if err := first.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	produce(ctx, t, first, topic, 1000, 5000) // acknowledged, never committed
	b.Kill()
	first.Close()
	if err := b.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	second := begin()
	produce(ctx, t, second, topic, 5000, 6000)
	commit(second)
	want := append(numbers(0, 1000), numbers(5000, 6000)...)
	if diff := cmp.Diff(want, readTopic(ctx, t, b.Addr(), topic, kgo.ReadCommitted())); diff != "" {
		t.Fatalf("after the restart: unexpected records (-want +got):\n%s", diff)
	}
	if err := b.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, readTopic(ctx, t, b.Addr(), topic, kgo.ReadCommitted())); diff != "" {
		t.Fatalf("after another restart: unexpected records (-want +got):\n%s", diff)
	}
}
