package grouping

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/sinks/notify"
)

const (
	// mostFindings and mostDecisions are those of a notification.
	mostFindings, mostDecisions = 50, 50
	// firstPause and longestPause are between attempts to tell the same.
	firstPause, longestPause = time.Second, 5 * time.Minute
	// expiry is after how long it is given up to tell what is over, or was decided. What
	// is open is told however long it takes.
	expiry = 24 * time.Hour
)

// Delivery is a notification that is due.
type Delivery struct {
	notify.Notification
	settles []settlement
}

// settlement is what is told of one finding by a delivery.
type settlement struct {
	finding   string
	severity  string // with which the finding itself is told, "" where it is not
	resolved  bool
	decisions []string
}

// Receipt is what came of a delivery.
type Receipt struct {
	*Delivery
	// Told is set when the receiver has it, or never will. Otherwise it is tried again,
	// after After at the earliest.
	Told  bool
	After time.Duration
}

// member is an item of a group, with its finding and its news.
type member struct {
	*item
	known *known
	news  news
}

// Next returns what a receiver is to be told at the time now, nil when there is nothing.
// Until the receipt has been stepped it would be returned again.
func (m *Machine) Next(receiver string, now flyball.Time) *Delivery {
	at := slices.IndexFunc(m.receivers, func(r Receiver) bool { return r.Name == receiver })
	if at < 0 {
		return nil
	}
	r := &m.receivers[at]
	group, repeat := "", true
	best := flyball.NoTime
	for id, it := range m.rows.items[receiver] {
		k := m.rows.findings[id]
		if k == nil {
			continue
		}
		g := r.group(&k.Finding)
		due, again := m.dueAt(r, g, it, k, now)
		if due == flyball.NoTime || due > now || m.tries[groupKey{receiver, g}].next > now {
			continue
		}
		// News before repetitions, then what is due for longest.
		if group == "" || repeat && !again || repeat == again && (due < best || due == best && g < group) {
			group, repeat, best = g, again, due
		}
	}
	if group == "" {
		return nil
	}
	return m.deliver(r, group, now)
}

// dueAt says when the group of an item is due for it: for its news or, if it has none, for
// a repetition.
func (m *Machine) dueAt(r *Receiver, group string, it *item, k *known, now flyball.Time) (at flyball.Time, repeat bool) {
	if it.Due != flyball.NoTime {
		return it.Due, false
	}
	if r.Repeat == 0 || it.untold() || k.Stub || k.resolved() {
		return flyball.NoTime, false
	}
	key := groupKey{r.Name, group}
	last, ok := m.sent[key]
	switch {
	case !ok && r.Resend:
		return now, true
	case !ok: // told by a predecessor, nobody knows when
		last = sending{at: now}
		m.sent[key] = last
	}
	return last.at.Add(r.Repeat), true
}

// deliver makes the notification of a group.
func (m *Machine) deliver(r *Receiver, group string, now flyball.Time) *Delivery {
	var members []member
	for id, it := range m.rows.items[r.Name] {
		if k := m.rows.findings[id]; k != nil && r.group(&k.Finding) == group {
			members = append(members, member{it, k, newsOf(r, it, k)})
		}
	}
	slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.Finding, b.Finding) })
	d := &Delivery{Notification: notify.Notification{Receiver: r.Name, Group: group, Status: status(members), Findings: []notify.Finding{}, Decisions: []notify.Decision{}}}
	fresh := []string{string(d.Status)} // what is new in it, which makes its id
	for i := range members {
		fresh = append(fresh, d.add(r, &members[i])...)
	}
	if len(fresh) == 1 {
		d.Repeat = m.sent[groupKey{r.Name, group}].repeats + 1
		fresh = append(fresh, fmt.Sprint(int64(now)/max(1, int64(r.Repeat))))
	}
	d.finish(members)
	sum := sha256.Sum256([]byte(strings.Join(append([]string{"notification", r.Name, group}, fresh...), "\x00")))
	d.ID = hex.EncodeToString(sum[:16])
	return d
}

// status says how it stands with a group.
func status(members []member) notify.Status {
	over, answered := false, false
	for i := range members {
		mb := &members[i]
		switch {
		case mb.news.finding || len(mb.news.decisions) > 0:
			return notify.Firing
		case mb.news.resolved:
			over = true
		case len(mb.news.answers) > 0:
			answered = true
		}
	}
	open := slices.ContainsFunc(members, func(mb member) bool { return !mb.untold() && !mb.known.Stub && !mb.known.resolved() })
	switch {
	case over && !open:
		return notify.Resolved
	case !over && answered:
		return notify.Acknowledged
	}
	return notify.Firing
}

// add adds a member to a delivery, and returns what of it is new.
func (d *Delivery) add(r *Receiver, mb *member) (fresh []string) {
	k, n := mb.known, &mb.news
	if mb.untold() && !n.any() {
		return nil // held, or waiting for a decision
	}
	s := settlement{finding: mb.Finding}
	f := notify.Finding{Finding: k.Finding}
	if mb.Told != k.Finding.Severity {
		f.Before = mb.Told
	}
	switch {
	case d.Status == notify.Acknowledged:
		for _, a := range n.answers {
			s.decisions, d.Who = append(s.decisions, a.ID), a.Who
		}
	default:
		if n.finding {
			s.severity = k.Finding.Severity
			fresh = append(fresh, mb.Finding, k.Finding.Severity)
		}
		for _, decided := range n.decisions {
			s.decisions = append(s.decisions, decided.ID)
		}
		if n.resolved && len(n.decisions) == 0 { // else it is told as open first
			s.resolved = true
			fresh = append(append(fresh, mb.Finding, "resolved"), mb.Decisions...)
		}
	}
	fresh = append(fresh, s.decisions...)
	if !k.Stub && (mb.Named && (mb.Told != "" || s.severity != "") || !mb.untold() || len(s.decisions) > 0) {
		d.Findings = append(d.Findings, f)
	}
	// Of what is open in a group, what is over does not make it more severe.
	counts := d.Status != notify.Firing || !k.resolved() || len(n.decisions) > 0
	for i := range k.Decisions {
		x := k.Decisions[i].Decision
		if x.Severity != "" && !(r.named(k.Decisions[i].Notify) && r.takes(x.Severity, serviceOf(&k.Finding))) {
			x.Severity = "" // others are told so
		}
		d.Decisions = append(d.Decisions, x)
		if counts {
			d.urgent(x.Severity)
		}
	}
	switch {
	case counts && k.resolved():
		d.urgent(mb.Told)
	case counts && mb.Named:
		d.urgent(k.Finding.Severity)
	}
	d.At = max(d.At, k.Finding.At)
	if len(fresh) > 0 {
		d.settles = append(d.settles, s)
	}
	return fresh
}

// urgent raises the severity of a delivery.
func (d *Delivery) urgent(severity string) {
	if notify.Urgency(severity) > notify.Urgency(d.Severity) {
		d.Severity = severity
	}
}

// finish orders what was added, and cuts what is too much.
func (d *Delivery) finish(members []member) {
	slices.SortFunc(d.Findings, byAge)
	if more := len(d.Findings) - mostFindings; more > 0 {
		d.Findings, d.Omitted = d.Findings[:mostFindings], more
	}
	slices.SortFunc(d.Decisions, func(a, b notify.Decision) int { return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.ID, b.ID)) })
	d.Decisions = d.Decisions[max(0, len(d.Decisions)-mostDecisions):]
	for i := range d.Decisions {
		d.At = max(d.At, d.Decisions[i].At)
	}
	for i := range members {
		f := &members[i].known.Finding
		if i == 0 {
			d.Entity, d.Service = f.Entity, serviceOf(f)
		}
		if f.Entity != d.Entity {
			d.Entity = ""
		}
		if serviceOf(f) != d.Service {
			d.Service = ""
		}
	}
}

// settle notes what came of a delivery.
func (m *Machine) settle(now flyball.Time, receipt *Receipt) {
	key := groupKey{receipt.Receiver, receipt.Group}
	if !receipt.Told {
		t := m.tries[key]
		pause := longestPause
		if t.times < 9 {
			pause = min(firstPause<<t.times, longestPause)
		}
		m.tries[key] = retry{t.times + 1, now.Add(max(pause, receipt.After))}
	} else {
		delete(m.tries, key)
		m.sent[key] = sending{now, receipt.Repeat}
	}
	at := slices.IndexFunc(m.receivers, func(r Receiver) bool { return r.Name == receipt.Receiver })
	for _, s := range receipt.settles {
		it, k := m.rows.items[receipt.Receiver][s.finding], m.rows.findings[s.finding]
		if it == nil || k == nil || at < 0 {
			continue
		}
		if !receipt.Told {
			if it.Since == flyball.NoTime || now.Sub(it.Since) < expiry || !s.resolved && len(s.decisions) == 0 {
				continue
			}
			m.out.Untold[Untold{receipt.Receiver, Expired}]++
			s.severity = "" // what is open is still to be told
		}
		m.toldOf(now, &m.receivers[at], it, k, s, receipt.Told)
	}
}

// toldOf notes that a receiver was told, or that it is given up.
func (m *Machine) toldOf(now flyball.Time, r *Receiver, it *item, k *known, s settlement, told bool) {
	is := *it
	is.Told, is.Spoken = cmp.Or(s.severity, it.Told), it.Spoken || told
	is.Due, is.Since = flyball.NoTime, flyball.NoTime
	is.Decisions = nil // of those that are forgotten nothing need be known
	for i := range k.Decisions {
		if id := k.Decisions[i].ID; slices.Contains(it.Decisions, id) || slices.Contains(s.decisions, id) {
			is.Decisions = append(is.Decisions, id)
		}
	}
	if s.resolved && k.resolved() {
		m.rows.putItem(r.Name, s.finding, nil)
		m.forget(s.finding)
		return
	}
	m.rows.putItem(r.Name, s.finding, &is)
	m.schedule(now, r, &is)
	m.forget(s.finding)
}
