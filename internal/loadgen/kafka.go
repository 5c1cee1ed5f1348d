package loadgen

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// KafkaConfig says where and how records are produced.
type KafkaConfig struct {
	// Brokers are the seed brokers, host:port. Empty: [Run] writes files.
	Brokers []string
	// Compression of record batches: none, gzip, snappy, lz4 or zstd.
	Compression string
	// ClientID is the client id told to the brokers.
	ClientID string
	// Replication is the replication factor of a topic that has to be created; 0 leaves it to the broker.
	Replication int
	// Options are added to the client's own, for TLS, SASL or a dialer.
	Options []kgo.Opt
}

func (c KafkaConfig) validate() error {
	_, err := c.codec()
	return err
}

func (c KafkaConfig) codec() (kgo.CompressionCodec, error) {
	switch c.Compression {
	case "", "none":
		return kgo.NoCompression(), nil
	case "gzip":
		return kgo.GzipCompression(), nil
	case "snappy":
		return kgo.SnappyCompression(), nil
	case "lz4":
		return kgo.Lz4Compression(), nil
	case "zstd":
		return kgo.ZstdCompression(), nil
	}
	return kgo.NoCompression(), fmt.Errorf("cannot use compression %q: want none, gzip, snappy, lz4 or zstd", c.Compression)
}

// KafkaSink produces records with null keys to the partition it is told.
type KafkaSink struct {
	client     *kgo.Client
	topic      string
	partitions int
	values     sync.Pool // of *kgo.Record, for their value's buffer
	failed     atomic.Pointer[error]
}

// NewKafkaSink connects, and creates the topic with that many partitions when it does not exist.
// Records are produced idempotently with acks from all replicas, which the Collector's default is not:
// a ground truth has to know what arrived.
func NewKafkaSink(ctx context.Context, c KafkaConfig, topic string, partitions int) (*KafkaSink, error) {
	codec, err := c.codec()
	if err != nil {
		return nil, err
	}
	options := append([]kgo.Opt{
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID(c.ClientID),
		kgo.DefaultProduceTopic(topic),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codec),
		kgo.ProducerBatchMaxBytes(1_000_000),
		kgo.ProducerLinger(5 * time.Millisecond),
		kgo.MaxBufferedRecords(10_000),
		kgo.MaxBufferedBytes(256 << 20),
		kgo.RecordDeliveryTimeout(30 * time.Second),
	}, c.Options...)
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, fmt.Errorf("cannot create kafka client: %w", err)
	}
	s := &KafkaSink{client: client, topic: topic}
	if s.partitions, err = ensureTopic(ctx, client, topic, partitions, c.Replication); err != nil {
		client.Close()
		return nil, err
	}
	return s, nil
}

func ensureTopic(ctx context.Context, client *kgo.Client, topic string, partitions, replication int) (int, error) {
	admin := kadm.NewClient(client)
	if replication == 0 {
		replication = -1
	}
	_, err := admin.CreateTopic(ctx, int32(partitions), int16(replication), nil, topic)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return 0, fmt.Errorf("cannot create topic %q: %w", topic, err)
	}
	for {
		details, err := admin.ListTopics(ctx, topic)
		if err != nil {
			return 0, fmt.Errorf("cannot describe topic %q: %w", topic, err)
		}
		detail := details[topic]
		if detail.Err == nil && len(detail.Partitions) > 0 {
			return len(detail.Partitions), nil
		}
		// A topic that was just created takes a moment to be known everywhere.
		if detail.Err != nil && !kerr.IsRetriable(detail.Err) {
			return 0, fmt.Errorf("cannot describe topic %q: %w", topic, detail.Err)
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("cannot describe topic %q: %w", topic, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Partitions is the number of partitions that the topic has.
func (s *KafkaSink) Partitions() int { return s.partitions }

// Write copies the value and produces it. It blocks while too much is in flight and returns the first
// error of any record so far.
func (s *KafkaSink) Write(ctx context.Context, partition int, value []byte) error {
	if err := s.err(); err != nil {
		return err
	}
	record, ok := s.values.Get().(*kgo.Record)
	if !ok {
		record = &kgo.Record{}
	}
	*record = kgo.Record{Partition: int32(partition), Value: append(record.Value[:0], value...)}
	s.client.Produce(ctx, record, s.done)
	return nil
}

func (s *KafkaSink) done(record *kgo.Record, err error) {
	if err != nil {
		err = fmt.Errorf("cannot produce to topic %q: %w", s.topic, err)
		s.failed.CompareAndSwap(nil, &err)
		return
	}
	s.values.Put(record)
}

func (s *KafkaSink) err() error {
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Flush waits until everything is acknowledged.
func (s *KafkaSink) Flush(ctx context.Context) error {
	if err := s.client.Flush(ctx); err != nil {
		return fmt.Errorf("cannot flush to topic %q: %w", s.topic, err)
	}
	return s.err()
}

// Close closes the client; what was not flushed is dropped.
func (s *KafkaSink) Close() error {
	s.client.Close()
	return nil
}
