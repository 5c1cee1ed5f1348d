package machines

import (
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/processors/aggregate"
)

// Samples hands a batch of decoded samples to the aggregate machine: the same columns,
// in its own words. values is memory for the columns of numbers. What it returns is valid
// until the batch is released.
func Samples(topic string, partition int32, b *ingest.Batch, values [][]float64) aggregate.Samples {
	values = values[:0]
	for _, v := range b.Values {
		values = append(values, v.Float64Values())
	}
	s := aggregate.Samples{
		Topic: topic, Partition: partition, MaxTime: b.MaxTime,
		Time: b.Time.Int64Values(), Set: b.Set.Uint32Values(), Values: values, Traces: b.Traces,
		Notes: aggregate.Notes{Row: b.Notes.Row, Trace: b.Notes.Trace, Text: b.Notes.Text, Value: b.Notes.Value, Nanos: b.Notes.Nanos, At: b.Notes.At},
	}
	if p := b.Points; p != nil {
		s.Points = &aggregate.Points{
			Weight: p.Weight, Distribution: p.Distribution, Distributions: p.Distributions,
			Cumulative: p.Cumulative, Start: p.Start, Stream: p.Stream, Value: p.Value,
		}
	}
	return s
}
