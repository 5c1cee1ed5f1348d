package clickhouse

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

//go:embed schema/*.sql
var schemaFiles embed.FS

// databaseMark stands for the quoted name of the database in migrations.
const databaseMark = "{db}"

// Migration is one step of the schema.
type Migration struct {
	// Version orders the steps, from 1.
	Version uint32
	// Name is the file's name.
	Name string
	// Checksum is the SHA-256 of its text, in hex.
	Checksum string

	text string
}

// Migrations returns all steps that this version of Flyball knows, in order. Numbers may
// be missing: each is applied once, by its own number, also after a higher one.
func Migrations() []Migration {
	entries, err := schemaFiles.ReadDir("schema")
	if err != nil {
		panic("BUG: no embedded schema: " + err.Error())
	}
	list := make([]Migration, 0, len(entries))
	last := uint32(0)
	for _, entry := range entries { // ReadDir sorts by name
		text, err := schemaFiles.ReadFile("schema/" + entry.Name())
		if err != nil {
			panic("BUG: embedded schema cannot be read: " + err.Error())
		}
		number, _, _ := strings.Cut(entry.Name(), "_")
		version, err := strconv.ParseUint(number, 10, 32)
		if err != nil || uint32(version) <= last {
			panic("BUG: migration out of order: " + entry.Name())
		}
		last = uint32(version)
		sum := sha256.Sum256(text)
		list = append(list, Migration{
			Version: last, Name: entry.Name(), Checksum: hex.EncodeToString(sum[:]), text: string(text),
		})
	}
	return list
}

// statements splits the text at semicolons that end a line and names the
// database.
func (m Migration) statements(database string) []string {
	var list []string
	for s := range strings.SplitSeq(strings.ReplaceAll(m.text, databaseMark, quote(database)), ";\n") {
		if strings.TrimSpace(s) != "" {
			list = append(list, s)
		}
	}
	return list
}

// Migrate creates the database if need be, applies the migrations that have not
// been applied yet, in order, and returns them. It is safe to run in several
// processes at once: each statement does nothing when its work is done, and so
// does repeating a migration that failed half way. Migrations that this version
// does not know, of a newer one, are left alone. An applied migration whose text
// has changed since is a permanent [Error].
func (db *DB) Migrate(ctx context.Context) ([]Migration, error) {
	return migrate(ctx, db.opts, Migrations())
}

func migrate(ctx context.Context, opts *ch.Options, list []Migration) (done []Migration, err error) {
	// A connection of its own: that of the DB has a current database, which may
	// not exist yet.
	name := opts.Auth.Database
	own := *opts
	own.Auth.Database = ""
	conn, err := ch.Open(&own)
	if err != nil {
		return nil, fmt.Errorf("cannot open ClickHouse: %w", err)
	}
	defer conn.Close()
	for _, sql := range []string{
		"CREATE DATABASE IF NOT EXISTS " + quote(name),
		"CREATE TABLE IF NOT EXISTS " + quote(name) + `.schema_migrations
(
    version    UInt32,
    name       String,
    checksum   String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree ORDER BY version`,
	} {
		if err := conn.Exec(ctx, sql); err != nil {
			return nil, failure("prepare database", name, err)
		}
	}
	applied, err := appliedMigrations(ctx, conn, name)
	if err != nil {
		return nil, err
	}
	if err := refuseCluster(ctx, conn, name, list, applied); err != nil {
		return nil, err
	}
	for _, m := range list {
		if was, ok := applied[m.Version]; ok {
			if was.Checksum != m.Checksum {
				return done, &Error{Verb: "apply migration", Noun: m.Name, Permanent: true, Err: fmt.Errorf(
					"version %d was applied as %q with checksum %.12s…, and its text now has %.12s…: applied migrations must not change, write a new one",
					m.Version, was.Name, was.Checksum, m.Checksum)}
			}
			continue
		}
		if err := m.apply(ctx, conn, name); err != nil {
			return done, err
		}
		done = append(done, m)
	}
	return done, nil
}

// refuseCluster fails where tables are distributed over a cluster and some migration is
// pending: it would change one node alone.
func refuseCluster(ctx context.Context, conn driver.Conn, database string, list []Migration, applied map[uint32]Migration) error {
	pending := ""
	for _, m := range list {
		if _, ok := applied[m.Version]; !ok && pending == "" {
			pending = m.Name
		}
	}
	if pending == "" {
		return nil
	}
	var engine string
	err := conn.QueryRow(ctx, "SELECT any(engine) FROM system.tables WHERE database = ? AND name = ?", database, TableWindows).Scan(&engine)
	if err != nil {
		return failure("look for tables of database", database, err)
	}
	if engine == distributed {
		return &Error{Verb: "apply migration", Noun: pending, Permanent: true,
			Err: fmt.Errorf("the tables are spread over a cluster: apply what `flyball migrate --cluster NAME --dry-run` prints")}
	}
	return nil
}

// distributed is the engine of tables that are spread over a cluster.
const distributed = "Distributed"

func appliedMigrations(ctx context.Context, conn driver.Conn, database string) (map[uint32]Migration, error) {
	rows, err := conn.Query(ctx, "SELECT version, name, checksum FROM "+quote(database)+".schema_migrations FINAL")
	if err != nil {
		return nil, failure("read migrations of database", database, err)
	}
	defer rows.Close()
	applied := map[uint32]Migration{}
	for rows.Next() {
		var m Migration
		if err := rows.Scan(&m.Version, &m.Name, &m.Checksum); err != nil {
			return nil, failure("read migrations of database", database, err)
		}
		applied[m.Version] = m
	}
	return applied, failure("read migrations of database", database, rows.Err())
}

func (m Migration) apply(ctx context.Context, conn driver.Conn, database string) error {
	for _, sql := range m.statements(database) {
		if err := conn.Exec(ctx, sql); err != nil {
			return failure("apply migration", m.Name, err)
		}
	}
	err := conn.Exec(ctx, "INSERT INTO "+quote(database)+".schema_migrations (version, name, checksum) VALUES (?, ?, ?)",
		m.Version, m.Name, m.Checksum)
	return failure("record migration", m.Name, err)
}
