package replay

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/machines"
	"github.com/flyball-io/flyball/processors/remediation"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// Outcomes says what executors report of commands that are not sent.
type Outcomes string

// What may be assumed.
const (
	// AssumeSuccess has every command accepted at once and succeed after
	// Config.ActionTime.
	AssumeSuccess Outcomes = "assume-success"
	// AssumeNone has no executor: operations end as unknown at their deadline.
	AssumeNone Outcomes = "assume-none"
	// Recorded has executors and people say what they said: Config.Said.
	Recorded Outcomes = "recorded"
)

// AllOutcomes lists what may be assumed.
func AllOutcomes() []Outcomes { return []Outcomes{AssumeSuccess, AssumeNone, Recorded} }

// DefaultActionTime is how long an action takes that is assumed to succeed.
const DefaultActionTime = 30 * time.Second

// Said is what an executor or a person says, and when. Exactly one of Outcome and
// Control is set.
type Said struct {
	At      flyball.Time
	Outcome *flyball.Outcome
	Control *flyball.Control
}

// decider runs the decide machine.
type decider struct {
	cfg     Config
	machine *remediation.Machine
	encoder sinkkafka.Encoder
	said    []Said // what was not said yet, in the order of its times
	summary *Summary
}

func newDecider(cfg Config, sum *Summary) (*decider, error) {
	of, err := machines.Decide(cfg.Spec)
	if err != nil {
		return nil, err
	}
	m, err := remediation.New(of)
	if err != nil {
		return nil, err
	}
	said := slices.Clone(cfg.Said)
	slices.SortStableFunc(said, func(a, b Said) int { return compareTime(a.At, b.At) })
	return &decider{cfg: cfg, machine: m, said: said, summary: sum}, nil
}

func compareTime(a, b flyball.Time) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// next returns when something will be said, the end of time for never.
func (d *decider) next() flyball.Time {
	if len(d.said) == 0 {
		return math.MaxInt64
	}
	return d.said[0].At
}

// step decides about findings. What people have said by now comes first, then what
// executors have, as in a transaction of internal/pipeline.
func (d *decider) step(now flyball.Time, findings []flyball.Finding, watermarks remediation.Input) error {
	var controls, outcomes, in remediation.Input
	for len(d.said) > 0 && d.said[0].At <= now {
		if c := d.said[0].Control; c != nil {
			controls = append(controls, remediation.Entry{Control: c})
		} else {
			outcomes = append(outcomes, remediation.Entry{Outcome: d.said[0].Outcome})
		}
		d.said = d.said[1:]
	}
	for i := range findings {
		f, err := d.travelled(&findings[i])
		if err != nil {
			return err
		}
		d.summary.finding(f)
		in = append(in, remediation.Entry{Finding: f})
	}
	in = slices.Concat(controls, outcomes, in, watermarks)
	if len(in) == 0 {
		return nil
	}
	ready := d.machine.Step(in)
	d.summary.dead("decide", ready.DeadLetters)
	d.summary.limited(ready.Limited)
	for i := range ready.Decisions {
		if err := d.report(&ready.Decisions[i]); err != nil {
			return fmt.Errorf("cannot report a decision: %w", err)
		}
	}
	for i := range ready.Commands {
		d.summary.command(&ready.Commands[i])
		d.assume(now, &ready.Commands[i])
	}
	d.machine.Commit()
	return nil
}

// report hands on a decision as it would be on its topic, where lists are never null.
func (d *decider) report(x *flyball.Decision) error {
	d.summary.decision(x)
	if d.cfg.Decision == nil {
		return nil
	}
	if x.Gates == nil {
		x.Gates = []flyball.GateResult{}
	}
	if x.Explain == nil {
		x.Explain = []flyball.SubExpression{}
	}
	return d.cfg.Decision(x)
}

// travelled returns a finding as it is after it was written to its topic and read again.
func (d *decider) travelled(f *flyball.Finding) (*flyball.Finding, error) {
	r, err := d.encoder.Finding(f)
	if err != nil {
		return nil, err
	}
	out, err := sinkkafka.DecodeFinding(r)
	return &out, err
}

// assume has an executor report on a command.
func (d *decider) assume(now flyball.Time, c *flyball.Command) {
	if d.cfg.Outcomes != AssumeSuccess {
		return
	}
	report := func(class flyball.OutcomeClass, at, finished flyball.Time) {
		s := Said{At: at, Outcome: &flyball.Outcome{
			ID: sinkkafka.OutcomeID(c.OperationID, c.Attempt, class), Class: class, Command: c.ID, Target: c.Target,
			At: at, OperationID: c.OperationID, Attempt: c.Attempt, Started: now, Finished: finished, Detail: "assumed",
		}}
		i, _ := slices.BinarySearchFunc(d.said, at+1, func(x Said, t flyball.Time) int { return compareTime(x.At, t) })
		d.said = slices.Insert(d.said, i, s)
	}
	done := now.Add(d.cfg.ActionTime)
	report(flyball.OutcomeAccepted, now, flyball.NoTime)
	report(flyball.OutcomeSucceeded, done, done)
}

// end counts what was not said when the time was over.
func (d *decider) end() { d.summary.Unsaid = len(d.said) }
