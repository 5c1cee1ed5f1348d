package openslo

import (
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/objective"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

func (c *compiler) compileSLOs() []flyball.SLO {
	var out []flyball.SLO
	for _, o := range c.SLOs {
		b := &sloBuilder{Object: o, compiler: c}
		out = append(out, b.build()...)
	}
	return out
}

// sloBuilder builds the SLOs of one document.
type sloBuilder struct {
	*kind.Object[spec.SLO]
	compiler *compiler
	base     flyball.SLO
	// customTiers is set when the tiers come from the annotation or from policies.
	customTiers bool
	// compiled is the SLI, nil where there is none.
	compiled *compiledSLI
	// policyTiers are those of the alert policies.
	policyTiers []flyball.BurnRateTier
	// checked holds the units for which the windows were checked.
	checked []time.Duration
}

func (b *sloBuilder) build() []flyball.SLO {
	b.base = flyball.SLO{Name: b.Metadata.Name, Service: b.Spec.Service}
	b.service()
	b.sli()
	b.method()
	b.period()
	b.annotations()
	b.policies()
	switch {
	case b.customTiers && len(b.policyTiers) > 0:
		b.Warn("spec.alertPolicies", kind.CodeIgnored, "the conditions of alertPolicies are not used: the annotation "+objective.TiersAnnotation+" sets the tiers", "delete one of them")
	case len(b.policyTiers) > 0:
		objective.SortTiers(b.policyTiers)
		b.base.Tiers, b.customTiers = b.policyTiers, true
	}
	return b.objectives()
}

// service reports a service that is not among the Service documents, if there
// are any: without them the name is a label.
func (b *sloBuilder) service() {
	var names []string
	for _, s := range b.compiler.Services {
		names = append(names, s.Metadata.Name)
	}
	if len(names) > 0 && b.Doc.OK("spec.service") && b.Doc.Has("spec.service") && !slices.Contains(names, b.Spec.Service) {
		b.Report("spec.service", kind.CodeUnknownReference, fmt.Sprintf("there is no Service named %q", b.Spec.Service),
			strictyaml.DidYouMean(b.Spec.Service, names))
	}
}

// sli finds the SLI, in place or by name.
func (b *sloBuilder) sli() {
	s, only := &b.Spec, b.compiler.SLOsOnly
	var sli *compiledSLI
	switch {
	case s.Indicator != nil && s.IndicatorRef != "":
		b.Report("spec.indicatorRef", kind.CodeConflict, "indicator and indicatorRef are given", "delete one of them")
		return
	case s.Indicator != nil:
		sli = b.compiler.compileSLI(b.Doc, "spec.indicator.spec", &s.Indicator.Spec)
	case only:
		return
	case s.IndicatorRef != "":
		if sli = b.sliNamed("spec.indicatorRef", s.IndicatorRef); sli == nil {
			return
		}
	case b.isComposite():
		return
	default:
		if b.Doc.OK("spec.indicator", "spec.indicatorRef") {
			b.Report("spec.indicator", strictyaml.CodeMissingField, "an SLO needs indicator or indicatorRef", "")
		}
		return
	}
	b.base.Indicator, b.base.Selector, b.compiled = sli.indicator, sli.selector, sli
	if i := b.indicator(); i != nil && !sli.threshold && i.BadOK && len(i.Bad) == 0 {
		path := "spec.indicator"
		if s.Indicator == nil {
			path = "spec.indicatorRef"
		}
		b.Report(path, kind.CodeNeverBad, fmt.Sprintf("no sample of indicator %q is ever bad, so the objective is always met", i.Name),
			"give the indicator conditions of a bad sample (bad)")
	}
}

// sliNamed returns the SLI of that name, nil after a report when there is none.
func (b *sloBuilder) sliNamed(path, name string) *compiledSLI {
	known := b.compiler.sliOf
	if known[name] == nil {
		b.Report(path, kind.CodeUnknownReference, fmt.Sprintf("there is no SLI named %q", name),
			strictyaml.DidYouMean(name, slices.Sorted(maps.Keys(known))))
	}
	return known[name]
}

func (b *sloBuilder) indicator() *kind.Indicator { return b.compiler.Indicators[b.base.Indicator] }

func (b *sloBuilder) method() {
	for _, m := range []flyball.BudgetingMethod{flyball.Occurrences, flyball.Timeslices, flyball.RatioTimeslices} {
		if m.String() == b.Spec.BudgetingMethod {
			b.base.Method = m
		}
	}
}

func (b *sloBuilder) period() {
	const path = "spec.timeWindow"
	windows := b.Spec.TimeWindow
	if len(windows) != 1 {
		if b.Doc.Has(path) && b.Doc.OK(path) {
			b.Report(path, strictyaml.CodeInvalidValue, fmt.Sprintf("want one time window, got %d", len(windows)), "")
		}
		return
	}
	const at = path + "[0]"
	switch w := windows[0]; {
	case !b.Doc.OK(at, at+".duration", at+".isRolling", at+".calendar"):
	case w.Calendar != nil && w.IsRolling:
		b.Report(at+".calendar", kind.CodeConflict, "a rolling window has no calendar", "write isRolling: false, or delete the calendar")
	case w.Calendar != nil:
		if !b.Doc.OK(at+".calendar.startTime", at+".calendar.timeZone") {
			return
		}
		calendar, field, err := objective.ParseCalendar(w)
		if err != nil {
			b.Report(at+"."+field, strictyaml.CodeInvalidValue, err.Error(), "")
			return
		}
		b.base.Calendar, b.base.Period = calendar, calendar.Nominal()
	case !w.IsRolling:
		b.Report(at+".isRolling", strictyaml.CodeMissingField, "a window that does not roll needs a calendar",
			"write isRolling: true, or calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}")
	case w.Duration.Months > 0:
		b.Report(at+".duration", strictyaml.CodeInvalidValue,
			fmt.Sprintf("a rolling window has a fixed length, which %v has not", w.Duration), "write days, such as 30d")
	case w.Duration.Fixed < time.Minute || w.Duration.Fixed > 366*24*time.Hour:
		b.Report(at+".duration", strictyaml.CodeOutOfRange, fmt.Sprintf("want a period from 1m to 366d, got %v", w.Duration), "")
	default:
		b.base.Period = w.Duration.Fixed
	}
}

// annotations reads what OpenSLO has no field for.
func (b *sloBuilder) annotations() {
	for name, text := range b.Metadata.Annotations {
		path := strictyaml.Join("metadata.annotations", name)
		var err error
		hint := ""
		switch name {
		case objective.TiersAnnotation:
			b.customTiers = true
			b.parseTiers(path, text)
		case objective.MinTotalAnnotation:
			b.base.MinTotal, err = objective.ParseCount(text)
		case objective.MinBadAnnotation:
			b.base.MinBad, err = objective.ParseCount(text)
		case objective.NoDataAnnotation:
			b.base.NoData, err = objective.ParseNoData(text)
			hint = strictyaml.DidYouMean(text, objective.NoDataPolicies())
		case objective.ExhaustsWithinAnnotation:
			b.base.ExhaustsWithin, err = objective.ParseLength(text)
		case objective.GroupByAnnotation:
			b.groupBy(path, text)
		case objective.GroupLimitAnnotation:
			var n int64
			n, err = objective.ParseCount(text)
			b.base.GroupLimit = int(n)
		case objective.GroupTTLAnnotation:
			b.base.GroupTTL, err = objective.ParseLength(text)
		case objective.NotifyAnnotation:
			b.base.Notify = objective.ParseList(text)
			for _, receiver := range b.base.Notify {
				b.receiver(place{b.Doc, path}, receiver)
			}
		default:
			if strings.HasPrefix(name, "flyball.dev/") {
				b.Report(path, strictyaml.CodeUnknownField, fmt.Sprintf("unknown annotation %q", name),
					strictyaml.DidYouMean(name, objective.Annotations()))
			}
		}
		if err != nil && b.Doc.OK(path) {
			b.Report(path, strictyaml.CodeInvalidValue, err.Error(), hint)
		}
	}
}

// groupBy reads the labels of a grouped SLO, which must be the indicator's.
func (b *sloBuilder) groupBy(path, text string) {
	labels := objective.ParseList(text)
	i := b.indicator()
	for _, name := range labels {
		switch {
		case i != nil && i.GroupsOK && !slices.Contains(i.GroupBy, name):
			b.Report(path, kind.CodeUnknownLabel, fmt.Sprintf("indicator %q is not grouped by %q", i.Name, name), strictyaml.DidYouMean(name, i.GroupBy))
		case i != nil && name == i.Entity:
			continue // told apart anyway
		case !slices.Contains(b.base.GroupBy, name):
			b.base.GroupBy = append(b.base.GroupBy, name)
		}
	}
	if len(labels) == 0 {
		b.Report(path, kind.CodeEmptyList, "the list is empty", "such as http.route")
	}
}

func (b *sloBuilder) parseTiers(path, text string) {
	if !b.Doc.OK(path) {
		return
	}
	tiers, issues := objective.ParseTiers(text)
	for _, i := range issues {
		b.Doc.ReportInside(strictyaml.Problem{Path: path, Code: kind.CodeInvalidTiers, Message: i.Message, Hint: i.Hint}, i.Line, i.Col)
	}
	b.base.Tiers = tiers
}

// pane returns the width of the indicator's panes, the default one where it is
// not known.
func (b *sloBuilder) pane() time.Duration {
	if i := b.indicator(); i != nil && i.PaneOK && i.Pane > 0 {
		return i.Pane
	}
	return 10 * time.Second
}

// tierPath is where problems of tiers are reported.
func (b *sloBuilder) tierPath() string {
	switch {
	case len(b.policyTiers) > 0:
		return "spec.alertPolicies"
	case b.customTiers:
		return strictyaml.Join("metadata.annotations", objective.TiersAnnotation)
	}
	return "spec.timeWindow"
}

// tierProblem reports a problem of the tiers, which does not keep SLOs from
// being read for counts from elsewhere.
func (b *sloBuilder) tierProblem(path string, code strictyaml.Code, message, hint string) {
	if !b.customTiers {
		hint = strings.TrimPrefix(hint+"; ", "; ") + "set tiers by the annotation " + objective.TiersAnnotation
	}
	if b.compiler.SLOsOnly {
		b.Warn(path, code, message, hint)
		return
	}
	b.Report(path, code, message, hint)
}

// checkWindows holds the windows of the tiers against the period and the unit in
// which they are counted. Objectives with the same unit have the same problems.
func (b *sloBuilder) checkWindows(slo *flyball.SLO, unit time.Duration, what string) {
	path := b.tierPath()
	if b.base.Period <= 0 || !b.Doc.OK(path) || slices.Contains(b.checked, unit) {
		return
	}
	b.checked = append(b.checked, unit)
	for _, t := range slo.Tiers {
		if t.Long > b.base.Period {
			b.tierProblem(path, kind.CodeUnreachableTier, fmt.Sprintf("tier %s looks back %v, longer than the period %v",
				t.Name, spec.Duration(t.Long), spec.Duration(b.base.Period)), "")
			continue
		}
		if objective.Factor(t).Cmp(big.NewRat(1, 1)) < 0 {
			b.Warn(path, kind.CodeEagerTier, fmt.Sprintf("tier %s fires at a burn rate of %sx: below 1x the objective is still met",
				t.Name, objective.FormatFactor(t)), "")
		}
		if what != "" && (t.Long%unit != 0 || t.Short%unit != 0) {
			b.tierProblem(path, kind.CodeNotMultiple, fmt.Sprintf("tier %s looks back %v and %v, which are not multiples of %s",
				t.Name, spec.Duration(t.Long), spec.Duration(t.Short), what), "")
		}
	}
}

// objectives makes one SLO per objective.
func (b *sloBuilder) objectives() []flyball.SLO {
	b.NotEmpty("spec.objectives", len(b.Spec.Objectives), "such as - target: 0.999")
	if b.isComposite() {
		b.composite()
	}
	var out []flyball.SLO
	for i, o := range b.Spec.Objectives {
		path := fmt.Sprintf("spec.objectives[%d]", i)
		if i > 0 && b.isComposite() {
			break // one budget for all
		}
		if o.CompositeWeight != "" && !b.isComposite() {
			b.Report(path+".compositeWeight", kind.CodeConflict, "compositeWeight belongs to objectives with SLIs of their own", "delete the line")
		}
		slo := b.base
		if !b.isComposite() {
			slo.Threshold = b.threshold(path, o, b.compiled)
		}
		unit, what := b.slice(path, o, &slo)
		slo.Tiers = slices.Clone(b.base.Tiers)
		if !b.customTiers && b.base.Period > 0 {
			slo.Tiers = objective.DefaultTiers(b.base.Period, unit)
		}
		b.checkWindows(&slo, unit, what)
		ppb, ok := target(b.Object, path, o)
		if !ok {
			continue
		}
		slo.TargetPPB = ppb
		if i > 0 && slo.Name != "" {
			slo.Name += "/" + objectiveName(o, ppb)
			b.claim(path, slo.Name)
		}
		b.checkReach(path, o, &slo)
		if b.indicator() != nil {
			slo.Revision = revisionOf(&slo, b.compiler.Indicators)
		}
		out = append(out, slo)
	}
	return out
}

// slice reads what the methods that count slices of time need. It returns the unit
// in which windows are counted, and what that is, if it is known.
func (b *sloBuilder) slice(path string, o spec.Objective, slo *flyball.SLO) (unit time.Duration, what string) {
	pane := b.pane()
	if i := b.indicator(); i != nil && i.PaneOK && i.Pane > 0 {
		what = fmt.Sprintf("the pane %v of indicator %q", spec.Duration(pane), i.Name)
	}
	at, targetAt := path+".timeSliceWindow", path+".timeSliceTarget"
	if slo.Method != flyball.Timeslices && o.TimeSliceTarget != "" {
		b.Report(targetAt, kind.CodeConflict, "timeSliceTarget belongs to the budgeting method Timeslices", "delete the line")
	}
	if slo.Method == flyball.Occurrences {
		if o.TimeSliceWindow != 0 {
			b.Report(at, kind.CodeConflict, "timeSliceWindow belongs to the budgeting methods Timeslices and RatioTimeslices", "delete the line")
		}
		return pane, what
	}
	slo.Slice = o.TimeSliceWindow.Std()
	switch {
	case slo.Slice == 0 && b.Doc.OK(at):
		b.Report(at, strictyaml.CodeMissingField, `"timeSliceWindow" is required`, "such as timeSliceWindow: 1m")
	case slo.Slice%pane != 0 && what != "":
		b.Report(at, kind.CodeNotMultiple, fmt.Sprintf("%v is no multiple of %s", o.TimeSliceWindow, what), "")
	}
	if slo.Method == flyball.Timeslices {
		slo.SliceTargetPPB = b.sliceTarget(path, o)
	}
	if slo.Slice <= 0 {
		return pane, what
	}
	return slo.Slice, fmt.Sprintf("the slice %v", o.TimeSliceWindow)
}

func (b *sloBuilder) sliceTarget(path string, o spec.Objective) int64 {
	at := path + ".timeSliceTarget"
	if !b.Doc.OK(at) {
		return 0
	}
	if o.TimeSliceTarget == "" {
		b.Report(at, strictyaml.CodeMissingField, `"timeSliceTarget" is required`, "such as timeSliceTarget: 0.95")
		return 0
	}
	if n, err := strconv.ParseFloat(string(o.TimeSliceTarget), 64); err == nil && n == 1 {
		return objective.PPB
	}
	ppb, err := objective.ParsePPB(o.TimeSliceTarget, 0)
	if err != nil {
		b.Report(at, strictyaml.CodeOutOfRange, err.Error(), "")
	}
	return ppb
}

// claim reports a name that another SLO has.
func (b *sloBuilder) claim(path, name string) {
	if first := b.compiler.Names.Claim(b.Doc, path, "SLO", name); first != "" {
		b.Report(path, kind.CodeDuplicateName, fmt.Sprintf("there are two SLOs named %q", name),
			"the first is in "+first+"; tell the objectives apart by displayName")
	}
}

var notInName = regexp.MustCompile(`[^a-z0-9._]+`)

// objectiveName names an objective after the first: by its display name or, when
// that has nothing to build a name from, by its target.
func objectiveName(o spec.Objective, ppb int64) string {
	if name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(o.DisplayName), "-"), "-._"); name != "" {
		return name
	}
	return string(objective.FormatPPB(ppb))
}

// checkReach reports tiers whose factor not even a total outage exceeds: then the
// burn rate is 1/(1-target). Of the default tiers it leaves out those.
func (b *sloBuilder) checkReach(path string, o spec.Objective, slo *flyball.SLO) {
	if b.customTiers {
		path = b.tierPath()
	} else if path += ".target"; o.TargetPercent != "" {
		path += "Percent"
	}
	most := new(big.Rat).Inv(big.NewRat(objective.PPB-slo.TargetPPB, objective.PPB))
	highest := strings.TrimRight(strings.TrimRight(most.FloatString(2), "0"), ".")
	reachable := slo.Tiers[:0]
	for _, t := range slo.Tiers {
		if c := objective.Factor(t).Cmp(most); c < 0 || c == 0 && t.OrEqual {
			reachable = append(reachable, t)
			continue
		}
		why := fmt.Sprintf("tier %s of SLO %q cannot fire: with every sample bad the budget burns at %sx, and the tier wants more than %sx",
			t.Name, slo.Name, highest, objective.FormatFactor(t))
		if !b.customTiers {
			b.Warn(path, kind.CodeUnreachableTier, why+"; it is left out", "set tiers by the annotation "+objective.TiersAnnotation)
			continue
		}
		b.tierProblem(path, kind.CodeUnreachableTier, why, "use a factor below "+highest)
	}
	if !b.customTiers {
		slo.Tiers = reachable
	}
}
