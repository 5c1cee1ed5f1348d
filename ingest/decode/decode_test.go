package decode

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

// tester is what *testing.T, *testing.F and *rapid.T have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// sample is a row as tests compare it.
type sample struct {
	At     int64
	Labels []string
	Values []float64
	Point  *ingest.Point // nil for an ordinary sample; without its stream
}

func (s sample) String() string {
	text := fmt.Sprint(s.At, s.Labels, s.Values)
	if p := s.Point; p != nil {
		text += fmt.Sprint(p.Weight, p.Value, p.Cumulative, p.Start)
		if p.Distribution != nil {
			text += fmt.Sprint(*p.Distribution)
		}
	}
	return text
}

var sameSamples = cmp.Options{cmpopts.EquateNaNs(), cmpopts.EquateEmpty()}

// none is an absent value.
var none = math.NaN()

func newBuilder(p ingest.Projection) *ingest.Builder {
	return ingest.NewBuilder(p, ingest.NewDictionary(len(p.Labels)), ingest.NewPool())
}

func newDecoder(t tester, src flyball.Source, p ingest.Projection) ingest.Decoder {
	t.Helper()
	d, err := New(src, p)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// take empties the builder and returns its rows.
func take(b *ingest.Builder) []sample {
	batch := b.Batch()
	defer batch.Release()
	var out []sample
	latest := flyball.NoTime
	for i := range batch.Rows() {
		s := sample{At: batch.Time.Value(i), Labels: b.Dictionary().Values(batch.Set.Value(i), nil)}
		for _, v := range batch.Values {
			s.Values = append(s.Values, v.Value(i))
		}
		s.Point = pointOf(batch.Points, i)
		out = append(out, s)
		latest = max(latest, flyball.Time(s.At))
	}
	if latest != batch.MaxTime && (batch.Points == nil || latest > batch.MaxTime) {
		panic(fmt.Sprintf("BUG: the batch says %d is the maximum time, its rows %d", batch.MaxTime, latest))
	}
	return out
}

// pointOf returns what is said of a row beyond its columns.
func pointOf(p *ingest.Points, row int) *ingest.Point {
	if p == nil || p.Weight[row] == 1 && math.IsNaN(p.Value[row]) && p.Distribution[row] < 0 && !p.Cumulative[row] {
		return nil
	}
	out := &ingest.Point{Weight: p.Weight[row], Value: p.Value[row], Cumulative: p.Cumulative[row], Start: p.Start[row]}
	if at := p.Distribution[row]; at >= 0 {
		d := p.Distributions[at] // its slices are used again
		d.Bounds, d.Buckets = slices.Clone(d.Bounds), slices.Clone(d.Buckets)
		d.Pos, d.Neg = slices.Clone(d.Pos), slices.Clone(d.Neg)
		out.Distribution = &d
	}
	return out
}

// decodeOne decodes a record with a new decoder and builder.
func decodeOne(t tester, src flyball.Source, p ingest.Projection, record []byte) ([]sample, error) {
	t.Helper()
	b := newBuilder(p)
	defer b.Release()
	err := newDecoder(t, src, p).Decode(record, b)
	checkContract(t, b.Len(), err)
	return take(b), err
}

// checkContract checks what holds for every decoder and every input.
func checkContract(t tester, rows int, err error) {
	t.Helper()
	if err == nil {
		return
	}
	r, ok := ingest.Rejected(err)
	if !ok {
		t.Fatalf("the error is not a rejection: %v", err)
	}
	if r.Samples == 0 && rows > 0 {
		t.Fatalf("%d rows were left by a record that was rejected whole: %v", rows, err)
	}
	if r.Reason == "" || r.Detail == "" {
		t.Fatalf("a rejection does not say why: %#v", r)
	}
}

// checkDecoder is the conformance suite: whatever the format, a decoder that
// gives want for the records must keep these rules.
func checkDecoder(t *testing.T, src flyball.Source, p ingest.Projection, records [][]byte, want [][]sample) {
	t.Helper()
	t.Run("rows", func(t *testing.T) {
		for i, record := range records {
			got, err := decodeOne(t, src, p, record)
			if err != nil {
				t.Errorf("record %d: %v", i, err)
			}
			if diff := cmp.Diff(want[i], got, sameSamples); diff != "" {
				t.Errorf("record %d (−want +got):\n%s", i, diff)
			}
		}
	})
	t.Run("reuse", func(t *testing.T) { checkReuse(t, src, p, records, want) })
	t.Run("value is not kept", func(t *testing.T) { checkNotKept(t, src, p, records, want) })
	t.Run("truncated", func(t *testing.T) { checkTruncated(t, src, p, records, want) })
	t.Run("mangled", func(t *testing.T) { checkMangled(t, src, p, records) })
}

// checkReuse decodes everything twice with one decoder, across batches and a
// reset of the dictionary.
func checkReuse(t *testing.T, src flyball.Source, p ingest.Projection, records [][]byte, want [][]sample) {
	b, d := newBuilder(p), newDecoder(t, src, p)
	defer b.Release()
	for round := range 4 {
		var all []sample
		for i, record := range records {
			all = append(all, want[i]...)
			if err := d.Decode(record, b); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(all, take(b), sameSamples); diff != "" {
			t.Fatalf("round %d (−want +got):\n%s", round, diff)
		}
		if round%2 == 1 {
			b.Dictionary().Reset()
		}
	}
	other := newBuilder(p)
	defer other.Release()
	if err := d.Decode(records[0], other); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[0], take(other), sameSamples); diff != "" {
		t.Fatalf("another builder (−want +got):\n%s", diff)
	}
}

// checkNotKept overwrites each record after it was decoded.
func checkNotKept(t *testing.T, src flyball.Source, p ingest.Projection, records [][]byte, want [][]sample) {
	b, d := newBuilder(p), newDecoder(t, src, p)
	defer b.Release()
	var all []sample
	buf := []byte{}
	for i, record := range records {
		all = append(all, want[i]...)
		buf = append(buf[:0], record...)
		if err := d.Decode(buf, b); err != nil {
			t.Fatal(err)
		}
		for at := range buf {
			buf[at] = 0xAA
		}
	}
	if diff := cmp.Diff(all, take(b), sameSamples); diff != "" {
		t.Fatalf("(−want +got):\n%s", diff)
	}
}

// checkTruncated cuts each record at many bytes: what is left must be rejected,
// or be the first samples of it.
func checkTruncated(t *testing.T, src flyball.Source, p ingest.Projection, records [][]byte, want [][]sample) {
	b, d := newBuilder(p), newDecoder(t, src, p)
	defer b.Release()
	before := sample{At: 7, Labels: make([]string, len(p.Labels)), Values: make([]float64, len(p.Values))}
	for i, record := range records {
		for n := 0; n < len(record); n += strideOf(records) {
			if err := b.Append(7, b.Dictionary().Set(make([]uint32, len(p.Labels))), before.Values); err != nil {
				t.Fatal(err)
			}
			// The capacity ends with the bytes, so that reading on would panic.
			err := d.Decode(bytes.Clone(record[:n])[:n:n], b)
			checkContract(t, b.Len()-1, err)
			got := take(b)
			if diff := cmp.Diff(before, got[0], sameSamples); diff != "" {
				t.Fatalf("record %d cut at %d changed a row before it:\n%s", i, n, diff)
			}
			if len(got)-1 > len(want[i]) {
				t.Fatalf("record %d cut at %d gives %d rows", i, n, len(got)-1)
			}
			if diff := cmp.Diff(want[i][:len(got)-1], got[1:], sameSamples); diff != "" {
				t.Fatalf("record %d cut at %d (−want +got):\n%s", i, n, diff)
			}
		}
	}
}

// strideOf returns how many bytes of the records to go on by, so that about
// mangledBytes are come to; it has no common factor with what repeats.
func strideOf(records [][]byte) int {
	total := 0
	for _, r := range records {
		total += len(r)
	}
	return total/mangledBytes | 1
}

// checkMangled changes bytes of each record: the outcome may be anything
// within the contract, and the same every time.
func checkMangled(t *testing.T, src flyball.Source, p ingest.Projection, records [][]byte) {
	d := newDecoder(t, src, p)
	outcome := func(b *ingest.Builder, record []byte) string {
		err := d.Decode(record, b)
		checkContract(t, b.Len(), err)
		return fmt.Sprint(take(b), err)
	}
	b := newBuilder(p)
	defer b.Release()
	for i, record := range records {
		for at := 0; at < len(record); at += strideOf(records) {
			for _, c := range []byte{0x00, 0x7f, 0x80, 0xff, '"', '{', record[at] + 1, record[at] ^ 0x08} {
				changed := bytes.Clone(record)
				changed[at] = c
				first := outcome(b, changed)
				if again := outcome(b, changed); first != again {
					t.Fatalf("record %d with byte %d set to %#x gives\n%s\nand then\n%s", i, at, c, first, again)
				}
			}
		}
	}
}

func TestNewRejectsWhatItCannotDecode(t *testing.T) {
	f := func(src flyball.Source, p ingest.Projection, want string) {
		t.Helper()
		src.Name = "shop"
		_, err := New(src, p)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `source "shop"`) {
			t.Errorf("New(%+v): got %v, want something with %q", src, err, want)
		}
	}
	labels := func(names ...string) ingest.Projection { return ingest.Projection{Labels: names} }
	f(flyball.Source{Format: "carrier_pigeon"}, labels(), "want one of otlp_spans, otlp_metrics, ")
	f(flyball.Source{Format: "otlp_spans", Encoding: "xml"}, labels(), "want one of proto, json")
	f(flyball.Source{Format: "otlp_spans"}, labels("a", "b", "a"), `"a" is empty or given twice`)
	f(flyball.Source{Format: "otlp_spans"}, labels(""), `"" is empty or given twice`)
	m := flyball.JSONMapping{Timestamp: "ts", Labels: map[string]string{"a": "x.y"},
		Values: map[string]flyball.JSONValue{"d": {Path: "d", Unit: "h"}, "e": {Path: "e..f"}}}
	f(flyball.Source{Format: "json"}, labels(), "no path of the timestamp")
	f(flyball.Source{Format: "json", Encoding: "proto", JSON: m}, labels("a"), `no encoding "proto"`)
	f(flyball.Source{Format: "json", JSON: m}, labels("b"), `no path of label "b"`)
	f(flyball.Source{Format: "json", JSON: m}, ingest.Projection{Values: []string{"v"}}, `no path of value "v"`)
	f(flyball.Source{Format: "json", JSON: m}, ingest.Projection{Values: []string{"d"}}, `unknown unit "h"`)
	f(flyball.Source{Format: "json", JSON: m}, ingest.Projection{Values: []string{"e"}}, "has an empty key")
	m.Labels["deep"] = "a.b.c.d.e.f.g.h.i"
	f(flyball.Source{Format: "json", JSON: m}, labels("deep"), "more than 8 keys")
	for _, format := range []string{"unix", "unix_sec", "RFC3339", "2006-01-02"} {
		m.TimestampFormat = format
		f(flyball.Source{Format: "json", JSON: m}, labels(), "timestamp format")
	}
}
