package scenario

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/scenario/engine"
	"github.com/flyball-io/flyball/internal/scenario/input"
	"github.com/flyball-io/flyball/processors"
)

// The kinds of results, in the order in which those of one moment are printed.
const (
	kindRejected   = "rejected"
	kindLate       = "late"
	kindDead       = "dead"
	kindWindow     = "window"
	kindCorrection = "correction"
	kindSLO        = "slo"
	kindVerdict    = "verdict"
	kindFinding    = "finding"
	kindDecision   = "decision"
	kindCommand    = "command"
)

func kinds() []string {
	return []string{kindRejected, kindLate, kindDead, kindWindow, kindCorrection, kindSLO, kindVerdict, kindFinding, kindDecision, kindCommand}
}

// line is a result as text.
type line struct {
	at   flyball.Time // when it came out
	kind string
	// event is the event time that it is about, to sort by.
	event flyball.Time
	words []string
	// samples is how many samples were lost, for late and rejected.
	samples int64
}

func (l line) text() string { return strings.Join(l.words, " ") }

// printer writes results; times are offsets from the origin.
type printer struct {
	origin flyball.Time
	spec   *config.Config
}

// lines writes results as lines, in the order of when they came out, and those
// of one moment by kind, event time and text.
func (p printer) lines(results []engine.Result) []line {
	out := make([]line, 0, len(results))
	for i := range results {
		l := p.line(&results[i])
		l.at = results[i].At
		out = append(out, l)
	}
	rank := kinds()
	slices.SortStableFunc(out, func(a, b line) int {
		c := cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(slices.Index(rank, a.kind), slices.Index(rank, b.kind)), cmp.Compare(a.event, b.event))
		if c == 0 && a.kind != kindDecision && a.kind != kindCommand { // those have an order of their own
			c = strings.Compare(a.text(), b.text())
		}
		return c
	})
	return out
}

func (p printer) line(r *engine.Result) line {
	switch {
	case r.Window != nil:
		return p.window(r.Window)
	case r.SLO != nil:
		return p.slo(r.SLO)
	case r.Finding != nil:
		return p.finding(r.Finding)
	case r.Verdict != nil:
		return p.verdict(r.Verdict)
	case r.Decision != nil:
		return p.decision(r.Decision)
	case r.Command != nil:
		c := r.Command
		words := []string{kindCommand, c.Action.Name, word(c.Target), "by=" + word(c.Reason.Rule), "at=" + p.time(c.At), "deadline=" + p.time(c.Deadline)}
		if c.Attempt > 1 {
			words = append(words, fmt.Sprintf("attempt=%d", c.Attempt))
		}
		if c.Compensates != "" {
			words = append(words, "undoes")
		}
		for _, a := range c.Approvals {
			words = append(words, "approved="+word(a.Who))
		}
		return line{kind: kindCommand, event: c.At, words: append(words, params(c.Action)...)}
	case r.Dead != nil:
		return p.dead(r.Dead)
	}
	panic("BUG: a result of no kind")
}

func (p printer) window(w *processors.WindowRow) line {
	spec := p.indicator(w.Indicator)
	l := line{kind: kindWindow, event: w.End}
	l.words = []string{kindWindow, word(w.Indicator), series(w.Entity, spec.Entity, w.Labels), p.span(w.Start, w.End)}
	if w.Revision > 1 {
		l.kind, l.words[0] = kindCorrection, kindCorrection
		l.words = append(l.words, fmt.Sprintf("revision=%d", w.Revision))
	}
	l.words = append(l.words, fmt.Sprintf("count=%d", w.Count), fmt.Sprintf("bad=%d", w.Bad))
	if !math.IsNaN(w.Sum) {
		l.words = append(l.words, "sum="+quantity(w.Sum, spec.Unit), "min="+quantity(w.Min, spec.Unit), "max="+quantity(w.Max, spec.Unit),
			"p50="+quantity(rounded(w.P50), spec.Unit), "p99="+quantity(rounded(w.P99), spec.Unit))
	}
	if !w.Complete {
		l.words = append(l.words, "incomplete")
	}
	return l
}

func (p printer) slo(s *processors.SLORow) line {
	l := line{kind: kindSLO, event: s.At, words: []string{kindSLO, word(s.SLO), series(s.Entity, "", s.Labels), "at=" + p.time(s.At),
		fmt.Sprintf("total=%d", s.Total), fmt.Sprintf("bad=%d", s.Bad), "budget_consumed=" + digits(s.BudgetConsumed)}}
	if s.SLIHighest == s.SLIHighest { // a number
		l.words = append(l.words, "sli="+digits(s.SLI)+".."+digits(s.SLIHighest))
	}
	if s.ExcludedTotal > 0 {
		l.words = append(l.words, fmt.Sprintf("excluded=%d/%d", s.ExcludedBad, s.ExcludedTotal))
	}
	if len(s.Firing) > 0 {
		l.words = append(l.words, "firing="+strings.Join(s.Firing, ","))
	}
	return l
}

func (p printer) finding(f *flyball.Finding) line {
	l := line{kind: kindFinding, event: f.At, words: []string{kindFinding, string(f.State), word(f.Detector), word(f.Entity)}}
	for _, w := range []string{f.Tier, f.Severity} {
		if w != "" {
			l.words = append(l.words, w)
		}
	}
	l.words = append(l.words, "at="+p.time(f.At), fmt.Sprintf("revision=%d", f.Revision))
	for _, e := range f.Evidence {
		l.words = append(l.words, e.Name+"="+digits(e.Value))
	}
	if f.Incomplete {
		l.words = append(l.words, "incomplete")
	}
	for i := 0; i < len(f.Series) && f.State != flyball.FindingResolved; i++ {
		s := &f.Series[i]
		l.words = append(l.words, "series="+word(s.Indicator+"/"+string(s.Value))+labelsBeside(s.Labels, p.indicator(s.Indicator).Entity), "because="+strconv.Quote(s.Reason))
	}
	return l
}

// labelsBeside writes labels without the entity's.
func labelsBeside(labels flyball.Labels, entity string) string {
	rest := slices.DeleteFunc(slices.Clone(labels), func(l flyball.Label) bool { return l.Name == entity })
	if len(rest) == 0 {
		return ""
	}
	return rest.String()
}

func (p printer) decision(d *flyball.Decision) line {
	if d.Verb == flyball.VerbControl {
		return line{kind: kindDecision, event: d.At, words: []string{kindDecision, string(d.Verb), strconv.Quote(d.Reason), "who=" + word(d.Who), "at=" + p.time(d.At)}}
	}
	l := line{kind: kindDecision, event: d.At, words: []string{kindDecision, string(d.Verb), word(d.Rule), word(d.Entity), d.Action.Name, word(d.Target), "at=" + p.time(d.At)}}
	var refused []string
	for _, g := range d.Gates {
		if !g.Pass {
			refused = append(refused, g.Gate)
		}
	}
	if len(refused) > 0 {
		l.words = append(l.words, "refused="+strings.Join(refused, ","))
	}
	if d.Attempt > 1 {
		l.words = append(l.words, fmt.Sprintf("attempt=%d", d.Attempt))
	}
	if d.Trigger != "finding" && len(d.Gates) > 0 {
		l.words = append(l.words, "trigger="+d.Trigger)
	}
	if d.Who != "" {
		l.words = append(l.words, "who="+word(d.Who))
	}
	if len(d.Notify) > 0 {
		l.words = append(l.words, "notify="+strings.Join(d.Notify, ","))
	}
	return l
}

func (p printer) dead(d *engine.Dead) line {
	switch {
	case d.Source != "":
		return line{kind: kindRejected, samples: d.Samples, words: []string{kindRejected, d.Partition.String(), d.Reason, fmt.Sprintf("samples=%d", d.Samples)}}
	case d.Indicator != "":
		spec := p.indicator(d.Indicator)
		return line{kind: kindLate, event: d.Start, samples: d.Samples, words: []string{kindLate, word(d.Indicator), series(d.Labels.Get(spec.Entity), spec.Entity, d.Labels.JSON()),
			p.span(d.Start, d.Start.Add(spec.Pane)), fmt.Sprintf("samples=%d", d.Samples), fmt.Sprintf("bad=%d", d.Bad)}}
	}
	return line{kind: kindDead, words: []string{kindDead, d.Stage, d.Reason, strconv.Quote(d.Message)}}
}

func (p printer) indicator(name string) flyball.Indicator {
	for _, i := range p.spec.Indicators {
		if i.Name == name {
			return i
		}
	}
	return flyball.Indicator{Name: name}
}

func (p printer) time(t flyball.Time) string {
	if t == flyball.NoTime {
		return "none"
	}
	return input.FormatDuration(t.Sub(p.origin))
}

func (p printer) span(start, end flyball.Time) string {
	return "[" + p.time(start) + "," + p.time(end) + ")"
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_.:/-]+$`)

// word writes a name, in quotes where it would not be one word.
func word(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}

// series writes cart{http.route="/pay"}: the entity and the other labels.
func series(entity, entityLabel, labels string) string {
	var ls flyball.Labels
	if err := json.Unmarshal([]byte(labels), &ls); err != nil {
		return word(entity) + strconv.Quote(labels)
	}
	var rest []string
	for _, l := range ls {
		if l.Name != entityLabel && l.Value != entity {
			rest = append(rest, l.Name+"="+strconv.Quote(l.Value))
		}
	}
	if len(rest) == 0 {
		return word(entity)
	}
	return word(entity) + "{" + strings.Join(rest, ",") + "}"
}

func params(a flyball.Action) []string {
	var out []string
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range a.Params {
			if !yield(name) {
				return
			}
		}
	}) {
		out = append(out, name+"="+word(a.Params[name]))
	}
	return out
}

// quantity writes a value in its unit.
func quantity(v float64, unit string) string {
	if unit == "ns" && math.Abs(v) < math.MaxInt64 {
		return input.FormatDuration(time.Duration(math.Round(v)))
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// rounded keeps three digits, which is what a quantile is good for.
func rounded(v float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	if err != nil {
		panic("BUG: a number does not read back: " + err.Error())
	}
	return out
}

// digits writes whole numbers as they are and others with four digits.
func digits(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
