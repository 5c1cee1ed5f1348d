package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/internal/machines"
	"github.com/flyball-io/flyball/internal/scenario/input"
	"github.com/flyball-io/flyball/internal/scenario/memlog"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/aggregate"
	"github.com/flyball-io/flyball/processors/changes"
)

// aggregateStage folds the samples of one source, as columns that an
// ingest.Builder made.
type aggregateStage struct {
	engine  *Engine
	member  *member
	source  flyball.Source
	builder *ingest.Builder
	machine *aggregate.Machine
	changes *changes.Reader

	codes  []uint32
	values []float64
	dead   []memlog.Record
}

func newAggregateStage(e *Engine, m *member, src flyball.Source, indicators []flyball.Indicator) (*aggregateStage, error) {
	p := ingest.ProjectionOf(indicators).With(src.Changes)
	dict := ingest.NewDictionary(len(p.Labels))
	machine, err := aggregate.New(aggregate.Config{
		Source: src, Indicators: indicators, Labels: p.Labels, Values: p.Values, Partitions: e.cfg.Panes,
	}, dict)
	if err != nil {
		return nil, err
	}
	return &aggregateStage{
		engine: e, member: m, source: src, changes: changes.New(src, p.Labels, dict), machine: machine, builder: ingest.NewBuilder(p, dict, ingest.NewPool()),
		codes: make([]uint32, len(p.Labels)), values: make([]float64, len(p.Values)),
	}, nil
}

func (a *aggregateStage) take(p memlog.Partition, records []*memlog.Record) {
	a.builder.SetLatest(a.engine.now.Add(a.source.MaxAhead))
	for _, r := range records {
		if rejection := a.decode(r.Payload.(*input.Arrival)); rejection != nil {
			out := a.engine.topics.DeadLetter(r.Kafka(), string(Aggregate), rejection.Reason, rejection.Error())
			a.dead = append(a.dead, memlog.Record{
				Partition: memlog.Partition{Topic: out.Topic}, Key: out.Key, Value: out.Value, Headers: out.Headers,
				Payload: Dead{Source: a.source.Name, Partition: p, Samples: int64(rejection.Samples)},
			})
		}
	}
	b := a.builder.Batch()
	defer b.Release()
	samples := machines.Samples(p.Topic, p.Index, b, nil)
	a.changes.Take(samples.Time, samples.Set)
	a.machine.Step(aggregate.Input{Samples: []aggregate.Samples{samples}})
}

// decode appends the samples of an arrival, as a decoder does those of a record.
func (a *aggregateStage) decode(in *input.Arrival) *ingest.Rejection {
	var rejected *ingest.Rejection
	proj, dict := a.builder.Projection(), a.builder.Dictionary()
	for i := range in.Total {
		label, number := in.Sample(i)
		for c, name := range proj.Labels {
			a.codes[c] = dict.Code(c, []byte(label(name)))
		}
		for c, name := range proj.Values {
			a.values[c] = number(name)
		}
		err := a.append(in, dict.Set(a.codes))
		var r *ingest.Rejection
		switch {
		case err == nil:
		case !errors.As(err, &r):
			panic("BUG: a builder refuses a sample without a reason: " + err.Error())
		case rejected == nil:
			rejected = r
		default:
			rejected.Samples += r.Samples
		}
	}
	return rejected
}

// append appends a sample, or a point of a cumulative stream: one for all lines with the
// same labels.
func (a *aggregateStage) append(in *input.Arrival, set uint32) error {
	at := a.engine.cfg.Origin.Add(in.Event)
	if !in.Cumulative {
		return a.builder.Append(at, set, a.values)
	}
	id := sha256.Sum256([]byte(in.Series.Labels.JSON()))
	p := ingest.Point{
		Cumulative: true, Value: in.Totals,
		Stream: flyball.StreamID{Hi: binary.BigEndian.Uint64(id[:]), Lo: binary.BigEndian.Uint64(id[8:])},
	}
	if in.Since != nil {
		p.Start = a.engine.cfg.Origin.Add(*in.Since)
	}
	if c := a.builder.Projection().Value(flyball.FieldValue); c >= 0 {
		a.values[c] = in.Totals
	}
	return a.builder.AppendPoint(at, set, a.values, &p)
}

func (a *aggregateStage) flush() (output, error) {
	var parts []aggregate.SourcePartition
	for _, p := range a.member.owned {
		parts = append(parts, aggregate.SourcePartition{
			Topic: p.Topic, Partition: p.Index, Of: int32(len(a.engine.log.Partitions(p.Topic))),
			CaughtUp: a.engine.log.Stable(p) <= a.member.position[p],
		})
	}
	ready := a.machine.Step(aggregate.Input{Flush: &aggregate.Flush{Now: a.engine.now, Partitions: parts}})
	out := output{records: a.dead}
	for _, b := range ready.Panes {
		out.records = append(out.records, memlog.Record{
			Partition: memlog.Partition{Topic: a.engine.topics.Panes(), Index: b.Partition},
			Value:     slices.Clone(b.Panes), Payload: wired(b.Marks),
		})
	}
	found, _ := a.changes.Found()
	for i := range found {
		r, err := a.engine.encoder().Control(&found[i])
		if err != nil {
			return output{}, err
		}
		out.records = append(out.records, fromKafka(r))
	}
	return out, nil
}

func (a *aggregateStage) end(committed bool) {
	a.dead = nil
	a.changes.Reset()
	if committed {
		a.machine.Commit()
	} else {
		a.machine.Abort()
	}
}

// wired returns marks as they are after they have travelled.
func wired(in []processors.Mark) (out []processors.Mark) {
	if err := json.Unmarshal(mustJSON(in), &out); err != nil {
		panic("BUG: marks do not decode: " + err.Error())
	}
	return out
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: cannot encode: " + err.Error())
	}
	return b
}

var _ processors.Machine[aggregate.Input] = (*aggregate.Machine)(nil)
