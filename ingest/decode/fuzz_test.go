package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// decodeTwice decodes a record with a decoder that is reused and checks that the
// outcome is the same.
func decodeTwice(t *testing.T, src flyball.Source, p ingest.Projection, record []byte) ([]sample, error) {
	t.Helper()
	first, err := decodeOne(t, src, p, record)
	b, d := newBuilder(p), newDecoder(t, src, p)
	defer b.Release()
	for range 2 {
		again := d.Decode(record, b)
		if diff := cmp.Diff(first, take(b), sameSamples); diff != "" || fmt.Sprint(err) != fmt.Sprint(again) {
			t.Fatalf("a second time gives other rows, or %v instead of %v:\n%s", again, err, diff)
		}
	}
	return first, err
}

// FuzzOTLPSpans compares with the generated types wherever those accept the
// bytes. Where they reject them the decoder may still find rows, as it does not
// look at what it does not need. The one case in which it is stricter is values
// nested more than otlp.MaxNesting deep.
func FuzzOTLPSpans(f *testing.F) {
	for _, td := range spanRequests() {
		f.Add(marshal(f, td))
	}
	f.Add(marshal(f, shopRequest(3)))
	f.Add(oneSpan([]byte{0x0b, 0x0c, 0x41, 1, 0, 0, 0, 0, 0, 0, 0, 0xca, 0x00, 0x00}))
	f.Fuzz(func(t *testing.T, record []byte) {
		got, err := decodeTwice(t, otlpProto, oracleProjection, record)
		td := &trace.TracesData{}
		if proto.Unmarshal(record, td) != nil {
			return
		}
		compareOutcome(t, td, got, err)
	})
}

// FuzzOTLPSpansJSON compares with the Collector's pdata where both accept the
// record. pdata is laxer (it takes some text that is not JSON, and numbers as Go
// writes them), ends an object at an empty key, and merges what is given twice.
func FuzzOTLPSpansJSON(f *testing.F) {
	for _, td := range spanRequests() {
		f.Add(pdataJSON(f, td))
	}
	f.Add(pdataJSON(f, &trace.TracesData{ResourceSpans: shopRequest(2).GetResourceSpans()}))
	f.Add([]byte(`{"resource_spans":[{"scope_spans":[{"spans":[{"end_time_unix_nano":5,"kind":"SPAN_KIND_CLIENT","start_time_unix_nano":"1",` +
		`"attributes":[{"value":{"arrayValue":{"values":[{"kvlistValue":{"values":[{"key":"a","value":{"doubleValue":"NaN"}}]}}]}},"key":"host"}]}]}]}]}`))
	f.Fuzz(func(t *testing.T, record []byte) {
		got, err := decodeTwice(t, otlpJSON, oracleProjection, record)
		if !plainJSON(record) {
			return
		}
		traces, bad := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(record)
		if bad != nil {
			return
		}
		wire, bad := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
		if bad != nil {
			t.Fatal(bad)
		}
		td := &trace.TracesData{}
		if bad := proto.Unmarshal(wire, td); bad != nil {
			t.Fatal(bad)
		}
		if r, ok := ingest.Rejected(err); ok && r.Reason == ingest.ReasonMalformed {
			if want, _ := oracle(td, oracleProjection); len(got) > len(want) {
				t.Fatalf("%d rows, pdata has %d", len(got), len(want))
			}
			return
		}
		compareOutcome(t, td, got, err)
	})
}

// compareOutcome compares an outcome of oracleProjection with the oracle's.
func compareOutcome(t *testing.T, td *trace.TracesData, got []sample, err error) {
	t.Helper()
	want, rejected := oracle(td, oracleProjection)
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

// plainJSON reports whether a record is one valid object in UTF-8 without empty
// keys or keys given twice, on which readers of JSON differ.
func plainJSON(record []byte) bool {
	return utf8.Valid(record) && bytes.HasPrefix(bytes.TrimLeft(record, " \t\r\n"), []byte("{")) &&
		json.Valid(record) && plainKeys(json.NewDecoder(bytes.NewReader(record)))
}

// plainKeys reads one value.
func plainKeys(dec *json.Decoder) bool {
	token, err := dec.Token()
	if err != nil {
		return false
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return true
	}
	seen := map[string]bool{}
	for dec.More() {
		if delim == '{' {
			key, err := dec.Token()
			if name := fmt.Sprint(key); err != nil || name == "" || seen[name] {
				return false
			} else {
				seen[strings.ToLower(name)], seen[name] = true, true
			}
		}
		if !plainKeys(dec) {
			return false
		}
	}
	_, err = dec.Token()
	return err == nil
}

// FuzzJSON compares with encoding/json on records of valid UTF-8 without keys
// given twice.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"ts":"2026-03-01T12:34:56.000000001Z","resource":{"service.name":"cart"},"http":{"route":"/a\u00e9\n","status":200},"ok":true,"took":{"ms":1.5},"bytes":"12"}`))
	f.Add([]byte(`[{"ts":1772368496,"http.route":"whole","http":{"route":"cut","status":2e2}},{"ok":null,"bytes":null,"ts":1772368496.5,"x":[{"ts":1}]},7]`))
	f.Add([]byte("{\"ts\":1772368496001,\"bytes\":-1}\r\n\n{\"ts\":\"1772368496002\",\"resource.service\":{\"name\":\"x\"},\"took.ms\":0}\n"))
	f.Add(jsonEvent(1))
	f.Fuzz(func(t *testing.T, record []byte) {
		got, err := decodeTwice(t, jsonSource, jsonProjection, record)
		if hugeExponent.Match(record) {
			return
		}
		want, rejected, ok := jsonOracle(record)
		r, isRejection := ingest.Rejected(err)
		if !ok {
			if !isRejection || r.Samples != 0 {
				t.Fatalf("got %v, but encoding/json does not read the record", err)
			}
			return
		}
		if !utf8.Valid(record) || !plainStream(record) {
			return
		}
		if diff := cmp.Diff(want, got, sameSamples); diff != "" {
			t.Fatalf("(−want +got):\n%s\nerror: %v", diff, err)
		}
		if isRejection && r.Samples != rejected || !isRejection && rejected > 0 {
			t.Fatalf("got %v, want %d samples rejected", err, rejected)
		}
	})
}

// hugeExponent finds numbers that take the oracle forever.
var hugeExponent = regexp.MustCompile(`[eE][+-]?[0-9]{4}`)

func plainStream(record []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(record))
	for dec.More() {
		if !plainKeys(dec) {
			return false
		}
	}
	return true
}

// jsonOracle gives the rows of a record under jsonSource by means of
// encoding/json, or false when the record is to be rejected whole.
func jsonOracle(record []byte) (rows []sample, rejected int, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(record))
	dec.UseNumber()
	var events []any
	for n := 0; ; n++ {
		var tree any
		if err := dec.Decode(&tree); err == io.EOF && n > 0 {
			break
		} else if err != nil {
			return nil, 0, false
		}
		switch v := tree.(type) {
		case map[string]any:
			events = append(events, v)
		case []any:
			events = append(events, v...)
		default:
			return nil, 0, false
		}
	}
	for _, e := range events {
		if row, ok := jsonOracleRow(e); ok {
			rows = append(rows, row)
		} else {
			rejected++
		}
	}
	return rows, rejected, true
}

func jsonOracleRow(event any) (row sample, ok bool) {
	object, isObject := event.(map[string]any)
	if !isObject {
		return row, false
	}
	m := jsonSource.JSON
	if row.At, ok = jsonOracleTime(jsonOraclePath(object, m.Timestamp)); !ok {
		return row, false
	}
	for _, name := range jsonProjection.Labels {
		text := ""
		switch v := jsonOraclePath(object, m.Labels[name]).(type) {
		case nil:
		case string:
			text = v
		case bool:
			text = strconv.FormatBool(v)
		case json.Number:
			text = v.String()
			if f, err := v.Float64(); err == nil && strings.ContainsAny(text, ".eE") {
				text = string(rows.AppendDouble(nil, f))
			}
		default:
			return row, false
		}
		row.Labels = append(row.Labels, string(ingest.CutLabel([]byte(text))))
	}
	for _, name := range jsonProjection.Values {
		f, ok := jsonOracleNumber(jsonOraclePath(object, m.Values[name].Path))
		if m.Values[name].Unit == "ms" {
			f *= 1e6
			ok = ok && !(f < 0)
		}
		if !ok || math.IsInf(f, 0) {
			return row, false
		}
		row.Values = append(row.Values, f)
	}
	return row, true
}

// jsonOraclePath looks a path up, longer first keys first.
func jsonOraclePath(object map[string]any, path string) any {
	if v := object[path]; v != nil {
		return v
	}
	for at := strings.LastIndexByte(path, '.'); at > 0; at = strings.LastIndexByte(path[:at], '.') {
		if child, ok := object[path[:at]].(map[string]any); ok {
			if v := jsonOraclePath(child, path[at+1:]); v != nil {
				return v
			}
		}
	}
	return nil
}

func jsonOracleNumber(v any) (float64, bool) {
	text := ""
	switch v := v.(type) {
	case nil:
		return math.NaN(), true
	case json.Number:
		text = v.String()
	case string:
		if v == "" {
			return math.NaN(), true
		}
		text = v
	default:
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && !strings.ContainsAny(text, "xXpP_nN")
}

func jsonOracleTime(v any) (int64, bool) {
	text, isString := v.(string)
	if number, ok := v.(json.Number); ok {
		text = number.String()
	} else if !isString {
		return 0, false
	}
	if exact, ok := new(big.Rat).SetString(text); ok && json.Valid([]byte(text)) && text == strings.TrimSpace(text) {
		for scale, below := int64(1e9), int64(1e11); ; scale, below = scale/1000, below*1000 {
			if scale > 1 && new(big.Rat).Abs(exact).Cmp(new(big.Rat).SetInt64(below)) >= 0 {
				continue
			}
			exact.Mul(exact, new(big.Rat).SetInt64(scale))
			ns := new(big.Int).Quo(exact.Num(), exact.Denom())
			return ns.Int64(), ns.CmpAbs(big.NewInt(math.MaxInt64)) <= 0
		}
	}
	at, err := time.Parse(time.RFC3339, text)
	seconds := at.Unix()
	return at.UnixNano(), isString && err == nil && seconds < math.MaxInt64/int64(1e9) && seconds > -math.MaxInt64/int64(1e9)
}
