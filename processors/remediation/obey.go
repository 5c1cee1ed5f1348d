package remediation

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation/condition"
	"github.com/flyball-io/flyball/processors/remediation/control"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/flyball-io/flyball/processors/remediation/memory"
)

// control obeys what a person says, and records it. It holds for every decision
// after it.
func (m *Machine) control(c *flyball.Control) {
	if problem := control.Check(c); problem != "" {
		m.refuse(c, problem)
		return
	}
	done := ""
	switch c.Kind {
	case flyball.ControlKill, flyball.ControlPause, flyball.ControlMaintenance, flyball.ControlMode:
		done = m.hold(c)
	case flyball.ControlResume:
		done = m.resume(c)
	case flyball.ControlApprove, flyball.ControlReject:
		done = m.answer(c)
	case flyball.ControlResetBreaker:
		done = m.reset(c)
	case flyball.ControlRelease:
		done = m.free(c)
	case flyball.ControlChange:
		if done = c.Who + " changed " + c.Target; m.memory.Change(c) != "" {
			done += ", while an operation was under way there"
		}
	}
	m.out.Decisions = append(m.out.Decisions, flyball.Decision{
		ID: hashOf("decision", "control", c.ID), At: c.At, Verb: flyball.VerbControl, ConfigRevision: m.revision,
		Target: c.Target, Operation: c.Operation, Trigger: triggerControl,
		Reason: fmt.Sprintf("%s %s: %s. %s", c.Kind, subjectOf(c), done, c.Why), Who: c.Who,
	})
	if c.Kind == flyball.ControlResetBreaker && c.Backlog == flyball.BacklogReplay {
		m.backlog(m.when(c.At, flyball.NoTime))
	}
}

// subjectOf names what a control is about.
func subjectOf(c *flyball.Control) string {
	return cmp.Or(c.Operation, c.Target, c.Guardrail, c.Scope.String())
}

func (m *Machine) refuse(c *flyball.Control, problem string) {
	value, _ := json.Marshal(c)
	m.out.DeadLetters = append(m.out.DeadLetters, processors.DeadLetter{Reason: "control_unusable", Value: value,
		Detail: fmt.Sprintf("control %q: %s", c.ID, problem)})
}

// hold keeps a control that holds until it is taken back. Mode auto takes modes
// back.
func (m *Machine) hold(c *flyball.Control) string {
	row := memory.Control{Kind: c.Kind, ID: c.ID, At: c.At, Control: *c}
	if c.Kind == flyball.ControlMode {
		n := m.lift(func(x memory.Control) bool { return x.Kind == flyball.ControlMode && x.Control.Scope == c.Scope })
		if c.Mode == flyball.ModeAuto {
			return fmt.Sprintf("%d modes were lifted", n)
		}
	}
	if _, again := m.memory.Controls.Get(row.Key()); !again && m.memory.Controls.Full() && c.Kind != flyball.ControlKill {
		return "it was not kept: as many controls are remembered as there may be"
	}
	m.memory.Controls.Set(row)
	return "it holds from now on"
}

// resume takes controls of a scope back.
func (m *Machine) resume(c *flyball.Control) string {
	n := m.lift(func(x memory.Control) bool {
		return x.Control.Scope == c.Scope && (c.Lifts == "" || c.Lifts == x.Control.Why)
	})
	return fmt.Sprintf("%d controls were lifted", n)
}

func (m *Machine) lift(want func(memory.Control) bool) int {
	keys := memory.KeysOf(m.memory.Controls, want)
	for _, k := range keys {
		m.memory.Controls.Del(k)
	}
	return len(keys)
}

// answer starts or ends an operation that waits for a person.
func (m *Machine) answer(c *flyball.Control) string {
	op, ok := m.memory.Operations.Get(memory.Key{c.Operation})
	if ok {
		m.overdue(op.ID, m.memory.Clock)
		op, ok = m.memory.Operations.Get(memory.Key{c.Operation})
	}
	if !ok || op.Phase != memory.Waiting {
		return "no such operation waits"
	}
	at := m.when(c.At, op.SentAt)
	if c.Kind == flyball.ControlReject {
		m.end(op, event{verb: flyball.VerbReject, trigger: triggerApproval, at: at, reason: c.Why, who: c.Who})
		return "the operation is over"
	}
	r := m.byName[op.Rule]
	o, open := m.memory.Open.Get(memory.Key{op.Finding})
	if r == nil || !open {
		m.end(op, event{verb: flyball.VerbClose, trigger: triggerApproval, at: at, reason: "its rule or its finding is gone"})
		return "its rule or its finding is gone"
	}
	w := m.goOn(r, op, &o.Finding, at)
	w.trigger, w.attempt = triggerApproval, op.Attempt
	w.approval = &flyball.Approval{Who: c.Who, Why: c.Why, At: c.At}
	if m.decide(w) == flyball.VerbAct {
		return "the command was sent"
	}
	return "gates hold it; it waits on"
}

// reset closes the breaker of a guardrail.
func (m *Machine) reset(c *flyball.Control) string {
	b, ok := m.memory.Blasts.Get(memory.Key{c.Guardrail})
	if !ok || b.Tripped == "" {
		return "its breaker is not open"
	}
	m.memory.Blasts.Set(memory.Blast{Guardrail: c.Guardrail})
	m.clear(alarmBreaker, c.Guardrail)
	return "its breaker is closed, backlog: " + c.Backlog
}

// backlog judges every finding that is open again.
func (m *Machine) backlog(at flyball.Time) {
	for _, k := range memory.KeysOf(m.memory.Open, func(memory.OpenFinding) bool { return true }) {
		o, _ := m.memory.Open.Get(k)
		view := condition.NewView(&o.Finding, at, m.around())
		for _, r := range m.rules {
			if _, sent := m.memory.Commanded.Get(memory.Key{r.Name, o.Finding.ID}); sent || r.For > 0 {
				continue
			}
			if holds, err := r.when.Eval(view); holds || err != nil {
				f := o.Finding
				m.decide(wish{rule: r, finding: &f, view: view, err: err, trigger: triggerBacklog, at: at, attempt: 1})
			}
		}
	}
}

// free releases a target whose last command has an unknown outcome.
func (m *Machine) free(c *flyball.Control) string {
	op, ok := m.memory.Operations.Get(memory.Key{m.memory.Index.Busy[c.Target]})
	if !ok || op.Phase != memory.Unknown {
		return "its last command is not unknown"
	}
	m.end(op, event{verb: flyball.VerbRelease, trigger: triggerControl, at: m.when(c.At, op.SentAt), reason: c.Why, who: c.Who})
	return "the target is free"
}

// The kinds of alarms.
const (
	alarmWidespread  = "widespread"
	alarmBreaker     = "breaker"
	alarmIneffective = "ineffective"
	alarmBurn        = "burn"
)

// alarms opens breakers and pages, each once until it is over.
func (m *Machine) alarms(c *gate.Case, d *flyball.Decision) {
	passed := map[string]bool{}
	refused := 0
	for _, g := range d.Gates {
		passed[g.Gate] = g.Pass
		if !g.Pass {
			refused++
		}
	}
	page := func(kind, name string, on bool, reason string) {
		if !on {
			m.clear(kind, name)
		} else if _, paged := m.memory.Alarms.Get(memory.Key{kind, name}); !paged {
			m.memory.Alarms.Set(memory.Alarm{Kind: kind, Name: name, At: c.At})
			m.page(c, d, kind, reason)
		}
	}
	for i := range c.Guardrails {
		g := &c.Guardrails[i]
		if g.Exceeded() && g.Tripped == "" && refused == 1 && !passed[gate.NameBlastRadius] {
			b, _ := m.memory.Blasts.Get(memory.Key{g.Name})
			b.Guardrail, b.Tripped = g.Name, fmt.Sprintf("at %s, by rule %s for %s", c.At, c.Rule.Name, c.Target)
			m.memory.Blasts.Set(b)
			page(alarmBreaker, g.Name, true, "the breaker of guardrail "+g.Name+" has opened "+b.Tripped+": a person must reset it")
		}
		page(alarmWidespread, g.Name, g.Widespread > 0 && c.World.Troubled > g.Widespread,
			fmt.Sprintf("%d entities have open findings: automation has stopped", c.World.Troubled))
	}
	burning := ""
	for _, b := range c.World.Burns {
		if b.Pages() {
			burning = fmt.Sprintf("%s burns %.3g times too fast over %s", b.Detector, b.Rate, b.Window)
		}
	}
	page(alarmBurn, c.Service, burning != "" && !passed[gate.NameBudgetGuard], "automation of "+c.Service+" is paused: "+burning)
	if c.Target != "" {
		page(alarmIneffective, c.Action.Name+" "+c.Target, !passed[gate.NameIneffective],
			c.Action.Name+" on "+c.Target+" is wanted more and more often: something else must be done")
	}
}

func (m *Machine) clear(kind, name string) {
	if _, on := m.memory.Alarms.Get(memory.Key{kind, name}); on {
		m.memory.Alarms.Del(memory.Key{kind, name})
	}
}

// page records that a person is needed.
func (m *Machine) page(c *gate.Case, d *flyball.Decision, kind, reason string) {
	m.out.Decisions = append(m.out.Decisions, flyball.Decision{
		ID: hashOf("decision", "page", kind, d.ID), At: c.At, Verb: flyball.VerbPage, Rule: d.Rule, RuleRevision: d.RuleRevision,
		ConfigRevision: m.revision, Finding: d.Finding, FindingRevision: d.FindingRevision, Entity: d.Entity,
		Target: c.Target, Action: d.Action, Mode: c.Mode, Trigger: d.Trigger, Reason: reason, Notify: c.Rule.Notify,
	})
}
