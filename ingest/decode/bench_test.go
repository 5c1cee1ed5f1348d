//go:build unix

package decode

import (
	"syscall"
	"testing"

	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

// cpuNanos is the processor time that the process has taken, which says more
// than the clock does on a machine that is not idle.
func cpuNanos() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// benchDecode reports ns per sample.
func benchDecode(b *testing.B, src flyball.Source, p ingest.Projection, record []byte, samples int) {
	b.Helper()
	d, err := New(src, p)
	if err != nil {
		b.Fatal(err)
	}
	builder := ingest.NewBuilder(p, ingest.NewDictionary(len(p.Labels)), ingest.NewPool())
	defer builder.Release()
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	cpu := cpuNanos()
	for b.Loop() {
		if err := d.Decode(record, builder); err != nil {
			b.Fatal(err)
		}
		if builder.Len() >= 8192 {
			builder.Batch().Release()
		}
	}
	b.ReportMetric(float64(cpuNanos()-cpu)/float64(b.N*samples), "cpu-ns/sample")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*samples), "ns/sample")
}

func BenchmarkOTLPSpans(b *testing.B) {
	record := marshal(b, shopRequest(100))
	b.Logf("%d bytes per span", len(record)/100)
	benchDecode(b, flyball.Source{Format: "otlp_spans"}, benchProjection, record, 100)
}

func BenchmarkJSON(b *testing.B) {
	record := jsonEvent(7)
	b.Logf("%d bytes per event", len(record))
	benchDecode(b, jsonBenchSource, jsonBenchProjection, record, 1)
}

func BenchmarkOTLPSpansJSON(b *testing.B) {
	record := pdataJSON(b, &trace.TracesData{ResourceSpans: shopRequest(100).GetResourceSpans()})
	b.Logf("%d bytes per span", len(record)/100)
	benchDecode(b, otlpJSON, benchProjection, record, 100)
}
