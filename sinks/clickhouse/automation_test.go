package clickhouse

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
)

// TestAutomationViews: operations and what they say about automation come out of
// the decisions alone.
func TestAutomationViews(t *testing.T) {
	db := migrated(t)
	w := db.Writer()
	n := 0
	decision := func(operation string, verb flyball.Verb, seconds int64, change ...func(*flyball.Decision)) flyball.Decision {
		n++
		d := flyball.Decision{ID: fmt.Sprint("d", n), At: at(seconds), Verb: verb, Rule: "restart", Finding: "f-" + operation, Entity: "cart", Target: "deploy/cart",
			Action: flyball.Action{Name: "restart"}, Operation: operation, Attempt: 1, Trigger: "finding"}
		for _, c := range change {
			c(&d)
		}
		return d
	}
	second := func(d *flyball.Decision) { d.Attempt, d.Action.Name, d.Trigger = 2, "scale", "escalation" }
	list := []flyball.Decision{
		decision("a", flyball.VerbAct, 0), decision("a", flyball.VerbIneffective, 60), decision("a", flyball.VerbAct, 61, second), decision("a", flyball.VerbEffective, 90, second),
		decision("b", flyball.VerbAct, 100), decision("b", flyball.VerbUnknown, 200), decision("b", flyball.VerbPage, 300),
		decision("c", flyball.VerbAwait, 400), // nothing was sent
		decision("d", flyball.VerbAct, 500, func(d *flyball.Decision) { d.Trigger, d.Who = "compensation", "" }), decision("d", flyball.VerbGroup, 510),
	}
	for range 2 { // the same without a token: only the key is left to hide it
		if err := w.InsertDecisions(t.Context(), list, ""); err != nil {
			t.Fatal(err)
		}
	}
	type operation struct {
		ID        string   `ch:"operation_id"`
		First     string   `ch:"first_action"`
		Last      string   `ch:"last_action"`
		Attempts  uint32   `ch:"attempts"`
		Seconds   *float64 `ch:"seconds_to_remedy"`
		Effective bool     `ch:"was_effective"`
		Person    bool     `ch:"needed_person"`
		Verb      string   `ch:"last_verb"`
	}
	var got []operation
	if err := db.Conn().Select(t.Context(), &got, `SELECT operation_id, first_action, last_action, attempts, seconds_to_remedy, was_effective, needed_person, last_verb
		FROM v_remediations ORDER BY operation_id`); err != nil {
		t.Fatal(err)
	}
	want := []operation{
		{"a", "restart", "scale", 2, pointer(90.0), true, false, "effective"},
		{"b", "restart", "restart", 1, nil, false, true, "page"},
		{"d", "restart", "restart", 1, nil, false, false, "grouped"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("v_remediations (-want +got):\n%s", diff)
	}
	kpis := one[string](t, db, `SELECT toString((operations, round(success_ratio, 3), round(intervention_ratio, 3), round(rollback_ratio, 3), commands, grouped_findings, seconds_to_remedy_p95))
		FROM v_automation_kpis`)
	if kpis != "(3,0.333,0.333,0.333,4,1,90)" {
		t.Errorf("v_automation_kpis: %s", kpis)
	}
	if n := one[string](t, db, "SELECT toString((operation_id, attempt, `trigger`)) FROM v_decisions WHERE decision_id = 'd3'"); n != "('a',2,'escalation')" {
		t.Errorf("v_decisions: %s", n)
	}

	findings := []flyball.Finding{
		{ID: "f-a", Revision: 2, Kind: "anomaly", State: flyball.FindingResolved, Severity: "page", Entity: "cart", Detector: "latency", At: at(90), OpenedAt: at(0)},
		{ID: "f-x", Revision: 2, Kind: "anomaly", State: flyball.FindingResolved, Severity: "page", Entity: "pay", Detector: "latency", At: at(90), OpenedAt: at(0)},
	}
	if err := w.InsertFindings(t.Context(), findings, ""); err != nil {
		t.Fatal(err)
	}
	if c := one[string](t, db, "SELECT toString((findings, handled_by_people, entities, uniformity, score)) FROM v_automation_candidates"); c != "(2,1,2,1,1)" {
		t.Errorf("v_automation_candidates: %s", c)
	}
}
