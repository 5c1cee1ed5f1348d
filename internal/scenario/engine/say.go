package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/scenario/memlog"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// saying is something that an executor or a person says once what it is about is
// there: in other runs of the same script that may be a moment later.
type saying struct {
	target string
	// try says it, if what it is about is there.
	try func() (bool, error)
}

// Report lets the executor report on the last command for a target.
func (e *Engine) Report(target string, o flyball.Outcome) error {
	return e.later(target, func() (bool, error) {
		var last *flyball.Command
		for _, r := range e.read(e.topics.Commands()) {
			c, err := sinkkafka.DecodeCommand(r.Kafka())
			if err != nil {
				return false, err
			}
			if c.Target == target {
				last = &c
			}
		}
		if last == nil {
			return false, nil
		}
		o.Command, o.Target, o.OperationID = last.ID, target, last.OperationID
		if o.Attempt == 0 {
			o.Attempt = last.Attempt
		}
		o.At, o.Started, o.Finished = e.now, e.now, e.now
		r, err := e.outcome(o)
		if err != nil {
			return false, err
		}
		e.append(r)
		return true, nil
	})
}

// outcome is the record of an outcome, also of a class that Flyball does not know:
// executors are other people's programs.
func (e *Engine) outcome(o flyball.Outcome) (memlog.Record, error) {
	class := o.Class
	if !slices.Contains(flyball.OutcomeClasses(), class) {
		o.Class = flyball.OutcomePermanent
	}
	r, err := e.encoder().Outcome(&o)
	if err != nil {
		return memlog.Record{}, err
	}
	for i := range r.Headers {
		if h := &r.Headers[i]; h.Key == "ce_type" {
			h.Value = []byte(strings.Replace(string(h.Value), string(o.Class), string(class), 1))
		}
	}
	return fromKafka(r), nil
}

// Control lets a person say something. What is approved and rejected is the last
// operation for a target that waits.
func (e *Engine) Control(c flyball.Control) error {
	c.At, c.ID = e.now, fmt.Sprintf("%s-%v-%s-%s-%d", c.Kind, c.Scope, c.Guardrail, c.Target, e.now)
	if c.Kind != flyball.ControlApprove && c.Kind != flyball.ControlReject {
		return e.control(c)
	}
	return e.later(c.Target, func() (bool, error) {
		for _, r := range slices.Backward(e.read(e.topics.Decisions())) {
			d, err := sinkkafka.DecodeDecision(r.Kafka())
			if err != nil {
				return false, err
			}
			if d.Target == c.Target && (d.Verb == flyball.VerbAwait || d.Verb == flyball.VerbSuggest) {
				c.Operation, c.Target = d.Operation, ""
				return true, e.control(c)
			}
		}
		return false, nil
	})
}

func (e *Engine) control(c flyball.Control) error {
	r, err := e.encoder().Control(&c)
	if err == nil {
		e.append(fromKafka(r))
	}
	return err
}

func (e *Engine) append(r memlog.Record) {
	r.At = e.now
	e.log.Append(r)
}

func (e *Engine) read(topic string) []*memlog.Record {
	records, _ := e.log.Read(memlog.Partition{Topic: topic}, 0, 1<<30)
	return records
}

// later says something now, or as soon as what it is about is there.
func (e *Engine) later(target string, try func() (bool, error)) error {
	e.unsaid = append(e.unsaid, saying{target, try})
	return e.say()
}

// say says what can be said by now.
func (e *Engine) say() error {
	var left []saying
	for _, s := range e.unsaid {
		said, err := s.try()
		if err != nil {
			return err
		}
		if !said {
			left = append(left, s)
		}
	}
	e.unsaid = left
	return nil
}

// Unsaid returns the targets about which something was to be said, and nothing was
// there.
func (e *Engine) Unsaid() []string {
	var out []string
	for _, s := range e.unsaid {
		out = append(out, s.target)
	}
	return out
}
