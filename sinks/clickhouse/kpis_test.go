package clickhouse

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
)

func TestInsertOutcomes(t *testing.T) {
	db := migrated(t)
	list := []flyball.Outcome{
		{ID: "x1", Class: flyball.OutcomeAccepted, Command: "c1", Target: "deploy/cart", At: at(1), OperationID: "o1", Attempt: 1, Started: at(1), Finished: flyball.NoTime},
		{ID: "x2", Class: flyball.OutcomePermanent, Command: "c1", Target: "deploy/cart", At: at(9), OperationID: "o1", Attempt: 2, Started: at(1), Finished: at(9), Reason: "NOT_FOUND", Detail: "no such deployment"},
		{ID: "x3", Class: flyball.OutcomeRejected, Command: "c2", At: at(9), OperationID: "o2", Attempt: 1, Started: flyball.NoTime, Finished: flyball.NoTime},
	}
	for range 2 { // the same without a token: only the key is left to hide it
		if err := db.Writer().InsertOutcomes(t.Context(), list, ""); err != nil {
			t.Fatal(err)
		}
	}
	type row struct {
		ID        string     `ch:"outcome_id"`
		At        time.Time  `ch:"reported_at"`
		Class     string     `ch:"class"`
		Command   string     `ch:"command_id"`
		Operation string     `ch:"operation_id"`
		Attempt   uint32     `ch:"attempt"`
		Target    string     `ch:"target"`
		Started   *time.Time `ch:"started_at"`
		Finished  *time.Time `ch:"finished_at"`
		Seconds   *float64   `ch:"run_seconds"`
		Reason    string     `ch:"reason"`
		Detail    string     `ch:"detail"`
	}
	var got []row
	if err := db.Conn().Select(t.Context(), &got, `SELECT outcome_id, reported_at, class, command_id, operation_id, attempt, target, started_at, finished_at, run_seconds, reason, detail
		FROM v_outcomes ORDER BY outcome_id`); err != nil {
		t.Fatal(err)
	}
	one, nine := at(1).Std(), at(9).Std()
	want := []row{
		{"x1", one, "accepted", "c1", "o1", 1, "deploy/cart", &one, nil, nil, "", ""},
		{"x2", nine, "permanent_failure", "c1", "o1", 2, "deploy/cart", &one, &nine, pointer(8.0), "NOT_FOUND", "no such deployment"},
		{"x3", nine, "rejected", "c2", "o2", 1, "", nil, nil, nil, "", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("v_outcomes (-want +got):\n%s", diff)
	}
}

// operated records four operations of one rule: a helps and comes back as b, nothing is
// heard of c, and d undoes with a command that is there twice.
func operated(t *testing.T, db *DB) {
	t.Helper()
	w := db.Writer()
	n := 0
	decision := func(operation, target string, verb flyball.Verb, seconds int64, change ...func(*flyball.Decision)) flyball.Decision {
		n++
		d := flyball.Decision{ID: fmt.Sprint("d", n), At: at(seconds), Verb: verb, Rule: "restart", RuleRevision: "r1", Finding: "f-" + operation, Entity: "cart", Target: target,
			Action: flyball.Action{Name: "restart"}, Operation: operation, Attempt: 1, Trigger: "finding"}
		if verb == flyball.VerbAct {
			d.Command, d.Gates = "c-"+operation, []flyball.GateResult{{Gate: "scope", Pass: true}}
		}
		for _, c := range change {
			c(&d)
		}
		return d
	}
	cost := func(text string) func(*flyball.Decision) {
		return func(d *flyball.Decision) { d.Action.Params = map[string]string{"cost": text} }
	}
	pay := func(d *flyball.Decision) { d.Entity = "pay" }
	list := []flyball.Decision{
		decision("a", "deploy/cart", flyball.VerbAct, 130, cost("0.5")), decision("a", "deploy/cart", flyball.VerbEffective, 200),
		decision("b", "deploy/cart", flyball.VerbAct, 500, cost("0.25")), decision("b", "deploy/cart", flyball.VerbEffective, 560),
		decision("c", "deploy/pay", flyball.VerbAct, 600, pay), decision("c", "deploy/pay", flyball.VerbUnknown, 900, pay), decision("c", "deploy/pay", flyball.VerbPage, 901, pay),
		decision("d", "deploy/old", flyball.VerbAct, 1000, func(d *flyball.Decision) { d.Trigger, d.Gates = "compensation", nil }),
		decision("", "deploy/cart", flyball.VerbSuppress, 150, func(d *flyball.Decision) { d.Finding, d.Causes = "f-x", []string{"a", "b"} }),
		decision("", "deploy/cart", flyball.VerbGroup, 150, func(d *flyball.Decision) { d.Finding, d.Causes = "f-y", []string{"a"} }),
	}
	commands := []flyball.Command{}
	for _, id := range []string{"a", "b", "c", "d", "d"} {
		c := flyball.Command{ID: "c-" + id, At: at(130), OperationID: id, Attempt: 1, Target: "deploy/" + id, Deadline: at(2000)}
		if len(commands) == 4 {
			c.ID = "c-d again"
		}
		commands = append(commands, c)
	}
	outcome := func(operation string, class flyball.OutcomeClass, started, finished flyball.Time) flyball.Outcome {
		return flyball.Outcome{ID: operation + string(class), Class: class, Command: "c-" + operation, OperationID: operation, Attempt: 1, At: max(started, finished), Started: started, Finished: finished}
	}
	outcomes := []flyball.Outcome{
		outcome("a", flyball.OutcomeAccepted, at(131), flyball.NoTime), outcome("a", flyball.OutcomeSucceeded, at(132), at(140)),
		outcome("b", flyball.OutcomeSucceeded, at(501), at(503)), outcome("c", flyball.OutcomeAccepted, at(601), flyball.NoTime), outcome("d", flyball.OutcomeSucceeded, at(1001), at(1005)),
	}
	finding := func(id, entity string, opened int64) flyball.Finding {
		return flyball.Finding{ID: id, Revision: 1, Kind: "burn_rate", State: flyball.FindingOpened, Severity: "page", Entity: entity, Detector: "availability", At: at(opened), OpenedAt: at(opened)}
	}
	for range 2 { // the same without a token: only the keys are left to hide it
		for what, err := range map[string]error{
			"decisions": w.InsertDecisions(t.Context(), list, ""), "commands": w.InsertCommands(t.Context(), commands, ""), "outcomes": w.InsertOutcomes(t.Context(), outcomes, ""),
			"findings": w.InsertFindings(t.Context(), []flyball.Finding{finding("f-a", "cart", 100), finding("f-b", "cart", 500), finding("f-c", "pay", 590)}, ""),
		} {
			if err != nil {
				t.Fatal(what, err)
			}
		}
	}
	// Windows of 10 s with 100 samples: 1 bad is the objective, 2 are worse.
	for end, bad := range map[int64]int{30: 0, 40: 1, 50: 2, 60: 50, 70: 60, 80: 2, 90: 99, 100: 50, 480: 5, 490: 0, 500: 40} {
		if err := db.Conn().Exec(t.Context(), `INSERT INTO windows (indicator, entity, labels, start, end, revision, count, bad)
			SELECT 'requests', 'cart', '{}', fromUnixTimestamp64Milli(?), fromUnixTimestamp64Milli(?), 1, 100, ?`, at(end-10).Std().UnixMilli(), at(end).Std().UnixMilli(), bad); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Conn().Exec(t.Context(), `INSERT INTO slo_status (slo, entity, labels, at, total, bad, target) SELECT 'availability', 'cart', '{}', fromUnixTimestamp64Milli(?), 100, 1, 0.99`,
		at(60).Std().UnixMilli()); err != nil {
		t.Fatal(err)
	}
}

// TestAutomationKPIs compares every number with what was worked out by hand.
func TestAutomationKPIs(t *testing.T) {
	db := migrated(t)
	operated(t, db)
	f := func(want, query string) {
		t.Helper()
		if got := one[string](t, db, query); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", query, got, want)
		}
	}
	f("[('f-a',60),('f-b',10)]", `SELECT toString(groupArray((finding_id, seconds_to_detect))) FROM (SELECT * FROM v_detections ORDER BY finding_id)`)
	remediation := `SELECT toString((seconds_to_decide, seconds_to_execute, last_outcome, cost, commands, duplicate_commands, audited_commands, caused_findings, came_back)) FROM v_remediations WHERE operation_id = `
	f("(30,8,'succeeded',0.5,1,0,1,1,true)", remediation+"'a'")
	f("(0,2,'succeeded',0.25,1,0,1,0,false)", remediation+"'b'")
	f("(10,NULL,'accepted',NULL,1,0,1,0,false)", remediation+"'c'")
	f("(NULL,4,'succeeded',NULL,2,1,1,0,false)", remediation+"'d'")
	kpi := func(want, columns string) {
		t.Helper()
		f(want, "SELECT toString(("+columns+")) FROM v_automation_kpis WHERE rule = 'restart'")
	}
	kpi("(4,0.5,0.25,0.25,0.25)", "operations, success_ratio, intervention_ratio, rollback_ratio, unknown_ratio")
	kpi("(60,60)", "seconds_to_detect_p50, seconds_to_detect_p95")
	kpi("(10,30)", "seconds_to_decide_p50, seconds_to_decide_p95")
	kpi("(4,8)", "seconds_to_execute_p50, seconds_to_execute_p95")
	kpi("(70,70)", "seconds_to_remedy_p50, seconds_to_remedy_p95")
	kpi("(0.5,0.2,0.8)", "flapping_ratio, duplicate_ratio, audit_complete_ratio")
	kpi("(1,0,0.75,0.1875)", "caused_incidents, caused_harm, cost, cost_per_operation")
}

// TestAutomationCandidates: what people handle often and alike comes first.
func TestAutomationCandidates(t *testing.T) {
	db := migrated(t)
	operated(t, db)
	finding := func(detector string, n int, seconds int64) flyball.Finding {
		return flyball.Finding{ID: fmt.Sprint(detector, n), Revision: 2, Kind: "anomaly", State: flyball.FindingResolved, Severity: "ticket", Entity: fmt.Sprint("e", n%2),
			Detector: detector, OpenedAt: at(0), At: at(seconds)}
	}
	var list []flyball.Finding
	for i, seconds := range []int64{100, 100, 100, 100} {
		list = append(list, finding("disk", i, seconds)) // four, all alike
	}
	for i, seconds := range []int64{10, 10, 10, 20, 1000} {
		list = append(list, finding("noise", i, seconds)) // five, no two alike
	}
	quiet := finding("info", 0, 10)
	quiet.Severity = "info"
	if err := db.Writer().InsertFindings(t.Context(), append(list, quiet), ""); err != nil {
		t.Fatal(err)
	}
	got := one[string](t, db, `SELECT toString(groupArray((detector, findings, handled_by_people, entities, round(uniformity, 3), round(score, 3)))) FROM (SELECT * FROM v_automation_candidates ORDER BY score DESC, detector)`)
	if want := "[('disk',4,4,2,1,4),('noise',5,5,2,0.01,0.05),('availability',3,0,2,0,0)]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
