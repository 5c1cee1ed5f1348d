package remediation

import (
	"cmp"
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/flyball-io/flyball/processors/remediation/memory"
)

const (
	// effectiveWindow and doneWindow are how far back the gate "ineffective" looks.
	effectiveWindow = 4 * time.Hour
	doneWindow      = 24 * time.Hour
)

// caseOf gathers what the gates look at. The error is of a place that cannot be
// filled.
func (m *Machine) caseOf(w wish) (*gate.Case, error) {
	r, f := w.rule, w.finding
	c := &gate.Case{Rule: &r.Rule, Finding: f, Service: memory.Service(f), Customer: f.Labels.Get("customer"),
		At: w.at, Attempt: w.attempt, Approval: w.approval}
	var fillErr error
	if w.operation != nil {
		c.Target, c.Compensates = w.operation.Target, w.operation.Compensates
		c.Action, fillErr = (*w.action).fill(w.view)
	} else {
		c.Target, c.Action, fillErr = r.fill(w.view)
	}
	if w.err != nil {
		c.Doubt = w.err.Error()
	}
	if c.Target != "" {
		if id, busy := m.memory.Index.Busy[c.Target]; busy {
			m.overdue(id, w.at)
		}
	}
	m.guard(c)
	m.controls(c)
	m.remembered(c, w)
	m.world(c)
	return c, fillErr
}

// guard finds the guardrails that select the finding, and what they count.
func (m *Machine) guard(c *gate.Case) {
	c.Mode, c.ModeOf = c.Rule.Mode, "the rule"
	for i := range m.guardrails {
		g := &m.guardrails[i]
		if !g.Selects(c.Finding) {
			continue
		}
		at := gate.Guarded{Guardrail: g}
		for _, l := range g.Limits {
			sent, _ := m.memory.Rates.Get(rateKey(g, l, c))
			at.Sent = append(at.Sent, len(memory.Since(sent.Sent, c.At, l.Window)))
		}
		if g.Concurrent != (gate.Concurrency{}) {
			m.running(c, &at)
		}
		if b, ok := m.memory.Blasts.Get(memory.Key{g.Name}); ok && g.Blast != nil {
			at.Tripped = b.Tripped
			for target, sent := range b.Targets {
				if sent > c.At.Add(-g.Blast.Window) {
					at.Targets++
					at.Known = at.Known || target == c.Target
				}
			}
		}
		c.Guardrails = append(c.Guardrails, at)
		lower(c, g.Mode, "guardrail "+g.Name)
	}
}

// lower takes the lower of two modes.
func lower(c *gate.Case, mode flyball.Mode, of string) {
	if mode != "" && mode.Rank() < c.Mode.Rank() {
		c.Mode, c.ModeOf = mode, of
	}
}

// running counts the operations that are under way.
func (m *Machine) running(c *gate.Case, g *gate.Guarded) {
	for _, id := range m.memory.Index.Busy {
		op, _ := m.memory.Operations.Get(memory.Key{id})
		if !counts(op, g.Name) {
			continue
		}
		g.Total++
		if op.Action.Name == c.Action.Name {
			g.Action++
		}
		if op.Service == c.Service {
			g.Service++
		}
	}
}

func counts(op memory.Operation, guardrail string) bool {
	for _, name := range op.Guardrails {
		if name == guardrail {
			return true
		}
	}
	return false
}

func limitName(l gate.RateLimit) string { return l.Per + "/" + l.Window.String() }

// limitOf names whose commands a limit counts together.
func limitOf(l gate.RateLimit, c *gate.Case) string {
	switch l.Per {
	case gate.PerAction:
		return c.Action.Name
	case gate.PerService:
		return c.Service
	}
	return ""
}

func rateKey(g *gate.Guardrail, l gate.RateLimit, c *gate.Case) memory.Key {
	return memory.Key{g.Name, limitName(l), limitOf(l, c)}
}

// controls finds the controls that the case is in the scope of.
func (m *Machine) controls(c *gate.Case) {
	for _, k := range memory.KeysOf(m.memory.Controls, func(x memory.Control) bool { return inScope(x.Control.Scope, c) && !x.Over(c.At) }) {
		x, _ := m.memory.Controls.Get(k)
		switch x.Kind {
		case flyball.ControlKill:
			c.Kills = append(c.Kills, x.Instruction())
		case flyball.ControlPause:
			c.Pauses = append(c.Pauses, x.Instruction())
		case flyball.ControlMaintenance:
			c.Maintenances = append(c.Maintenances, x.Instruction())
		case flyball.ControlMode:
			lower(c, x.Control.Mode, "control by "+x.Control.Who)
		}
	}
}

func inScope(s flyball.Scope, c *gate.Case) bool {
	switch s.Kind {
	case flyball.ScopeService:
		return s.Name == c.Service
	case flyball.ScopeCustomer:
		return s.Name == c.Customer
	case flyball.ScopeAction:
		return s.Name == c.Action.Name
	}
	return true
}

// remembered fills in what is known about the rule, the finding and the target.
func (m *Machine) remembered(c *gate.Case, w wish) {
	f, r := c.Finding, c.Rule
	k := gate.Memory{Sent: flyball.NoTime, Observed: flyball.NoTime, Changed: flyball.NoTime, FailedUntil: flyball.NoTime}
	if known, found := m.memory.Commanded.Get(memory.Key{r.Name, f.ID}); found && known.Observed {
		k.Observed = known.At
	} else if found {
		k.Sent = known.At
	}
	if op, ok := m.memory.Operations.Get(memory.Key{operationID(r.Name, f.ID)}); ok && op.Phase == memory.Waiting {
		k.Waiting = true
	}
	if opened := memory.OpenedAt(f); m.memory.Clock > opened.Add(memory.OpenFor) {
		k.Forgotten = fmt.Sprintf("the finding opened at %s: what was sent longer than %s ago is forgotten", opened, memory.OpenFor)
	} else if m.memory.Commanded.Full() {
		k.Forgotten = fmt.Sprintf("%d findings with commands are remembered, the most there may be", memory.Max)
	} else if m.memory.Operations.Full() {
		k.Forgotten = fmt.Sprintf("%d operations are remembered, the most there may be", memory.Max)
	}
	if id, busy := m.memory.Index.Busy[c.Target]; busy && (w.operation == nil || w.operation.ID != id) {
		op, _ := m.memory.Operations.Get(memory.Key{id})
		k.Busy = fmt.Sprintf("%s is %s on %s since %s, operation %s", op.Action.Name, op.Phase, op.Target, op.SentAt, op.ID)
	}
	if ch, ok := m.memory.Changed.Get(memory.Key{c.Target}); ok {
		k.Changed, k.ChangedBy = ch.At, ch.Who
	}
	k.Cooldown, k.CooldownFull = m.cooldown(c), m.memory.Cooldowns.Full()
	if fail, ok := m.memory.Failures.Get(memory.Key{c.Action.Name, c.Target}); ok {
		k.Failures, k.FailedUntil = fail.Count, fail.Until
	}
	done, _ := m.memory.Results.Get(memory.Key{c.Action.Name, c.Target})
	k.Effective, k.Done = len(memory.Since(done.Effective, c.At, effectiveWindow)), len(memory.Since(done.Done, c.At, memory.DoneWindow))
	c.Memory = k
}

// cooldown finds the last command of the action on the target; for one that would
// only be observed, observations count too.
func (m *Machine) cooldown(c *gate.Case) gate.Cooldown {
	k := gate.Cooldown{Cools: m.memory.Cools(c.Action.Name), At: flyball.NoTime, Until: flyball.NoTime}
	for _, observed := range []bool{false, true} {
		last, found := m.memory.Cooldowns.Get(memory.CoolingKey(c.Action.Name, c.Target, observed))
		if !found || observed && !c.Observes() {
			continue
		}
		if until := last.At.Add(max(c.Rule.Cooldown, last.Cooldown)); until > k.Until {
			k.At, k.Until, k.Rule = last.At, until, last.Rule
		}
	}
	if c.At < m.memory.Clock.Add(-memory.LateBy) {
		k.Late = m.memory.Clock.Sub(c.At)
	}
	return k
}

// world fills in what else is going on.
func (m *Machine) world(c *gate.Case) {
	x := m.memory.Index
	if n := len(m.memory.Missed.Rows); n > 0 || m.memory.Open.Full() {
		c.World.Unknown = fmt.Sprintf("more findings are open than the %d that are remembered: %d are not", memory.Max, n)
	}
	c.World.Troubled = len(x.Troubled)
	c.World.Upstream, c.World.Root = m.around().Above(c.Finding)
	ids := x.About(c.Service)
	if c.Finding.Entity != c.Service {
		ids = append(ids, memory.Sorted(x.Troubled[c.Finding.Entity])...)
	}
	for _, id := range ids {
		if id != c.Finding.ID {
			o, _ := m.memory.Open.Get(memory.Key{id})
			c.World.Burns = append(c.World.Burns, gate.BurnsOf(&o.Finding)...)
		}
	}
	o, _ := m.memory.Open.Get(memory.Key{c.Finding.ID})
	for _, id := range o.Causes {
		cause := gate.Cause{Operation: id, Depth: len(o.Causes)} // what is forgotten may have been any of them
		if op, ok := m.memory.Operations.Get(memory.Key{id}); ok {
			cause = gate.Cause{Operation: id, Rule: op.Rule, Target: op.Target, Failed: !op.Helped(), Depth: cmp.Or(op.Depth, len(op.Causes)+1)}
		}
		c.World.Causes = append(c.World.Causes, cause)
		c.World.Depth = max(c.World.Depth, cause.Depth)
	}
}
