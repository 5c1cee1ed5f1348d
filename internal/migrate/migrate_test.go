package migrate

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

var errUsage, errExit = errors.New("usage"), errors.New("exit 1")

func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	c := Command(func(err error) error { return fmt.Errorf("%w: %w", errUsage, err) }, func(int) error { return errExit })
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetErr(&out)
	c.SilenceUsage, c.SilenceErrors = true, true
	c.SetArgs(args)
	err := c.ExecuteContext(t.Context())
	return out.String(), err
}

func TestMigrate(t *testing.T) {
	db := embeddedtest.ClickHouse(t)
	n := len(clickhouse.Migrations())
	out, err := run(t, "status", "--clickhouse", db.DSN())
	if !errors.Is(err, errExit) || strings.Count(out, "pending") != n {
		t.Errorf("before: %v\n%s", err, out)
	}
	sql, err := run(t, "--clickhouse", db.DSN(), "--dry-run")
	if err != nil || strings.Count(sql, "\n-- 0")+1 < n || !strings.Contains(sql, "CREATE TABLE") || strings.Contains(sql, "{db}") {
		t.Errorf("--dry-run: %v\n%.2000s", err, sql)
	}
	if out, err := run(t, "status", "--clickhouse", db.DSN(), "-o", "json"); !errors.Is(err, errExit) || strings.Count(out, `"state":"pending"`) != n {
		t.Errorf("--dry-run has changed something: %v\n%s", err, out)
	}
	if script, err := run(t, "--clickhouse", db.DSN(), "--cluster", "prod", "--dry-run"); err != nil || !strings.Contains(script, "ON CLUSTER") || strings.Count(script, "INSERT INTO") < n {
		t.Errorf("--cluster: %v\n%.2000s", err, script)
	}
	// What it prints is what it does: by hand first, and then nothing is left to do for it
	// but to note it.
	conn := db.Open(t)
	for s := range strings.SplitSeq(sql, ";\n") {
		var lines []string
		for l := range strings.Lines(s) {
			if !strings.HasPrefix(l, "--") {
				lines = append(lines, l)
			}
		}
		if text := strings.TrimSpace(strings.Join(lines, "")); text != "" {
			if err := conn.Exec(t.Context(), text); err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
		}
	}
	if out, err := run(t, "--clickhouse", db.DSN()); err != nil || strings.Count(out, "applied 0") != n {
		t.Errorf("migrate: %v\n%s", err, out)
	}
	if out, err := run(t, "--clickhouse", db.DSN()); err != nil || !strings.Contains(out, "nothing to do") {
		t.Errorf("again: %v\n%s", err, out)
	}
	if out, err := run(t, "status", "--clickhouse", db.DSN()); err != nil || strings.Count(out, "applied") != n {
		t.Errorf("after: %v\n%s", err, out)
	}
	if err := conn.Exec(t.Context(), "INSERT INTO "+db.Name+".schema_migrations (version, name, checksum) VALUES (999, '999_later.sql', 'x')"); err != nil {
		t.Fatal(err)
	}
	if out, err := run(t, "status", "--clickhouse", db.DSN()); err != nil || !strings.Contains(out, "of a newer version") {
		t.Errorf("with one of a newer version: %v\n%s", err, out)
	}
}

// Without a database to ask, all migrations are printed for a cluster.
func TestCluster(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		if out, err := run(t, args...); err != nil || !strings.Contains(out, want) {
			t.Errorf("%v: %v, %q is not in\n%.300s", args, err, want, out)
		}
	}
	f("CREATE DATABASE IF NOT EXISTS `flyball` ON CLUSTER 'prod';\n", "--cluster", "prod", "--dry-run")
	f("INSERT INTO `x`.schema_migrations (version, name, checksum) VALUES (22, '022_examples.sql', '", "--cluster", "prod", "--dry-run", "--database", "x")
}

func TestWhichDatabase(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		if _, err := run(t, args...); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
	f("either --config or --clickhouse")
	f("either --config or --clickhouse", "--config", "x", "--clickhouse", "http://y")
	f("none of clickhouse://", "--clickhouse", "y:9000")
	f("add --dry-run", "--clickhouse", "http://y", "--cluster", "prod")
	f("want text or json", "-o", "xml", "--clickhouse", "http://y")
}
