package clickhouse

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
)

func names(list []Migration) []string {
	var out []string
	for _, m := range list {
		out = append(out, m.Name)
	}
	return out
}

func TestMigrateTwiceIsOnce(t *testing.T) {
	db := open(t)
	first, err := db.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(names(Migrations()), names(first)); diff != "" {
		t.Error(diff)
	}
	again, err := db.Migrate(t.Context())
	if err != nil || len(again) != 0 {
		t.Errorf("the second time applies %v, error %v", names(again), err)
	}
	if n := one[uint64](t, db, "SELECT count() FROM schema_migrations"); n != uint64(len(first)) {
		t.Errorf("%d migrations recorded, want %d", n, len(first))
	}
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMigrateCreatesDatabase(t *testing.T) {
	server := embeddedtest.ClickHouse(t)
	name := server.Name + "_`other"
	db, err := Open(Config{DSN: server.DSN(), Database: name})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	defer exec(t, db, "DROP DATABASE "+quote(name)+" SYNC")
	var e *Error
	if err := db.Check(t.Context()); !errors.As(err, &e) || e.Code != 81 || !e.Permanent {
		t.Errorf("without the database: %v, want permanent code 81", err)
	}
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if got := one[string](t, db, "SELECT currentDatabase()"); got != name {
		t.Errorf("the current database is %q", got)
	}
}

// A migration that stopped half way, before it was recorded, is done again.
func TestMigrateGoesOnAfterFailure(t *testing.T) {
	db := open(t)
	list := Migrations()[:2]
	broken := list[1]
	broken.text += "\nCREATE TABLE {db}.broken (x Nonsense) ENGINE = Null;\n"
	if _, err := migrate(t.Context(), db.opts, []Migration{list[0], broken}); err == nil {
		t.Fatal("a broken migration is applied")
	}
	done, err := migrate(t.Context(), db.opts, list)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{list[1].Name}, names(done)); diff != "" {
		t.Error(diff)
	}
}

func TestChangedMigrationIsRefused(t *testing.T) {
	db := migrated(t)
	list := Migrations()
	list[2].Checksum = strings.Repeat("0", 64)
	done, err := migrate(t.Context(), db.opts, list)
	var e *Error
	if !errors.As(err, &e) || !e.Permanent || len(done) != 0 {
		t.Fatalf("got %v, %v, want a permanent error", done, err)
	}
	for _, part := range []string{"003_findings.sql", "000000000000", "must not change"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}

// An older process next to a newer one must not stop.
func TestNewerMigrationsAreLeftAlone(t *testing.T) {
	db := migrated(t)
	exec(t, db, "INSERT INTO schema_migrations (version, name, checksum) VALUES (999, '999_future.sql', 'x')")
	if done, err := db.Migrate(t.Context()); err != nil || len(done) != 0 {
		t.Errorf("got %v, %v", names(done), err)
	}
}

func TestMigrateInParallel(t *testing.T) {
	db := open(t)
	errs := make(chan error)
	for range 4 {
		go func() {
			_, err := db.Migrate(t.Context())
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if n := one[uint64](t, db, "SELECT count() FROM schema_migrations FINAL"); n != uint64(len(Migrations())) {
		t.Errorf("%d migrations recorded, want %d", n, len(Migrations()))
	}
}
