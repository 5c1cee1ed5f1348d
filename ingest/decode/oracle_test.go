package decode

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

// oracleProjection has every kind of column.
var oracleProjection = ingest.Projection{
	Labels: []string{"service.name", "http.route", "span.name", "span.kind", "status.code", "scope.name",
		"scope.version", "resource.host", "span.host", "scope.host", "resource.resource.x"},
	Values: []string{"duration", "size", "span.duration", "resource.size"},
}

// oracle gives the rows of a request and how many of its spans are rejected, from
// the generated types and by the words of OTLPSpans' documentation.
func oracle(td *trace.TracesData, p ingest.Projection) (rows []sample, rejected int) {
	for _, rs := range td.GetResourceSpans() {
		for _, ss := range rs.GetScopeSpans() {
			for _, s := range ss.GetSpans() {
				if row, ok := oracleRow(rs, ss, s, p); ok {
					rows = append(rows, row)
				} else {
					rejected++
				}
			}
		}
	}
	return rows, rejected
}

func oracleRow(rs *trace.ResourceSpans, ss *trace.ScopeSpans, s *trace.Span, p ingest.Projection) (sample, bool) {
	start, end := s.GetStartTimeUnixNano(), s.GetEndTimeUnixNano()
	row, ok := sample{At: int64(end)}, end > 0 && end <= math.MaxInt64
	for _, name := range p.Labels {
		text := ""
		switch name {
		case "span.name":
			text = s.GetName()
		case "span.kind":
			text = strings.TrimPrefix(trace.Span_SpanKind_name[int32(s.GetKind())], "SPAN_KIND_")
			if text == "" {
				text = "UNSPECIFIED"
			}
		case "status.code":
			text = strings.TrimPrefix(trace.Status_StatusCode_name[int32(s.GetStatus().GetCode())], "STATUS_CODE_")
			if text == "" {
				text = "UNSET"
			}
		case "scope.name":
			text = ss.GetScope().GetName()
		case "scope.version":
			text = ss.GetScope().GetVersion()
		default:
			text = oracleAttribute(rs, ss, s, name).AsString()
		}
		row.Labels = append(row.Labels, string(ingest.CutLabel([]byte(text))))
	}
	for _, name := range p.Values {
		f, good := float64(end-start), start > 0 && end >= start
		if name != "duration" {
			f, good = oracleNumber(oracleAttribute(rs, ss, s, name))
		}
		row.Values = append(row.Values, f)
		ok = ok && good
	}
	return row, ok
}

func oracleAttribute(rs *trace.ResourceSpans, ss *trace.ScopeSpans, s *trace.Span, name string) pcommon.Value {
	return oracleLookup([][]*common.KeyValue{s.GetAttributes(), ss.GetScope().GetAttributes(), rs.GetResource().GetAttributes()}, "span.", name)
}

// oracleLookup finds an attribute in the lists of a sample, its scope and its resource.
func oracleLookup(lists [][]*common.KeyValue, prefix, name string) pcommon.Value {
	for _, list := range lists {
		if v, ok := oracleFind(list, name); ok {
			return v
		}
	}
	for i, prefix := range []string{prefix, "scope.", "resource."} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			v, _ := oracleFind(lists[i], rest)
			return v
		}
	}
	return pcommon.NewValueEmpty()
}

func oracleFind(list []*common.KeyValue, key string) (pcommon.Value, bool) {
	v := pcommon.NewValueEmpty()
	for _, kv := range list {
		if kv.GetKey() == key {
			oracleCopy(kv.GetValue(), v)
			return v, true
		}
	}
	return v, false
}

// oracleCopy copies a generated AnyValue into pdata's.
func oracleCopy(from *common.AnyValue, to pcommon.Value) {
	switch v := from.GetValue().(type) {
	case *common.AnyValue_StringValue:
		to.SetStr(v.StringValue)
	case *common.AnyValue_BoolValue:
		to.SetBool(v.BoolValue)
	case *common.AnyValue_IntValue:
		to.SetInt(v.IntValue)
	case *common.AnyValue_DoubleValue:
		to.SetDouble(v.DoubleValue)
	case *common.AnyValue_BytesValue:
		to.SetEmptyBytes().FromRaw(v.BytesValue)
	case *common.AnyValue_ArrayValue:
		slice := to.SetEmptySlice()
		for _, e := range v.ArrayValue.GetValues() {
			oracleCopy(e, slice.AppendEmpty())
		}
	case *common.AnyValue_KvlistValue:
		m := to.SetEmptyMap()
		for _, e := range v.KvlistValue.GetValues() {
			entry := pcommon.NewValueEmpty()
			oracleCopy(e.GetValue(), entry)
			entry.CopyTo(m.PutEmpty(e.GetKey())) // the last of a key counts
		}
	}
}

func oracleNumber(v pcommon.Value) (float64, bool) {
	f := math.NaN()
	switch v.Type() {
	case pcommon.ValueTypeEmpty:
		return f, true
	case pcommon.ValueTypeInt:
		f = float64(v.Int())
	case pcommon.ValueTypeDouble:
		f = v.Double()
	case pcommon.ValueTypeStr:
		if v.Str() == "" {
			return f, true
		}
		n, err := strconv.ParseFloat(v.Str(), 64)
		if err != nil || strings.ContainsAny(v.Str(), "xXpP_nN") {
			return f, false
		}
		f = n
	}
	return f, !math.IsNaN(f) && !math.IsInf(f, 0)
}

// compareWithOracle decodes a record and compares the outcome with the oracle's.
func compareWithOracle(t tester, src flyball.Source, record []byte, td *trace.TracesData) {
	t.Helper()
	want, rejected := oracle(td, oracleProjection)
	got, err := decodeOne(t, src, oracleProjection, record)
	if diff := cmp.Diff(want, got, sameSamples); diff != "" {
		t.Fatalf("(−want +got):\n%s\nerror: %v", diff, err)
	}
	samples := 0
	if r, ok := ingest.Rejected(err); ok {
		samples = r.Samples
	}
	if samples != rejected || err != nil && rejected == 0 {
		t.Fatalf("got %v, want %d spans rejected", err, rejected)
	}
}

func TestOTLPSpansAgreesWithGeneratedTypes(t *testing.T) {
	src := flyball.Source{Format: "otlp_spans"}
	rapid.Check(t, func(t *rapid.T) {
		td := drawTraces(t)
		record, err := proto.Marshal(td)
		if err != nil {
			t.Fatal(err)
		}
		scrambled := scramble(t, td.ProtoReflect().Descriptor(), record)
		back := &trace.TracesData{}
		if err := proto.Unmarshal(scrambled, back); err != nil {
			t.Fatalf("BUG: scrambled bytes are not a message: %v", err)
		}
		compareWithOracle(t, src, record, td)
		compareWithOracle(t, src, scrambled, back)
	})
}

// drawTraces makes requests with every kind of attribute at every level.
func drawTraces(t *rapid.T) *trace.TracesData {
	td := &trace.TracesData{}
	for range rapid.IntRange(0, 3).Draw(t, "resources") {
		rs := &trace.ResourceSpans{SchemaUrl: rapid.SampledFrom([]string{"", "https://x"}).Draw(t, "url")}
		if attributes := drawAttributes(t); rapid.Bool().Draw(t, "resource") {
			rs.Resource = resourceOf(attributes)
		}
		for range rapid.IntRange(0, 2).Draw(t, "scopes") {
			ss := &trace.ScopeSpans{}
			if attributes := drawAttributes(t); rapid.Bool().Draw(t, "scope") {
				ss.Scope = &common.InstrumentationScope{Name: drawText(t), Version: drawText(t), Attributes: attributes}
			}
			for range rapid.IntRange(0, 3).Draw(t, "spans") {
				ss.Spans = append(ss.Spans, drawSpan(t))
			}
			rs.ScopeSpans = append(rs.ScopeSpans, ss)
		}
		td.ResourceSpans = append(td.ResourceSpans, rs)
	}
	return td
}

func drawSpan(t *rapid.T) *trace.Span {
	times := rapid.SampledFrom([]uint64{0, 1, epoch, epoch + 1, epoch + 12_345_678, math.MaxInt64, math.MaxInt64 + 1})
	s := &trace.Span{
		TraceId: []byte("0123456789abcdef"), Name: drawText(t),
		Kind:              trace.Span_SpanKind(rapid.Int32Range(-1, 7).Draw(t, "kind")),
		StartTimeUnixNano: times.Draw(t, "start"), EndTimeUnixNano: times.Draw(t, "end"),
		Attributes: drawAttributes(t), Flags: 1,
		Events: []*trace.Span_Event{{Name: "e", Attributes: []*common.KeyValue{str("http.route", "not this")}}},
		Links:  []*trace.Span_Link{{TraceState: "x=y"}},
	}
	if rapid.Bool().Draw(t, "status") {
		s.Status = &trace.Status{Code: trace.Status_StatusCode(rapid.Int32Range(-1, 4).Draw(t, "code")), Message: "m"}
	}
	return s
}

func drawText(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "a", "checkout", "/api/{id}", "naïve ✓", strings.Repeat("long", 50),
		`quote " and \`, "<&>", "12.5", "-1e3", "1e400", "0x10", "NaN", " 7"}).Draw(t, "text")
}

func drawAttributes(t *rapid.T) []*common.KeyValue {
	keys := rapid.SampledFrom([]string{"service.name", "http.route", "host", "resource.host", "span.host", "size",
		"duration", "span.duration", "resource.size", "resource.x", "x", "", "other", "span.name", strings.Repeat("k", 200)})
	var out []*common.KeyValue
	for range rapid.IntRange(0, 5).Draw(t, "attributes") {
		kv := &common.KeyValue{Key: keys.Draw(t, "key"), Value: drawAny(t, 0)}
		if rapid.IntRange(0, 9).Draw(t, "no value") == 0 {
			kv.Value = nil
		}
		out = append(out, kv)
	}
	return out
}

func drawAny(t *rapid.T, depth int) *common.AnyValue {
	v := &common.AnyValue{}
	kinds := 8
	if depth > 2 {
		kinds = 6
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 1:
		v.Value = &common.AnyValue_BoolValue{BoolValue: rapid.Bool().Draw(t, "bool")}
	case 2:
		v.Value = &common.AnyValue_IntValue{IntValue: rapid.Int64().Draw(t, "int")}
	case 3:
		doubles := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, 200, 1e21, 1e-7, 0.1, math.NaN(), math.Inf(1), math.Inf(-1)}))
		v.Value = &common.AnyValue_DoubleValue{DoubleValue: doubles.Draw(t, "double")}
	case 4, 5:
		v.Value = &common.AnyValue_StringValue{StringValue: drawText(t)}
		if rapid.IntRange(0, 3).Draw(t, "bytes") == 0 {
			v.Value = &common.AnyValue_BytesValue{BytesValue: rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "bytes")}
		}
	case 6:
		list := &common.ArrayValue{}
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			list.Values = append(list.Values, drawAny(t, depth+1))
		}
		v.Value = &common.AnyValue_ArrayValue{ArrayValue: list}
	case 7:
		list := &common.KeyValueList{}
		for range rapid.IntRange(0, 3).Draw(t, "entries") {
			list.Values = append(list.Values, &common.KeyValue{Key: drawText(t), Value: drawAny(t, depth+1)})
		}
		v.Value = &common.AnyValue_KvlistValue{KvlistValue: list}
	}
	return v
}

// scramble rewrites a message the way another encoder might have: fields in
// another order, unknown fields and groups between them, lengths and tags longer
// than needed, scalars given twice, and single messages in two parts.
func scramble(t *rapid.T, md protoreflect.MessageDescriptor, b []byte) []byte {
	var fields [][]byte
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		value := b[n : n+protowire.ConsumeFieldValue(num, typ, b[n:])]
		b = b[n+len(value):]
		fd := md.Fields().ByNumber(num)
		if typ != protowire.BytesType {
			if rapid.IntRange(0, 5).Draw(t, "twice") == 0 && fd.ContainingOneof() == nil {
				other := bytes.Clone(value) // the same number with another low bit
				other[0] ^= 1
				fields = append(fields, append(padVarint(t, protowire.EncodeTag(num, typ)), other...))
			}
			fields = append(fields, append(padVarint(t, protowire.EncodeTag(num, typ)), value...))
			continue
		}
		content, _ := protowire.ConsumeBytes(value)
		parts := [][]byte{content}
		if fd.Message() != nil {
			content = scramble(t, fd.Message(), content)
			parts = [][]byte{content}
			if !fd.IsList() && rapid.IntRange(0, 3).Draw(t, "split") == 0 {
				at := rapid.SampledFrom(fieldStarts(content)).Draw(t, "at")
				parts = [][]byte{content[:at], content[at:]}
			}
		}
		for _, part := range parts {
			field := append(padVarint(t, protowire.EncodeTag(num, typ)), padVarint(t, uint64(len(part)))...)
			fields = append(fields, append(field, part...))
		}
	}
	return shuffle(t, fields)
}

// fieldStarts lists where a message may be cut in two.
func fieldStarts(b []byte) []int {
	starts := []int{0}
	for at := 0; at < len(b); {
		_, _, n := protowire.ConsumeField(b[at:])
		at += n
		starts = append(starts, at)
	}
	return starts
}

// padVarint encodes v with up to two bytes more than needed.
func padVarint(t *rapid.T, v uint64) []byte {
	b := protowire.AppendVarint(nil, v)
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "pad") {
		b[len(b)-1] |= 0x80
		b = append(b, 0)
	}
	return b
}

// shuffle joins fields in another order, unknown ones among them.
func shuffle(t *rapid.T, fields [][]byte) []byte {
	for range rapid.IntRange(0, 2).Draw(t, "unknown") {
		fields = append(fields, rapid.SampledFrom([][]byte{
			protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), math.MaxUint64),
			protowire.AppendBytes(protowire.AppendTag(nil, 1000, protowire.BytesType), []byte("\x0a\x03abc")),
			protowire.AppendFixed32(protowire.AppendTag(nil, 20, protowire.Fixed32Type), 1),
			protowire.AppendFixed64(protowire.AppendTag(nil, 536870911, protowire.Fixed64Type), 1),
			protowire.AppendTag(append(protowire.AppendTag(nil, 30, protowire.StartGroupType), 0x0b, 0x08, 0x01, 0x0c), 30, protowire.EndGroupType),
			// Known numbers of the wrong wire type are unknown fields.
			protowire.AppendFixed32(protowire.AppendTag(nil, 1, protowire.Fixed32Type), 7),
			protowire.AppendFixed32(protowire.AppendTag(nil, 2, protowire.Fixed32Type), 7),
			protowire.AppendFixed32(protowire.AppendTag(nil, 9, protowire.Fixed32Type), 7),
		}).Draw(t, "field"))
	}
	var out []byte
	for _, at := range rapid.Permutation(indexes(len(fields))).Draw(t, "order") {
		out = append(out, fields[at]...)
	}
	return out
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
