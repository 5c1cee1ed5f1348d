package notify

import (
	"github.com/flyball-io/flyball"
)

// Status is how it stands with a group.
type Status string

// The states of a group.
const (
	// Firing says that something of the group is open.
	Firing Status = "firing"
	// Acknowledged says that a person has answered; what is open is still open.
	Acknowledged Status = "acknowledged"
	// Resolved says that all that was told is over.
	Resolved Status = "resolved"
)

// The severities that are told. Anything else is not.
const (
	Page   = "page"
	Ticket = "ticket"
)

// Urgency orders severities: 2 for page, 1 for ticket, 0 for all others.
func Urgency(severity string) int {
	switch severity {
	case Page:
		return 2
	case Ticket:
		return 1
	}
	return 0
}

// Notification is what one receiver is told about one group, at one time.
type Notification struct {
	// ID is a hash of what is told: the same news has the same id, however often and by
	// whomever it is sent.
	ID string `json:"id"`
	// Receiver is its name, Group that of the group. Both together are the same from the
	// first word about a group to the last, and again when it comes back.
	Receiver string `json:"receiver"`
	Group    string `json:"group"`
	// Status of the group, and Severity, the highest of what is open in it: page or
	// ticket. That of a resolved group is the highest that it had been told with.
	Status   Status `json:"status"`
	Severity string `json:"severity"`
	// Entity and Service that all of it is about, "" where it is about several.
	Entity  string `json:"entity,omitempty"`
	Service string `json:"service,omitempty"`
	// At is the event time of the latest that is told.
	At flyball.Time `json:"at"`
	// Repeat is above 0 when nothing is new: it counts how often it was told before.
	Repeat int `json:"repeat,omitempty"`
	// Findings of the group, those that are open first, then the oldest first.
	Findings []Finding `json:"findings"`
	// Decisions about them, in the order of their times.
	Decisions []Decision `json:"decisions"`
	// Omitted is how many more findings there are than a notification holds.
	Omitted int `json:"omitted,omitempty"`
	// Who acknowledged it.
	Who string `json:"who,omitempty"`
}

// Finding is one finding of a group, in its latest state.
type Finding struct {
	flyball.Finding
	// Before is the severity that the receiver was told before, "" where it was not.
	Before string `json:"severity_before,omitempty"`
}

// Decision is what automation came to, as far as people want to know.
type Decision struct {
	ID        string         `json:"id"`
	At        flyball.Time   `json:"at"`
	Verb      flyball.Verb   `json:"verb"`
	Severity  string         `json:"severity,omitempty"`
	Finding   string         `json:"finding"`
	Rule      string         `json:"rule"`
	Action    flyball.Action `json:"action"`
	Target    string         `json:"target"`
	Operation string         `json:"operation_id,omitempty"`
	Reason    string         `json:"reason,omitempty"`
	Who       string         `json:"who,omitempty"`
}

// first returns the finding that a group is best known by, nil where there is none.
func (n *Notification) first() *Finding {
	if len(n.Findings) == 0 {
		return nil
	}
	return &n.Findings[0]
}

// operation returns the operation of the latest decision that has one.
func (n *Notification) operation() string {
	for i := len(n.Decisions) - 1; i >= 0; i-- {
		if op := n.Decisions[i].Operation; op != "" {
			return op
		}
	}
	return ""
}
