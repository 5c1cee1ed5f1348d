package openslo

import (
	"fmt"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/objective"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/processors/slo"
)

// exclude adds the exclusions to the SLOs that they hold for.
func (c *compiler) exclude(slos []flyball.SLO) {
	for _, o := range c.Exclusions {
		e, ok := exclusion(o)
		o.NotEmpty("spec.slos", len(o.Spec.SLOs), "delete the line to exclude the time from every SLO")
		o.NotEmpty("spec.detectors", len(o.Spec.Detectors), "delete the line to exclude the time from every detector")
		for i, name := range o.Spec.SLOs {
			c.knownSLO(o, fmt.Sprintf("spec.slos[%d]", i), name, slos)
		}
		if !ok {
			continue
		}
		c.excluded = append(c.excluded, Excluded{Exclusion: e, object: o})
		for i := range slos {
			if everything(&o.Spec) || slices.Contains(o.Spec.SLOs, slos[i].Name) {
				slos[i].Exclusions = append(slos[i].Exclusions, e)
			}
		}
	}
}

// everything reports whether an exclusion holds for all SLOs and detectors.
func everything(s *spec.Exclusion) bool { return len(s.SLOs) == 0 && len(s.Detectors) == 0 }

// Excluded is a compiled exclusion, for others that leave out its time.
type Excluded struct {
	flyball.Exclusion
	object *kind.Object[spec.Exclusion]
}

// Holds reports whether it holds for a detector.
func (e *Excluded) Holds(detector string) bool {
	return everything(&e.object.Spec) || slices.Contains(e.object.Spec.Detectors, detector)
}

// KnownDetectors reports detectors that it names and that are not among names.
func (e *Excluded) KnownDetectors(names []string) {
	for i, name := range e.object.Spec.Detectors {
		if path := fmt.Sprintf("spec.detectors[%d]", i); e.object.Doc.OK(path) && !slices.Contains(names, name) {
			e.object.Report(path, kind.CodeUnknownReference, fmt.Sprintf("there is no Detector named %q", name), strictyaml.DidYouMean(name, names))
		}
	}
}

func (c *compiler) knownSLO(o *kind.Object[spec.Exclusion], path, name string, slos []flyball.SLO) {
	var names []string
	for i := range slos {
		names = append(names, slos[i].Name)
	}
	if o.Doc.OK(path) && !slices.Contains(names, name) {
		say := o.Report
		if c.SLOsOnly { // it may be for SLOs in other files, too
			say = o.Warn
		}
		say(path, kind.CodeUnknownReference, fmt.Sprintf("there is no SLO named %q", name), strictyaml.DidYouMean(name, names))
	}
}

func exclusion(o *kind.Object[spec.Exclusion]) (e flyball.Exclusion, ok bool) {
	s := &o.Spec
	if !o.Doc.OK("spec.start", "spec.timeZone", "spec.duration", "spec.rrule") || s.Start == "" || s.Duration <= 0 {
		return e, false
	}
	place, err := time.LoadLocation(s.TimeZone)
	if err != nil || s.TimeZone == "" || s.TimeZone == "Local" {
		o.Report("spec.timeZone", strictyaml.CodeInvalidValue, fmt.Sprintf("unknown time zone %q: want a name such as Europe/Berlin, or UTC", s.TimeZone), "")
		return e, false
	}
	e = flyball.Exclusion{Name: o.Metadata.Name, Length: s.Duration.Std(), Rule: s.RRule}
	if e.Start, err = objective.ParseStart(string(s.Start), place); err != nil {
		o.Report("spec.start", strictyaml.CodeInvalidValue, err.Error(), "")
		return e, false
	}
	if e.Rule != "" {
		if _, err := slo.ParseRule(e.Rule, e.Start); err != nil {
			o.Report("spec.rrule", strictyaml.CodeInvalidValue, fmt.Sprintf("cannot read rule %q: %v", e.Rule, err),
				"such as FREQ=WEEKLY;BYDAY=SU (RFC 5545)")
			return e, false
		}
	}
	return e, true
}

// FormatExclusion returns the spec of a document that gives an exclusion to SLOs and
// detectors.
func FormatExclusion(e flyball.Exclusion, slos, detectors []string) spec.Exclusion {
	return spec.Exclusion{SLOs: slos, Detectors: detectors, Start: spec.Text(objective.FormatStart(e.Start)), TimeZone: e.Start.Location().String(),
		Duration: spec.Duration(e.Length), RRule: e.Rule}
}
