package decode

import (
	"fmt"
	"testing"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

// What a resource gave must not outlive the dictionary that its codes are of,
// nor be taken for what another resource gives.
func TestResourcesAreRememberedRight(t *testing.T) {
	p := ingest.Projection{Labels: []string{"service.name"}}
	d, err := New(flyball.Source{Format: "otlp_spans"}, p)
	if err != nil {
		t.Fatal(err)
	}
	dict := ingest.NewDictionary(1)
	b := ingest.NewBuilder(p, dict, ingest.NewPool())
	defer b.Release()
	record := func(service string) []byte {
		str := &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: service}}
		return marshal(t, &trace.TracesData{ResourceSpans: []*trace.ResourceSpans{{
			Resource:   &resource.Resource{Attributes: []*common.KeyValue{{Key: "service.name", Value: str}}},
			ScopeSpans: []*trace.ScopeSpans{{Spans: []*trace.Span{{EndTimeUnixNano: 1}}}},
		}}})
	}
	const services = 4 * 256 // so that they share places
	for round := range 3 {
		for i := range services {
			service := fmt.Sprint("service-", (i*(round+1))%services)
			if err := d.Decode(record(service), b); err != nil {
				t.Fatal(err)
			}
			batch := b.Batch()
			if got := dict.Values(batch.Set.Value(0), nil)[0]; got != service {
				t.Fatalf("round %d: got %q, want %q", round, got, service)
			}
			batch.Release()
		}
		dict.Reset()
	}
}
