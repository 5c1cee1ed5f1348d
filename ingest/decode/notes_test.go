package decode

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

// shown decodes a record and returns, line by line, what its rows have to be shown.
func shown(t *testing.T, src flyball.Source, p ingest.Projection, record []byte) []string {
	t.Helper()
	p.Examples = true
	b := newBuilder(p)
	if err := newDecoder(t, src, p).Decode(record, b); err != nil {
		t.Fatal(err)
	}
	batch := b.Batch()
	defer batch.Release()
	var out []string
	for row, id := range batch.Traces {
		if id != [16]byte{} {
			out = append(out, fmt.Sprintf("%d: %s", row, hex.EncodeToString(id[:])))
		}
	}
	n := &batch.Notes
	for i, row := range n.Row {
		line := fmt.Sprintf("%d: ", row)
		if n.Trace[i] != [16]byte{} {
			line += hex.EncodeToString(n.Trace[i][:])
		}
		if n.Text[i] != nil {
			line += fmt.Sprintf("%q", n.Text[i])
		}
		if !math.IsNaN(n.Value[i]) {
			line += fmt.Sprintf(" %g of %g ns at %d", n.Value[i], n.Nanos[i], n.At[i])
		}
		out = append(out, line)
	}
	return out
}

// officialJSON is OTLP's JSON: protobuf's, but for ids, which are in hex.
func officialJSON(t *testing.T, m proto.Message, ids ...[]byte) []byte {
	t.Helper()
	text, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		text = bytes.ReplaceAll(text, []byte(base64.StdEncoding.EncodeToString(id)), []byte(hex.EncodeToString(id)))
	}
	return text
}

var (
	traceA = []byte("aaaaaaaaaaaaaaaa")
	traceB = []byte("bbbbbbbbbbbbbbbb")
)

const (
	hexA = "61616161616161616161616161616161"
	hexB = "62626262626262626262626262626262"
)

func TestTracesOfSpans(t *testing.T) {
	span := func(id []byte, end uint64) *trace.Span {
		return &trace.Span{TraceId: id, StartTimeUnixNano: 1, EndTimeUnixNano: end}
	}
	td := &trace.TracesData{ResourceSpans: []*trace.ResourceSpans{{ScopeSpans: []*trace.ScopeSpans{{Spans: []*trace.Span{
		span(traceA, 10), span(nil, 11), span(traceA[:3], 12), span(traceA, 0), span(traceB, 13), // the fourth is rejected
	}}}}}}
	p := ingest.Projection{Values: []string{"duration"}, Examples: true}
	want := []string{"0: " + hexA, "3: " + hexB}
	for name, record := range map[string][]byte{"": marshal(t, td), "json": officialJSON(t, td, traceA, traceB)} {
		b := newBuilder(p)
		err := newDecoder(t, flyball.Source{Format: "otlp_spans", Encoding: name}, p).Decode(record, b)
		if r, ok := ingest.Rejected(err); !ok || r.Samples != 1 {
			t.Fatalf("%s: %v, want one span rejected", name, err)
		}
		batch := b.Batch()
		var got []string
		for row, id := range batch.Traces {
			if id != [16]byte{} {
				got = append(got, fmt.Sprintf("%d: %x", row, id))
			}
		}
		batch.Release()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (−want +got):\n%s", name, diff)
		}
		if b.Len() != 0 {
			t.Error("the builder is not empty")
		}
	}
}

func TestSourcesThatShowNothing(t *testing.T) {
	p := ingest.Projection{Values: []string{"duration"}, Examples: true}
	td := &trace.TracesData{ResourceSpans: []*trace.ResourceSpans{{ScopeSpans: []*trace.ScopeSpans{{Spans: []*trace.Span{
		{TraceId: traceA, StartTimeUnixNano: 1, EndTimeUnixNano: 2}}}}}}}
	b := newBuilder(p)
	if err := newDecoder(t, flyball.Source{Format: "otlp_spans", NoExamples: true}, p).Decode(marshal(t, td), b); err != nil {
		t.Fatal(err)
	}
	batch := b.Batch()
	defer batch.Release()
	if batch.Rows() != 1 || len(batch.Traces) != 0 {
		t.Errorf("%d rows with traces %x, want one without", batch.Rows(), batch.Traces)
	}
}

func TestExemplars(t *testing.T) {
	exemplar := func(id []byte, at uint64, v float64) *metrics.Exemplar {
		return &metrics.Exemplar{TraceId: id, SpanId: traceA[:8], TimeUnixNano: at, Value: &metrics.Exemplar_AsDouble{AsDouble: v}}
	}
	list := []*metrics.Exemplar{
		exemplar(traceA, 90, 0.25), exemplar(nil, 91, 0.5),
		{TraceId: traceB, TimeUnixNano: 92, Value: &metrics.Exemplar_AsInt{AsInt: 3}},
	}
	metric := func(name string, data *metrics.Metric) *metrics.Metric {
		data.Name, data.Unit = name, "s"
		return data
	}
	all := []*metrics.Metric{
		metric("gauge", &metrics.Metric{Data: &metrics.Metric_Gauge{Gauge: &metrics.Gauge{DataPoints: []*metrics.NumberDataPoint{
			{TimeUnixNano: 100, Value: &metrics.NumberDataPoint_AsDouble{AsDouble: 1}, Exemplars: list}}}}}),
		metric("sum", &metrics.Metric{Data: &metrics.Metric_Sum{Sum: &metrics.Sum{AggregationTemporality: 2, IsMonotonic: true, DataPoints: []*metrics.NumberDataPoint{
			{TimeUnixNano: 100, StartTimeUnixNano: 1, Value: &metrics.NumberDataPoint_AsInt{AsInt: 1}, Exemplars: list}}}}}),
		metric("histogram", &metrics.Metric{Data: &metrics.Metric_Histogram{Histogram: &metrics.Histogram{AggregationTemporality: 1, DataPoints: []*metrics.HistogramDataPoint{
			{TimeUnixNano: 100, Count: 1, BucketCounts: []uint64{1}, Exemplars: list}}}}}),
		metric("exponential", &metrics.Metric{Data: &metrics.Metric_ExponentialHistogram{ExponentialHistogram: &metrics.ExponentialHistogram{AggregationTemporality: 1,
			DataPoints: []*metrics.ExponentialHistogramDataPoint{{TimeUnixNano: 100, Count: 1, ZeroCount: 1, Exemplars: list}}}}}),
	}
	md := &metrics.MetricsData{ResourceMetrics: []*metrics.ResourceMetrics{{ScopeMetrics: []*metrics.ScopeMetrics{{Metrics: all}}}}}
	var want []string
	for row := range all {
		want = append(want, fmt.Sprintf("%d: %s 0.25 of 1e+09 ns at 90", row, hexA), fmt.Sprintf("%d: %s 3 of 1e+09 ns at 92", row, hexB))
	}
	p := ingest.Projection{Values: []string{"value"}}
	for name, got := range map[string][]string{
		"proto": shown(t, metricsProto, p, marshal(t, md)), "json": shown(t, metricsJSON, p, officialJSON(t, md, traceA, traceB, traceA[:8])),
	} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (−want +got):\n%s", name, diff)
		}
	}
}

func TestErrorBodies(t *testing.T) {
	text := func(s string) *common.AnyValue {
		return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
	}
	list := &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: []*common.KeyValue{integer("took", 3), str("msg", "no")}}}}
	ld := &logs.LogsData{ResourceLogs: []*logs.ResourceLogs{{ScopeLogs: []*logs.ScopeLogs{{LogRecords: []*logs.LogRecord{
		{TimeUnixNano: 1, SeverityNumber: 9, Body: text("fine"), TraceId: traceA},
		{TimeUnixNano: 2, SeverityNumber: 17, Body: text("  no money \n"), TraceId: traceA},
		{TimeUnixNano: 3, SeverityText: "fatal", Body: list},
		{TimeUnixNano: 4, SeverityNumber: 18, TraceId: traceB},
		{SeverityNumber: 18, Body: text("when?")}, // it has no time
	}}}}}}
	for name, record := range map[string][]byte{"": marshal(t, ld), "json": officialJSON(t, ld, traceA, traceB)} {
		p := ingest.Projection{Labels: []string{"severity"}, Examples: true}
		b := newBuilder(p)
		err := newDecoder(t, flyball.Source{Format: "otlp_logs", Encoding: name}, p).Decode(record, b)
		if r, ok := ingest.Rejected(err); !ok || r.Samples != 1 {
			t.Fatalf("%s: %v, want one record rejected", name, err)
		}
		batch := b.Batch()
		var got []string
		for i, row := range batch.Notes.Row {
			got = append(got, fmt.Sprintf("%d: %q of %x", row, batch.Notes.Text[i], batch.Notes.Trace[i]))
		}
		batch.Release()
		nobody := "00000000000000000000000000000000"
		want := []string{`1: "no money" of ` + hexA, `2: "{\"msg\":\"no\",\"took\":3}" of ` + nobody, `3: "" of ` + hexB}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (−want +got):\n%s", name, diff)
		}
	}
}
