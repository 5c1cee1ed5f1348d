// Package report writes what became of an analysis for people: as Markdown, as JSON,
// and as one HTML page without anything from elsewhere.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/canary"
)

// Report is an analysis with all its verdicts.
type Report struct {
	// Verdicts in the order of their revisions; at least one.
	Verdicts []flyball.Verdict
}

func (r *Report) last() *flyball.Verdict { return &r.Verdicts[len(r.Verdicts)-1] }

// JSON writes the last verdict with the others as its history.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		*flyball.Verdict
		History []flyball.Verdict `json:"history"`
	}{r.last(), r.Verdicts})
}

// Headline is the verdict in one line.
func (r *Report) Headline() string {
	v := r.last()
	text := fmt.Sprintf("%s: %s %s against %s, score %.4g", strings.ToUpper(v.Verdict), v.Entity, name(v.Version), name(v.Baseline), v.Score)
	if !v.Final() {
		text += ", " + v.Phase
	}
	return text
}

func name(cohort string) string {
	if cohort == "" {
		return "all others"
	}
	return cohort
}

// Span is when the analysis was, and how much of it was judged.
func (r *Report) Span() string {
	v := r.last()
	if v.StartedAt == flyball.NoTime {
		return "It has not begun."
	}
	text := fmt.Sprintf("From %s, %v, %d looks by the judge %s", v.StartedAt.Std().Format(time.RFC3339), v.At.Sub(v.StartedAt), v.Looks, v.Judge)
	if v.Held > 0 {
		text += fmt.Sprintf(", %d held because a source was missing", v.Held)
	}
	return text + "."
}

// Sentence is the reason of the verdict.
func (r *Report) Sentence() string {
	reason := r.last().Reason
	first := min(1, len(reason))
	return strings.ToUpper(reason[:first]) + reason[first:]
}

// Markdown writes the report for job summaries and comments.
func (r *Report) Markdown(w io.Writer) error {
	v := r.last()
	var b strings.Builder
	fmt.Fprintf(&b, "## Canary %s\n\n%s\n\n", r.Headline(), r.Span())
	fmt.Fprintf(&b, "%s.", escape(r.Sentence()))
	if v.Needs != "" && !strings.Contains(v.Reason, v.Needs) {
		fmt.Fprintf(&b, " It needs %s.", escape(v.Needs))
	}
	b.WriteString("\n\n")
	if len(v.Metrics) > 0 {
		b.WriteString("| metric | verdict | canary | baseline | effect | interval | allowed |\n|---|---|---|---|---|---|---|\n")
	}
	for i := range v.Metrics {
		m := &v.Metrics[i]
		verdict := m.Verdict
		if m.Critical {
			verdict += ", critical"
		}
		if m.Muted {
			verdict += ", muted"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", escape(m.Name), verdict, figure(m, m.Canary.Mean), figure(m, m.Baseline.Mean),
			effect(m, m.Effect), span(m, m.Interval), span(m, m.Allowed))
	}
	b.WriteString("\n")
	for i := range v.Metrics {
		fmt.Fprintf(&b, "- %s.\n", escape(v.Metrics[i].Reason))
	}
	fmt.Fprintf(&b, "\nAnalysis `%s` of canary `%s`.\n", v.ID, v.Canary)
	_, err := io.WriteString(w, b.String())
	return err
}

// escape keeps text from being read as Markdown or HTML.
func escape(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "\n", " ", "`", "'").Replace(text)
}

func number(n flyball.Number) string {
	switch f := float64(n); {
	case math.IsNaN(f):
		return "–"
	case math.IsInf(f, 0):
		return "any"
	default:
		return fmt.Sprintf("%.3g", f)
	}
}

// figure writes a value: bad shares in percent, times as such, the rest as it is.
func figure(m *flyball.MetricVerdict, n flyball.Number) string {
	switch {
	case m.Kind == "count" && !math.IsNaN(float64(n)):
		return fmt.Sprintf("%.3g %%", 100*float64(n))
	case m.Unit != "":
		return canary.FormatDifference(float64(n), m.Unit)
	}
	return number(n)
}

// effect writes a ratio, or a difference in its unit.
func effect(m *flyball.MetricVerdict, n flyball.Number) string {
	if m.Absolute {
		return canary.FormatDifference(float64(n), m.Unit)
	}
	if text := number(n); text == "–" || text == "any" {
		return text
	}
	return number(n) + "×"
}

func span(m *flyball.MetricVerdict, p [2]flyball.Number) string {
	return effect(m, p[0]) + " to " + effect(m, p[1])
}
