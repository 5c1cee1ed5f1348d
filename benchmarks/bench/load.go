package main

import (
	"context"
	"encoding/json"
	"io"

	"github.com/twmb/franz-go/pkg/kgo"

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

// load writes spans to a topic. It prints what it wrote.
func load(ctx context.Context, t Task, _ io.Reader, out io.Writer) error {
	c := loadgen.Default()
	c.Topic, c.Partitions = t.Topic, t.Partitions
	c.BatchSpans = spansPerRecord
	c.MaxSpans = t.Spans
	c.Unpaced = !t.Paced
	c.Shop.Rate = t.Rate
	c.Kafka.Brokers, c.Kafka.Compression = t.Brokers, "zstd"
	moved := &traffic{}
	c.Kafka.Options = []kgo.Opt{kgo.WithHooks(moved)}
	r, err := loadgen.Run(ctx, c, nil)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(Loaded{Spans: r.Spans, Failed: r.Errors, Records: r.Records, Bytes: r.Bytes, Traffic: moved.total()})
}
