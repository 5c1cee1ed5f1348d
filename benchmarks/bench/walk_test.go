package main

import (
	"context"
	"hash/maphash"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/benchmarks/machine"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode"
	"github.com/flyball-io/flyball/internal/loadgen"
	"github.com/flyball-io/flyball/processors/aggregate"
)

// kept is a sink that keeps records.
type kept struct{ values [][]byte }

func (k *kept) Write(_ context.Context, _ int, value []byte) error {
	k.values = append(k.values, append([]byte(nil), value...))
	return nil
}
func (k *kept) Flush(context.Context) error { return nil }
func (k *kept) Partitions() int             { return 1 }

// shopRecords returns records of 100 spans each.
func shopRecords(tb testing.TB, spans int64) ([][]byte, loadgen.Result) {
	tb.Helper()
	c := loadgen.Default()
	c.BatchSpans, c.MaxSpans, c.Unpaced, c.Shop.Rate = spansPerRecord, spans, true, 20_000
	r, err := loadgen.NewRunner(c)
	if err != nil {
		tb.Fatal(err)
	}
	var k kept
	result, err := r.Run(tb.Context(), &k, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return k.values, result
}

func TestWalkerCountsWhatWasWritten(t *testing.T) {
	records, truth := shopRecords(t, 20_000)
	w := walker{seed: maphash.MakeSeed(), out: newTallies()}
	for _, r := range records {
		if err := w.record(r); err != nil {
			t.Fatal(err)
		}
	}
	got := w.out.sums()
	if got.Spans != truth.Spans || got.Failed != truth.Errors || truth.Errors == 0 {
		t.Errorf("got %+v, want %d spans and %d failures", got, truth.Spans, truth.Errors)
	}
	if got.Total <= 0 || got.Series < 10 {
		t.Errorf("got %+v, want durations and a series per service and route", got)
	}
}

// A record may end between two ResourceSpans, and nowhere else.
func TestWalkerRefusesTornRecords(t *testing.T) {
	records, _ := shopRecords(t, 100)
	whole := records[0]
	ends := map[int]bool{}
	for i := 0; i < len(whole); {
		_, i = field(whole, i)
		ends[i] = true
	}
	w := walker{seed: maphash.MakeSeed(), out: newTallies()}
	for n := 1; n <= len(whole); n++ {
		if err := w.record(whole[:n:n]); (err == nil) != ends[n] {
			t.Fatalf("the first %d of %d bytes: %v", n, len(whole), err)
		}
	}
}

func TestTalliesGrow(t *testing.T) {
	all, other := newTallies(), newTallies()
	for i := range uint64(5000) {
		all.get(i*7+1).count++
		other.get(i*7 + 1).count += 2
	}
	all.merge(other)
	if s := all.sums(); s.Series != 5000 || s.Spans != 15_000 {
		t.Errorf("got %+v, want 5000 series with 3 spans each", s)
	}
}

// What floor and aggregate do with a record that is in memory: the difference is
// all that Flyball adds to the floor but transactions.

func BenchmarkWalk(b *testing.B) {
	records, _ := shopRecords(b, 20_000)
	w := walker{seed: maphash.MakeSeed(), out: newTallies()}
	perSpan(b, records, func(r []byte) {
		if err := w.record(r); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkAggregate(b *testing.B) { benchmarkAggregate(b, true) }

// BenchmarkAggregateWithoutExamples is BenchmarkAggregate for a source with examples: false.
func BenchmarkAggregateWithoutExamples(b *testing.B) { benchmarkAggregate(b, false) }

func benchmarkAggregate(b *testing.B, examples bool) {
	records, _ := shopRecords(b, 20_000)
	cfg, err := readConfig("spans")
	if err != nil {
		b.Fatal(err)
	}
	p := ingest.Projection{Labels: []string{"http.route", "service.name", "status.code"}, Values: []string{"duration"}, Examples: examples}
	dict := ingest.NewDictionary(len(p.Labels))
	d, err := decode.New(cfg.Sources[0], p)
	if err != nil {
		b.Fatal(err)
	}
	m, err := aggregate.New(aggregate.Config{
		Source: cfg.Sources[0], Indicators: cfg.Indicators, Labels: p.Labels, Values: p.Values, Partitions: 8,
	}, dict)
	if err != nil {
		b.Fatal(err)
	}
	builder := ingest.NewBuilder(p, dict, ingest.NewPool())
	defer builder.Release()
	fold := func() {
		batch := builder.Batch()
		m.Step(aggregate.Input{Samples: []aggregate.Samples{{
			Topic: topic, Time: batch.Time.Int64Values(), Set: batch.Set.Uint32Values(),
			Values: [][]float64{batch.Values[0].Float64Values()}, MaxTime: batch.MaxTime, Traces: batch.Traces,
		}}})
		batch.Release()
	}
	perSpan(b, records, func(r []byte) {
		if err := d.Decode(r, builder); err != nil {
			b.Fatal(err)
		}
		if builder.Len() >= 10_000 {
			fold()
		}
	})
	m.Step(aggregate.Input{Flush: &aggregate.Flush{Now: flyball.TimeOf(time.Now())}})
}

// perSpan reports processor time, which a busy machine disturbs least.
func perSpan(b *testing.B, records [][]byte, do func([]byte)) {
	b.ReportAllocs()
	i, used := 0, machine.ProcessorTime()
	for b.Loop() {
		do(records[i])
		if i++; i == len(records) {
			i = 0
		}
	}
	b.ReportMetric(float64(machine.ProcessorTime()-used)/float64(b.N*spansPerRecord), "cpu-ns/span")
}
