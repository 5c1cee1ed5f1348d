package decode

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

var (
	prometheusSource     = flyball.Source{Format: "prometheus"}
	prometheusPlain      = flyball.Source{Format: "prometheus", Encoding: "proto"}
	prometheusProjection = ingest.Projection{Labels: []string{"metric.name", "metric.type", "job", "le"}, Values: []string{"value", "duration"}}
)

// writeRequest describes prompb.WriteRequest, so that the official library reads and
// writes it.
var writeRequest = func() protoreflect.MessageDescriptor {
	field := func(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type, message string) *descriptorpb.FieldDescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{Name: &name, Number: &number, Type: &kind, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum()}
		if message != "" {
			f.TypeName, f.Label = &message, descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		}
		return f
	}
	const (
		text    = descriptorpb.FieldDescriptorProto_TYPE_STRING
		double  = descriptorpb.FieldDescriptorProto_TYPE_DOUBLE
		integer = descriptorpb.FieldDescriptorProto_TYPE_INT64
		message = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
	)
	of := func(name string, fields ...*descriptorpb.FieldDescriptorProto) *descriptorpb.DescriptorProto {
		return &descriptorpb.DescriptorProto{Name: &name, Field: fields}
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("remote.proto"), Package: proto.String("prometheus"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{
			of("WriteRequest", field("timeseries", 1, message, ".prometheus.TimeSeries"), field("metadata", 3, message, ".prometheus.MetricMetadata")),
			of("TimeSeries", field("labels", 1, message, ".prometheus.Label"), field("samples", 2, message, ".prometheus.Sample")),
			of("Label", field("name", 1, text, ""), field("value", 2, text, "")),
			of("Sample", field("value", 1, double, ""), field("timestamp", 2, integer, "")),
			of("MetricMetadata", field("type", 1, descriptorpb.FieldDescriptorProto_TYPE_INT32, ""), field("metric_family_name", 2, text, "")),
		},
	}, nil)
	if err != nil {
		panic(err)
	}
	return file.Messages().ByName("WriteRequest")
}()

// series is a TimeSeries of a test.
type series struct {
	labels  [][2]string
	samples []promSample
}

type promSample struct {
	value float64
	at    int64
}

func requestOf(types map[string]int32, list ...series) *dynamicpb.Message {
	m := dynamicpb.NewMessage(writeRequest)
	appendTo := func(to protoreflect.Message, name string, set map[string]protoreflect.Value) protoreflect.Message {
		fd := to.Descriptor().Fields().ByName(protoreflect.Name(name))
		l := to.Mutable(fd).List()
		e := l.AppendMutable().Message()
		for key, v := range set {
			e.Set(e.Descriptor().Fields().ByName(protoreflect.Name(key)), v)
		}
		return e
	}
	for _, s := range list {
		ts := appendTo(m, "timeseries", nil)
		for _, l := range s.labels {
			appendTo(ts, "labels", map[string]protoreflect.Value{"name": protoreflect.ValueOfString(l[0]), "value": protoreflect.ValueOfString(l[1])})
		}
		for _, x := range s.samples {
			appendTo(ts, "samples", map[string]protoreflect.Value{"value": protoreflect.ValueOfFloat64(x.value), "timestamp": protoreflect.ValueOfInt64(x.at)})
		}
	}
	for name, kind := range types {
		appendTo(m, "metadata", map[string]protoreflect.Value{"type": protoreflect.ValueOfInt32(kind), "metric_family_name": protoreflect.ValueOfString(name)})
	}
	return m
}

const epochMillis = epoch / 1_000_000

func TestPrometheusConformance(t *testing.T) {
	record := marshal(t, requestOf(map[string]int32{"requests": 1, "load": 2, "odd_total": 2, "rpc_seconds": 5},
		series{[][2]string{{"__name__", "requests"}, {"job", "cart"}}, []promSample{{40, epochMillis}, {42, epochMillis + 1}}},
		series{[][2]string{{"__name__", "load"}}, []promSample{{0.5, epochMillis}, {math.Float64frombits(0x7ff0000000000002), epochMillis + 5}}},
		series{[][2]string{{"__name__", "odd_total"}}, []promSample{{3, epochMillis}}},
		series{[][2]string{{"__name__", "rpc_seconds"}}, []promSample{{0.25, epochMillis}}},
		series{[][2]string{{"__name__", "rpc_seconds_sum"}}, []promSample{{2.5, epochMillis}}},
		series{[][2]string{{"__name__", "x_bucket"}, {"le", "0.5"}}, []promSample{{7, epochMillis}}},
	))
	counter := func(v float64) *ingest.Point {
		return &ingest.Point{Weight: int64(math.Round(v)), Value: v, Cumulative: true}
	}
	row := func(at int64, name, kind, job, le string, v, duration float64, p *ingest.Point) sample {
		return sample{At: at, Labels: []string{name, kind, job, le}, Values: []float64{v, duration}, Point: p}
	}
	want := []sample{
		row(epoch, "requests", "sum", "cart", "", 40, none, counter(40)), row(epoch+1_000_000, "requests", "sum", "cart", "", 42, none, counter(42)),
		row(epoch, "load", "gauge", "", "", 0.5, none, nil),
		row(epoch, "odd_total", "gauge", "", "", 3, none, nil),
		row(epoch, "rpc_seconds", "gauge", "", "", 0.25, 0.25e9, nil),
		row(epoch, "rpc_seconds_sum", "sum", "", "", 2.5, 2.5e9, counter(2.5)),
		row(epoch, "x_bucket", "sum", "", "0.5", 7, none, counter(7)),
	}
	b := newBuilder(prometheusProjection)
	defer b.Release()
	for name, r := range map[string][]byte{"": snappy.Encode(nil, record), "proto": record} {
		got, err := decodeOne(t, flyball.Source{Format: "prometheus", Encoding: name}, prometheusProjection, r)
		if diff := cmp.Diff(want, got, sameSamples); diff != "" || err != nil {
			t.Errorf("%q: %v (−want +got):\n%s", name, err, diff)
		}
	}
	records, rows := [][]byte{snappy.Encode(nil, record), snappy.Encode(nil, nil)}, [][]sample{want, nil}
	checkReuse(t, prometheusSource, prometheusProjection, records, rows)
	checkNotKept(t, prometheusSource, prometheusProjection, records, rows)
	checkTruncated(t, prometheusSource, prometheusProjection, records, rows)
	checkMangled(t, prometheusSource, prometheusProjection, records)
}

func TestPrometheusRejects(t *testing.T) {
	f := func(record []byte, reason string, samples int) {
		t.Helper()
		_, err := decodeOne(t, prometheusSource, prometheusProjection, record)
		if r, ok := ingest.Rejected(err); !ok || r.Reason != reason || r.Samples != samples {
			t.Errorf("%x: got %v, want %s of %d samples", record, err, reason, samples)
		}
	}
	one := func(v float64, at int64) []byte {
		return snappy.Encode(nil, marshal(t, requestOf(nil, series{[][2]string{{"__name__", "x_total"}}, []promSample{{v, at}}})))
	}
	f([]byte("not snappy"), ingest.ReasonMalformed, 0)
	f(nil, ingest.ReasonMalformed, 0)
	f([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}, ingest.ReasonMalformed, 0) // 4 GiB
	f(snappy.Encode(nil, []byte{0x0a}), ingest.ReasonMalformed, 0)
	f(snappy.Encode(nil, []byte{0x0a, 1, 0x0a}), ingest.ReasonMalformed, 1)
	f(one(1, 0), ingest.ReasonNoTimestamp, 1)
	f(one(1, -5), ingest.ReasonNoTimestamp, 1)
	f(one(1, math.MaxInt64), ingest.ReasonNoTimestamp, 1)
	f(one(-1, epochMillis), ingest.ReasonBadValue, 1)
	f(one(math.Inf(1), epochMillis), ingest.ReasonBadValue, 1)
}

// prometheusOracle gives the rows of a request, as the official library reads it, and
// how many samples are rejected.
func prometheusOracle(m protoreflect.Message) (o metricsOracle) {
	get := func(m protoreflect.Message, name string) protoreflect.Value {
		return m.Get(m.Descriptor().Fields().ByName(protoreflect.Name(name)))
	}
	for i, all := 0, get(m, "timeseries").List(); i < all.Len(); i++ {
		ts := all.Get(i).Message()
		labels := map[string]string{}
		for j, l := 0, get(ts, "labels").List(); j < l.Len(); j++ {
			name := get(l.Get(j).Message(), "name").String()
			if _, first := labels[name]; !first || name == "__name__" {
				labels[name] = get(l.Get(j).Message(), "value").String()
			}
		}
		for j, l := 0, get(ts, "samples").List(); j < l.Len(); j++ {
			v, at := get(l.Get(j).Message(), "value").Float(), get(l.Get(j).Message(), "timestamp").Int()
			s := sample{At: at * 1e6, Labels: []string{labels["__name__"], "gauge", labels["job"], labels["le"]}, Values: []float64{v, none}}
			switch {
			case math.IsNaN(v):
			case math.IsInf(v, 0) || at <= 0 || at > math.MaxInt64/1_000_000:
				o.rejected++
			default:
				o.rows = append(o.rows, s)
			}
		}
	}
	return o
}

func TestPrometheusAgreesWithOfficialLibrary(t *testing.T) {
	texts := rapid.SampledFrom([]string{"up", "job", "le", "naïve", "", "__name__", "x"})
	rapid.Check(t, func(t *rapid.T) {
		var list []series
		for range rapid.IntRange(0, 4).Draw(t, "series") {
			var s series
			for range rapid.IntRange(0, 4).Draw(t, "labels") {
				s.labels = append(s.labels, [2]string{texts.Draw(t, "name"), texts.Draw(t, "value")})
			}
			for range rapid.IntRange(0, 3).Draw(t, "samples") {
				s.samples = append(s.samples, promSample{drawDouble(t), rapid.SampledFrom([]int64{0, 1, epochMillis, -1, math.MaxInt64}).Draw(t, "at")})
			}
			list = append(list, s)
		}
		record := marshal(t, requestOf(nil, list...))
		scrambled := scramble(t, writeRequest, record)
		for _, r := range [][]byte{record, scrambled} {
			m := dynamicpb.NewMessage(writeRequest)
			if err := proto.Unmarshal(r, m); err != nil {
				t.Fatal(err)
			}
			want := prometheusOracle(m)
			got, err := decodeOne(t, prometheusPlain, prometheusProjection, r)
			compareWithMetrics(t, &want, got, err)
		}
	})
}

// FuzzPrometheus compares with the official protobuf library where that accepts the
// bytes and nothing is a counter.
func FuzzPrometheus(f *testing.F) {
	f.Add(marshal(f, requestOf(nil, series{[][2]string{{"__name__", "load"}, {"job", "a"}}, []promSample{{1, epochMillis}, {2, epochMillis}}})))
	f.Add(marshal(f, requestOf(map[string]int32{"a": 1}, series{[][2]string{{"__name__", "a"}}, []promSample{{1, epochMillis}}})))
	f.Fuzz(func(t *testing.T, record []byte) {
		got, err := decodeTwice(t, prometheusPlain, prometheusProjection, record)
		decodeTwice(t, prometheusSource, prometheusProjection, record)
		m := dynamicpb.NewMessage(writeRequest)
		if proto.Unmarshal(record, m) != nil {
			return
		}
		want := prometheusOracle(m)
		for _, s := range append(got, want.rows...) {
			if s.Point != nil || s.Labels[1] != "gauge" || !math.IsNaN(s.Values[1]) || s.Labels[0] != "load" {
				return
			}
		}
		compareWithMetrics(t, &want, got, err)
	})
}
