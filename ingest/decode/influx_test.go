package decode

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

var (
	influxSource     = flyball.Source{Format: "influx"}
	influxProjection = ingest.Projection{Labels: []string{"metric.name", "host", "state", "msg"}, Values: []string{"usage", "n"}}
)

func TestInfluxByExample(t *testing.T) {
	f := func(record string, want ...sample) {
		t.Helper()
		got, err := decodeOne(t, influxSource, influxProjection, []byte(record))
		if diff := cmp.Diff(want, got, sameSamples); diff != "" || err != nil {
			t.Errorf("%q: %v (−want +got):\n%s", record, err, diff)
		}
	}
	row := func(at int64, name, host, state, msg string, usage, n float64) sample {
		return sample{At: at, Labels: []string{name, host, state, msg}, Values: []float64{usage, n}}
	}
	f("cpu,host=a usage=1.5,n=2i 1772368496000000000", row(epoch, "cpu", "a", "", "", 1.5, 2))
	f("cpu,host=a\\ b\\,c\\=d usage=-1e3 1772368496000\n\n# comment\ndisk n=3u 1772368496\r\n",
		row(epoch, "cpu", "a b,c=d", "", "", -1000, none), row(epoch, "disk", "", "", "", none, 3))
	f(`my\ cpu\,x,state=up msg="say \"hi\" \\ , = ",state="down" 1772368496000000`, row(epoch, "my cpu,x", "", "up", `say "hi" \ , = `, none, none))
	f("m state=t,msg=False,host=7i 1", row(1e9, "m", "7", "true", "false", none, none))
	f("m msg=\"two\nlines\" 1\nm n=1 2", row(1e9, "m", "", "", "two\nlines", none, none), row(2e9, "m", "", "", "", none, 1))
	f("metric.name,metric.name=x n=1 1", row(1e9, "metric.name", "", "", "", none, 1))
	f("")
}

// TestInfluxLinesStandAlone: one that cannot be read costs itself.
func TestInfluxLinesStandAlone(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		got, err := decodeOne(t, influxSource, influxProjection, []byte("a n=1 1\n"+line+"\nb n=2 2\n"))
		r, ok := ingest.Rejected(err)
		if !ok || r.Samples != 1 || !strings.Contains(r.Error(), want) || len(got) != 2 {
			t.Errorf("%q: %v, %d rows, want %q", line, err, len(got), want)
		}
	}
	f("cpu usage=1", ingest.ReasonNoTimestamp)
	f("cpu usage=1 now", ingest.ReasonNoTimestamp)
	f("cpu usage=1 1.5", ingest.ReasonNoTimestamp)
	f("cpu", ingest.ReasonMalformed)
	f("cpu,host usage=1 1", ingest.ReasonMalformed)
	f("cpu,host= usage=1 1", ingest.ReasonMalformed)
	f("cpu usage= 1", ingest.ReasonMalformed)
	f("cpu usage=1x 1", ingest.ReasonMalformed)
	f("cpu usage=NaN 1", ingest.ReasonMalformed)
	f("cpu n=99999999999999999999i 1", ingest.ReasonMalformed)
	f(",host=a usage=1 1", ingest.ReasonMalformed)
	f("cpu usage=true 1", ingest.ReasonBadValue)
	f(`cpu usage="a" 1`, ingest.ReasonBadValue)
	f("cpu,host=\xff usage=1 1", ingest.ReasonMalformed)
}

func TestInfluxIsReusable(t *testing.T) {
	records := [][]byte{[]byte("cpu,host=a usage=1.5,n=2i 1772368496000000000\n"), []byte("m,host=b n=1 1\nm n=1 2\n")}
	want := [][]sample{
		{{At: epoch, Labels: []string{"cpu", "a", "", ""}, Values: []float64{1.5, 2}}},
		{{At: 1e9, Labels: []string{"m", "b", "", ""}, Values: []float64{none, 1}}, {At: 2e9, Labels: []string{"m", "", "", ""}, Values: []float64{none, 1}}},
	}
	checkReuse(t, influxSource, influxProjection, records, want)
	checkNotKept(t, influxSource, influxProjection, records, want)
	checkMangled(t, influxSource, influxProjection, records)
}

// influxOracle gives the rows of a record by the official parser, or false where that
// rejects something.
func influxOracle(record []byte) (out []sample, ok bool) {
	dec := lineprotocol.NewDecoderWithBytes(record)
	for dec.Next() {
		name, err := dec.Measurement()
		if err != nil {
			return nil, false
		}
		s := sample{Labels: make([]string, 4), Values: []float64{none, none}}
		fields := map[string]string{}
		s.Labels[0] = string(name)
		ranks := map[string]bool{}
		for {
			key, value, err := dec.NextTag()
			if err != nil {
				return nil, false
			}
			if key == nil {
				break
			}
			fields[string(key)], ranks[string(key)] = string(value), true
		}
		for {
			key, value, err := dec.NextField()
			if err != nil {
				return nil, false
			}
			if key == nil {
				break
			}
			text, number := influxText(value)
			if !ranks[string(key)] {
				fields[string(key)] = text
			}
			for i, column := range influxProjection.Values {
				if column == string(key) {
					if math.IsNaN(number) {
						return nil, false
					}
					s.Values[i] = number
				}
			}
		}
		raw, err := dec.TimeBytes()
		if err != nil || len(raw) == 0 {
			return nil, false
		}
		n, err := strconv.ParseInt(string(raw), 10, 64)
		if err != nil {
			return nil, false
		}
		for size := len(strings.TrimLeft(string(raw), "-0")); size <= 17 && n != 0; size += 3 {
			if size <= 11 { // seconds
				n *= 1e9
				break
			}
			n *= 1000
		}
		s.At = n
		for i, column := range influxProjection.Labels[1:] {
			s.Labels[i+1] = fields[column]
		}
		out = append(out, s)
	}
	return out, true
}

func influxText(v lineprotocol.Value) (string, float64) {
	switch x := v.Interface().(type) {
	case int64:
		return strconv.FormatInt(x, 10), float64(x)
	case uint64:
		return strconv.FormatUint(x, 10), float64(x)
	case float64:
		return string(rows.AppendDouble(nil, x)), x
	case string:
		return x, math.NaN()
	case bool:
		return strconv.FormatBool(x), math.NaN()
	}
	return v.String(), math.NaN()
}

// oddEscapes are those that the official parser has beyond the documented ones.
var oddEscapes = regexp.MustCompile(`\\[^ ,="]|\\$`)

// FuzzInflux compares with the official parser where that accepts the record.
func FuzzInflux(f *testing.F) {
	f.Add([]byte("cpu,host=a\\ b\\,c\\=d,state=x usage=-1e3,n=2i 1772368496000\n\n# comment\ndisk n=3u 1772368496\r\n"))
	f.Add([]byte(`my\ cpu,state=up msg="say \"hi\"",ok=t 1772368496000000`))
	f.Add([]byte("m msg=\"two\nlines\" 1\nm n=1 2"))
	f.Fuzz(func(t *testing.T, record []byte) {
		got, err := decodeTwice(t, influxSource, influxProjection, record)
		want, ok := influxOracle(record)
		if !ok || oddEscapes.Match(record) || bytes.ContainsAny(record, "\t\f\r\\") {
			return
		}
		for _, s := range want {
			if s.At == math.MinInt64 {
				return
			}
		}
		if diff := cmp.Diff(want, got, sameSamples); diff != "" {
			t.Fatalf("%v (−want +got):\n%s", err, diff)
		}
	})
}
