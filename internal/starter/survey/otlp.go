package survey

import (
	"maps"
	"strconv"
	"strings"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// recogniseProtobuf tells the signals of OTLP apart: what is one parses as another too,
// mostly, but does not make sense then.
func recogniseProtobuf(value []byte) Format {
	if spans, err := spansOf(value, "proto"); err == nil && sensibleSpans(spans) {
		return Format{Name: "otlp_spans"}
	}
	if metrics, err := metricsOf(value, "proto"); err == nil && sensibleMetrics(metrics) {
		return Format{Name: "otlp_metrics"}
	}
	if logs, err := logsOf(value, "proto"); err == nil && sensibleLogs(logs) {
		return Format{Name: "otlp_logs"}
	}
	return Format{}
}

func unmarshal(value []byte, encoding string, into proto.Message) error {
	if encoding == "json" {
		return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(value, into)
	}
	return proto.Unmarshal(value, into)
}

func spansOf(value []byte, encoding string) (*tracepb.TracesData, error) {
	m := &tracepb.TracesData{}
	return m, unmarshal(value, encoding, m)
}

func metricsOf(value []byte, encoding string) (*metricspb.MetricsData, error) {
	m := &metricspb.MetricsData{}
	return m, unmarshal(value, encoding, m)
}

func logsOf(value []byte, encoding string) (*logspb.LogsData, error) {
	m := &logspb.LogsData{}
	return m, unmarshal(value, encoding, m)
}

func sensibleSpans(m *tracepb.TracesData) bool {
	for _, r := range m.ResourceSpans {
		for _, s := range r.ScopeSpans {
			for _, span := range s.Spans {
				return span.EndTimeUnixNano > 0 && span.Name != ""
			}
		}
	}
	return false
}

func sensibleMetrics(m *metricspb.MetricsData) bool {
	for _, r := range m.ResourceMetrics {
		for _, s := range r.ScopeMetrics {
			for _, metric := range s.Metrics {
				return metric.Name != "" && metric.Data != nil
			}
		}
	}
	return false
}

func sensibleLogs(m *logspb.LogsData) bool {
	for _, r := range m.ResourceLogs {
		for _, s := range r.ScopeLogs {
			for _, l := range s.LogRecords {
				return l.TimeUnixNano > 0 || l.ObservedTimeUnixNano > 0
			}
		}
	}
	return false
}

// labelsOf returns attributes as labels, those of the innermost level last.
func labelsOf(levels ...[]*commonpb.KeyValue) map[string]string {
	out := map[string]string{}
	for _, list := range levels {
		for _, kv := range list {
			if text, ok := text(kv.Value); ok {
				out[kv.Key] = text
			}
		}
	}
	return out
}

func text(v *commonpb.AnyValue) (string, bool) {
	switch x := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return x.StringValue, true
	case *commonpb.AnyValue_BoolValue:
		return strconv.FormatBool(x.BoolValue), true
	case *commonpb.AnyValue_IntValue:
		return strconv.FormatInt(x.IntValue, 10), true
	case *commonpb.AnyValue_DoubleValue:
		return strconv.FormatFloat(x.DoubleValue, 'g', -1, 64), true
	}
	return "", false
}

func readSpans(value []byte, encoding string, each func(Sample)) {
	m, err := spansOf(value, encoding)
	if err != nil {
		return
	}
	for _, r := range m.ResourceSpans {
		for _, s := range r.ScopeSpans {
			for _, span := range s.Spans {
				x := Sample{Labels: labelsOf(r.Resource.GetAttributes(), s.Scope.GetAttributes(), span.Attributes), Numbers: map[string]float64{}}
				x.Labels["span.name"] = span.Name
				x.Labels["span.kind"] = strings.TrimPrefix(span.Kind.String(), "SPAN_KIND_")
				x.Labels["status.code"] = strings.TrimPrefix(span.Status.GetCode().String(), "STATUS_CODE_")
				if span.EndTimeUnixNano >= span.StartTimeUnixNano && span.StartTimeUnixNano > 0 {
					x.Numbers["duration"] = float64(span.EndTimeUnixNano - span.StartTimeUnixNano)
				}
				each(x)
			}
		}
	}
}

func readMetrics(value []byte, encoding string, each func(Sample)) {
	m, err := metricsOf(value, encoding)
	if err != nil {
		return
	}
	for _, r := range m.ResourceMetrics {
		for _, s := range r.ScopeMetrics {
			outer := labelsOf(r.Resource.GetAttributes(), s.Scope.GetAttributes())
			for _, metric := range s.Metrics {
				points(metric, func(kind string, attributes []*commonpb.KeyValue, numbers map[string]float64) {
					x := Sample{Metric: metric.Name, Type: kind, Unit: metric.Unit, Labels: labelsOf(attributes), Numbers: numbers}
					for name, v := range outer {
						if _, inner := x.Labels[name]; !inner {
							x.Labels[name] = v
						}
					}
					each(x)
				})
			}
		}
	}
}

// points calls each with the data points of a metric. Of distributions the number is the
// mean, and of those with explicit buckets "bound" is that which nearly all are below.
func points(m *metricspb.Metric, each func(kind string, attributes []*commonpb.KeyValue, numbers map[string]float64)) {
	number := func(kind string, p *metricspb.NumberDataPoint) {
		v := p.GetAsDouble()
		if _, isInt := p.Value.(*metricspb.NumberDataPoint_AsInt); isInt {
			v = float64(p.GetAsInt())
		}
		each(kind, p.Attributes, map[string]float64{"value": v})
	}
	mean := func(kind string, attributes []*commonpb.KeyValue, count uint64, sum float64, numbers map[string]float64) {
		if count > 0 {
			numbers["value"] = sum / float64(count)
		}
		each(kind, attributes, numbers)
	}
	switch d := m.Data.(type) {
	case *metricspb.Metric_Gauge:
		for _, p := range d.Gauge.DataPoints {
			number("gauge", p)
		}
	case *metricspb.Metric_Sum:
		kind := "sum"
		if !d.Sum.IsMonotonic {
			kind = "gauge"
		}
		for _, p := range d.Sum.DataPoints {
			number(kind, p)
		}
	case *metricspb.Metric_Histogram:
		for _, p := range d.Histogram.DataPoints {
			mean("histogram", p.Attributes, p.Count, p.GetSum(), bound(p))
		}
	case *metricspb.Metric_ExponentialHistogram:
		for _, p := range d.ExponentialHistogram.DataPoints {
			mean("exponential_histogram", p.Attributes, p.Count, p.GetSum(), map[string]float64{})
		}
	case *metricspb.Metric_Summary:
		for _, p := range d.Summary.DataPoints {
			mean("summary", p.Attributes, p.Count, p.Sum, map[string]float64{})
		}
	}
}

// bound returns the bound of a histogram that 99 % of what it counted do not exceed, if
// there is one.
func bound(p *metricspb.HistogramDataPoint) map[string]float64 {
	out, below := map[string]float64{}, uint64(0)
	for i, b := range p.ExplicitBounds {
		if i >= len(p.BucketCounts) {
			break
		}
		if below += p.BucketCounts[i]; p.Count > 0 && 100*below >= 99*p.Count {
			out["bound"] = b
			break
		}
	}
	return out
}

func readLogs(value []byte, encoding string, each func(Sample)) {
	m, err := logsOf(value, encoding)
	if err != nil {
		return
	}
	for _, r := range m.ResourceLogs {
		for _, s := range r.ScopeLogs {
			for _, l := range s.LogRecords {
				x := Sample{Labels: labelsOf(r.Resource.GetAttributes(), s.Scope.GetAttributes(), l.Attributes), Numbers: map[string]float64{}}
				if l.EventName != "" {
					x.Labels["event.name"] = l.EventName
				}
				x.Labels["severity"] = severity(l)
				maps.Copy(x.Labels, body(l.Body))
				each(x)
			}
		}
	}
}

// severity is the range of the number; texts are left to the decoder.
func severity(l *logspb.LogRecord) string {
	ranges := []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}
	if n := int(l.SeverityNumber); n >= 1 && n <= 24 {
		return ranges[(n-1)/4]
	}
	return l.SeverityText
}

// body returns the fields of a structured body.
func body(v *commonpb.AnyValue) map[string]string {
	out := map[string]string{}
	for _, kv := range v.GetKvlistValue().GetValues() {
		if t, ok := text(kv.Value); ok {
			out["body."+kv.Key] = t
		}
	}
	return out
}
