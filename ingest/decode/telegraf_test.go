package decode

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
)

var telegrafSource = flyball.Source{Format: "telegraf"}

const (
	telegrafOne  = `{"fields":{"usage":1.5,"n":7,"state":"up","ok":true},"name":"cpu","tags":{"host":"a","state":"tag"},"timestamp":1772368496}`
	telegrafMany = `{"metrics":[{"name":"cpu","fields":{"n":1},"timestamp":1772368496000},{"timestamp":"1772368496","fields":{"msg":"x"},"tags":{},"name":"log"}]}`
)

func TestTelegrafConformance(t *testing.T) {
	row := func(name, host, state, msg string, usage, n float64) sample {
		return sample{At: epoch, Labels: []string{name, host, state, msg}, Values: []float64{usage, n}}
	}
	checkDecoder(t, telegrafSource, influxProjection, [][]byte{[]byte(telegrafOne), []byte(telegrafMany), []byte(`{"metrics":[]}`)}, [][]sample{
		{row("cpu", "a", "tag", "", 1.5, 7)},
		{row("cpu", "", "", "", none, 1), row("log", "", "", "x", none, none)},
		nil,
	})
}

func TestTelegrafRejects(t *testing.T) {
	f := func(record, reason string, samples int) {
		t.Helper()
		_, err := decodeOne(t, telegrafSource, influxProjection, []byte(record))
		if r, ok := ingest.Rejected(err); !ok || r.Reason != reason || r.Samples != samples {
			t.Errorf("%s: got %v, want %s of %d samples", record, err, reason, samples)
		}
	}
	f(`[]`, ingest.ReasonMalformed, 0)
	f(`{"name":"cpu"`, ingest.ReasonMalformed, 0)
	f(``, ingest.ReasonMalformed, 0)
	f(`{"name":"cpu","fields":{"n":1}}`, ingest.ReasonNoTimestamp, 1)
	f(`{"name":"cpu","fields":{"n":true},"timestamp":1}`, ingest.ReasonBadValue, 1)
	f(`{"name":"cpu","fields":{"n":"12"},"timestamp":1}`, ingest.ReasonBadValue, 1)
	f(`{"metrics":[7,{"timestamp":1}]}`, ingest.ReasonMalformed, 1)
}

// telegrafOracle gives the rows of a record by encoding/json, or false where it is to
// be rejected in part or whole.
func telegrafOracle(record []byte) (out []sample, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(record))
	type metric struct {
		Name      string         `json:"name"`
		Tags      map[string]any `json:"tags"`
		Fields    map[string]any `json:"fields"`
		Timestamp *json.Number   `json:"timestamp"`
		Metrics   *[]metric      `json:"metrics"`
	}
	dec.UseNumber()
	var all []metric
	for n := 0; ; n++ {
		var m metric
		if err := dec.Decode(&m); err == io.EOF && n > 0 {
			break
		} else if err != nil {
			return nil, false
		}
		if m.Metrics != nil {
			all = append(all, *m.Metrics...)
		} else {
			all = append(all, m)
		}
	}
	for _, m := range all {
		if m.Timestamp == nil || m.Metrics != nil {
			return nil, false
		}
		at, good := jsonOracleTime(*m.Timestamp)
		s := sample{At: at, Labels: []string{m.Name, "", "", ""}, Values: []float64{none, none}}
		for i, name := range influxProjection.Labels[1:] {
			switch v := m.Fields[name].(type) {
			case string:
				s.Labels[i+1] = v
			case nil:
			default:
				return nil, false
			}
			if v, ok := m.Tags[name].(string); ok {
				s.Labels[i+1] = v
			}
		}
		for i, name := range influxProjection.Values {
			if v := m.Fields[name]; v != nil {
				n, isNumber := v.(json.Number)
				f, err := n.Float64()
				if !isNumber || err != nil || math.IsInf(f, 0) {
					return nil, false
				}
				s.Values[i] = f
			}
		}
		if !good {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

// FuzzTelegraf compares with encoding/json where that reads samples only.
func FuzzTelegraf(f *testing.F) {
	f.Add([]byte(telegrafOne))
	f.Add([]byte(telegrafMany))
	f.Fuzz(func(t *testing.T, record []byte) {
		got, err := decodeTwice(t, telegrafSource, influxProjection, record)
		if !utf8.Valid(record) || hugeExponent.Match(record) || !json.Valid(bytes.TrimSpace(record)) || !plainStream(record) || bytes.ContainsRune(record, '\\') {
			return
		}
		want, ok := telegrafOracle(record)
		if !ok {
			return
		}
		if diff := cmp.Diff(want, got, sameSamples); diff != "" {
			t.Fatalf("%v (−want +got):\n%s", err, diff)
		}
	})
}
