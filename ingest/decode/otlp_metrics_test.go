package decode

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"go.opentelemetry.io/collector/pdata/pmetric"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

// shopMetrics is one export of a service: a gauge, sums, histograms and a summary.
func shopMetrics() *metrics.MetricsData {
	route := []*common.KeyValue{str("http.route", "/cart")}
	sum, low := 1.5, 0.25
	number := func(v int64) []*metrics.NumberDataPoint {
		return []*metrics.NumberDataPoint{{Attributes: route, StartTimeUnixNano: epoch - 10, TimeUnixNano: epoch, Value: &metrics.NumberDataPoint_AsInt{AsInt: v}}}
	}
	list := []*metrics.Metric{
		{Name: "queue.length", Unit: "{item}", Data: &metrics.Metric_Gauge{Gauge: &metrics.Gauge{DataPoints: number(12)}}},
		{Name: "requests", Data: &metrics.Metric_Sum{Sum: &metrics.Sum{AggregationTemporality: 1, IsMonotonic: true, DataPoints: number(40)}}},
		{Name: "requests.total", Data: &metrics.Metric_Sum{Sum: &metrics.Sum{AggregationTemporality: 2, IsMonotonic: true, DataPoints: number(41)}}},
		{Name: "connections", Data: &metrics.Metric_Sum{Sum: &metrics.Sum{AggregationTemporality: 2, DataPoints: number(-3)}}},
		{Name: "http.server.request.duration", Unit: "s", Data: &metrics.Metric_Histogram{Histogram: &metrics.Histogram{AggregationTemporality: 1,
			DataPoints: []*metrics.HistogramDataPoint{{Attributes: route, TimeUnixNano: epoch, Count: 6, Sum: &sum, Min: &low,
				ExplicitBounds: []float64{0.25, 0.5}, BucketCounts: []uint64{1, 2, 3}}}}}},
		{Name: "rpc.duration", Unit: "ms", Data: &metrics.Metric_ExponentialHistogram{ExponentialHistogram: &metrics.ExponentialHistogram{AggregationTemporality: 2,
			DataPoints: []*metrics.ExponentialHistogramDataPoint{{Attributes: route, StartTimeUnixNano: epoch - 10, TimeUnixNano: epoch, Count: 6, Scale: 6, ZeroCount: 1,
				Positive: &metrics.ExponentialHistogramDataPoint_Buckets{Offset: -2, BucketCounts: []uint64{2, 0, 3}}}}}}},
		{Name: "gc.pause", Unit: "s", Data: &metrics.Metric_Summary{Summary: &metrics.Summary{DataPoints: []*metrics.SummaryDataPoint{{TimeUnixNano: epoch,
			Count: 9, QuantileValues: []*metrics.SummaryDataPoint_ValueAtQuantile{{Quantile: 0.5, Value: 0.001}, {Quantile: 0.99, Value: 0.004}, {Quantile: 1, Value: math.NaN()}}}}}}},
		{Name: "gone", Data: &metrics.Metric_Gauge{Gauge: &metrics.Gauge{DataPoints: []*metrics.NumberDataPoint{{TimeUnixNano: epoch, Flags: 1}}}}},
		{Name: "nothing"},
	}
	return &metrics.MetricsData{ResourceMetrics: []*metrics.ResourceMetrics{{
		Resource:     resourceOf([]*common.KeyValue{str("service.name", "cart")}),
		ScopeMetrics: []*metrics.ScopeMetrics{{Metrics: list}},
	}}}
}

var shopProjection = ingest.Projection{
	Labels: []string{"service.name", "metric.name", "metric.type", "http.route", "quantile"}, Values: []string{"duration", "value"},
}

func shopMetricSamples() []sample {
	row := func(name, kind, route, quantile string, duration, value float64, p *ingest.Point) sample {
		return sample{At: epoch, Labels: []string{"cart", name, kind, route, quantile}, Values: []float64{duration, value}, Point: p}
	}
	return []sample{
		row("queue.length", "gauge", "/cart", "", none, 12, nil),
		row("requests", "sum", "/cart", "", none, 40, &ingest.Point{Weight: 40, Value: 40}),
		row("requests.total", "sum", "/cart", "", none, 41, &ingest.Point{Weight: 41, Value: 41, Cumulative: true, Start: epoch - 10}),
		row("connections", "sum", "/cart", "", none, -3, nil),
		row("http.server.request.duration", "histogram", "/cart", "", none, none, &ingest.Point{Weight: 6, Value: none,
			Distribution: &flyball.Distribution{Count: 6, Sum: 1.5, Min: 0.25, Max: none, Nanos: 1e9, Bounds: []float64{0.25, 0.5}, Buckets: []uint64{1, 2, 3}}}),
		row("rpc.duration", "exponential_histogram", "/cart", "", none, none, &ingest.Point{Weight: 6, Value: none, Cumulative: true, Start: epoch - 10,
			Distribution: &flyball.Distribution{Count: 6, Sum: none, Min: none, Max: none, Nanos: 1e6, Exponential: true, Scale: 6, Zero: 1, PosOffset: -2, Pos: []uint64{2, 0, 3}}}),
		row("gc.pause", "summary", "", "0.5", 1e6, 0.001, nil),
		row("gc.pause", "summary", "", "0.99", 4e6, 0.004, nil),
	}
}

func TestOTLPMetricsConformance(t *testing.T) {
	records := [][]byte{marshal(t, shopMetrics()), {}}
	checkDecoder(t, metricsProto, shopProjection, records, [][]sample{shopMetricSamples(), nil})
}

func TestOTLPMetricsJSONConformance(t *testing.T) {
	records := [][]byte{pdataMetrics(t, shopMetrics()), []byte("{}")}
	checkDecoder(t, metricsJSON, shopProjection, records, [][]sample{shopMetricSamples(), nil})
}

// TestMetricsThatNobodyWantsArePassed: they cost no row, and the topic has still come
// as far.
func TestMetricsThatNobodyWantsArePassed(t *testing.T) {
	p := shopProjection
	p.Only = map[string][]string{"metric.name": {"requests", "other"}}
	f := func(src flyball.Source, record []byte) {
		t.Helper()
		b := newBuilder(p)
		defer b.Release()
		if err := newDecoder(t, src, p).Decode(record, b); err != nil {
			t.Fatal(err)
		}
		batch := b.Batch()
		defer batch.Release()
		if batch.Rows() != 1 || batch.Points.Weight[0] != 40 || batch.MaxTime != epoch+5 {
			t.Errorf("%d rows, latest %d", batch.Rows(), batch.MaxTime)
		}
	}
	md := shopMetrics()
	md.ResourceMetrics[0].ScopeMetrics[0].Metrics[0].GetGauge().DataPoints[0].TimeUnixNano = epoch + 5
	f(metricsProto, marshal(t, md))
	f(metricsJSON, pdataMetrics(t, md))
}

// TestStreamsHaveOneIdentity: it tells everything apart that the data model tells
// apart, and does not depend on the order of attributes or on the encoding.
func TestStreamsHaveOneIdentity(t *testing.T) {
	p := ingest.Projection{Labels: []string{"http.route"}}
	stream := func(src flyball.Source, md *metrics.MetricsData) flyball.StreamID {
		t.Helper()
		b := newBuilder(p)
		defer b.Release()
		record := marshal(t, md)
		if src.Encoding == "json" {
			record = pdataMetrics(t, md)
		}
		if err := newDecoder(t, src, p).Decode(record, b); err != nil {
			t.Fatal(err)
		}
		batch := b.Batch()
		defer batch.Release()
		if batch.Rows() != 1 || !batch.Points.Cumulative[0] {
			t.Fatalf("%d rows", batch.Rows())
		}
		return batch.Points.Stream[0]
	}
	base := func() (*metrics.MetricsData, *metrics.ResourceMetrics, *metrics.Metric, *metrics.NumberDataPoint) {
		point := &metrics.NumberDataPoint{TimeUnixNano: epoch, Value: &metrics.NumberDataPoint_AsInt{AsInt: 1},
			Attributes: []*common.KeyValue{str("http.route", "/a"), integer("status", 200)}}
		m := &metrics.Metric{Name: "requests", Unit: "1", Data: &metrics.Metric_Sum{Sum: &metrics.Sum{AggregationTemporality: 2, IsMonotonic: true,
			DataPoints: []*metrics.NumberDataPoint{point}}}}
		rm := &metrics.ResourceMetrics{Resource: resourceOf([]*common.KeyValue{str("service.name", "cart"), str("host", "a")}),
			ScopeMetrics: []*metrics.ScopeMetrics{{Scope: &common.InstrumentationScope{Name: "http"}, Metrics: []*metrics.Metric{m}}}}
		return &metrics.MetricsData{ResourceMetrics: []*metrics.ResourceMetrics{rm}}, rm, m, point
	}
	md, _, _, _ := base()
	first := stream(metricsProto, md)
	seen := map[flyball.StreamID]string{first: "the first"}
	f := func(name string, same bool, change func(*metrics.ResourceMetrics, *metrics.Metric, *metrics.NumberDataPoint)) {
		t.Helper()
		md, rm, m, p := base()
		change(rm, m, p)
		id := stream(metricsProto, md)
		if other := stream(metricsJSON, md); other != id {
			t.Errorf("%s: in JSON it is another stream", name)
		}
		if same && id != first {
			t.Errorf("%s: is another stream", name)
		}
		if was, ok := seen[id]; ok && !same {
			t.Errorf("%s: is the stream of %s", name, was)
		}
		seen[id] = name
	}
	f("nothing", true, func(*metrics.ResourceMetrics, *metrics.Metric, *metrics.NumberDataPoint) {})
	f("order", true, func(_ *metrics.ResourceMetrics, _ *metrics.Metric, p *metrics.NumberDataPoint) {
		p.Attributes[0], p.Attributes[1] = p.Attributes[1], p.Attributes[0]
	})
	f("start and value", true, func(_ *metrics.ResourceMetrics, _ *metrics.Metric, p *metrics.NumberDataPoint) {
		p.StartTimeUnixNano, p.Value = 7, &metrics.NumberDataPoint_AsDouble{AsDouble: 2}
	})
	f("attribute", false, func(_ *metrics.ResourceMetrics, _ *metrics.Metric, p *metrics.NumberDataPoint) {
		p.Attributes = append(p.Attributes, str("pod", "1"))
	})
	f("type of attribute", false, func(_ *metrics.ResourceMetrics, _ *metrics.Metric, p *metrics.NumberDataPoint) {
		p.Attributes[1] = str("status", "200")
	})
	f("level of attribute", false, func(rm *metrics.ResourceMetrics, _ *metrics.Metric, p *metrics.NumberDataPoint) {
		rm.Resource.Attributes, p.Attributes = append(rm.Resource.Attributes, p.Attributes[1]), p.Attributes[:1]
	})
	f("resource", false, func(rm *metrics.ResourceMetrics, _ *metrics.Metric, _ *metrics.NumberDataPoint) {
		rm.Resource.Attributes[1] = str("host", "b")
	})
	f("scope", false, func(rm *metrics.ResourceMetrics, _ *metrics.Metric, _ *metrics.NumberDataPoint) {
		rm.ScopeMetrics[0].Scope.Version = "2"
	})
	f("name", false, func(_ *metrics.ResourceMetrics, m *metrics.Metric, _ *metrics.NumberDataPoint) { m.Name = "other" })
	f("unit", false, func(_ *metrics.ResourceMetrics, m *metrics.Metric, _ *metrics.NumberDataPoint) { m.Unit = "s" })
	// Streams live in state topics: their identity must be the same in later releases.
	if got := fmt.Sprintf("%x", first); got != "{2a5be50022e186d5 1be598dc931ecc70}" {
		t.Errorf("the identity has become %s", got)
	}
}

func TestOTLPMetricsAllocateNothing(t *testing.T) {
	record := marshal(t, shopMetrics())
	b, d := newBuilder(shopProjection), newDecoder(t, metricsProto, shopProjection)
	defer b.Release()
	run := func() {
		for range 50 {
			if err := d.Decode(record, b); err != nil {
				t.Fatal(err)
			}
		}
		b.Batch().Release()
	}
	run()
	if n := testing.AllocsPerRun(20, run) / 50 / 8; n > 0.5 { // a batch has its arrays
		t.Errorf("a point allocates %v times", n)
	}
}

// FuzzOTLPMetrics compares with the generated types as FuzzOTLPSpans does.
func FuzzOTLPMetrics(f *testing.F) {
	f.Add(marshal(f, shopMetrics()))
	f.Fuzz(func(t *testing.T, record []byte) {
		got, err := decodeTwice(t, metricsProto, metricsProjection, record)
		md := &metrics.MetricsData{}
		if proto.Unmarshal(record, md) != nil || !knownUnits(md) {
			return
		}
		var want metricsOracle
		want.read(md)
		compareWithMetrics(t, &want, got, err)
	})
}

// knownUnits reports whether the oracle knows the units.
func knownUnits(md *metrics.MetricsData) bool {
	for _, rm := range md.GetResourceMetrics() {
		for _, sm := range rm.GetScopeMetrics() {
			for _, m := range sm.GetMetrics() {
				if !slices.Contains([]string{"", "s", "ms", "By", "{request}", "1"}, m.GetUnit()) {
					return false
				}
			}
		}
	}
	return true
}

// FuzzOTLPMetricsJSON compares with the Collector's pdata as FuzzOTLPSpansJSON does.
func FuzzOTLPMetricsJSON(f *testing.F) {
	f.Add(pdataMetrics(f, shopMetrics()))
	f.Fuzz(func(t *testing.T, record []byte) {
		got, err := decodeTwice(t, metricsJSON, metricsProjection, record)
		if !plainJSON(record) {
			return
		}
		all, bad := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(record)
		if bad != nil {
			return
		}
		wire, bad := (&pmetric.ProtoMarshaler{}).MarshalMetrics(all)
		if bad != nil {
			t.Fatal(bad)
		}
		md := &metrics.MetricsData{}
		if bad := proto.Unmarshal(wire, md); bad != nil {
			t.Fatal(bad)
		}
		var want metricsOracle
		want.read(md)
		if r, ok := ingest.Rejected(err); ok && (r.Reason == ingest.ReasonMalformed || len(got) < len(want.rows)) {
			if len(got) > len(want.rows) {
				t.Fatalf("%d rows, pdata has %d", len(got), len(want.rows))
			}
			return
		}
		if knownUnits(md) {
			compareWithMetrics(t, &want, got, err)
		}
	})
}

func BenchmarkOTLPMetrics(b *testing.B) {
	md := shopMetrics()
	list := md.ResourceMetrics[0].ScopeMetrics[0].Metrics
	var many []*metrics.Metric
	for range 10 {
		many = append(many, list[1], list[4])
	}
	md.ResourceMetrics[0].ScopeMetrics[0].Metrics = many
	benchDecode(b, metricsProto, ingest.Projection{Labels: []string{"service.name", "metric.name", "http.route"}, Values: []string{"duration"}},
		marshal(b, md), len(many))
}
