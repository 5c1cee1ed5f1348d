package survey

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// read calls each with the samples of a record of a format. What does not parse is left
// out: the decoders say what is wrong with it.
func read(f Format, r *kgo.Record, each func(Sample)) {
	switch f.Name {
	case "otlp_spans":
		readSpans(r.Value, f.Encoding, each)
	case "otlp_metrics":
		readMetrics(r.Value, f.Encoding, each)
	case "otlp_logs":
		readLogs(r.Value, f.Encoding, each)
	case "prometheus":
		readPrometheus(r.Value, f.Encoding != "proto", each)
	case "influx":
		readInflux(r.Value, each)
	case "cloudevents":
		readCloudEvent(r, each)
	case "telegraf":
		documents(r.Value, func(o map[string]any) { readTelegraf(o, each) })
	default:
		documents(r.Value, func(o map[string]any) { each(flat(o)) })
	}
}

// documents calls each with the objects of a record: one, an array, or several.
func documents(value []byte, each func(map[string]any)) {
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber()
	for {
		var v any
		if dec.Decode(&v) != nil {
			return
		}
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, x := range list {
			if o, ok := x.(map[string]any); ok {
				each(o)
			}
		}
	}
}

// maxDepth bounds how deep fields of documents are looked for.
const maxDepth = 6

// flat returns the fields of an object by their paths: texts and truth values as labels,
// numbers as numbers and, because a mapping may want them as either, as labels too.
func flat(o map[string]any) Sample {
	x := Sample{Labels: map[string]string{}, Numbers: map[string]float64{}}
	flatten(&x, "", o, maxDepth)
	return x
}

func flatten(x *Sample, prefix string, o map[string]any, depth int) {
	for key, v := range o {
		path := prefix + key
		switch v := v.(type) {
		case map[string]any:
			if depth > 0 {
				flatten(x, path+".", v, depth-1)
			}
		case string:
			x.Labels[path] = v
		case bool:
			x.Labels[path] = strconv.FormatBool(v)
		case json.Number:
			x.Labels[path] = v.String()
			if n, err := v.Float64(); err == nil {
				x.Numbers[path] = n
			}
		}
	}
}

func readTelegraf(o map[string]any, each func(Sample)) {
	if batch, ok := o["metrics"].([]any); ok {
		for _, m := range batch {
			if inner, ok := m.(map[string]any); ok {
				readTelegraf(inner, each)
			}
		}
		return
	}
	name, _ := o["name"].(string)
	x := Sample{Metric: name, Labels: map[string]string{}, Numbers: map[string]float64{}}
	if fields, ok := o["fields"].(map[string]any); ok {
		for key, v := range fields {
			if n, ok := v.(json.Number); ok {
				x.Numbers[key], _ = n.Float64()
			} else if s, ok := v.(string); ok {
				x.Labels[key] = s
			}
		}
	}
	if tags, ok := o["tags"].(map[string]any); ok {
		for key, v := range tags {
			if s, ok := v.(string); ok {
				x.Labels[key] = s
			}
		}
	}
	each(x)
}

// readCloudEvent names the attributes ce.x and what is in JSON data data.x.
func readCloudEvent(r *kgo.Record, each func(Sample)) {
	x := Sample{Labels: map[string]string{}, Numbers: map[string]float64{}}
	isBinary := false
	for _, h := range r.Headers {
		if name, ok := strings.CutPrefix(h.Key, "ce_"); ok {
			isBinary = isBinary || name == "specversion"
			x.Labels["ce."+name] = string(h.Value)
		}
	}
	if isBinary {
		documents(r.Value, func(o map[string]any) { flatten(&x, "data.", o, maxDepth) })
		parts(&x)
		each(x)
		return
	}
	documents(r.Value, func(o map[string]any) {
		x := Sample{Labels: map[string]string{}, Numbers: map[string]float64{}}
		data, _ := o["data"].(map[string]any)
		delete(o, "data")
		flatten(&x, "ce.", o, 0)
		flatten(&x, "data.", data, maxDepth)
		parts(&x)
		each(x)
	})
}

// parts names the parts of the type of a CDEvent.
func parts(x *Sample) {
	of, ok := strings.CutPrefix(x.Labels["ce.type"], "dev.cdevents.")
	if !ok {
		return
	}
	subject, rest, _ := strings.Cut(of, ".")
	predicate, _, _ := strings.Cut(rest, ".")
	x.Labels["cdevent.subject"], x.Labels["cdevent.predicate"] = subject, predicate
}

// timesOf returns the fields that hold a time in every sample, those named as one first.
func timesOf(g *Group) []string {
	var out []string
	for name, l := range g.Labels {
		if l.Count != g.Samples {
			continue
		}
		all := true
		for v := range l.Values {
			if all = isTime(v); !all {
				break
			}
		}
		if all {
			out = append(out, name)
		}
	}
	named := func(name string) int {
		last := strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
		for i, word := range []string{"timestamp", "@timestamp", "time", "ts", "event_time", "eventtime", "at"} {
			if last == word {
				return i
			}
		}
		return 100
	}
	slices.SortFunc(out, func(a, b string) int {
		if d := named(a) - named(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return out
}

// Times before oldest and after newest are numbers that mean something else.
var (
	oldest = time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
	newest = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// isTime reports whether a text is what the timestamp format auto reads: RFC 3339, or
// seconds, milliseconds, microseconds or nanoseconds since the epoch.
func isTime(s string) bool {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.After(oldest) && t.Before(newest)
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(n) {
		return false
	}
	for _, unit := range []float64{1, 1e3, 1e6, 1e9} {
		if n >= float64(oldest.Unix())*unit && n < float64(newest.Unix())*unit {
			return true
		}
	}
	return false
}
