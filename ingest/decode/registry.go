package decode

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/logs"
	"github.com/flyball-io/flyball/ingest/decode/internal/metrics"
	"github.com/flyball-io/flyball/ingest/decode/internal/spans"
)

// Format is one entry of the registry.
type Format struct {
	// Name is the format as a source names it.
	Name string
	// Encodings lists the encodings, the default one first; empty when the format
	// has only one.
	Encodings []string
	// New returns a decoder for a source of this format.
	New func(src flyball.Source, p ingest.Projection) (ingest.Decoder, error)
}

// Formats lists all formats.
func Formats() []Format {
	return []Format{
		{"otlp_spans", []string{"proto", "json"}, newOTLPSpans},
		{"otlp_metrics", []string{"proto", "json"}, newOTLPMetrics},
		{"otlp_logs", []string{"proto", "json"}, newOTLPLogs},
		{"json", nil, newJSON},
		{"prometheus", []string{"snappy", "proto"}, newPrometheus},
		{"influx", nil, newInflux},
		{"telegraf", nil, newTelegraf},
		{"cloudevents", nil, newCloudEvents},
		{"kubernetes_events", nil, newKubernetesEvents},
		{"confluent", nil, newConfluent},
	}
}

// New returns a decoder for the records of src that keeps the columns of p. A
// decoder is owned by one goroutine. The builders handed to it must have been
// made for the same projection.
func New(src flyball.Source, p ingest.Projection) (ingest.Decoder, error) {
	var names []string
	for _, f := range Formats() {
		if f.Name != src.Format {
			names = append(names, f.Name)
			continue
		}
		if src.Encoding != "" && !slices.Contains(f.Encodings, src.Encoding) {
			return nil, fmt.Errorf("cannot decode source %q: format %q has no encoding %q (want one of %s)",
				src.Name, src.Format, src.Encoding, strings.Join(f.Encodings, ", "))
		}
		if err := checkProjection(p); err != nil {
			return nil, fmt.Errorf("cannot decode source %q: %w", src.Name, err)
		}
		p.Examples = p.Examples && !src.NoExamples
		return f.New(src, p)
	}
	return nil, fmt.Errorf("cannot decode source %q: unknown format %q (want one of %s)",
		src.Name, src.Format, strings.Join(names, ", "))
}

// checkProjection finds columns that have no name or the name of another.
func checkProjection(p ingest.Projection) error {
	for _, list := range [][]string{p.Labels, p.Values} {
		seen := map[string]bool{}
		for _, name := range list {
			if name == "" || seen[name] {
				return fmt.Errorf("column %q is empty or given twice", name)
			}
			seen[name] = true
		}
	}
	return nil
}

func newOTLPSpans(src flyball.Source, p ingest.Projection) (ingest.Decoder, error) {
	if src.Encoding == "json" {
		return spans.NewOTLPJSON(p), nil
	}
	return spans.NewOTLP(p), nil
}

func newJSON(src flyball.Source, p ingest.Projection) (ingest.Decoder, error) {
	d, err := NewJSON(src.JSON, p)
	if err != nil {
		return nil, fmt.Errorf("cannot decode source %q: %w", src.Name, err)
	}
	return d, nil
}

func newOTLPMetrics(src flyball.Source, p ingest.Projection) (ingest.Decoder, error) {
	if src.Encoding == "json" {
		return metrics.NewOTLPJSON(p), nil
	}
	return metrics.NewOTLP(p), nil
}

func newOTLPLogs(src flyball.Source, p ingest.Projection) (ingest.Decoder, error) {
	if src.Encoding == "json" {
		return logs.NewOTLPJSON(p), nil
	}
	return logs.NewOTLP(p), nil
}

func newPrometheus(src flyball.Source, p ingest.Projection) (ingest.Decoder, error) {
	return metrics.NewPrometheus(p, src.Encoding != "proto"), nil
}

func newInflux(_ flyball.Source, p ingest.Projection) (ingest.Decoder, error) {
	return metrics.NewInflux(p)
}

func newTelegraf(_ flyball.Source, p ingest.Projection) (ingest.Decoder, error) {
	return metrics.NewTelegraf(p)
}

func newCloudEvents(_ flyball.Source, p ingest.Projection) (ingest.Decoder, error) {
	return NewCloudEvents(p)
}

func newKubernetesEvents(_ flyball.Source, p ingest.Projection) (ingest.Decoder, error) {
	return NewKubernetesEvents(p)
}

func newConfluent(src flyball.Source, p ingest.Projection) (ingest.Decoder, error) {
	d, err := NewConfluent(src, p)
	if err != nil {
		return nil, fmt.Errorf("cannot decode source %q: %w", src.Name, err)
	}
	return d, nil
}
