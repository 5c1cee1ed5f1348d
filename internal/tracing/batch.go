package tracing

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// maxLinks bounds how many traces a transaction is linked with: those that it read
// records of, besides the one that it goes on with.
const maxLinks = 64

// Batch is one transaction of a member. A nil one is not traced.
type Batch struct {
	tracer       *Tracer
	role, member string
	began        time.Time
	takeBegan    time.Time // of the first records
	taken        time.Time // the last
	busy         time.Duration
	records      int
	read         []trace.SpanContext // of records, the latest last
	passed       trace.SpanContext   // of the latest watermark
	seen         map[trace.TraceID]bool
	ctx          context.Context
	span         trace.Span
	commit       time.Time // when it began
}

// Begin begins a batch, when polling begins.
func (t *Tracer) Begin(role, member string) *Batch {
	if t == nil {
		return nil
	}
	return &Batch{tracer: t, role: role, member: member, began: time.Now(), seen: map[trace.TraceID]bool{}}
}

var nothing = func() {}

// Take notes which records were read. They are decoded until the function that it returns
// is called.
func (b *Batch) Take(fetches kgo.Fetches) func() {
	if b == nil {
		return nothing
	}
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		b.records += len(p.Records)
		for _, r := range p.Records {
			b.note(r)
		}
	})
	began := time.Now()
	if b.takeBegan.IsZero() {
		b.takeBegan = began
	}
	return func() {
		b.taken = time.Now()
		b.busy += b.taken.Sub(began)
	}
}

// note keeps the trace that a record belongs to. Records of telemetry have none here:
// nobody set a context.
func (b *Batch) note(r *kgo.Record) {
	if r.Context == nil {
		return
	}
	c := trace.SpanContextFromContext(r.Context)
	if sinkkafka.IsWatermark(r) { // it lets time pass; findings are what is acted on
		b.passed = c
		return
	}
	if !c.IsValid() || len(b.read) >= maxLinks && b.seen[c.TraceID()] {
		return
	}
	if !b.seen[c.TraceID()] && len(b.seen) > maxLinks {
		return
	}
	b.seen[c.TraceID()] = true
	b.read = append(b.read, c)
}

// Step begins the span of the batch, and of its step: what was read is decoded, and the
// machine works on it until the function that it returns is called. The trace is that of
// the record read last, whose watermark let go what comes out; the others are linked.
func (b *Batch) Step(ctx context.Context) func() {
	if b == nil || b.records == 0 {
		return nothing
	}
	now := time.Now()
	opts := []trace.SpanStartOption{trace.WithTimestamp(b.began), trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		attribute.String("flyball.role", b.role), attribute.String("flyball.member", b.member),
		attribute.String("messaging.system", "kafka"), attribute.Int("messaging.batch.message_count", b.records))}
	parent := ctx
	if len(b.read) == 0 && b.passed.IsValid() {
		b.read = append(b.read, b.passed)
	}
	if n := len(b.read); n > 0 {
		last := b.read[n-1]
		parent = trace.ContextWithRemoteSpanContext(ctx, last)
		linked := map[trace.TraceID]bool{last.TraceID(): true}
		for _, c := range b.read {
			if !linked[c.TraceID()] {
				linked[c.TraceID()] = true
				opts = append(opts, trace.WithLinks(trace.Link{SpanContext: c}))
			}
		}
	}
	b.ctx, b.span = b.tracer.tracer.Start(parent, b.role, opts...)
	b.phase("poll", b.began, now)
	b.phase("decode", b.takeBegan, b.taken, attribute.Float64("flyball.busy_seconds", b.busy.Seconds()))
	return func() { b.phase("step", now, time.Now()) }
}

// phase adds what time was spent on.
func (b *Batch) phase(name string, from, to time.Time, about ...attribute.KeyValue) {
	_, s := b.tracer.tracer.Start(b.ctx, b.role+" "+name, trace.WithTimestamp(from), trace.WithAttributes(about...))
	s.End(trace.WithTimestamp(to))
}

// Carry makes a record go on with the trace; ctx is that with which it is produced. Events
// have it as the distributed-tracing extension of CloudEvents too.
func (b *Batch) Carry(ctx context.Context, r *kgo.Record) {
	if b == nil || b.span == nil {
		return
	}
	r.Context = trace.ContextWithSpan(ctx, b.span)
	if sinkkafka.Header(r, "ce_specversion") == "" {
		return
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(b.ctx, carrier)
	r.Headers = append(r.Headers, kgo.RecordHeader{Key: "ce_traceparent", Value: []byte(carrier.Get("traceparent"))})
}

// Commit begins the commit of the transaction, until End.
func (b *Batch) Commit() {
	if b != nil {
		b.commit = time.Now()
	}
}

// End ends the batch. One that has read nothing has no span.
func (b *Batch) End(committed bool, err error) {
	if b == nil || b.span == nil {
		return
	}
	if !b.commit.IsZero() {
		b.phase("commit", b.commit, time.Now())
	}
	b.span.SetAttributes(attribute.Bool("flyball.committed", committed))
	if err != nil {
		b.span.SetStatus(codes.Error, err.Error())
	}
	b.span.End()
}
