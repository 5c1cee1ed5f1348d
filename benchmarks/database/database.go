// Package database gives benchmarks an embedded ClickHouse with all tables.
package database

import (
	"context"
	"errors"
	"fmt"

	"github.com/flyball-io/flyball/internal/embedded/chdb"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// Run starts ClickHouse, makes the tables, and calls f. All is gone afterwards.
func Run(ctx context.Context, f func(*clickhouse.DB) error) (err error) {
	server, err := chdb.Start(ctx, chdb.Default())
	if err != nil {
		return fmt.Errorf("cannot start ClickHouse: %w", err)
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	db, err := clickhouse.Open(clickhouse.Config{DSN: server.DSN("flyball")})
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Migrate(ctx); err != nil {
		return err
	}
	return f(db)
}
