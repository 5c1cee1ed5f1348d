package canary

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
)

// reportEvery is how often a verdict that stays as it is is reported.
const reportEvery = time.Minute

// settle reports what a look came to, opens the gate of a step, and ends the analysis
// when it is decided or its time is over.
func (s *subject) settle(m *Machine, l look, end bool) {
	r := s.Run
	decision := s.decision(m, l)
	if l.complete && decision != flyball.VerdictFail {
		s.step(l.at)
	}
	ends := end || decision == flyball.VerdictFail || decision == flyball.VerdictPass && s.lastStep()
	said := fmt.Sprint(decision, r.Looks > 0, r.Step, l.complete)
	if said == r.Said && !ends && l.at.Floor(reportEvery) != l.at {
		return
	}
	r.Said = said
	v := s.verdict(m, l, end)
	switch {
	case ends:
		v.Phase = flyball.PhaseEnded
	case r.Looks > 0:
		v.Phase = flyball.PhaseRunning
	default:
		v.Phase = flyball.PhaseWarmup
	}
	s.report(m, l.at, v)
	if !ends {
		return
	}
	switch {
	case v.Verdict == flyball.VerdictFail:
		s.fail(m, l.at, v)
	case v.Verdict == flyball.VerdictPass && s.Finding != nil && s.Finding.Version == r.Version:
		s.resolve(m, l.at, fmt.Sprintf("canary %s of %s passes now", r.Version, s.entity))
	}
	s.Run = nil
}

// step goes on to the next share of traffic when the present one has lasted. That of
// 100 % is for those that pass.
func (s *subject) step(at flyball.Time) {
	r := s.Run
	for !s.lastStep() && at.Sub(r.StepAt) >= s.def.spec.Steps[r.Step-1].For {
		r.Step, r.StepAt = r.Step+1, at
	}
}

func (s *subject) lastStep() bool {
	steps := s.def.spec.Steps
	return s.Run.Step >= len(steps) || steps[s.Run.Step].Weight == 100
}

// report says what is known of the analysis.
func (s *subject) report(m *Machine, at flyball.Time, v flyball.Verdict) {
	r := s.Run
	r.Verdicts++
	v.ID, v.Revision, v.Canary, v.Entity = r.ID, r.Verdicts, s.def.spec.Name, s.entity
	v.Version, v.Baseline, v.By, v.Judge = r.Version, r.Baseline, r.By, s.def.spec.Judge
	v.At, v.StartedAt, v.EndsAt, v.Looks, v.Held, v.Step = at, r.StartedAt, r.EndsAt, r.Looks, r.Held, r.Step
	switch {
	case v.Verdict == flyball.VerdictFail || v.Phase == flyball.PhaseCancelled:
	case v.Verdict == flyball.VerdictPass && v.Phase == flyball.PhaseEnded:
		v.AllowedWeight = 100
	case r.Step > 0:
		v.AllowedWeight = s.def.spec.Steps[r.Step-1].Weight
	}
	if v.Metrics == nil {
		v.Metrics = []flyball.MetricVerdict{}
	}
	m.out.Verdicts = append(m.out.Verdicts, v)
}

// cancel ends the analysis without a verdict.
func (s *subject) cancel(m *Machine, at flyball.Time, reason string) {
	s.touch()
	var v flyball.Verdict
	if s.Run.Revision == s.def.spec.Revision {
		v = s.verdict(m, look{at: at, complete: true}, false)
	}
	v.Verdict, v.Phase, v.Reason, v.Needs = flyball.VerdictInconclusive, flyball.PhaseCancelled, reason, ""
	if s.Run.Step > len(s.def.spec.Steps) {
		s.Run.Step = 0 // of another configuration
	}
	s.report(m, at, v)
	s.Run = nil
}

// finding is an open finding about a canary that failed; it is replaced, never
// changed.
type finding struct {
	ID       string       `json:"id"`
	Revision int          `json:"revision"`
	OpenedAt flyball.Time `json:"opened_at"`
	Severity string       `json:"severity"`
	Version  string       `json:"version"`
	Baseline string       `json:"baseline"`
	// Labels of the finding, for when the definition is gone.
	Labels flyball.Labels `json:"labels"`
	// LastSeen is about when the canary last had samples.
	LastSeen flyball.Time `json:"last_seen"`
}

// fail opens a finding, or updates that about the same version.
func (s *subject) fail(m *Machine, at flyball.Time, v flyball.Verdict) {
	f := finding{ID: findingID(s.Run.ID), Revision: 1, OpenedAt: at}
	state := flyball.FindingOpened
	if s.Finding != nil && s.Finding.Version == s.Run.Version {
		f, state = *s.Finding, flyball.FindingUpdated
		f.Revision++
	} else if s.Finding != nil {
		s.resolve(m, at, fmt.Sprintf("canary %s of %s was followed by %s", s.Finding.Version, s.entity, s.Run.Version))
	}
	f.Severity, f.Version, f.Baseline, f.LastSeen = s.def.spec.Severity, s.Run.Version, s.Run.Baseline, at
	spec := &s.def.spec
	f.Labels = flyball.LabelsOf(spec.Entity, s.entity, cmp.Or(spec.Version, "cohort"), f.Version, "baseline", f.Baseline)
	s.Finding = &f
	pass := s.spec().Pass
	evidence := []flyball.Evidence{{Name: "score", Value: v.Score, Threshold: &pass}, {Name: "looks", Value: float64(s.Run.Looks)}}
	var why []string
	for _, x := range v.Metrics {
		if x.Verdict != flyball.VerdictFail {
			continue
		}
		limit := float64(x.Allowed[1])
		if x.Classification == "Low" {
			limit = float64(x.Allowed[0])
		}
		unit := "x"
		if x.Absolute {
			unit = x.Unit
		}
		evidence = append(evidence, flyball.Evidence{Name: x.Name, Value: float64(x.Effect), Threshold: &limit, Unit: unit})
		why = append(why, x.Reason)
	}
	summary := fmt.Sprintf("canary %s of %s fails: %s", s.Run.Version, s.entity, cmp.Or(strings.Join(why, "; "), v.Reason))
	s.reportFinding(m, f, state, at, summary, evidence)
}

func (s *subject) resolve(m *Machine, at flyball.Time, summary string) {
	s.touch()
	last := *s.Finding
	last.Revision++
	s.Finding = nil
	s.reportFinding(m, last, flyball.FindingResolved, at, summary, nil)
}

func (s *subject) reportFinding(m *Machine, f finding, state flyball.FindingState, at flyball.Time, summary string, evidence []flyball.Evidence) {
	m.out.Findings = append(m.out.Findings, f.finding(s.def.spec.Name, s.entity, state, at, summary, evidence))
}

func (f *finding) finding(canary, entity string, state flyball.FindingState, at flyball.Time, summary string, evidence []flyball.Evidence) flyball.Finding {
	return flyball.Finding{
		ID: f.ID, Revision: f.Revision, Kind: "canary", State: state, Severity: f.Severity, Entity: entity, Labels: f.Labels,
		Detector: canary, At: at, OpenedAt: f.OpenedAt, Summary: summary, Evidence: evidence,
	}
}

// orphan is an open finding of a definition that is gone; it is resolved when time
// goes on, and its key deleted with that.
type orphan struct {
	key, canary, entity string
	finding             finding
}

// resolveOrphans reports each once in a transaction.
func (m *Machine) resolveOrphans(at flyball.Time) {
	if m.orphansSaid {
		return
	}
	m.orphansSaid = true
	for _, o := range m.orphans {
		o.finding.Revision++
		m.out.Findings = append(m.out.Findings, o.finding.finding(o.canary, o.entity, flyball.FindingResolved, at,
			fmt.Sprintf("canary %s is no longer configured", o.canary), nil))
	}
}

// track resolves the finding when the version that failed is gone.
func (s *subject) track(m *Machine, l look) {
	f := s.Finding
	if f == nil || !l.complete {
		return
	}
	switch quiet := l.at.Sub(f.LastSeen); {
	case samples(l.cohort(f.Version)) > 0:
		if quiet >= time.Minute { // about: the state would be written at every look otherwise
			s.touch()
			next := *f
			next.LastSeen = l.at
			s.Finding = &next
		}
	case quiet >= quietFor:
		s.resolve(m, l.at, fmt.Sprintf("canary %s of %s has no traffic any more", f.Version, s.entity))
	}
}

// findingID is the same whenever the same samples are evaluated.
func findingID(analysis string) string {
	h := sha256.Sum256(fmt.Appendf(nil, "canary %q", analysis))
	return hex.EncodeToString(h[:12])
}
