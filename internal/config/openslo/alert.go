package openslo

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/objective"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// lookUp returns the document of that name, and the names that there are.
func lookUp[S any](list []*kind.Object[S], name string) (*kind.Object[S], []string) {
	var names []string
	for _, o := range list {
		if o.Metadata.Name == name {
			return o, nil
		}
		names = append(names, o.Metadata.Name)
	}
	return nil, names
}

// place is a part of a document.
type place struct {
	doc  *strictyaml.Document
	path string
}

func (p place) in(field string) place { return place{p.doc, p.path + "." + field} }

func (p place) report(code strictyaml.Code, message, hint string) {
	p.doc.Report(strictyaml.Problem{Path: p.path, Code: code, Message: message, Hint: hint})
}

func (p place) warn(code strictyaml.Code, message, hint string) {
	p.doc.Report(strictyaml.Problem{Path: p.path, Code: code, Message: message, Hint: hint, Severity: strictyaml.Warning})
}

// unknown reports a name that nothing has. For counts from elsewhere it is a warning:
// one SLO is asked for, and what else it names may be in other files.
func (b *sloBuilder) unknown(p place, what, name string, names []string) {
	say := p.report
	if b.compiler.SLOsOnly {
		say = p.warn
	}
	say(kind.CodeUnknownReference, fmt.Sprintf("there is no %s named %q", what, name), strictyaml.DidYouMean(name, names))
}

// policies reads the alert policies of an SLO: tiers, what silence means and who is
// to know.
func (b *sloBuilder) policies() {
	for i := range b.Spec.AlertPolicies {
		at := place{b.Doc, fmt.Sprintf("spec.alertPolicies[%d]", i)}
		if !b.Doc.OK(at.path) {
			continue
		}
		var inline spec.InlineAlertPolicy
		name, isName := b.Doc.TextAt(at.path)
		if !isName {
			b.compiler.Decoder.DecodeAt(b.Doc, at.path, &inline)
			name = inline.AlertPolicyRef
		}
		switch {
		case name != "":
			o, names := lookUp(b.compiler.Policies, name)
			if o == nil {
				b.unknown(at, "AlertPolicy", name, names)
				continue
			}
			b.policy(place{o.Doc, "spec"}, name, &o.Spec)
		case inline.Spec != nil:
			b.policy(at.in("spec"), inline.Metadata.Name, inline.Spec)
		case b.Doc.OK(at.path):
			at.report(strictyaml.CodeMissingField, "want the name of an AlertPolicy, or its spec", "")
		}
	}
}

func (b *sloBuilder) policy(at place, name string, p *spec.AlertPolicy) {
	if p.AlertWhenNoData && b.base.NoData == flyball.NoDataFreeze {
		b.base.NoData = flyball.NoDataAlert
	}
	for i, ref := range p.NotificationTargets {
		b.target(place{at.doc, fmt.Sprintf("%s.notificationTargets[%d]", at.path, i)}, ref)
	}
	if len(p.Conditions) > 1 {
		at.in("conditions").report(strictyaml.CodeInvalidValue, fmt.Sprintf("want one condition, got %d", len(p.Conditions)),
			"an alert policy of OpenSLO v1 has one; write more policies")
		return
	}
	if !p.AlertWhenBreaching {
		return
	}
	for i, ref := range p.Conditions {
		at := place{at.doc, fmt.Sprintf("%s.conditions[%d]", at.path, i)}
		switch {
		case ref.ConditionRef != "":
			o, names := lookUp(b.compiler.Conditions, ref.ConditionRef)
			if o == nil {
				b.unknown(at.in("conditionRef"), "AlertCondition", ref.ConditionRef, names)
				continue
			}
			b.condition(place{o.Doc, "spec"}, ref.ConditionRef, &o.Spec, o.Metadata.Annotations)
		case ref.Spec != nil:
			if ref.Metadata.Name != "" {
				name = ref.Metadata.Name
			}
			b.condition(at.in("spec"), name, ref.Spec, ref.Metadata.Annotations)
		case at.doc.OK(at.path):
			at.report(strictyaml.CodeMissingField, "a condition needs conditionRef or spec", "")
		}
	}
}

func (b *sloBuilder) target(at place, ref spec.TargetRef) {
	name := ref.TargetRef
	switch {
	case name != "":
		if o, names := lookUp(b.compiler.Targets, name); o == nil {
			b.unknown(at.in("targetRef"), "AlertNotificationTarget", name, names)
			return
		}
	case ref.Spec != nil:
		if name = ref.Metadata.Name; name == "" {
			name = ref.Spec.Target
		}
	default:
		if at.doc.OK(at.path) {
			at.report(strictyaml.CodeMissingField, "a notification target needs targetRef or spec", "")
		}
		return
	}
	b.receiver(at, name)
	if !slices.Contains(b.base.Notify, name) {
		b.base.Notify = append(b.base.Notify, name)
	}
}

// receiver reports a receiver that nothing has.
func (b *sloBuilder) receiver(at place, name string) {
	if known := b.compiler.Receivers; len(known) > 0 && !slices.Contains(known, name) && at.doc.OK(at.path) {
		b.unknown(at, "Receiver", name, known)
	}
}

// The severities that people write.
var severities = map[string]string{
	"page": "page", "critical": "page", "crit": "page", "high": "page", "urgent": "page", "emergency": "page", "p1": "page", "sev1": "page",
	"ticket": "ticket", "warning": "ticket", "warn": "ticket", "medium": "ticket", "low": "ticket", "minor": "ticket", "info": "ticket",
	"p2": "ticket", "p3": "ticket", "p4": "ticket", "sev2": "ticket", "sev3": "ticket",
}

var notInTier = regexp.MustCompile(`[^a-z0-9_]+`)

// condition adds the tier that a condition stands for.
func (b *sloBuilder) condition(at place, name string, c *spec.AlertCondition, annotations map[string]string) {
	in := &c.Condition
	if in.Threshold == "" || in.LookbackWindow <= 0 {
		return // reported
	}
	t := flyball.BurnRateTier{Long: in.LookbackWindow.Std(), Short: in.LookbackWindow.Std(), After: in.AlertAfter.Std(),
		OrEqual: in.Op == "gte" || in.Op == "lte"}
	if in.Op == "lt" || in.Op == "lte" {
		at.in("condition.op").warn(kind.CodeUnusual, fmt.Sprintf("op %s is read as %s: an alert on a burn rate below the threshold makes no sense",
			in.Op, strings.Replace(in.Op, "l", "g", 1)), "write op: "+strings.Replace(in.Op, "l", "g", 1))
	}
	factor, ok := new(big.Rat).SetString(string(in.Threshold))
	if !ok || factor.Sign() <= 0 || !factor.Num().IsInt64() || !factor.Denom().IsInt64() {
		at.in("condition.threshold").report(strictyaml.CodeOutOfRange, fmt.Sprintf("want a burn rate above 0, got %s", in.Threshold), "")
		return
	}
	t.FactorNum, t.FactorDen = factor.Num().Int64(), factor.Denom().Int64()
	if t.Severity = severities[strings.ToLower(c.Severity)]; t.Severity == "" {
		t.Severity = "ticket"
		at.in("severity").warn(kind.CodeUnusual, fmt.Sprintf("severity %q is taken for a ticket", c.Severity), "write page or ticket")
	}
	if text, ok := annotations[objective.ShortWindowAnnotation]; ok {
		short, err := spec.ParseDuration(text)
		if err != nil || short <= 0 || short > t.Long {
			at.report(strictyaml.CodeInvalidValue, fmt.Sprintf("the annotation %s wants a window of at most %v, got %q",
				objective.ShortWindowAnnotation, in.LookbackWindow, text), "")
			return
		}
		t.Short = short
	}
	b.policyTiers = append(b.policyTiers, named(t, name, b.policyTiers))
}

// named gives a tier the name of its condition, in the letters that tiers have.
func named(t flyball.BurnRateTier, name string, others []flyball.BurnRateTier) flyball.BurnRateTier {
	name = strings.Trim(notInTier.ReplaceAllString(strings.ToLower(name), "_"), "_")
	if name == "" || name[0] < 'a' || name[0] > 'z' {
		name = strings.TrimSuffix(t.Severity+"_"+name, "_")
	}
	t.Name = name
	for n := 2; slices.ContainsFunc(others, func(o flyball.BurnRateTier) bool { return o.Name == t.Name }); n++ {
		t.Name = fmt.Sprintf("%s_%d", name, n)
	}
	return t
}
