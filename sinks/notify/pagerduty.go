package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/flyball-io/flyball"
)

// PagerDutyURL is the address of Events API v2; accounts of the EU have another.
const PagerDutyURL = "https://events.pagerduty.com/v2/enqueue"

// PagerDuty is PagerDuty, Events API v2: a group is one incident, found again by its
// dedup_key.
type PagerDuty struct {
	// URL of the API.
	URL string
	// RoutingKey of the integration, which is a secret.
	RoutingKey string
	// Source names the Flyball that sends, in keys too: two that send to one integration
	// do not close each other's incidents.
	Source string
	// Link is a template of the address of more about it.
	Link string
}

// Limits of Events API v2, in characters; ours are in bytes.
const (
	pagerDutySummary = 1024
	pagerDutyItems   = 20 // keeps an event below 512 KB
)

type pagerDutyEvent struct {
	RoutingKey string            `json:"routing_key"`
	Action     string            `json:"event_action"`
	DedupKey   string            `json:"dedup_key"`
	Payload    *pagerDutyPayload `json:"payload,omitempty"`
	Links      []pagerDutyLink   `json:"links,omitempty"`
	Client     string            `json:"client,omitempty"`
}

type pagerDutyPayload struct {
	Summary   string         `json:"summary"`
	Source    string         `json:"source"`
	Severity  string         `json:"severity"`
	Timestamp flyball.Time   `json:"timestamp"`
	Component string         `json:"component,omitempty"`
	Group     string         `json:"group,omitempty"`
	Class     string         `json:"class,omitempty"`
	Details   map[string]any `json:"custom_details,omitempty"`
}

type pagerDutyLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// Encode implements [Format].
func (p PagerDuty) Encode(n *Notification, _ time.Time) (*Request, error) {
	e := pagerDutyEvent{RoutingKey: p.RoutingKey, Action: map[Status]string{Firing: "trigger", Acknowledged: "acknowledge", Resolved: "resolve"}[n.Status],
		DedupKey: p.key(n)}
	if n.Status != Firing {
		return jsonRequest(p.URL, e) // with the key alone, as documented
	}
	e.Client = p.Source
	e.Payload = &pagerDutyPayload{
		Summary: cut(n.summary(), pagerDutySummary), Source: n.Entity, Severity: "warning", Timestamp: n.At,
		Component: n.Entity, Group: n.Service, Details: p.details(n),
	}
	if n.Severity == Page {
		e.Payload.Severity = "critical"
	}
	if n.Entity == "" {
		e.Payload.Source = p.Source
	}
	if f := n.first(); f != nil {
		e.Payload.Class = f.Kind
	}
	if link := n.link(p.Link); link != "" {
		e.Links = []pagerDutyLink{{Href: link, Text: "Flyball"}}
	}
	return jsonRequest(p.URL, e)
}

func (p PagerDuty) details(n *Notification) map[string]any {
	var findings, decisions []map[string]string
	for i := range n.Findings[:min(len(n.Findings), pagerDutyItems)] {
		f := &n.Findings[i]
		d := map[string]string{"id": f.ID, "summary": f.Summary, "state": string(f.State), "severity": f.Severity, "detector": f.Detector}
		set(d, "evidence", evidence(f.Evidence))
		findings = append(findings, d)
	}
	for i := range n.Decisions[max(0, len(n.Decisions)-pagerDutyItems):] {
		d := &n.Decisions[max(0, len(n.Decisions)-pagerDutyItems)+i]
		one := map[string]string{"at": d.At.String(), "what": d.sentence()}
		set(one, "operation", d.Operation)
		decisions = append(decisions, one)
	}
	out := map[string]any{}
	if findings != nil {
		out["findings"] = findings
	}
	if decisions != nil {
		out["decisions"] = decisions
	}
	if n.Omitted > 0 {
		out["more_findings"] = n.Omitted
	}
	return out
}

// key returns the dedup_key, of at most 255 characters: long ones are replaced by their
// hash.
func (p PagerDuty) key(n *Notification) string {
	key := p.Source + "/" + n.Receiver + "/" + n.Group
	if len(key) > 255 {
		sum := sha256.Sum256([]byte(key))
		return hex.EncodeToString(sum[:])
	}
	return key
}
