package loadgen

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

func broker(t *testing.T, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

// consume reads everything in a topic, up to the end offsets it has now.
func consume(t *testing.T, cluster *kfake.Cluster, topic string, records int64) [][]*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var out [][]*kgo.Record
	for n := int64(0); n < records; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d of %d records: %v", n, records, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			for int(r.Partition) >= len(out) {
				out = append(out, nil)
			}
			out[r.Partition] = append(out[r.Partition], r)
			n++
		})
	}
	return out
}

func TestKafkaHoldsWhatWasCounted(t *testing.T) {
	cluster := broker(t)
	f := func(compression string, partitions int) {
		t.Helper()
		cfg := testConfig()
		cfg.Shop.Duration = 5 * time.Second
		cfg.Topic, cfg.Partitions = "otlp_spans_"+compression, partitions
		cfg.Kafka.Brokers, cfg.Kafka.Compression = cluster.ListenAddrs(), compression
		result, err := Run(t.Context(), cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		runner, err := NewRunner(cfg)
		if err != nil {
			t.Fatal(err)
		}
		sink := &memorySink{partitions: partitions}
		if _, err := runner.Run(t.Context(), sink, nil); err != nil {
			t.Fatal(err)
		}
		got := consume(t, cluster, cfg.Topic, result.Records)
		if len(got) != partitions || len(sink.records) != int(result.Records) {
			t.Fatalf("%s: %d partitions, %d records; want %d and %d", compression, len(got), result.Records, partitions, len(sink.records))
		}
		next := make([]int, partitions)
		for i, want := range sink.records {
			p := sink.turns[i]
			r := got[p][next[p]]
			next[p]++
			if r.Key != nil || len(r.Headers) > 0 || !bytes.Equal(r.Value, want) {
				t.Fatalf("%s: record %d has key %q, %d headers and other bytes than expected: %v", compression, i, r.Key, len(r.Headers), !bytes.Equal(r.Value, want))
			}
		}
	}
	f("none", 3)
	f("gzip", 1)
	f("snappy", 4)
	f("lz4", 2)
	f("zstd", 3)
}

func TestTopicKeepsItsPartitions(t *testing.T) {
	cluster := broker(t, kfake.SeedTopics(5, "otlp_spans"))
	cfg := testConfig()
	cfg.Shop.Duration, cfg.Partitions = 4*time.Second, 2
	cfg.Kafka.Brokers = cluster.ListenAddrs()
	result, err := Run(t.Context(), cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := consume(t, cluster, "otlp_spans", result.Records); len(got) != 5 {
		t.Errorf("records are on %d partitions, want 5", len(got))
	}
}

func TestCancelledRunDeliversWhatItCounted(t *testing.T) {
	cluster := broker(t)
	cfg := testConfig()
	cfg.Shop.Duration, cfg.MaxSpans, cfg.Shop.Rate = 0, 1<<40, 20_000
	cfg.Kafka.Brokers = cluster.ListenAddrs()
	runner, err := NewRunner(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sink, err := NewKafkaSink(ctx, cfg.Kafka, cfg.Topic, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	result, err := runner.Run(ctx, &cancelling{Sink: sink, after: 500, cancel: cancel}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if result.Records < 500 || result.Records > 700 {
		t.Errorf("%d records, want little more than the 500 after which it was cancelled", result.Records)
	}
	var values [][]byte
	for _, partition := range consume(t, cluster, cfg.Topic, result.Records) {
		for _, r := range partition {
			values = append(values, r.Value)
		}
	}
	got := map[TruthKey]Cell{}
	for _, s := range decodeAll(t, shop.OTLPProto, values) {
		if kind := shop.SpanKind(s.Kind); kind == shop.KindServer || kind == shop.KindConsumer {
			key := TruthKey{Service: s.Resource["service.name"].(string), Route: routeOf(t, s)}
			cell := got[key]
			cell.Count++
			cell.DurationNanos += uint64(s.End - s.Start)
			if s.Error {
				cell.Errors++
			}
			got[key] = cell
		}
	}
	if diff := cmp.Diff(result.Truth.Totals(), got); diff != "" {
		t.Errorf("topic and truth differ (-counted +consumed):\n%s", diff)
	}
}

// cancelling cancels after some records.
type cancelling struct {
	Sink
	after  int
	cancel func()
}

func (s *cancelling) Write(ctx context.Context, partition int, value []byte) error {
	if s.after--; s.after == 0 {
		s.cancel()
	}
	return s.Sink.Write(ctx, partition, value)
}

func TestRefusedRecordsAreAnError(t *testing.T) {
	cluster := broker(t)
	cluster.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		request := r.(*kmsg.ProduceRequest)
		response := request.ResponseKind().(*kmsg.ProduceResponse)
		for _, topic := range request.Topics {
			answer := kmsg.NewProduceResponseTopic()
			answer.Topic, answer.TopicID = topic.Topic, topic.TopicID
			for _, partition := range topic.Partitions {
				p := kmsg.NewProduceResponseTopicPartition()
				p.Partition, p.ErrorCode = partition.Partition, kerr.MessageTooLarge.Code
				answer.Partitions = append(answer.Partitions, p)
			}
			response.Topics = append(response.Topics, answer)
		}
		return response, nil, true
	})
	cfg := testConfig()
	cfg.Shop.Duration = 2 * time.Second
	cfg.Kafka.Brokers = cluster.ListenAddrs()
	_, err := Run(t.Context(), cfg, nil)
	if err == nil || !strings.Contains(err.Error(), "cannot produce to topic") {
		t.Errorf("got error %v", err)
	}
}
