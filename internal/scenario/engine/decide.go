package engine

import (
	"maps"
	"slices"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/scenario/memlog"
	"github.com/flyball-io/flyball/processors/remediation"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// decideStage runs the decide machine for whichever member owns the one
// partition of findings.
type decideStage struct {
	engine  *Engine
	config  remediation.Config
	machine *remediation.Machine
	input   remediation.Input
	dead    []memlog.Record
}

func newDecideStage(e *Engine) (*decideStage, error) {
	cfg := remediation.Config{Rules: e.cfg.Spec.Rules, ConfigRevision: "scenario"}
	return &decideStage{engine: e, config: cfg}, cfg.Validate()
}

func (s *decideStage) assign(memlog.Partition, memlog.Offset, bool) error {
	m, err := remediation.New(s.config)
	if err != nil {
		return err
	}
	state := s.engine.log.Latest(memlog.Partition{Topic: s.engine.topics.State(), Index: 0}, remediation.StatePrefix)
	for _, key := range slices.Sorted(maps.Keys(state)) {
		if err := m.Restore(key, state[key]); err != nil {
			return err
		}
	}
	s.machine, s.input = m, nil
	return nil
}

func (s *decideStage) revoke(memlog.Partition) { s.machine, s.input = nil, nil }

func (s *decideStage) take(_ memlog.Partition, records []*memlog.Record) {
	for _, r := range records {
		f, err := sinkkafka.DecodeFinding(r.Kafka())
		if err != nil {
			s.dead = append(s.dead, fromKafka(s.engine.topics.DeadLetter(r.Kafka(), string(Decide), "malformed", err.Error())))
			continue
		}
		s.input = append(s.input, remediation.Entry{Finding: &f})
	}
}

func (s *decideStage) flush() (output, error) {
	out := output{records: s.dead}
	ready := s.machine.Step(s.input)
	for _, c := range ready.State {
		out.records = append(out.records, memlog.Record{
			Partition: memlog.Partition{Topic: s.engine.topics.State()}, Key: []byte(c.Key), Value: slices.Clone(c.Value)})
	}
	for _, d := range ready.DeadLetters {
		out.records = append(out.records, fromKafka(s.engine.topics.DeadPart(d.Value, string(Decide), d.Reason, d.Detail)))
	}
	for i := range ready.Decisions {
		r, err := s.engine.encoder().Decision(&ready.Decisions[i])
		if err != nil {
			return output{}, err
		}
		out.records = append(out.records, fromKafka(r))
	}
	for i := range ready.Commands {
		r, err := s.engine.encoder().Command(&ready.Commands[i])
		if err != nil {
			return output{}, err
		}
		out.records = append(out.records, fromKafka(r))
	}
	return out, nil
}

func (s *decideStage) end(committed bool) {
	s.input, s.dead = nil, nil
	switch {
	case s.machine == nil:
	case committed:
		s.machine.Commit()
	default:
		s.machine.Abort()
	}
}

func (e *Engine) encoder() sinkkafka.Encoder { return sinkkafka.Encoder{Topics: e.topics} }

// Validate says why a configuration cannot be run.
func Validate(c *config.Config) error {
	return remediation.Config{Rules: c.Rules}.Validate()
}
