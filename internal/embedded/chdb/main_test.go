package chdb

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testLibrary returns the real library's path. It fails, not skips, without
// one, so that a broken fetch does not look like a passing suite.
func testLibrary(t testing.TB) string {
	t.Helper()
	if os.Getenv(SkipEnv) == "1" {
		t.Skip(SkipEnv + "=1: no embedded ClickHouse")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	path, err := Fetch(ctx, FetchConfig{Progress: os.Stderr})
	if err != nil {
		t.Fatalf("cannot get libchdb: %v", err)
	}
	return path
}

// startServer starts a server of the test's own. Tests of this package do not
// run in parallel: one engine per process.
func startServer(t testing.TB, change func(*Config)) *Server {
	t.Helper()
	cfg := Default()
	cfg.Library = testLibrary(t)
	if change != nil {
		change(&cfg)
	}
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("cannot close server: %v", err)
		}
	})
	return s
}

func openClient(t testing.TB, s *Server, change func(*clickhouse.Options)) driver.Conn {
	t.Helper()
	options := &clickhouse.Options{
		Protocol:    clickhouse.HTTP,
		Addr:        []string{s.Addr()},
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
	}
	if change != nil {
		change(options)
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func mustExec(t testing.TB, conn driver.Conn, sql string, args ...any) {
	t.Helper()
	if err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", shorten(sql), err)
	}
}
