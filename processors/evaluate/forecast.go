package evaluate

import (
	"fmt"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/processors/slo"
)

// trackForecast opens or resolves the finding of a budget that will be gone soon,
// going by the burn rate of the last quarter of that time. Like trackBudget it
// opens one only where samples were counted. A budget that is gone has a finding of
// its own.
func (m *Machine) trackForecast(s *sloSeries, at flyball.Time, b slo.Budget, counted, silent bool) bool {
	within := s.spec.ExhaustsWithin
	f := s.findings.forecast
	if within <= 0 && f == nil {
		return false
	}
	gone := s.spec.Exhausted(b.Total, b.Bad, b.Elapsed, b.Length())
	lookback := s.tracker.Lookback(within)
	total, bad := s.tracker.Sum(at, lookback)
	if s.spec.Calendar != nil { // the next period has another budget
		within = min(within, b.End.Sub(at))
	}
	soon := within > 0 && !silent && !gone && s.spec.ExhaustsSoon(within, flyball.Spent{Total: b.Total, Bad: b.Bad, Elapsed: b.Elapsed, Length: b.Length()}, total, bad)
	if soon == (f != nil) || soon && !counted {
		return false
	}
	ahead := s.tracker.Ahead(at, b, lookback)
	limit := within.Seconds()
	signal := detectors.Signal{Evidence: []flyball.Evidence{
		{Name: "bad", Value: float64(bad), Window: lookback.String()}, {Name: "total", Value: float64(total), Window: lookback.String()},
	}}
	if ahead == ahead {
		signal.Evidence = append(signal.Evidence, flyball.Evidence{Name: "exhausts_in", Value: ahead, Threshold: &limit, Unit: "s"})
	}
	if soon {
		s.findings.forecast = open(s, kindForecast, at, "ticket", "")
		signal.Summary = fmt.Sprintf("error budget of %s will be used up in %s at the rate of the last %s: %d of %d bad",
			s.spec.Name, time.Duration(ahead*1e9).Round(time.Second), lookback, bad, total)
		m.report(s, kindForecast, s.findings.forecast, flyball.FindingOpened, at, signal)
		return true
	}
	last := *f
	last.Revision++
	s.findings.forecast = nil
	signal.Summary = fmt.Sprintf("error budget of %s will last longer than %s", s.spec.Name, within)
	if gone {
		signal.Summary = fmt.Sprintf("error budget of %s is used up", s.spec.Name)
	}
	m.report(s, kindForecast, &last, flyball.FindingResolved, at, signal)
	return true
}

// outlived reports whether a budget of a grouped SLO had no samples for so long that
// it is to be forgotten.
func (b *budgets) outlived(s *sloSeries, at flyball.Time) bool {
	if s.spec.GroupTTL <= 0 {
		return false
	}
	end, ok := s.tracker.SilentAt(at, s.spec.GroupTTL)
	return ok && end <= at
}

// outlive forgets a budget, and resolves what is open about it.
func (m *Machine) outlive(s *sloSeries, at flyball.Time) {
	s.tracker.Forget()
	signal := detectors.Signal{Summary: fmt.Sprintf("%s had no samples for %s: its budget is forgotten", s.spec.Name, s.spec.GroupTTL)}
	for kind, f := range s.findings.all() {
		if *f == nil {
			continue
		}
		last := **f
		last.Revision++
		*f = nil
		m.report(s, kind, &last, flyball.FindingResolved, at, signal)
	}
}
