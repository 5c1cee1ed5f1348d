// Package recurrence counts how often remediations are needed, and says so when that is
// more and more often.
package recurrence

import (
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation/identity"
	"github.com/flyball-io/flyball/processors/remediation/memory"
	"gonum.org/v1/gonum/mathext"
)

// Kind is the kind of the findings that a remediation is needed more and more
// often, so that people mend the cause. They are for people: rules are not judged on
// them, and they do not count as open findings.
const Kind = "remediation_recurring"

const (
	// leastRecurring is how many commands in 24 hours are worth a finding,
	// leastPast how much of the time before must be known, and recurringChance how
	// likely so many may be when nothing has changed.
	leastRecurring  = 3
	leastPast       = 24 * time.Hour
	recurringChance = 0.02
)

// Count counts a command of a rule for a service, and opens a finding when they come
// more often than before. Were nothing changed, each of the commands of the last day
// and of the week before would be as likely to be in any hour, so that those of the
// last day have a binomial distribution.
func Count(m *memory.Memory, rule *flyball.Rule, service, action string, at flyball.Time, out *processors.Ready) {
	k := memory.Key{rule.Name, service}
	r, known := m.Recurrences.Get(k)
	if !known && m.Recurrences.Full() {
		out.Limited = append(out.Limited, processors.Limited{Reason: processors.LimitRecurrences, Times: 1})
		return
	}
	r.Rule, r.Service = k[0], k[1]
	r = r.With(at)
	day, before := r.Recent(at)
	if past := m.Past(at); r.Finding == "" && day >= leastRecurring && past >= leastPast {
		share := (24 * time.Hour).Hours() / (24*time.Hour + past).Hours()
		if mathext.RegIncBeta(float64(day), float64(before+1), share) < recurringChance { // P(X ≥ day), X ~ B(day+before, share)
			r.Finding, r.OpenedAt, r.Notify = identity.Of("finding", Kind, r.Rule, r.Service, at.String()), at, rule.Notify
			report(r, flyball.FindingOpened, at, fmt.Sprintf("%s by rule %s was needed %d times for %s in the last 24 hours, %d times in the %s before: mend the cause",
				action, r.Rule, day, r.Service, before, past), out)
		}
	}
	m.Recurrences.Set(r)
}

// Resolve resolves what does not recur any more by a time.
func Resolve(m *memory.Memory, at flyball.Time, out *processors.Ready) {
	for _, k := range memory.KeysOf(m.Recurrences, func(r memory.Recurrence) bool { return r.Finding != "" }) {
		r, _ := m.Recurrences.Get(k)
		for hour := r.OpenedAt.Floor(time.Hour).Add(time.Hour); hour <= at; hour = hour.Add(time.Hour) {
			if day, _ := r.Recent(hour); day < leastRecurring {
				report(r, flyball.FindingResolved, hour, fmt.Sprintf("rule %s is not needed more often than before for %s any more", r.Rule, r.Service), out)
				r.Finding, r.Notify = "", nil
				m.Recurrences.Set(r)
				break
			}
		}
	}
}

// report makes the finding about a recurrence.
func report(r memory.Recurrence, state flyball.FindingState, at flyball.Time, summary string, out *processors.Ready) {
	day, before := r.Recent(at)
	revision := 1
	if state == flyball.FindingResolved {
		revision = 2
	}
	out.Findings = append(out.Findings, flyball.Finding{
		ID: r.Finding, Revision: revision, Kind: Kind, State: state, Severity: "ticket",
		Entity: r.Service, Labels: flyball.LabelsOf("service.name", r.Service), Detector: r.Rule,
		At: at, OpenedAt: r.OpenedAt, Summary: summary, Notify: r.Notify,
		Evidence: []flyball.Evidence{{Name: "last_day", Value: float64(day), Unit: "commands", Window: "1d"},
			{Name: "week_before", Value: float64(before), Unit: "commands", Window: "7d"}},
	})
}
