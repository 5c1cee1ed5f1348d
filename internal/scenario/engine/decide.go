package engine

import (
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/machines"
	"github.com/flyball-io/flyball/internal/scenario/memlog"
	"github.com/flyball-io/flyball/processors/remediation"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// decideStage runs the decide machine for whichever member owns the one partition
// each of findings, outcomes and controls.
type decideStage struct {
	engine  *Engine
	config  remediation.Config
	machine *remediation.Machine
	// controls and outcomes come before findings within a transaction.
	controls, outcomes, findings remediation.Input
	dead                         []memlog.Record
}

func newDecideStage(e *Engine) (*decideStage, error) {
	spec := e.cfg.Spec
	cfg := remediation.Config{Rules: spec.Rules, Guardrails: spec.Guardrails, Topology: spec.Topology, ConfigRevision: "scenario"}
	return &decideStage{engine: e, config: cfg}, cfg.Validate()
}

func (s *decideStage) assign(memlog.Partition, memlog.Offset, bool) error {
	if s.machine != nil {
		return nil // its partitions come together
	}
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
	s.machine = m
	return nil
}

func (s *decideStage) revoke(memlog.Partition) {
	s.machine, s.controls, s.outcomes, s.findings = nil, nil, nil, nil
}

func (s *decideStage) take(_ memlog.Partition, records []*memlog.Record) {
	for _, r := range records {
		if err := s.read(r.Kafka()); err != nil {
			s.dead = append(s.dead, fromKafka(s.engine.topics.DeadLetter(r.Kafka(), string(Decide), "malformed", err.Error())))
		}
	}
}

// read adds one record to the input.
func (s *decideStage) read(r *kgo.Record) error {
	switch {
	case r.Topic == s.engine.topics.Control():
		c, err := sinkkafka.DecodeControl(r)
		if err == nil {
			s.controls = append(s.controls, remediation.Entry{Control: &c})
		}
		return err
	case r.Topic == s.engine.topics.Outcomes():
		o, err := sinkkafka.DecodeOutcome(r)
		if err == nil {
			s.outcomes = append(s.outcomes, remediation.Entry{Outcome: &o})
		}
		return err
	case sinkkafka.IsWatermark(r):
		w, err := sinkkafka.DecodeWatermark(r)
		if err == nil {
			s.findings = append(s.findings, remediation.Entry{Watermark: machines.Watermark(w)})
		}
		return err
	}
	f, err := sinkkafka.DecodeFinding(r)
	if err == nil {
		s.findings = append(s.findings, remediation.Entry{Finding: &f})
	}
	return err
}

func (s *decideStage) flush() (output, error) {
	out := output{records: s.dead}
	ready := s.machine.Step(slices.Concat(s.controls, s.outcomes, s.findings))
	for _, c := range ready.State {
		out.records = append(out.records, memlog.Record{
			Partition: memlog.Partition{Topic: s.engine.topics.State()}, Key: []byte(c.Key), Value: slices.Clone(c.Value)})
	}
	for _, d := range ready.DeadLetters {
		out.records = append(out.records, fromKafka(s.engine.topics.DeadPart(d.Value, string(Decide), d.Reason, d.Detail)))
	}
	for i := range ready.Findings {
		r, err := s.engine.encoder().Finding(&ready.Findings[i])
		if err != nil {
			return output{}, err
		}
		out.records = append(out.records, fromKafka(r))
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
	s.controls, s.outcomes, s.findings, s.dead = nil, nil, nil, nil
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
	return remediation.Config{Rules: c.Rules, Guardrails: c.Guardrails, Topology: c.Topology}.Validate()
}
