package clickhouse

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite testdata/views.txt")

// Reports rely on the names and types of the views: they may get more columns,
// and must not lose or change one.
func TestViewsAreTheContract(t *testing.T) {
	db := migrated(t)
	rows, err := db.Conn().Query(t.Context(), `SELECT table, name, type FROM system.columns
		WHERE database = currentDatabase() AND startsWith(table, 'v_') ORDER BY table, position`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var b strings.Builder
	last := ""
	for rows.Next() {
		var view, name, kind string
		if err := rows.Scan(&view, &name, &kind); err != nil {
			t.Fatal(err)
		}
		if view != last {
			b.WriteString(view + "\n")
			last = view
		}
		b.WriteString("    " + name + " " + kind + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/views.txt", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/views.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Error(diff)
	}
}

// Tools that show a whole view must be able to.
func TestViewsCanBeReadWhole(t *testing.T) {
	db := migrated(t)
	for _, view := range []string{"v_windows", "v_slo_status", "v_error_budget", "v_burn_rate", "v_slo_hourly", "v_findings", "v_examples", "v_anomalies", "v_bands", "v_finding_labels", "v_canary_verdicts", "v_canary_looks", "v_decisions", "v_commands", "v_controls", "v_changes", "v_finding_changes", "v_topology", "v_outcomes", "v_detections", "v_remediations", "v_automation_kpis", "v_automation_candidates"} {
		rows, err := db.Conn().Query(t.Context(), "SELECT * FROM "+view)
		if err != nil {
			t.Errorf("%s: %v", view, err)
			continue
		}
		if err := rows.Close(); err != nil {
			t.Errorf("%s: %v", view, err)
		}
	}
}
