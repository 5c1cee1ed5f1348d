package incident

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
)

// Outcomes of an incident.
const (
	Effective   = "effective"
	Ineffective = "ineffective"
	Worse       = "worse"
	Unknown     = "unknown"
	UnderWay    = "under_way"
	NothingDone = "nothing_done"
)

// judge says whether what was done helped. The worst of the operations counts, unless one
// has helped in the end.
func (b *builder) judge() {
	r := b.report
	verbs := map[flyball.Verb]bool{} // of operations that sent something
	last, sent := map[flyball.Verb]bool{}, 0
	for _, d := range b.all.Decisions {
		if b.sent(d.Operation) && b.findings[d.Finding] {
			verbs[d.Verb] = true
		}
	}
	for _, o := range r.Operations {
		if o.Attempts > 0 {
			sent += o.Attempts
			last[o.Result] = true
		}
	}
	commands := fmt.Sprintf("%d commands were sent", sent)
	if sent == 1 {
		commands = "One command was sent"
	}
	switch {
	case sent == 0:
		r.Outcome, r.Verdict = NothingDone, "Nothing was sent."
	case last[flyball.VerbEffective]:
		r.Outcome, r.Verdict = Effective, commands+", and it helped: the indicator recovered and stayed so."
	case verbs[flyball.VerbWorse]:
		r.Outcome, r.Verdict = Worse, commands+", and things got worse."
	case last[flyball.VerbUnknown]:
		r.Outcome, r.Verdict = Unknown, commands+", and nobody knows what became of it."
	case verbs[flyball.VerbIneffective] || verbs[flyball.VerbFail] || last[flyball.VerbPage] || last[flyball.VerbClose]:
		r.Outcome, r.Verdict = Ineffective, commands+", and it did not help."
	case r.State == "resolved":
		r.Outcome, r.Verdict = Unknown, commands+"; it is over, and nothing says that this was why."
	default:
		r.Outcome, r.Verdict = UnderWay, commands+"; how it ends is not known yet."
	}
	if r.State == "resolved" && r.Outcome != Effective && r.Outcome != Unknown {
		r.Verdict += " It was resolved without automation."
	}
}

// sent reports whether an operation sent a command.
func (b *builder) sent(operation string) bool {
	return slices.ContainsFunc(b.report.Operations, func(o Operation) bool { return o.ID == operation && o.Attempts > 0 })
}

func (b *builder) times() {
	r := b.report
	between := func(from, to flyball.Time) *float64 {
		if from == flyball.NoTime || to == flyball.NoTime {
			return nil
		}
		s := to.Sub(from).Seconds()
		return &s
	}
	if len(r.Findings) > 0 {
		if seen, ok := b.all.Seen[r.Findings[0].ID]; ok {
			r.Times.Detect = between(r.Findings[0].OpenedAt, seen)
		}
	}
	command, done := flyball.NoTime, flyball.NoTime
	for _, m := range r.Timeline {
		switch {
		case m.Kind == "command" && command == flyball.NoTime:
			command = m.At
		case m.Kind == "outcome" && m.What == string(flyball.OutcomeSucceeded) && done == flyball.NoTime:
			done = m.At
		}
	}
	r.Times.Decide, r.Times.Remediate, r.Times.Recover = between(r.OpenedAt, command), between(command, done), between(r.OpenedAt, r.ResolvedAt)
}

// followUps says what is to be mended for good.
func (b *builder) followUps() {
	r := b.report
	say := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(r.FollowUps, text) {
			r.FollowUps = append(r.FollowUps, text)
		}
	}
	b.recurrences(say)
	for _, f := range r.Findings {
		if f.Incomplete {
			say("A source was missing when %s was found: what it rests on is incomplete.", f.Detector)
		}
	}
	decided := false
	held := map[string]bool{} // rules that were held by gates
	for i := range b.all.Decisions {
		d := &b.all.Decisions[i]
		if !b.findings[d.Finding] {
			continue
		}
		decided = decided || d.Verb != flyball.VerbGroup
		switch d.Verb {
		case flyball.VerbObserve:
			say("Rule %s would have done %s on %s. Was that right? Then raise its mode.", d.Rule, d.Action.Name, d.Target)
		case flyball.VerbSuppress:
			if !held[d.Rule] {
				held[d.Rule] = true
				say("Rule %s was held (%s). Should it have been?", d.Rule, refusals(d))
			}
		case flyball.VerbExpire:
			say("Nobody answered in time whether rule %s may do %s: page somebody else, or raise its mode.", d.Rule, d.Action.Name)
		case flyball.VerbIneffective:
			say("%s on %s did not help: rule %s answers the wrong cause, or needs stronger actions.", d.Action.Name, d.Target, d.Rule)
		case flyball.VerbWorse:
			say("%s on %s made things worse: lower the mode of rule %s until it is known why.", d.Action.Name, d.Target, d.Rule)
		case flyball.VerbUnknown:
			say("Nobody said what became of %s on %s by the deadline: look at the executor.", d.Action.Name, d.Target)
		}
	}
	for i := range b.all.Outcomes {
		o := &b.all.Outcomes[i]
		if b.operations[o.OperationID] && (o.Class == flyball.OutcomePermanent || o.Class == flyball.OutcomeRejected || o.Class == flyball.OutcomeExpired) {
			say("The executor could not do it on %s: %s.", o.Target, strings.TrimSpace(string(o.Class)+" "+o.Reason))
		}
	}
	if !decided {
		say("No rule answers this: people did everything by hand. If it comes again, write one.")
	}
	if r.Outcome == Effective {
		say("It helped, and did not remove the cause: find out why it was needed.")
	}
}

// recurrences says how often the same was found before.
func (b *builder) recurrences(say func(string, ...any)) {
	for _, f := range b.report.Findings {
		before := map[string]bool{}
		first := flyball.NoTime
		for _, o := range b.all.Findings {
			if o.ID != f.ID && !b.findings[o.ID] && o.Entity == f.Entity && o.Detector == f.Detector && o.OpenedAt < f.OpenedAt && o.OpenedAt != flyball.NoTime {
				before[o.ID] = true
				if first == flyball.NoTime || o.OpenedAt < first {
					first = o.OpenedAt
				}
			}
		}
		if len(before) > 0 {
			times := "once"
			if len(before) > 1 {
				times = fmt.Sprintf("%d times", len(before))
			}
			say("%s on %s was found %s before, since %s: it comes back.", f.Detector, f.Entity, times, first)
		}
	}
}
