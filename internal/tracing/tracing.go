// Package tracing follows what Flyball does from the batch of telemetry that was read to
// the command that came of it, as traces of OpenTelemetry.
//
// A span is a transaction of a role, with what it was spent on below it; never a record of
// telemetry. The records that a transaction produces carry its context (W3C traceparent),
// so that the transaction that reads them goes on with the trace. Without an endpoint there
// is no Tracer: all its methods work on nil, and do nothing.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kotel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// Tracer makes traces. A nil one makes none.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// Options say where traces go.
type Options struct {
	// Endpoint of an OTLP receiver, such as http://127.0.0.1:4318; "" is what the
	// environment says, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT.
	Endpoint string
	// Version of the binary.
	Version string
}

// environment has what the SDK itself reads.
var environment = []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"}

// Start returns a tracer, nil where nobody said where traces go. What else the SDK reads
// from the environment holds: the protocol, headers, certificates, the sampler, the
// resource.
func Start(ctx context.Context, o Options) (*Tracer, error) {
	unset := func(name string) bool { return os.Getenv(name) == "" }
	if o.Endpoint == "" && !slices.ContainsFunc(environment, func(name string) bool { return !unset(name) }) || os.Getenv("OTEL_SDK_DISABLED") == "true" {
		return nil, nil
	}
	exporter, err := exporter(ctx, o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("cannot send traces: %w", err)
	}
	res, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "flyball"), attribute.String("service.version", o.Version)),
		resource.WithHost(), resource.WithFromEnv())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("cannot describe this process in traces: %w", err)
	}
	p := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(res))
	return &Tracer{provider: p, tracer: p.Tracer("github.com/flyball-io/flyball")}, nil
}

// exporter speaks the protocol of the environment, HTTP without one.
func exporter(ctx context.Context, endpoint string) (*otlptrace.Exporter, error) {
	protocol := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
	if protocol == "" {
		protocol = os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")
	}
	switch protocol {
	case "", "http/protobuf":
		var opts []otlptracehttp.Option
		if endpoint != "" {
			opts = append(opts, otlptracehttp.WithEndpointURL(strings.TrimRight(endpoint, "/")+"/v1/traces"))
		}
		return otlptracehttp.New(ctx, opts...)
	case "grpc":
		var opts []otlptracegrpc.Option
		if endpoint != "" {
			opts = append(opts, otlptracegrpc.WithEndpointURL(endpoint))
		}
		return otlptracegrpc.New(ctx, opts...)
	}
	return nil, fmt.Errorf("unknown protocol %q: want http/protobuf or grpc", protocol)
}

// Close sends what has not been sent yet.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("cannot send the last traces: %w", err)
	}
	return nil
}

// Client returns the options of Kafka clients that carry traces through the topics of
// events and of panes: a span for each record there, and the context in its headers.
// Telemetry itself, state and blocks of windows have none.
func (t *Tracer) Client(topics sinkkafka.Topics) []kgo.Opt {
	if t == nil {
		return nil
	}
	carried := map[string]bool{}
	for _, name := range []string{topics.Panes(), topics.Findings(), topics.Verdicts(), topics.Decisions(), topics.Commands(),
		topics.Outcomes(), topics.Control(), topics.Canaries()} {
		carried[name] = true
	}
	inner := kotel.NewTracer(kotel.TracerProvider(t.provider), kotel.TracerPropagator(propagation.TraceContext{}))
	return []kgo.Opt{kgo.WithHooks(&hooks{inner, carried})}
}

// hooks are kotel's, for some topics.
type hooks struct {
	inner  *kotel.Tracer
	topics map[string]bool
}

// carries reports whether a record has a span: the ends of transactions have none.
func (h *hooks) carries(r *kgo.Record) bool { return h.topics[r.Topic] && !r.Attrs.IsControl() }

// OnProduceRecordBuffered implements kgo.HookProduceRecordBuffered.
func (h *hooks) OnProduceRecordBuffered(r *kgo.Record) {
	if h.carries(r) {
		h.inner.OnProduceRecordBuffered(r)
	}
}

// OnProduceRecordUnbuffered implements kgo.HookProduceRecordUnbuffered.
func (h *hooks) OnProduceRecordUnbuffered(r *kgo.Record, err error) {
	if h.carries(r) {
		h.inner.OnProduceRecordUnbuffered(r, err)
	}
}

// OnFetchRecordBuffered implements kgo.HookFetchRecordBuffered.
func (h *hooks) OnFetchRecordBuffered(r *kgo.Record) {
	if h.carries(r) {
		h.inner.OnFetchRecordBuffered(r)
	}
}

// OnFetchRecordUnbuffered implements kgo.HookFetchRecordUnbuffered.
func (h *hooks) OnFetchRecordUnbuffered(r *kgo.Record, polled bool) {
	if h.carries(r) {
		h.inner.OnFetchRecordUnbuffered(r, polled)
	}
}
