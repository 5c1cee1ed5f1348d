package decode

import (
	"math"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

var (
	logsProto = flyball.Source{Format: "otlp_logs"}
	logsJSON  = flyball.Source{Format: "otlp_logs", Encoding: "json"}
)

// logsProjection has every kind of column.
var logsProjection = ingest.Projection{
	Labels: []string{"severity", "severity.text", "event.name", "body", "body.user", "service.name", "http.route", "resource.host", "log.host", "scope.name"},
	Values: []string{"severity.number", "body.took", "size"},
}

// logsOracle gives the rows of a request and how many of its records are rejected, from
// the generated types and by the words of the decoder's documentation.
func logsOracle(ld *logs.LogsData) (rows []sample, rejected int) {
	for _, rl := range ld.GetResourceLogs() {
		for _, sl := range rl.GetScopeLogs() {
			for _, r := range sl.GetLogRecords() {
				lists := [][]*common.KeyValue{r.GetAttributes(), sl.GetScope().GetAttributes(), rl.GetResource().GetAttributes()}
				if row, ok := logsOracleRow(r, sl.GetScope().GetName(), lists); ok {
					rows = append(rows, row)
				} else {
					rejected++
				}
			}
		}
	}
	return rows, rejected
}

func logsOracleRow(r *logs.LogRecord, scope string, lists [][]*common.KeyValue) (sample, bool) {
	at := r.GetTimeUnixNano()
	if at == 0 {
		at = r.GetObservedTimeUnixNano()
	}
	body := pcommon.NewValueEmpty()
	oracleCopy(r.GetBody(), body)
	field := func(name string) pcommon.Value {
		if body.Type() == pcommon.ValueTypeMap {
			if v, ok := body.Map().Get(name); ok {
				return v
			}
		}
		return pcommon.NewValueEmpty()
	}
	fields := map[string]string{"severity": logsOracleSeverity(r), "severity.text": r.GetSeverityText(), "event.name": r.GetEventName(),
		"body": body.AsString(), "body.user": field("user").AsString(), "scope.name": scope}
	row, ok := sample{At: int64(at)}, at > 0 && at <= math.MaxInt64
	for _, name := range logsProjection.Labels {
		text, isField := fields[name]
		if !isField {
			text = oracleLookup(lists, "log.", name).AsString()
		}
		row.Labels = append(row.Labels, text)
	}
	number := math.NaN()
	if n := r.GetSeverityNumber(); n != 0 {
		number = float64(n)
	}
	took, good := oracleNumber(field("took"))
	size, fine := oracleNumber(oracleLookup(lists, "log.", "size"))
	row.Values = []float64{number, took, size}
	return row, ok && good && fine
}

func logsOracleSeverity(r *logs.LogRecord) string {
	if name, ok := logs.SeverityNumber_name[int32(r.GetSeverityNumber())]; ok && r.GetSeverityNumber() > 0 {
		return strings.TrimRight(strings.TrimPrefix(name, "SEVERITY_NUMBER_"), "234")
	}
	for text, name := range map[string]string{"error": "ERROR", "Warning": "WARN", "crit": "FATAL", "INFORMATION": "INFO"} {
		if r.GetSeverityText() == text {
			return name
		}
	}
	return ""
}

func drawLogs(t *rapid.T) *logs.LogsData {
	ld := &logs.LogsData{}
	for range rapid.IntRange(0, 2).Draw(t, "resources") {
		rl := &logs.ResourceLogs{}
		if attributes := drawAttributes(t); rapid.Bool().Draw(t, "resource") {
			rl.Resource = resourceOf(attributes)
		}
		for range rapid.IntRange(0, 2).Draw(t, "scopes") {
			sl := &logs.ScopeLogs{}
			if attributes := drawAttributes(t); rapid.Bool().Draw(t, "scope") {
				sl.Scope = &common.InstrumentationScope{Name: drawText(t), Attributes: attributes}
			}
			for range rapid.IntRange(0, 4).Draw(t, "records") {
				sl.LogRecords = append(sl.LogRecords, drawLog(t))
			}
			rl.ScopeLogs = append(rl.ScopeLogs, sl)
		}
		ld.ResourceLogs = append(ld.ResourceLogs, rl)
	}
	return ld
}

func drawLog(t *rapid.T) *logs.LogRecord {
	r := &logs.LogRecord{TimeUnixNano: drawTime(t), ObservedTimeUnixNano: drawTime(t), Attributes: drawAttributes(t), EventName: drawText(t),
		SeverityNumber: logs.SeverityNumber(rapid.Int32Range(-1, 26).Draw(t, "severity")), Flags: 1, TraceId: []byte("0123456789abcdef"),
		SeverityText: rapid.SampledFrom([]string{"", "error", "Warning", "crit", "INFORMATION", "INFORMATIONS", "loud"}).Draw(t, "text")}
	switch rapid.IntRange(0, 3).Draw(t, "body") {
	case 1:
		r.Body = drawAny(t, 0)
	case 2, 3:
		list := &common.KeyValueList{}
		for range rapid.IntRange(0, 3).Draw(t, "entries") {
			list.Values = append(list.Values, &common.KeyValue{Key: rapid.SampledFrom([]string{"user", "took", "other"}).Draw(t, "key"), Value: drawAny(t, 1)})
		}
		r.Body = &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: list}}
	}
	return r
}

func compareLogs(t tester, src flyball.Source, record []byte, ld *logs.LogsData) {
	t.Helper()
	got, err := decodeOne(t, src, logsProjection, record)
	rows, rejected := logsOracle(ld)
	compareWithMetrics(t, &metricsOracle{rows: rows, rejected: rejected}, got, err)
}

func TestOTLPLogsAgreesWithGeneratedTypes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ld := drawLogs(t)
		record, err := proto.Marshal(ld)
		if err != nil {
			t.Fatal(err)
		}
		scrambled := scramble(t, ld.ProtoReflect().Descriptor(), record)
		back := &logs.LogsData{}
		if err := proto.Unmarshal(scrambled, back); err != nil {
			t.Fatalf("BUG: scrambled bytes are not a message: %v", err)
		}
		compareLogs(t, logsProto, record, ld)
		compareLogs(t, logsProto, scrambled, back)
	})
}

// pdataLogs encodes a request in JSON as the Collector's Kafka exporter does.
func pdataLogs(t tester, ld *logs.LogsData) []byte {
	t.Helper()
	all, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(marshal(t, ld))
	if err != nil {
		t.Fatal(err)
	}
	record, err := (&plog.JSONMarshaler{}).MarshalLogs(all)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func TestOTLPLogsJSONAgreesWithGeneratedTypes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ld := drawLogs(t)
		record := pdataLogs(t, ld)
		compareLogs(t, logsJSON, record, ld)
		compareLogs(t, logsJSON, scrambleJSON(t, record), ld)
		official, err := protojson.MarshalOptions{UseProtoNames: rapid.Bool().Draw(t, "snake case"),
			UseEnumNumbers: rapid.Bool().Draw(t, "numbers")}.Marshal(ld)
		if err != nil {
			t.Fatal(err)
		}
		compareLogs(t, logsJSON, official, ld)
	})
}

func shopLogs() *logs.LogsData {
	text := func(s string) *common.AnyValue {
		return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: s}}
	}
	body := &common.AnyValue{Value: &common.AnyValue_KvlistValue{KvlistValue: &common.KeyValueList{Values: []*common.KeyValue{str("user", "u1"), integer("took", 12)}}}}
	return &logs.LogsData{ResourceLogs: []*logs.ResourceLogs{{
		Resource: resourceOf([]*common.KeyValue{str("service.name", "cart")}),
		ScopeLogs: []*logs.ScopeLogs{{LogRecords: []*logs.LogRecord{
			{TimeUnixNano: epoch, SeverityNumber: 18, Body: text("cannot connect"), Attributes: []*common.KeyValue{str("http.route", "/a"), str("other", "x")}},
			{ObservedTimeUnixNano: epoch + 1, SeverityText: "warning", Body: body, EventName: "checkout"},
		}}},
	}}}
}

var shopLogsProjection = ingest.Projection{Labels: []string{"service.name", "severity", "event.name", "http.route", "body", "body.user"}, Values: []string{"body.took"}}

var shopLogSamples = []sample{
	{At: epoch, Labels: []string{"cart", "ERROR", "", "/a", "cannot connect", ""}, Values: []float64{none}},
	{At: epoch + 1, Labels: []string{"cart", "WARN", "checkout", "", `{"took":12,"user":"u1"}`, "u1"}, Values: []float64{12}},
}

func TestOTLPLogsConformance(t *testing.T) {
	checkDecoder(t, logsProto, shopLogsProjection, [][]byte{marshal(t, shopLogs()), {}}, [][]sample{shopLogSamples, nil})
}

func TestOTLPLogsJSONConformance(t *testing.T) {
	checkDecoder(t, logsJSON, shopLogsProjection, [][]byte{pdataLogs(t, shopLogs()), []byte("{}")}, [][]sample{shopLogSamples, nil})
}

func TestOTLPLogsAllocateNothing(t *testing.T) {
	p := ingest.Projection{Labels: []string{"service.name", "severity", "http.route"}}
	record := marshal(t, shopLogs())
	b, d := newBuilder(p), newDecoder(t, logsProto, p)
	defer b.Release()
	run := func() {
		for range 50 {
			if err := d.Decode(record, b); err != nil {
				t.Fatal(err)
			}
		}
		b.Batch().Release()
	}
	run()
	if n := testing.AllocsPerRun(20, run) / 100; n > 0.2 { // a batch has its arrays
		t.Errorf("a log record allocates %v times", n)
	}
}

// FuzzOTLPLogs compares with the generated types as FuzzOTLPSpans does.
func FuzzOTLPLogs(f *testing.F) {
	f.Add(marshal(f, shopLogs()))
	f.Fuzz(func(t *testing.T, record []byte) {
		got, err := decodeTwice(t, logsProto, logsProjection, record)
		ld := &logs.LogsData{}
		if proto.Unmarshal(record, ld) != nil || !knownTexts(ld) {
			return
		}
		rows, rejected := logsOracle(ld)
		compareWithMetrics(t, &metricsOracle{rows: rows, rejected: rejected}, got, err)
	})
}

// knownTexts reports whether the oracle knows the severities.
func knownTexts(ld *logs.LogsData) bool {
	for _, rl := range ld.GetResourceLogs() {
		for _, sl := range rl.GetScopeLogs() {
			for _, r := range sl.GetLogRecords() {
				if !slices.Contains([]string{"", "error", "Warning", "crit", "INFORMATION"}, r.GetSeverityText()) {
					return false
				}
			}
		}
	}
	return true
}

// FuzzOTLPLogsJSON compares with the Collector's pdata as FuzzOTLPSpansJSON does.
func FuzzOTLPLogsJSON(f *testing.F) {
	f.Add(pdataLogs(f, shopLogs()))
	f.Fuzz(func(t *testing.T, record []byte) {
		got, err := decodeTwice(t, logsJSON, logsProjection, record)
		if !plainJSON(record) {
			return
		}
		all, bad := (&plog.JSONUnmarshaler{}).UnmarshalLogs(record)
		if bad != nil {
			return
		}
		wire, bad := (&plog.ProtoMarshaler{}).MarshalLogs(all)
		if bad != nil {
			t.Fatal(bad)
		}
		ld := &logs.LogsData{}
		if bad := proto.Unmarshal(wire, ld); bad != nil {
			t.Fatal(bad)
		}
		rows, rejected := logsOracle(ld)
		if r, ok := ingest.Rejected(err); ok && (r.Reason == ingest.ReasonMalformed || len(got) < len(rows)) {
			if len(got) > len(rows) {
				t.Fatalf("%d rows, pdata has %d", len(got), len(rows))
			}
			return
		}
		if knownTexts(ld) {
			compareWithMetrics(t, &metricsOracle{rows: rows, rejected: rejected}, got, err)
		}
	})
}
