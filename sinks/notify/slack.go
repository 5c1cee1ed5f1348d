package notify

import (
	"fmt"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
)

// Slack is an incoming webhook of Slack, and of what takes the same messages.
type Slack struct {
	// URL is the webhook's address, which is a secret.
	URL string
	// Link is a template of the address of more about it.
	Link string
}

// Limits of Block Kit (api.slack.com/reference/block-kit/blocks), in characters; ours are
// in bytes, which are no fewer.
const (
	slackHeader  = 150
	slackSection = 3000
	slackItems   = 20 // of at most 50 blocks
)

type slackMessage struct {
	Text   string       `json:"text"` // where blocks are not shown
	Blocks []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

type slackText struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	Emoji bool   `json:"emoji,omitempty"`
}

// Encode implements [Format].
func (s Slack) Encode(n *Notification, _ time.Time) (*Request, error) {
	title := slackSymbol(n) + " " + n.title()
	m := slackMessage{Text: cut(slackEscape(slackSymbol(n)+" "+n.summary()), slackSection), Blocks: []slackBlock{
		{Type: "header", Text: &slackText{Type: "plain_text", Text: cut(title, slackHeader), Emoji: true}}}}
	section := func(text string) {
		m.Blocks = append(m.Blocks, slackBlock{Type: "section", Text: &slackText{Type: "mrkdwn", Text: cut(text, slackSection)}})
	}
	for i := range n.Findings[:min(len(n.Findings), slackItems)] {
		f := &n.Findings[i]
		line := fmt.Sprintf("*%s* %s", slackEscape(f.Detector), slackEscape(f.Summary))
		if f.State == flyball.FindingResolved {
			line = "~" + slackEscape(f.Detector) + "~ resolved: " + slackEscape(f.Summary)
		}
		if text := evidence(f.Evidence); text != "" {
			line += "\n_" + slackEscape(text) + "_"
		}
		section(line)
	}
	for i := range n.Decisions[max(0, len(n.Decisions)-slackItems):] {
		d := &n.Decisions[max(0, len(n.Decisions)-slackItems)+i]
		section("• " + slackEscape(d.sentence()))
	}
	m.Blocks = append(m.Blocks, slackBlock{Type: "context", Elements: []slackText{{Type: "mrkdwn", Text: cut(s.footer(n), slackSection)}}})
	return jsonRequest(s.URL, m)
}

func (s Slack) footer(n *Notification) string {
	var parts []string
	if n.Severity != "" {
		parts = append(parts, n.Severity)
	}
	parts = append(parts, n.At.String())
	if more := n.Omitted + max(0, len(n.Findings)-slackItems); more > 0 {
		parts = append(parts, fmt.Sprintf("%d more findings", more))
	}
	if f := n.first(); f != nil {
		parts = append(parts, "`flyball incident "+f.ID+"`")
	}
	if link := n.link(s.Link); link != "" {
		parts = append(parts, "<"+link+"|more>")
	}
	return strings.Join(parts, "  |  ")
}

func slackSymbol(n *Notification) string {
	switch {
	case n.Status == Resolved:
		return ":white_check_mark:"
	case n.Status == Acknowledged:
		return ":eyes:"
	case n.Severity == Page:
		return ":rotating_light:"
	}
	return ":warning:"
}

// slackEscape escapes what Slack takes for control characters: a summary may hold what
// somebody outside has written, and must not mention a channel.
func slackEscape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
