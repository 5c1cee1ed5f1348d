package decode

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

const (
	avroSchema = `{"type":"record","name":"Order","namespace":"shop","fields":[
 {"name":"skip","type":{"type":"array","items":["null","string",{"type":"record","name":"Line","fields":[{"name":"next","type":["null","Line"]},{"name":"n","type":"long"}]}]}},
 {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
 {"name":"app","type":["null","string"]},
 {"name":"status","type":{"type":"enum","name":"Status","symbols":["OK","FAILED"]}},
 {"name":"tags","type":{"type":"map","values":["null","string","boolean"]}},
 {"name":"took","type":["double","float","int"]},
 {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
 {"name":"inner","type":{"type":"record","name":"Inner","fields":[{"name":"id","type":{"type":"fixed","name":"Id","size":4}}]}}]}`
	protoSchema = `syntax = "proto3"; package shop;
import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto"; import "google/protobuf/wrappers.proto"; import "common.proto";
message Other { int32 x = 1; }
message Order {
 message Inner { string id = 1; bytes raw = 2; sint32 below = 3; fixed32 f = 4; }
 enum Status { OK = 0; FAILED = 1; }
 google.protobuf.Timestamp at = 1; string app_name = 2; Status status = 3; map<string, string> tags = 4; google.protobuf.Duration took = 5;
 google.protobuf.DoubleValue price = 6; Inner inner = 7; repeated int32 list = 8; oneof which { uint64 big = 9; float small = 10; } Common common = 11; bool ok = 12;
}`
)

var avroMapping = flyball.JSONMapping{Timestamp: "at",
	Labels: map[string]string{"app": "app", "status": "status", "zone": "tags.zone", "id": "inner.id"},
	Values: map[string]flyball.JSONValue{"took": {Path: "took", Unit: "ms"}, "price": {Path: "price"}}}

var avroProjection = ingest.Projection{Labels: []string{"app", "status", "zone", "id"}, Values: []string{"took", "price"}}

// registry starts a Schema Registry with the schemas of the tests.
func registry(t testing.TB) *srfake.Registry {
	r := srfake.New()
	t.Cleanup(r.Close)
	r.SeedSchema("orders-value", 1, 1, sr.Schema{Schema: avroSchema, Type: sr.TypeAvro})
	r.SeedSchema("common", 1, 2, sr.Schema{Schema: `syntax = "proto3"; message Common { string zone = 1; }`, Type: sr.TypeProtobuf})
	r.SeedSchema("shipments-value", 1, 3, sr.Schema{Schema: protoSchema, Type: sr.TypeProtobuf,
		References: []sr.SchemaReference{{Name: "common.proto", Subject: "common", Version: 1}}})
	r.SeedSchema("visits-value", 1, 4, sr.Schema{Schema: `{"type":"object"}`, Type: sr.TypeJSON})
	r.SeedSchema("broken-value", 1, 5, sr.Schema{Schema: `syntax = "proto3"; import "nowhere.proto";`, Type: sr.TypeProtobuf})
	r.SeedSchema("scalar-value", 1, 6, sr.Schema{Schema: `"string"`, Type: sr.TypeAvro})
	return r
}

func confluentSource(r *srfake.Registry, m flyball.JSONMapping) flyball.Source {
	return flyball.Source{Format: "confluent", JSON: m, Registry: flyball.SchemaRegistry{URL: r.URL()}}
}

// framed puts the id of a schema before a message.
func framed(id uint32, message []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, id), message...)
}

func avroOrder(t testing.TB, change map[string]any) []byte {
	order := map[string]any{"skip": []any{"x", nil, map[string]any{"next": map[string]any{"next": nil, "n": int64(1)}, "n": int64(2)}},
		"at": int64(epochMillis), "app": "cart", "status": "FAILED", "tags": map[string]any{"a": "b", "zone": "eu", "z": true}, "took": 1.5,
		"price": []byte{0xff, 0x38}, "inner": map[string]any{"id": []byte("abcd")}}
	for key, v := range change {
		order[key] = v
	}
	schema := avro.MustParse(strings.Replace(avroSchema, `,"logicalType":"decimal","precision":9,"scale":2`, "", 1))
	message, err := schema.Encode(order)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func TestConfluentAvro(t *testing.T) {
	src := confluentSource(registry(t), avroMapping)
	records := [][]byte{framed(1, avroOrder(t, nil)), framed(1, avroOrder(t, map[string]any{"app": nil, "tags": map[string]any{}, "took": int32(3)}))}
	want := [][]sample{
		{{At: epoch, Labels: []string{"cart", "FAILED", "eu", "abcd"}, Values: []float64{1.5e6, -2}}},
		{{At: epoch, Labels: []string{"", "FAILED", "", "abcd"}, Values: []float64{3e6, -2}}},
	}
	checkReuse(t, src, avroProjection, records, want)
	checkNotKept(t, src, avroProjection, records, want)
	for _, record := range records { // cut anywhere it is no record
		d, b := newDecoder(t, src, avroProjection), newBuilder(avroProjection)
		for n := range record {
			if err := d.Decode(record[:n:n], b); err == nil || b.Len() > 0 {
				t.Fatalf("cut at %d it gives %d rows, %v", n, b.Len(), err)
			}
		}
		b.Release()
	}
}

var protoMapping = flyball.JSONMapping{Timestamp: "at",
	Labels: map[string]string{"app": "appName", "status": "status", "zone": "tags.zone", "id": "inner.id", "common": "common.zone", "ok": "ok"},
	Values: map[string]flyball.JSONValue{"took": {Path: "took", Unit: "s"}, "price": {Path: "price"}, "big": {Path: "big"}, "below": {Path: "inner.below"}}}

var protoProjection = ingest.Projection{Labels: []string{"app", "status", "zone", "id", "common", "ok"}, Values: []string{"took", "price", "big", "below"}}

func orderType(t testing.TB) protoreflect.MessageDescriptor {
	file, err := compileProto(context.Background(), protoSchema, map[string]string{"common.proto": `syntax = "proto3"; message Common { string zone = 1; }`})
	if err != nil {
		t.Fatal(err)
	}
	return file.Messages().ByName("Order")
}

func protoOrder(t testing.TB, text string) []byte {
	m := dynamicpb.NewMessage(orderType(t))
	if err := protojson.Unmarshal([]byte(text), m); err != nil {
		t.Fatal(err)
	}
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const fullOrder = `{"at":"2026-03-01T12:34:56.000000007Z","appName":"cart","status":"FAILED","tags":{"a":"b","zone":"eu"},"took":"1.5s","price":2.25,
 "inner":{"id":"i","below":-3},"list":[1,2],"big":"18446744073709551615","common":{"zone":"c"},"ok":true}`

func TestConfluentProtobuf(t *testing.T) {
	src := confluentSource(registry(t), protoMapping)
	second := []byte{2, 2} // one index, the second message
	records := [][]byte{
		framed(3, append(second, protoOrder(t, fullOrder)...)),
		framed(3, append(second, protoOrder(t, `{"at":"2026-03-01T12:34:56Z","inner":{}}`)...)),
	}
	want := [][]sample{
		{{At: epoch + 7, Labels: []string{"cart", "FAILED", "eu", "i", "c", "true"}, Values: []float64{1.5e9, 2.25, math.MaxUint64, -3}}},
		{{At: epoch, Labels: []string{"", "OK", "", "", "", "false"}, Values: []float64{none, none, none, 0}}},
	}
	checkReuse(t, src, protoProjection, records, want)
	checkNotKept(t, src, protoProjection, records, want)
	// The first message is written as a single 0; it has no time.
	_, err := decodeOne(t, src, protoProjection, framed(3, []byte{0, 8, 1}))
	if r, ok := ingest.Rejected(err); !ok || r.Reason != ingest.ReasonNoTimestamp {
		t.Errorf("got %v", err)
	}
}

func TestConfluentJSON(t *testing.T) {
	src := confluentSource(registry(t), avroMapping)
	got, err := decodeOne(t, src, avroProjection, framed(4, []byte(`{"at":1772368496,"app":"cart","took":2}`)))
	want := []sample{{At: epoch, Labels: []string{"cart", "", "", ""}, Values: []float64{2e6, none}}}
	if diff := cmp.Diff(want, got, sameSamples); diff != "" || err != nil {
		t.Errorf("%v (−want +got):\n%s", err, diff)
	}
}

func TestConfluentRejects(t *testing.T) {
	r := registry(t)
	f := func(record []byte, reason, want string) {
		t.Helper()
		got, err := decodeOne(t, confluentSource(r, avroMapping), avroProjection, record)
		if rej, ok := ingest.Rejected(err); !ok || rej.Reason != reason || !strings.Contains(err.Error(), want) || len(got) > 0 {
			t.Errorf("%.20q: got %v, want %s, %s", record, err, reason, want)
		}
	}
	f(nil, ingest.ReasonMalformed, "id of a schema")
	f([]byte(`{"at":1}`), ingest.ReasonMalformed, "id of a schema")
	f(framed(99, nil), ingest.ReasonNoSchema, "schema 99")
	f(framed(5, nil), ingest.ReasonNoSchema, "nowhere.proto")
	f(framed(6, nil), ingest.ReasonNoSchema, "want a record")
	f(framed(3, []byte{2, 8}), ingest.ReasonNoSchema, "not so many")
	f(framed(3, nil), ingest.ReasonMalformed, "indexes")
	f(framed(1, append(avroOrder(t, nil), 0)), ingest.ReasonMalformed, "not what its schema says")
	f(framed(1, avroOrder(t, map[string]any{"took": -1.0})), ingest.ReasonBadValue, `duration "took" is negative`)
	f(framed(4, []byte(`{`)), ingest.ReasonMalformed, "")
	// A union of nulls in an array that claims to be endless.
	endless := binary.AppendVarint(nil, math.MaxInt64)
	f(framed(1, append(endless, make([]byte, 100)...)), ingest.ReasonMalformed, "not what its schema says")
}

// TestRegistryThatIsDown: what is known is read as ever, what is not costs its record,
// without waiting again and again, until the registry answers.
func TestRegistryThatIsDown(t *testing.T) {
	r := registry(t)
	src := confluentSource(r, avroMapping)
	d := newDecoder(t, src, avroProjection).(*Confluent)
	now := time.Unix(0, 0)
	d.now = func() time.Time { return now }
	asked, up := 0, true
	fetch := d.fetch
	d.fetch = func(ctx context.Context, id int) (*wireSchema, error) {
		asked++
		if !up {
			return nil, context.DeadlineExceeded
		}
		return fetch(ctx, id)
	}
	b := newBuilder(avroProjection)
	defer b.Release()
	order, visit := framed(1, avroOrder(t, nil)), framed(4, []byte(`{"at":1}`))
	f := func(record []byte, ok bool, wantAsked int) {
		t.Helper()
		err := d.Decode(record, b)
		if r, rejected := ingest.Rejected(err); rejected == ok || rejected && r.Reason != ingest.ReasonNoSchema || asked != wantAsked {
			t.Fatalf("%v after %d questions, want %d", err, asked, wantAsked)
		}
	}
	f(order, true, 1)
	up = false
	f(order, true, 1)
	f(visit, false, 2)
	f(visit, false, 2)
	f(framed(77, nil), false, 2) // no other is asked for either
	now = now.Add(tryAgain)
	f(visit, false, 3)
	up = true
	now = now.Add(tryAgain)
	f(visit, true, 4)
	f(visit, true, 4)
	f(framed(77, nil), false, 5)
	f(framed(77, nil), false, 5)
	f(order, true, 5)
}

// TestSchemasThatLackAField: their records are read as far as they go, and the decoder
// tells; a schema without the time costs its records.
func TestSchemasThatLackAField(t *testing.T) {
	r := registry(t)
	const lacking = `{"type":"record","name":"Order","fields":[{"name":"at","type":"long"},{"name":"app","type":"string"}]}`
	r.SeedSchema("orders-value", 2, 20, sr.Schema{Schema: lacking, Type: sr.TypeAvro})
	r.SeedSchema("orders-value", 3, 21, sr.Schema{Schema: strings.Replace(lacking, `"at"`, `"when"`, 1), Type: sr.TypeAvro})
	r.SeedSchema("shipments-value", 2, 22, sr.Schema{Schema: `syntax = "proto3"; message Order { int64 at = 1; string app = 2; }`, Type: sr.TypeProtobuf})
	d := newDecoder(t, confluentSource(r, avroMapping), avroProjection).(*Confluent)
	b := newBuilder(avroProjection)
	defer b.Release()
	f := func(record []byte, rows int, want string) {
		t.Helper()
		before := b.Len()
		err := d.Decode(record, b)
		if b.Len()-before != rows || (rows == 0) != (err != nil) {
			t.Errorf("%d rows, %v", b.Len()-before, err)
		}
		if got := d.TakeComplaint(); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("it complains of %q, want %q", got, want)
		}
		if got := d.TakeComplaint(); got != "" {
			t.Errorf("it complains again of %q", got)
		}
	}
	message, err := avro.MustParse(lacking).Encode(map[string]any{"at": int64(epochMillis), "app": "cart"})
	if err != nil {
		t.Fatal(err)
	}
	f(framed(1, avroOrder(t, nil)), 1, "")
	f(framed(20, message), 1, `schema 20 lacks what the mapping wants: label "status": there is no field "status"; label "zone"`)
	f(framed(20, message), 1, "schema 20")
	f(framed(21, message), 0, `timestamp: there is no field "at"`)
	f(framed(22, append([]byte{0, 8}, binary.AppendUvarint(nil, uint64(epochMillis))...)), 1, `value "took": there is no field "took"`)
	f(framed(1, avroOrder(t, nil)), 1, "")
}

func TestCheckSchema(t *testing.T) {
	r := registry(t)
	f := func(subject string, m flyball.JSONMapping, wantErr string, want ...string) {
		t.Helper()
		src := confluentSource(r, m)
		client, err := RegistryClient(src.Registry)
		if err != nil {
			t.Fatal(err)
		}
		s, _ := r.GetSchema(subject, 1)
		missing, err := CheckSchema(t.Context(), client, src, s.Schema)
		if diff := cmp.Diff(want, missing, cmpopts.EquateEmpty()); diff != "" || (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
			t.Errorf("%s: %v, want %q (−want +got):\n%s", subject, err, wantErr, diff)
		}
	}
	f("orders-value", avroMapping, "")
	f("shipments-value", protoMapping, "")
	f("visits-value", avroMapping, "")
	f("broken-value", avroMapping, "nowhere.proto")
	f("scalar-value", avroMapping, "want a record")
	f("orders-value", protoMapping, "", `label "app": there is no field "appName"`, `label "common": there is no field "common.zone"`, `label "ok": there is no field "ok"`,
		`value "below": there is no field "inner.below"`, `value "big": there is no field "big"`)
	f("shipments-value", flyball.JSONMapping{Timestamp: "when", Values: map[string]flyball.JSONValue{"n": {Path: "list"}, "m": {Path: "price"}}}, "",
		`timestamp: there is no field "when"`, `value "n": there is no field "list"`)
}

// offline returns a decoder whose schema 1 is compiled from text.
func offline(t testing.TB, s *wireSchema, src flyball.Source, p ingest.Projection) *Confluent {
	d, err := NewConfluent(src, p)
	if err != nil {
		t.Fatal(err)
	}
	d.fetch = func(context.Context, int) (*wireSchema, error) { return s, nil }
	return d
}

// FuzzAvro compares with the official-grade reader of the whole record where that
// accepts the bytes.
func FuzzAvro(f *testing.F) {
	f.Add(avroOrder(f, nil))
	f.Add(avroOrder(f, map[string]any{"app": nil, "tags": map[string]any{"zone": nil}, "took": float32(2)}))
	schema := avro.MustParse(avroSchema)
	src := flyball.Source{Format: "confluent", JSON: avroMapping, Registry: flyball.SchemaRegistry{URL: "http://127.0.0.1:1"}}
	f.Fuzz(func(t *testing.T, record []byte) {
		d, b := offline(t, nil, src, avroProjection), newBuilder(avroProjection)
		defer b.Release()
		op, err := compileAvro(avroSchema, nil, d.root)
		if err != nil {
			t.Fatal(err)
		}
		d.fetch = func(context.Context, int) (*wireSchema, error) { return &wireSchema{kind: sr.TypeAvro, avro: op}, nil }
		err = d.Decode(framed(1, record), b)
		checkContract(t, b.Len(), err)
		got := take(b)
		var order map[string]any
		rest, bad := schema.Decode(record, &order)
		if bad != nil || len(rest) > 0 {
			return
		}
		if len(got) == 0 {
			if r, ok := ingest.Rejected(err); !ok || r.Reason == ingest.ReasonMalformed && utf8.ValidString(fmt.Sprint(order)) && len(record) < avroBudget/2 {
				t.Fatalf("got %v for %v", err, order)
			}
			return
		}
		app, _ := order["app"].(string)
		if got[0].Labels[0] != app || got[0].Labels[1] != order["status"] {
			t.Fatalf("got %v for %v", got, order)
		}
	})
}

// FuzzProtobuf compares with the official library's dynamic messages where those accept
// the bytes.
func FuzzProtobuf(f *testing.F) {
	f.Add(protoOrder(f, fullOrder))
	f.Add([]byte{})
	kind := orderType(f)
	src := flyball.Source{Format: "confluent", JSON: protoMapping, Registry: flyball.SchemaRegistry{URL: "http://127.0.0.1:1"}}
	f.Fuzz(func(t *testing.T, record []byte) {
		d, b := offline(t, nil, src, protoProjection), newBuilder(protoProjection)
		defer b.Release()
		op := compileMessage(kind, &pathStep{child: d.root})
		d.fetch = func(context.Context, int) (*wireSchema, error) {
			return &wireSchema{kind: sr.TypeProtobuf, messages: func([]int) (*protoOp, error) { return op, nil }}, nil
		}
		err := d.Decode(framed(1, append([]byte{0}, record...)), b)
		checkContract(t, b.Len(), err)
		got := take(b)
		m := dynamicpb.NewMessage(kind)
		if proto.Unmarshal(record, m) != nil {
			return
		}
		if len(got) == 0 {
			if r, ok := ingest.Rejected(err); !ok || r.Reason == ingest.ReasonMalformed && r.Samples == 0 {
				t.Fatalf("got %v for %v", err, m)
			}
			return
		}
		get := func(name string) protoreflect.Value { return m.Get(kind.Fields().ByName(protoreflect.Name(name))) }
		status := strconv.Itoa(int(get("status").Enum()))
		if v := kind.Enums().ByName("Status").Values().ByNumber(get("status").Enum()); v != nil {
			status = string(v.Name())
		}
		labels := []string{get("app_name").String(), status}
		if diff := cmp.Diff(labels, got[0].Labels[:2]); diff != "" {
			t.Fatalf("(−want +got):\n%s", diff)
		}
		big := math.NaN()
		if fd := kind.Fields().ByName("big"); m.Has(fd) {
			big, _ = strconv.ParseFloat(strconv.FormatUint(m.Get(fd).Uint(), 10), 64)
		}
		if g := got[0].Values[2]; g != big && !(math.IsNaN(g) && math.IsNaN(big)) && m.WhichOneof(kind.Oneofs().ByName("which")) != nil {
			t.Fatalf("big is %v, want %v", g, big)
		}
	})
}
