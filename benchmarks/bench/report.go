package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball/benchmarks/machine"
	"github.com/flyball-io/flyball/benchmarks/record"
)

// Report is what goes to bench.json. Times per span are processor time, medians
// over the rounds.
type Report struct {
	FloorNsPerSpan     float64 `json:"floor_ns_per_span"`
	AggregateNsPerSpan float64 `json:"aggregate_ns_per_span"`
	// AggregateRatio is the first ÷ the second.
	AggregateRatio float64 `json:"aggregate_ratio"`
	// AggregateRatios are those of each round.
	AggregateRatios []float64 `json:"aggregate_ratios"`
	// Spans per second by the clock, broker on the same machine.
	FloorSpansPerS     float64 `json:"floor_spans_per_s"`
	AggregateSpansPerS float64 `json:"aggregate_spans_per_s"`
	// SpansPerSCore is how many spans aggregate takes per second of processor time.
	SpansPerSCore float64 `json:"spans_per_s_core"`
	// AllocsPerSpan is heap allocations of aggregate, its Kafka client and its
	// transactions included.
	AllocsPerSpan float64 `json:"allocs_per_span"`
	// PanesBytesRatio is bytes of panes ÷ bytes of input, both compressed, while
	// catching up; PanesRawRatio the same before compression.
	PanesBytesRatio float64 `json:"panes_bytes_ratio"`
	PanesRawRatio   float64 `json:"panes_raw_ratio"`
	// SteadyPanesBytesRatio and SteadyPanesRawRatio are those at SteadyRate spans
	// per second.
	SteadyPanesBytesRatio float64 `json:"steady_panes_bytes_ratio"`
	SteadyPanesRawRatio   float64 `json:"steady_panes_raw_ratio"`
	SteadyRate            float64 `json:"steady_rate"`
	AggregatePeakBytes    int64   `json:"aggregate_peak_rss_bytes"`
	// RecordRatio is the speed of record ÷ that of the bare client; see package
	// record. RecordCPURatio compares processor time.
	RecordRatio    float64 `json:"record_ratio"`
	RecordCPURatio float64 `json:"record_cpu_ratio"`

	// Spans is how many were measured in each round, after the warm-up.
	Spans        int64   `json:"spans"`
	BytesPerSpan float64 `json:"bytes_per_span"`
	Partitions   int     `json:"partitions"`
	Workers      int     `json:"workers"`
	Rounds       int     `json:"rounds"`
	// Others are the reports of the other kinds of telemetry, by name; what is called
	// spans there is their samples.
	Others  map[string]Report `json:"others,omitempty"`
	Machine machine.Machine   `json:"machine"`
}

// report works out a Report; the record part is added by whoever measures it.
func (m *Measured) report() Report {
	spans := float64(m.Spans)
	input := m.Loaded.Traffic
	r := Report{
		FloorNsPerSpan:     median(m.Floor, func(u Usage) float64 { return float64(u.CPU) }) / spans,
		AggregateNsPerSpan: median(m.Aggregate, func(u Usage) float64 { return float64(u.CPU) }) / spans,
		FloorSpansPerS:     spans / median(m.Floor, func(u Usage) float64 { return u.Wall.Seconds() }),
		AggregateSpansPerS: spans / median(m.Aggregate, func(u Usage) float64 { return u.Wall.Seconds() }),
		AllocsPerSpan:      median(m.Aggregate, func(u Usage) float64 { return float64(u.Mallocs) }) / spans,
		SteadyRate:         m.Plan.SteadyRate,
		Spans:              m.Spans, BytesPerSpan: float64(m.Loaded.Bytes) / float64(m.Loaded.Spans),
		Partitions: m.Plan.Partitions, Workers: m.Plan.Workers, Rounds: m.Plan.Rounds,
		Machine: machine.Here(),
	}
	measured := spans / float64(m.Loaded.Spans) // the part of the input that is after the warm-up
	r.PanesBytesRatio = median(m.Aggregate, func(u Usage) float64 { return float64(u.Traffic.ProducedBytes) }) / measured / float64(input.ProducedBytes)
	r.PanesRawRatio = median(m.Aggregate, func(u Usage) float64 { return float64(u.Traffic.ProducedRaw) }) / measured / float64(input.ProducedRaw)
	if m.Plan.SteadyFor > 0 {
		r.SteadyPanesBytesRatio = float64(m.Steady.Traffic.ProducedBytes) / float64(m.SteadyLoaded.Traffic.ProducedBytes)
		r.SteadyPanesRawRatio = float64(m.Steady.Traffic.ProducedRaw) / float64(m.SteadyLoaded.Traffic.ProducedRaw)
	}
	r.AggregateRatio = r.FloorNsPerSpan / r.AggregateNsPerSpan
	r.SpansPerSCore = 1e9 / r.AggregateNsPerSpan
	for i, f := range m.Floor {
		r.AggregateRatios = append(r.AggregateRatios, float64(f.CPU)/float64(m.Aggregate[i].CPU))
	}
	for _, u := range m.Aggregate {
		r.AggregatePeakBytes = max(r.AggregatePeakBytes, u.Peak)
	}
	return r
}

// addRecord adds what package record measured.
func (r *Report) addRecord(m record.Result) { r.RecordRatio, r.RecordCPURatio = m.Ratio, m.CPURatio }

func median(list []Usage, of func(Usage) float64) float64 {
	var v []float64
	for _, u := range list {
		v = append(v, of(u))
	}
	slices.Sort(v)
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// print prints the table for people.
func (m *Measured) print(w io.Writer, r Report) {
	compressed := float64(m.Loaded.Traffic.ProducedBytes) / float64(m.Loaded.Spans)
	unit := "sample"
	if m.Plan.Workload == "spans" {
		unit = "span"
	}
	fmt.Fprintf(w, "\n%s on %v\n", m.Plan.Workload, r.Machine)
	fmt.Fprintf(w, "%d %ss of %.0f bytes (%.0f after zstd), %d per record, %d partitions; %d clients; broker in a process of its own\n",
		r.Spans, unit, r.BytesPerSpan, compressed, workloads[m.Plan.Workload].perRecord, r.Partitions, r.Workers)
	fmt.Fprintf(w, "medians of %d rounds by turns, after a warm-up of %d; CPU is user and system time of the reading process\n\n",
		r.Rounds, m.Loaded.Spans-m.Spans)
	fmt.Fprintf(w, "  %-22s %13s %14s %12s %13s %8s %8s\n", "", "CPU ns/"+unit, unit+"s/s/core", unit+"s/s", "allocs/"+unit, "GCs", "peak MB")
	line := func(name string, ns, rate float64, list []Usage) {
		of := func(f func(Usage) float64) float64 { return median(list, f) }
		fmt.Fprintf(w, "  %-22s %13.1f %14.0f %12.0f %13.4f %8.0f %8.0f\n", name, ns, 1e9/ns, rate,
			of(func(u Usage) float64 { return float64(u.Mallocs) })/float64(r.Spans),
			of(func(u Usage) float64 { return float64(u.GCs) }), of(func(u Usage) float64 { return float64(u.Peak) / 1e6 }))
	}
	line("floor loop", r.FloorNsPerSpan, r.FloorSpansPerS, m.Floor)
	line("aggregate", r.AggregateNsPerSpan, r.AggregateSpansPerS, m.Aggregate)
	fmt.Fprintf(w, "  ratio of CPU           %12.3f  (rounds %s)\n", r.AggregateRatio, ratios(r.AggregateRatios))
	fmt.Fprintf(w, "  aggregate committed %.0f transactions per round; its panes hold what the floor counted: %d series, %d failures\n\n",
		median(m.Aggregate, func(u Usage) float64 { return float64(u.Traffic.Commits) }), m.Sums.Series, m.Sums.Failed)
	fmt.Fprintf(w, "  panes ÷ input          %12s %14s\n", "compressed", "uncompressed")
	share := func(name string, bytes, raw float64) {
		fmt.Fprintf(w, "  %-22s %11.3f%% %13.3f%%\n", name, 100*bytes, 100*raw)
	}
	share("catching up", r.PanesBytesRatio, r.PanesRawRatio)
	if m.Plan.SteadyFor > 0 {
		share(fmt.Sprintf("at %.0f %ss/s", r.SteadyRate, unit), r.SteadyPanesBytesRatio, r.SteadyPanesRawRatio)
	}
	fmt.Fprintln(w)
}

func ratios(list []float64) string {
	var b strings.Builder
	for i, r := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%.3f", r)
	}
	return b.String()
}

// defaultPlan of a workload; all take about four minutes on two cores.
func defaultPlan(workload string) Plan {
	p := Plan{
		Workload: workload, Spans: 6_000_000, WarmUp: 1. / 6, Rate: 20_000, Partitions: 8, Workers: runtime.NumCPU(), Rounds: 5,
	}
	switch workload {
	case "spans":
		p.SteadyRate, p.SteadyFor = 20_000, 20*time.Second
	case "json":
		p.Spans = 3_000_000
	}
	return p
}
