package decode

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

var (
	jsonSource = flyball.Source{Format: "json", JSON: flyball.JSONMapping{
		Timestamp: "ts",
		Labels: map[string]string{"service.name": "resource.service.name", "http.route": "http.route",
			"code": "http.status", "ok": "ok"},
		Values: map[string]flyball.JSONValue{"duration": {Path: "took.ms", Unit: "ms"}, "bytes": {Path: "bytes"}},
	}}
	jsonProjection = ingest.Projection{
		Labels: []string{"service.name", "http.route", "code", "ok"},
		Values: []string{"duration", "bytes"},
	}
)

func TestJSONConformance(t *testing.T) {
	records := [][]byte{
		[]byte(`{"ts":"2026-03-01T12:34:56.000000001Z","resource":{"service.name":"cart"},"http":{"route":"/a\u00e9\n","status":200},"ok":true,"took":{"ms":1.5},"bytes":"12"}`),
		[]byte(` [ {"ts":1772368496,"http.route":"whole","http":{"route":"cut","status":2e2}}, {"ok":null,"bytes":null,"ts":1772368496.5,"x":[{"ts":1}]} ] `),
		[]byte("{\"ts\":1772368496001,\"bytes\":-1}\r\n\n{\"ts\":\"1772368496002\",\"resource.service\":{\"name\":\"x\"},\"took.ms\":0}\n"),
		[]byte(`[]`),
	}
	want := [][]sample{
		{{At: epoch + 1, Labels: []string{"cart", "/aé\n", "200", "true"}, Values: []float64{1_500_000, 12}}},
		{
			{At: epoch, Labels: []string{"", "whole", "200", ""}, Values: []float64{none, none}},
			{At: epoch + 500_000_000, Labels: []string{"", "", "", ""}, Values: []float64{none, none}},
		},
		{
			{At: epoch + 1_000_000, Labels: []string{"", "", "", ""}, Values: []float64{none, -1}},
			{At: epoch + 2_000_000, Labels: []string{"x", "", "", ""}, Values: []float64{0, none}},
		},
		nil,
	}
	checkDecoder(t, jsonSource, jsonProjection, records, want)
}

func TestJSONRejectsOneSampleOfMany(t *testing.T) {
	f := func(fields, reason, detail string) {
		t.Helper()
		record := `[{"ts":1},` + fields + `,{"ts":2}]`
		got, err := decodeOne(t, jsonSource, jsonProjection, []byte(record))
		r, ok := ingest.Rejected(err)
		if !ok || r.Samples != 1 || r.Reason != reason || !strings.Contains(r.Detail, detail) || !strings.Contains(r.Detail, "sample 1") || strings.Contains(r.Detail, "more") {
			t.Errorf("%s: got %v, want %s: %s", fields, err, reason, detail)
		}
		if len(got) != 2 {
			t.Errorf("%s: got %d rows, want the two good ones", fields, len(got))
		}
	}
	f(`{}`, ingest.ReasonNoTimestamp, "no event time")
	f(`{"ts":null}`, ingest.ReasonNoTimestamp, "no event time")
	f(`{"ts":true}`, ingest.ReasonNoTimestamp, "not of the form")
	f(`{"ts":"yesterday"}`, ingest.ReasonNoTimestamp, "not of the form")
	f(`{"ts":"1."}`, ingest.ReasonNoTimestamp, "not of the form")
	f(`{"ts":{}}`, ingest.ReasonNoTimestamp, "not of the form")
	f(`{"ts":1e300}`, ingest.ReasonNoTimestamp, "out of range")
	f(`{"ts":"2262-04-12T00:00:00Z"}`, ingest.ReasonNoTimestamp, "out of range")
	f(`{"ts":1,"http":{"status":[200]}}`, ingest.ReasonBadValue, `label "code" is an object or an array`)
	f(`{"ts":1,"http":{"status":{}}}`, ingest.ReasonBadValue, `label "code" is an object or an array`)
	f(`{"ts":1,"bytes":"NaN"}`, ingest.ReasonBadValue, `value "bytes" is not a finite number`)
	f(`{"ts":1,"bytes":"Infinity"}`, ingest.ReasonBadValue, `value "bytes" is not a finite number`)
	f(`{"ts":1,"bytes":1e999}`, ingest.ReasonBadValue, `value "bytes" is not a finite number`)
	f(`{"ts":1,"bytes":false}`, ingest.ReasonBadValue, `value "bytes" is not a finite number`)
	f(`{"ts":1,"bytes":[1]}`, ingest.ReasonBadValue, `value "bytes" is not a finite number`)
	f(`{"ts":1,"took":{"ms":1e305}}`, ingest.ReasonBadValue, `value "duration" is not a finite number`)
	f(`{"ts":1,"took":{"ms":-0.5}}`, ingest.ReasonBadValue, `duration "duration" is negative`)
	f("{\"ts\":1,\"ok\":\"\xff\"}", ingest.ReasonMalformed, `label "ok" is not valid UTF-8`)
	f(`7`, ingest.ReasonMalformed, "not a JSON object")
	f(`null`, ingest.ReasonMalformed, "not a JSON object")
	f(`[]`, ingest.ReasonMalformed, "not a JSON object")
}

func TestJSONRejectsRecordsThatAreNotJSON(t *testing.T) {
	f := func(record, detail string) {
		t.Helper()
		_, err := decodeOne(t, jsonSource, jsonProjection, []byte(record))
		r, ok := ingest.Rejected(err)
		if !ok || r.Samples != 0 || r.Reason != ingest.ReasonMalformed || !strings.Contains(r.Detail, detail) {
			t.Errorf("%q: got %v, want the record rejected: %s", record, err, detail)
		}
	}
	f("", "empty")
	f(" \n", "empty")
	f("7", "neither an object nor an array")
	f("{\"ts\":1}\n\"x\"", "neither an object nor an array")
	f("{\"ts\":1}\n{\"ts\":2", "not JSON")
	f(`{"ts":1}}`, "not JSON")
	f(`{"ts":1,}`, "not JSON")
	f(`[{"ts":1},]`, "not JSON")
	f(`{"ts":1,"x":01}`, "not JSON")
	f(`{"ts":1,"x":"`+"\x01"+`"}`, "not JSON")
	f(`{"ts":1,"x":'a'}`, "not JSON")
	f(`{"ts":1,"x":NaN}`, "not JSON")
	f(`{"ts":1} # comment`, "not JSON")
}

func TestJSONTriesEveryCutOfAPath(t *testing.T) {
	src := flyball.Source{Format: "json", JSON: flyball.JSONMapping{Timestamp: "t", Labels: map[string]string{"x": "a.b.c"}}}
	f := func(fields, want string) {
		t.Helper()
		got, err := decodeOne(t, src, ingest.Projection{Labels: []string{"x"}}, []byte(`{"t":1,`+fields+`}`))
		if err != nil || len(got) != 1 || got[0].Labels[0] != want {
			t.Errorf("%s: got %v, %v, want %q", fields, got, err, want)
		}
	}
	whole, ab, a, abc := `"a.b.c":1`, `"a.b":{"c":2}`, `"a":{"b.c":3}`, `"a":{"b":{"c":4}}`
	f(strings.Join([]string{abc, a, ab, whole}, ","), "1")
	f(strings.Join([]string{whole, ab, a, abc}, ","), "1")
	f(strings.Join([]string{abc, a, ab}, ","), "2")
	f(strings.Join([]string{ab, a, abc}, ","), "2")
	f(`"a":{"b":{"c":4},"b.c":3}`, "3")
	f(abc, "4")
	f(`"a.b.c":null,`+ab, "2")
	f(`"a.b.c":"","a.b":{"c":2}`, "")
	f(`"a":7,"a.b":[{"c":1}]`, "")
	f(`"a.b.c":1,"a.b.c":5`, "5")
	f(`"a\u002eb.c":6`, "6")
}

func TestJSONTriesEveryCutForTimesAndValues(t *testing.T) {
	src := flyball.Source{Format: "json", JSON: flyball.JSONMapping{Timestamp: "t.at", TimestampFormat: "unix_ns",
		Values: map[string]flyball.JSONValue{"v": {Path: "v.n"}}}}
	f := func(record string, at int64, v float64) {
		t.Helper()
		got, err := decodeOne(t, src, ingest.Projection{Values: []string{"v"}}, []byte(record))
		if diff := cmp.Diff([]sample{{At: at, Labels: nil, Values: []float64{v}}}, got, sameSamples); diff != "" || err != nil {
			t.Errorf("%s (−want +got):\n%s\n%v", record, diff, err)
		}
	}
	f(`{"t.at":1,"t":{"at":2},"v.n":3,"v":{"n":4}}`, 1, 3)
	f(`{"t":{"at":2},"t.at":1,"v":{"n":4},"v.n":3}`, 1, 3)
	f(`{"t":{"at":2},"t.at":null,"v":{"n":4},"v.n":null}`, 2, 4)
	f(`{"t":{"at":2,"at":5},"v":{"n":4,"n":6}}`, 5, 6)
	f(`{"t":{"at":[]},"t.at":1,"v":{"n":"x"},"v.n":""}`, 1, none)
}

func TestJSONLabelForms(t *testing.T) {
	src := flyball.Source{Format: "json", JSON: flyball.JSONMapping{Timestamp: "t", Labels: map[string]string{"x": "x"}}}
	f := func(value, want string) {
		t.Helper()
		got, err := decodeOne(t, src, ingest.Projection{Labels: []string{"x"}}, []byte(`{"t":1,"x":`+value+`}`))
		if err != nil || len(got) != 1 || got[0].Labels[0] != want {
			t.Errorf("%s: got %v, %v, want %q", value, got, err, want)
		}
	}
	f(`"a"`, "a")
	f(`""`, "")
	f(`null`, "")
	f(`true`, "true")
	f(`false`, "false")
	f(`200`, "200")
	f(`200.0`, "200")
	f(`2e2`, "200")
	f(`0.10`, "0.1")
	f(`-0.5E-9`, "-5e-10")
	f(`123456789012345678901234567890`, "123456789012345678901234567890")
	f(`1e999`, "1e999")
	f(`"\ud83d\ude00"`, "😀")
	f(`"\ud83d"`, "\uFFFD")
	f(`"\/\"\\\b\f\n\r\t"`, "/\"\\\b\f\n\r\t")
}

// TestTimestampsAreExact compares with arithmetic on rational numbers.
func TestTimestampsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]string{"unix_s", "unix_ms", "unix_us", "unix_ns"}).Draw(t, "unit")
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,22})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "number")
		r, err := rows.NewTimeReader(unit)
		if err != nil {
			t.Fatal(err)
		}
		exact, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("BUG: %q is not a number", text)
		}
		scale := map[string]int64{"unix_s": 1e9, "unix_ms": 1e6, "unix_us": 1e3, "unix_ns": 1}[unit]
		exact.Mul(exact, new(big.Rat).SetInt64(scale))
		want := new(big.Int).Quo(exact.Num(), exact.Denom())
		got, f := r.Read([]byte(text), rapid.Bool().Draw(t, "quoted"))
		inRange := want.CmpAbs(big.NewInt(math.MaxInt64)) <= 0
		if inRange != (f == rows.NoFault) || inRange && int64(got) != want.Int64() {
			t.Fatalf("%s %s: got %d (fault %d), want %s", text, unit, got, f, want)
		}
	})
}

func TestTimestampFormats(t *testing.T) {
	f := func(format, value string, want flyball.Time, fault rows.Fault) {
		t.Helper()
		r, err := rows.NewTimeReader(format)
		if err != nil {
			t.Fatal(err)
		}
		s, quoted := strings.CutPrefix(value, `"`)
		got, flt := r.Read([]byte(strings.TrimSuffix(s, `"`)), quoted)
		if flt != fault || fault == rows.NoFault && got != want {
			t.Errorf("%s %s: got %d (fault %d), want %d (fault %d)", format, value, got, flt, want, fault)
		}
	}
	at := flyball.Time(epoch)
	f("auto", `1772368496`, at, rows.NoFault)
	f("auto", `1772368496000`, at, rows.NoFault)
	f("auto", `1772368496000000`, at, rows.NoFault)
	f("auto", `99999999999999`, 0, rows.FaultTimeRange) // milliseconds, the year 5138 again
	f("auto", `100000000000000`, 1e17, rows.NoFault)
	f("auto", `99999999999999999`, 0, rows.FaultTimeRange) // microseconds
	f("auto", `100000000000000000`, 1e17, rows.NoFault)
	f("auto", `1772368496000000001`, at+1, rows.NoFault)
	f("auto", `1772368496.000000001`, at+1, rows.NoFault)
	f("auto", `1.772368496e9`, at, rows.NoFault)
	f("auto", `"1772368496"`, at, rows.NoFault)
	f("auto", `99999999999`, 0, rows.FaultTimeRange) // seconds: the year 5138
	f("auto", `100000000000`, 100000000000*1e6, rows.NoFault)
	f("auto", `"2026-03-01T12:34:56Z"`, at, rows.NoFault)
	f("auto", `"2026-03-01T13:34:56.5+01:00"`, at+5e8, rows.NoFault)
	f("auto", `0`, 0, rows.NoFault)
	f("auto", `-1`, -1e9, rows.NoFault)
	f("", `1772368496`, at, rows.NoFault)
	f("rfc3339", `1772368496`, 0, rows.FaultTimeForm)
	f("rfc3339", `"1772368496"`, 0, rows.FaultTimeForm)
	f("rfc3339", `"2026-03-01T12:34:56Z"`, at, rows.NoFault)
	f("rfc3339", `"1600-01-01T00:00:00Z"`, 0, rows.FaultTimeRange)
	f("unix_s", `"2026-03-01T12:34:56Z"`, 0, rows.FaultTimeForm)
	f("unix_ms", `1772368496000.25`, at+250_000, rows.NoFault)
	f("unix_s", `20000000000`, 0, rows.FaultTimeRange)
	f("unix_ns", `9223372036854775807`, math.MaxInt64, rows.NoFault)
	f("unix_ns", `9223372036854775808`, 0, rows.FaultTimeRange)
	f("unix_ns", `12345678901234567890123e-4`, 1234567890123456789, rows.NoFault)
	f("unix_ns", `1e-999999999999`, 0, rows.NoFault)
	f("unix_ns", `"1e"`, 0, rows.FaultTimeForm)
	f("unix_ns", `".5"`, 0, rows.FaultTimeForm)
	f("unix_ns", `"+5"`, 0, rows.FaultTimeForm)
	f(time.DateTime, `"2026-03-01 12:34:56"`, at, rows.NoFault)
	f("02/Jan/2006:15:04:05 -0700", `"01/Mar/2026:14:34:56 +0200"`, at, rows.NoFault)
	f(time.DateTime, `"2026-03-01"`, 0, rows.FaultTimeForm)
	f(time.DateTime, `1772368496`, 0, rows.FaultTimeForm)
}

// TestJSONAgreesWithEncodingJSON compares flat objects with the standard library.
func TestJSONAgreesWithEncodingJSON(t *testing.T) {
	src := flyball.Source{Format: "json", JSON: flyball.JSONMapping{Timestamp: "ts", TimestampFormat: "unix_ns",
		Labels: map[string]string{"x": "a.x"}, Values: map[string]flyball.JSONValue{"v": {Path: "v"}}}}
	p := ingest.Projection{Labels: []string{"x"}, Values: []string{"v"}}
	rapid.Check(t, func(t *rapid.T) {
		var lines []string
		var want []sample
		for range rapid.IntRange(1, 4).Draw(t, "samples") {
			at, x := rapid.Int64().Filter(func(n int64) bool { return n > math.MinInt64 }).Draw(t, "at"), rapid.String().Draw(t, "x")
			v := rapid.Float64().Filter(func(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }).Draw(t, "v")
			line, err := json.Marshal(map[string]any{"ts": at, "a": map[string]any{"x": x, "y": []any{1, "}", nil}}, "v": v, "": map[string]any{}})
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, string(line))
			want = append(want, sample{At: at, Labels: []string{strings.ToValidUTF8(x, "\uFFFD")}, Values: []float64{v}})
		}
		for _, record := range []string{strings.Join(lines, "\n"), "[" + strings.Join(lines, ", ") + "]"} {
			got, err := decodeOne(t, src, p, []byte(record))
			if diff := cmp.Diff(want, got, sameSamples); diff != "" || err != nil {
				t.Fatalf("%s (−want +got):\n%s\n%v", record, diff, err)
			}
		}
	})
}

func TestJSONSteadyStateDoesNotAllocate(t *testing.T) {
	b, d := newBuilder(jsonBenchProjection), newDecoder(t, jsonBenchSource, jsonBenchProjection)
	defer b.Release()
	var records [][]byte
	for i := range 100 {
		records = append(records, jsonEvent(i))
	}
	round := func() {
		for range 50 {
			for _, record := range records {
				if err := d.Decode(record, b); err != nil {
					t.Fatal(err)
				}
			}
		}
		b.Batch().Release()
	}
	round()
	if perSample := testing.AllocsPerRun(10, round) / 5000; perSample > 0.01 {
		t.Errorf("%.3f allocations per sample, want none", perSample)
	}
}

// jsonEvent is an access-log line of some 250 bytes.
func jsonEvent(i int) []byte {
	return fmt.Appendf(nil, `{"ts":"2026-03-01T12:34:%02d.%09dZ","service":"checkout","http":{"method":"POST",`+
		`"route":"/api/v1/cart/{id}/checkout","status_code":%d},"duration_ms":%d.%03d,"trace_id":"%032x",`+
		`"region":"eu-west-1","pod":"checkout-7d9","bytes":%d}`,
		i%60, i*7919%1_000_000_000, 200+100*(i%7/6*3), i%90, i*37%1000, i*0x9E3779B9, i*13%5000)
}

var (
	jsonBenchSource = flyball.Source{Format: "json", JSON: flyball.JSONMapping{Timestamp: "ts",
		Labels: map[string]string{"service.name": "service", "http.route": "http.route", "http.method": "http.method", "code": "http.status_code"},
		Values: map[string]flyball.JSONValue{"duration": {Path: "duration_ms", Unit: "ms"}}}}
	jsonBenchProjection = ingest.Projection{
		Labels: []string{"service.name", "http.route", "http.method", "code"}, Values: []string{"duration"}}
)
