package canary

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/stats"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// widths sets the lengths, which are whole intervals, as an interval is whole panes.
func (b *builder) widths() {
	out := &b.out
	if out.Interval == 0 {
		for _, u := range b.used {
			out.Interval = max(out.Interval, u.indicator.Pane)
		}
	}
	if out.Interval == 0 {
		return // no indicator is known
	}
	for _, u := range b.used {
		switch i := u.indicator; {
		case !i.PaneOK:
		case out.Interval%i.Pane != 0:
			b.Report(b.place("spec.interval", u.path), kind.CodeNotMultiple, fmt.Sprintf("the interval %v is no multiple of the pane of indicator %q, %v",
				spec.Duration(out.Interval), i.Name, spec.Duration(i.Pane)), "")
		case i.Hop%out.Interval != 0: // else a window could be over before the interval is
			b.Report(b.place("spec.interval", u.path), kind.CodeNotMultiple, fmt.Sprintf("the hop of indicator %q, %v, is no multiple of the interval %v",
				i.Name, spec.Duration(i.Hop), spec.Duration(out.Interval)), "give a shorter interval, or the indicator a longer hop")
		case i.Window%out.Interval != 0:
			b.Report(b.place("spec.interval", u.path), kind.CodeNotMultiple, fmt.Sprintf("the window of indicator %q, %v, is no multiple of the interval %v",
				i.Name, spec.Duration(i.Window), spec.Duration(out.Interval)), "give a shorter interval, or the indicator a longer window")
		}
	}
	if out.Warmup%out.Interval != 0 {
		if b.Doc.Has("spec.warmup") {
			b.whole("spec.warmup", out.Warmup)
		}
		out.Warmup = (out.Warmup + out.Interval - 1) / out.Interval * out.Interval
	}
	b.whole("spec.duration", out.Duration)
}

// place is a path when it is written, else another.
func (b *builder) place(path, other string) string {
	if b.Doc.Has(path) {
		return path
	}
	return other
}

func (b *builder) whole(path string, d time.Duration) {
	if b.out.Interval > 0 && d%b.out.Interval != 0 && b.Doc.OK(path) {
		b.Report(path, kind.CodeNotMultiple, fmt.Sprintf("%v is no multiple of the interval %v", spec.Duration(d), spec.Duration(b.out.Interval)), "")
	}
}

// DefaultHistory is how long before an analysis the baseline's counts are evidence.
const DefaultHistory = 24 * time.Hour

// leastHistory is the shortest that tells how much counts vary.
const leastHistory = time.Hour

// history sets how long before an analysis counts are remembered.
func (b *builder) history() {
	const path = "spec.history"
	counts := slices.ContainsFunc(b.Spec.Metrics, func(m spec.CanaryMetric) bool { return m.Kind == "count" })
	if b.out.Judge == "sequential" && counts {
		b.out.History = DefaultHistory
	}
	if b.out.Borrow = b.number("spec.borrow", b.Spec.Borrow, 0, stats.MostBorrowed+1e-9); b.out.Borrow < 1 && b.Doc.OK("spec.borrow") {
		b.Report("spec.borrow", strictyaml.CodeInvalidValue, fmt.Sprintf("a factor of %s is below 1", b.Spec.Borrow), "write 1 for not at all, or delete the line")
	}
	if b.out.Borrow != 1 && b.Doc.Has("spec.borrow") && (!counts || b.Spec.History != nil && *b.Spec.History == 0) {
		b.Report("spec.borrow", kind.CodeConflict, "there is no history of counts to borrow from", "delete the line")
	}
	if b.Spec.History == nil || !b.Doc.OK(path) {
		return
	}
	switch h := b.Spec.History.Std(); {
	case h != 0 && h < leastHistory:
		b.Report(path, strictyaml.CodeInvalidValue, fmt.Sprintf("%v tells too little about how much counts vary", *b.Spec.History), "give 1h or more, or 0 for none")
	case h != 0 && !counts && len(b.Spec.Metrics) > 0:
		b.Report(path, kind.CodeConflict, "history is of counts, and no metric is of kind count", "delete the line")
	case b.out.History != 0:
		b.out.History = h
	}
}

// steps sets the shares of traffic, and how long the analysis is with them.
func (b *builder) steps() {
	out := &b.out
	b.NotEmpty("spec.steps", len(b.Spec.Steps), "delete the line for one share of traffic")
	total, before := time.Duration(0), 0
	for i, s := range b.Spec.Steps {
		path := fmt.Sprintf("spec.steps[%d]", i)
		if s.Weight <= before && b.Doc.OK(path+".weight") {
			b.Report(path+".weight", kind.CodeConflict, fmt.Sprintf("%d is not above the step before, %d", s.Weight, before), "a canary gets more traffic from step to step")
		}
		if s.For == 0 && s.Weight < 100 {
			b.Report(path, strictyaml.CodeInvalidValue, "the step does not say how long it is", "add for, such as for: 10m")
		}
		b.whole(path+".for", s.For.Std())
		total, before = total+s.For.Std(), s.Weight
		out.Steps = append(out.Steps, flyball.CanaryStep{Weight: s.Weight, For: s.For.Std()})
	}
	switch {
	case out.Duration == 0 && total > 0:
		out.Duration = total
	case out.Duration == 0:
		out.Duration = DefaultDuration
	case total > out.Duration:
		b.Report("spec.duration", kind.CodeConflict, fmt.Sprintf("the steps take %v", spec.Duration(total)), "delete the line to make it as long as they are")
	}
	switch {
	case out.Interval == 0:
	case out.Warmup >= out.Duration:
		b.Report(b.place("spec.warmup", "spec"), kind.CodeConflict, fmt.Sprintf("the warm-up, %v, is the whole of the analysis, %v",
			spec.Duration(out.Warmup), spec.Duration(out.Duration)), "give a shorter warmup or a longer duration")
	case out.Duration/out.Interval > MaxLooks:
		b.Report(b.place("spec.duration", "spec"), strictyaml.CodeInvalidValue, fmt.Sprintf("%v has %d looks, and there may be %d",
			spec.Duration(out.Duration), out.Duration/out.Interval, MaxLooks), "give a longer interval")
	}
}

// revisionOf returns a hash of what a canary says: an analysis of another revision
// cannot go on.
func revisionOf(c flyball.Canary) string {
	c.Revision, c.Auto, c.Severity = "", false, ""
	text, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("BUG: a canary does not encode: %v", err))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6])
}

// Format returns the spec of a canary.
func Format(c *flyball.Canary) spec.Canary {
	out := spec.Canary{Selector: texts(c.Selector), Version: c.Version, Baseline: texts(c.Baseline), Canary: texts(c.Canary),
		Replica: c.Replica, Start: "request", Interval: spec.Duration(c.Interval), Warmup: spec.Duration(c.Warmup),
		Duration: spec.Duration(c.Duration), Judge: c.Judge, FixedHorizon: c.FixedHorizon, Severity: c.Severity,
		Thresholds: spec.CanaryThresholds{Pass: decimal(c.Pass), Marginal: decimal(c.Marginal)}}
	if c.Auto {
		out.Start = "auto"
	}
	if out.Version == "" {
		out.Version = "service.version" // the default, and not used
	}
	if c.Judge == "sequential" {
		out.Alpha, out.Beta, out.Share = decimal(c.Alpha), decimal(c.Beta), some(c.Share)
	}
	if c.Judge == "sequential" && slices.ContainsFunc(c.Metrics, func(m flyball.CanaryMetric) bool { return m.Kind == "count" }) {
		h := spec.Duration(c.History)
		out.History = &h
		if c.History > 0 {
			out.Borrow = decimal(c.Borrow)
		}
	}
	for _, m := range c.Metrics {
		s := spec.CanaryMetric{Name: m.Name, Indicator: m.Indicator, Kind: m.Kind, Direction: m.Direction, Margin: formatMargin(&m),
			Tolerance: some(m.Tolerance), Critical: m.Critical, Muted: m.Muted, MustHaveData: m.MustHaveData, Group: m.Group}
		if m.Kind == "count" {
			s.Floor = decimal(m.Floor)
		}
		if w, ok := c.GroupWeights[m.Group]; ok {
			s.Weight = decimal(w)
		}
		out.Metrics = append(out.Metrics, s)
	}
	for _, s := range c.Steps {
		out.Steps = append(out.Steps, spec.CanaryStep{Weight: s.Weight, For: spec.Duration(s.For)})
	}
	return out
}

func decimal(v float64) spec.Decimal { return spec.Decimal(strconv.FormatFloat(v, 'f', -1, 64)) }

// some is decimal, "" for 0.
func some(v float64) spec.Decimal {
	if v == 0 {
		return ""
	}
	return decimal(v)
}

func texts(ms []flyball.Matcher) (out []string) {
	for _, m := range ms {
		out = append(out, m.String())
	}
	return out
}
