package model

import (
	"fmt"
	"math"
	"time"
)

// Load is what comes in, and how it is measured.
type Load struct {
	// Samples per second, of so many series; Skew is the exponent of Zipf's law by which
	// the samples are spread over them, 0 for evenly.
	Samples float64
	Series  int
	Skew    float64
	// Keyed says that all samples of a series are in one source partition.
	Keyed bool
	// Commit, Pane, Window and Lateness as configured.
	Commit, Pane, Window, Lateness time.Duration
	// Busy is the share of a core that is planned to be used, to have the rest for bursts
	// and for catching up.
	Busy float64
	// Days that windows are kept, and Replicas of ClickHouse.
	Days, Replicas int
}

// Default returns a load with Flyball's defaults.
func Default(samples float64, series int) Load {
	return Load{Samples: samples, Series: series, Skew: 1, Commit: 500 * time.Millisecond, Pane: 10 * time.Second,
		Window: time.Minute, Lateness: 5 * time.Minute, Busy: 0.5, Days: 90, Replicas: 2}
}

// Plan is what a load needs.
type Plan struct {
	Load Load
	// Sources and Panes are numbers of partitions, Aggregate and Evaluate of members: a
	// core each.
	Sources, Aggregate, Panes, Evaluate int
	// InputMB and PanesMB per second, compressed; Rows are partial panes per second, and
	// Amplified how often a pane is sent in parts.
	InputMB, PanesMB, Rows, Amplified float64
	// Batches per second that aggregate produces, and Marks per second, as records and in MB.
	Batches, Marks, MarksMB float64
	// EvaluateGB is the memory of all evaluate members.
	EvaluateGB float64
	// Windows per second, and what ClickHouse keeps of them, all replicas.
	Windows, ClickHouseGB float64
	// Restore is how long a successor of an evaluate member reads back.
	Restore time.Duration
}

// sourceLimit is what a source partition is planned for, in MB per second: a member reads
// one with a core, and brokers do not like more.
const sourceLimit = 10

// Work works out what a load needs. The number of members and the traffic between them
// depend on each other, so it goes on until both hold.
func Work(l Load, c Costs) Plan {
	p := Plan{Load: l, InputMB: l.Samples * c.SpanBytes / 1e6}
	commits := 1 / l.Commit.Seconds()
	for p.Aggregate = 1; ; p.Aggregate++ {
		p.Rows = float64(p.Aggregate) * commits * p.rowsPerFlush()
		if (l.Samples*c.AggregateNs+p.Rows*c.RowNs)/1e9 <= float64(p.Aggregate)*l.Busy {
			break
		}
	}
	p.Sources = max(2*p.Aggregate, int(math.Ceil(p.InputMB/sourceLimit)))
	live := float64(l.Series) / l.Pane.Seconds()
	p.Amplified = p.Rows / live
	p.Windows = float64(l.Series) / l.Window.Seconds()
	cores := (p.Rows*(c.MergeNs+c.CommitNs) + p.Windows*c.CloseNs) / 1e9
	p.Evaluate = max(1, int(math.Ceil(cores/l.Busy)))
	p.Panes = roundUp(2*p.Evaluate, 4)
	p.PanesMB = p.Rows * c.RowPacked / 1e6
	p.Batches = float64(p.Aggregate*p.Panes) * commits
	p.Marks = float64(p.Sources*p.Panes) / l.Pane.Seconds()
	p.MarksMB = p.Marks * c.MarkBytes / 1e6
	p.EvaluateGB = float64(l.Series) * c.SeriesBytes / 1e9
	p.ClickHouseGB = p.Windows * 86400 * float64(l.Days*l.Replicas) * c.WindowBytes / 1e9
	back := (l.Window + l.Lateness).Seconds()
	p.Restore = time.Duration(p.Rows * back / float64(p.Panes) * c.MergeNs)
	return p
}

// rowsPerFlush returns how many partial panes a member sends with a transaction: of as
// many series as its samples of that time are expected to be of. Some of them lie in the
// pane before.
func (p *Plan) rowsPerFlush() float64 {
	l := &p.Load
	samples := l.Samples * l.Commit.Seconds() / float64(p.Aggregate)
	series := float64(l.Series)
	if l.Keyed {
		series /= float64(p.Aggregate)
	}
	return Distinct(samples, series, l.Skew) * (1 + l.Commit.Seconds()/l.Pane.Seconds())
}

// Distinct returns how many of so many series are expected to be seen in a number of
// samples, if the share of series k is as 1/k^skew.
func Distinct(samples, series, skew float64) float64 {
	// Series are looked at in groups whose shares are about the same.
	norm, seen := 0.0, 0.0
	groups(series, func(k, n float64) { norm += n * math.Pow(k, -skew) })
	groups(series, func(k, n float64) {
		seen += n * -math.Expm1(-samples*math.Pow(k, -skew)/norm)
	})
	return seen
}

// groups calls f with the middle of runs of series, and how many are in each.
func groups(series float64, f func(k, n float64)) {
	for from := 1.0; from <= series; {
		to := min(math.Ceil(from*1.02), series+1)
		if to <= from {
			to = from + 1
		}
		f((from+to-1)/2, to-from)
		from = to
	}
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// Limit is something that a plan comes near to.
type Limit struct {
	Name string
	// Used is the share of the limit.
	Used float64
	// Remedy is what to do.
	Remedy string
}

// What a cluster of brokers and a process usually bear.
const (
	mostBatches    = 100_000 // per second and cluster: each is a request's part, an index entry and a fsync's share
	mostPartitions = 1_000   // that one member produces to in a transaction
	mostSeries     = 100_000 // of an indicator, by default
	mostMemoryGB   = 8       // of an evaluate member
	mostAmplified  = 40      // parts of a pane: from there on panes cost more than spans
)

// Limits returns what the plan comes near to, as shares, in a fixed order.
func (p *Plan) Limits() []Limit {
	return []Limit{
		{"parts of a pane", p.Amplified / mostAmplified, "key the topic by service, or commit less often: fewer members see the same series"},
		{"batches that aggregate produces", p.Batches / mostBatches, "commit less often, have fewer partitions of panes"},
		{"partitions in a transaction", float64(p.Panes) / mostPartitions, "more cores in a process do not help; split the indicators over two pipelines"},
		{"series of an indicator", float64(p.Load.Series) / mostSeries, "raise seriesLimit, or group by less"},
		{"memory of an evaluate member", p.EvaluateGB / float64(p.Evaluate) / mostMemoryGB, "more evaluate members and partitions of panes, less lateness"},
	}
}

// First returns what breaks first.
func (p *Plan) First() Limit {
	var first Limit
	for _, l := range p.Limits() {
		if l.Used > first.Used {
			first = l
		}
	}
	return first
}

// String is the plan in a line, for tests and logs.
func (p *Plan) String() string {
	return fmt.Sprintf("%.0f/s of %d series: %d aggregate on %d partitions, %.0f rows/s, %d evaluate on %d", p.Load.Samples, p.Load.Series,
		p.Aggregate, p.Sources, p.Rows, p.Evaluate, p.Panes)
}
