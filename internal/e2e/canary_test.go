package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/api"
	"github.com/flyball-io/flyball/internal/canaries"
	"github.com/flyball-io/flyball/internal/canaries/history"
	"github.com/flyball-io/flyball/internal/config"
	connectors "github.com/flyball-io/flyball/internal/connect"
	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	"github.com/flyball-io/flyball/internal/loadgen"
	"github.com/flyball-io/flyball/internal/loadgen/shop"
	sinkkafka "github.com/flyball-io/flyball/sinks/kafka"
)

// releases judges new versions of three services, and rolls back those that fail.
const releases = `---
apiVersion: flyball.dev/v1
kind: Indicator
metadata: {name: requests}
spec:
  source: spans
  filter: [span.kind="SERVER"]
  groupBy: [service.version]
  window: 10s
---
apiVersion: flyball.dev/v1
kind: Canary
metadata: {name: release}
spec:
  selector: ['service.name=~"payment|cart|search"']
  metrics:
    - {name: errors, indicator: requests, critical: true, floor: 0.02}
    - {name: latency, indicator: requests, kind: latency, margin: 1.5, muted: true}
  warmup: 30s
  duration: 8m
---
apiVersion: flyball.dev/v1
kind: Guardrail
metadata: {name: all}
spec: {select: ['entity=~".*"']}
---
apiVersion: flyball.dev/v1
kind: Rule
metadata: {name: rollback-canary}
spec:
  when: finding.kind == "canary" && finding.state != "resolved"
  target: deployment/{{finding.entity}}
  action: {name: rollback, params: {from: "{{finding.labels['service.version']}}", to: "{{finding.labels.baseline}}"}}
  mode: auto
`

// releaseLoad is a shop into which a bad version of payment rolls, and a good one of
// cart.
func releaseLoad() loadgen.Config {
	c := shopLoad(400, 13*time.Minute, shop.Incident{Kind: shop.ErrorBurst, Service: "payment", Version: "1.9.0", Start: 3 * time.Minute,
		Duration: 10 * time.Minute, Severity: 0.3})
	c.Shop.Canaries = []shop.Canary{
		{Service: "payment", Version: "1.9.0", Share: 0.3, From: 3 * time.Minute},
		{Service: "cart", Version: "4.3.0", Share: 0.3, From: 3 * time.Minute},
	}
	return c
}

// serveCanaries serves the API of a configuration.
func serveCanaries(t *testing.T, dir string) (string, *canaries.Service) {
	t.Helper()
	cfg, err := config.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	service, err := canaries.FromConfig(cfg, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	db, err := connectors.ClickHouse(cfg.Pipeline.ClickHouse)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- service.Run(t.Context()) }()
	server := httptest.NewServer((&api.Server{Metrics: prometheus.NewRegistry(), Status: func() api.Status { return api.Status{} },
		Analyses: service, Canaries: cfg.Canaries, Indicators: cfg.Indicators, History: db}).Handler())
	t.Cleanup(func() {
		server.Close()
		service.Close()
		_ = db.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return server.URL, service
}

// call asks the API and returns the code and the answer.
func call(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// A bad version that rolls into the shop fails before five minutes are over, and is
// rolled back; a good one passes; one without traffic is neither, and the verdict says
// what is missing.
func TestReleasesAreJudged(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	db := embeddedtest.ClickHouse(t)
	load := record(t, releaseLoad())
	topic := b.topic(t, "spans", int32(load.partitions))
	dir := b.settings(db.DSN()).write(t, spanSource(topic)+releases)
	p := run(t, dir)
	url, service := serveCanaries(t, dir)
	await(t, patience, "the topics of canaries", func() string {
		if service.Ready() {
			return ""
		}
		return "they were not read"
	})
	if code, text := call(t, "POST", url+"/api/v1/canaries", `{"id":"search-run","canary":"release","entity":"search","version":"9.9","by":"e2e"}`); code != 202 {
		t.Fatalf("%d %s", code, text)
	}
	b.produce(t, load.to(topic, 0, len(load.records))...)
	b.produce(t, closers(t, topic, load.partitions, epoch.Add(time.Hour))...)

	conn := db.Open(t)
	await(t, patience, "three verdicts, and a command", func() string {
		n := count(t, conn, "SELECT count() FROM v_canary_verdicts WHERE is_final")
		c := count(t, conn, "SELECT count() FROM v_commands")
		if n != 3 || c != 1 {
			return fmt.Sprintf("%d final verdicts, %d commands", n, c)
		}
		return ""
	})
	final, course := map[string]flyball.Verdict{}, map[string][]flyball.Verdict{}
	for _, r := range b.read(t, b.names().Verdicts()) {
		v, err := sinkkafka.DecodeVerdict(r)
		if err != nil {
			t.Fatal(err)
		}
		course[v.Entity] = append(course[v.Entity], v)
		if v.Final() {
			if final[v.Entity].ID != "" {
				t.Errorf("there are two final verdicts on %s", v.Entity)
			}
			final[v.Entity] = v
		}
	}
	if v := final["payment"]; v.Verdict != flyball.VerdictFail || v.Version != "1.9.0" || v.Baseline != "1.8.2" || v.At.Sub(v.StartedAt) >= 5*time.Minute {
		t.Errorf("payment 1.9.0: %s of %s against %s after %v: %s", v.Verdict, v.Version, v.Baseline, v.At.Sub(v.StartedAt), v.Reason)
	}
	if v := final["cart"]; v.Verdict != flyball.VerdictPass || v.Version != "4.3.0" || v.AllowedWeight != 100 {
		t.Errorf("cart 4.3.0: %s of %s: %s", v.Verdict, v.Version, v.Reason)
	}
	if v := final["search"]; v.Verdict != flyball.VerdictInconclusive || v.ID != "search-run" || !strings.Contains(v.Needs, "traffic in the canary") {
		t.Errorf("search 9.9: %s of %s, needs %q", v.Verdict, v.ID, v.Needs)
	}
	checkRollback(t, b, final["payment"])
	checkServed(t, url)
	// Each table is written by itself: verdicts may be there before the windows they rest on.
	await(t, patience, "the windows", func() string {
		sent, n := len(decodeWindows(t, b.read(t, b.names().Windows()))), count(t, conn, "SELECT count() FROM v_windows")
		if n != sent {
			return fmt.Sprintf("%d of %d are recorded", n, sent)
		}
		return ""
	})
	p.stop()
	for _, service := range []string{"payment", "cart"} {
		checkPast(t, dir, url, course[service])
	}
}

// sameNumber takes what is no number for the same.
func sameNumber(a, b flyball.Number) bool {
	return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b))
}

// checkPast: what was said while a canary ran is said afterwards, from ClickHouse, and
// Kayenta's API says it too.
func checkPast(t *testing.T, dir, url string, ran []flyball.Verdict) {
	t.Helper()
	last := ran[len(ran)-1]
	cfg, err := config.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	db, err := connectors.ClickHouse(cfg.Pipeline.ClickHouse)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	got, err := history.Judge(t.Context(), db, cfg.Canaries, cfg.Indicators, history.Question{Canary: "release", Entity: last.Entity,
		Version: last.Version, Baseline: last.Baseline, From: last.StartedAt, To: last.EndsAt})
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].ID, got[i].By = last.ID, last.By
	}
	if diff := cmp.Diff(ran, got, cmp.Comparer(sameNumber)); diff != "" {
		t.Errorf("%s (- as it ran, + from ClickHouse): %s", last.Entity, diff)
	}
	scope := fmt.Sprintf(`{"scope":%q,"start":%q,"end":%q}`, last.Version, last.StartedAt, last.EndsAt)
	code, text := call(t, "POST", url+"/kayenta/canary/release?application="+last.Entity,
		fmt.Sprintf(`{"scopes":{"default":{"controlScope":{"scope":%q},"experimentScope":%s}}}`, last.Baseline, scope))
	var started struct{ CanaryExecutionID string }
	if err := json.Unmarshal([]byte(text), &started); err != nil || code != 200 {
		t.Fatalf("%d %s: %v", code, text, err)
	}
	_, text = call(t, "GET", url+"/kayenta/canary/"+started.CanaryExecutionID, "")
	label := map[string]string{flyball.VerdictPass: "Pass", flyball.VerdictFail: "Fail"}[last.Verdict]
	if !strings.Contains(text, `"complete":true`) || !strings.Contains(text, fmt.Sprintf(`"classification":%q`, label)) {
		t.Errorf("%s: %s", last.Entity, text)
	}
}

// checkRollback: one command, about the version that failed.
func checkRollback(t *testing.T, b *broker, v flyball.Verdict) {
	t.Helper()
	commands := b.read(t, b.names().Commands())
	if len(commands) != 1 {
		t.Fatalf("%d commands, want 1", len(commands))
	}
	c, err := sinkkafka.DecodeCommand(commands[0])
	if err != nil {
		t.Fatal(err)
	}
	if c.Target != "deployment/payment" || c.Action.Name != "rollback" || c.Action.Params["from"] != "1.9.0" || c.Action.Params["to"] != "1.8.2" || c.At != v.At {
		t.Errorf("got %+v at %s, the verdict is of %s", c, c.At, v.At)
	}
}

// checkServed: deployment tools get the same answers.
func checkServed(t *testing.T, url string) {
	t.Helper()
	_, text := call(t, "GET", url+"/api/v1/verdicts/release?entity=payment&history=true", "")
	var v struct {
		Verdict, Status string
		History         []flyball.Verdict
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil || v.Verdict != "fail" || v.Status != "FAIL" || len(v.History) < 2 {
		t.Errorf("%v: %.300s", err, text)
	}
	f := func(gate, name string, want int) {
		t.Helper()
		if code, text := call(t, "POST", url+"/flagger/"+gate, fmt.Sprintf(`{"name":%q,"metadata":{"canary":"release"}}`, name)); code != want {
			t.Errorf("%s of %s: %d %s", gate, name, code, text)
		}
	}
	f("rollback", "payment", 200)
	f("confirm-promotion", "payment", 403)
	f("confirm-promotion", "cart", 200)
	f("rollback", "cart", 403)
	f("confirm-promotion", "search", 403)
	code, text := call(t, "GET", url+"/kayenta/canary/search-run", "")
	if code != 200 || !strings.Contains(text, `"classification":"Marginal"`) || !strings.Contains(text, `"complete":true`) {
		t.Errorf("%d %s", code, text)
	}
}
