package ui

import (
	"context"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/automation"
	"github.com/flyball-io/flyball/internal/connect"
)

// FromConfig returns a server with what its configuration says: the database, and the
// control topic. Close it after Run.
func FromConfig(o Options) (*Server, error) {
	if o.Config.Pipeline.ClickHouse.DSN != "" {
		db, err := connect.ClickHouse(o.Config.Pipeline.ClickHouse)
		if err != nil {
			return nil, err
		}
		o.DB = db
	}
	o.Control = func(ctx context.Context, c *flyball.Control) error { return automation.Send(ctx, o.Config, c) }
	return New(o), nil
}

// Close ends the connections to the database.
func (s *Server) Close() error {
	if s.DB == nil {
		return nil
	}
	return s.DB.Close()
}
