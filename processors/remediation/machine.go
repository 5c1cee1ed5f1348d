package remediation

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation/condition"
)

var _ processors.Machine[Input] = (*Machine)(nil)

// Machine decides. See the package's comment for what, and [processors.Machine]
// for how it is driven.
type Machine struct {
	rules    []*rule
	revision string
	memory   *memory
}

// Step judges every entry by every rule.
func (m *Machine) Step(in Input) processors.Ready {
	var out processors.Ready
	for _, e := range in {
		if e.Finding != nil {
			m.finding(e.Finding, &out)
		}
	}
	out.State = m.memory.changes()
	return out
}

// Commit makes the steps since the last Commit or Abort permanent.
func (m *Machine) Commit() { m.memory.commit() }

// Abort takes them back.
func (m *Machine) Abort() { m.memory.abort() }

// finding judges one state of a finding.
func (m *Machine) finding(f *flyball.Finding, out *processors.Ready) {
	if detail := unusable(f); detail != "" {
		value, _ := json.Marshal(f) // what JSON cannot carry is dead without its value
		out.DeadLetters = append(out.DeadLetters, processors.DeadLetter{Reason: "finding_unusable", Detail: detail, Value: value})
		return
	}
	m.memory.advance(f.At)
	view := condition.NewView(f)
	for _, r := range m.rules {
		if f.State == flyball.FindingResolved && !r.when.ReadsState() || m.memory.judged(r.Name, f) {
			continue
		}
		if holds, err := r.when.Eval(view); holds || err != nil {
			m.decide(r, f, view, err, out)
		}
	}
	if f.State == flyball.FindingResolved {
		for _, r := range m.rules {
			m.memory.resolve(r.Name, f)
		}
	}
}

// unusable says why a finding cannot be judged, "" when it can.
func unusable(f *flyball.Finding) string {
	switch {
	case f.ID == "" || !utf8.ValidString(f.ID):
		return "the finding has no id"
	case f.At == flyball.NoTime:
		return fmt.Sprintf("finding %q has no time", f.ID)
	case f.State != flyball.FindingOpened && f.State != flyball.FindingUpdated && f.State != flyball.FindingResolved:
		return fmt.Sprintf("finding %q has the unknown state %q", f.ID, f.State)
	}
	return ""
}

// decide makes the decision of a rule whose condition holds, or could not be
// evaluated.
func (m *Machine) decide(r *rule, f *flyball.Finding, view *condition.View, evalErr error, out *processors.Ready) {
	c := candidate{rule: r, finding: f}
	var fillErr error
	c.target, c.action, fillErr = r.fill(view)

	d := flyball.Decision{
		ID:   hashOf("decision", r.Name, r.Revision, f.ID, fmt.Sprint(f.Revision)),
		At:   f.At,
		Rule: r.Name, RuleRevision: r.Revision,
		Finding: f.ID, FindingRevision: f.Revision, Entity: f.Entity,
		Target: c.target, Action: c.action, Mode: r.Mode,
		Explain:        r.when.Explain(view),
		ConfigRevision: m.revision,
	}
	d.Gates, d.Verb = m.ask(c, evalErr, fillErr)
	if d.Verb != flyball.VerbSuppress {
		m.memory.remember(c)
	}
	if d.Verb == flyball.VerbAct {
		cmd := command(c, d.ID)
		d.Command = cmd.ID
		out.Commands = append(out.Commands, cmd)
	}
	out.Decisions = append(out.Decisions, d)
}

// ask puts c to every gate and sums up.
func (m *Machine) ask(c candidate, evalErr, fillErr error) ([]flyball.GateResult, flyball.Verb) {
	var results []flyball.GateResult
	if evalErr != nil {
		results = append(results, flyball.GateResult{Gate: "condition", Reason: evalErr.Error()})
	}
	if fillErr != nil {
		results = append(results, flyball.GateResult{Gate: "template", Reason: fillErr.Error()})
	}
	suppressed, observed := len(results) > 0, false
	for _, g := range gates() {
		pass, reason := g.judge(c, m.memory)
		results = append(results, flyball.GateResult{Gate: g.name(), Pass: pass, Reason: reason})
		if _, mode := g.(modeGate); mode {
			observed = !pass
		} else if !pass {
			suppressed = true
		}
	}
	switch {
	case suppressed:
		return results, flyball.VerbSuppress
	case observed:
		return results, flyball.VerbObserve
	}
	return results, flyball.VerbAct
}

// command makes the command of c. Its ids depend on what caused it only, so that
// the same log gives the same command after a crash.
func command(c candidate, decision string) flyball.Command {
	const attempt = 1
	r, f := c.rule, c.finding
	return flyball.Command{
		ID:          hashOf("command", r.Name, r.Revision, f.ID, fmt.Sprint(attempt)),
		At:          f.At,
		Decision:    decision,
		OperationID: hashOf("operation", r.Name, f.ID),
		Attempt:     attempt,
		Action:      c.action,
		Target:      c.target,
		Mode:        r.Mode,
		Reason:      flyball.CommandReason{Rule: r.Name, Revision: r.Revision, Finding: f.ID, Evidence: f.Evidence},
		Deadline:    f.At.Add(r.Deadline),
	}
}
