package chdb

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func openEngine(t testing.TB, dir string) *Engine {
	t.Helper()
	e, err := Open(EngineConfig{Library: testLibrary(t), Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("cannot close engine: %v", err)
		}
	})
	return e
}

func TestOnlyOneEngine(t *testing.T) {
	e := openEngine(t, "")
	if _, err := Open(EngineConfig{Library: testLibrary(t), Dir: t.TempDir()}); !errors.Is(err, ErrEngineOpen) {
		t.Errorf("a second engine gave %v", err)
	}
	cfg := Default()
	cfg.Library = testLibrary(t)
	if _, err := Start(t.Context(), cfg); !errors.Is(err, ErrEngineOpen) {
		t.Errorf("a second server gave %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(e.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary directory is still there: %v", err)
	}
	openEngine(t, "")
}

func TestEngineSurvivesRestarts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	for round := range 3 {
		s := startServer(t, func(c *Config) { c.Dir = dir })
		conn := openClient(t, s, nil)
		mustExec(t, conn, "CREATE DATABASE IF NOT EXISTS keep")
		mustExec(t, conn, "CREATE TABLE IF NOT EXISTS keep.t (a UInt64) ENGINE = MergeTree ORDER BY a")
		mustExec(t, conn, "CREATE TABLE IF NOT EXISTS here (a UInt64) ENGINE = MergeTree ORDER BY a")
		mustExec(t, conn, "INSERT INTO keep.t SELECT number FROM numbers(100000)")
		mustExec(t, conn, "INSERT INTO here VALUES (1)")
		var rows, here uint64
		if err := conn.QueryRow(t.Context(), "SELECT (SELECT count() FROM keep.t), (SELECT count() FROM here)").Scan(&rows, &here); err != nil {
			t.Fatal(err)
		}
		want := uint64(round + 1)
		if diff := cmp.Diff([]uint64{want * 100000, want}, []uint64{rows, here}); diff != "" {
			t.Errorf("start %d: %s", round, diff)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSessions(t *testing.T) {
	e := openEngine(t, "")
	a, err := e.Conn()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	f := func(c *Conn, sql, want string, params ...Param) {
		t.Helper()
		got, err := c.Query(sql, "CSV", params...)
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Data) != want {
			t.Errorf("%s: got %q, want %q", sql, got.Data, want)
		}
	}
	f(a, "SELECT 1, 'x'", "1,\"x\"\n")
	f(a, "SELECT {n:UInt8}, {s:String}, {z:Nullable(String)}", "7,\"tab\tback\\slash\",\\N\n", Param{"n", "7"}, Param{"s", `tab\tback\\slash`}, Param{"z", `\N`})
	f(a, "SET max_threads = 3", "")
	f(a, "CREATE TABLE t (a UInt8) ENGINE = Memory", "")
	b, err := e.Conn()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	f(a, "SELECT getSetting('max_threads') = 3", "1\n")
	f(b, "SELECT getSetting('max_threads') = 3", "0\n")
	result, err := b.Insert("INSERT INTO t (a)", "CSV", strings.NewReader("1\n2\n3\n"))
	if err != nil || result.WrittenRows != 3 {
		t.Errorf("insert wrote %d rows: %v", result.WrittenRows, err)
	}
	f(a, "SELECT sum(a) FROM t", "6\n")

	var raised *Error
	if _, err := a.Insert("INSERT INTO nope", "CSV", strings.NewReader("1")); !errors.As(err, &raised) || raised.Code != 60 || raised.Name != "UNKNOWN_TABLE" {
		t.Errorf("insert into nothing gave %v", err)
	}
	boom := errors.New("boom")
	if _, err := a.Insert("INSERT INTO t", "CSV", failAfter("4\n5\n", boom)); !errors.Is(err, boom) {
		t.Errorf("a failing reader gave %v", err)
	}
	f(a, "SELECT sum(a) FROM t", "6\n")

	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := a.Query("SELECT 1", "CSV"); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed session gave %v", err)
	}
	f(b, "SELECT 1", "1\n")
}

type failing struct {
	rest *strings.Reader
	err  error
}

func failAfter(text string, err error) failing { return failing{strings.NewReader(text), err} }

func (f failing) Read(p []byte) (int, error) {
	if f.rest.Len() == 0 {
		return 0, f.err
	}
	return f.rest.Read(p)
}

// TestGoKeepsItsSignals dereferences nil after the engine has started: with
// the engine's signal handlers in place that would end the process.
func TestGoKeepsItsSignals(t *testing.T) {
	openEngine(t, "")
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	var nothing *Config
	t.Log(nothing.Addr)
}

func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(cfg EngineConfig, want string) {
		t.Helper()
		e, err := Open(cfg)
		if err == nil {
			e.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(EngineConfig{Library: testLibrary(t), Dir: filepath.Join(file, "below")}, "cannot make data directory")
	f(EngineConfig{Library: file, Dir: t.TempDir()}, "cannot load library")
}

func TestConfigValidate(t *testing.T) {
	f := func(want string, change func(*Config)) {
		t.Helper()
		cfg := Default()
		change(&cfg)
		err := cfg.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f("", func(*Config) {})
	f("", func(c *Config) { c.Addr = "[::1]:8123" })
	f("", func(c *Config) { c.Addr = "localhost:0" })
	f("loopback", func(c *Config) { c.Addr = "0.0.0.0:8123" })
	f("loopback", func(c *Config) { c.Addr = ":8123" })
	f("cannot use address", func(c *Config) { c.Addr = "8123" })
	f("MaxConcurrent", func(c *Config) { c.MaxConcurrent = 0 })
	f("MaxWaiting", func(c *Config) { c.MaxWaiting = -1 })
	f("MaxBodyBytes", func(c *Config) { c.MaxBodyBytes = 0 })
}
