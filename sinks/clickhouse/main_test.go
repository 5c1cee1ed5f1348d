package clickhouse

import (
	"os"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	"github.com/flyball-io/flyball/processors"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

// open returns an empty database, without tables.
func open(t testing.TB) *DB {
	t.Helper()
	db, err := Open(Config{DSN: embeddedtest.ClickHouse(t).DSN()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// migrated returns a database with all tables.
func migrated(t testing.TB) *DB {
	t.Helper()
	db := open(t)
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// decode gives a test the record of an Arrow stream.
func decode(t testing.TB, data []byte) arrow.Record {
	t.Helper()
	rec, err := processors.DecodeRecord(data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rec.Release)
	return rec
}

func windowsOf(t testing.TB, rows ...processors.WindowRow) arrow.Record {
	t.Helper()
	var w processors.Windows
	for _, r := range rows {
		w.Append(r)
	}
	return decode(t, w.Encode())
}

// insert fails the test when a record cannot be inserted.
func put(t testing.TB, w *Writer, table string, rec arrow.Record, token string) {
	t.Helper()
	if err := w.Insert(t.Context(), table, rec, token); err != nil {
		t.Fatal(err)
	}
}

// one returns the only value of a query.
func one[T any](t testing.TB, db *DB, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := db.Conn().QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// exec fails the test when a statement fails.
func exec(t testing.TB, db *DB, sql string) {
	t.Helper()
	if err := db.Conn().Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// at is a point of event time, in seconds after a fixed start of day.
func at(seconds int64) flyball.Time {
	return flyball.Time((1_790_000_000 - 1_790_000_000%86400 + seconds) * 1e9)
}
