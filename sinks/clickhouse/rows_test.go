package clickhouse

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
)

func pointer[T any](v T) *T { return &v }

func TestInsertFindings(t *testing.T) {
	db := migrated(t)
	opened := flyball.Finding{
		ID: "f1", Revision: 1, Kind: "burn_rate", State: flyball.FindingOpened, Severity: "ticket", Entity: "cart",
		Labels: flyball.LabelsOf("service.name", "cart", "region", "eu"), Detector: "checkout", Tier: "page_fast",
		At: at(60), OpenedAt: at(60), Summary: "it burns", Incomplete: true,
		Evidence: []flyball.Evidence{
			{Name: "burn_long", Value: 15, Threshold: pointer(14.4), Unit: "x", Window: "1h"},
			{Name: "burn_short", Value: math.NaN(), Window: "5m"},
		},
	}
	resolved := opened
	resolved.Revision, resolved.State, resolved.At, resolved.Evidence, resolved.Incomplete = 2, flyball.FindingResolved, at(90), nil, false
	other := opened
	other.ID = "f2"
	w := db.Writer()
	for range 2 { // the same without a token: only the key is left to hide it
		if err := w.InsertFindings(t.Context(), []flyball.Finding{resolved, other}, ""); err != nil {
			t.Fatal(err)
		}
		if err := w.InsertFindings(t.Context(), []flyball.Finding{opened}, ""); err != nil {
			t.Fatal(err)
		}
	}
	type row struct {
		ID         string            `ch:"finding_id"`
		Revision   uint32            `ch:"revision"`
		State      string            `ch:"state"`
		Labels     map[string]string `ch:"label_map"`
		Opened     time.Time         `ch:"opened_at"`
		Changed    time.Time         `ch:"changed_at"`
		Resolved   *time.Time        `ch:"resolved_at"`
		Seconds    *float64          `ch:"open_seconds"`
		Open       bool              `ch:"is_open"`
		Complete   bool              `ch:"is_complete"`
		Names      []string          `ch:"evidence_names"`
		Values     []*float64        `ch:"evidence_values"`
		Thresholds []*float64        `ch:"evidence_thresholds"`
		Windows    []string          `ch:"evidence_windows"`
	}
	var got []row
	if err := db.Conn().Select(t.Context(), &got, `SELECT finding_id, revision, state, label_map, opened_at, changed_at, resolved_at, open_seconds,
		is_open, is_complete, evidence_names, evidence_values, evidence_thresholds, evidence_windows FROM v_findings ORDER BY finding_id`); err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{"service.name": "cart", "region": "eu"}
	want := []row{
		{ID: "f1", Revision: 2, State: "resolved", Labels: labels, Opened: at(60).Std(), Changed: at(90).Std(), Resolved: pointer(at(90).Std()),
			Seconds: pointer(30.0), Complete: true, Names: []string{}, Values: []*float64{}, Thresholds: []*float64{}, Windows: []string{}},
		{ID: "f2", Revision: 1, State: "opened", Labels: labels, Opened: at(60).Std(), Changed: at(60).Std(), Open: true,
			Names: []string{"burn_long", "burn_short"}, Values: []*float64{pointer(15.0), nil}, Thresholds: []*float64{pointer(14.4), nil}, Windows: []string{"1h", "5m"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := one[uint64](t, db, "SELECT count() FROM findings FINAL WHERE id = 'f1'"); n != 2 {
		t.Errorf("%d states of f1 are kept, want 2", n)
	}
}

func TestInsertDecisions(t *testing.T) {
	db := migrated(t)
	list := []flyball.Decision{
		{ID: "d1", At: at(60), Verb: flyball.VerbSuppress, Rule: "r", RuleRevision: "abc", Finding: "f1", FindingRevision: 2, Entity: "cart", Target: "deploy/cart",
			Action: flyball.Action{Name: "rollback", Params: map[string]string{"to": "v1"}}, Mode: flyball.ModeAuto,
			Gates:   []flyball.GateResult{{Gate: "cooldown", Pass: false, Reason: "2 m left"}, {Gate: "budget", Pass: true, Reason: "ok"}},
			Explain: []flyball.SubExpression{{Expr: "finding.tier", Value: "page_fast"}}},
		{ID: "d2", At: at(61), Verb: flyball.VerbAct, Command: "c1"},
	}
	w := db.Writer()
	for range 2 {
		if err := w.InsertDecisions(t.Context(), list, ""); err != nil {
			t.Fatal(err)
		}
	}
	type row struct {
		ID      string            `ch:"decision_id"`
		At      time.Time         `ch:"decided_at"`
		Verb    string            `ch:"verb"`
		Finding string            `ch:"finding_id"`
		Params  map[string]string `ch:"action_params"`
		Gates   []string          `ch:"gate_names"`
		Passed  []bool            `ch:"gate_passed"`
		Stopped []string          `ch:"stopped_by_gates"`
		Parts   []string          `ch:"explain_expressions"`
		Command *string           `ch:"command_id"`
	}
	var got []row
	if err := db.Conn().Select(t.Context(), &got, `SELECT decision_id, decided_at, verb, finding_id, action_params, gate_names, gate_passed,
		stopped_by_gates, explain_expressions, command_id FROM v_decisions ORDER BY decision_id`); err != nil {
		t.Fatal(err)
	}
	want := []row{
		{"d1", at(60).Std(), "suppress", "f1", map[string]string{"to": "v1"}, []string{"cooldown", "budget"}, []bool{false, true}, []string{"cooldown"}, []string{"finding.tier"}, nil},
		{"d2", at(61).Std(), "act", "", map[string]string{}, []string{}, []bool{}, []string{}, []string{}, pointer("c1")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// The tables read like nested ones.
	if n := one[uint64](t, db, "SELECT count() FROM decisions FINAL ARRAY JOIN gates WHERE gates.name = 'cooldown' AND NOT gates.pass"); n != 1 {
		t.Errorf("ARRAY JOIN finds %d gates, want 1", n)
	}
}

func TestInsertCommands(t *testing.T) {
	db := migrated(t)
	list := []flyball.Command{{
		ID: "c1", At: at(60), Decision: "d1", OperationID: "op", Attempt: 1, Action: flyball.Action{Name: "rollback", Params: map[string]string{"to": "v1"}},
		Target: "deploy/cart", Mode: flyball.ModeAuto, Deadline: at(180),
		Reason: flyball.CommandReason{Rule: "r", Revision: "abc", Finding: "f1", Evidence: []flyball.Evidence{{Name: "burn_long", Value: 15}}},
	}}
	w := db.Writer()
	for range 2 {
		if err := w.InsertCommands(t.Context(), list, ""); err != nil {
			t.Fatal(err)
		}
	}
	type row struct {
		ID       string     `ch:"command_id"`
		Decision string     `ch:"decision_id"`
		Finding  string     `ch:"finding_id"`
		Attempt  uint32     `ch:"attempt"`
		Action   string     `ch:"action"`
		Rule     string     `ch:"rule"`
		Values   []*float64 `ch:"evidence_values"`
		Seconds  float64    `ch:"deadline_seconds"`
	}
	var got []row
	if err := db.Conn().Select(t.Context(), &got, `SELECT command_id, decision_id, finding_id, attempt, action, rule, evidence_values, deadline_seconds FROM v_commands`); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]row{{"c1", "d1", "f1", 1, "rollback", "r", []*float64{pointer(15.0)}, 120}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestInsertDeadLetters(t *testing.T) {
	db := migrated(t)
	list := []DeadLetter{
		{At: at(1).Std(), Partition: 0, Offset: 7, Stage: "aggregate", Reason: "late", Message: "2 m late", SourceTopic: "spans", SourcePartition: 3, SourceOffset: 99, Key: []byte("k"), Value: []byte{0, 255, 1}},
		{At: at(1).Std(), Partition: 0, Offset: 8, Stage: "aggregate", Reason: "late", SourceTopic: "spans", SourcePartition: 3, SourceOffset: 99},
	}
	w := db.Writer()
	for range 2 {
		if err := w.InsertDeadLetters(t.Context(), list, ""); err != nil {
			t.Fatal(err)
		}
	}
	// Two letters of one source record are two.
	if n := one[uint64](t, db, "SELECT count() FROM dead_letters FINAL"); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
	if got := one[string](t, db, "SELECT hex(value) FROM dead_letters FINAL WHERE source_topic = 'spans' AND offset = 7"); got != "00FF01" {
		t.Errorf("value %s", got)
	}
}

func TestNothingToInsert(t *testing.T) {
	db := open(t) // without tables: nothing is asked of the server
	w := db.Writer()
	if err := w.InsertFindings(t.Context(), nil, "t"); err != nil {
		t.Error(err)
	}
	if err := w.Insert(t.Context(), TableWindows, windowsOf(t), "t"); err != nil {
		t.Error(err)
	}
	if err := w.InsertFindings(t.Context(), make([]flyball.Finding, 1), "t"); err == nil || Retryable(err) {
		t.Errorf("without a table: %v, want a permanent error", err)
	}
}

func TestInsertControls(t *testing.T) {
	db := migrated(t)
	list := []flyball.Control{
		{ID: "k1", Kind: flyball.ControlPause, At: at(60), Who: "ann", Why: "load test", Scope: flyball.Scope{Kind: flyball.ScopeService, Name: "cart"}, Until: at(120)},
		{ID: "k2", Kind: flyball.ControlResetBreaker, At: at(61), Who: "bob", Why: "seen", Guardrail: "shop", Backlog: flyball.BacklogReplay},
		{ID: "k3", Kind: flyball.ControlApprove, At: at(62), Who: "ann", Why: "yes", Operation: "o1"},
	}
	for range 2 {
		if err := db.Writer().InsertControls(t.Context(), list, ""); err != nil {
			t.Fatal(err)
		}
	}
	got := one[string](t, db, `SELECT toString(groupArray((control_id, kind, person, why, scope_kind, scope_name, toUnixTimestamp(ends_at) - toUnixTimestamp(said_at), guardrail, backlog, operation_id)))
		FROM (SELECT * FROM v_controls ORDER BY said_at)`)
	want := `[('k1','pause','ann','load test','service','cart',60,'','',NULL),('k2','reset_breaker','bob','seen','','',NULL,'shop','replay',NULL),('k3','approve','ann','yes','','',NULL,'','','o1')]`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
