package decode

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

// pdataJSON encodes a request as the Collector's Kafka exporter does.
func pdataJSON(t tester, td *trace.TracesData) []byte {
	t.Helper()
	traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(marshal(t, td))
	if err != nil {
		t.Fatal(err)
	}
	record, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func TestOTLPSpansJSONConformance(t *testing.T) {
	var records [][]byte
	for _, td := range spanRequests() {
		records = append(records, pdataJSON(t, td))
	}
	checkDecoder(t, otlpJSON, spanProjection, records, spanSamples)
}

func TestOTLPSpansJSONAgreesWithGeneratedTypes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		td := drawTraces(t)
		record := pdataJSON(t, td)
		compareWithOracle(t, otlpJSON, record, td)
		compareWithOracle(t, otlpJSON, scrambleJSON(t, record), td)
		official, err := protojson.MarshalOptions{UseProtoNames: rapid.Bool().Draw(t, "snake case"),
			UseEnumNumbers: rapid.Bool().Draw(t, "numbers")}.Marshal(td)
		if err != nil {
			t.Fatal(err)
		}
		compareWithOracle(t, otlpJSON, official, td)
	})
}

// scrambleJSON writes a document with the keys of objects in another order, keys
// that nobody knows, nulls, and 64-bit integers as numbers.
func scrambleJSON(t *rapid.T, record []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(record))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		t.Fatalf("BUG: pdata wrote %s: %v", record, err)
	}
	return appendScrambled(t, nil, "", tree)
}

func appendScrambled(t *rapid.T, dst []byte, key string, tree any) []byte {
	switch v := tree.(type) {
	case map[string]any:
		return appendScrambledObject(t, dst, v)
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, " ,\n"...)
			}
			dst = appendScrambled(t, dst, "", e)
		}
		return append(dst, ']')
	case string:
		if (key == "intValue" || strings.HasSuffix(key, "UnixNano")) && rapid.Bool().Draw(t, "number") {
			return append(dst, v...)
		}
	}
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return append(dst, text...)
}

func appendScrambledObject(t *rapid.T, dst []byte, v map[string]any) []byte {
	var keys []string
	for k := range v {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	dst = append(dst, '{')
	if rapid.IntRange(0, 3).Draw(t, "unknown") == 0 {
		dst = append(dst, `"unknown" : {"spans":[1,{"key":null}]}, "nullValue":null`...)
		if len(keys) > 0 {
			dst = append(dst, ',')
		}
	}
	for i, at := range rapid.Permutation(indexes(len(keys))).Draw(t, "order") {
		if i > 0 {
			dst = append(dst, ',')
		}
		name, err := json.Marshal(keys[at])
		if err != nil {
			t.Fatal(err)
		}
		dst = append(append(dst, name...), ':')
		dst = appendScrambled(t, dst, keys[at], v[keys[at]])
	}
	return append(dst, '}')
}

func TestOTLPSpansJSONRejectsOneSpanOfMany(t *testing.T) {
	good := `{"startTimeUnixNano":"1","endTimeUnixNano":"2"}`
	f := func(bad, reason, detail string) {
		t.Helper()
		record := `{"resourceSpans":[{"scopeSpans":[{"spans":[` + strings.Join([]string{good, bad, good}, ",") + `]}]}]}`
		got, err := decodeOne(t, otlpJSON, spanProjection, []byte(record))
		r, ok := ingest.Rejected(err)
		if !ok || r.Samples != 1 || r.Reason != reason || !strings.Contains(r.Detail, detail) || !strings.Contains(r.Detail, "sample 1") {
			t.Errorf("%s: got %v, want one span rejected: %s: %s", bad, err, reason, detail)
		}
		if len(got) != 2 {
			t.Errorf("%s: got %d rows, want the two good spans", bad, len(got))
		}
	}
	with := func(fields string) string { return strings.TrimSuffix(good, "}") + "," + fields + "}" }
	route := func(value string) string { return with(`"attributes":[{"key":"http.route","value":` + value + `}]`) }
	f(`7`, ingest.ReasonMalformed, "do not parse")
	f(`null`, ingest.ReasonNoTimestamp, "no event time")
	f(`{}`, ingest.ReasonNoTimestamp, "no event time")
	f(`{"startTimeUnixNano":null,"endTimeUnixNano":null}`, ingest.ReasonNoTimestamp, "no event time")
	f(`{"startTimeUnixNano":"3","endTimeUnixNano":2}`, ingest.ReasonBadValue, "ends before")
	f(`{"startTimeUnixNano":1,"endTimeUnixNano":2.5}`, ingest.ReasonMalformed, "do not parse")
	f(`{"startTimeUnixNano":1,"endTimeUnixNano":"soon"}`, ingest.ReasonMalformed, "do not parse")
	f(`{"startTimeUnixNano":1,"endTimeUnixNano":"18446744073709551616"}`, ingest.ReasonMalformed, "do not parse")
	f(`{"startTimeUnixNano":1,"endTimeUnixNano":"18446744073709551615"}`, ingest.ReasonNoTimestamp, "out of range")
	f(with(`"name":7`), ingest.ReasonMalformed, "do not parse")
	f(with(`"kind":"SPAN_KIND_SEVER"`), ingest.ReasonMalformed, "do not parse")
	f(with(`"kind":[]`), ingest.ReasonMalformed, "do not parse")
	f(with(`"status":"OK"`), ingest.ReasonMalformed, "do not parse")
	f(with(`"attributes":{}`), ingest.ReasonMalformed, "do not parse")
	f(with(`"attributes":[7]`), ingest.ReasonMalformed, "do not parse")
	f(with(`"attributes":[{"key":7}]`), ingest.ReasonMalformed, "do not parse")
	f(route(`"/cart"`), ingest.ReasonMalformed, "do not parse")
	f(route(`{"stringValue":7}`), ingest.ReasonMalformed, "do not parse")
	f(route(`{"boolValue":"true"}`), ingest.ReasonMalformed, "do not parse")
	f(route(`{"intValue":1.5}`), ingest.ReasonMalformed, "do not parse")
	f(route(`{"intValue":{}}`), ingest.ReasonMalformed, "do not parse")
	f(route(`{"doubleValue":"wide"}`), ingest.ReasonMalformed, "do not parse")
	f(route(`{"bytesValue":"%"}`), ingest.ReasonMalformed, "do not parse")
	f(route(`{"bytesValue":7}`), ingest.ReasonMalformed, "do not parse")
	f(route(`{"arrayValue":7}`), ingest.ReasonMalformed, "do not parse")
	f(route(`{"arrayValue":{"values":{}}}`), ingest.ReasonMalformed, "do not parse")
	f(route(`{"arrayValue":{"values":[7]}}`), ingest.ReasonMalformed, "do not parse")
	f(route(`{"kvlistValue":{"values":[{"key":7}]}}`), ingest.ReasonMalformed, "do not parse")
	f(route(`{"kvlistValue":{"values":[7]}}`), ingest.ReasonMalformed, "do not parse")
	f(route("{\"stringValue\":\"\xff\"}"), ingest.ReasonMalformed, `"http.route" is not valid UTF-8`)
	f(route("{\"arrayValue\":{\"values\":[{\"stringValue\":\"\xff\"}]}}"), ingest.ReasonMalformed, `"http.route" is not valid UTF-8`)
	f(with(`"attributes":[{"value":{"stringValue":7},"key":"http.route"}]`), ingest.ReasonMalformed, "do not parse")
}

func TestOTLPSpansJSONRejectsRecordsThatAreNotOTLP(t *testing.T) {
	f := func(record, detail string) {
		t.Helper()
		_, err := decodeOne(t, otlpJSON, spanProjection, []byte(record))
		r, ok := ingest.Rejected(err)
		if !ok || r.Samples != 0 || r.Reason != ingest.ReasonMalformed || !strings.Contains(r.Detail, detail) {
			t.Errorf("%q: got %v, want the record rejected: %s", record, err, detail)
		}
	}
	f(``, "not a JSON object")
	f(`[]`, "not a JSON object")
	f(`{}{}`, "more follows")
	f(`{`, "cannot read the JSON")
	f(`{"resourceSpans":{}}`, "not OTLP")
	f(`{"resourceSpans":[7]}`, "not OTLP")
	f(`{"resourceSpans":[{"scopeSpans":7}]}`, "not OTLP")
	f(`{"resourceSpans":[{"scopeSpans":[null,true]}]}`, "not OTLP")
	f(`{"resourceSpans":[{"scopeSpans":[{"spans":"none"}]}]}`, "not OTLP")
	f(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"endTimeUnixNano":1,"startTimeUnixNano":1}]}]}],}`, "cannot read the JSON")
}

func TestOTLPSpansJSONFaultOfAResourceCostsItsSpans(t *testing.T) {
	spans := `"scopeSpans":[{"spans":[{"startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]`
	for _, bad := range []string{`"resource":7`, `"resource":{"attributes":7}`,
		`"resource":{"attributes":[{"key":"service.name","value":{"boolValue":0}}]}`} {
		record := `{"resourceSpans":[{` + spans + `},{` + bad + `,` + spans + `},{` + spans + `,` + bad + `},{` + spans + `}]}`
		got, err := decodeOne(t, otlpJSON, spanProjection, []byte(record))
		if r, ok := ingest.Rejected(err); !ok || r.Samples != 2 || len(got) != 2 {
			t.Errorf("%s: got %d rows and %v, want 2 rows and 2 spans rejected", bad, len(got), err)
		}
	}
}

func TestOTLPSpansJSONSteadyStateDoesNotAllocate(t *testing.T) {
	request := &trace.TracesData{ResourceSpans: shopRequest(100).GetResourceSpans()}
	record := pdataJSON(t, request)
	b, d := newBuilder(benchProjection), newDecoder(t, otlpJSON, benchProjection)
	defer b.Release()
	round := func() {
		for range 10 {
			if err := d.Decode(record, b); err != nil {
				t.Fatal(err)
			}
		}
		b.Batch().Release()
	}
	round()
	if perSpan := testing.AllocsPerRun(10, round) / 1000; perSpan > 0.1 {
		t.Errorf("%.3f allocations per span, want none", perSpan)
	}
}

func TestBothOTLPEncodingsGiveTheSameRows(t *testing.T) {
	request := shopRequest(50)
	var fromProto, fromJSON []sample
	var err error
	if fromProto, err = decodeOne(t, otlpProto, oracleProjection, marshal(t, request)); err != nil {
		t.Fatal(err)
	}
	record := pdataJSON(t, &trace.TracesData{ResourceSpans: request.GetResourceSpans()})
	if fromJSON, err = decodeOne(t, flyball.Source{Format: "otlp_spans", Encoding: "json"}, oracleProjection, record); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fromProto, fromJSON, sameSamples); diff != "" || len(fromProto) != 50 {
		t.Errorf("%d spans (−proto +json):\n%s", len(fromProto), diff)
	}
	if !proto.Equal(request, shopRequest(50)) {
		t.Error("BUG: the test request is not deterministic")
	}
}
