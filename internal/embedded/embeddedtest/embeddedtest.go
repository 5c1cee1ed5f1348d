// Package embeddedtest gives tests the embedded ClickHouse: one server per
// test binary, because one process can hold only one engine, and a fresh
// database per test.
//
//	func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }
//
//	func TestSomething(t *testing.T) {
//		db := embeddedtest.ClickHouse(t)
//		conn := db.Open(t)
//		…
//	}
//
// A test fails when libchdb is neither in the cache nor can be fetched; it is
// skipped only with FLYBALL_SKIP_CHDB=1.
package embeddedtest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.uber.org/goleak"

	"github.com/flyball-io/flyball/internal/embedded/chdb"
)

// fetchTimeout bounds a first download on a slow line.
const fetchTimeout = 10 * time.Minute

// shared is the server of this test binary. It starts with the first test
// that asks for it.
var shared struct {
	sync.Mutex
	server *chdb.Server
	err    error
	count  int
}

// Database is one empty database on the shared server.
type Database struct {
	// Server is the shared server. Tests must not close it.
	Server *chdb.Server
	// Name is the database's name.
	Name string
}

// Main runs a package's tests (a *testing.M, or what wraps one), stops the shared
// server if one was started and fails if a goroutine is left. It returns the exit
// code for os.Exit.
func Main(m interface{ Run() int }) int {
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, "embeddedtest: cannot stop ClickHouse:", err)
		code = max(code, 1)
	}
	if code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, "embeddedtest:", err)
		return 1
	}
	return 0
}

func stop() error {
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		return nil
	}
	return shared.server.Close()
}

// ClickHouse returns a new, empty database on the shared server, which it
// starts if need be. The database is dropped when the test ends.
func ClickHouse(t testing.TB) *Database {
	t.Helper()
	if os.Getenv(chdb.SkipEnv) == "1" {
		t.Skipf("%s=1: no embedded ClickHouse", chdb.SkipEnv)
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
		defer cancel()
		cfg := chdb.Default()
		cfg.Progress = os.Stderr
		shared.server, shared.err = chdb.Start(ctx, cfg)
	}
	if shared.err != nil {
		t.Fatalf("cannot start the embedded ClickHouse: %v\nfetch it with `go run ./internal/embedded/chdb/fetch`, or skip these tests with %s=1", shared.err, chdb.SkipEnv)
	}
	shared.count++
	db := &Database{Server: shared.server, Name: fmt.Sprintf("test%d_%s", shared.count, plain(t.Name()))}
	db.exec(t, "CREATE DATABASE "+db.Name)
	t.Cleanup(func() { db.exec(t, "DROP DATABASE IF EXISTS "+db.Name+" SYNC") })
	return db
}

func (d *Database) exec(t testing.TB, sql string) {
	t.Helper()
	if _, err := d.Server.Engine().Query(sql, "Null"); err != nil {
		t.Fatalf("cannot prepare database: %v", err)
	}
}

// plain turns a test's name into part of an identifier.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name[:min(len(name), 60)])
}

// DSN is the data source name of the database for clickhouse-go.
func (d *Database) DSN() string { return d.Server.DSN(d.Name) }

// Options are clickhouse-go's options for the database.
func (d *Database) Options() *clickhouse.Options {
	return &clickhouse.Options{
		Protocol:    clickhouse.HTTP,
		Addr:        []string{d.Server.Addr()},
		Auth:        clickhouse.Auth{Database: d.Name},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
	}
}

// Open returns a clickhouse-go connection to the database, closed when the
// test ends.
func (d *Database) Open(t testing.TB) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(d.Options())
	if err != nil {
		t.Fatalf("cannot open connection: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}
