package grouping

import (
	"cmp"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/sinks/notify"
)

const (
	// maxFindings are remembered, and of them maxItems for each receiver.
	maxFindings, maxItems = 100_000, 10_000
	// maxDecisions of a finding are remembered, the latest; maxSeries of its series.
	maxDecisions, maxSeries = 30, 5
	// longestHold is how long an operation may keep a finding from being told.
	longestHold = 2 * time.Hour
	// stubsLast is how long something is remembered of findings that only decisions
	// were seen of.
	stubsLast = time.Hour
	// tidied is how often memory is looked through.
	tidied = time.Minute
)

// Reasons of what a limit kept from being told.
const (
	LimitFindings  = "findings"
	LimitItems     = "notifications"
	LimitDecisions = "decisions"
)

// What became of news without being told.
const (
	// Grouped news are explained by a running operation.
	Grouped = "grouped"
	// Over news were resolved before they were told.
	Over = "resolved_before"
	// Expired news could not be told for a day.
	Expired = "expired"
)

// Entry is one event.
type Entry struct {
	// Finding or Decision; one is set.
	Finding  *flyball.Finding
	Decision *flyball.Decision
	// Old is set for what is known already, or too old to be told: it is remembered only.
	Old bool
}

// Change is a row of the state topic that is another now; without a value it is gone.
type Change struct {
	Key   string
	Value []byte
}

// Ready is what must become durable before anything is told.
type Ready struct {
	// State changes.
	State []Change
	// Limited counts what limits kept from being told, by their reasons; Untold counts
	// news that need not be told any more, by receiver and why.
	Limited map[string]int
	Untold  map[Untold]int
}

// Untold is news of a receiver that were not told, and why.
type Untold struct{ Receiver, Why string }

// Machine is the machine. It is used by one goroutine.
type Machine struct {
	receivers []Receiver
	maxItems  int
	rows      *table
	out       Ready
	tidiedAt  flyball.Time
	// What a successor begins anew: when groups were told last and how often, and when
	// they may be tried again.
	sent  map[groupKey]sending
	tries map[groupKey]retry
}

type groupKey struct{ receiver, group string }

type sending struct {
	at      flyball.Time
	repeats int
}

type retry struct {
	times int
	next  flyball.Time
}

// New returns a machine that knows nothing yet.
func New(receivers []Receiver) *Machine {
	return &Machine{receivers: receivers, maxItems: maxItems, rows: newTable(), tidiedAt: flyball.NoTime,
		sent: map[groupKey]sending{}, tries: map[groupKey]retry{}}
}

// Restore sets a row of the state topic.
func (m *Machine) Restore(key string, value []byte) error { return m.rows.set(key, value) }

// Step takes events, and the receipts of what was told before, at the time now. What it
// returns must be durable before Next is asked.
func (m *Machine) Step(now flyball.Time, entries []Entry, receipts []Receipt) Ready {
	m.out = Ready{Limited: map[string]int{}, Untold: map[Untold]int{}}
	for i := range receipts {
		m.settle(now, &receipts[i])
	}
	for _, e := range entries {
		if e.Finding != nil {
			m.finding(now, e.Finding, e.Old)
		} else if e.Decision != nil {
			m.decision(now, e.Decision, e.Old)
		}
	}
	if m.tidiedAt == flyball.NoTime || now.Sub(m.tidiedAt) >= tidied {
		m.tidy(now)
	}
	m.out.State = m.rows.changes()
	return m.out
}

// Commit says that what Step returned is durable.
func (m *Machine) Commit() { m.rows.commit() }

// Abort takes everything back to the last commit.
func (m *Machine) Abort() { m.rows.abort() }

// Pending returns how many items of a receiver have news.
func (m *Machine) Pending(receiver string) int {
	n := 0
	for _, i := range m.rows.items[receiver] {
		if i.Due != flyball.NoTime {
			n++
		}
	}
	return n
}

// finding takes a state of a finding.
func (m *Machine) finding(now flyball.Time, f *flyball.Finding, old bool) {
	was := m.rows.findings[f.ID]
	if was == nil && f.State == flyball.FindingResolved {
		return // nobody was told of it
	}
	if was != nil && !was.Stub && was.Finding.Revision >= f.Revision {
		return // seen before
	}
	if was == nil && len(m.rows.findings) >= maxFindings {
		m.out.Limited[LimitFindings]++
		return
	}
	k := known{HeldAt: flyball.NoTime}
	if was != nil {
		k = *was
	}
	k.Finding, k.Stub, k.SeenAt = *f, false, now
	if len(f.Series) > maxSeries {
		k.Finding.Series = f.Series[:maxSeries:maxSeries]
	}
	m.rows.putFinding(f.ID, &k)
	for i := range m.receivers {
		r := &m.receivers[i]
		it := m.rows.items[r.Name][f.ID]
		if !old && r.named(f.Notify) && r.takes(f.Severity, serviceOf(f)) && f.State != flyball.FindingResolved {
			it = m.item(r, f.ID, true)
		}
		if it != nil {
			m.schedule(now, r, it)
		}
	}
	m.forget(f.ID)
}

// item returns the item of a receiver about a finding, a new one if there is none; nil
// when there are as many as may be.
func (m *Machine) item(r *Receiver, finding string, named bool) *item {
	was := m.rows.items[r.Name][finding]
	switch {
	case was == nil && len(m.rows.items[r.Name]) >= m.maxItems:
		m.out.Limited[LimitItems]++
		return nil
	case was == nil:
		was = &item{Receiver: r.Name, Finding: finding, Due: flyball.NoTime, Since: flyball.NoTime}
	case was.Named || !named:
		return was
	}
	is := *was
	is.Named = is.Named || named
	m.rows.putItem(r.Name, finding, &is)
	return &is
}

// schedule sets when the news of an item are told, if there are any, and removes one
// whose finding was over before it was told.
func (m *Machine) schedule(now flyball.Time, r *Receiver, it *item) {
	k := m.rows.findings[it.Finding]
	n := newsOf(r, it, k)
	is := *it
	switch {
	case k.resolved() && it.untold() && len(n.decisions) == 0:
		m.rows.putItem(r.Name, it.Finding, nil)
		m.out.Untold[Untold{r.Name, Over}]++
		return
	case !n.any():
		is.Due, is.Since = flyball.NoTime, flyball.NoTime
	case it.Due == flyball.NoTime:
		is.Due, is.Since = now.Add(r.Wait), now
	}
	if is.Due != it.Due || is.Since != it.Since {
		m.rows.putItem(r.Name, it.Finding, &is)
	}
}

// decision takes a decision.
func (m *Machine) decision(now flyball.Time, d *flyball.Decision, old bool) {
	if d.Verb == flyball.VerbGroup && !old {
		m.hold(now, d)
	}
	if n := note(d); n != nil && d.Finding != "" {
		m.note(now, d, n, old)
	}
	if ends(d.Verb) {
		for _, id := range slices.Clone(m.rows.held[d.Operation]) {
			m.release(now, id)
		}
	}
}

// ends reports whether an operation explains nothing any more after that.
func ends(v flyball.Verb) bool {
	switch v {
	case flyball.VerbEffective, flyball.VerbClose, flyball.VerbPage, flyball.VerbReject, flyball.VerbExpire,
		flyball.VerbRelease, flyball.VerbUnknown, flyball.VerbWorse:
		return true
	}
	return false
}

// note returns what people want to know of a decision, nil when that is nothing. It has a
// severity when it is told by itself.
func note(d *flyball.Decision) *noted {
	n := &noted{Notify: d.Notify, Decision: notify.Decision{ID: d.ID, At: d.At, Verb: d.Verb, Finding: d.Finding, Rule: d.Rule,
		Action: d.Action, Target: d.Target, Operation: d.Operation, Reason: d.Reason, Who: d.Who}}
	switch d.Verb {
	case flyball.VerbPage, flyball.VerbUnknown, flyball.VerbAwait:
		n.Severity = notify.Page
	case flyball.VerbSuggest:
		n.Severity = notify.Ticket
	case flyball.VerbAct:
		if len(d.Notify) > 0 {
			n.Severity = notify.Ticket
		}
	case flyball.VerbFail, flyball.VerbEffective, flyball.VerbIneffective, flyball.VerbWorse, flyball.VerbReject, flyball.VerbExpire, flyball.VerbRelease:
	default:
		return nil
	}
	return n
}

// note remembers a decision, and makes items for those who are to know.
func (m *Machine) note(now flyball.Time, d *flyball.Decision, n *noted, old bool) {
	was := m.rows.findings[d.Finding]
	switch {
	case was == nil && (n.Severity == "" || old):
		return
	case was == nil && len(m.rows.findings) >= maxFindings:
		m.out.Limited[LimitFindings]++
		return
	case was == nil:
		was = stubOf(d)
	case slices.ContainsFunc(was.Decisions, func(x noted) bool { return x.ID == n.ID }):
		return // seen before
	}
	k := *was
	k.SeenAt = now
	k.Decisions = append(slices.Clone(was.Decisions), *n)
	if len(k.Decisions) > maxDecisions {
		k.Decisions = k.Decisions[len(k.Decisions)-maxDecisions:]
		m.out.Limited[LimitDecisions]++
	}
	m.rows.putFinding(d.Finding, &k)
	for i := range m.receivers {
		r := &m.receivers[i]
		it := m.rows.items[r.Name][d.Finding]
		if !old && n.Severity != "" && r.named(n.Notify) && r.takes(n.Severity, serviceOf(&k.Finding)) {
			it = m.item(r, d.Finding, false)
		}
		switch {
		case it != nil && old: // it was told, or is too old to be
			is := *it
			is.Decisions = append(slices.Clone(it.Decisions), n.ID)
			m.rows.putItem(r.Name, d.Finding, &is)
		case it != nil:
			m.schedule(now, r, it)
		}
	}
	m.forget(d.Finding)
}

func stubOf(d *flyball.Decision) *known {
	return &known{Stub: true, HeldAt: flyball.NoTime, Finding: flyball.Finding{ID: d.Finding, Entity: d.Entity, At: d.At, OpenedAt: flyball.NoTime}}
}

// hold keeps a finding from being told as long as an operation explains it.
func (m *Machine) hold(now flyball.Time, d *flyball.Decision) {
	k := m.rows.findings[d.Finding]
	if k == nil {
		if len(m.rows.findings) >= maxFindings {
			m.out.Limited[LimitFindings]++
			return
		}
		k = stubOf(d) // the finding is read after it
	}
	is := *k
	is.Held, is.HeldAt, is.SeenAt = d.Operation, now, now
	m.rows.putFinding(d.Finding, &is)
	m.reschedule(now, d.Finding, func(r *Receiver) { m.out.Untold[Untold{r.Name, Grouped}]++ })
}

// release lets a finding be told that was held.
func (m *Machine) release(now flyball.Time, id string) {
	is := *m.rows.findings[id]
	is.Held, is.HeldAt = "", flyball.NoTime
	m.rows.putFinding(id, &is)
	m.reschedule(now, id, func(*Receiver) {})
}

// reschedule schedules all items of a finding, and calls each with those that have
// no news any more.
func (m *Machine) reschedule(now flyball.Time, id string, each func(*Receiver)) {
	for i := range m.receivers {
		r := &m.receivers[i]
		if it := m.rows.items[r.Name][id]; it != nil {
			due := it.Due
			m.schedule(now, r, it)
			if is := m.rows.items[r.Name][id]; due != flyball.NoTime && is != nil && is.Due == flyball.NoTime {
				each(r)
			}
		}
	}
}

// forget removes a finding that is over and that nobody is to be told of.
func (m *Machine) forget(id string) {
	k := m.rows.findings[id]
	if k == nil || !k.resolved() {
		return
	}
	for i := range m.receivers {
		if m.rows.items[m.receivers[i].Name][id] != nil {
			return
		}
	}
	m.rows.putFinding(id, nil)
}

// tidy lets go of what was held for too long, and forgets what nobody needs: stubs, and
// items of receivers that are not configured any more.
func (m *Machine) tidy(now flyball.Time) {
	m.tidiedAt = now
	for name, items := range m.rows.items {
		if !slices.ContainsFunc(m.receivers, func(r Receiver) bool { return r.Name == name }) {
			for id := range items {
				m.rows.putItem(name, id, nil)
				m.forget(id)
			}
		}
	}
	for i := range m.receivers { // a receiver may be told other things since the last start
		for _, it := range m.rows.items[m.receivers[i].Name] {
			if m.rows.findings[it.Finding] != nil {
				m.schedule(now, &m.receivers[i], it)
			}
		}
	}
	for id, k := range m.rows.findings {
		if k.Held != "" && now.Sub(k.HeldAt) > longestHold {
			m.release(now, id)
		}
		if k.Stub && now.Sub(k.SeenAt) > stubsLast && !m.pending(id) {
			for i := range m.receivers {
				if name := m.receivers[i].Name; m.rows.items[name][id] != nil {
					m.rows.putItem(name, id, nil)
				}
			}
			m.rows.putFinding(id, nil)
		}
	}
	for key, s := range m.sent {
		if now.Sub(s.at) > 8*24*time.Hour { // longer than any repeat
			delete(m.sent, key)
		}
	}
}

// pending reports whether some receiver is still to be told of a finding.
func (m *Machine) pending(id string) bool {
	return slices.ContainsFunc(m.receivers, func(r Receiver) bool {
		it := m.rows.items[r.Name][id]
		return it != nil && it.Due != flyball.NoTime
	})
}

// news are what a receiver has not been told of a finding.
type news struct {
	finding   bool // that it is open, or is more severe now
	resolved  bool
	decisions []*noted
	answers   []*noted // of people
}

func (n *news) any() bool {
	return n.finding || n.resolved || len(n.decisions) > 0 || len(n.answers) > 0
}

func newsOf(r *Receiver, it *item, k *known) news {
	var n news
	open := !k.Stub && !k.resolved()
	n.finding = it.Named && open && k.Held == "" && r.takes(k.Finding.Severity, serviceOf(&k.Finding)) &&
		notify.Urgency(k.Finding.Severity) > notify.Urgency(it.Told)
	n.resolved = k.resolved() && !it.untold()
	for i := range k.Decisions {
		d := &k.Decisions[i]
		switch told := slices.Contains(it.Decisions, d.ID); {
		case told:
		case d.Severity != "" && r.named(d.Notify) && r.takes(d.Severity, serviceOf(&k.Finding)):
			n.decisions = append(n.decisions, d)
		case d.answers() && !it.untold():
			n.answers = append(n.answers, d)
		}
	}
	return n
}

// byAge orders findings: open ones first, then the oldest.
func byAge(a, b notify.Finding) int {
	over := func(f notify.Finding) int {
		if f.State == flyball.FindingResolved {
			return 1
		}
		return 0
	}
	return cmp.Or(over(a)-over(b), cmp.Compare(a.OpenedAt, b.OpenedAt), cmp.Compare(a.ID, b.ID))
}
