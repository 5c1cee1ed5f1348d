package telemetry

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/scenario/input"
)

// sample is one sample of a line of telemetry.
type sample struct {
	at     time.Time
	labels map[string]string
	number func(name string) float64
}

// encoders writes samples of one event time as the record of a format.
var encoders = map[string]func(src *flyball.Source, list []sample) ([]byte, error){
	spec.FormatOTLPSpans:   spans,
	spec.FormatOTLPMetrics: points,
	spec.FormatOTLPLogs:    logs,
	spec.FormatJSON:        objects,
	spec.FormatKubernetes:  events,
}

// encode returns the record that a sender would have written.
func encode(src *flyball.Source, a *input.Arrival, at time.Time) ([]byte, error) {
	write := encoders[src.Format]
	if write == nil {
		return nil, fmt.Errorf("cannot write telemetry of source %q: nobody writes format %q here", src.Name, src.Format)
	}
	names := map[string]bool{}
	for _, l := range slices.Concat(a.Series.Labels, a.Series.BadLabels) {
		names[l.Name] = true
	}
	list := make([]sample, a.Total)
	for i := range list {
		label, number := a.Sample(int64(i))
		list[i] = sample{at: at, labels: map[string]string{}, number: number}
		for name := range names {
			if v := label(name); v != "" {
				list[i].labels[name] = v
			}
		}
	}
	return write(src, list)
}

// ofResource are the attributes that describe where a sample comes from.
func ofResource(name string) bool {
	return strings.HasPrefix(name, "service.") || strings.HasPrefix(name, "k8s.") || strings.HasPrefix(name, "host.")
}

// attributes returns the labels that are of the resource, or those that are not, without
// what the record has fields for.
func (s *sample) attributes(resource bool, fields ...string) []*commonpb.KeyValue {
	var out []*commonpb.KeyValue
	for _, name := range slices.Sorted(maps.Keys(s.labels)) {
		if ofResource(name) != resource || slices.Contains(fields, name) {
			continue
		}
		out = append(out, &commonpb.KeyValue{Key: name, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: s.labels[name]}}})
	}
	return out
}

func (s *sample) resource() *resourcepb.Resource {
	return &resourcepb.Resource{Attributes: s.attributes(true)}
}

func spans(_ *flyball.Source, list []sample) ([]byte, error) {
	var out []*tracepb.Span
	for _, s := range list {
		took := s.number(flyball.FieldDuration)
		if math.IsNaN(took) {
			took = 1e6
		}
		span := &tracepb.Span{
			Name: s.labels["span.name"], Kind: tracepb.Span_SpanKind(tracepb.Span_SpanKind_value["SPAN_KIND_"+s.labels["span.kind"]]),
			StartTimeUnixNano: uint64(s.at.UnixNano() - int64(took)), EndTimeUnixNano: uint64(s.at.UnixNano()),
			Attributes: s.attributes(false, "span.name", "span.kind", "status.code"),
			Status:     &tracepb.Status{},
		}
		if s.labels["status.code"] == "ERROR" {
			span.Status.Code = tracepb.Status_STATUS_CODE_ERROR
		}
		out = append(out, span)
	}
	return proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: list[0].resource(), ScopeSpans: []*tracepb.ScopeSpans{{Spans: out}},
	}}})
}

func points(_ *flyball.Source, list []sample) ([]byte, error) {
	var out []*metricspb.NumberDataPoint
	for _, s := range list {
		out = append(out, &metricspb.NumberDataPoint{
			TimeUnixNano: uint64(s.at.UnixNano()), Attributes: s.attributes(false, "metric.name"),
			Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: s.number(flyball.FieldValue)},
		})
	}
	return proto.Marshal(&metricspb.MetricsData{ResourceMetrics: []*metricspb.ResourceMetrics{{
		Resource: list[0].resource(),
		ScopeMetrics: []*metricspb.ScopeMetrics{{Metrics: []*metricspb.Metric{{
			Name: list[0].labels["metric.name"], Data: &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{DataPoints: out}},
		}}}},
	}}})
}

func logs(_ *flyball.Source, list []sample) ([]byte, error) {
	var out []*logspb.LogRecord
	for _, s := range list {
		out = append(out, &logspb.LogRecord{
			TimeUnixNano: uint64(s.at.UnixNano()), SeverityNumber: logspb.SeverityNumber_SEVERITY_NUMBER_INFO,
			EventName: s.labels["event.name"], Attributes: s.attributes(false, "event.name"),
		})
	}
	return proto.Marshal(&logspb.LogsData{ResourceLogs: []*logspb.ResourceLogs{{
		Resource: list[0].resource(), ScopeLogs: []*logspb.ScopeLogs{{LogRecords: out}},
	}}})
}

func objects(src *flyball.Source, list []sample) ([]byte, error) {
	var out []byte
	for _, s := range list {
		o := map[string]any{src.JSON.Timestamp: s.at.UTC().Format(time.RFC3339Nano)}
		for name, path := range src.JSON.Labels {
			if v := s.labels[name]; v != "" {
				o[path] = v
			}
		}
		for name, v := range src.JSON.Values {
			if x := s.number(name); !math.IsNaN(x) {
				o[v.Path] = x
			}
		}
		line, err := json.Marshal(o)
		if err != nil {
			return nil, err
		}
		out = append(append(out, line...), '\n')
	}
	return out, nil
}

func events(_ *flyball.Source, list []sample) ([]byte, error) {
	var out []byte
	for i, s := range list {
		line, err := json.Marshal(map[string]any{
			"apiVersion": "v1", "kind": "Event", "type": s.labels["k8s.type"], "reason": s.labels["k8s.reason"],
			"lastTimestamp": s.at.UTC().Format(time.RFC3339Nano), "count": 1,
			"involvedObject": map[string]any{
				"kind": s.labels["k8s.kind"], "namespace": s.labels["k8s.namespace"],
				"name": s.labels["k8s.workload"] + "-7d9f8b6c5d-" + []string{"x2x4z", "bq7wd", "lm9tc", "hv5jn"}[i%4],
			},
		})
		if err != nil {
			return nil, err
		}
		out = append(append(out, line...), '\n')
	}
	return out, nil
}
