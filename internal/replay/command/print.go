package command

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/automation"
	"github.com/flyball-io/flyball/internal/replay"
)

// printer writes what comes out of a run.
type printer struct {
	out  io.Writer
	json bool
}

// decision writes a decision as it comes: columns as `flyball decisions` has them, but of
// a fixed width.
func (p printer) decision(d *flyball.Decision) error {
	if p.json {
		return p.encode(d)
	}
	_, err := fmt.Fprintln(p.out, line(d))
	return err
}

func line(d *flyball.Decision) string {
	return strings.TrimRight(fmt.Sprintf("%-20s  %-14s  %-22s  %-12s  %-24s  %s  %s", d.At, d.Verb, orDash(d.Rule), orDash(d.Action.Name),
		orDash(d.Target), orDash(d.Operation), automation.Because(d)), " ")
}

func orDash(s string) string { return cmp.Or(s, "-") }

func (p printer) encode(v any) error {
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// summary writes what came of it all.
func (p printer) summary(s *replay.Summary) error {
	if p.json {
		return p.encode(map[string]*replay.Summary{"summary": s})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nfrom\t%s\nto\t%s\n", s.From, s.To)
	fmt.Fprintf(w, "records\t%d\nsamples\t%d\n", s.Records, s.Samples)
	counts(w, "rejected", s.Rejected)
	counts(w, "dead letters", s.DeadLetters)
	counts(w, "limits hit", s.Limited)
	fmt.Fprintf(w, "windows\t%d", s.Windows)
	if s.Corrections > 0 {
		fmt.Fprintf(w, ", corrected %d times", s.Corrections)
	}
	fmt.Fprintln(w)
	findings := map[string]int64{}
	for _, f := range s.Findings {
		findings[f.Kind+"/"+f.Severity] = f.Count
	}
	counts(w, "findings", findings)
	decisions := map[string]int64{}
	for verb, n := range s.Decisions {
		decisions[string(verb)] = n
	}
	counts(w, "decisions", decisions)
	counts(w, "refused by", s.Refusals)
	for _, c := range s.Commands {
		fmt.Fprintf(w, "commands\t%d  %s  %s on %s\n", c.Count, c.Rule, c.Action, c.Target)
	}
	if len(s.Commands) == 0 {
		fmt.Fprintln(w, "commands\tnone")
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(p.out, "\n%s\n", assumed(s))
	return err
}

// assumed says what the result rests on.
func assumed(s *replay.Summary) string {
	what := map[replay.Outcomes]string{
		replay.AssumeSuccess: "Every command is assumed to have succeeded",
		replay.AssumeNone:    "No executor is assumed to have reported",
		replay.Recorded:      "Executors and people said what was recorded",
	}[s.Outcomes]
	return what + "; telemetry is what it was, whatever a command would have changed."
}

// counts writes a line of counts, the largest first, or none.
func counts(w io.Writer, name string, by map[string]int64) {
	if len(by) == 0 {
		return
	}
	keys := slices.SortedFunc(maps.Keys(by), func(a, b string) int { return cmp.Or(-cmp.Compare(by[a], by[b]), cmp.Compare(a, b)) })
	for i, k := range keys {
		keys[i] = fmt.Sprintf("%d %s", by[k], k)
	}
	fmt.Fprintf(w, "%s\t%s\n", name, strings.Join(keys, ", "))
}

// difference writes what two configurations decide differently.
func (p printer) difference(d *replay.Difference, span time.Duration) error {
	if p.json {
		for i := range d.Only {
			if err := p.encode(&d.Only[i]); err != nil {
				return err
			}
		}
		return p.encode(map[string]any{"difference": map[string]any{
			"sentence": d.Sentence(span), "same": d.Same, "different": len(d.Only), "commands": d.Actions,
		}})
	}
	for i := range d.Only {
		mark := "+"
		if d.Only[i].Side == replay.OnlyOld {
			mark = "-"
		}
		if _, err := fmt.Fprintln(p.out, mark, line(&d.Only[i].Decision)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(p.out, d.Sentence(span))
	return err
}
