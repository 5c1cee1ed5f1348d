package main

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/connect"
	"github.com/flyball-io/flyball/internal/sloreplay"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// liveInput says which status of those that Flyball has recorded is read, and where.
type liveInput struct {
	config, dsn string
	since       time.Duration
}

func (in *liveInput) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&in.config, "config", "", "configuration whose ClickHouse is asked")
	f.StringVar(&in.dsn, "clickhouse", "", "DSN of the ClickHouse that is asked, such as http://127.0.0.1:8123/flyball")
	f.DurationVar(&in.since, "since", 24*time.Hour, "leave out budgets that were not reported for so long")
}

func (in *liveInput) wanted() bool { return in.config != "" || in.dsn != "" }

// read returns where SLOs stood at a time, by what is recorded.
func (in *liveInput) read(ctx context.Context, name string, at time.Time) ([]sloreplay.Summary, error) {
	server := spec.ClickHouse{DSN: spec.Secret(in.dsn)}
	if server.DSN == "" {
		cfg, err := config.Load(in.config)
		if err != nil {
			return nil, usageError(err)
		}
		if server = cfg.Pipeline.ClickHouse; server.DSN == "" {
			return nil, usageError(fmt.Errorf("the configuration %q has no clickhouse.dsn; set it, or give --clickhouse", in.config))
		}
	}
	db, err := connect.ClickHouse(server)
	if err != nil {
		return nil, usageError(err)
	}
	defer db.Close()
	rows, err := db.Standings(ctx, name, at.Add(-in.since), at)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		what := "no SLO has a status"
		if name != "" {
			what = fmt.Sprintf("SLO %q has no status", name)
		}
		return nil, fmt.Errorf("%s in the %v before %s; is record running, and the SLO's indicator receiving samples?", what, in.since, at.Format(time.RFC3339))
	}
	var out []sloreplay.Summary
	for i := range rows {
		out = append(out, summaryOf(&rows[i]))
	}
	return out, nil
}

// summaryOf says of a recorded status what slo status says of a replay.
func summaryOf(s *clickhouse.Standing) sloreplay.Summary {
	ppb := int64(math.Round(s.Target * 1e9))
	allowed := new(big.Int).Mul(big.NewInt(1e9-ppb), big.NewInt(s.Total))
	length := s.PeriodEnd.Sub(s.PeriodStart).Seconds()
	budget := float64(1e9-ppb) / 1e9 * length
	out := sloreplay.Summary{
		SLO: s.SLO, Entity: s.Entity, Labels: s.Labels, At: flyball.TimeOf(s.At), State: s.State,
		SLI: sloreplay.Number(s.SLI), Target: sloreplay.Number(s.Target), Gap: sloreplay.Number(s.SLI - s.Target),
		Total: s.Total, Bad: s.Bad, Allowed: allowed.Div(allowed, big.NewInt(1e9)).Int64(),
		BudgetConsumed: sloreplay.Number(s.Consumed), BudgetRemaining: sloreplay.Number(s.Remaining()), BurnRate: sloreplay.Number(s.Consumed),
		PeriodStart: flyball.TimeOf(s.PeriodStart), PeriodSeconds: sloreplay.Number(length),
		BudgetSeconds: sloreplay.Number(budget), RemainingSeconds: sloreplay.Number(budget * s.Remaining()),
		ExcludedTotal: s.ExcludedTotal, ExcludedBad: s.ExcludedBad,
		ExcludedShare: sloreplay.Number(flyball.SLI(s.Total+s.ExcludedTotal, s.Total)),
		Burn:          map[string]sloreplay.Burn{},
		Forecast: sloreplay.Forecast{
			BudgetLeft: sloreplay.Number(math.NaN()), // it is not recorded for how long there were samples
			Hour:       sloreplay.Number(s.Exhausts[0]), SixHours: sloreplay.Number(s.Exhausts[1]), ThreeDays: sloreplay.Number(s.Exhausts[2]),
			Trend: sloreplay.Number(s.Exhausts[3]), Earliest: sloreplay.Number(s.Exhausts[4]), Latest: sloreplay.Number(s.Exhausts[5]),
		},
	}
	for i, tier := range s.Tiers {
		out.Burn[tier] = sloreplay.Burn{Long: sloreplay.Number(s.BurnLong[i]), Short: sloreplay.Number(s.BurnShort[i])}
	}
	for _, tier := range s.Firing {
		b := out.Burn[tier]
		b.Firing = true
		out.Burn[tier] = b
	}
	for _, text := range s.Suppressed {
		if tier, reason, ok := strings.Cut(text, ": "); ok {
			b := out.Burn[tier]
			b.Suppressed = reason
			out.Burn[tier] = b
		}
	}
	return out
}

// clockAt is the time that --at names, or now.
func clockAt(at string) (time.Time, error) {
	if at == "" {
		return time.Now(), nil
	}
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return time.Time{}, usageError(fmt.Errorf("cannot read --at %q: want RFC 3339, such as 2026-01-01T00:00:00Z", at))
	}
	return t, nil
}
