package canary

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// Documents are those of kind Canary, in the order in which they were read.
type Documents struct {
	// Canaries are the documents.
	Canaries []*kind.Object[spec.Canary]
}

// Context is what of the rest of the configuration canaries build on.
type Context struct {
	// Indicators by their names, those with problems too.
	Indicators map[string]*kind.Indicator
}

// DefaultDuration is the length of an analysis without duration and steps.
const DefaultDuration = time.Hour

// MaxLooks is how many looks an analysis may have: each is kept until its end.
const MaxLooks = 2880

// Compile returns the canaries. What is wrong is reported to the documents.
func (d *Documents) Compile(ctx Context) []flyball.Canary {
	var out []flyball.Canary
	for _, o := range d.Canaries {
		b := &builder{Object: o, Context: ctx}
		b.build()
		out = append(out, b.out)
	}
	return out
}

// builder builds one canary.
type builder struct {
	*kind.Object[spec.Canary]
	Context
	out flyball.Canary
	// first is the first indicator that is known: the others must fit it.
	first *kind.Indicator
	// used are the indicators without a problem, with their places.
	used []used
}

type used struct {
	path      string
	indicator *kind.Indicator
}

func (b *builder) build() {
	s := &b.Spec
	b.out = flyball.Canary{Name: b.Metadata.Name, Version: s.Version, Replica: s.Replica, Auto: s.Start == "auto", Judge: s.Judge,
		FixedHorizon: s.FixedHorizon, Severity: s.Severity, GroupWeights: map[string]float64{},
		Interval: s.Interval.Std(), Warmup: s.Warmup.Std(), Duration: s.Duration.Std()}
	b.numbers()
	b.NotEmpty("spec.metrics", len(s.Metrics), "give what is to be compared, such as {indicator: requests}")
	b.metrics()
	b.cohorts()
	b.widths()
	b.history()
	b.steps()
	b.out.Revision = revisionOf(b.out)
}

func (b *builder) numbers() {
	s := &b.Spec
	b.out.Alpha = b.number("spec.alpha", s.Alpha, 0, 0.5)
	b.out.Beta = b.number("spec.beta", s.Beta, 0, 0.5)
	b.out.Pass = b.number("spec.thresholds.pass", s.Thresholds.Pass, -1, 100.001)
	b.out.Marginal = b.number("spec.thresholds.marginal", s.Thresholds.Marginal, -1, 100.001)
	b.out.Share = b.number("spec.share", s.Share, 0, 1)
	if b.out.Marginal > b.out.Pass {
		b.Report("spec.thresholds.marginal", kind.CodeConflict, fmt.Sprintf("%s is above pass, %s", s.Thresholds.Marginal, s.Thresholds.Pass),
			"give a marginal threshold that is not above pass")
	}
	if s.Share != "" && len(s.Steps) > 0 {
		b.Report("spec.share", kind.CodeConflict, "the share of traffic changes with the steps", "delete the line, or the steps")
	}
	if s.Judge == "kayenta" {
		for _, path := range []string{"spec.fixedHorizon", "spec.share", "spec.alpha", "spec.beta", "spec.history", "spec.borrow"} {
			if b.Doc.Has(path) {
				b.Report(path, kind.CodeConflict, "the judge kayenta does not know it", "delete the line, or use the judge sequential")
			}
		}
	}
}

// number reads a decimal that must lie between two others; "" is 0.
func (b *builder) number(path string, d spec.Decimal, above, below float64) float64 {
	if d == "" || !b.Doc.OK(path) {
		return 0
	}
	v, err := strconv.ParseFloat(string(d), 64)
	if err != nil || v <= above || v >= below {
		b.Report(path, strictyaml.CodeInvalidValue, fmt.Sprintf("want a number above %g and below %g, got %s", max(above, 0), below, d), "")
	}
	return v
}

func (b *builder) metrics() {
	names, weights := map[string]bool{}, map[string]spec.Decimal{}
	for i, m := range b.Spec.Metrics {
		path := fmt.Sprintf("spec.metrics[%d]", i)
		out := flyball.CanaryMetric{Name: m.Name, Indicator: m.Indicator, Kind: m.Kind, Direction: m.Direction,
			Critical: m.Critical, Muted: m.Muted, MustHaveData: m.MustHaveData, Group: m.Group}
		if m.Name == "" {
			out.Name = m.Indicator + "-" + m.Kind
		}
		if names[out.Name] {
			b.Report(path, kind.CodeDuplicateName, fmt.Sprintf("there are two metrics named %q", out.Name), "give each a name of its own")
		}
		names[out.Name] = true
		b.margin(path, m, &out)
		out.Tolerance = b.number(path+".tolerance", m.Tolerance, 0, 1e6)
		if out.Floor = b.number(path+".floor", m.Floor, -1, 1); m.Floor != "" && m.Kind != "count" {
			b.Report(path+".floor", kind.CodeConflict, fmt.Sprintf("a floor is a bad share, and the metric is of kind %s", m.Kind), "delete the line")
		}
		if m.Floor == "" && m.Kind == "count" {
			out.Floor = 0.001
		}
		b.weight(path, m, weights)
		b.indicator(path, m)
		b.out.Metrics = append(b.out.Metrics, out)
	}
	sum := 0.0
	for _, w := range b.out.GroupWeights {
		sum += w
	}
	if sum > 100 {
		b.Report("spec.metrics", kind.CodeConflict, fmt.Sprintf("the weights of the groups add up to %g", sum), "weights are percentages: together at most 100")
	}
}

func (b *builder) weight(path string, m spec.CanaryMetric, weights map[string]spec.Decimal) {
	if m.Weight == "" {
		return
	}
	path += ".weight"
	if m.Group == "" {
		b.Report(path, kind.CodeConflict, "a weight is that of a group, and the metric has none", "give the metric a group")
		return
	}
	if w, ok := weights[m.Group]; ok && w != m.Weight {
		b.Report(path, kind.CodeConflict, fmt.Sprintf("group %q has the weight %s already", m.Group, w), "give it with one metric of the group")
	}
	weights[m.Group] = m.Weight
	b.out.GroupWeights[m.Group] = b.number(path, m.Weight, -1, 100.001)
}

// indicator checks what measures a metric.
func (b *builder) indicator(path string, m spec.CanaryMetric) {
	at := path + ".indicator"
	if m.Indicator == "" || !b.Doc.OK(at) {
		return
	}
	i := b.Indicators[m.Indicator]
	if i == nil {
		b.Report(at, kind.CodeUnknownReference, fmt.Sprintf("there is no Indicator named %q", m.Indicator),
			strictyaml.DidYouMean(m.Indicator, slices.Sorted(maps.Keys(b.Indicators))))
		return
	}
	b.used = append(b.used, used{at, i})
	if b.first == nil {
		b.first, b.out.Entity = i, i.Entity
	}
	switch {
	case i.Source != b.first.Source:
		b.Report(at, kind.CodeConflict, fmt.Sprintf("indicator %q is of source %q, the others of %q", i.Name, i.Source, b.first.Source),
			"what one canary compares comes from one source: make another Canary")
	case i.Entity != b.first.Entity:
		b.Report(at, kind.CodeConflict, fmt.Sprintf("indicator %q is about %s, the others about %s", i.Name, i.Entity, b.first.Entity), "make another Canary")
	case m.Kind != "count" && i.Value == "" && i.GroupsOK:
		b.Report(at, kind.CodeConflict, fmt.Sprintf("indicator %q has no value for a metric of kind %s", i.Name, m.Kind), "give the indicator a value")
	case m.Kind == "count" && len(i.Bad) == 0 && i.BadOK:
		b.Report(at, kind.CodeNeverBad, fmt.Sprintf("no sample of indicator %q is bad", i.Name), "give the indicator a condition bad")
	}
}

// cohorts checks that the labels which tell cohorts apart are those of a series.
func (b *builder) cohorts() {
	s := &b.Spec
	b.out.Selector = b.matchers("spec.selector", s.Selector)
	b.out.Baseline = b.matchers("spec.baseline", s.Baseline)
	b.out.Canary = b.matchers("spec.canary", s.Canary)
	if (s.Baseline == nil) != (s.Canary == nil) {
		path := "spec.baseline"
		if s.Baseline == nil {
			path = "spec.canary"
		}
		b.Report(path, kind.CodeConflict, "baseline and canary are selected together", "give both, or neither to compare versions")
	}
	if s.Canary == nil {
		b.label("spec.version", s.Version)
	} else {
		b.out.Version = ""
	}
	if s.Replica != "" {
		b.label("spec.replica", s.Replica)
	}
}

func (b *builder) matchers(path string, list []string) (out []flyball.Matcher) {
	b.NotEmpty(path, len(list), "delete the line")
	for i, text := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if !b.Doc.OK(at) {
			continue
		}
		m, problem := kind.ParseMatcher(text)
		if problem != nil {
			b.Report(at, kind.CodeInvalidMatcher, problem.Message, problem.Hint)
			continue
		}
		if m.Numeric() {
			b.Report(at, kind.CodeInvalidMatcher, "cohorts are told apart by labels, not by numbers", "use =, !=, =~ or !~")
			continue
		}
		b.label(at, m.Name)
		out = append(out, m)
	}
	return out
}

// label reports a label by which some indicator does not group.
func (b *builder) label(path, name string) {
	for _, u := range b.used {
		if u.indicator.GroupsOK && b.Doc.OK(path) && !slices.Contains(u.indicator.GroupBy, name) {
			b.Report(path, kind.CodeUnknownLabel, fmt.Sprintf("indicator %q is not grouped by %q", u.indicator.Name, name),
				cmp.Or(strictyaml.DidYouMean(name, u.indicator.GroupBy), "add it to spec.groupBy of the indicator"))
			return
		}
	}
}
