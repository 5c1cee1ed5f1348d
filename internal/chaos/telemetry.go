package chaos

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/flyball-io/flyball/internal/loadgen"
	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

// epoch is the event time at which the shop opens.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// closingTime lies after all telemetry.
var closingTime = epoch.Add(48 * time.Hour)

const (
	inputTopic      = "spans"
	inputPartitions = 6
	// windowWidth is that of the windows, in event time.
	windowWidth = 2 * time.Second
)

// shopConfig is the shop: every 20 seconds one of three services fails for 8, so
// that there are findings and commands all the time.
func shopConfig(seed uint64, rate float64) loadgen.Config {
	c := loadgen.Default()
	c.Shop.Seed, c.Shop.Start, c.Shop.Rate = seed, epoch, rate
	c.Shop.Duration = 24 * time.Hour
	services := []string{"checkout", "search", "catalog"}
	for i := range int(c.Shop.Duration / (20 * time.Second)) {
		c.Shop.Incidents = append(c.Shop.Incidents, shop.Incident{
			Kind: shop.ErrorBurst, Service: services[i%len(services)], Severity: 0.8,
			Start: time.Duration(i)*20*time.Second + 6*time.Second, Duration: 8 * time.Second,
		})
	}
	c.Partitions, c.TruthWindow = inputPartitions, windowWidth
	return c
}

// telemetry writes the spans of the shop to the input topic.
type telemetry struct {
	client *kgo.Client

	mu   sync.Mutex
	errs []error
}

// Write implements loadgen.Sink.
func (t *telemetry) Write(ctx context.Context, partition int, value []byte) error {
	r := &kgo.Record{Topic: inputTopic, Partition: int32(partition), Value: bytes.Clone(value)}
	t.client.Produce(ctx, r, func(_ *kgo.Record, err error) {
		if err != nil {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.errs = append(t.errs, err)
		}
	})
	return nil
}

// Flush implements loadgen.Sink.
func (t *telemetry) Flush(ctx context.Context) error {
	if err := t.client.Flush(ctx); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.errs) > 0 {
		return fmt.Errorf("cannot write %d records of telemetry: %w", len(t.errs), t.errs[0])
	}
	return nil
}

// Partitions implements loadgen.Sink.
func (*telemetry) Partitions() int { return inputPartitions }

// closeAll writes one span to every partition that lies after all others, so that
// the windows close.
func (t *telemetry) closeAll(ctx context.Context) error {
	at := uint64(closingTime.UnixNano())
	value, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{{
			Key: "service.name", Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: "closing"}},
		}}},
		ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{{
			Name: "closing", Kind: tracepb.Span_SPAN_KIND_SERVER, StartTimeUnixNano: at, EndTimeUnixNano: at + 1000,
		}}}},
	}}})
	if err != nil {
		return fmt.Errorf("cannot encode the last span: %w", err)
	}
	for p := range inputPartitions {
		if err := t.Write(ctx, p, value); err != nil {
			return err
		}
	}
	return t.Flush(ctx)
}

// names says where one run has its topics and groups.
type names struct{ topicPrefix, group string }

var (
	chaotic = names{"chaos.", "chaos"}
	calm    = names{"calm.", "calm"}
)

// configuration is that of a process. No partition counts as idle or stalled:
// whether one does would depend on how long faults last.
func configuration(n names, broker, clientID string, session time.Duration) string {
	return fmt.Sprintf(`apiVersion: flyball.dev/v1
kind: Pipeline
metadata: {name: chaos}
spec:
  kafka: {brokers: [%q], topicPrefix: %q, group: %q, clientID: %q, sessionTimeout: %s}
  partitions: {panes: 4}
  commitInterval: 250ms
  workers: 2
  http: {listen: "127.0.0.1:0"}
  slo: {statusInterval: 10s}
---
apiVersion: flyball.dev/v1
kind: Source
metadata: {name: spans}
spec: {topics: [%s], format: otlp_spans, outOfOrderness: 1s, idleTimeout: 1h, stallTimeout: 1d}
`, broker, n.topicPrefix, n.group, clientID, session, inputTopic) + judge
}

// judge measures the requests of the shop, judges them, and acts.
const judge = `---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: requests}
spec:
  source: spans
  filter: ['span.kind="SERVER"']
  groupBy: [span.name]
  pane: 1s
  window: 2s
  lateness: 30s
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: availability
  annotations: {flyball.dev/burn-rate-tiers: "page_fast=10x10s/3s:page"}
spec:
  service: shop
  indicator:
    metadata: {name: availability}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: flyball, spec: {indicator: requests, measure: bad}}}
        total: {metricSource: {type: flyball, spec: {indicator: requests}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
---
apiVersion: flyball.dev/v1
kind: Rule
metadata: {name: rollback-on-burn}
spec:
  when: finding.kind == "burn_rate" && finding.severity == "page"
  target: deployment/{{finding.entity}}
  action: {name: rollback, params: {reason: "budget of {{finding.entity}}"}}
  mode: auto
  cooldown: 15s
  deadline: 15s
  owner: shop-team
---
apiVersion: flyball.dev/v1
kind: Guardrail
metadata: {name: everywhere}
spec: {select: ['entity=~".*"']}
`
