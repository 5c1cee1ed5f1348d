package api

import (
	"context"
	"errors"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/automation"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
	"github.com/flyball-io/flyball/internal/results"
)

// Connect gives the server what its configuration says: settings, results, what is
// recorded, and the way to control automation. Results are followed in the group until
// the context ends; then the connections are closed.
func (s *Server) Connect(ctx context.Context, group *errgroup.Group, cfg *config.Config, log *slog.Logger) error {
	s.HTTP, s.Log, s.Indicators = cfg.Pipeline.HTTP, log, cfg.Indicators
	s.Control = func(ctx context.Context, c *flyball.Control) error { return automation.Send(ctx, cfg, c) }
	follower, err := results.Follow(cfg, log)
	if err != nil {
		return err
	}
	if cfg.Pipeline.ClickHouse.DSN != "" {
		if s.History, err = connect.ClickHouse(cfg.Pipeline.ClickHouse); err != nil {
			return err
		}
	}
	s.Results = follower
	group.Go(func() error {
		err := follower.Run(ctx)
		if s.History != nil {
			err = errors.Join(err, s.History.Close())
		}
		return err
	})
	return nil
}
