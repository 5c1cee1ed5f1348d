package command

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/canaries/history"
	"github.com/flyball-io/flyball/internal/canaries/report"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/connect"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// past is what is asked about the past, and where its windows are.
type past struct {
	config, dsn, from, to, format string
	question                      history.Question
}

func newAnalyse() *cobra.Command {
	var p past
	c := &cobra.Command{
		Use: "analyse CANARY ENTITY", Aliases: []string{"analyze"}, Short: "Judge a canary of the past, from what is in ClickHouse", Args: exactArgs(2),
		Long: `Judge a canary of the past: the windows of its indicators in ClickHouse are shown to
its judge, look by look, as panes are while it runs. Looks are as far apart as the
widest of those windows. Nothing is written, and no Flyball has to run.`,
		Example: `  flyball canary analyse release checkout --version 2.1.0 --from 2026-01-31T12:00:00Z --to 2026-01-31T13:00:00Z`,
		RunE: func(c *cobra.Command, args []string) error {
			p.question.Canary, p.question.Entity = args[0], args[1]
			verdicts, err := p.judge(c.Context())
			if err != nil {
				return err
			}
			if err := write(c, &report.Report{Verdicts: verdicts}, p.format); err != nil {
				return err
			}
			last := verdicts[len(verdicts)-1]
			return exitOf(last.Verdict, last.Verdict, last.Reason)
		},
	}
	f := c.Flags()
	f.StringVar(&p.config, "config", ".", "configuration with the canary")
	f.StringVar(&p.dsn, "clickhouse", "", "DSN of the ClickHouse; without it that of the configuration")
	f.StringVar(&p.from, "from", "", "start of the analysis, such as 2026-01-31T12:00:00Z")
	f.StringVar(&p.to, "to", "", "its end")
	f.StringVar(&p.question.Version, "version", "", "version to judge; without it the newest with traffic")
	f.StringVar(&p.question.Baseline, "baseline", "", "version to compare with; without it the one with the most traffic")
	f.StringVarP(&p.format, "output", "o", "markdown", "markdown, json or html")
	return c
}

// judge reads what there is and judges it.
func (p *past) judge(ctx context.Context) ([]flyball.Verdict, error) {
	from, err := time.Parse(time.RFC3339, p.from)
	if err != nil {
		return nil, usageError(fmt.Errorf("cannot read --from %q: want a time such as 2026-01-31T12:00:00Z", p.from))
	}
	to, err := time.Parse(time.RFC3339, p.to)
	if err != nil {
		return nil, usageError(fmt.Errorf("cannot read --to %q: want a time such as 2026-01-31T13:00:00Z", p.to))
	}
	cfg, err := config.Load(p.config)
	if err != nil {
		return nil, usageError(err)
	}
	i := slices.IndexFunc(cfg.Canaries, func(c flyball.Canary) bool { return c.Name == p.question.Canary })
	if i < 0 {
		return nil, usageError(fmt.Errorf("no canary %q is configured in %q", p.question.Canary, p.config))
	}
	c, indicators, err := history.Widths(cfg.Canaries[i], cfg.Indicators)
	if err != nil {
		return nil, usageError(err)
	}
	server := cfg.Pipeline.ClickHouse
	if p.dsn != "" {
		server = spec.ClickHouse{DSN: spec.Secret(p.dsn)}
	}
	if server.DSN == "" {
		return nil, usageError(fmt.Errorf("the configuration %q has no clickhouse.dsn; set it, or give --clickhouse", p.config))
	}
	db, err := connect.ClickHouse(server)
	if err != nil {
		return nil, usageError(err)
	}
	defer db.Close()
	p.question.From, p.question.To = flyball.TimeOf(from), flyball.TimeOf(to)
	rows, err := windowsOf(ctx, db, indicators, p.question.Entity, from.Add(-history.Before(c, indicators)), to)
	if err != nil {
		return nil, err
	}
	verdicts, err := history.Analyse(c, indicators, rows, p.question)
	if err != nil {
		return nil, usageError(err)
	}
	return verdicts, nil
}

// windowsOf reads the windows of all indicators.
func windowsOf(ctx context.Context, db *clickhouse.DB, indicators []flyball.Indicator, entity string, from, until time.Time) ([]processors.PaneRow, error) {
	var out []processors.PaneRow
	for i := range indicators {
		rows, err := history.Windows(ctx, db, &indicators[i], entity, from, until)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("there are no windows of %q from %s to %s; was record running, and are they not older than ClickHouse keeps them?",
			entity, from.Format(time.RFC3339), until.Format(time.RFC3339))
	}
	return out, nil
}
