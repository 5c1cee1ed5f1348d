package decode

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

var (
	metricsProto = flyball.Source{Format: "otlp_metrics"}
	metricsJSON  = flyball.Source{Format: "otlp_metrics", Encoding: "json"}
)

// metricsProjection has every kind of column.
var metricsProjection = ingest.Projection{
	Labels: []string{"metric.name", "metric.unit", "metric.type", "quantile", "service.name", "http.route", "host",
		"resource.host", "scope.name", "scope.version", "point.host"},
	Values: []string{"value", "duration", "size"},
}

// metricsOracle gives the rows of a request and how many of its points are rejected,
// from the generated types and by the words of OTLPMetrics' documentation.
type metricsOracle struct {
	rs       *metrics.ResourceMetrics
	ss       *metrics.ScopeMetrics
	m        *metrics.Metric
	kind     string
	rows     []sample
	rejected int
}

func (o *metricsOracle) read(md *metrics.MetricsData) {
	for _, o.rs = range md.GetResourceMetrics() {
		for _, o.ss = range o.rs.GetScopeMetrics() {
			for _, o.m = range o.ss.GetMetrics() {
				o.metric()
			}
		}
	}
}

func (o *metricsOracle) metric() {
	known := func(t metrics.AggregationTemporality) bool { return t == 1 || t == 2 }
	switch d := o.m.GetData().(type) {
	case *metrics.Metric_Gauge:
		o.kind = "gauge"
		for _, p := range d.Gauge.GetDataPoints() {
			o.number(p, nil, true)
		}
	case *metrics.Metric_Sum:
		o.kind = "sum"
		for _, p := range d.Sum.GetDataPoints() {
			v := oracleNumberOf(p)
			var point *ingest.Point
			if d.Sum.GetIsMonotonic() {
				point = &ingest.Point{Weight: int64(math.Round(min(max(v, 0), 1<<44))), Value: v}
				if d.Sum.GetAggregationTemporality() == 2 {
					point.Cumulative, point.Start = true, oracleStart(p.GetStartTimeUnixNano())
				}
			}
			o.number(p, point, known(d.Sum.GetAggregationTemporality()) && !(d.Sum.GetIsMonotonic() && v < 0))
		}
	case *metrics.Metric_Histogram:
		o.kind = "histogram"
		for _, p := range d.Histogram.GetDataPoints() {
			dist := &flyball.Distribution{Count: p.GetCount(), Sum: oracleOptional(p.Sum), Min: oracleOptional(p.Min), Max: oracleOptional(p.Max),
				Bounds: p.GetExplicitBounds(), Buckets: p.GetBucketCounts()}
			ok, last := len(dist.Bounds)+len(dist.Buckets) == 0 || len(dist.Buckets) == len(dist.Bounds)+1, math.Inf(-1)
			for _, b := range dist.Bounds {
				ok, last = ok && b > last && !math.IsInf(b, 1), b
			}
			ok = ok && (len(dist.Buckets) == 0 || oracleTotal(dist.Buckets) == float64(dist.Count))
			o.distribution(p.GetAttributes(), p, dist, d.Histogram.GetAggregationTemporality(), ok)
		}
	case *metrics.Metric_ExponentialHistogram:
		o.kind = "exponential_histogram"
		for _, p := range d.ExponentialHistogram.GetDataPoints() {
			dist := &flyball.Distribution{Count: p.GetCount(), Sum: oracleOptional(p.Sum), Min: oracleOptional(p.Min), Max: oracleOptional(p.Max),
				Exponential: true, Scale: p.GetScale(), Zero: p.GetZeroCount(), ZeroThreshold: p.GetZeroThreshold(),
				PosOffset: p.GetPositive().GetOffset(), Pos: p.GetPositive().GetBucketCounts(),
				NegOffset: p.GetNegative().GetOffset(), Neg: p.GetNegative().GetBucketCounts()}
			ok := dist.Scale >= -10 && dist.Scale <= 40 && dist.ZeroThreshold >= 0 && !math.IsInf(dist.ZeroThreshold, 1) &&
				float64(dist.Zero)+oracleTotal(dist.Pos)+oracleTotal(dist.Neg) == float64(dist.Count)
			for i, n := range dist.Pos {
				ok = ok && (n == 0 || math.Ldexp(float64(dist.PosOffset)+float64(i), -int(dist.Scale)) < 1024)
			}
			for i, n := range dist.Neg {
				ok = ok && (n == 0 || math.Ldexp(float64(dist.NegOffset)+float64(i), -int(dist.Scale)) < 1024)
			}
			o.distribution(p.GetAttributes(), p, dist, d.ExponentialHistogram.GetAggregationTemporality(), ok)
		}
	case *metrics.Metric_Summary:
		o.kind = "summary"
		for _, p := range d.Summary.GetDataPoints() {
			for _, q := range p.GetQuantileValues() {
				if v := q.GetValue(); p.GetFlags()&1 == 0 && !math.IsNaN(v) {
					o.row(p.GetTimeUnixNano(), p.GetAttributes(), string(rows.AppendDouble(nil, q.GetQuantile())), v, nil, !math.IsInf(v, 0))
				}
			}
		}
	}
}

func oracleTotal(list []uint64) (n float64) {
	for _, x := range list {
		n += float64(x)
	}
	return n
}

func oracleOptional(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

func oracleStart(t uint64) flyball.Time { return flyball.Time(min(t, math.MaxInt64)) }

func oracleNumberOf(p *metrics.NumberDataPoint) float64 {
	switch v := p.GetValue().(type) {
	case *metrics.NumberDataPoint_AsDouble:
		return v.AsDouble
	case *metrics.NumberDataPoint_AsInt:
		return float64(v.AsInt)
	}
	return math.NaN()
}

func (o *metricsOracle) number(p *metrics.NumberDataPoint, point *ingest.Point, ok bool) {
	v := oracleNumberOf(p)
	if p.GetFlags()&1 == 0 {
		o.row(p.GetTimeUnixNano(), p.GetAttributes(), "", v, point, ok && !math.IsNaN(v) && !math.IsInf(v, 0))
	}
}

func (o *metricsOracle) distribution(attributes []*common.KeyValue, p interface {
	GetTimeUnixNano() uint64
	GetStartTimeUnixNano() uint64
	GetFlags() uint32
}, dist *flyball.Distribution, temporality metrics.AggregationTemporality, ok bool) {
	if p.GetFlags()&1 != 0 {
		return
	}
	dist.Nanos = map[string]float64{"s": 1e9, "ms": 1e6}[o.m.GetUnit()]
	point := &ingest.Point{Weight: int64(min(dist.Count, 1<<44)), Value: math.NaN(), Distribution: dist, Cumulative: temporality == 2}
	if point.Cumulative {
		point.Start = oracleStart(p.GetStartTimeUnixNano())
	}
	o.row(p.GetTimeUnixNano(), attributes, "", math.NaN(), point,
		ok && (temporality == 1 || temporality == 2) && dist.Count <= 1<<44 && !math.IsInf(dist.Sum, 0))
}

func (o *metricsOracle) row(at uint64, attributes []*common.KeyValue, quantile string, v float64, point *ingest.Point, ok bool) {
	fields := map[string]string{"metric.name": o.m.GetName(), "metric.unit": o.m.GetUnit(), "metric.type": o.kind, "quantile": quantile,
		"scope.name": o.ss.GetScope().GetName(), "scope.version": o.ss.GetScope().GetVersion()}
	lists := [][]*common.KeyValue{attributes, o.ss.GetScope().GetAttributes(), o.rs.GetResource().GetAttributes()}
	row := sample{At: int64(at), Point: point}
	for _, name := range metricsProjection.Labels {
		text, isField := fields[name]
		if !isField {
			text = oracleLookup(lists, "point.", name).AsString()
		}
		row.Labels = append(row.Labels, string(ingest.CutLabel([]byte(text))))
	}
	size, good := oracleNumber(oracleLookup(lists, "point.", "size"))
	duration := math.NaN()
	if unit := map[string]float64{"s": 1e9, "ms": 1e6}[o.m.GetUnit()]; unit > 0 {
		duration = v * unit
	}
	row.Values = []float64{v, duration, size}
	if ok && good && at > 0 && at <= math.MaxInt64 {
		o.rows = append(o.rows, row)
	} else {
		o.rejected++
	}
}

// compareMetrics decodes a record and compares the outcome with the oracle's.
func compareMetrics(t tester, src flyball.Source, record []byte, md *metrics.MetricsData) {
	t.Helper()
	var want metricsOracle
	want.read(md)
	got, err := decodeOne(t, src, metricsProjection, record)
	compareWithMetrics(t, &want, got, err)
}

func compareWithMetrics(t tester, want *metricsOracle, got []sample, err error) {
	t.Helper()
	if diff := cmp.Diff(want.rows, got, sameSamples); diff != "" {
		t.Fatalf("(−want +got):\n%s\nerror: %v", diff, err)
	}
	samples := 0
	if r, ok := ingest.Rejected(err); ok {
		samples = r.Samples
	}
	if samples != want.rejected || err != nil && want.rejected == 0 {
		t.Fatalf("got %v, want %d points rejected", err, want.rejected)
	}
}

func TestOTLPMetricsAgreesWithGeneratedTypes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		md := drawMetrics(t)
		record, err := proto.Marshal(md)
		if err != nil {
			t.Fatal(err)
		}
		scrambled := scramble(t, md.ProtoReflect().Descriptor(), record)
		back := &metrics.MetricsData{}
		if err := proto.Unmarshal(scrambled, back); err != nil {
			t.Fatalf("BUG: scrambled bytes are not a message: %v", err)
		}
		compareMetrics(t, metricsProto, record, md)
		compareMetrics(t, metricsProto, scrambled, back)
	})
}

// pdataMetrics encodes a request in JSON as the Collector's Kafka exporter does.
func pdataMetrics(t tester, md *metrics.MetricsData) []byte {
	t.Helper()
	all, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(marshal(t, md))
	if err != nil {
		t.Fatal(err)
	}
	record, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(all)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func TestOTLPMetricsJSONAgreesWithGeneratedTypes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		md := drawMetrics(t)
		record := pdataMetrics(t, md)
		compareMetrics(t, metricsJSON, record, md)
		compareMetrics(t, metricsJSON, scrambleJSON(t, record), md)
		official, err := protojson.MarshalOptions{UseProtoNames: rapid.Bool().Draw(t, "snake case"),
			UseEnumNumbers: rapid.Bool().Draw(t, "numbers")}.Marshal(md)
		if err != nil {
			t.Fatal(err)
		}
		compareMetrics(t, metricsJSON, official, md)
	})
}

// drawMetrics makes requests with every kind of metric.
func drawMetrics(t *rapid.T) *metrics.MetricsData {
	md := &metrics.MetricsData{}
	for range rapid.IntRange(0, 2).Draw(t, "resources") {
		rm := &metrics.ResourceMetrics{}
		if attributes := drawAttributes(t); rapid.Bool().Draw(t, "resource") {
			rm.Resource = resourceOf(attributes)
		}
		for range rapid.IntRange(0, 2).Draw(t, "scopes") {
			sm := &metrics.ScopeMetrics{}
			if attributes := drawAttributes(t); rapid.Bool().Draw(t, "scope") {
				sm.Scope = &common.InstrumentationScope{Name: drawText(t), Version: drawText(t), Attributes: attributes}
			}
			for range rapid.IntRange(0, 3).Draw(t, "metrics") {
				sm.Metrics = append(sm.Metrics, drawMetric(t))
			}
			rm.ScopeMetrics = append(rm.ScopeMetrics, sm)
		}
		md.ResourceMetrics = append(md.ResourceMetrics, rm)
	}
	return md
}

func drawMetric(t *rapid.T) *metrics.Metric {
	m := &metrics.Metric{Name: drawText(t), Description: "d", Unit: rapid.SampledFrom([]string{"", "s", "ms", "By", "{request}"}).Draw(t, "unit")}
	temporality := metrics.AggregationTemporality(rapid.Int32Range(0, 2).Draw(t, "temporality"))
	n := rapid.IntRange(0, 3).Draw(t, "points")
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 1:
		g := &metrics.Gauge{}
		for range n {
			g.DataPoints = append(g.DataPoints, drawNumber(t))
		}
		m.Data = &metrics.Metric_Gauge{Gauge: g}
	case 2:
		s := &metrics.Sum{AggregationTemporality: temporality, IsMonotonic: rapid.Bool().Draw(t, "monotonic")}
		for range n {
			s.DataPoints = append(s.DataPoints, drawNumber(t))
		}
		m.Data = &metrics.Metric_Sum{Sum: s}
	case 3:
		h := &metrics.Histogram{AggregationTemporality: temporality}
		for range n {
			h.DataPoints = append(h.DataPoints, drawExplicit(t))
		}
		m.Data = &metrics.Metric_Histogram{Histogram: h}
	case 4:
		h := &metrics.ExponentialHistogram{AggregationTemporality: temporality}
		for range n {
			h.DataPoints = append(h.DataPoints, drawExponential(t))
		}
		m.Data = &metrics.Metric_ExponentialHistogram{ExponentialHistogram: h}
	case 5:
		s := &metrics.Summary{}
		for range n {
			p := &metrics.SummaryDataPoint{Attributes: drawAttributes(t), TimeUnixNano: drawTime(t), Count: 3, Sum: 4, Flags: drawFlags(t)}
			for range rapid.IntRange(0, 3).Draw(t, "quantiles") {
				p.QuantileValues = append(p.QuantileValues, &metrics.SummaryDataPoint_ValueAtQuantile{
					Quantile: rapid.SampledFrom([]float64{0, 0.5, 0.99, 1}).Draw(t, "quantile"), Value: drawDouble(t)})
			}
			s.DataPoints = append(s.DataPoints, p)
		}
		m.Data = &metrics.Metric_Summary{Summary: s}
	}
	return m
}

func drawTime(t *rapid.T) uint64 {
	return rapid.SampledFrom([]uint64{0, 1, epoch, epoch, epoch + 1, epoch + 12_345_678, math.MaxInt64, math.MaxInt64 + 1}).Draw(t, "time")
}

func drawFlags(t *rapid.T) uint32 { return rapid.SampledFrom([]uint32{0, 0, 0, 1, 2}).Draw(t, "flags") }

func drawDouble(t *rapid.T) float64 {
	return rapid.OneOf(rapid.Float64Range(-1, 1000), rapid.SampledFrom([]float64{0, 0.5, 3, 1e300, math.NaN(), math.Inf(1)})).Draw(t, "double")
}

func drawOptional(t *rapid.T) *float64 {
	if rapid.Bool().Draw(t, "absent") {
		return nil
	}
	v := drawDouble(t)
	return &v
}

func drawNumber(t *rapid.T) *metrics.NumberDataPoint {
	p := &metrics.NumberDataPoint{Attributes: drawAttributes(t), StartTimeUnixNano: drawTime(t), TimeUnixNano: drawTime(t), Flags: drawFlags(t),
		Exemplars: []*metrics.Exemplar{{TimeUnixNano: 5, Value: &metrics.Exemplar_AsDouble{AsDouble: 1}}}}
	switch rapid.IntRange(0, 4).Draw(t, "value") {
	case 1, 2:
		p.Value = &metrics.NumberDataPoint_AsInt{AsInt: rapid.OneOf(rapid.Int64Range(-2, 1000), rapid.Int64()).Draw(t, "int")}
	case 3, 4:
		p.Value = &metrics.NumberDataPoint_AsDouble{AsDouble: drawDouble(t)}
	}
	return p
}

func drawCounts(t *rapid.T, n int) (list []uint64, total uint64) {
	for range n {
		c := rapid.Uint64Range(0, 5).Draw(t, "count")
		list = append(list, c)
		total += c
	}
	return list, total
}

func drawExplicit(t *rapid.T) *metrics.HistogramDataPoint {
	p := &metrics.HistogramDataPoint{Attributes: drawAttributes(t), StartTimeUnixNano: drawTime(t), TimeUnixNano: drawTime(t), Flags: drawFlags(t),
		Sum: drawOptional(t), Min: drawOptional(t), Max: drawOptional(t)}
	p.ExplicitBounds = rapid.SampledFrom([][]float64{nil, {1}, {0.1, 0.5, 2.5}, {5, 5}, {-1, 0, math.Inf(1)}, {math.NaN()}}).Draw(t, "bounds")
	p.BucketCounts, p.Count = drawCounts(t, len(p.ExplicitBounds)+1)
	switch rapid.IntRange(0, 9).Draw(t, "mistake") {
	case 0:
		p.Count++
	case 1:
		p.BucketCounts = nil
	case 2:
		p.BucketCounts[0], p.Count = math.MaxUint64, 4
	case 3:
		p.ExplicitBounds, p.BucketCounts = nil, nil
	}
	return p
}

func drawExponential(t *rapid.T) *metrics.ExponentialHistogramDataPoint {
	p := &metrics.ExponentialHistogramDataPoint{Attributes: drawAttributes(t), StartTimeUnixNano: drawTime(t), TimeUnixNano: drawTime(t), Flags: drawFlags(t),
		Sum: drawOptional(t), Min: drawOptional(t), Max: drawOptional(t), Scale: rapid.Int32Range(-12, 42).Draw(t, "scale"),
		ZeroCount:     rapid.Uint64Range(0, 3).Draw(t, "zero"),
		ZeroThreshold: rapid.SampledFrom([]float64{0, 0, 0, 1e-6, -1, math.NaN()}).Draw(t, "threshold")}
	offset := rapid.OneOf(rapid.Int32Range(-50, 50), rapid.SampledFrom([]int32{1023, 1 << 20, math.MinInt32, math.MaxInt32}))
	var pos, neg uint64
	if rapid.Bool().Draw(t, "positive") {
		p.Positive = &metrics.ExponentialHistogramDataPoint_Buckets{Offset: offset.Draw(t, "offset")}
		p.Positive.BucketCounts, pos = drawCounts(t, rapid.IntRange(0, 4).Draw(t, "buckets"))
	}
	if rapid.Bool().Draw(t, "negative") {
		p.Negative = &metrics.ExponentialHistogramDataPoint_Buckets{Offset: offset.Draw(t, "offset")}
		p.Negative.BucketCounts, neg = drawCounts(t, rapid.IntRange(0, 4).Draw(t, "buckets"))
	}
	p.Count = p.ZeroCount + pos + neg + uint64(rapid.SampledFrom([]int{0, 0, 0, 0, 1}).Draw(t, "mistake"))
	return p
}
