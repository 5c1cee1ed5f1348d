package evaluate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/processors/slo"
	"github.com/flyball-io/flyball/processors/window"
)

// closeBudgets counts the panes that close and judges every budget up to the
// watermark.
func (m *Machine) closeBudgets(st *store, from, to flyball.Time) {
	if len(st.slos) == 0 {
		return
	}
	st.ClosePanes(from, to, func(p window.ClosedPane) {
		if p.Count == 0 {
			return
		}
		for _, c := range st.covering(p.Series) {
			s := st.of(c, p.Series.Entity)
			if n := len(s.pending); n > 0 && s.pending[n-1].start == p.Start {
				s.pending[n-1].total += p.Count
				s.pending[n-1].bad += p.Bad
			} else {
				s.pending = append(s.pending, paneCounts{p.Start, p.Count, p.Bad})
			}
		}
	})
	m.incomplete = !m.watermarks.Complete(st.source, to) // one word for the whole step
	edge := to.Floor(st.pane)
	for _, s := range slices.Clone(st.all()) {
		m.advance(&st.budgets, s, from.Floor(st.pane), edge)
		s.tracker.Expire(edge)
		if s.tracker.Dirty() || s.reported {
			st.mark(s)
		}
		st.forget(s)
	}
}

// quietEvery is how often the status of an SLO without new samples is reported.
const quietEvery = time.Hour

// advance counts the pending panes in the order of time and judges the budget,
// from one pane edge to another, at the edges that can matter: those at which a
// sum changes, because a pane with samples joins it or leaves it while a tier has
// anything bad; those at which a window becomes empty, where that means something;
// and those at which status is due. What it reports follows from
// the samples alone, not from the steps in which the watermark came. What it
// costs is bounded by the samples, too, and not by the time between them.
func (m *Machine) advance(b *budgets, s *sloSeries, from, to flyball.Time) {
	panes := s.pending
	slices.SortStableFunc(panes, func(a, b paneCounts) int { return cmp.Compare(a.start, b.start) })
	at := from
	if from == flyball.NoTime { // the first watermark
		if at = to; len(panes) > 0 {
			at = panes[0].start
		}
	}
	for first := true; ; first = false {
		next := b.nextEdge(s, at, first)
		if len(panes) > 0 {
			next = min(next, panes[0].start.Add(b.pane))
		}
		if next > to {
			break
		}
		counted := len(panes) > 0 && panes[0].start < next
		for len(panes) > 0 && panes[0].start < next {
			n := 1 // several series of the entity have the same pane
			for ; n < len(panes) && panes[n].start == panes[0].start; n++ {
				panes[0].total += panes[n].total
				panes[0].bad += panes[n].bad
			}
			total, bad := s.tracker.Add(panes[0].start, panes[0].total, panes[0].bad)
			b.feed(s, panes[0].start, total, bad, false)
			panes = panes[n:]
		}
		m.judge(b, s, next, counted)
		if b.outlived(s, next) {
			m.outlive(s, next)
		}
		at = next
	}
	s.pending = s.pending[:0]
}

// nextEdge returns the next pane edge after at that can matter although no pane
// closes there. At first a late sample may have changed any sum meanwhile.
func (b *budgets) nextEdge(s *sloSeries, at flyball.Time, first bool) flyball.Time {
	next := flyball.Time(math.MaxInt64)
	if b.mute || s.tracker.Empty() && !s.findings.any() {
		return next
	}
	quiet := s.tracker.Quiet(at)
	if first && (s.findings.burn != nil || !quiet || s.spec.NoData == flyball.NoDataAlert && s.tracker.Missing(at)) {
		return at.Add(b.pane)
	}
	// Of a budget that is quiet, silence matters where it is a finding, or ends one.
	if !quiet || s.findings.any() || s.spec.NoData == flyball.NoDataAlert || s.spec.NoData == flyball.NoDataBad {
		if change, ok := s.tracker.NextChange(at); ok {
			next = change
		}
	}
	if s.spec.GroupTTL > 0 {
		if end, ok := s.tracker.SilentAt(at, s.spec.GroupTTL); ok {
			next = min(next, max(end, at.Add(b.pane)))
		}
	}
	for _, every := range [...]time.Duration{b.every, roundUp(quietEvery, b.every)} {
		if due := at.Floor(every).Add(every); due < next && b.statusDue(s, due) {
			next = due
		}
	}
	return next
}

// statusDue reports whether status is due at a pane edge: where samples came
// since the last report, and hourly while any lies in a burn-rate window.
func (b *budgets) statusDue(s *sloSeries, at flyball.Time) bool {
	if at.Floor(b.every) != at {
		return false
	}
	if total, _ := s.tracker.Sum(at, b.every); total > 0 {
		return true
	}
	return b.hourly(at) && s.tracker.Active(at)
}

// hourly reports whether a pane edge is one at which a budget without samples is
// looked at.
func (b *budgets) hourly(at flyball.Time) bool { return at.Floor(roundUp(quietEvery, b.every)) == at }

// judge asks the detector, and reports what changed. Whether the budget is gone is
// looked at where samples were counted, and whether it has come back hourly, too:
// so neither depends on where else there was a reason to judge.
func (m *Machine) judge(b *budgets, s *sloSeries, at flyball.Time, counted bool) {
	if b.mute {
		return
	}
	silent := !s.tracker.Active(at)
	signal := s.detector.Observe(detectors.SLOObservation{
		At: at, Silent: silent, Pane: b.pane, Gap: s.tracker.Gap(at),
		Sum:      func(w time.Duration) (total, bad int64) { return s.tracker.Sum(at, w) },
		SumAt:    func(past flyball.Time, w time.Duration) (total, bad int64) { return s.tracker.SumAt(at, past, w) },
		Excluded: func(w time.Duration) bool { return s.tracker.Excluded(at, w) },
	})
	changed := m.track(s, at, signal)
	if counted || silent || b.hourly(at) {
		budget := s.tracker.Budget(at)
		changed = m.trackBudget(s, at, budget, counted, silent) || changed
		changed = m.trackForecast(s, at, budget, counted, silent) || changed
	}
	if !changed && !b.statusDue(s, at) {
		return
	}
	row := statusRow(s, at, signal)
	row.Complete, row.SLIHighest = !m.incomplete, b.sliHighest(s, at)
	m.status.Append(row)
}

const (
	kindBurn      = "burn_rate"
	kindExhausted = "budget_exhausted"
	kindForecast  = "budget_forecast"
)

// track opens, updates or resolves the finding of a budget that burns.
func (m *Machine) track(s *sloSeries, at flyball.Time, signal detectors.Signal) bool {
	f := s.findings.burn
	switch {
	case f != nil && signal.Holds(f.Tier):
		return false
	case signal.Firing && f == nil:
		s.findings.burn = open(s, kindBurn, at, signal.Severity, signal.Tier)
		m.report(s, kindBurn, s.findings.burn, flyball.FindingOpened, at, signal)
	case signal.Firing && (f.Tier != signal.Tier || f.Severity != signal.Severity || f.Incomplete != m.incomplete):
		next := *f
		next.Revision++
		next.Severity, next.Tier = signal.Severity, signal.Tier
		s.findings.burn = &next
		m.report(s, kindBurn, s.findings.burn, flyball.FindingUpdated, at, signal)
	case !signal.Firing && f != nil:
		last := *f
		last.Revision++
		s.findings.burn = nil
		if signal.Summary == "" {
			signal.Summary = fmt.Sprintf("error budget of %s no longer burns too fast", s.spec.Name)
		}
		m.report(s, kindBurn, &last, flyball.FindingResolved, at, signal)
	default:
		return false
	}
	return true
}

// trackBudget opens or resolves the finding of a budget that is gone. It opens one
// only where samples were counted: time alone uses up nothing.
func (m *Machine) trackBudget(s *sloSeries, at flyball.Time, b slo.Budget, counted, silent bool) bool {
	gone := !silent && s.spec.Exhausted(b.Total, b.Bad, b.Elapsed, b.Length())
	f := s.findings.exhausted
	if gone == (f != nil) || gone && !counted {
		return false
	}
	consumed := s.spec.BurnRate(b.Total, b.Bad) * b.Elapsed.Seconds() / b.Length().Seconds()
	limit := 1.0
	signal := detectors.Signal{Evidence: []flyball.Evidence{
		{Name: "budget_consumed", Value: consumed, Threshold: &limit},
		{Name: "bad", Value: float64(b.Bad)}, {Name: "total", Value: float64(b.Total)},
	}}
	if gone {
		s.findings.exhausted = open(s, kindExhausted, at, "ticket", "")
		signal.Summary = fmt.Sprintf("error budget of %s is used up: %d of %d bad since %s", s.spec.Name, b.Bad, b.Total, b.Start)
		m.report(s, kindExhausted, s.findings.exhausted, flyball.FindingOpened, at, signal)
		return true
	}
	last := *f
	last.Revision++
	s.findings.exhausted = nil
	signal.Summary = fmt.Sprintf("error budget of %s is no longer used up: %d of %d bad since %s", s.spec.Name, b.Bad, b.Total, b.Start)
	if silent {
		signal.Summary = fmt.Sprintf("%s has had no samples for so long that its error budget is not followed any more", s.spec.Name)
	}
	if math.IsNaN(consumed) {
		signal.Evidence = nil
	}
	m.report(s, kindExhausted, &last, flyball.FindingResolved, at, signal)
	return true
}

func open(s *sloSeries, kind string, at flyball.Time, severity, tier string) *openFinding {
	return &openFinding{
		ID: findingID(kind, s.spec.Name, s.key.entity+s.key.group, at), Revision: 1,
		OpenedAt: at, Severity: severity, Tier: tier,
	}
}

func (m *Machine) report(s *sloSeries, kind string, f *openFinding, state flyball.FindingState, at flyball.Time, signal detectors.Signal) {
	s.reported = true
	f.Incomplete = m.incomplete
	m.ready.Findings = append(m.ready.Findings, flyball.Finding{
		ID: f.ID, Revision: f.Revision, Kind: kind, State: state, Severity: f.Severity,
		Entity: s.key.entity, Labels: s.labels, Detector: s.spec.Name, Tier: f.Tier,
		At: at, OpenedAt: f.OpenedAt, Summary: signal.Summary, Evidence: signal.Evidence, Notify: s.spec.Notify,
		Incomplete: m.incomplete,
	})
}

// findingID is the same whenever the same samples are evaluated.
func findingID(kind, detector, entity string, opened flyball.Time) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %d", kind, detector, entity, int64(opened)))
	return hex.EncodeToString(h[:12])
}

// lateForBudgets counts a partial pane that came after its pane closed. It
// repairs the budget from here on, and fires nothing by itself: the next pane
// edge is judged with it.
func (m *Machine) lateForBudgets(st *store, sr *window.Series, start flyball.Time, total, bad int64) {
	if total == 0 {
		return
	}
	for _, c := range st.covering(sr) {
		s := st.of(c, sr.Entity)
		moreTotal, moreBad := s.tracker.Add(start, total, bad)
		st.feed(s, start, moreTotal, moreBad, true)
		st.mark(s)
	}
}
