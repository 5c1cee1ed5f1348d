package api

import (
	"context"
	"errors"
	"log/slog"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/automation"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/connect"
	"github.com/flyball-io/flyball/internal/results"
)

// Connect gives the server what its configuration says: settings, results, what is
// recorded, and the way to control automation. Run follows the results until its context
// ends and closes the connections.
func (s *Server) Connect(cfg *config.Config, log *slog.Logger) (run func(context.Context) error, err error) {
	s.HTTP, s.Log = cfg.Pipeline.HTTP, log
	s.Control = func(ctx context.Context, c *flyball.Control) error { return automation.Send(ctx, cfg, c) }
	follower, err := results.Follow(cfg, log)
	if err != nil {
		return nil, err
	}
	s.Results = follower
	if cfg.Pipeline.ClickHouse.DSN == "" {
		return follower.Run, nil
	}
	if s.History, err = connect.ClickHouse(cfg.Pipeline.ClickHouse); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return errors.Join(follower.Run(ctx), s.History.Close()) }, nil
}
