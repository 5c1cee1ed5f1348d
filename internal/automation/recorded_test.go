package automation

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

// TestWhatTheTopicNoLongerKeeps is read from the database: more than fits into a page.
func TestWhatTheTopicNoLongerKeeps(t *testing.T) {
	database := embeddedtest.ClickHouse(t)
	db, err := clickhouse.Open(clickhouse.Config{DSN: database.DSN()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := make([]flyball.Decision, pageSize+10)
	for i := range list {
		list[i] = flyball.Decision{ID: fmt.Sprintf("d-%05d", i), At: 1_767_225_600e9 + flyball.Time(i/3)*1e9, Verb: flyball.VerbSuppress, Rule: "restart", RuleRevision: "r1",
			Finding: fmt.Sprint("f-", i), FindingRevision: 2, Entity: "cart", Target: "deploy/cart", Action: flyball.Action{Name: "restart", Params: map[string]string{"a": "b"}}, Mode: flyball.ModeAuto,
			Trigger: "finding", Gates: []flyball.GateResult{{Gate: "cooldown", Reason: "wait until noon"}}, Explain: []flyball.SubExpression{{Expr: "x", Value: "1"}}}
	}
	list[7].Verb = flyball.VerbAct
	if err := db.Writer().InsertDecisions(t.Context(), list, ""); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := fmt.Sprintf("apiVersion: flyball.dev/v1\nkind: Pipeline\nmetadata: {name: p}\nspec: {clickhouse: {dsn: %q}}\n", database.DSN())
	if err := os.WriteFile(filepath.Join(dir, "p.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := run(t, "explain", "--config", dir, "--clickhouse", "f-7")
	for _, want := range []string{"ACT  restart on deploy/cart  (finding)", "NO  cooldown       wait until noon", "x = 1", "finding    f-7"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("explain: %v, want %q in\n%s", err, want, out)
		}
	}
	if _, err := run(t, "explain", "--config", dir, "--clickhouse", "none"); err == nil || !strings.Contains(err.Error(), `cannot explain "none"`) {
		t.Errorf("an unknown id: %v", err)
	}
	out, err = run(t, "decisions", "--config", dir, "--clickhouse", "-o", "json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err != nil || len(lines) != len(list) || !strings.Contains(lines[0], `"d-00000"`) || !strings.Contains(lines[len(lines)-1], fmt.Sprintf("d-%05d", len(list)-1)) {
		t.Errorf("decisions: %v, %d lines", err, len(lines))
	}
	if out, err = run(t, "decisions", "--config", dir, "--clickhouse", "--verb", "act", "--entity", "cart"); err != nil || strings.Count(out, "\n") != 1 {
		t.Errorf("only acts: %v\n%s", err, out)
	}
	if _, err := run(t, "decisions", "--config", dir, "--clickhouse", "--since", "1h"); err != nil {
		t.Errorf("since: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "p.yaml"), []byte("apiVersion: flyball.dev/v1\nkind: Pipeline\nmetadata: {name: p}\nspec: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, "decisions", "--config", dir, "--clickhouse"); err == nil || !strings.Contains(err.Error(), "clickhouse.dsn") {
		t.Errorf("without a database: %v", err)
	}
}
