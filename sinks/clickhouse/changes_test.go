package clickhouse

import (
	"testing"

	"github.com/flyball-io/flyball"
)

// TestChanges: what was changed is a view of what was told, and stands beside what broke
// after it.
func TestChanges(t *testing.T) {
	db := migrated(t)
	w := db.Writer()
	list := []flyball.Control{
		{ID: "k1", Kind: flyball.ControlChange, At: at(60), Who: "source ci", Why: "deployed 42", Target: "deploy/cart",
			Change: &flyball.Change{Entity: "cart", Kind: "deployed", Version: "42"}},
		{ID: "k2", Kind: flyball.ControlChange, At: at(61), Who: "ann", Why: "by hand", Target: "deploy/pay"},
		{ID: "k3", Kind: flyball.ControlPause, At: at(62), Who: "ann", Why: "load test", Scope: flyball.Scope{Kind: flyball.ScopeGlobal}},
	}
	if err := w.InsertControls(t.Context(), list, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.InsertFindings(t.Context(), []flyball.Finding{
		{ID: "f1", Revision: 1, State: flyball.FindingOpened, Entity: "cart", At: at(90), OpenedAt: at(90)},
		{ID: "f2", Revision: 1, State: flyball.FindingOpened, Entity: "cart", At: at(30), OpenedAt: at(30)},
	}, ""); err != nil {
		t.Fatal(err)
	}
	f := func(sql, want string) {
		t.Helper()
		if got := one[string](t, db, sql); got != want {
			t.Errorf("%s: got %s, want %s", sql, got, want)
		}
	}
	f(`SELECT toString(groupArray((control_id, entity, kind, version, target, told_by))) FROM (SELECT * FROM v_changes ORDER BY changed_at)`,
		`[('k1','cart','deployed','42','deploy/cart','source ci'),('k2','pay','change','','deploy/pay','ann')]`)
	f(`SELECT toString(groupArray((finding_id, seconds_before, kind, version))) FROM v_finding_changes`, `[('f1',30,'deployed','42')]`)
}

func TestTopology(t *testing.T) {
	db := migrated(t)
	exec(t, db, `INSERT INTO windows (indicator, entity, labels, start, end, revision, count, bad) VALUES
		('calls', 'cart', '{"peer":"db"}', '2026-03-01 10:00:00', '2026-03-01 10:01:00', 1, 90, 0),
		('calls', 'cart', '{"peer":"db"}', '2026-03-01 10:00:00', '2026-03-01 10:01:00', 2, 100, 1),
		('calls', 'cart', '{"peer":"db"}', '2026-03-01 10:01:00', '2026-03-01 10:02:00', 1, 100, 3),
		('served', 'cart', '{}', '2026-03-01 10:01:00', '2026-03-01 10:02:00', 1, 7, 7)`)
	got := one[string](t, db, `SELECT toString(groupArray((indicator, caller, callee, calls, failed, error_rate))) FROM v_topology`)
	if want := `[('calls','cart','db',200,4,0.02)]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
