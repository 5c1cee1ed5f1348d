package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/automation"
	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	"github.com/flyball-io/flyball/internal/results"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/remediation/memory"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// followed is a store that is filled by the test.
type followed struct {
	store *results.Store
	err   error
}

func (f *followed) Store(context.Context) (*results.Store, error) { return f.store, f.err }

func after(seconds int) flyball.Time { return began.Add(time.Duration(seconds) * time.Second) }

// filled returns a store with one of everything, and n decisions of another service.
func filled(t *testing.T, n int) *results.Store {
	t.Helper()
	s := results.NewStore()
	limit := 14.4
	s.AddFinding(flyball.Finding{ID: "f-1", Revision: 1, Kind: "burn_rate", State: flyball.FindingOpened, Severity: "page", Entity: "cart", Detector: "availability",
		Tier: "page_fast", At: after(0), OpenedAt: after(0), Summary: "it burns", Labels: flyball.LabelsOf("service.name", "cart"),
		Evidence: []flyball.Evidence{{Name: "burn_long", Value: 20, Threshold: &limit, Unit: "x", Window: "1h"}}})
	s.AddFinding(flyball.Finding{ID: "f-2", Revision: 2, Kind: "anomaly", State: flyball.FindingResolved, Severity: "ticket", Entity: "pay", At: after(30), OpenedAt: after(10)})
	s.AddDecision(flyball.Decision{ID: "d-1", At: after(1), Verb: flyball.VerbAct, Rule: "restart", Finding: "f-1", FindingRevision: 1, Entity: "cart", Target: "deploy/cart",
		Action: flyball.Action{Name: "restart", Params: map[string]string{"grace": "30s"}}, Mode: flyball.ModeAuto, Command: "c-1", Trigger: "finding", Operation: "o-1", Attempt: 1,
		Gates: []flyball.GateResult{{Gate: "scope", Pass: true, Reason: "selected"}}, Explain: []flyball.SubExpression{{Expr: "true", Value: "true"}}})
	for i := range n {
		s.AddDecision(flyball.Decision{ID: fmt.Sprintf("p-%02d", i), At: after(100 + i), Verb: flyball.VerbSuppress, Rule: "restart", Finding: "f-2", Entity: "pay"})
	}
	s.AddCommand(flyball.Command{ID: "c-1", At: after(1), Decision: "d-1", OperationID: "o-1", Attempt: 1, Action: flyball.Action{Name: "restart"}, Target: "deploy/cart",
		Mode: flyball.ModeAuto, Deadline: after(300), Reason: flyball.CommandReason{Rule: "restart", Finding: "f-1", Evidence: []flyball.Evidence{}}})
	s.AddOutcome(flyball.Outcome{ID: "x-1", Class: flyball.OutcomeSucceeded, Command: "c-1", Target: "deploy/cart", At: after(5), OperationID: "o-1", Attempt: 1, Started: after(2), Finished: after(5)})
	s.AddStatus(processors.SLORow{SLO: "availability", Entity: "cart", Labels: `{"service.name":"cart"}`, At: after(60), Total: 1000, Bad: 5, SLI: 0.995, Target: 0.99,
		BudgetConsumed: 0.5, Tiers: []string{"page_fast"}, BurnLong: []float64{20}, BurnShort: []float64{18}, Firing: []string{"page_fast"}, Complete: true, State: "OK"})
	m := memory.New(nil)
	m.Controls.Set(memory.Control{Kind: flyball.ControlPause, ID: "k-1", At: after(0), Control: flyball.Control{Who: "ann", Why: "load test", Scope: flyball.Scope{Kind: "service", Name: "cart"}}})
	m.Blasts.Set(memory.Blast{Guardrail: "nodes", Tripped: "at noon"})
	m.Operations.Set(memory.Operation{ID: "o-2", Phase: memory.Waiting, Rule: "restart", Finding: "f-1", Entity: "cart", Target: "deploy/cart", Action: flyball.Action{Name: "restart"},
		Mode: flyball.ModeApprove, Attempt: 1, SentAt: after(1), Deadline: flyball.NoTime, Due: after(1800), RecoveredAt: flyball.NoTime, EndedAt: flyball.NoTime})
	m.Advance(after(90))
	for _, c := range m.Changes() {
		if err := s.Remember(c.Key, c.Value); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func reading(t *testing.T, n int) (*Server, http.Handler) {
	t.Helper()
	s := &Server{Metrics: prometheus.NewRegistry(), Status: func() Status { return Status{Roles: []string{}} }, Results: &followed{store: filled(t, n)}}
	return s, s.Handler()
}

func TestReads(t *testing.T) {
	_, h := reading(t, 3)
	f := func(path string, members map[string]any) { t.Helper(); want(t, h, "GET", path, "", 200, members) }
	f("/api/v1/findings", map[string]any{"items.0.id": "f-2", "items.1.id": "f-1", "items.1.evidence.0.threshold": 14.4, "next": nil})
	f("/api/v1/findings?state=open&service=cart&kind=burn_rate&severity=page", map[string]any{"items.0.id": "f-1", "items.1": nil})
	f("/api/v1/findings?from=2026-01-01T00:00:05Z&to=2026-01-01T00:01:00Z", map[string]any{"items.0.id": "f-2", "items.1": nil})
	f("/api/v1/findings/f-1", map[string]any{"summary": "it burns"})
	f("/api/v1/decisions?service=cart&state=act&rule=restart", map[string]any{"items.0.id": "d-1", "items.0.gates.0.pass": true, "items.1": nil})
	f("/api/v1/commands?state=succeeded&target=deploy/cart", map[string]any{"items.0.id": "c-1", "items.0.state": "succeeded", "items.0.decision": "d-1",
		"items.0.outcomes.0.class": "succeeded", "items.0.outcomes.0.at": "2026-01-01T00:00:05Z"})
	f("/api/v1/commands?state=sent", map[string]any{"items.0": nil})
	f("/api/v1/slos?service=cart", map[string]any{"items.0.budget_remaining": 0.5, "items.0.tiers.0.firing": true, "items.0.labels.service.name": nil, "items.0.exhausts_in_seconds.1h": 0.0})
	for _, id := range []string{"d-1", "f-1", "o-1", "c-1"} {
		f("/api/v1/explain/"+id, map[string]any{"decisions.0.id": "d-1", "decisions.0.explain.0.value": "true", "finding.id": "f-1", "commands.0.outcomes.0.id": "x-1", "source": "kafka"})
	}
	f("/api/v1/control", map[string]any{"holds.0.kind": "pause", "holds.0.why": "load test", "holds.0.scope.name": "cart", "breakers.0.guardrail": "nodes",
		"waiting.0.operation_id": "o-2", "waiting.0.due": "2026-01-01T00:30:00Z", "clock": "2026-01-01T00:01:30Z"})
}

func TestReadsThatAreRefused(t *testing.T) {
	s, h := reading(t, 0)
	f := func(path string, code int, detail string) {
		t.Helper()
		w := ask(h, "GET", path, "")
		if w.Code != code || !strings.Contains(w.Body.String(), detail) {
			t.Errorf("GET %s: %d %s, want %d and %q", path, w.Code, w.Body, code, detail)
		}
	}
	f("/api/v1/findings?stat=open", 400, `unknown parameter \"stat\"; there are [\"service\"`)
	f("/api/v1/findings?from=yesterday", 400, "want a time")
	f("/api/v1/findings?limit=0", 400, "want a limit from 1 to 1000")
	f("/api/v1/findings?limit=1001", 400, "want a limit")
	f("/api/v1/findings?cursor=x", 400, "cannot read cursor")
	f("/api/v1/findings/none", 404, "no finding")
	f("/api/v1/explain/none", 404, `has the id \"none\"`)
	f("/api/v1/decisions?source=paper", 400, "want kafka or clickhouse")
	f("/api/v1/decisions?source=clickhouse", 503, "no ClickHouse is configured")
	f("/api/v1/windows", 503, "no ClickHouse is configured")
	s.Results.(*followed).err = errors.New("the broker is away")
	for _, path := range []string{"findings", "decisions", "commands", "slos", "control", "explain/x", "findings/x"} {
		f("/api/v1/"+path, 503, "the broker is away")
	}
}

func TestPagesOfDecisions(t *testing.T) {
	_, h := reading(t, 25)
	var got []string
	path := "/api/v1/decisions?service=pay&limit=10"
	for pages := 0; path != "" && pages < 9; pages++ {
		var p struct {
			Items []struct {
				ID string `json:"id"`
			} `json:"items"`
			Next string `json:"next"`
		}
		w := ask(h, "GET", path, "")
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		for _, d := range p.Items {
			got = append(got, d.ID)
		}
		if path = ""; p.Next != "" {
			path = "/api/v1/decisions?service=pay&limit=10&cursor=" + url.QueryEscape(p.Next)
		}
	}
	if len(got) != 25 || got[0] != "p-24" || got[24] != "p-00" || got[10] != "p-14" {
		t.Errorf("got %v", got)
	}
}

func TestControl(t *testing.T) {
	s, _ := reading(t, 0)
	var said []flyball.Control
	var fails error
	s.Control = func(_ context.Context, c *flyball.Control) error {
		c.ID = "k"
		said = append(said, *c)
		return fails
	}
	s.HTTP = threeTokens()
	at := "http://" + serve(t, s, "127.0.0.1:0") + "/api/v1/control"
	f := func(body string, code int, check func(flyball.Control) bool) {
		t.Helper()
		said = nil
		if got := send(t, lonely(), "POST", at, operatorToken, body); got != code {
			t.Errorf("%s: %d, want %d", body, got, code)
		}
		if check == nil && len(said) > 0 && fails == nil || check != nil && (len(said) != 1 || !check(said[0])) {
			t.Errorf("%s: said %+v", body, said)
		}
	}
	f(`{"kind":"kill","why":"drill"}`, 202, func(c flyball.Control) bool {
		return c.Kind == flyball.ControlKill && c.Who == "ann" && c.Why == "drill" && c.Scope.String() == "global" && c.At > began
	})
	f(`{"kind":"pause","why":"test","scope":{"kind":"service","name":"cart"},"for":"2h","who":"bob"}`, 202, func(c flyball.Control) bool {
		return c.Who == "bob (ann)" && c.Scope.String() == "service/cart" && c.Until == c.At.Add(2*time.Hour)
	})
	f(`{"kind":"maintenance","why":"upgrade","until":"2030-01-01T00:00:00Z"}`, 202, func(c flyball.Control) bool { return c.Until.String() == "2030-01-01T00:00:00Z" })
	f(`{"kind":"approve","why":"seen","operation_id":"o-2"}`, 202, func(c flyball.Control) bool { return c.Operation == "o-2" && c.Scope.Kind == "" })
	f(`{"kind":"reset_breaker","why":"fine","guardrail":"nodes"}`, 202, func(c flyball.Control) bool { return c.Backlog == "skip" })
	f(`{"kind":"change","why":"deployed 2.0","target":"deploy/cart"}`, 202, func(c flyball.Control) bool { return c.Target == "deploy/cart" })
	f(`{"kind":"release","why":"done by hand","target":"deploy/cart"}`, 202, func(c flyball.Control) bool { return c.Kind == flyball.ControlRelease })
	f(`{"kind":"explode","why":"x"}`, 400, nil)
	f(`{"kind":"pause","why":"x","scoop":{"kind":"service","name":"cart"}}`, 400, nil) // not everything
	f(`{"kind":"pause","why":"x","for":"2 hours"}`, 400, nil)
	f(`{"kind":"pause","why":"x","for":"-2h"}`, 400, nil)
	f(`{"kind":"pause","why":"x","for":"2h","until":"2030-01-01T00:00:00Z"}`, 400, nil)
	fails = &automation.UsageError{Err: errors.New("it does not say why")}
	f(`{"kind":"kill"}`, 400, nil)
	fails = errors.New("Kafka is away")
	f(`{"kind":"kill","why":"x"}`, 503, nil)
	said = nil
	if got := send(t, lonely(), "POST", at, deployerToken, `{"kind":"kill","why":"x"}`); got != 403 || said != nil {
		t.Errorf("a deployer: %d, said %v", got, said)
	}
}

// TestHistory reads what was recorded from a database.
func TestHistory(t *testing.T) {
	database := embeddedtest.ClickHouse(t)
	db, err := clickhouse.Open(clickhouse.Config{DSN: database.DSN()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var windows processors.Windows
	for i := range 5 {
		nan := math.NaN()
		windows.Append(processors.WindowRow{Indicator: "requests", Entity: "cart", Labels: `{"service.name":"cart"}`, Start: after(60 * i), End: after(60*i + 60), Revision: 1,
			Count: int64(i), Sum: nan, Min: nan, Max: nan, P50: nan, P90: nan, P95: nan, P99: nan, Complete: true})
	}
	rec, err := processors.DecodeRecord(windows.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	w := db.Writer()
	if err := w.Insert(t.Context(), clickhouse.TableWindows, rec, ""); err != nil {
		t.Fatal(err)
	}
	old := flyball.Decision{ID: "old", At: after(-100), Verb: flyball.VerbSuppress, Rule: "r", Finding: "f-0", Entity: "cart", Gates: []flyball.GateResult{{Gate: "scope", Reason: "no"}}}
	older := old
	older.ID, older.At = "older", after(-200)
	if err := w.InsertDecisions(t.Context(), []flyball.Decision{old, older}, ""); err != nil {
		t.Fatal(err)
	}
	s, _ := reading(t, 0)
	s.History = db
	h := s.Handler()
	const within = "from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z"
	want(t, h, "GET", "/api/v1/windows?service=cart&indicator=requests&"+within, "", 200, map[string]any{"items.0.samples": 4.0, "items.0.start": "2026-01-01T00:04:00Z",
		"items.4.samples": 0.0, "items.4.error_ratio": nil, "items.0.complete": true, "next": nil})
	want(t, h, "GET", "/api/v1/windows?service=pay&"+within, "", 200, map[string]any{"items.0": nil})
	want(t, h, "GET", "/api/v1/windows", "", 200, map[string]any{"items.0": nil}) // the last hour
	want(t, h, "GET", "/api/v1/windows?cursor=x&"+within, "", 400, nil)
	var page struct{ Next string }
	if err := json.Unmarshal(ask(h, "GET", "/api/v1/windows?limit=2&"+within, "").Body.Bytes(), &page); err != nil || page.Next == "" {
		t.Fatal(page, err)
	}
	want(t, h, "GET", "/api/v1/windows?limit=2&"+within+"&cursor="+page.Next, "", 200, map[string]any{"items.0.samples": 2.0, "items.1.samples": 1.0})
	want(t, h, "GET", "/api/v1/decisions?source=clickhouse&limit=1", "", 200, map[string]any{"items.0.id": "old", "items.0.gates.0.reason": "no"})
	if err := json.Unmarshal(ask(h, "GET", "/api/v1/decisions?source=clickhouse&limit=1", "").Body.Bytes(), &page); err != nil || page.Next == "" {
		t.Fatal(page, err)
	}
	want(t, h, "GET", "/api/v1/decisions?source=clickhouse&limit=1&cursor="+page.Next, "", 200, map[string]any{"items.0.id": "older", "next": nil})
	want(t, h, "GET", "/api/v1/decisions?source=clickhouse&target=x", "", 400, nil)
	want(t, h, "GET", "/api/v1/explain/f-0", "", 200, map[string]any{"source": "clickhouse", "decisions.0.id": "older", "decisions.1.id": "old", "finding": nil})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, h, "GET", "/api/v1/windows", "", 503, map[string]any{"detail": "ClickHouse does not answer, or not in time"})
}
