package decode

import (
	"fmt"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/flyball-io/flyball/ingest"
)

func str(key, value string) *common.KeyValue {
	return attr(key, &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}})
}

func integer(key string, value int64) *common.KeyValue {
	return attr(key, &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: value}})
}

func attr(key string, value *common.AnyValue) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: value}
}

func resourceOf(attributes []*common.KeyValue) *resource.Resource {
	return &resource.Resource{Attributes: attributes}
}

// epoch is the start of the test spans.
const epoch = 1_772_368_496_000_000_000

// shopRequest is a request like those of a busy service: n spans with eight
// attributes each, some 350 bytes per span.
func shopRequest(n int) *collector.ExportTraceServiceRequest {
	routes := []string{"/api/v1/cart", "/api/v1/cart/{id}/checkout", "/api/v1/products", "/healthz"}
	methods := []string{"GET", "POST"}
	var spans []*trace.Span
	for i := range n {
		start := uint64(epoch + i*1_000_003)
		s := &trace.Span{
			TraceId: fmt.Appendf(nil, "%016d", i*7919), SpanId: fmt.Appendf(nil, "%08d", i),
			ParentSpanId: fmt.Appendf(nil, "%08d", i/2), Name: methods[i%2] + " " + routes[i%4],
			Kind: trace.Span_SPAN_KIND_SERVER, StartTimeUnixNano: start,
			EndTimeUnixNano: start + uint64(1_000_000+i*37_123), Flags: 257,
			Attributes: []*common.KeyValue{
				str("http.request.method", methods[i%2]), str("http.route", routes[i%4]),
				integer("http.response.status_code", int64(200+100*(i%7/6*3))),
				str("url.scheme", "https"), str("server.address", "shop.example.com"),
				str("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)"),
				str("client.address", fmt.Sprintf("10.0.%d.%d", i/250, i%250)),
				integer("http.request.body.size", int64(i*13%5000)),
			},
			Status: &trace.Status{},
		}
		if i%7 == 6 {
			s.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: "deadline exceeded"}
		}
		spans = append(spans, s)
	}
	return &collector.ExportTraceServiceRequest{ResourceSpans: []*trace.ResourceSpans{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{
			str("service.name", "checkout"), str("service.version", "1.42.0"),
			str("deployment.environment.name", "production"), str("host.name", "node-17"),
		}},
		ScopeSpans: []*trace.ScopeSpans{{
			Scope: &common.InstrumentationScope{Name: "go.opentelemetry.io/contrib/net/http", Version: "0.63.0"},
			Spans: spans,
		}},
	}}}
}

func marshal(t tester, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// benchProjection is what one request-rate-and-latency indicator by route needs.
var benchProjection = ingest.Projection{
	Labels: []string{"service.name", "http.route", "http.request.method", "status.code"},
	Values: []string{"duration"},
}
