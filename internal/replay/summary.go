package replay

import (
	"cmp"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// Summary is what came of a run.
type Summary struct {
	// From and To are when the first and the last record came, null for none.
	From flyball.Time `json:"from"`
	To   flyball.Time `json:"to"`
	// Records that were read, and those Outside of the bounds that were not.
	Records int64 `json:"records"`
	Outside int64 `json:"outside"`
	// Samples that were counted, and the number Rejected, by reason.
	Samples  int64            `json:"samples"`
	Rejected map[string]int64 `json:"rejected"`
	// Windows that were closed, and Corrections of such.
	Windows     int64 `json:"windows"`
	Corrections int64 `json:"corrections"`
	// Findings that were opened.
	Findings []FindingCount `json:"findings"`
	// Decisions by verb, and Refusals by the gate that refused.
	Decisions map[flyball.Verb]int64 `json:"decisions"`
	Refusals  map[string]int64       `json:"refusals"`
	// Commands that would have been sent.
	Commands []CommandCount `json:"commands"`
	// DeadLetters of machines by stage and reason, and how often limits were hit.
	DeadLetters map[string]int64 `json:"dead_letters"`
	Limited     map[string]int64 `json:"limited"`
	// Outcomes is what was assumed of executors, and Unsaid what they had not reported
	// yet when the time was over.
	Outcomes Outcomes `json:"outcomes"`
	Unsaid   int      `json:"unsaid"`
}

// FindingCount is how many findings of a kind and severity were opened.
type FindingCount struct {
	Kind     string `json:"kind"`
	Severity string `json:"severity"`
	Count    int64  `json:"count"`
}

// CommandCount is how many commands a rule would have sent to a target.
type CommandCount struct {
	Rule   string `json:"rule"`
	Action string `json:"action"`
	Target string `json:"target"`
	Count  int64  `json:"count"`
}

func newSummary(c Config) *Summary {
	s := &Summary{
		From: flyball.NoTime, To: flyball.NoTime, Rejected: map[string]int64{}, Findings: []FindingCount{},
		Decisions: map[flyball.Verb]int64{}, Refusals: map[string]int64{}, Commands: []CommandCount{},
		DeadLetters: map[string]int64{}, Limited: map[string]int64{}, Outcomes: c.Outcomes,
	}
	if c.Unreadable > 0 {
		s.DeadLetters["decide/malformed"] = c.Unreadable
	}
	return s
}

// Span is the time from the first to the last record.
func (s *Summary) Span() time.Duration {
	if s.From == flyball.NoTime {
		return 0
	}
	return s.To.Sub(s.From)
}

func (s *Summary) limited(list []processors.Limited) {
	for _, l := range list {
		s.Limited[l.Reason] += l.Times
	}
}

func (s *Summary) dead(stage string, list []processors.DeadLetter) {
	for _, d := range list {
		s.DeadLetters[stage+"/"+d.Reason]++
	}
}

// finding counts a finding, once.
func (s *Summary) finding(f *flyball.Finding) {
	if f.State != flyball.FindingOpened {
		return
	}
	i, ok := slices.BinarySearchFunc(s.Findings, f, func(a FindingCount, b *flyball.Finding) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Severity, b.Severity))
	})
	if !ok {
		s.Findings = slices.Insert(s.Findings, i, FindingCount{Kind: f.Kind, Severity: f.Severity})
	}
	s.Findings[i].Count++
}

func (s *Summary) decision(d *flyball.Decision) {
	s.Decisions[d.Verb]++
	for _, g := range d.Gates {
		if !g.Pass {
			s.Refusals[g.Gate]++
		}
	}
}

func (s *Summary) command(c *flyball.Command) {
	i, ok := slices.BinarySearchFunc(s.Commands, c, func(a CommandCount, b *flyball.Command) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Reason.Rule), cmp.Compare(a.Action, b.Action.Name), cmp.Compare(a.Target, b.Target))
	})
	if !ok {
		s.Commands = slices.Insert(s.Commands, i, CommandCount{Rule: c.Reason.Rule, Action: c.Action.Name, Target: c.Target})
	}
	s.Commands[i].Count++
}
