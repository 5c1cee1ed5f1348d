package automation

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
	"github.com/flyball-io/flyball/sinks/clickhouse"
	"github.com/flyball-io/flyball/sinks/clickhouse/history"
)

func clickhouseFlag(c *cobra.Command, recorded *bool) {
	c.Flags().BoolVar(recorded, "clickhouse", false, "read what was recorded in ClickHouse, also what the topic no longer keeps")
}

// fromDatabase asks the database of a configuration.
func fromDatabase[T any](ctx context.Context, dir string, ask func(context.Context, *clickhouse.DB) (T, error)) (none T, err error) {
	cfg, err := config.Load(dir)
	if err != nil {
		return none, usage(err)
	}
	if cfg.Pipeline.ClickHouse.DSN == "" {
		return none, usage(errors.New("nothing is recorded: the configuration has no clickhouse.dsn"))
	}
	db, err := connect.ClickHouse(cfg.Pipeline.ClickHouse)
	if err != nil {
		return none, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	return ask(ctx, db)
}

// pageSize is how many decisions are asked for at once.
const pageSize = 5000

// recordedDecisions reads all that are wanted, in the order of their times.
func recordedDecisions(ctx context.Context, dir string, f history.DecisionFilter) ([]flyball.Decision, error) {
	f.Limit = pageSize
	return fromDatabase(ctx, dir, func(ctx context.Context, db *clickhouse.DB) ([]flyball.Decision, error) {
		var all []flyball.Decision
		for {
			page, err := history.Decisions(ctx, db, f)
			if err != nil {
				return nil, err
			}
			if all = append(all, page...); len(page) < f.Limit {
				slices.Reverse(all)
				return all, nil
			}
			last := page[len(page)-1]
			f.BeforeAt, f.BeforeID = last.At, last.ID
		}
	})
}
