package evaluate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/slo"
	"github.com/flyball-io/flyball/processors/window"
)

// seriesKey identifies an SLO series: one budget per SLO and entity.
type seriesKey struct {
	slo, entity string
}

// sloSeries is one error budget.
type sloSeries struct {
	key      seriesKey
	spec     flyball.SLO
	labels   flyball.Labels
	tracker  *slo.Tracker
	detector detectors.SLODetector
	// judged is the pane edge up to which it has been judged.
	judged  flyball.Time
	finding *openFinding

	// for Abort: as of the last commit
	isNew      bool
	wasJudged  flyball.Time
	wasFinding *openFinding
}

// openFinding is a finding that is not resolved; it is replaced, never changed.
type openFinding struct {
	ID       string       `json:"id"`
	Revision int          `json:"revision"`
	OpenedAt flyball.Time `json:"opened_at"`
	Severity string       `json:"severity"`
	Tier     string       `json:"tier"`
}

// paneCounts is what one pane adds to a budget.
type paneCounts struct {
	start      flyball.Time
	total, bad int64
}

// budget returns the series of an SLO for an entity.
func (m *Machine) budget(st *store, spec flyball.SLO, entity string, judged flyball.Time) *sloSeries {
	k := seriesKey{spec.Name, entity}
	s := st.series[k]
	if s == nil {
		ind := st.Spec()
		s = &sloSeries{
			key: k, spec: spec, labels: flyball.LabelsOf(ind.Entity, entity),
			tracker: slo.NewTracker(spec, ind.Pane), detector: m.cfg.Detector(spec),
			judged: judged, isNew: true, wasJudged: judged,
		}
		st.series[k] = s
	}
	return s
}

// covers reports whether the SLO counts the series with these labels.
func covers(spec *flyball.SLO, labels string) bool {
	if len(spec.Selector) == 0 {
		return true
	}
	var ls flyball.Labels
	if err := json.Unmarshal([]byte(labels), &ls); err != nil {
		panic("BUG: the labels of a series are not JSON: " + err.Error())
	}
	for i := range spec.Selector {
		if !spec.Selector[i].MatchString(ls.Get(spec.Selector[i].Name)) {
			return false
		}
	}
	return true
}

// closeBudgets counts the panes that close and judges every budget up to the
// watermark.
func (m *Machine) closeBudgets(st *store, from, to flyball.Time) {
	pane := st.Spec().Pane
	pending := map[*sloSeries][]paneCounts{}
	st.ClosePanes(from, to, func(p window.ClosedPane) {
		for i := range st.slos {
			if covers(&st.slos[i], p.Series.Labels) {
				s := m.budget(st, st.slos[i], p.Series.Entity, p.Start)
				pending[s] = append(pending[s], paneCounts{p.Start, p.Count, p.Bad})
			}
		}
	})
	edge := to.Floor(pane)
	for _, s := range sortedSeries(st.series) {
		m.advance(s, st.Spec(), pending[s], edge)
	}
}

func sortedSeries(series map[seriesKey]*sloSeries) []*sloSeries {
	out := make([]*sloSeries, 0, len(series))
	for _, s := range series {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *sloSeries) int {
		return cmp.Or(cmp.Compare(a.key.slo, b.key.slo), cmp.Compare(a.key.entity, b.key.entity))
	})
	return out
}

// advance counts panes in the order of time and judges the budget at every pane
// edge that can matter: those with samples, all while something bad is within
// reach of a window or a finding is open, and those at which status is due while
// there was any sample within reach. Which edges these are follows from the
// samples alone.
func (m *Machine) advance(s *sloSeries, ind flyball.Indicator, panes []paneCounts, to flyball.Time) {
	slices.SortFunc(panes, func(a, b paneCounts) int { return cmp.Compare(a.start, b.start) })
	for {
		next := flyball.Time(math.MaxInt64)
		if len(panes) > 0 {
			next = panes[0].start.Add(ind.Pane)
		}
		if s.finding != nil || !s.tracker.Quiet(s.judged) {
			next = min(next, s.judged.Floor(ind.Pane).Add(ind.Pane))
		}
		if s.tracker.Active(s.judged) {
			next = min(next, s.judged.Floor(m.cfg.StatusEvery).Add(m.cfg.StatusEvery))
		}
		if next > to {
			break
		}
		for len(panes) > 0 && panes[0].start < next {
			s.tracker.Add(panes[0].start, panes[0].total, panes[0].bad)
			panes = panes[1:]
		}
		s.tracker.Expire(next)
		m.judge(s, next)
		s.judged = next
	}
	s.judged = max(s.judged, to)
}

// judge asks the detector, and reports what changed.
func (m *Machine) judge(s *sloSeries, at flyball.Time) {
	signal := s.detector.Observe(detectors.SLOObservation{
		At:  at,
		Sum: func(w time.Duration) (total, bad int64) { return s.tracker.Sum(at, w) },
	})
	changed := m.track(s, at, signal)
	if !changed && at.Floor(m.cfg.StatusEvery) != at {
		return
	}
	total, bad := s.tracker.Period(at)
	row := processors.SLORow{
		SLO: s.spec.Name, Entity: s.key.entity, Labels: s.labels.JSON(), At: at,
		Total: total, Bad: bad, SLI: flyball.SLI(total, bad), Target: s.spec.Target(),
		BudgetConsumed: s.spec.BurnRate(total, bad), Complete: true,
	}
	for _, t := range signal.Tiers {
		row.Tiers = append(row.Tiers, t.Name)
		row.BurnLong = append(row.BurnLong, t.Long)
		row.BurnShort = append(row.BurnShort, t.Short)
		if t.Firing {
			row.Firing = append(row.Firing, t.Name)
		}
	}
	m.status.Append(row)
}

// track opens, updates or resolves the series' finding.
func (m *Machine) track(s *sloSeries, at flyball.Time, signal detectors.Signal) bool {
	f := s.finding
	switch {
	case signal.Firing && f == nil:
		s.finding = &openFinding{
			ID: findingID("burn_rate", s.spec.Name, s.key.entity, at), Revision: 1,
			OpenedAt: at, Severity: signal.Severity, Tier: signal.Tier,
		}
		m.report(s, s.finding, flyball.FindingOpened, at, signal)
	case signal.Firing && (f.Tier != signal.Tier || f.Severity != signal.Severity):
		next := *f
		next.Revision++
		next.Severity, next.Tier = signal.Severity, signal.Tier
		s.finding = &next
		m.report(s, s.finding, flyball.FindingUpdated, at, signal)
	case !signal.Firing && f != nil:
		last := *f
		last.Revision++
		s.finding = nil
		signal.Summary = fmt.Sprintf("error budget of %s no longer burns too fast", s.spec.Name)
		m.report(s, &last, flyball.FindingResolved, at, signal)
	default:
		return false
	}
	return true
}

func (m *Machine) report(s *sloSeries, f *openFinding, state flyball.FindingState, at flyball.Time, signal detectors.Signal) {
	m.ready.Findings = append(m.ready.Findings, flyball.Finding{
		ID: f.ID, Revision: f.Revision, Kind: "burn_rate", State: state, Severity: f.Severity,
		Entity: s.key.entity, Labels: s.labels, Detector: s.spec.Name, Tier: f.Tier,
		At: at, OpenedAt: f.OpenedAt, Summary: signal.Summary, Evidence: signal.Evidence,
	})
}

// findingID is the same whenever the same samples are evaluated.
func findingID(kind, detector, entity string, opened flyball.Time) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %d", kind, detector, entity, int64(opened)))
	return hex.EncodeToString(h[:12])
}

// lateForBudgets counts a partial pane that came after its pane closed. It
// repairs the budget from here on, and fires nothing by itself.
func (m *Machine) lateForBudgets(st *store, row processors.PaneRow) {
	for i := range st.slos {
		if !covers(&st.slos[i], row.Labels) {
			continue
		}
		entity := string([]byte(row.Entity)) // the row's bytes are only lent
		s := m.budget(st, st.slos[i], entity, m.watermarks.Of(st.Spec().Source).Floor(st.Spec().Pane))
		s.tracker.Add(row.Start, row.Count, row.Bad)
	}
}

func (s *sloSeries) commit() {
	s.tracker.Commit()
	s.isNew, s.wasJudged, s.wasFinding = false, s.judged, s.finding
}

func (s *sloSeries) abort() {
	s.tracker.Abort()
	s.judged, s.finding = s.wasJudged, s.wasFinding
}
