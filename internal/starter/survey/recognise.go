package survey

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/s2"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Format is a format and its encoding, as a Source names them. The encoding is "" where
// there is one, or where it is the default.
type Format struct{ Name, Encoding string }

// String returns the format, and its encoding in parentheses.
func (f Format) String() string {
	if f.Encoding == "" {
		return f.Name
	}
	return f.Name + " (" + f.Encoding + ")"
}

func (f Format) less(o Format) bool { return f.String() < o.String() }

// Recognise returns the format of a record, the zero Format when it is in none. What the
// headers say counts first, then the form of the value.
func Recognise(r *kgo.Record) Format {
	isJSON := true
	for _, h := range r.Headers {
		switch h.Key {
		case "ce_specversion":
			return Format{Name: "cloudevents"}
		case "content-type":
			kind := strings.ToLower(string(h.Value))
			if strings.HasPrefix(kind, "application/cloudevents") {
				return Format{Name: "cloudevents"}
			}
			isJSON = !strings.Contains(kind, "protobuf")
		}
	}
	text := bytes.TrimLeft(r.Value, " \t\r\n")
	switch {
	case len(text) == 0:
		return Format{}
	case isJSON && (text[0] == '{' || text[0] == '['):
		return recogniseJSON(text)
	case r.Value[0] == 0 && len(r.Value) > 5:
		return Format{Name: "confluent"} // no protobuf begins with a field 0, no block of snappy is empty
	}
	if f := recogniseProtobuf(r.Value); f != (Format{}) {
		return f
	}
	if n, err := s2.DecodedLen(r.Value); err == nil && n <= maxDecompressed {
		if plain, err := s2.Decode(nil, r.Value); err == nil && isWriteRequest(plain) {
			return Format{Name: "prometheus"}
		}
	}
	if isWriteRequest(r.Value) {
		return Format{"prometheus", "proto"}
	}
	if utf8.Valid(r.Value) && isInflux(text) {
		return Format{Name: "influx"}
	}
	return Format{}
}

// maxDecompressed bounds what a record may become.
const maxDecompressed = 64 << 20

// recogniseJSON tells documents apart by the names of their fields. Of an array, or of
// documents one after another, the first says what all are.
func recogniseJSON(text []byte) Format {
	dec := json.NewDecoder(bytes.NewReader(text))
	var first json.RawMessage
	if err := dec.Decode(&first); err != nil {
		return Format{}
	}
	if first[0] == '[' {
		var list []json.RawMessage
		if json.Unmarshal(first, &list) != nil || len(list) == 0 {
			return Format{}
		}
		first = list[0]
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(first, &fields) != nil {
		return Format{}
	}
	has := func(names ...string) bool {
		for _, name := range names {
			if _, ok := fields[name]; !ok {
				return false
			}
		}
		return true
	}
	switch {
	case has("resourceSpans"):
		return Format{"otlp_spans", "json"}
	case has("resourceMetrics"):
		return Format{"otlp_metrics", "json"}
	case has("resourceLogs"):
		return Format{"otlp_logs", "json"}
	case has("specversion", "type", "source", "id"):
		return Format{Name: "cloudevents"}
	case has("reason") && (has("involvedObject") || has("regarding")):
		return Format{Name: "kubernetes_events"}
	case has("name", "tags", "fields", "timestamp") || len(fields) == 1 && has("metrics"):
		return Format{Name: "telegraf"}
	}
	return Format{Name: "json"}
}

// isInflux reports whether the first line is a measurement, fields and perhaps a time.
func isInflux(text []byte) bool {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		_, ok := influxLine(line)
		return ok
	}
	return false
}
