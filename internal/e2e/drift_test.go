package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flyball-io/flyball/ingest/kafka"
)

// TestDriftIsBounded has another member of the group stay behind with one partition:
// the other partition is read no further ahead of it than is allowed, whoever reads
// them, and is read on once that member is gone.
func TestDriftIsBounded(t *testing.T) {
	b := newBroker(t)
	topic := b.topic(t, "spans", 2)
	group := b.prefix + "g-aggregate-spans"
	at := func(after time.Duration) {
		value := spans(t, span{service: "cart", name: "get", end: epoch.Add(after), took: time.Millisecond})
		b.produce(t, &kgo.Record{Topic: topic, Partition: 0, Value: value}, &kgo.Record{Topic: topic, Partition: 1, Value: value})
	}
	at(0)
	slow := slowMember(t, b, group, topic)
	at(time.Hour)

	source := strings.Replace(spanSource(topic), "idleTimeout: 1h", "idleTimeout: 1h, stallTimeout: 1h, maxDrift: 15m", 1)
	p := start(t, "run", "--config", b.settings("").write(t, source+costlyIndicators()))
	await(t, patience, "a partition is held", func() string {
		if m := p.metrics(); m[`flyball_limited_total{reason="drift",role="aggregate"}`] == 0 {
			return fmt.Sprint(m["flyball_limited_total"])
		}
		return ""
	})
	var other int32
	for owned := range slow.Positions() {
		other = 1 - owned.Partition
	}
	lag := fmt.Sprintf(`flyball_source_lag_records{partition="%d",topic="%s"}`, other, topic)
	for n := 1.0; n <= 2; n++ { // nothing of it is read between the two
		at(2 * time.Hour)
		await(t, patience, "lag grows", func() string {
			if got := p.metrics()[lag]; got != n {
				return fmt.Sprint(got)
			}
			return ""
		})
	}
	slow.Close()
	await(t, patience, "all is read", func() string { return b.caughtUp(t, group, topic) })
	p.terminate()
}

// slowMember joins the group, reads the first record of each partition, and then no more.
func slowMember(t *testing.T, b *broker, group, topic string) *kafka.Session {
	t.Helper()
	s, err := kafka.Join(kafka.Config{Brokers: b.addrs, ClientID: "slow", Group: group, Topics: []string{topic},
		TransactionalID: group + "-slow", TransactionTimeout: 15 * time.Second, Options: b.opts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for read := 0; read < 2; {
		fetches := s.PollRecords(ctx, 1)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			s.Advance(kafka.Partition{Topic: topic, Partition: r.Partition}, r.Offset+1)
			read++
		})
	}
	if err := s.Begin(); err != nil {
		t.Fatal(err)
	}
	committed, err := s.End(ctx, true, func(req *kmsg.TxnOffsetCommitRequest) {
		for i := range req.Topics {
			for j := range req.Topics[i].Partitions {
				p := &req.Topics[i].Partitions[j]
				text := fmt.Sprintf(`{"v":1,"head":%d,"at":%q}`, p.Offset, epoch.Format(time.RFC3339Nano))
				p.Metadata = &text
			}
		}
	})
	if err != nil || !committed {
		t.Fatalf("committed: %v, %v", committed, err)
	}
	return s
}
