// Command report measures how long reports on SLOs take: a month of 1,000 SLOs
// with a row a minute, in the embedded ClickHouse. The rows are made inside it, go
// through the same tables and materialized views as recorded ones, and stay in a
// temporary directory (about 2 GB) that is removed at the end.
//
// It prints a table and writes benchmarks/out/report.json.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/flyball-io/flyball/benchmarks/database"
	"github.com/flyball-io/flyball/benchmarks/figures"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	slos := flag.Int("slos", 1000, "SLOs")
	days := flag.Int("days", 30, "days of rows")
	every := flag.Int("every", 1, "minutes between rows; 60 makes the same summaries sooner")
	out := flag.String("out", "benchmarks/out/report.json", "file for the figures")
	flag.Parse()
	if err := database.Run(ctx, func(db *clickhouse.DB) error { return run(ctx, db, *slos, *days, *every, *out) }); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// result is report.json.
type result struct {
	SLOs int    `json:"slos"`
	Days int    `json:"days"`
	Rows uint64 `json:"rows"`
	// Seconds holds the median time of every query.
	Seconds map[string]float64 `json:"seconds"`
	// BytesPerRow of the tables, on disk.
	BytesPerRow map[string]float64 `json:"bytes_per_row"`
}

func run(ctx context.Context, db *clickhouse.DB, slos, days, every int, out string) error {
	f := result{SLOs: slos, Days: days, Seconds: map[string]float64{}, BytesPerRow: map[string]float64{}}
	for day := range days {
		fmt.Fprintf(os.Stderr, "\rday %d of %d", day+1, days)
		if err := db.Conn().Exec(ctx, fill(slos, day, every)); err != nil {
			return fmt.Errorf("cannot make rows: %w", err)
		}
	}
	fmt.Fprintln(os.Stderr)
	if err := db.Conn().QueryRow(ctx, "SELECT count() FROM slo_status").Scan(&f.Rows); err != nil {
		return fmt.Errorf("cannot count rows: %w", err)
	}
	if err := f.measure(ctx, db); err != nil {
		return err
	}
	f.print()
	return figures.Write(out, f)
}

// fill returns the statement that records a day: budgets burn slowly, and every
// fiftieth SLO has an incident of an hour.
func fill(slos, day, every int) string {
	return fmt.Sprintf(`INSERT INTO slo_status
		(slo, entity, labels, at, total, bad, sli, target, budget_consumed, tiers, burn_long, burn_short, firing, complete, state, period_start, period_end)
		SELECT
			concat('slo-', toString(n %% %[1]d)) AS slo,
			concat('service-', toString(n %% %[1]d %% 100)) AS entity,
			concat('{"service.name":"service-', toString(n %% %[1]d %% 100), '"}') AS labels,
			toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + INTERVAL %[2]d DAY + INTERVAL minute MINUTE AS at,
			1000000 + 500 * minute + cityHash64(n) %% 97 AS total,
			100 + intDiv(total, 5000) + cityHash64(n, 1) %% 7 AS bad,
			1 - bad / total AS sli, 0.999 AS target, bad / total / 0.001 AS budget_consumed,
			['page_fast', 'page_slow', 'ticket_fast', 'ticket_slow'] AS tiers,
			[hot ? 20. : cityHash64(n, 2) %% 100 / 100, 0.5, 0.4, 0.3] AS burn_long,
			[hot ? 25. : cityHash64(n, 3) %% 100 / 100, 0.5, 0.4, 0.3] AS burn_short,
			hot ? ['page_fast'] : [] AS firing, true AS complete, 'OK' AS state,
			at - INTERVAL 30 DAY AS period_start, at AS period_end
		FROM (
			SELECT number AS n, (intDiv(n, %[1]d) + 1) * %[4]d AS minute, n %% %[1]d %% 50 = 7 AND minute BETWEEN 600 AND 660 AS hot
			FROM numbers(%[3]d)
		)`, slos, day, slos*24*60/every, every)
}

// query is one report.
type query struct{ name, sql string }

func queries() []query {
	return []query{
		{"30 days of every SLO: at the end, worst, hours that fired",
			"SELECT * FROM v_slo_report(from = '2026-01-01 00:00:00', to = '2026-02-01 00:00:00') ORDER BY budget_remaining_ratio"},
		{"budget of one SLO by the hour, 30 days", `SELECT hour, budget_remaining_ratio, burn_rate_highest
			FROM v_slo_hourly WHERE slo = 'slo-7' AND hour >= '2026-01-01' ORDER BY hour`},
		{"budget of one SLO by the minute, 1 day", `SELECT as_of, budget_remaining_ratio FROM v_error_budget
			WHERE slo = 'slo-7' AND as_of >= '2026-01-10' AND as_of < '2026-01-11' ORDER BY as_of`},
		{"every SLO as of now", `SELECT slo, entity, argMax(budget_remaining_ratio, as_of), argMax(is_firing, as_of) FROM v_slo_status
			WHERE as_of > (SELECT max(at) FROM slo_status) - INTERVAL 10 MINUTE GROUP BY slo, entity`},
	}
}

// measure runs every query a few times, and weighs the tables.
func (f *result) measure(ctx context.Context, db *clickhouse.DB) error {
	for _, q := range queries() {
		var took []float64
		for range 5 {
			start := time.Now()
			rows, err := db.Conn().Query(ctx, q.sql)
			if err != nil {
				return fmt.Errorf("cannot query %q: %w", q.name, err)
			}
			n := 0
			for rows.Next() {
				n++
			}
			if err := rows.Close(); err != nil || n == 0 {
				return fmt.Errorf("cannot read %q: %d rows: %w", q.name, n, err)
			}
			took = append(took, time.Since(start).Seconds())
		}
		slices.Sort(took)
		f.Seconds[q.name] = took[len(took)/2]
	}
	rows, err := db.Conn().Query(ctx, `SELECT table, sum(bytes_on_disk) / sum(rows) FROM system.parts
		WHERE active AND database = currentDatabase() AND rows > 0 AND table LIKE 'slo%' GROUP BY table`)
	if err != nil {
		return fmt.Errorf("cannot weigh tables: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var table string
		var bytes float64
		if err := rows.Scan(&table, &bytes); err != nil {
			return fmt.Errorf("cannot weigh tables: %w", err)
		}
		f.BytesPerRow[table] = bytes
	}
	return rows.Err()
}

func (f *result) print() {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%d SLOs, %d days, %d rows\tmedian of 5\n", f.SLOs, f.Days, f.Rows)
	for _, q := range queries() {
		fmt.Fprintf(t, "%s\t%.3f s\n", q.name, f.Seconds[q.name])
	}
	for _, table := range []string{"slo_status", "slo_hourly"} {
		fmt.Fprintf(t, "%s\t%.1f bytes a row\n", table, f.BytesPerRow[table])
	}
	_ = t.Flush() // to a terminal or a pipe; nothing to do about it
}
