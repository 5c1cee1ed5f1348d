package decode

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/otlp"
)

var (
	otlpProto = flyball.Source{Format: "otlp_spans"}
	otlpJSON  = flyball.Source{Format: "otlp_spans", Encoding: "json"}
)

// spanProjection and spanSamples are what the requests of spanRequests must give.
var spanProjection = ingest.Projection{
	Labels: []string{"service.name", "http.route", "span.kind", "status.code", "scope.name", "resource.host.name"},
	Values: []string{"duration", "http.request.body.size"},
}

func spanRequests() []*trace.TracesData {
	host := attr("host.name", &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: true}})
	return []*trace.TracesData{
		{ResourceSpans: []*trace.ResourceSpans{
			{
				Resource: resourceOf([]*common.KeyValue{str("service.name", "cart"), host}),
				ScopeSpans: []*trace.ScopeSpans{{
					Scope: &common.InstrumentationScope{Name: "http", Attributes: []*common.KeyValue{str("http.route", "/scope")}},
					Spans: []*trace.Span{
						{
							StartTimeUnixNano: epoch, EndTimeUnixNano: epoch + 1500, Kind: trace.Span_SPAN_KIND_SERVER,
							Attributes: []*common.KeyValue{
								str("http.route", "/cart"), str("http.route", "/second"), integer("http.request.body.size", 512),
								str("host.name", "span"), str("http.target", strings.Repeat("long ", 60)),
							},
						},
						{StartTimeUnixNano: epoch, EndTimeUnixNano: epoch, Status: &trace.Status{Code: trace.Status_STATUS_CODE_ERROR},
							Attributes: []*common.KeyValue{str("http.request.body.size", "1.5e3")}},
					},
				}},
			},
			{ScopeSpans: []*trace.ScopeSpans{{Spans: []*trace.Span{
				{StartTimeUnixNano: 1, EndTimeUnixNano: 5, Kind: 17, Attributes: []*common.KeyValue{str("service.name", "from the span")}},
			}}}},
		}},
		{},
		{ResourceSpans: []*trace.ResourceSpans{{ScopeSpans: []*trace.ScopeSpans{{Spans: []*trace.Span{
			{StartTimeUnixNano: 2, EndTimeUnixNano: 3, Status: &trace.Status{Code: trace.Status_STATUS_CODE_OK}},
		}}}}}},
	}
}

var spanSamples = [][]sample{
	{
		{At: epoch + 1500, Labels: []string{"cart", "/cart", "SERVER", "UNSET", "http", "true"}, Values: []float64{1500, 512}},
		{At: epoch, Labels: []string{"cart", "/scope", "UNSPECIFIED", "ERROR", "http", "true"}, Values: []float64{0, 1500}},
		{At: 5, Labels: []string{"from the span", "", "UNSPECIFIED", "UNSET", "", ""}, Values: []float64{4, none}},
	},
	nil,
	{{At: 3, Labels: []string{"", "", "UNSPECIFIED", "OK", "", ""}, Values: []float64{1, none}}},
}

func TestOTLPSpansConformance(t *testing.T) {
	var records [][]byte
	for _, td := range spanRequests() {
		records = append(records, marshal(t, td))
	}
	checkDecoder(t, otlpProto, spanProjection, records, spanSamples)
}

// oneSpan wraps the wire bytes of spans into a request.
func oneSpan(spans ...[]byte) []byte {
	var ss []byte
	for _, s := range spans {
		ss = protowire.AppendBytes(protowire.AppendTag(ss, 2, protowire.BytesType), s)
	}
	rs := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), ss)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), rs)
}

func TestOTLPSpansRejectsOneSpanOfMany(t *testing.T) {
	good := marshal(t, &trace.Span{StartTimeUnixNano: 1, EndTimeUnixNano: 2})
	f := func(name string, bad []byte, reason, detail string) {
		t.Helper()
		got, err := decodeOne(t, otlpProto, spanProjection, oneSpan(good, bad, good))
		r, ok := ingest.Rejected(err)
		if !ok || r.Samples != 1 || r.Reason != reason || !strings.Contains(r.Detail, detail) || !strings.Contains(r.Detail, "sample 1") {
			t.Errorf("%s: got %v, want one span rejected: %s: %s", name, err, reason, detail)
		}
		if len(got) != 2 {
			t.Errorf("%s: got %d rows, want the two good spans", name, len(got))
		}
	}
	times := trace.Span{StartTimeUnixNano: 1, EndTimeUnixNano: 2}
	with := func(attributes ...*common.KeyValue) []byte {
		s := &trace.Span{StartTimeUnixNano: times.StartTimeUnixNano, EndTimeUnixNano: times.EndTimeUnixNano, Attributes: attributes}
		return marshal(t, s)
	}
	double := func(v float64) *common.KeyValue {
		return attr("http.request.body.size", &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: v}})
	}
	f("no end", marshal(t, &trace.Span{StartTimeUnixNano: 1}), ingest.ReasonNoTimestamp, "no event time")
	f("no start", marshal(t, &trace.Span{EndTimeUnixNano: 1}), ingest.ReasonBadValue, "no start time")
	f("end after 2262", marshal(t, &trace.Span{StartTimeUnixNano: 1, EndTimeUnixNano: math.MaxInt64 + 1}), ingest.ReasonNoTimestamp, "out of range")
	f("backwards", marshal(t, &trace.Span{StartTimeUnixNano: 9, EndTimeUnixNano: 8}), ingest.ReasonBadValue, "ends before")
	f("value is a word", with(str("http.request.body.size", "big")), ingest.ReasonBadValue, `"http.request.body.size"`)
	f("value is hexadecimal", with(str("http.request.body.size", "0x10")), ingest.ReasonBadValue, "not a finite number")
	f("value is NaN", with(double(math.NaN())), ingest.ReasonBadValue, "not a finite number")
	f("value is infinite", with(double(math.Inf(-1))), ingest.ReasonBadValue, "not a finite number")
	route := func(value string) []byte {
		any := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), value)
		kv := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "http.route")
		kv = protowire.AppendBytes(protowire.AppendTag(kv, 2, protowire.BytesType), any)
		return protowire.AppendBytes(protowire.AppendTag(with(), 9, protowire.BytesType), kv)
	}
	f("label is not UTF-8", route("\xff"), ingest.ReasonMalformed, `"http.route" is not valid UTF-8`)
	f("attribute does not parse", append(with(), 9<<3|2, 2, 0x0a, 9), ingest.ReasonMalformed, "do not parse")
	f("span does not parse", append(with(), 0xff), ingest.ReasonMalformed, "do not parse")
	f("field number 0", append(with(), 0x02, 0x00), ingest.ReasonMalformed, "do not parse")
	f("group does not end", append(with(), 20<<3|3&0x7f, 0x01), ingest.ReasonMalformed, "do not parse")
}

func TestOTLPSpansFaultOfAResourceCostsItsSpans(t *testing.T) {
	span := marshal(t, &trace.Span{StartTimeUnixNano: 1, EndTimeUnixNano: 2})
	f := func(name string, resource ...byte) {
		t.Helper()
		inner := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), resource)
		good := oneSpan(span, span)
		inner = append(inner, good[2:]...) // without the tag and length of ResourceSpans
		broken := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), inner)
		got, err := decodeOne(t, otlpProto, spanProjection, append(oneSpan(span), append(broken, oneSpan(span)...)...))
		r, ok := ingest.Rejected(err)
		if !ok || r.Samples != 2 || r.Reason != ingest.ReasonMalformed || !strings.Contains(r.Detail, "1 more") {
			t.Errorf("%s: got %v, want two spans rejected", name, err)
		}
		if len(got) != 2 {
			t.Errorf("%s: got %d rows, want those of the other resources", name, len(got))
		}
	}
	f("an attribute does not parse", 1<<3|2, 1, 0xff)
	f("the resource does not parse", 1<<3|2, 9)
}

func TestOTLPSpansFaultOfAScopeCostsItsSpans(t *testing.T) {
	span := marshal(t, &trace.Span{StartTimeUnixNano: 1, EndTimeUnixNano: 2})
	scope := append([]byte{1<<3 | 2, 2, 1<<3 | 2, 9, 2<<3 | 2, byte(len(span))}, span...)
	rs := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), scope)
	broken := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), rs)
	got, err := decodeOne(t, otlpProto, spanProjection, append(oneSpan(span), broken...))
	if r, ok := ingest.Rejected(err); !ok || r.Samples != 1 || r.Reason != ingest.ReasonMalformed || len(got) != 1 {
		t.Errorf("got %d rows and %v, want one and one rejected", len(got), err)
	}
}

func TestOTLPSpansRejectsRecordsThatDoNotParse(t *testing.T) {
	good := oneSpan(marshal(t, &trace.Span{StartTimeUnixNano: 1, EndTimeUnixNano: 2}))
	f := func(name string, tail ...byte) {
		t.Helper()
		_, err := decodeOne(t, otlpProto, spanProjection, append(good[:len(good):len(good)], tail...))
		if r, ok := ingest.Rejected(err); !ok || r.Samples != 0 || r.Reason != ingest.ReasonMalformed {
			t.Errorf("%s: got %v, want the record rejected", name, err)
		}
	}
	f("request", 0x0a, 5)
	f("resource spans", 0x0a, 2, 0x12, 5)
	f("scope spans", 0x0a, 4, 0x12, 2, 0x12, 5)
	f("scope", 0x0a, 4, 0x12, 2, 0x0a, 5)
	f("unknown field", 0x78, 0xff)
}

func TestOTLPSpansRejectsTheFarFuture(t *testing.T) {
	for _, src := range []flyball.Source{otlpProto, otlpJSON} {
		b := newBuilder(spanProjection)
		b.SetLatest(10)
		record := oneSpan(marshal(t, &trace.Span{StartTimeUnixNano: 1, EndTimeUnixNano: 10}),
			marshal(t, &trace.Span{StartTimeUnixNano: 1, EndTimeUnixNano: 11}))
		if src.Encoding == "json" {
			record = []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"1","endTimeUnixNano":"10"},{"startTimeUnixNano":"1","endTimeUnixNano":"11"}]}]}]}`)
		}
		err := newDecoder(t, src, spanProjection).Decode(record, b)
		r, ok := ingest.Rejected(err)
		if !ok || r.Reason != ingest.ReasonTooFarAhead || r.Samples != 1 || b.Len() != 1 {
			t.Errorf("%s: got %v and %d rows", src.Encoding, err, b.Len())
		}
		b.Release()
	}
}

func TestOTLPSpansWithoutDurationNeedsNoStart(t *testing.T) {
	p := ingest.Projection{Labels: []string{"span.name"}}
	got, err := decodeOne(t, otlpProto, p, oneSpan(marshal(t, &trace.Span{Name: "x", StartTimeUnixNano: 9, EndTimeUnixNano: 2})))
	if diff := cmp.Diff([]sample{{At: 2, Labels: []string{"x"}, Values: nil}}, got, sameSamples); diff != "" || err != nil {
		t.Errorf("(−want +got):\n%s\n%v", diff, err)
	}
}

func TestOTLPSpansAttributeForms(t *testing.T) {
	f := func(v *common.AnyValue, want string) {
		t.Helper()
		s := &trace.Span{EndTimeUnixNano: 1, Attributes: []*common.KeyValue{attr("x", v)}}
		got, err := decodeOne(t, otlpProto, ingest.Projection{Labels: []string{"x"}}, oneSpan(marshal(t, s)))
		if err != nil || len(got) != 1 || got[0].Labels[0] != want {
			t.Errorf("%v: got %v, %v, want %q", v, got, err, want)
		}
	}
	double := func(v float64) *common.AnyValue {
		return &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: v}}
	}
	text := func(v string) *common.AnyValue {
		return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: v}}
	}
	f(nil, "")
	f(&common.AnyValue{Value: &common.AnyValue_BoolValue{}}, "false")
	f(&common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: math.MinInt64}}, "-9223372036854775808")
	f(double(200), "200")
	f(double(0.1), "0.1")
	f(double(1e21), "1e+21")
	f(double(-1.5e-7), "-1.5e-7")
	f(double(math.Inf(1)), "Infinity")
	f(&common.AnyValue{Value: &common.AnyValue_BytesValue{BytesValue: []byte{0, 0xff}}}, "AP8=")
	f(&common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{
		Values: []*common.AnyValue{text("<a>"), double(2), nil}}}}, `["<a>",2,null]`)
	f(&common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{
		Values: []*common.KeyValue{integer("b", 2), str("a", "é"), integer("b", 3)}}}}, `{"a":"é","b":3}`)
	deep := text("x")
	for range otlp.MaxNesting - 1 {
		deep = &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: []*common.AnyValue{deep}}}}
	}
	whole := strings.Repeat("[", otlp.MaxNesting-1) + `"x"` + strings.Repeat("]", otlp.MaxNesting-1)
	f(deep, string(ingest.CutLabel([]byte(whole))))
}

func TestOTLPSpansSteadyStateDoesNotAllocate(t *testing.T) {
	record := marshal(t, shopRequest(100))
	b, d := newBuilder(benchProjection), newDecoder(t, otlpProto, benchProjection)
	defer b.Release()
	round := func() {
		for range 50 {
			if err := d.Decode(record, b); err != nil {
				t.Fatal(err)
			}
		}
		b.Batch().Release()
	}
	round()
	if perSpan := testing.AllocsPerRun(10, round) / 5000; perSpan > 0.01 {
		t.Errorf("%.3f allocations per span, want none", perSpan)
	}
}

// TestPeers: what a client or producer calls is the first of the attributes that name
// it; nobody else has a peer.
func TestPeers(t *testing.T) {
	p := ingest.Projection{Labels: []string{"service.name", "peer", "span.peer"}}
	f := func(want string, kind trace.Span_SpanKind, attributes ...*common.KeyValue) {
		t.Helper()
		td := &trace.TracesData{ResourceSpans: []*trace.ResourceSpans{{
			Resource: resourceOf([]*common.KeyValue{str("service.name", "cart"), str("peer.service", "not this")}),
			ScopeSpans: []*trace.ScopeSpans{{Spans: []*trace.Span{
				{StartTimeUnixNano: 1, EndTimeUnixNano: 2, Kind: kind, Attributes: append(attributes, str("peer", "own"))}}}},
		}}}
		for src, record := range map[string][]byte{"proto": marshal(t, td), "json": pdataJSON(t, td)} {
			got, err := decodeOne(t, flyball.Source{Format: "otlp_spans", Encoding: src}, p, record)
			if err != nil || len(got) != 1 || got[0].Labels[1] != want || got[0].Labels[2] != "own" {
				t.Errorf("%s: got %v, %v, want %q", src, got, err, want)
			}
		}
	}
	f("payment", trace.Span_SPAN_KIND_CLIENT, str("server.address", "10.0.0.1"), str("peer.service", "payment"), str("db.system", "mysql"))
	f("10.0.0.1", trace.Span_SPAN_KIND_CLIENT, str("server.address", "10.0.0.1"), str("db.system", "mysql"))
	f("orders", trace.Span_SPAN_KIND_PRODUCER, str("messaging.destination.name", "orders"), str("server.address", "kafka"))
	f("", trace.Span_SPAN_KIND_CLIENT, str("http.route", "/"))
	f("", trace.Span_SPAN_KIND_SERVER, str("peer.service", "payment"))
	f("", trace.Span_SPAN_KIND_INTERNAL, str("db.name", "x"))
}
