package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode"
	"github.com/flyball-io/flyball/ingest/kafka"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/machines"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/aggregate"
	"github.com/flyball-io/flyball/processors/changes"
)

// aggregateStage decodes the records of one source and folds their samples into
// partial panes.
type aggregateStage struct {
	source  flyball.Source
	session *kafka.Session
	decoder ingest.Decoder
	builder *ingest.Builder
	dict    *ingest.Dictionary
	limits  spec.Limits
	machine *aggregate.Machine
	changes *changes.Reader
	emit    *emitter
	metrics *Metrics

	values      [][]float64
	headers     []ingest.Header
	deadLetters []*kgo.Record
	extents     map[kafka.Partition]kafka.Extent
	lookedAt    time.Time
	alignment   kafka.Alignment
	held        map[kafka.Partition]bool
	complaints  map[kafka.Partition]string // about schemas, of this transaction
}

// lookEvery is how often the ends of the source's partitions are looked up, to
// tell idle partitions from ones that are behind.
const lookEvery = time.Second

func newAggregateStage(src flyball.Source, indicators []flyball.Indicator, limits spec.Limits, panes int32, s *kafka.Session, e *emitter, m *Metrics) (*aggregateStage, error) {
	p := ingest.ProjectionOf(indicators).With(src.Changes)
	dec, err := decode.New(src, p)
	if err != nil {
		return nil, err
	}
	dict := ingest.NewDictionary(len(p.Labels))
	machine, err := aggregate.New(aggregate.Config{
		Source: src, Indicators: indicators, Labels: p.Labels, Values: p.Values, Partitions: panes,
	}, dict)
	if err != nil {
		return nil, err
	}
	return &aggregateStage{
		source: src, changes: changes.New(src, p.Labels, dict), session: s, decoder: dec, dict: dict, limits: limits,
		builder: ingest.NewBuilder(p, dict, ingest.NewPool()), machine: machine,
		emit: e, metrics: m, values: make([][]float64, len(p.Values)),
		complaints: map[kafka.Partition]string{},
		alignment:  kafka.Alignment{MaxDrift: src.MaxDrift, StallTimeout: src.StallTimeout},
	}, nil
}

// take decodes what was fetched, partition by partition, while it is in the
// processor's cache.
func (a *aggregateStage) take(fetches kgo.Fetches) {
	a.builder.SetLatest(flyball.TimeOf(time.Now().Add(a.source.MaxAhead)))
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		for _, r := range p.Records {
			if !r.Attrs.IsControl() {
				if err := a.decode(r); err != nil {
					a.reject(r, err)
				}
			}
			r.Recycle() // now, while what it gives back to be zeroed is in the cache
		}
		a.metrics.records.WithLabelValues(a.source.Name).Add(float64(len(p.Records)))
		a.fold(p.Topic, p.Partition)
		if c, ok := a.decoder.(ingest.Complainer); ok {
			a.complain(p.Topic, p.Partition, c.TakeComplaint())
		}
	})
}

// complain notes what is wrong with the schema of records.
func (a *aggregateStage) complain(topic string, partition int32, complaint string) {
	if complaint != "" {
		a.complaints[kafka.Partition{Topic: topic, Partition: partition}] = complaint
	}
}

// decode contains a decoder's panic: it is a bug, but it must cost one record.
func (a *aggregateStage) decode(r *kgo.Record) (err error) {
	before := a.builder.Len()
	defer func() {
		if p := recover(); p != nil {
			a.builder.Truncate(before)
			err = &ingest.Rejection{Reason: ingest.ReasonPanic, Detail: fmt.Sprint(p)}
		}
	}()
	d, ok := a.decoder.(ingest.RecordDecoder)
	if !ok {
		return a.decoder.Decode(r.Value, a.builder)
	}
	a.headers = a.headers[:0]
	for _, h := range r.Headers {
		a.headers = append(a.headers, ingest.Header{Key: h.Key, Value: h.Value})
	}
	return d.DecodeRecord(a.headers, r.Value, a.builder)
}

func (a *aggregateStage) reject(r *kgo.Record, err error) {
	rej, ok := ingest.Rejected(err)
	if !ok {
		rej = &ingest.Rejection{Reason: ingest.ReasonMalformed, Detail: err.Error()}
	}
	a.metrics.rejected.WithLabelValues(a.source.Name, rej.Reason).Add(float64(max(rej.Samples, 1)))
	if rej.Reason == ingest.ReasonNoSchema {
		a.complain(r.Topic, r.Partition, rej.Detail)
	}
	a.deadLetters = append(a.deadLetters, a.emit.deadRecord(roleAggregate, rej.Reason, rej.Error(), r))
}

func (a *aggregateStage) fold(topic string, partition int32) {
	b := a.builder.Batch()
	defer b.Release()
	a.metrics.samples.WithLabelValues(a.source.Name).Add(float64(b.Rows()))
	a.changes.Take(b.Time.Int64Values(), b.Set.Uint32Values())
	a.machine.Step(aggregate.Input{Samples: []aggregate.Samples{machines.Samples(topic, partition, b, a.values)}})
}

func (a *aggregateStage) flush(ctx context.Context, now time.Time) (output, error) {
	partitions, err := a.partitions(ctx, now)
	if err != nil {
		return output{}, err
	}
	ready := a.machine.Step(aggregate.Input{Flush: &aggregate.Flush{Now: flyball.TimeOf(now), Partitions: partitions}})
	a.metrics.limits(roleAggregate, ready.Limited)
	a.metrics.limited.WithLabelValues(roleAggregate, limitLabelLength).Add(float64(a.dict.TakeCut()))
	found, more := a.changes.Found()
	a.metrics.limited.WithLabelValues(roleAggregate, processors.LimitChanges).Add(float64(more))
	records, err := events(a.emit, append(a.deadLetters, a.emit.panes(ready.Panes)...), "change", found, a.emit.events.Control)
	return output{records: records, resume: a.times(partitions)}, err
}

// partitions says how far the partitions that this member owns have been read.
func (a *aggregateStage) partitions(ctx context.Context, now time.Time) ([]aggregate.SourcePartition, error) {
	if now.Sub(a.lookedAt) >= lookEvery {
		ends, err := a.session.Extents(ctx, a.source.Topics...)
		if err != nil {
			return nil, err
		}
		a.extents, a.lookedAt = ends, now
		a.align(ctx, now)
	}
	of := map[string]int32{}
	for p := range a.extents {
		of[p.Topic]++
	}
	var out []aggregate.SourcePartition
	for p, next := range a.session.Positions() {
		extent, known := a.extents[p]
		if !known {
			continue // a partition newer than the last look
		}
		behind := max(extent.End-max(next, extent.Start), 0)
		a.metrics.lag.WithLabelValues(p.Topic, fmt.Sprint(p.Partition)).Set(float64(behind))
		out = append(out, aggregate.SourcePartition{
			Topic: p.Topic, Partition: p.Partition, Of: of[p.Topic], CaughtUp: behind == 0, Held: a.held[p], Complaint: a.complaints[p],
		})
	}
	sortPartitions(out)
	return out, nil
}

func (a *aggregateStage) end(committed bool) {
	a.deadLetters = nil
	clear(a.complaints)
	a.changes.Reset()
	if committed {
		a.machine.Commit()
	} else {
		a.machine.Abort()
	}
	reason := ""
	switch {
	case a.dict.Sets() > a.limits.LabelSets:
		reason = limitLabelSets
	case a.dict.Bytes() > a.limits.LabelBytes:
		reason = limitLabelBytes
	default:
		return
	}
	a.dict.Reset()
	a.metrics.limited.WithLabelValues(roleAggregate, reason).Inc()
}
