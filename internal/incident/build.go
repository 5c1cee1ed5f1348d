package incident

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
)

// Build returns the report of the incident that id is part of: that of a finding, an
// operation, a decision or a command. Findings that were grouped under its operations are
// part of it, too.
func Build(id string, e Events) (*Report, error) {
	b := builder{all: e.unique(), findings: map[string]bool{}, operations: map[string]bool{}, commands: map[string]bool{}}
	b.start(id)
	if len(b.findings) == 0 {
		return nil, fmt.Errorf("cannot report on %q: no finding, operation, decision or command has this id", id)
	}
	for b.grow() {
	}
	b.report = &Report{ID: id, State: "resolved", OpenedAt: flyball.NoTime, ResolvedAt: flyball.NoTime,
		Findings: []flyball.Finding{}, Operations: []Operation{}, Timeline: []Moment{}, FollowUps: []string{}}
	b.takeFindings()
	b.takeDecisions()
	b.takeCommands()
	slices.SortStableFunc(b.report.Timeline, func(x, y Moment) int {
		return cmp.Or(cmp.Compare(x.At, y.At), rank(x.Kind)-rank(y.Kind))
	})
	b.judge()
	b.times()
	b.followUps()
	return b.report, nil
}

// rank orders what happened at one time: causes before what they cause.
func rank(kind string) int {
	return slices.Index([]string{"finding", "decision", "command", "outcome"}, kind)
}

// unique returns the events, each once, in the order of their times.
func (e Events) unique() Events {
	e.Findings = once(e.Findings, func(f flyball.Finding) string { return fmt.Sprint(f.ID, " ", f.Revision) }, func(f flyball.Finding) flyball.Time { return f.At })
	e.Decisions = once(e.Decisions, func(d flyball.Decision) string { return d.ID }, func(d flyball.Decision) flyball.Time { return d.At })
	e.Commands = once(e.Commands, func(c flyball.Command) string { return c.ID }, func(c flyball.Command) flyball.Time { return c.At })
	e.Outcomes = once(e.Outcomes, func(o flyball.Outcome) string {
		return fmt.Sprint(o.OperationID, " ", o.Attempt, " ", o.Class)
	}, func(o flyball.Outcome) flyball.Time { return o.At })
	return e
}

func once[T any](list []T, key func(T) string, at func(T) flyball.Time) []T {
	seen := map[string]bool{}
	var out []T
	for _, x := range list {
		if k := key(x); !seen[k] {
			seen[k] = true
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b T) int { return cmp.Or(cmp.Compare(at(a), at(b)), strings.Compare(key(a), key(b))) })
	return out
}

// builder makes a report. findings and operations are those that belong to it.
type builder struct {
	all                  Events
	findings, operations map[string]bool
	commands             map[string]bool // counted as attempts
	report               *Report
}

func (b *builder) start(id string) {
	for _, f := range b.all.Findings {
		if f.ID == id {
			b.findings[id] = true
		}
	}
	for _, d := range b.all.Decisions {
		if id != "" && d.Finding != "" && (d.Finding == id || d.ID == id || d.Operation == id || d.Command == id) {
			b.findings[d.Finding] = true
		}
	}
}

// grow adds operations about the findings, and findings grouped under them. It reports
// whether there were any.
func (b *builder) grow() bool {
	before := len(b.findings) + len(b.operations)
	for _, d := range b.all.Decisions {
		if d.Operation == "" {
			continue
		}
		if b.findings[d.Finding] {
			b.operations[d.Operation] = true
		}
		if d.Finding != "" && b.operations[d.Operation] { // its own, and those that it explains
			b.findings[d.Finding] = true
		}
	}
	return len(b.findings)+len(b.operations) > before
}

func (b *builder) add(at flyball.Time, kind, what, id, text string) {
	b.report.Timeline = append(b.report.Timeline, Moment{at, kind, what, id, text})
}

func (b *builder) takeFindings() {
	r := b.report
	latest := map[string]flyball.Finding{}
	entities := map[string]int{}
	for _, f := range b.all.Findings {
		if !b.findings[f.ID] {
			continue
		}
		if was, ok := latest[f.ID]; !ok || f.Revision > was.Revision {
			latest[f.ID] = f
		}
		if urgency(f.Severity) > urgency(r.Severity) {
			r.Severity = f.Severity
		}
		b.add(f.At, "finding", string(f.State), f.ID, fmt.Sprintf("%s on %s: %s", f.Severity, f.Entity, f.Summary))
	}
	r.Findings = append(r.Findings, slices.SortedFunc(maps.Values(latest), func(x, y flyball.Finding) int {
		return cmp.Or(cmp.Compare(x.OpenedAt, y.OpenedAt), strings.Compare(x.ID, y.ID))
	})...)
	for _, f := range r.Findings {
		entities[f.Entity]++
		if f.State != flyball.FindingResolved {
			r.State = "open"
		}
		if at := f.OpenedAt; at != flyball.NoTime && (r.OpenedAt == flyball.NoTime || at < r.OpenedAt) {
			r.OpenedAt = at
		}
		r.ResolvedAt = max(r.ResolvedAt, f.At)
	}
	if len(r.Findings) == 0 { // only decisions are left of it
		r.State = "unknown"
	}
	if r.State != "resolved" {
		r.ResolvedAt = flyball.NoTime
	}
	for _, f := range r.Findings {
		if entities[f.Entity] > entities[r.Entity] {
			r.Entity = f.Entity
		}
	}
	r.Title = "Incident " + r.ID
	if len(r.Findings) > 0 {
		r.Title = fmt.Sprintf("%s: %s", r.Entity, r.Findings[0].Summary)
	}
}

func urgency(severity string) int {
	return slices.Index([]string{"info", "ticket", "page"}, severity) + 1
}

func (b *builder) takeDecisions() {
	at := map[string]int{} // place of an operation
	for i := range b.all.Decisions {
		d := &b.all.Decisions[i]
		if !b.findings[d.Finding] {
			continue
		}
		b.add(d.At, "decision", string(d.Verb), d.ID, decided(d))
		if b.report.Entity == "" {
			b.report.Entity = d.Entity
		}
		if d.Operation == "" || d.Verb == flyball.VerbGroup {
			continue
		}
		n, known := at[d.Operation]
		if !known {
			n = len(b.report.Operations)
			at[d.Operation] = n
			b.report.Operations = append(b.report.Operations, Operation{ID: d.Operation, Rule: d.Rule, Finding: d.Finding})
		}
		o := &b.report.Operations[n]
		o.Target, o.Action, o.Mode = d.Target, d.Action, d.Mode
		o.Result, o.Why = d.Verb, cmp.Or(d.Reason, refusals(d))
		b.attempt(o, d.Command)
		if d.Who != "" && !slices.Contains(o.Who, d.Who) {
			o.Who = append(o.Who, d.Who)
		}
	}
}

// attempt counts a command once: decisions are kept for longer than commands.
func (b *builder) attempt(o *Operation, command string) {
	if command != "" && !b.commands[command] {
		b.commands[command] = true
		o.Attempts++
	}
}

// decided says a decision in a line.
func decided(d *flyball.Decision) string {
	text := strings.TrimSpace(fmt.Sprintf("%s on %s", cmp.Or(d.Action.Name, "nothing"), cmp.Or(d.Target, d.Entity)))
	if d.Rule != "" {
		text += " by rule " + d.Rule
	}
	if d.Who != "" {
		text += ", " + d.Who
	}
	if why := cmp.Or(d.Reason, refusals(d)); why != "" {
		text += ": " + why
	}
	return text
}

// refusals returns the gates that said no, and why.
func refusals(d *flyball.Decision) string {
	var out []string
	for _, g := range d.Gates {
		if !g.Pass {
			out = append(out, g.Gate+": "+g.Reason)
		}
	}
	return strings.Join(out, "; ")
}

func (b *builder) takeCommands() {
	for i := range b.all.Commands {
		c := &b.all.Commands[i]
		if !b.operations[c.OperationID] {
			continue
		}
		b.add(c.At, "command", "sent", c.ID, fmt.Sprintf("%s on %s, attempt %d, to be done by %s", c.Action.Name, c.Target, c.Attempt, c.Deadline))
		for j := range b.report.Operations {
			if o := &b.report.Operations[j]; o.ID == c.OperationID {
				b.attempt(o, c.ID)
				o.Compensates = cmp.Or(o.Compensates, c.Compensates)
			}
		}
	}
	for i := range b.all.Outcomes {
		o := &b.all.Outcomes[i]
		if b.operations[o.OperationID] {
			text := strings.TrimSpace(strings.Join([]string{fmt.Sprintf("attempt %d on %s", o.Attempt, o.Target), o.Reason}, " "))
			if o.Detail != "" {
				text += ": " + o.Detail
			}
			b.add(o.At, "outcome", string(o.Class), o.OperationID, text)
		}
	}
}
