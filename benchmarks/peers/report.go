package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/flyball-io/flyball/benchmarks/machine"
)

// Report is what goes to peers.json: the engines by name, and what is true of all.
type Report struct {
	Engines []Figures
	// Equal is whether all results are those of the first engine.
	Equal   bool
	Spans   int64
	Machine machine.Machine
}

// Figures are those of one engine.
type Figures struct {
	Name string `json:"name"`
	// SpansPerSCore is spans per second of the engine's processor time;
	// SecondHalfPerSCore only of the second half of the input.
	SpansPerSCore      float64 `json:"spans_per_s_core"`
	SecondHalfPerSCore float64 `json:"second_half_spans_per_s_core"`
	// SpansPerS is by the clock.
	SpansPerS float64 `json:"spans_per_s"`
	// CPUSeconds and WallSeconds of the measured part.
	CPUSeconds  float64 `json:"cpu_s"`
	WallSeconds float64 `json:"wall_s"`
	// BrokerPerMillion is seconds of the broker's processor time per million spans.
	BrokerPerMillion float64 `json:"broker_cpu_s_per_million"`
	// Spans that it had read by the end.
	Spans        int64 `json:"spans"`
	PeakRSSBytes int64 `json:"peak_rss_bytes"`
	Windows      int   `json:"windows"`
	// Ratio is the first engine's SpansPerSCore ÷ this one's; SecondHalfRatio compares with
	// the second half of this one's.
	Ratio           float64 `json:"ratio"`
	SecondHalfRatio float64 `json:"second_half_ratio"`
	// Equal is whether the results are those of the first engine, and Differ how not.
	Equal  bool   `json:"equal"`
	Differ string `json:"differ,omitempty"`
}

// MarshalJSON puts the engines beside what is true of all.
func (r Report) MarshalJSON() ([]byte, error) {
	all := map[string]any{"results_equal": r.Equal, "spans": r.Spans, "machine": r.Machine}
	for _, f := range r.Engines {
		all[f.Name] = f
	}
	return json.Marshal(all)
}

func (m *Measured) report() Report {
	r := Report{Equal: true, Spans: m.Loaded.Spans, Machine: machine.Here()}
	for _, run := range m.Runs {
		f := run.figures()
		if len(r.Engines) > 0 {
			f.Ratio, f.SecondHalfRatio = r.Engines[0].SpansPerSCore/f.SpansPerSCore, r.Engines[0].SpansPerSCore/f.SecondHalfPerSCore
		} else {
			f.Ratio, f.SecondHalfRatio = 1, 1
		}
		r.Engines = append(r.Engines, f)
		r.Equal = r.Equal && f.Equal
	}
	return r
}

// figures works out what the points say. Everything counts from the first commit on;
// processor time until the engine is idle, or was stopped; the clock until the last commit
// but one, since nobody knows how long the last one waited for its turn.
func (r Run) figures() Figures {
	f := Figures{Name: r.Name, PeakRSSBytes: r.Peak, Windows: r.Windows, Equal: r.Differ == nil}
	if r.Differ != nil {
		f.Differ = r.Differ.Error()
	}
	points := r.Points
	f.Spans = points[len(points)-1].Records * spansPerRecord
	for len(points) > 1 && points[0].Records == 0 {
		points = points[1:]
	}
	first, last := points[0], points[len(points)-1]
	spans := func(from, to Point) float64 { return float64((to.Records - from.Records) * spansPerRecord) }
	f.CPUSeconds = (r.Used - first.CPU).Seconds()
	f.SpansPerSCore = spans(first, last) / f.CPUSeconds
	f.SecondHalfPerSCore = f.SpansPerSCore // where too few commits tell the halves apart
	f.BrokerPerMillion = (last.Broker - first.Broker).Seconds() / spans(first, last) * 1e6
	for _, p := range points {
		if p.Records >= last.Records/2 && p.Records < last.Records {
			f.SecondHalfPerSCore = spans(p, last) / (r.Used - p.CPU).Seconds()
			break
		}
	}
	if n := len(points); n > 2 {
		last = points[n-2]
	}
	f.WallSeconds = (last.At - first.At).Seconds()
	f.SpansPerS = spans(first, last) / f.WallSeconds
	return f
}

// print prints the table for people.
func (r Report) print(w io.Writer) {
	fmt.Fprintf(w, "\n%v\n", r.Machine)
	fmt.Fprintf(w, "%d OTLP spans, %d per record; each engine on one core, Apache Kafka on another; exactly once\n\n", r.Spans, spansPerRecord)
	fmt.Fprintf(w, "  %-42s %13s %13s %9s %9s %8s %8s %8s %9s %8s %s\n", "", "spans/s/core", "second half", "Flyball ×", "2nd half", "M spans", "CPU s", "wall s", "broker*", "peak MB", "results")
	for _, f := range r.Engines {
		equal := "equal"
		if !f.Equal {
			equal = "differ: " + f.Differ
		}
		fmt.Fprintf(w, "  %-42s %13.0f %13.0f %9.1f %9.1f %8.1f %8.1f %8.1f %9.2f %8.0f %s\n", engines[f.Name].title, f.SpansPerSCore, f.SecondHalfPerSCore,
			f.Ratio, f.SecondHalfRatio, float64(f.Spans)/1e6, f.CPUSeconds, f.WallSeconds, f.BrokerPerMillion, float64(f.PeakRSSBytes)/1e6, equal)
	}
	fmt.Fprintf(w, "\n  * seconds of the broker's processor time per million spans\n\n")
}
