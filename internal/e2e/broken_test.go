package e2e

import (
	"bytes"
	bin "encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// produceBatch writes a batch of a number of records as it is, said to be compressed
// with zstd, and returns the broker's answer.
func (b *broker) produceBatch(t *testing.T, topic string, records int, compressed []byte) error {
	t.Helper()
	now := time.Now().UnixMilli()
	batch := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, Attributes: 4, LastOffsetDelta: int32(records - 1), FirstTimestamp: now, MaxTimestamp: now,
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: int32(records), Records: compressed,
	}
	raw := batch.AppendTo(nil)
	bin.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
	bin.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	meta, err := b.admin.Metadata(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	part := kmsg.NewProduceRequestTopicPartition()
	part.Records = raw
	of := kmsg.NewProduceRequestTopic()
	of.Topic, of.TopicID, of.Partitions = topic, meta.Topics[topic].ID, append(of.Partitions, part)
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis, req.Topics = -1, 10_000, append(req.Topics, of)
	resp, err := req.RequestWith(t.Context(), b.client.Broker(int(meta.Topics[topic].Partitions[0].Leader)))
	if err != nil {
		t.Fatal(err)
	}
	return kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
}

// Batches that are not compressed as they say, or that would decompress to more than
// memory can hold, are set aside as a whole, wherever they are among others.
func TestBrokenBatchesAreSetAside(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	topic := b.topic(t, "spans", 1)
	garbage := bytes.Repeat([]byte("not zstd"), 50)
	if onApache() {
		if err := b.produceBatch(t, topic, 3, garbage); err == nil {
			t.Error("Apache Kafka took a batch that cannot be read: the test should go on with it")
		}
		return
	}
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := encoder.EncodeAll(make([]byte, 200<<20), nil)
	send := func(records int, value []byte) {
		t.Helper()
		if err := b.produceBatch(t, topic, records, value); err != nil {
			t.Fatal(err)
		}
	}
	good := 0
	cart := func() {
		b.produce(t, &kgo.Record{Topic: topic, Value: spans(t, span{service: "cart", name: "get", end: epoch, took: time.Millisecond})})
		good++
	}
	send(3, garbage) // first of all, offsets 0 to 2
	cart()
	cart()
	send(2, garbage[:10]) // 5 to 6
	send(7, bomb)         // 7 to 13
	cart()
	p := start(t, "run", "--config", b.settings("").write(t, spanSource(topic)+getIndicator))
	b.produce(t, closers(t, topic, 1, epoch.Add(time.Minute))...)
	windows := b.follow(t, b.names().Windows())
	windows.until(patience, "the window of what is good", func() string {
		n := 0
		for id, v := range decodeWindows(t, windows.records[b.names().Windows()]) {
			if strings.Contains(id.Labels, "cart") {
				n += int(v.Count)
			}
		}
		if n != good {
			return fmt.Sprintf("%d spans of %d", n, good)
		}
		return ""
	})
	send(1, garbage) // and at the end, where nothing follows
	dead := b.follow(t, b.names().DeadLetters())
	dead.until(patience, "dead letters", func() string {
		if n := len(dead.records[b.names().DeadLetters()]); n < 4 {
			return fmt.Sprint(n)
		}
		return ""
	})
	await(t, patience, "all is read", func() string { return b.caughtUp(t, b.prefix+"g-aggregate-spans", topic) })
	p.terminate()
	// Its successor does not find them again.
	q := start(t, "run", "--config", b.settings("").write(t, spanSource(topic)+getIndicator))
	cart()
	await(t, patience, "all is read again", func() string { return b.caughtUp(t, b.prefix+"g-aggregate-spans", topic) })
	q.terminate()
	got := map[string]int{}
	for _, r := range b.read(t, b.names().DeadLetters()) {
		d, err := sinkkafka.ReadDeadLetter(r)
		if err != nil {
			t.Fatal(err)
		}
		if d.Reason != "unreadable_batch" || d.Record.Topic != topic {
			t.Errorf("dead letter: %+v", d)
		}
		got[d.Message[:strings.Index(d.Message, ":")]]++
	}
	want := map[string]int{}
	for _, offsets := range []string{"0 to 2", "5 to 6", "7 to 13", "16 to 16"} {
		want["cannot read the records at offsets "+offsets] = 1
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
}
