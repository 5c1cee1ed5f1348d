package clickhouse

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Standing is the latest status of an error budget.
type Standing struct {
	// SLO, Entity and Labels (canonical JSON) say which budget.
	SLO, Entity, Labels string
	// At is the event time up to which it counts.
	At time.Time
	// State is OK, EXHAUSTED or NO_DATA.
	State string
	// Total and Bad samples of the period from PeriodStart to PeriodEnd, without those
	// that are excluded.
	Total, Bad, ExcludedTotal, ExcludedBad int64
	PeriodStart, PeriodEnd                 time.Time
	// SLI and Target are shares, Consumed that of the budget; NaN without samples.
	SLI, Target, Consumed float64
	// Tiers have the burn rates BurnLong and BurnShort, NaN without samples. Firing
	// are those that fire; Suppressed is "tier: reason" of those that are held back.
	Tiers               []string
	BurnLong, BurnShort []float64
	Firing, Suppressed  []string
	// Exhausts is in how many seconds the budget will be gone at the burn rate of the
	// last hour, 6 hours and 3 days, by their trend, and the bounds of that; NaN where
	// it is not to be.
	Exhausts [6]float64
	// Complete is false when a source was missing.
	Complete bool
}

const standings = `
SELECT slo, entity, labels, at, state, total, bad, excluded_total, excluded_bad, period_start, period_end,
    ifNull(sli, nan), ifNull(target, nan), ifNull(budget_consumed, nan),
    tiers, arrayMap(x -> ifNull(x, nan), burn_long), arrayMap(x -> ifNull(x, nan), burn_short), firing, suppressed,
    [ifNull(exhausts_1h, nan), ifNull(exhausts_6h, nan), ifNull(exhausts_3d, nan),
     ifNull(exhausts_trend, nan), ifNull(exhausts_earliest, nan), ifNull(exhausts_latest, nan)], complete
FROM slo_status FINAL
WHERE at > fromUnixTimestamp64Milli(?) AND at <= fromUnixTimestamp64Milli(?) AND (? = '' OR slo = ?)
ORDER BY slo, entity, labels, at DESC
LIMIT 1 BY slo, entity, labels`

// Standings returns the latest status of every error budget that was reported in
// (after, until], of one SLO or, where that is empty, of all; by SLO, entity and labels.
func (db *DB) Standings(ctx context.Context, slo string, after, until time.Time) ([]Standing, error) {
	rows, err := db.conn.Query(ctx, standings, after.UnixMilli(), until.UnixMilli(), slo, slo)
	if err != nil {
		return nil, failure("read status of SLOs from", db.Name(), err)
	}
	defer rows.Close()
	var out []Standing
	for rows.Next() {
		var s Standing
		var exhausts []float64
		if err := rows.Scan(&s.SLO, &s.Entity, &s.Labels, &s.At, &s.State, &s.Total, &s.Bad, &s.ExcludedTotal, &s.ExcludedBad, &s.PeriodStart, &s.PeriodEnd,
			&s.SLI, &s.Target, &s.Consumed, &s.Tiers, &s.BurnLong, &s.BurnShort, &s.Firing, &s.Suppressed, &exhausts, &s.Complete); err != nil {
			return nil, failure("read status of SLOs from", db.Name(), err)
		}
		if copy(s.Exhausts[:], exhausts) != len(s.Exhausts) || len(s.BurnLong) != len(s.Tiers) || len(s.BurnShort) != len(s.Tiers) {
			return nil, failure("read status of SLOs from", db.Name(), fmt.Errorf("burn rates of SLO %q do not fit its tiers", s.SLO))
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		return nil, failure("read status of SLOs from", db.Name(), err)
	}
	return out, nil
}

// Remaining returns the share of the budget that is left; it may be below zero.
func (s *Standing) Remaining() float64 {
	if math.IsNaN(s.Consumed) {
		return s.Consumed
	}
	return 1 - s.Consumed
}
