package replay

import (
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/machines"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/aggregate"
)

// maxRows is how many samples of a partition are gathered before they are folded.
const maxRows = 1 << 16

// source decodes the records of one source and folds their samples, as one member does
// that owns all its partitions.
type source struct {
	spec     flyball.Source
	limits   spec.Limits
	decoder  ingest.Decoder
	dict     *ingest.Dictionary
	machine  *aggregate.Machine
	builders map[Partition]*ingest.Builder
	owned    []aggregate.SourcePartition
	values   [][]float64
	summary  *Summary
}

func newSource(c *config.Config, src flyball.Source, panes int32, all []Partition, sum *Summary) (*source, error) {
	indicators := machines.IndicatorsOf(c, src.Name)
	p := ingest.ProjectionOf(indicators)
	dec, err := decode.New(src, p)
	if err != nil {
		return nil, err
	}
	s := &source{
		spec: src, limits: c.Pipeline.Limits, decoder: dec, dict: ingest.NewDictionary(len(p.Labels)),
		builders: map[Partition]*ingest.Builder{}, values: make([][]float64, len(p.Values)), summary: sum,
	}
	s.machine, err = aggregate.New(aggregate.Config{
		Source: src, Indicators: indicators, Labels: p.Labels, Values: p.Values, Partitions: panes,
	}, s.dict)
	if err != nil {
		return nil, err
	}
	of := map[string]int32{}
	for _, x := range all {
		of[x.Topic]++
	}
	for _, x := range all {
		if slices.Contains(src.Topics, x.Topic) {
			s.builders[x] = ingest.NewBuilder(p, s.dict, ingest.NewPool())
			// What came by now was read by now: nobody here lags behind.
			s.owned = append(s.owned, aggregate.SourcePartition{Topic: x.Topic, Partition: x.Index, Of: of[x.Topic], CaughtUp: true})
		}
	}
	return s, nil
}

// take decodes a record, if it is one of this source.
func (s *source) take(r *Record, now flyball.Time) {
	b := s.builders[r.Partition]
	if b == nil {
		return
	}
	b.SetLatest(now.Add(s.spec.MaxAhead))
	if rejected := decodeRecord(s.decoder, r, b); rejected != nil {
		s.summary.Rejected[rejected.Reason] += int64(max(rejected.Samples, 1))
	}
	if b.Len() >= maxRows {
		s.fold(r.Partition, b)
	}
}

func (s *source) fold(p Partition, builder *ingest.Builder) {
	b := builder.Batch()
	defer b.Release()
	if b.Rows() == 0 && b.MaxTime == flyball.NoTime {
		return
	}
	s.summary.Samples += int64(b.Rows())
	samples := machines.Samples(p.Topic, p.Index, b, s.values)
	s.machine.Step(aggregate.Input{Samples: []aggregate.Samples{samples}})
}

// flush returns the partial panes of what was taken. They are valid until the next.
func (s *source) flush(now flyball.Time) []processors.PaneBlock {
	for _, p := range s.owned {
		x := Partition{p.Topic, p.Partition}
		s.fold(x, s.builders[x])
	}
	ready := s.machine.Step(aggregate.Input{Flush: &aggregate.Flush{Now: now, Partitions: s.owned}})
	s.summary.limited(ready.Limited)
	return ready.Panes
}

func (s *source) commit() {
	s.machine.Commit()
	if s.dict.Sets() > s.limits.LabelSets || s.dict.Bytes() > s.limits.LabelBytes {
		s.dict.Reset()
	}
}
