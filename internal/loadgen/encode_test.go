package loadgen

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball/internal/loadgen/shop"
	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// decoded is a span as an independent decoder sees it.
type decoded struct {
	TraceID, ID, Parent       string
	Name                      string
	Kind                      int
	Start, End                int64
	Error                     bool
	Resource, Attributes      map[string]any
	Events, Flags, Attributed int
}

// decodeAll decodes with the Collector's own library.
func decodeAll(t testing.TB, e shop.Encoding, records [][]byte) []decoded {
	t.Helper()
	var out []decoded
	for _, record := range records {
		var traces ptrace.Traces
		var err error
		if e == shop.OTLPJSON {
			traces, err = (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(record)
		} else {
			traces, err = (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(record)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, rs := range traces.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					out = append(out, fromPdata(rs.Resource().Attributes(), s))
				}
			}
		}
	}
	return out
}

func fromPdata(resource pcommon.Map, s ptrace.Span) decoded {
	return decoded{
		TraceID: s.TraceID().String(), ID: s.SpanID().String(), Parent: s.ParentSpanID().String(), Name: s.Name(), Kind: int(s.Kind()),
		Start: int64(s.StartTimestamp()), End: int64(s.EndTimestamp()), Error: s.Status().Code() == ptrace.StatusCodeError,
		Resource: resource.AsRaw(), Attributes: s.Attributes().AsRaw(), Events: s.Events().Len(), Flags: int(s.Flags()), Attributed: s.Attributes().Len(),
	}
}

// runToMemory is a short run with something of everything.
func runToMemory(t testing.TB, e shop.Encoding) (Result, [][]byte) {
	t.Helper()
	cfg := testConfig()
	cfg.Encoding = e
	cfg.Shop.SkewMax, cfg.Shop.LateShare, cfg.Shop.LateMax = 20*time.Millisecond, 0.02, 8*time.Second
	cfg.Shop.Canaries = []shop.Canary{{Service: "catalog", Version: "2.8.0", Share: 0.3}}
	cfg.Shop.Incidents = []shop.Incident{
		{Kind: shop.ErrorBurst, Service: "checkout", Start: 5 * time.Second, Duration: 5 * time.Second},
		{Kind: shop.SlowDependency, Service: "card-network", Start: 10 * time.Second, Duration: 5 * time.Second, Severity: 40},
	}
	runner, err := NewRunner(cfg)
	if err != nil {
		t.Fatal(err)
	}
	sink := &memorySink{partitions: 3}
	result, err := runner.Run(t.Context(), sink, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result, sink.records
}

// TestTruthIsWhatAnotherDecoderSees recomputes the ground truth from the bytes.
func TestTruthIsWhatAnotherDecoderSees(t *testing.T) {
	f := func(e shop.Encoding) {
		t.Helper()
		result, records := runToMemory(t, e)
		spans := decodeAll(t, e, records)
		want := map[TruthKey]Cell{}
		errors := int64(0)
		for _, s := range spans {
			key := TruthKey{
				Service: s.Resource["service.name"].(string), Version: s.Resource["service.version"].(string),
				Kind: shop.SpanKind(s.Kind).String(), Name: s.Name, Route: routeOf(t, s),
				Window: s.End / 1e10 * 1e10,
			}
			cell := want[key]
			cell.Count++
			cell.DurationNanos += uint64(s.End - s.Start)
			if s.Error {
				cell.Errors++
				errors++
			}
			want[key] = cell
		}
		if diff := cmp.Diff(want, result.Truth.Sum(nil)); diff != "" {
			t.Errorf("%s: truth differs (-decoded +counted):\n%s", e, diff)
		}
		if int64(len(spans)) != result.Spans || errors != result.Errors || int64(len(records)) != result.Records || result.Delayed == 0 {
			t.Errorf("%s: %d spans, %d errors, %d records decoded; counted %+v", e, len(spans), errors, len(records), result.Stats)
		}
		if len(result.Truth.Windows()) == 0 || len(result.Truth.Totals()) < 15 {
			t.Errorf("%s: only %d windows and %d totals", e, len(result.Truth.Windows()), len(result.Truth.Totals()))
		}
	}
	f(shop.OTLPProto)
	f(shop.OTLPJSON)
}

func routeOf(t testing.TB, s decoded) string {
	t.Helper()
	for _, key := range []string{"http.route", "url.template", "messaging.destination.name", "db.query.summary"} {
		if v, ok := s.Attributes[key].(string); ok {
			return v
		}
	}
	service, _ := s.Attributes["rpc.service"].(string)
	method, _ := s.Attributes["rpc.method"].(string)
	if service == "" || method == "" {
		t.Fatalf("span %q says no route: %v", s.Name, s.Attributes)
	}
	return service + "/" + method
}

func TestBothEncodingsSayTheSame(t *testing.T) {
	_, protos := runToMemory(t, shop.OTLPProto)
	_, jsons := runToMemory(t, shop.OTLPJSON)
	want, got := decodeAll(t, shop.OTLPProto, protos), decodeAll(t, shop.OTLPJSON, jsons)
	if len(want) != len(got) || len(want) == 0 {
		t.Fatalf("%d spans in protobuf, %d in JSON", len(want), len(got))
	}
	for i := range want {
		if !reflect.DeepEqual(want[i], got[i]) {
			t.Fatalf("span %d differs (-proto +json):\n%s", i, cmp.Diff(want[i], got[i]))
		}
	}
}

// TestBytesAreCanonical: the official library, which writes fields in order and lengths in their
// shortest form, gives back the very same bytes.
func TestBytesAreCanonical(t *testing.T) {
	_, records := runToMemory(t, shop.OTLPProto)
	for _, record := range records {
		var m tracepb.TracesData
		if err := proto.Unmarshal(record, &m); err != nil {
			t.Fatal(err)
		}
		if len(m.ProtoReflect().GetUnknown()) > 0 {
			t.Fatal("unknown fields")
		}
		again, err := proto.MarshalOptions{Deterministic: true}.Marshal(&m)
		if err != nil {
			t.Fatal(err)
		}
		if string(again) != string(record) {
			t.Fatalf("a record of %d bytes became one of %d", len(record), len(again))
		}
	}
}

// TestSpansLookReal checks what the semantic conventions ask for.
func TestSpansLookReal(t *testing.T) {
	_, records := runToMemory(t, shop.OTLPProto)
	spans := decodeAll(t, shop.OTLPProto, records)
	attributes, events, seen := 0, 0, map[string]int{}
	for _, s := range spans {
		attributes += s.Attributed
		events += s.Events
		if s.Attributed != len(s.Attributes) {
			t.Fatalf("%q repeats an attribute", s.Name)
		}
		for _, key := range []string{"service.name", "service.version", "service.instance.id", "k8s.pod.name", "deployment.environment.name", "telemetry.sdk.name", "telemetry.sdk.language", "telemetry.sdk.version"} {
			if v, _ := s.Resource[key].(string); v == "" {
				t.Fatalf("resource lacks %s: %v", key, s.Resource)
			}
		}
		_, hasType := s.Attributes["error.type"]
		if hasType != s.Error {
			t.Fatalf("%q: error is %v, attributes are %v", s.Name, s.Error, s.Attributes)
		}
		code, isHTTP := s.Attributes["http.response.status_code"].(int64)
		if isHTTP {
			seen[strconv.FormatInt(code, 10)]++
			limit := int64(500)
			if s.Kind == int(shop.KindClient) {
				limit = 400
			}
			if s.Error != (code >= limit) {
				t.Fatalf("%q of kind %d: code %d and error %v", s.Name, s.Kind, code, s.Error)
			}
		}
		if path, ok := s.Attributes["url.path"].(string); ok && strings.Contains(path, "{") {
			t.Fatalf("url.path %q is a template", path)
		}
		if path, ok := s.Attributes["url.path"].(string); ok && strings.HasPrefix(path, "/product/") {
			seen["/product/"]++
			if _, err := strconv.Atoi(strings.TrimPrefix(path, "/product/")); err != nil {
				t.Fatal(err)
			}
		}
		if _, ok := s.Attributes["rpc.grpc.status_code"]; ok {
			seen["rpc"]++
		}
	}
	if mean := float64(attributes) / float64(len(spans)); math.Abs(mean-8) > 1.5 {
		t.Errorf("%.1f attributes per span, want about 8", mean)
	}
	for _, want := range []string{"200", "201", "404", "500", "502", "504", "/product/", "rpc"} {
		if seen[want] == 0 {
			t.Errorf("no span with %s: %v", want, seen)
		}
	}
	if events == 0 {
		t.Error("no exception events")
	}
}
