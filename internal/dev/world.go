package dev

import (
	"context"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
)

// world is what is watched, and what commands change.
type world interface {
	// run sends its telemetry to the brokers until the context ends.
	run(ctx context.Context, brokers []string) error
	// remedy does what a command says, and returns what the executor reports.
	remedy(cmd *flyball.Command) (string, error)
	// now is the clock that it goes by.
	now() time.Time
}

// newWorld returns the shop, or the world of an example.
func newWorld(cfg *config.Config, o Options, st *story) (world, error) {
	if o.Example != "" {
		return newExample(cfg, o, st)
	}
	st.counted, st.indicator = "%d requests in %d series, %d failed", "requests"
	return newShop()
}
