package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/benchmarks/bench/telemetry"
	"github.com/flyball-io/flyball/internal/loadgen"
)

// spansPerRecord is a usual size of the Collector's batches.
const spansPerRecord = 100

// Loaded is what a topic holds.
type Loaded struct {
	Spans  int64 `json:"spans"`
	Failed int64 `json:"failed"`
	// Records and Bytes of their values.
	Records int64 `json:"records"`
	Bytes   int64 `json:"bytes"`
	// Traffic is what they took on the way.
	Traffic Traffic `json:"traffic"`
}

// load writes samples to a topic. It prints what it wrote.
func load(ctx context.Context, t Task, _ io.Reader, out io.Writer) error {
	moved := &traffic{}
	kafka := loadgen.Default().Kafka
	kafka.Brokers, kafka.Compression = t.Brokers, "zstd"
	kafka.Options = []kgo.Opt{kgo.WithHooks(moved)}
	write := loadGenerated
	if t.Workload == "spans" {
		write = loadSpans
	}
	l, err := write(ctx, t, kafka)
	if err != nil {
		return err
	}
	l.Traffic = moved.total()
	return json.NewEncoder(out).Encode(l)
}

// loadSpans writes spans of the shop.
func loadSpans(ctx context.Context, t Task, kafka loadgen.KafkaConfig) (Loaded, error) {
	c := loadgen.Default()
	c.Topic, c.Partitions = t.Topic, t.Partitions
	c.BatchSpans = spansPerRecord
	c.MaxSpans = t.Spans
	c.Unpaced = !t.Paced
	c.Shop.Rate = t.Rate
	c.Kafka = kafka
	r, err := loadgen.Run(ctx, c, nil)
	return Loaded{Spans: r.Spans, Failed: r.Errors, Records: r.Records, Bytes: r.Bytes}, err
}

// loadGenerated writes what the workload's generator makes.
func loadGenerated(ctx context.Context, t Task, kafka loadgen.KafkaConfig) (l Loaded, err error) {
	sink, err := loadgen.NewKafkaSink(ctx, kafka, t.Topic, t.Partitions)
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, sink.Close()) }()
	w := workloads[t.Workload]
	began := time.Now()
	start := began
	if !t.Paced { // in the past, so that no time lies in the future
		start = start.Add(-time.Duration(float64(t.Spans) / t.Rate * float64(time.Second)))
	}
	g := w.generate(start, t.Rate)
	var value []byte
	for l.Spans < t.Spans {
		if due := time.Duration(float64(l.Spans)/t.Rate*1e9) - time.Since(began); t.Paced && due > 20*time.Millisecond {
			select {
			case <-ctx.Done():
				return l, ctx.Err()
			case <-time.After(due):
			}
		}
		var holds telemetry.Content
		value, holds = g.Append(value[:0])
		if err := sink.Write(ctx, int(l.Records)%t.Partitions, value); err != nil {
			return l, err
		}
		l.Spans, l.Failed = l.Spans+holds.Samples, l.Failed+holds.Failed
		l.Records, l.Bytes = l.Records+1, l.Bytes+int64(len(value))
	}
	return l, sink.Flush(ctx)
}
