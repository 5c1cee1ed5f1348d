package clickhouse

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball/processors"
)

// day is a day of status every ten minutes of one SLO: all is well, but for the
// thirteenth hour.
func day(entity string) processors.SLOStatus {
	var s processors.SLOStatus
	for i := range int64(144) {
		row := processors.SLORow{
			SLO: "availability", Entity: entity, Labels: `{"service.name":"` + entity + `"}`, At: at((i + 1) * 600),
			Total: 1000 * (i + 1), Bad: 1, SLI: 1 - 1/float64(1000*(i+1)), Target: 0.99, BudgetConsumed: 0.1,
			Tiers: []string{"page_fast", "ticket_slow"}, BurnLong: []float64{0.5, math.NaN()}, BurnShort: []float64{0.25, math.NaN()},
			Complete: true, State: "OK", PeriodStart: at(0), PeriodEnd: at(30 * 86400), ExcludedTotal: 1000 * (i + 1), ExcludedBad: 3,
			Exhausts1h: 7200, Exhausts6h: math.NaN(), Exhausts3d: math.NaN(),
			ExhaustsTrend: math.NaN(), ExhaustsEarliest: math.NaN(), ExhaustsLatest: math.NaN(), SLIHighest: math.NaN(),
		}
		if i/6 == 12 {
			row.BurnLong[0], row.Firing, row.BudgetConsumed = 20, []string{"page_fast"}, 0.7
		}
		s.Append(row)
	}
	return s
}

func TestReportsOnSLOs(t *testing.T) {
	db := migrated(t)
	w := db.Writer()
	cart, pay := day("cart"), day("pay")
	put(t, w, TableSLOStatus, decode(t, cart.Encode()), "slo:0:0-0")
	put(t, w, TableSLOStatus, decode(t, pay.Encode()), "slo:0:1-1")
	put(t, w, TableSLOStatus, decode(t, cart.Encode()), "slo:1:0-0") // written again by another way

	f := func(name, sql, want string) {
		t.Helper()
		columns, from, _ := strings.Cut(sql, " FROM ")
		if diff := cmp.Diff(want, one[string](t, db, "SELECT toString(tuple("+columns+")) FROM "+from)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	f("status", "count(), countIf(is_firing), max(samples) FROM v_slo_status", "(288,12,144000)")
	f("budget", `round(allowed_bad_samples, 6), round(remaining_bad_samples, 6), round(budget_minutes, 6), round(remaining_minutes, 6),
		excluded_ratio, exhausted_in_seconds_by_1h_burn, exhausted_in_seconds_by_6h_burn FROM v_error_budget WHERE entity = 'pay' ORDER BY as_of DESC LIMIT 1`, "(1440,1439,432,388.8,0.5,7200,NULL)")
	f("burn rates", `count(), countIf(is_firing), max(burn_rate_long), countIf(tier = 'ticket_slow' AND burn_rate_long IS NULL) FROM v_burn_rate WHERE entity = 'cart'`, "(288,6,20,144)")
	f("hours", `count(), countIf(has_fired), max(burn_rate_highest), round(min(budget_lowest_ratio), 6), countIf(NOT is_complete) FROM v_slo_hourly WHERE entity = 'cart'`, "(24,1,20,0.3,0)")
	f("the latest of an hour", `samples, bad_samples, objective_ratio, round(budget_remaining_ratio, 6) FROM v_slo_hourly WHERE entity = 'cart' ORDER BY hour DESC LIMIT 1`, "(144000,1,0.99,0.9)")
	f("a report", `entity, samples, hours_fired, round(budget_lowest_ratio, 6), burn_rate_highest FROM v_slo_report(from = '2026-09-21 00:00:00', to = '2026-09-22 00:00:00') WHERE entity = 'cart'`, "('cart',144000,1,0.3,20)")
	f("a part of a day", `samples, hours_fired FROM v_slo_report(from = '2026-09-21 00:00:00', to = '2026-09-21 12:00:00') WHERE entity = 'cart'`, "(72000,0)")
}

// Summaries of what was recorded before there were any are made by the migration.
func TestHoursOfOldStatus(t *testing.T) {
	db := open(t)
	all := Migrations()
	if _, err := migrate(t.Context(), db.opts, all[:7]); err != nil {
		t.Fatal(err)
	}
	exec(t, db, `INSERT INTO slo_status (slo, entity, labels, at, total, bad, burn_long, complete)
		SELECT 'availability', 'cart', '{}', toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + INTERVAL 10 * (number + 1) MINUTE, 100, 1, [0.5], true
		FROM numbers(144)`)
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := one[uint64](t, db, "SELECT count() FROM v_slo_hourly"); n != 24 {
		t.Errorf("%d hours, want 24", n)
	}
}
