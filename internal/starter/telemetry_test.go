package starter

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

func kadmGroups(t *testing.T, cl *kgo.Client) ([]string, error) {
	t.Helper()
	groups, err := kadm.NewClient(cl).ListGroups(t.Context())
	return groups.Groups(), err
}

func encoded(m proto.Message, encoding string) *kgo.Record {
	var text []byte
	var err error
	if encoding == "json" {
		text, err = protojson.Marshal(m)
	} else {
		text, err = proto.Marshal(m)
	}
	if err != nil {
		panic(err)
	}
	return &kgo.Record{Value: text}
}

func attributes(pairs ...string) []*commonpb.KeyValue {
	var out []*commonpb.KeyValue
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, &commonpb.KeyValue{Key: pairs[i], Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: pairs[i+1]}}})
	}
	return out
}

func service(i int) *resourcepb.Resource {
	return &resourcepb.Resource{Attributes: attributes("service.name", []string{"cart", "search"}[i%2], "service.instance.id", fmt.Sprint("pod-", i))}
}

// spanRecords are 60 records of four server spans, a client span and a consumer span.
func spanRecords(at time.Time, encoding string) []*kgo.Record {
	var out []*kgo.Record
	for i := range 60 {
		var spans []*tracepb.Span
		add := func(kind tracepb.Span_SpanKind, name string, took time.Duration, attrs ...string) {
			end := at.Add(time.Duration(i) * 100 * time.Millisecond)
			s := &tracepb.Span{Name: name, Kind: kind, StartTimeUnixNano: uint64(end.Add(-took).UnixNano()), EndTimeUnixNano: uint64(end.UnixNano()),
				Attributes: attributes(attrs...), Status: &tracepb.Status{}}
			if i%20 == 7 {
				s.Status.Code = tracepb.Status_STATUS_CODE_ERROR
			}
			spans = append(spans, s)
		}
		for j := range 4 {
			route := []string{"/cart", "/items/{id}", "/login"}[(i+j)%3]
			add(tracepb.Span_SPAN_KIND_SERVER, "GET "+route, time.Duration(20+i+j)*time.Millisecond, "http.route", route, "url.path", fmt.Sprint("/items/", i, j))
		}
		add(tracepb.Span_SPAN_KIND_CLIENT, "SELECT", 3*time.Millisecond, "db.system", "postgresql")
		add(tracepb.Span_SPAN_KIND_CONSUMER, "process", 5*time.Millisecond, "messaging.destination.name", []string{"orders", "mails"}[i%2])
		out = append(out, encoded(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{Resource: service(i), ScopeSpans: []*tracepb.ScopeSpans{{Spans: spans}}}}}, encoding))
	}
	return out
}

// metricRecords are 30 records of a histogram of requests, a gauge and a summary.
func metricRecords(at time.Time, encoding string) []*kgo.Record {
	var out []*kgo.Record
	for i := range 30 {
		now := uint64(at.Add(time.Duration(i) * time.Second).UnixNano())
		if at.Add(time.Duration(i) * time.Second).After(time.Now()) {
			now = uint64(at.UnixNano())
		}
		sum := 12.5
		histogram := &metricspb.HistogramDataPoint{TimeUnixNano: now, Count: 100, Sum: &sum, ExplicitBounds: []float64{0.1, 0.25, 0.5, 1}, BucketCounts: []uint64{60, 30, 9, 1, 0},
			Attributes: attributes("http.route", []string{"/cart", "/login"}[i%2], "http.response.status_code", []string{"200", "200", "503"}[i%3])}
		metrics := []*metricspb.Metric{
			{Name: "http.server.request.duration", Unit: "s", Data: &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{
				AggregationTemporality: metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA, DataPoints: []*metricspb.HistogramDataPoint{histogram}}}},
			{Name: "queue.length", Unit: "items", Data: &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{DataPoints: []*metricspb.NumberDataPoint{
				{TimeUnixNano: now, Attributes: attributes("queue", []string{"mail", "push"}[i%2]), Value: &metricspb.NumberDataPoint_AsInt{AsInt: int64(i)}}}}}},
			{Name: "rpc.old", Data: &metricspb.Metric_Summary{Summary: &metricspb.Summary{DataPoints: []*metricspb.SummaryDataPoint{{TimeUnixNano: now, Count: 3, Sum: 1}}}}},
		}
		out = append(out, encoded(&metricspb.MetricsData{ResourceMetrics: []*metricspb.ResourceMetrics{{Resource: service(i), ScopeMetrics: []*metricspb.ScopeMetrics{{Metrics: metrics}}}}}, encoding))
	}
	return out
}

func logRecords(at time.Time, encoding string) []*kgo.Record {
	var out []*kgo.Record
	for i := range 60 {
		l := &logspb.LogRecord{TimeUnixNano: uint64(at.Add(time.Duration(i) * time.Second / 2).UnixNano()), EventName: []string{"login", "order"}[i%2],
			SeverityNumber: []logspb.SeverityNumber{logspb.SeverityNumber_SEVERITY_NUMBER_INFO, logspb.SeverityNumber_SEVERITY_NUMBER_ERROR}[i%10/9]}
		out = append(out, encoded(&logspb.LogsData{ResourceLogs: []*logspb.ResourceLogs{{Resource: service(i), ScopeLogs: []*logspb.ScopeLogs{{LogRecords: []*logspb.LogRecord{l}}}}}}, encoding))
	}
	return out
}

func texts(n int, text func(i int) string) []*kgo.Record {
	var out []*kgo.Record
	for i := range n {
		out = append(out, &kgo.Record{Value: []byte(text(i))})
	}
	return out
}

func jsonRecords(at time.Time) []*kgo.Record {
	return texts(120, func(i int) string {
		return fmt.Sprintf(`{"ts":%q,"app":%q,"request":{"method":%q,"path":"/items/%d","id":"r-%d"},"response":{"status":%d,"took_ms":%d.5},"bytes":%d}`,
			at.Add(time.Duration(i)*100*time.Millisecond).UTC().Format(time.RFC3339Nano), []string{"cart", "search", "login"}[i%3], []string{"GET", "POST"}[i%2], i, i,
			[]int{200, 200, 404, 503}[i%4], 10+i, 1000+13*i)
	})
}

func cloudEventRecords(at time.Time) []*kgo.Record {
	out := texts(20, func(i int) string {
		return fmt.Sprintf(`{"specversion":"1.0","id":"%d","source":"/ci","type":"dev.cdevents.service.%s.0.3.0","time":%q,"data":{"subject":{"id":%q}}}`,
			i, []string{"deployed", "rolledback"}[i%2], at.UTC().Format(time.RFC3339), []string{"cart", "search"}[i%2])
	})
	for i := range 20 { // the same in the binary mode
		out = append(out, &kgo.Record{Value: fmt.Appendf(nil, `{"subject":{"id":%q}}`, []string{"cart", "login"}[i%2]), Headers: []kgo.RecordHeader{
			{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_id", Value: fmt.Append(nil, i)}, {Key: "ce_source", Value: []byte("/ci")},
			{Key: "ce_type", Value: []byte("dev.cdevents.service.deployed.0.3.0")}, {Key: "ce_time", Value: []byte(at.UTC().Format(time.RFC3339))},
			{Key: "content-type", Value: []byte("application/json")}}})
	}
	return out
}

func kubernetesRecords(at time.Time) []*kgo.Record {
	return texts(30, func(i int) string {
		return fmt.Sprintf(`{"kind":"Event","reason":%q,"type":%q,"lastTimestamp":%q,"involvedObject":{"kind":"Pod","namespace":"shop","name":"cart-7d9f8b6c5d-x2x4z"},"message":"m"}`,
			[]string{"Started", "BackOff"}[i%2], []string{"Normal", "Warning"}[i%2], at.UTC().Format(time.RFC3339))
	})
}

func prometheusRecords(at time.Time) []*kgo.Record {
	str := func(dst []byte, n protowire.Number, s []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(dst, n, protowire.BytesType), s)
	}
	series := func(v float64, pairs ...string) []byte {
		var out []byte
		for i := 0; i < len(pairs); i += 2 {
			out = str(out, 1, str(str(nil, 1, []byte(pairs[i])), 2, []byte(pairs[i+1])))
		}
		sample := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(v))
		sample = protowire.AppendVarint(protowire.AppendTag(sample, 2, protowire.VarintType), uint64(at.UnixMilli()))
		return str(out, 2, sample)
	}
	var out []*kgo.Record
	for i := range 40 {
		var request []byte
		request = str(request, 1, series(float64(i), "__name__", "queue_length", "job", "mailer", "instance", fmt.Sprint("10.0.0.", i%3), "queue", []string{"in", "out"}[i%2]))
		request = str(request, 1, series(float64(100*i), "__name__", "http_requests_total", "job", "web", "instance", "10.0.0.1", "code", []string{"200", "500"}[i%2], "handler", []string{"/a", "/b"}[i%2]))
		out = append(out, &kgo.Record{Value: s2.EncodeSnappy(nil, request)})
	}
	return out
}

func influxRecords(at time.Time) []*kgo.Record {
	return texts(40, func(i int) string {
		return fmt.Sprintf("cpu,cpu=cpu-total,host=web-%d usage_idle=%d.5,usage_user=1.2 %d\n", i%4, 50+i, at.UnixNano())
	})
}

func telegrafRecords(at time.Time) []*kgo.Record {
	return texts(40, func(i int) string {
		return fmt.Sprintf(`{"name":"http_response","tags":{"server":"https://shop","host":"probe-%d","result":%q},"fields":{"http_response_code":200,"response_time":0.%d},"timestamp":%d}`,
			i%2, []string{"success", "timeout"}[i%5/4], 100+i, at.Unix())
	})
}

// registryOf is a Schema Registry with one schema.
type registryOf struct{ url string }

const orderSchema = `{"type":"record","name":"Order","fields":[{"name":"placed_at","type":{"type":"long","logicalType":"timestamp-millis"}},
 {"name":"app","type":["null","string"]},{"name":"status","type":{"type":"enum","name":"Status","symbols":["OK","FAILED"]}},{"name":"took_ms","type":"double"}]}`

func newRegistry(t *testing.T) registryOf {
	r := srfake.New()
	t.Cleanup(r.Close)
	r.SeedSchema("orders-value", 1, 7, sr.Schema{Schema: orderSchema, Type: sr.TypeAvro})
	return registryOf{r.URL()}
}

func (registryOf) records(t *testing.T, at time.Time) []*kgo.Record {
	schema := avro.MustParse(orderSchema)
	var out []*kgo.Record
	for i := range 60 {
		m, err := schema.Encode(map[string]any{"placed_at": at.UnixMilli(), "app": []string{"cart", "shop"}[i%2], "status": []string{"OK", "FAILED"}[i%6/5], "took_ms": float64(10 + i)})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, &kgo.Record{Value: append(binary.BigEndian.AppendUint32([]byte{0}, 7), m...)})
	}
	return out
}
