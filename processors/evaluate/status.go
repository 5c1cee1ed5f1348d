package evaluate

import (
	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/slo"
)

// statusRow says where a budget stands.
func statusRow(s *sloSeries, at flyball.Time, signal detectors.Signal) processors.SLORow {
	b := s.tracker.Budget(at)
	row := processors.SLORow{
		SLO: s.spec.Name, Entity: s.key.entity, Labels: s.text, At: at,
		Total: b.Total, Bad: b.Bad, SLI: flyball.SLI(b.Total, b.Bad), Target: s.spec.Target(),
		BudgetConsumed: s.spec.BurnRate(b.Total, b.Bad), Complete: true,
		Revision: s.spec.Revision, State: stateOf(s.spec, b), PeriodStart: b.Start, PeriodEnd: b.End,
		ExcludedTotal: b.ExcludedTotal, ExcludedBad: b.ExcludedBad,
	}
	f := s.tracker.Forecast(at, b)
	row.Exhausts1h, row.Exhausts6h, row.Exhausts3d = f.Hour, f.SixHours, f.ThreeDays
	row.ExhaustsTrend, row.ExhaustsEarliest, row.ExhaustsLatest = f.Trend, f.Earliest, f.Latest
	for _, t := range signal.Tiers {
		row.Tiers = append(row.Tiers, t.Name)
		row.BurnLong = append(row.BurnLong, t.Long)
		row.BurnShort = append(row.BurnShort, t.Short)
		if t.Firing {
			row.Firing = append(row.Firing, t.Name)
		}
		if t.Suppressed != "" {
			row.Suppressed = append(row.Suppressed, t.Name+": "+t.Suppressed)
		}
	}
	return row
}

func stateOf(spec *flyball.SLO, b slo.Budget) string {
	switch {
	case b.Total == 0:
		return processors.SLOStateNoData
	case spec.Exhausted(b.Total, b.Bad, b.Elapsed, b.Length()):
		return processors.SLOStateExhausted
	}
	return processors.SLOStateOK
}
