package command

import (
	"context"
	"errors"
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
	if !slices.ContainsFunc(cfg.Canaries, func(c flyball.Canary) bool { return c.Name == p.question.Canary }) {
		return nil, usageError(fmt.Errorf("no canary %q is configured in %q", p.question.Canary, p.config))
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
	verdicts, err := history.Judge(ctx, db, cfg.Canaries, cfg.Indicators, p.question)
	if q := (*history.QuestionError)(nil); errors.As(err, &q) {
		return nil, usageError(err)
	}
	return verdicts, err
}
