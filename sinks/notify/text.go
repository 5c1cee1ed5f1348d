package notify

import (
	"cmp"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/flyball-io/flyball"
)

// title returns one line: how it stands, and what it is about.
func (n *Notification) title() string {
	about := cmp.Or(n.Entity, n.Service, "several entities")
	switch n.Status {
	case Resolved:
		return "Resolved: " + about
	case Acknowledged:
		return fmt.Sprintf("Acknowledged by %s: %s", n.Who, about)
	}
	word := map[string]string{Page: "Page", Ticket: "Ticket"}[n.Severity]
	if n.Repeat > 0 {
		word = "Still open, " + strings.ToLower(word)
	}
	if open := n.open(); open > 1 {
		return fmt.Sprintf("%s: %s, %d findings", word, about, open)
	}
	return word + ": " + about
}

// open counts the findings that are open.
func (n *Notification) open() int {
	open := n.Omitted
	for i := range n.Findings {
		if n.Findings[i].State != flyball.FindingResolved {
			open++
		}
	}
	return open
}

// summary returns a sentence or two about all of it, for one line.
func (n *Notification) summary() string {
	var parts []string
	for i := range n.Findings {
		parts = append(parts, n.Findings[i].Summary)
	}
	last := map[string]int{} // of an operation, the latest counts
	for i := range n.Decisions {
		last[n.Decisions[i].Operation] = i
	}
	for i := range n.Decisions {
		d := &n.Decisions[i]
		if told := d.Severity != "" || n.Status != Firing || len(n.Findings) == 0; told && (d.Operation == "" || last[d.Operation] == i) {
			parts = append(parts, d.sentence())
		}
	}
	if len(parts) == 0 {
		return n.title()
	}
	return n.title() + ": " + strings.Join(parts, "; ")
}

// sentence says what was decided, for a person.
func (d *Decision) sentence() string {
	what := strings.TrimSpace(d.Action.Name + " on " + d.Target)
	by := ""
	if d.Rule != "" {
		by = " (rule " + d.Rule + ")"
	}
	text := ""
	switch d.Verb {
	case flyball.VerbAct:
		text = what + " was sent" + by
	case flyball.VerbSuggest:
		text = what + " is suggested" + by + ": flyball approve " + d.Operation
	case flyball.VerbAwait:
		text = what + " waits for approval" + by + ": flyball approve or reject " + d.Operation
	case flyball.VerbUnknown:
		text = "nobody knows what became of " + what + by
	case flyball.VerbPage:
		return "a person is needed: " + d.Reason
	default:
		text = fmt.Sprintf("%s: %s%s", what, strings.ReplaceAll(string(d.Verb), "_", " "), by)
	}
	if d.Who != "" {
		text += ", by " + d.Who
	}
	if d.Reason != "" {
		text += ": " + d.Reason
	}
	return text
}

// evidence returns the numbers behind a finding in one line.
func evidence(list []flyball.Evidence) string {
	var parts []string
	for _, e := range list {
		text := e.Name + " " + number(e.Value) + e.Unit
		if e.Threshold != nil {
			text += " (limit " + number(*e.Threshold) + e.Unit + ")"
		}
		if e.Window != "" {
			text += " over " + e.Window
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// cut returns at most limit bytes of a text, whole characters, and says when there is
// more.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit - len("…")
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// Places of a link: what they stand for is written so that it cannot leave its place.
const (
	placeFinding   = "{{finding}}"
	placeEntity    = "{{entity}}"
	placeOperation = "{{operation}}"
)

// Places returns the places that a link may have.
func Places() []string { return []string{placeFinding, placeEntity, placeOperation} }

// link fills the places of a link, "" where there is none.
func (n *Notification) link(template string) string {
	finding := ""
	if f := n.first(); f != nil {
		finding = f.ID
	} else if len(n.Decisions) > 0 {
		finding = n.Decisions[0].Finding
	}
	return strings.NewReplacer(placeFinding, url.PathEscape(finding), placeEntity, url.PathEscape(n.Entity),
		placeOperation, url.PathEscape(n.operation())).Replace(template)
}
