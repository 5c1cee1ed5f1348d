// Package model works out what a load needs: members, partitions, memory, traffic and
// ClickHouse, from costs that were measured, and simulates what happens when a member
// dies. It has no clock and no chance: the same load gives the same numbers.
package model

// Costs are what the parts of Flyball cost, as measured. Each names the command that
// measures it; on other machines they are others, and the tables follow.
type Costs struct {
	// AggregateNs is processor time per span of fetching, decoding, folding and committing:
	// `make bench`, aggregate_ns_per_span.
	AggregateNs float64
	// SpanBytes is a span on its topic, in OTLP, 100 in a record, zstd: `make bench`,
	// bytes_per_span.
	SpanBytes float64
	// RowNs is processor time per partial pane to write it, on the side of aggregate:
	// `go test -bench Encode ./benchmarks/scale/model`.
	RowNs float64
	// RowBytes is a partial pane with a histogram and a trace on the topic of panes, before
	// compression, and RowPacked after it: `go test -run Encoder -v ./benchmarks/scale/model`.
	RowBytes, RowPacked float64
	// MarkBytes is a watermark mark: the same.
	MarkBytes float64
	// MergeNs is processor time of evaluate per partial pane, CommitNs per partial pane of a
	// transaction, and CloseNs per window that closes, with budgets and detectors:
	// `make bench-evaluate`, merge_ns, commit_ns and close_ns.
	MergeNs, CloseNs, CommitNs float64
	// SeriesBytes is what evaluate keeps of a series of 10 s panes and
	// five minutes of lateness, with budgets and detectors: `make bench-evaluate`,
	// bytes_per_series.
	SeriesBytes float64
	// WindowBytes is a row of windows on disk: `make bench-storage`, bytes_per_row.
	WindowBytes float64
}

// Measured are the costs on two cores of an AMD EPYC that other work kept busy, the broker
// on the same machine: rather too much than too little.
func Measured() Costs {
	return Costs{
		AggregateNs: 766, SpanBytes: 45,
		RowNs: 1395, RowBytes: 207, RowPacked: 71, MarkBytes: 106,
		MergeNs: 3010, CloseNs: 40789, CommitNs: 2236,
		SeriesBytes: 82291, WindowBytes: 38.1,
	}
}
