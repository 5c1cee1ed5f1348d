package embeddedtest

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestEveryTestHasAnEmptyDatabase(t *testing.T) {
	names := map[string]bool{}
	f := func(t *testing.T) {
		db := ClickHouse(t)
		if names[db.Name] {
			t.Fatalf("database %q was given twice", db.Name)
		}
		names[db.Name] = true
		conn := db.Open(t)
		if err := conn.Exec(t.Context(), "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a"); err != nil {
			t.Fatal(err)
		}
		if err := conn.Exec(t.Context(), "INSERT INTO t VALUES (1), (2)"); err != nil {
			t.Fatal(err)
		}
		var database string
		var sum uint64
		if err := conn.QueryRow(t.Context(), "SELECT currentDatabase(), sum(a) FROM t").Scan(&database, &sum); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]any{db.Name, uint64(3)}, []any{database, sum}); diff != "" {
			t.Error(diff)
		}
	}
	t.Run("first", f)
	t.Run("second", f)
	if len(names) == 2 {
		var left uint64
		if err := ClickHouse(t).Open(t).QueryRow(t.Context(), "SELECT count() FROM system.databases WHERE name LIKE 'test%ftTest%' OR name LIKE '%first' OR name LIKE '%second'").Scan(&left); err != nil {
			t.Fatal(err)
		}
		if left != 0 {
			t.Errorf("%d databases of finished tests are left", left)
		}
	}
}
