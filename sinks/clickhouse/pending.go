package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
)

// MigrationState is a migration and whether the database has it.
type MigrationState struct {
	Migration
	// AppliedAt is when it was applied, zero when it was not.
	AppliedAt time.Time
	// Changed is set when its text was another when it was applied.
	Changed bool
	// Unknown is set when this version of Flyball does not have it: a newer one applied it.
	Unknown bool
}

// MigrationStates returns all migrations and whether the database has them, in order. It
// changes nothing; a database that is not there has none.
func (db *DB) MigrationStates(ctx context.Context) ([]MigrationState, error) {
	name := db.opts.Auth.Database
	own := *db.opts
	own.Auth.Database = "" // it may not exist
	conn, err := ch.Open(&own)
	if err != nil {
		return nil, fmt.Errorf("cannot open ClickHouse: %w", err)
	}
	defer conn.Close()
	var tables uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM system.tables WHERE database = ? AND name = 'schema_migrations'", name).Scan(&tables); err != nil {
		return nil, failure("look for database", name, err)
	}
	applied := map[uint32]MigrationState{}
	if tables > 0 {
		rows, err := conn.Query(ctx, "SELECT version, name, checksum, applied_at FROM "+quote(name)+".schema_migrations FINAL ORDER BY version")
		if err != nil {
			return nil, failure("read migrations of database", name, err)
		}
		defer rows.Close()
		for rows.Next() {
			s := MigrationState{Unknown: true}
			if err := rows.Scan(&s.Version, &s.Name, &s.Checksum, &s.AppliedAt); err != nil {
				return nil, failure("read migrations of database", name, err)
			}
			applied[s.Version] = s
		}
		if err := rows.Err(); err != nil {
			return nil, failure("read migrations of database", name, err)
		}
	}
	return states(Migrations(), applied), nil
}

// states joins what there is with what was applied.
func states(known []Migration, applied map[uint32]MigrationState) []MigrationState {
	var out []MigrationState
	for _, m := range known {
		s := MigrationState{Migration: m}
		if was, ok := applied[m.Version]; ok {
			s.AppliedAt, s.Changed = was.AppliedAt, was.Checksum != m.Checksum
			delete(applied, m.Version)
		}
		out = append(out, s)
	}
	for _, s := range applied {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b MigrationState) int { return cmp.Compare(a.Version, b.Version) })
	return out
}

// DatabaseSQL is the statement that migrations begin with.
func (db *DB) DatabaseSQL() string {
	return "CREATE DATABASE IF NOT EXISTS " + quote(db.Name()) + ";\n"
}
