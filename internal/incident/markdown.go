package incident

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
)

// Markdown writes the report for people.
func (r *Report) Markdown(w io.Writer) error {
	p := printer{w: w}
	p.line("# %s\n", text(r.Title))
	p.line("| | |\n|---|---|")
	resolved := "not yet"
	if r.ResolvedAt != flyball.NoTime {
		resolved = r.ResolvedAt.String()
	}
	for _, row := range [][2]string{{"incident", r.ID}, {"entity", r.Entity}, {"severity", r.Severity}, {"state", r.State}, {"opened", known(r.OpenedAt)},
		{"resolved", resolved}, {"outcome", r.Outcome}} {
		if row[1] != "" {
			p.line("| %s | %s |", row[0], text(row[1]))
		}
	}
	p.line("\n## What happened\n\n| time | | |\n|---|---|---|")
	for _, m := range r.Timeline {
		p.line("| %s | %s %s | %s |", m.At, m.Kind, strings.ReplaceAll(m.What, "_", " "), text(m.Text))
	}
	p.line("\n## Evidence\n")
	for i := range r.Findings {
		p.finding(&r.Findings[i])
	}
	if len(r.Findings) == 0 {
		p.line("The findings are not in the log any more.")
	}
	p.line("\n## What was done\n")
	for i := range r.Operations {
		p.operation(&r.Operations[i])
	}
	if len(r.Operations) == 0 {
		p.line("Automation did nothing.")
	}
	p.line("\n## Did it work\n\n%s\n", text(r.Verdict))
	p.line("| | |\n|---|---|")
	for _, t := range []struct {
		name string
		s    *float64
	}{{"time to detect", r.Times.Detect}, {"time to decide", r.Times.Decide}, {"time to remediate", r.Times.Remediate}, {"time to recover", r.Times.Recover}} {
		p.line("| %s | %s |", t.name, length(t.s))
	}
	p.line("\n## To mend for good\n")
	for _, f := range r.FollowUps {
		p.line("- [ ] %s", text(f))
	}
	if len(r.FollowUps) == 0 {
		p.line("Nothing that the events tell.")
	}
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) finding(f *flyball.Finding) {
	p.line("- **%s** (%s, %s) on %s: %s", text(f.Detector), text(f.Kind), f.Severity, text(f.Entity), text(f.Summary))
	for _, e := range f.Evidence {
		line := fmt.Sprintf("%s %s%s", e.Name, number(e.Value), e.Unit)
		if e.Threshold != nil {
			line += fmt.Sprintf(", limit %s%s", number(*e.Threshold), e.Unit)
		}
		if e.Window != "" {
			line += ", over " + e.Window
		}
		p.line("  - %s", text(line))
	}
	for _, s := range f.Series {
		p.line("  - %s %s %s: %s", text(s.Indicator), s.Value, text(s.Labels.String()), text(s.Reason))
	}
	for _, e := range f.Examples {
		line := fmt.Sprintf("sample of %s at %s", e.Indicator, e.At)
		if e.Trace != "" {
			line += ", trace " + e.Trace
		}
		if e.Text != "" {
			line += ": " + e.Text
		}
		p.line("  - %s", text(line))
	}
}

func (p *printer) operation(o *Operation) {
	what := fmt.Sprintf("%s on %s", o.Action.Name, o.Target)
	if o.Compensates != "" {
		what += ", to undo operation " + o.Compensates
	}
	p.line("- **%s** by rule %s, mode %s, operation `%s`: %s, in the end: %s", text(what), text(o.Rule), o.Mode, o.ID, attempts(o.Attempts), strings.ReplaceAll(string(o.Result), "_", " "))
	if o.Why != "" {
		p.line("  - %s", text(o.Why))
	}
	if len(o.Who) > 0 {
		p.line("  - decided by %s", text(strings.Join(o.Who, ", ")))
	}
}

func attempts(n int) string {
	if n == 1 {
		return "1 command"
	}
	return strconv.Itoa(n) + " commands"
}

func known(t flyball.Time) string {
	if t == flyball.NoTime {
		return "not known"
	}
	return t.String()
}

func length(s *float64) string {
	if s == nil {
		return "not known"
	}
	return time.Duration(*s * float64(time.Second)).Round(time.Millisecond).String()
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 5, 64) }

// text escapes what Markdown would take for more than text.
func text(s string) string {
	return strings.NewReplacer("\n", " ", "|", `\|`, "<", "&lt;", "*", `\*`, "`", `\`+"`", "[", `\[`).Replace(s)
}
