package remediation

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/remediation/condition"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/flyball-io/flyball/processors/remediation/identity"
	"github.com/flyball-io/flyball/processors/remediation/memory"
	"github.com/flyball-io/flyball/processors/remediation/recurrence"
)

// What makes a decision be made; users see these words.
const (
	triggerFinding      = "finding"
	triggerHold         = "hold"
	triggerRetry        = "retry"
	triggerEscalation   = "escalation"
	triggerApproval     = "approval"
	triggerCompensation = "compensation"
	triggerBacklog      = "backlog"
	triggerOutcome      = "outcome"
	triggerVerification = "verification"
	triggerDeadline     = "deadline"
	triggerControl      = "control"
	triggerRedirect     = "redirect"
)

// wish is what a rule wants to do about a finding.
type wish struct {
	rule    *rule
	finding *flyball.Finding
	view    *condition.View
	err     error // of the condition
	trigger string
	at      flyball.Time
	attempt int
	// operation is the one that goes on; nil begins one.
	operation *memory.Operation
	// action is what to do in place of the rule's, when it goes on.
	action   *action
	approval *flyball.Approval
	// origin is the finding that the rule was judged on, and asked the view of it, when
	// that is not finding but something that depends on it.
	origin *flyball.Finding
	asked  *condition.View
}

// hashOf makes ids.
func hashOf(parts ...string) string { return identity.Of(parts...) }

// operationID returns the id of the operation of a rule about a finding. Commands
// carry it: it never changes.
func operationID(rule, finding string) string { return hashOf("operation", rule, finding) }

// decide puts a wish to all gates, and does what they let pass. It returns what it
// came to.
func (m *Machine) decide(w wish) flyball.Verb {
	c, fillErr := m.caseOf(w)
	r, f := w.rule, w.finding
	d := flyball.Decision{
		ID: w.id(), At: w.at,
		Rule: r.Name, RuleRevision: r.Revision,
		Finding: f.ID, FindingRevision: f.Revision, Entity: f.Entity,
		Target: c.Target, Action: c.Action, Mode: c.Mode,
		Explain:        r.when.Explain(cmp.Or(w.asked, w.view)),
		ConfigRevision: m.revision,
		Trigger:        w.trigger, Attempt: w.attempt,
	}
	for _, cause := range c.World.Causes {
		d.Causes = append(d.Causes, cause.Operation)
	}
	if fillErr != nil {
		d.Gates = append(d.Gates, flyball.GateResult{Gate: "template", Reason: fillErr.Error()})
	}
	d.Gates = append(d.Gates, gate.Ask(c)...)
	d.Verb = sumUp(c, d.Gates)
	redirects := w.redirects(c, d.Gates)
	switch {
	case redirects:
		d.Reason = fmt.Sprintf("redirected to finding %s of %s", c.World.Root.ID, c.World.Root.Entity)
	case w.origin != nil:
		d.Reason = fmt.Sprintf("redirected from finding %s of %s", w.origin.ID, w.origin.Entity)
	}
	if w.approval != nil {
		d.Who = w.approval.Who
	}
	switch d.Verb {
	case flyball.VerbAct:
		cmd := m.send(c, w, d.ID)
		d.Command, d.Operation = cmd.ID, cmd.OperationID
		if c.Mode == flyball.ModeAutoNotify {
			d.Notify = r.Notify
		}
	case flyball.VerbObserve:
		m.remember(c)
	case flyball.VerbSuggest, flyball.VerbAwait:
		d.Operation, d.Notify = m.wait(c, w), r.Notify
	}
	if w.operation != nil {
		d.Operation = w.operation.ID
	}
	m.out.Decisions = append(m.out.Decisions, d)
	m.alarms(c, &d)
	m.deferred(c, &d)
	if redirects {
		cause := *c.World.Root
		w.origin, w.asked, w.finding, w.trigger = f, w.view, &cause, triggerRedirect
		w.view = condition.NewView(&cause, w.at, m.around())
		m.decide(w)
	}
	return d.Verb
}

// redirects says whether a wish is to be aimed at what its service depends on: when its
// rule says so, and nothing else is against it but what a person may say.
func (w wish) redirects(c *gate.Case, results []flyball.GateResult) bool {
	if !w.rule.Redirect || w.origin != nil || w.operation != nil || c.World.Root == nil {
		return false
	}
	dependent := false
	for _, g := range results {
		dependent = dependent || g.Gate == gate.NameDependency && !g.Pass
		asks := g.Gate == gate.NameApproval || g.Gate == gate.NameMode && c.Observes() && len(c.Pauses) == 0
		if !g.Pass && g.Gate != gate.NameDependency && !asks {
			return false
		}
	}
	return dependent
}

// id returns the decision's id, a hash of what caused it.
func (w wish) id() string {
	parts := []string{"decision", w.rule.Name, w.rule.Revision, w.finding.ID, fmt.Sprint(w.finding.Revision)}
	if w.trigger != triggerFinding {
		parts = append(parts, w.trigger, fmt.Sprint(w.attempt), w.at.String())
	}
	if w.origin != nil {
		parts = append(parts, w.origin.ID)
	}
	return hashOf(parts...)
}

// sumUp says what the gates come to.
func sumUp(c *gate.Case, results []flyball.GateResult) flyball.Verb {
	var refused []string
	for _, g := range results {
		if !g.Pass {
			refused = append(refused, g.Gate)
		}
	}
	switch {
	case len(refused) == 0:
		return flyball.VerbAct
	case slices.Equal(refused, []string{gate.NameMode}) && c.Observes() && len(c.Pauses) == 0:
		return flyball.VerbObserve
	case slices.Equal(refused, []string{gate.NameApproval}) && c.Mode == flyball.ModeSuggest:
		return flyball.VerbSuggest
	case slices.Equal(refused, []string{gate.NameApproval}):
		return flyball.VerbAwait
	}
	return flyball.VerbSuppress
}

// send reserves the operation and all that it counts for, and makes the command.
// Its ids depend on what caused it only, so that the same log gives the same
// command after a crash.
func (m *Machine) send(c *gate.Case, w wish, decision string) flyball.Command {
	r, f := w.rule, w.finding
	op := m.begin(c, w)
	op.Phase, op.Attempt, op.Action, op.Mode = memory.Sent, w.attempt, c.Action, c.Mode
	op.SentAt, op.Deadline, op.RecoveredAt = w.at, w.at.Add(r.Deadline), flyball.NoTime
	op.Due = op.Deadline
	if f.State == flyball.FindingResolved {
		op.RecoveredAt = w.at // there is nothing left to recover
	}
	compensates := c.Compensates != ""
	op.Command = hashOf("command", r.Name, r.Revision, f.ID, fmt.Sprint(w.attempt))
	if compensates {
		op.Command = hashOf("command", "compensation", op.ID, fmt.Sprint(w.attempt))
	}
	m.memory.Operations.Set(op)
	if !compensates {
		m.remember(c)
	}
	if !compensates && w.attempt == 1 {
		recurrence.Count(m.memory, c.Rule, c.Service, c.Action.Name, c.At, m.out)
	}
	m.count(c)
	cmd := flyball.Command{
		ID: op.Command, At: w.at, Decision: decision,
		OperationID: op.ID, Attempt: op.Attempt, Action: c.Action, Target: c.Target, Mode: c.Mode,
		Reason:      flyball.CommandReason{Rule: r.Name, Revision: r.Revision, Finding: f.ID, Evidence: f.Evidence},
		Deadline:    op.Deadline,
		Verify:      r.commandVerify(f),
		Compensates: c.Compensates,
	}
	if undo, err := r.undo(w.view); err == nil && undo != nil && !compensates {
		cmd.Compensation = undo
	}
	if w.approval != nil {
		cmd.Approvals = []flyball.Approval{*w.approval}
	}
	m.out.Commands = append(m.out.Commands, cmd)
	return cmd
}

// begin returns the operation of a wish, a new one if it has none.
func (m *Machine) begin(c *gate.Case, w wish) memory.Operation {
	if w.operation != nil {
		return *w.operation
	}
	f := w.finding
	op := memory.Operation{
		ID: operationID(w.rule.Name, f.ID), Rule: w.rule.Name, RuleRevision: w.rule.Revision,
		Finding: f.ID, Entity: f.Entity, Service: c.Service, Detector: f.Detector, Severity: f.Severity,
		Target: c.Target, Action: c.Action, Mode: c.Mode, Attempt: w.attempt,
		SentAt: flyball.NoTime, Deadline: flyball.NoTime, Due: flyball.NoTime, RecoveredAt: flyball.NoTime, EndedAt: flyball.NoTime,
	}
	if w.origin != nil {
		op.Origin = w.origin.ID
	}
	for _, g := range c.Guardrails {
		op.Guardrails = append(op.Guardrails, g.Name)
	}
	if o, ok := m.memory.Open.Get(memory.Key{f.ID}); ok {
		op.Causes = o.Causes
	}
	op.Depth = c.World.Depth + 1
	return op
}

// wait keeps an operation until a person says something.
func (m *Machine) wait(c *gate.Case, w wish) string {
	op := m.begin(c, w)
	op.Phase, op.Action, op.Mode, op.Due = memory.Waiting, c.Action, c.Mode, flyball.NoTime
	op.Attempt = w.attempt
	if c.Mode == flyball.ModeApprove {
		op.Due = w.at.Add(w.rule.Approval)
	}
	m.memory.Operations.Set(op)
	return op.ID
}

// remember keeps that a case was sent, or observed.
func (m *Machine) remember(c *gate.Case) {
	f := c.Finding
	resolved := flyball.NoTime
	if f.State == flyball.FindingResolved {
		resolved = f.At
	}
	m.memory.Commanded.Set(memory.Commanded{
		Rule: c.Rule.Name, Finding: f.ID, Revision: f.Revision, Observed: c.Observes(),
		At: c.At, OpenedAt: memory.OpenedAt(f), ResolvedAt: resolved,
	})
	if m.memory.Cools(c.Action.Name) {
		m.memory.Cooldowns.Set(memory.Cooling{
			Action: c.Action.Name, Target: c.Target, Observed: c.Observes(),
			At: c.At, Cooldown: c.Rule.Cooldown, Rule: c.Rule.Name,
		})
	}
}

// count reserves what a command uses of limits. It comes before the command is
// sent, in the same transaction.
func (m *Machine) count(c *gate.Case) {
	m.memory.Note(c.Action.Name, c.Target, func(r *memory.Result) { r.Done = memory.With(r.Done, c.At, memory.DoneWindow) })
	for _, g := range c.Guardrails {
		for _, l := range g.Limits {
			r, _ := m.memory.Rates.Get(rateKey(g.Guardrail, l, c))
			r.Guardrail, r.Limit, r.Name = g.Name, limitName(l), limitOf(l, c)
			r.Sent = memory.With(r.Sent, c.At, l.Window)
			m.memory.Rates.Set(r)
		}
		if g.Blast == nil {
			continue
		}
		b, _ := m.memory.Blasts.Get(memory.Key{g.Name})
		next := memory.Blast{Guardrail: g.Name, Tripped: b.Tripped, Targets: map[string]flyball.Time{c.Target: max(c.At, b.Targets[c.Target])}}
		for target, at := range b.Targets {
			if target != c.Target && at > c.At.Add(-g.Blast.Window-memory.LateBy) {
				next.Targets[target] = at
			}
		}
		m.memory.Blasts.Set(next)
	}
}
