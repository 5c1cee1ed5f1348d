package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/flyball-io/flyball/internal/loadgen"
	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

// epoch is the event time at which shops open.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// shopLoad configures an unpaced shop.
func shopLoad(rate float64, duration time.Duration, incidents ...shop.Incident) loadgen.Config {
	c := loadgen.Default()
	c.Shop.Seed, c.Shop.Start, c.Shop.Rate, c.Shop.Duration = 42, epoch, rate, duration
	c.Shop.Incidents = incidents
	c.Unpaced = true
	return c
}

// recording is a load kept in memory, so that several runs get the same.
type recording struct {
	partitions int
	records    []*kgo.Record // Topic is empty
	truth      *loadgen.Truth
	spans      int64
}

// Write implements loadgen.Sink.
func (r *recording) Write(_ context.Context, partition int, value []byte) error {
	r.records = append(r.records, &kgo.Record{Partition: int32(partition), Value: bytes.Clone(value)})
	return nil
}

// Flush implements loadgen.Sink.
func (*recording) Flush(context.Context) error { return nil }

// Partitions implements loadgen.Sink.
func (r *recording) Partitions() int { return r.partitions }

func record(t *testing.T, cfg loadgen.Config) *recording {
	t.Helper()
	runner, err := loadgen.NewRunner(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := &recording{partitions: cfg.Partitions}
	result, err := runner.Run(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.truth, r.spans = result.Truth, result.Spans
	return r
}

// to returns the records from one to another (exclusive) for a topic.
func (r *recording) to(topic string, from, to int) []*kgo.Record {
	out := make([]*kgo.Record, 0, to-from)
	for _, rec := range r.records[from:to] {
		c := *rec
		c.Topic = topic
		out = append(out, &c)
	}
	return out
}

// durations returns the sorted durations of the spans of every cell of the truth.
func durations(t *testing.T, cfg loadgen.Config) map[loadgen.TruthKey][]int64 {
	t.Helper()
	s, err := shop.New(cfg.Shop)
	if err != nil {
		t.Fatal(err)
	}
	out := map[loadgen.TruthKey][]int64{}
	add := func(spans []shop.Span) {
		for i := range spans {
			sp := &spans[i]
			k := loadgen.TruthKey{
				Service: sp.Service(), Kind: sp.Kind().String(), Name: sp.Name(),
				Window: sp.End - sp.End%int64(cfg.TruthWindow),
			}
			out[k] = append(out[k], sp.End-sp.Start)
		}
	}
	for !s.Done() {
		add(s.Next(s.Now().Add(shop.Slot)))
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return out
}

// span is one span for a handmade record.
type span struct {
	service, name string
	end           time.Time
	took          time.Duration
	failed        bool
}

// spans encodes spans as the Collector does.
func spans(t *testing.T, list ...span) []byte {
	t.Helper()
	var data tracepb.TracesData
	for _, s := range list {
		p := &tracepb.Span{
			Name: s.name, Kind: tracepb.Span_SPAN_KIND_SERVER,
			StartTimeUnixNano: uint64(s.end.Add(-s.took).UnixNano()), EndTimeUnixNano: uint64(s.end.UnixNano()),
		}
		if s.failed {
			p.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR}
		}
		data.ResourceSpans = append(data.ResourceSpans, &tracepb.ResourceSpans{
			Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{{
				Key: "service.name", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: s.service}},
			}}},
			ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{p}}},
		})
	}
	b, err := proto.Marshal(&data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// closing is the service whose one late span closes the windows before it.
const closing = "closing"

// closers are one record for each partition whose event time lies well after a
// load, so that the windows of the load close.
func closers(t *testing.T, topic string, partitions int, at time.Time) []*kgo.Record {
	value := spans(t, span{service: closing, name: closing, end: at, took: time.Millisecond})
	var out []*kgo.Record
	for p := range partitions {
		out = append(out, &kgo.Record{Topic: topic, Partition: int32(p), Value: value})
	}
	return out
}

// labelsOf writes labels as Flyball does: JSON with sorted keys.
func labelsOf(t *testing.T, pairs ...string) string {
	t.Helper()
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSpace(b.Bytes()))
}

// spanSource is the Source document of a topic of spans. No partition of it ever
// counts as idle: an unpaced load is minutes of event time in an instant, and while
// the topic is still empty, one member's first batch would carry time past what the
// others have not read yet.
func spanSource(topic string) string {
	return fmt.Sprintf(`apiVersion: flyball.dev/v1
kind: Source
metadata: {name: spans}
spec: {topics: [%q], format: otlp_spans, outOfOrderness: 1s, idleTimeout: 1h}
`, topic)
}

// byteRecord is a record of any bytes.
type byteRecord struct {
	partition int32
	value     []byte
}

func (b byteRecord) record(topic string) *kgo.Record {
	return &kgo.Record{Topic: topic, Partition: b.partition, Value: b.value}
}
