package remediation

import (
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation/gate"
	"github.com/flyball-io/flyball/processors/remediation/memory"
	"gonum.org/v1/gonum/mathext"
)

// KindRecurring is the kind of the findings that a remediation is needed more and more
// often, so that people mend the cause. They are for people: rules are not judged on
// them, and they do not count as open findings.
const KindRecurring = "remediation_recurring"

const (
	// leastRecurring is how many commands in 24 hours are worth a finding,
	// leastPast how much of the time before must be known, and recurringChance how
	// likely so many may be when nothing has changed.
	leastRecurring  = 3
	leastPast       = 24 * time.Hour
	recurringChance = 0.02
)

// recur counts a command of a rule for a service, and opens a finding when they come
// more often than before. Were nothing changed, each of the commands of the last day
// and of the week before would be as likely to be in any hour, so that those of the
// last day have a binomial distribution.
func (m *Machine) recur(c *gate.Case) {
	k := memory.Key{c.Rule.Name, c.Service}
	r, known := m.memory.Recurrences.Get(k)
	if !known && m.memory.Recurrences.Full() {
		m.out.Limited = append(m.out.Limited, processors.Limited{Reason: processors.LimitRecurrences, Times: 1})
		return
	}
	r.Rule, r.Service = k[0], k[1]
	r = r.With(c.At)
	day, before := r.Recent(c.At)
	if past := m.memory.Past(c.At); r.Finding == "" && day >= leastRecurring && past >= leastPast {
		share := (24 * time.Hour).Hours() / (24*time.Hour + past).Hours()
		if mathext.RegIncBeta(float64(day), float64(before+1), share) < recurringChance { // P(X ≥ day), X ~ B(day+before, share)
			r.Finding, r.OpenedAt, r.Notify = hashOf("finding", KindRecurring, r.Rule, r.Service, c.At.String()), c.At, c.Rule.Notify
			m.report(r, flyball.FindingOpened, c.At, fmt.Sprintf("%s by rule %s was needed %d times for %s in the last 24 hours, %d times in the %s before: mend the cause",
				c.Action.Name, r.Rule, day, r.Service, before, past))
		}
	}
	m.memory.Recurrences.Set(r)
}

// advance moves the clock, and resolves what does not recur any more by then.
func (m *Machine) advance(at flyball.Time) {
	if !m.memory.Advance(at) {
		return
	}
	for _, k := range memory.KeysOf(m.memory.Recurrences, func(r memory.Recurrence) bool { return r.Finding != "" }) {
		r, _ := m.memory.Recurrences.Get(k)
		for hour := r.OpenedAt.Floor(time.Hour).Add(time.Hour); hour <= at; hour = hour.Add(time.Hour) {
			if day, _ := r.Recent(hour); day < leastRecurring {
				m.report(r, flyball.FindingResolved, hour, fmt.Sprintf("rule %s is not needed more often than before for %s any more", r.Rule, r.Service))
				r.Finding, r.Notify = "", nil
				m.memory.Recurrences.Set(r)
				break
			}
		}
	}
}

// report makes the finding about a recurrence.
func (m *Machine) report(r memory.Recurrence, state flyball.FindingState, at flyball.Time, summary string) {
	day, before := r.Recent(at)
	revision := 1
	if state == flyball.FindingResolved {
		revision = 2
	}
	m.out.Findings = append(m.out.Findings, flyball.Finding{
		ID: r.Finding, Revision: revision, Kind: KindRecurring, State: state, Severity: "ticket",
		Entity: r.Service, Labels: flyball.LabelsOf("service.name", r.Service), Detector: r.Rule,
		At: at, OpenedAt: r.OpenedAt, Summary: summary, Notify: r.Notify,
		Evidence: []flyball.Evidence{{Name: "last_day", Value: float64(day), Unit: "commands", Window: "1d"},
			{Name: "week_before", Value: float64(before), Unit: "commands", Window: "7d"}},
	})
}
