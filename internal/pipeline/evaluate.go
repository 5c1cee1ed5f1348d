package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest/kafka"
	"github.com/flyball-io/flyball/internal/machines"
	"github.com/flyball-io/flyball/internal/pipeline/checkpoint"
	"github.com/flyball-io/flyball/internal/pipeline/marks"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/aggregate"
	"github.com/flyball-io/flyball/processors/evaluate"
	"github.com/flyball-io/flyball/processors/topology"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// evaluateStage runs one evaluate machine per partition of the panes topic that
// the member owns.
type evaluateStage struct {
	cfg       evaluate.Config // Partition is set per machine
	topic     string          // panes
	canaries  string          // requests
	readState func(ctx context.Context, partition int32, prefix string) (map[string][]byte, error)
	emit      *emitter
	metrics   *Metrics
	log       *slog.Logger

	machines map[int32]*evaluate.Machine
	heads    map[int32]int64 // where news began when the partition was assigned
	inputs   map[int32]*evaluate.Input
	late     []processors.DeadLetter
	// progress[p] is the time of the last watermark that decide was told, partitions
	// is how many there are; 0 tells it nothing.
	progress   map[int32]flyball.Time
	partitions int32
	telling    map[int32]flyball.Time // in this transaction
	sizes      *checkpoint.Sizes
	learners   map[int32]*topology.Learner
}

// progressEvery is the event time between two watermarks for decide.
const progressEvery = 10 * time.Second

// rebalanced drops the machines of partitions that are gone and restores those
// of new ones.
func (e *evaluateStage) rebalanced(ctx context.Context, c kafka.Changes) error {
	for _, p := range c.Revoked {
		if p.Topic != e.topic {
			continue // it goes with its partition of panes
		}
		delete(e.machines, p.Partition)
		e.sizes.Drop(p.Partition)
		delete(e.inputs, p.Partition)
		delete(e.progress, p.Partition)
		delete(e.learners, p.Partition)
	}
	for _, a := range c.Assigned {
		p := a.Partition.Partition
		if a.Topic != e.topic {
			continue
		}
		delete(e.inputs, p)
		started := time.Now()
		head, err := checkpoint.HeadOf(a)
		if err != nil {
			return err
		}
		cfg := e.cfg
		cfg.Partition = p
		m := evaluate.New(cfg)
		state, err := e.readState(ctx, p, evaluate.Prefix(p))
		if err != nil {
			return err
		}
		if err := checkpoint.Restore(state, m.Restore); err != nil {
			return err
		}
		m.Restored()
		e.sizes.Restored(p, state)
		m.ResumeAt(head)
		e.machines[p], e.heads[p], e.learners[p] = m, head, topology.NewLearner()
		e.log.Info("partition restored", "role", roleEvaluate, "partition", p, "from", a.Offset, "head", head, "keys", len(state), "took", time.Since(started))
	}
	return nil
}

func (e *evaluateStage) take(fetches kgo.Fetches) {
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if e.machines[p.Partition] == nil {
			return // revoked meanwhile: the member takes this transaction back
		}
		in := e.inputs[p.Partition]
		if in == nil {
			in = &evaluate.Input{}
			e.inputs[p.Partition] = in
		}
		for _, r := range p.Records {
			if r.Attrs.IsControl() {
				continue
			}
			if p.Topic == e.canaries {
				e.request(in, r)
				continue
			}
			told, err := marks.Of(r)
			if err != nil {
				e.late = append(e.late, processors.DeadLetter{Reason: evaluate.ReasonMalformed, Detail: err.Error(), Value: r.Value})
			}
			label, err := sinkkafka.LabelOf(r)
			if err != nil {
				e.late = append(e.late, processors.DeadLetter{Reason: evaluate.ReasonMalformed, Detail: err.Error()})
			}
			in.Records = append(in.Records, evaluate.Record{Offset: r.Offset, Panes: r.Value, Marks: told, Label: label})
		}
	})
}

// request adds a request about a canary to the input.
func (e *evaluateStage) request(in *evaluate.Input, r *kgo.Record) {
	request, err := sinkkafka.DecodeCanaryRequest(r)
	if err != nil {
		e.late = append(e.late, processors.DeadLetter{Reason: evaluate.ReasonMalformed, Detail: err.Error(), Value: r.Value})
		return
	}
	in.Records = append(in.Records, evaluate.Record{Panes: r.Value, Canary: &request})
}

func (e *evaluateStage) flush(_ context.Context, _ time.Time) (output, error) {
	out := output{resume: map[kafka.Partition]checkpoint.Resumption{}}
	for _, d := range e.late {
		out.records = append(out.records, e.emit.dead(roleEvaluate, d))
	}
	for _, p := range slices.Sorted(maps.Keys(e.inputs)) {
		m := e.machines[p]
		ready := m.Step(*e.inputs[p])
		e.metrics.limits(roleEvaluate, ready.Limited)
		records, err := e.emit.evaluated(p, ready)
		if err != nil {
			return output{}, err
		}
		e.sizes.Change(p, ready.State)
		out.records = append(out.records, records...)
		e.learners[p].Learn(ready.Windows)
		out.records = append(out.records, e.tell(p, m.Progress())...)
		at := checkpoint.Resumption{Low: math.MaxInt64, Head: e.heads[p]}
		if ready.Resume != nil {
			at.Low = ready.Resume.Low
		}
		out.resume[kafka.Partition{Topic: e.topic, Partition: p}] = at
		for _, s := range e.cfg.Sources {
			if wm := m.Watermark(s.Name); wm != flyball.NoTime {
				e.metrics.watermark.WithLabelValues(s.Name, fmt.Sprint(p)).Set(float64(wm) / 1e9)
			}
		}
	}
	return out, nil
}

// tell returns the watermark for decide, if it has come further. It stands behind
// the findings up to then.
func (e *evaluateStage) tell(p int32, at flyball.Time) []*kgo.Record {
	if at = at.Floor(progressEvery); e.partitions == 0 || at <= e.progressOf(p) {
		return nil
	}
	e.telling[p] = at
	edges, limited := machines.Edges(e.learners[p])
	e.metrics.limited.WithLabelValues(roleEvaluate, processors.LimitEdges).Add(float64(limited))
	return []*kgo.Record{e.emit.events.Watermark(sinkkafka.Watermark{Partition: p, Of: e.partitions, Watermark: at, Edges: edges})}
}

func (e *evaluateStage) progressOf(p int32) flyball.Time {
	if at, ok := e.progress[p]; ok {
		return at
	}
	return flyball.NoTime
}

func (e *evaluateStage) end(committed bool) {
	if committed {
		maps.Copy(e.progress, e.telling)
	}
	clear(e.telling)
	e.sizes.End(committed)
	for p := range e.inputs {
		m := e.machines[p]
		switch {
		case m == nil:
		case committed:
			m.Commit()
		default:
			m.Abort()
		}
		if l := e.learners[p]; l != nil {
			l.End(committed)
		}
	}
	clear(e.inputs)
	e.late = nil
}

func sortPartitions(list []aggregate.SourcePartition) {
	slices.SortFunc(list, func(a, b aggregate.SourcePartition) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
}
