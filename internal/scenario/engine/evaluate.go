package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/machines"
	"github.com/flyball-io/flyball/internal/scenario/memlog"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/evaluate"
	"github.com/flyball-io/flyball/processors/topology"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// evaluateStage runs one machine per partition of the panes topic that the
// member owns.
type evaluateStage struct {
	engine   *Engine
	machines map[int32]*evaluate.Machine
	inputs   map[int32]*evaluate.Input
	position map[int32]int64
	progress map[int32]flyball.Time // the last watermarks that decide was told
	telling  map[int32]flyball.Time // in this transaction
	learners map[int32]*topology.Learner
}

// progressEvery is the event time between two watermarks for decide.
const progressEvery = 10 * time.Second

// checkpoint goes with the lowered offset of a partition: where news begin.
type checkpoint struct {
	Head int64 `json:"head"`
}

func newEvaluateStage(e *Engine) *evaluateStage {
	return &evaluateStage{engine: e, machines: map[int32]*evaluate.Machine{}, inputs: map[int32]*evaluate.Input{}, position: map[int32]int64{},
		progress: map[int32]flyball.Time{}, telling: map[int32]flyball.Time{}, learners: map[int32]*topology.Learner{}}
}

func (s *evaluateStage) assign(p memlog.Partition, from memlog.Offset, known bool) error {
	if p.Topic != s.engine.topics.Panes() {
		return nil // it comes with its partition of panes
	}
	head := from.At
	if known && from.Metadata != "" {
		var c checkpoint
		if err := json.Unmarshal([]byte(from.Metadata), &c); err != nil {
			return fmt.Errorf("cannot resume %s: %w", p, err)
		}
		head = c.Head
	}
	cfg := machines.Evaluate(s.engine.cfg.Spec)
	cfg.Partition = p.Index
	m := evaluate.New(cfg)
	state := s.engine.log.Latest(memlog.Partition{Topic: s.engine.topics.State(), Index: p.Index}, evaluate.Prefix(p.Index))
	for _, key := range slices.Sorted(maps.Keys(state)) {
		if err := m.Restore(key, state[key]); err != nil {
			return err
		}
	}
	m.Restored()
	m.ResumeAt(head)
	s.machines[p.Index], s.learners[p.Index] = m, topology.NewLearner()
	return nil
}

func (s *evaluateStage) revoke(p memlog.Partition) {
	if p.Topic == s.engine.topics.Panes() {
		delete(s.machines, p.Index)
		delete(s.inputs, p.Index)
		delete(s.progress, p.Index)
		delete(s.learners, p.Index)
	}
}

func (s *evaluateStage) take(p memlog.Partition, records []*memlog.Record) {
	in := s.inputs[p.Index]
	if in == nil {
		in = &evaluate.Input{}
		s.inputs[p.Index] = in
	}
	for _, r := range records {
		if request, ok := r.Payload.(*flyball.CanaryRequest); ok {
			in.Records = append(in.Records, evaluate.Record{Panes: r.Value, Canary: request})
			continue
		}
		in.Records = append(in.Records, evaluate.Record{Offset: r.Offset, Panes: r.Value, Marks: r.Payload.([]processors.Mark)})
		s.position[p.Index] = r.Offset + 1
	}
}

func (s *evaluateStage) flush() (output, error) {
	out := output{offsets: map[memlog.Partition]memlog.Offset{}}
	for _, p := range slices.Sorted(maps.Keys(s.inputs)) {
		ready := s.machines[p].Step(*s.inputs[p])
		records, err := s.evaluated(p, ready)
		if err != nil {
			return output{}, err
		}
		out.records = append(out.records, records...)
		s.learners[p].Learn(ready.Windows)
		out.records = append(out.records, s.tell(p, s.machines[p].Progress())...)
		if r := ready.Resume; r != nil {
			out.offsets[memlog.Partition{Topic: s.engine.topics.Panes(), Index: p}] =
				memlog.Offset{At: min(s.position[p], r.Low), Metadata: string(mustJSON(checkpoint{max(s.position[p], r.Head)}))}
		}
	}
	return out, nil
}

// evaluated encodes what a machine found.
func (s *evaluateStage) evaluated(p int32, r processors.Ready) ([]memlog.Record, error) {
	var out []memlog.Record
	topics := s.engine.topics
	if n := r.Windows.Len(); n > 0 {
		rows := make([]processors.WindowRow, n)
		for i := range rows {
			rows[i] = r.Windows.Row(i)
			rows[i].Hist = slices.Clone(rows[i].Hist)
		}
		out = append(out, memlog.Record{Partition: memlog.Partition{Topic: topics.Windows(), Index: p}, Value: r.Windows.Encode(), Payload: rows})
	}
	if n := r.SLO.Len(); n > 0 {
		rows := make([]processors.SLORow, n)
		for i := range rows {
			rows[i] = r.SLO.Row(i)
		}
		out = append(out, memlog.Record{Partition: memlog.Partition{Topic: topics.SLO(), Index: p}, Value: r.SLO.Encode(), Payload: rows})
	}
	for i := range r.Findings {
		f, err := s.engine.encoder().Finding(&r.Findings[i])
		if err != nil {
			return nil, err
		}
		out = append(out, fromKafka(f))
	}
	for i := range r.Verdicts {
		v, err := s.engine.encoder().Verdict(&r.Verdicts[i])
		if err != nil {
			return nil, err
		}
		out = append(out, fromKafka(v))
	}
	for _, d := range r.DeadLetters {
		out = append(out, fromKafka(topics.DeadPart(d.Value, string(Evaluate), d.Reason, d.Detail)))
	}
	for _, c := range r.State {
		out = append(out, memlog.Record{Partition: memlog.Partition{Topic: topics.State(), Index: p}, Key: []byte(c.Key), Value: slices.Clone(c.Value)})
	}
	return out, nil
}

// tell returns the watermark for decide, if it has come further.
func (s *evaluateStage) tell(p int32, at flyball.Time) []memlog.Record {
	last, ok := s.progress[p]
	if at = at.Floor(progressEvery); len(s.engine.cfg.Spec.Rules) == 0 || at == flyball.NoTime || ok && at <= last {
		return nil
	}
	s.telling[p] = at
	edges, _ := machines.Edges(s.learners[p])
	return []memlog.Record{fromKafka(s.engine.encoder().Watermark(sinkkafka.Watermark{Partition: p, Of: s.engine.cfg.Panes, Watermark: at, Edges: edges}))}
}

func (s *evaluateStage) end(committed bool) {
	if committed {
		maps.Copy(s.progress, s.telling)
	}
	clear(s.telling)
	for p := range s.inputs {
		switch m := s.machines[p]; {
		case m == nil:
		case committed:
			m.Commit()
		default:
			m.Abort()
		}
		if l := s.learners[p]; l != nil {
			l.End(committed)
		}
	}
	clear(s.inputs)
}

// fromKafka turns a record for Kafka into one of the log; keyed topics have one
// partition here, so that what they hold has one order.
func fromKafka(r *kgo.Record) memlog.Record {
	return memlog.Record{Partition: memlog.Partition{Topic: r.Topic, Index: 0}, Key: r.Key, Value: r.Value, Headers: r.Headers}
}
