package pipeline

import (
	"context"
	"math"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest/kafka"
	"github.com/flyball-io/flyball/internal/pipeline/checkpoint"
	"github.com/flyball-io/flyball/processors/aggregate"
)

// align holds those partitions of this member that are far ahead of the slowest one of
// their source, whoever reads that. Members see each other by what they commit. Where
// that cannot be looked up, it stays as it was.
func (a *aggregateStage) align(ctx context.Context, now time.Time) {
	if a.source.MaxDrift <= 0 {
		return
	}
	committed, err := a.session.Committed(ctx, a.source.Topics...)
	if err != nil {
		return
	}
	all := make(map[kafka.Partition]kafka.Reading, len(committed))
	for _, c := range committed {
		all[c.Partition] = kafka.Reading{Next: c.Offset, End: a.extents[c.Partition].End, Time: checkpoint.TimeOf(c.Metadata)}
	}
	owned := a.session.Positions()
	for p, next := range owned {
		r := all[p]
		r.Next, r.End = next, a.extents[p].End
		if at := a.machine.Latest(p.Topic, p.Partition); at != flyball.NoTime || r.Time == 0 {
			r.Time = at
		}
		all[p] = r
	}
	held := map[kafka.Partition]bool{}
	for p := range a.alignment.Hold(now, all) {
		if _, ok := owned[p]; !ok {
			continue
		}
		held[p] = true
		if !a.held[p] {
			a.metrics.limited.WithLabelValues(roleAggregate, limitDrift).Inc()
		}
	}
	a.session.Hold(held)
	a.held = held
}

// times tells the other members how far in event time partitions have been read.
func (a *aggregateStage) times(partitions []aggregate.SourcePartition) map[kafka.Partition]checkpoint.Resumption {
	if a.source.MaxDrift <= 0 {
		return nil
	}
	out := make(map[kafka.Partition]checkpoint.Resumption, len(partitions))
	for _, p := range partitions {
		if at := a.machine.Latest(p.Topic, p.Partition); at != flyball.NoTime {
			out[kafka.Partition{Topic: p.Topic, Partition: p.Partition}] = checkpoint.Resumption{Low: math.MaxInt64, At: at}
		}
	}
	return out
}
