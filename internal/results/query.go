package results

import (
	"cmp"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation/memory"
)

// Filter narrows a list. What is empty does not.
type Filter struct {
	// Entity of findings, decisions and SLOs, Kind and Severity of findings.
	Entity, Kind, Severity string
	// State is a state of a finding, a verb of a decision, of a command the class of its
	// latest outcome or "sent", of an SLO OK, EXHAUSTED or NO_DATA.
	State string
	// Rule and Target of decisions and commands, Finding and Operation too.
	Rule, Target, Finding, Operation string
	// SLO names one.
	SLO string
	// From and To bound the event time: From ≤ t < To. NoTime does not.
	From, To flyball.Time
	// Before is the cursor of the page before, Limit how many are wanted.
	Before *Key
	Limit  int
}

// All is the filter that narrows nothing.
func All(limit int) Filter { return Filter{From: flyball.NoTime, To: flyball.NoTime, Limit: limit} }

func is(want, got string) bool { return want == "" || want == got }

func (f *Filter) within(at flyball.Time) bool {
	return at >= f.From && (f.To == flyball.NoTime || at < f.To)
}

// Findings returns findings in their latest state, by when they opened. The state "open"
// is every one that is not resolved.
func (s *Store) Findings(f Filter) Page[flyball.Finding] {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.findings.page(f.Before, f.Limit, func(x *flyball.Finding) bool {
		state := is(f.State, string(x.State)) || f.State == "open" && x.State != flyball.FindingResolved
		return state && is(f.Entity, x.Entity) && is(f.Kind, x.Kind) && is(f.Severity, x.Severity) && f.within(memory.OpenedAt(x))
	})
}

// Finding returns a finding in its latest state.
func (s *Store) Finding(id string) (flyball.Finding, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if k, ok := s.latest[id]; ok {
		if f := s.findings.get(k); f != nil {
			return *f, true
		}
	}
	return flyball.Finding{}, false
}

// Decisions returns decisions.
func (s *Store) Decisions(f Filter) Page[flyball.Decision] {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.decisions.page(f.Before, f.Limit, func(x *flyball.Decision) bool {
		return is(f.Entity, x.Entity) && is(f.State, string(x.Verb)) && is(f.Rule, x.Rule) && is(f.Target, x.Target) &&
			is(f.Finding, x.Finding) && is(f.Operation, x.Operation) && f.within(x.At)
	})
}

// About returns all decisions about a decision, a finding, an operation or a command, the
// earliest first.
func (s *Store) About(id string) []flyball.Decision {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.decisions.page(nil, maxDecisions, func(d *flyball.Decision) bool { return About(d, id) })
	slices.Reverse(p.Items)
	return p.Items
}

// About says whether a decision is about an id: its own, or that of a finding, an
// operation or a command.
func About(d *flyball.Decision, id string) bool {
	return id != "" && (d.ID == id || d.Finding == id || d.Operation == id || d.Command == id)
}

// Sent is a command and what executors reported, the earliest first.
type Sent struct {
	flyball.Command
	Outcomes []flyball.Outcome
}

// State is the class of the latest outcome, or "sent".
func (c *Sent) State() string {
	if n := len(c.Outcomes); n > 0 {
		return string(c.Outcomes[n-1].Class)
	}
	return "sent"
}

// Commands returns commands with what became of them.
func (s *Store) Commands(f Filter) Page[Sent] {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sent := func(c *flyball.Command) Sent { return Sent{*c, s.reported[c.ID]} }
	p := s.commands.page(f.Before, f.Limit, func(x *flyball.Command) bool {
		c := sent(x)
		return is(f.State, c.State()) && is(f.Rule, x.Reason.Rule) && is(f.Target, x.Target) && is(f.Finding, x.Reason.Finding) &&
			is(f.Operation, x.OperationID) && f.within(x.At)
	})
	out := Page[Sent]{Items: make([]Sent, len(p.Items)), Next: p.Next}
	for i := range p.Items {
		out.Items[i] = sent(&p.Items[i])
	}
	return out
}

// Budgets returns the latest status of every error budget, by SLO, entity and labels,
// from after the key on: its ID is SLO, entity and labels with a zero byte between.
func (s *Store) Budgets(f Filter) Page[processors.SLORow] {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := Page[processors.SLORow]{Items: []processors.SLORow{}}
	for _, r := range s.budgets {
		if is(f.SLO, r.SLO) && is(f.Entity, r.Entity) && is(f.State, r.State) && f.within(r.At) && (f.Before == nil || budgetID(&r) > f.Before.ID) {
			all.Items = append(all.Items, r)
		}
	}
	slices.SortFunc(all.Items, func(a, b processors.SLORow) int { return cmp.Compare(budgetID(&a), budgetID(&b)) })
	if len(all.Items) > f.Limit {
		all.Items = all.Items[:f.Limit]
		all.Next = Key{ID: budgetID(&all.Items[f.Limit-1])}.Cursor()
	}
	return all
}

func budgetID(r *processors.SLORow) string { return r.SLO + "\x00" + r.Entity + "\x00" + r.Labels }

// Breaker is the open circuit breaker of a guardrail.
type Breaker struct {
	Guardrail string
	// Reason says when it opened, and by what.
	Reason string
}

// Force is what holds automation, and what it waits for.
type Force struct {
	// Clock is the event time up to which the decide role has come.
	Clock flyball.Time
	// Holds are kills, pauses, maintenances and modes, the earliest first.
	Holds []flyball.Control
	// Breakers that are open.
	Breakers []Breaker
	// Waiting are operations that wait for a person, Unknown those of which nobody knows
	// what became: their targets are blocked.
	Waiting, Unknown []memory.Operation
}

// Force returns what is in force at a time.
func (s *Store) Force(now flyball.Time) Force {
	s.mu.RLock()
	defer s.mu.RUnlock()
	f := Force{Clock: s.decide.Clock}
	for _, c := range s.decide.Controls.Rows {
		if !c.Over(now) {
			f.Holds = append(f.Holds, c.Instruction())
		}
	}
	for _, b := range s.decide.Blasts.Rows {
		if b.Tripped != "" {
			f.Breakers = append(f.Breakers, Breaker{b.Guardrail, b.Tripped})
		}
	}
	for _, o := range s.decide.Operations.Rows {
		switch o.Phase {
		case memory.Waiting:
			f.Waiting = append(f.Waiting, o)
		case memory.Unknown:
			f.Unknown = append(f.Unknown, o)
		}
	}
	slices.SortFunc(f.Holds, func(a, b flyball.Control) int { return Key{a.At, a.ID}.compare(Key{b.At, b.ID}) })
	slices.SortFunc(f.Breakers, func(a, b Breaker) int { return cmp.Compare(a.Guardrail, b.Guardrail) })
	for _, list := range [][]memory.Operation{f.Waiting, f.Unknown} {
		slices.SortFunc(list, func(a, b memory.Operation) int { return Key{a.SentAt, a.ID}.compare(Key{b.SentAt, b.ID}) })
	}
	return f
}
