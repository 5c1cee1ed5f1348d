// Package collector sends telemetry through what teams run: the official SDK, and the
// OpenTelemetry Collector's OTLP receiver and Kafka exporter, built from their modules
// and with their defaults. It is a module of its own, so that Flyball does not depend on
// them.
package collector

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/kafkaexporter"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/flyball-io/flyball/processors"
)

const config = `apiVersion: flyball.dev/v1
kind: Pipeline
metadata: {name: test}
spec:
  kafka: {brokers: [%q]}
  partitions: {panes: 1}
  commitInterval: 100ms
  http: {listen: %q}
---
apiVersion: flyball.dev/v1
kind: Source
metadata: {name: spans}
spec: {topics: [otlp_spans], format: otlp_spans, idleTimeout: 500ms}
---
apiVersion: flyball.dev/v1
kind: Source
metadata: {name: metrics}
spec: {topics: [otlp_metrics], format: otlp_metrics, idleTimeout: 500ms}
---
apiVersion: flyball.dev/v1
kind: Source
metadata: {name: logs}
spec: {topics: [otlp_logs], format: otlp_logs, idleTimeout: 500ms}
---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: requests}
spec: {source: spans, filter: ['span.kind="SERVER"'], groupBy: [http.route], pane: 1s, window: 1s}
---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: orders}
spec: {source: metrics, filter: ['metric.name="orders"'], bad: ['result="failed"'], pane: 1s, window: 1s}
---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: latency}
spec: {source: metrics, filter: ['metric.name="latency"'], value: duration, bad: ['duration > 500ms'], pane: 1s, window: 1s}
---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: queue}
spec: {source: metrics, filter: ['metric.name="queue"'], value: value, unit: items, pane: 1s, window: 1s}
---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: log-records}
spec: {source: logs, pane: 1s, window: 1s}
`

// freeAddress returns a local address that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startCollector starts the receiver with an exporter for each signal and returns the
// address that it takes OTLP at.
func startCollector(t *testing.T, broker string) string {
	t.Helper()
	ctx := t.Context()
	exporters, receivers := kafkaexporter.NewFactory(), otlpreceiver.NewFactory()
	cfg := exporters.CreateDefaultConfig()
	must(t, confmap.NewFromStringMap(map[string]any{"brokers": []any{broker}}).Unmarshal(cfg))
	address := freeAddress(t)
	in := receivers.CreateDefaultConfig()
	must(t, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{"grpc": map[string]any{"endpoint": address}}}).Unmarshal(in))

	settings := exportertest.NewNopSettings(exporters.Type())
	traces, err := exporters.CreateTraces(ctx, settings, cfg)
	must(t, err)
	metrics, err := exporters.CreateMetrics(ctx, settings, cfg)
	must(t, err)
	logs, err := exporters.CreateLogs(ctx, settings, cfg)
	must(t, err)
	from := receivertest.NewNopSettings(receivers.Type())
	a, err := receivers.CreateTraces(ctx, from, in, traces)
	must(t, err)
	b, err := receivers.CreateMetrics(ctx, from, in, metrics)
	must(t, err)
	c, err := receivers.CreateLogs(ctx, from, in, logs)
	must(t, err)
	for _, part := range []component.Component{traces, metrics, logs, a, b, c} {
		must(t, part.Start(ctx, componenttest.NewNopHost()))
		t.Cleanup(func() { _ = part.Shutdown(context.Background()) })
	}
	return address
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// client is the official SDK of one service.
type client struct {
	traces  *sdktrace.TracerProvider
	metrics *sdkmetric.MeterProvider
	logs    *sdklog.LoggerProvider
}

func newClient(t *testing.T, address, service string) *client {
	t.Helper()
	ctx := t.Context()
	res := resource.NewSchemaless(attribute.String("service.name", service))
	spans, err := otlptracegrpc.New(ctx, otlptracegrpc.WithInsecure(), otlptracegrpc.WithEndpoint(address))
	must(t, err)
	points, err := otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithInsecure(), otlpmetricgrpc.WithEndpoint(address))
	must(t, err)
	records, err := otlploggrpc.New(ctx, otlploggrpc.WithInsecure(), otlploggrpc.WithEndpoint(address))
	must(t, err)
	return &client{
		traces:  sdktrace.NewTracerProvider(sdktrace.WithResource(res), sdktrace.WithBatcher(spans)),
		metrics: sdkmetric.NewMeterProvider(sdkmetric.WithResource(res), sdkmetric.WithReader(sdkmetric.NewPeriodicReader(points, sdkmetric.WithInterval(time.Hour)))),
		logs:    sdklog.NewLoggerProvider(sdklog.WithResource(res), sdklog.WithProcessor(sdklog.NewBatchProcessor(records))),
	}
}

func (c *client) flush(t *testing.T) {
	t.Helper()
	must(t, c.traces.ForceFlush(t.Context()))
	must(t, c.metrics.ForceFlush(t.Context()))
	must(t, c.logs.ForceFlush(t.Context()))
}

// work does n requests, every fourth of which fails.
func (c *client) work(t *testing.T, n int) {
	t.Helper()
	ctx := t.Context()
	tracer, meter, logger := c.traces.Tracer("shop"), c.metrics.Meter("shop"), c.logs.Logger("shop")
	orders, err := meter.Int64Counter("orders")
	must(t, err)
	latency, err := meter.Float64Histogram("latency", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(0.1, 0.5, 1))
	must(t, err)
	queue, err := meter.Int64Gauge("queue")
	must(t, err)
	for i := range n {
		failed := i%4 == 3
		_, span := tracer.Start(ctx, "GET /cart", trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String("http.route", "/cart")))
		var r log.Record
		r.SetTimestamp(time.Now())
		r.SetSeverity(log.SeverityInfo)
		r.SetBody(attribute.StringValue("order"))
		result, took := "ok", 0.2
		if failed {
			result, took = "failed", 0.7
			span.SetStatus(codes.Error, "no stock")
			r.SetSeverity(log.SeverityError2)
		}
		span.End()
		orders.Add(ctx, 1, metric.WithAttributes(attribute.String("result", result)))
		latency.Record(ctx, took)
		logger.Emit(ctx, r)
	}
	queue.Record(ctx, 12)
	c.flush(t)
}

// startFlyball builds and runs it against the broker.
func startFlyball(t *testing.T, broker string) {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "flyball")
	build := exec.Command("go", "build", "-o", binary, "./cmd/flyball")
	build.Dir, build.Env = filepath.Join("..", "..", ".."), append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build flyball: %v\n%s", err, out)
	}
	files := filepath.Join(dir, "config")
	must(t, os.Mkdir(files, 0o755))
	must(t, os.WriteFile(filepath.Join(files, "a.yaml"), fmt.Appendf(nil, config, broker, freeAddress(t)), 0o644))
	log, err := os.Create(filepath.Join(dir, "log"))
	must(t, err)
	run := exec.Command(binary, "run", "--config", files, "--roles", "aggregate,evaluate")
	run.Stdout, run.Stderr = log, log
	must(t, run.Start())
	t.Cleanup(func() {
		_ = run.Process.Signal(os.Interrupt)
		_ = run.Wait()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("flyball said:\n%s", text)
		}
	})
}

// tally is what windows add up to.
type tally struct{ count, bad int64 }

// TestDefaultsOfTheCollector: what a service does is what the windows of its spans, log
// records and metrics say, cumulative ones as SDKs send them by default.
func TestDefaultsOfTheCollector(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "otlp_spans", "otlp_metrics", "otlp_logs"))
	must(t, err)
	t.Cleanup(cluster.Close)
	broker := cluster.ListenAddrs()[0]
	began := time.Now()
	startFlyball(t, broker)
	t.Logf("flyball is built and started after %v", time.Since(began).Round(time.Second))
	address := startCollector(t, broker)

	cart, tail := newClient(t, address, "cart"), newClient(t, address, "tail")
	const first, second = 40, 60
	cart.work(t, first)
	cart.work(t, second)
	want := map[string]tally{
		"requests": {first + second, (first + second) / 4}, "log-records": {first + second, (first + second) / 4},
		"orders": {first + second, (first + second) / 4}, "latency": {first + second, (first + second) / 4}, "queue": {2, 0},
	}
	reader, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics("flyball.windows"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(200*time.Millisecond))
	must(t, err)
	defer reader.Close()
	got := map[string]tally{}
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		tail.work(t, 1) // moves time on, so that windows close
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		reader.PollFetches(ctx).EachRecord(func(r *kgo.Record) { add(t, got, r.Value) })
		cancel()
		if len(got) == len(want) && done(got, want) {
			break
		}
	}
	t.Logf("windows were read after %v: %v", time.Since(began).Round(time.Second), got)
	for name, w := range want {
		if got[name] != w {
			t.Errorf("%s: %+v, want %+v", name, got[name], w)
		}
	}
}

func done(got, want map[string]tally) bool {
	for name, w := range want {
		if got[name] != w {
			return false
		}
	}
	return true
}

// add adds the windows of the service that are new; corrections do not occur.
func add(t *testing.T, got map[string]tally, value []byte) {
	t.Helper()
	rec, err := processors.DecodeRecord(value)
	must(t, err)
	defer rec.Release()
	column := func(name string) int { return rec.Schema().FieldIndices(name)[0] }
	indicator, entity := rec.Column(column("indicator")).(*array.String), rec.Column(column("entity")).(*array.String)
	count, bad := rec.Column(column("count")).(*array.Int64), rec.Column(column("bad")).(*array.Int64)
	for i := range int(rec.NumRows()) {
		if entity.Value(i) == "cart" {
			x := got[indicator.Value(i)]
			got[indicator.Value(i)] = tally{x.count + count.Value(i), x.bad + bad.Value(i)}
		}
	}
}
