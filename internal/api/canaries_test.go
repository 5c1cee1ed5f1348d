package api

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/canaries"
)

// shelf is a Store whose requests stay where they are made.
type shelf struct {
	canaries.Store
	requests []flyball.CanaryRequest
	broken   error
}

func (s *shelf) Request(_ context.Context, r flyball.CanaryRequest) error {
	if s.broken != nil {
		return s.broken
	}
	s.requests = append(s.requests, r)
	s.AddRequest(r)
	return nil
}

const began = flyball.Time(1_767_225_600_000_000_000)

func verdictOf(id, entity, version, verdict, phase string, weight int) flyball.Verdict {
	inf, nan := flyball.Number(math.Inf(1)), flyball.Number(math.NaN())
	cohort := flyball.CohortVerdict{Replicas: 1, Count: 60, Mean: 0.01, Max: 0.1, Std: 0.02, Last: nan}
	return flyball.Verdict{ID: id, Revision: 1, Canary: "release", Entity: entity, Version: version, Baseline: "1", Phase: phase, Verdict: verdict, Score: 97.5,
		Reason: "a reason", Needs: "12 min", Judge: "sequential", At: began.Add(10 * time.Minute), StartedAt: began, EndsAt: began.Add(time.Hour),
		Looks: 60, AllowedWeight: weight, Metrics: []flyball.MetricVerdict{{Name: "errors", Kind: "count", Direction: "increase", Group: "g", Critical: true,
			Verdict: verdict, Classification: "High", Reason: "worse", Effect: 3, Interval: [2]flyball.Number{2, inf}, Canary: cohort, Baseline: cohort}}}
}

func newShelf(verdicts ...flyball.Verdict) (*shelf, http.Handler) {
	s := &shelf{}
	for _, v := range verdicts {
		s.AddVerdict(v)
	}
	server := &Server{Metrics: prometheus.NewRegistry(), Status: func() Status { return Status{} }, Analyses: s, Canaries: []flyball.Canary{
		{Name: "release", Judge: "sequential", Pass: 95, Marginal: 75, GroupWeights: map[string]float64{"g": 60},
			Metrics: []flyball.CanaryMetric{{Name: "errors", Indicator: "requests", Kind: "count", Direction: "increase", Margin: 1.25, Group: "g"}}},
		{Name: "other", Judge: "kayenta"}}}
	return s, server.Handler()
}

func ask(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, "http://127.0.0.1:8686"+path, strings.NewReader(body)))
	return w
}

// want asks and compares the code and some members of the answer, at paths.
func want(t *testing.T, h http.Handler, method, path, body string, code int, members map[string]any) {
	t.Helper()
	w := ask(h, method, path, body)
	holds(t, httptest.NewRequest(method, "http://127.0.0.1:8686"+path, nil), w)
	if w.Code != code {
		t.Errorf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, code)
		return
	}
	var got any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Errorf("%s %s: %s: %v", method, path, w.Body, err)
		return
	}
	for at, value := range members {
		if have := member(got, at); have != value {
			t.Errorf("%s %s: %s is %v, want %v in\n%s", method, path, at, have, value, w.Body)
		}
	}
}

// member returns what is at a path such as a.b.0.c.
func member(v any, path string) any {
	for _, name := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			if len(name) != 1 || int(name[0]-'0') >= len(x) {
				return nil
			}
			v = x[name[0]-'0']
		default:
			return nil
		}
	}
	return v
}

func TestVerdictsForArgoAndSpinnaker(t *testing.T) {
	_, h := newShelf(
		verdictOf("a", "cart", "2", "fail", flyball.PhaseEnded, 0),
		verdictOf("b", "pay", "2", "pass", flyball.PhaseEnded, 100),
		verdictOf("c", "shop", "3", "inconclusive", flyball.PhaseRunning, 25),
		verdictOf("d", "shop", "4", "inconclusive", flyball.PhaseCancelled, 0),
	)
	f := func(path string, members map[string]any) { t.Helper(); want(t, h, "GET", path, "", 200, members) }
	f("/api/v1/verdicts/a", map[string]any{"verdict": "fail", "score": 97.5, "status": "FAIL", "message": "a reason; needs 12 min", "phase": "ended"})
	f("/api/v1/verdicts/b", map[string]any{"verdict": "pass", "status": "PASS", "allowed_weight": 100.0})
	f("/api/v1/verdicts/c", map[string]any{"verdict": "inconclusive", "status": "RUNNING", "metrics.0.interval.1": "Infinity", "history": nil})
	f("/api/v1/verdicts/d", map[string]any{"status": "CANCELED"})
	f("/api/v1/verdicts/release?entity=pay", map[string]any{"id": "b"})
	f("/api/v1/verdicts/release?entity=shop&version=3&history=true", map[string]any{"id": "c", "history.0.id": "c"})
	f("/api/v1/canaries?status=fail", map[string]any{"canaries.0.id": "a", "canaries.1": nil})
	f("/api/v1/canaries?entity=shop", map[string]any{"canaries.1.entity": "shop", "canaries.2": nil})
	want(t, h, "GET", "/api/v1/verdicts/none", "", 404, map[string]any{"status": 404.0, "title": "Not Found", "detail": `there is no analysis "none", and no canary of that name was analysed`})
}

func TestStartAndCancel(t *testing.T) {
	s, h := newShelf()
	w := ask(h, "POST", "/api/v1/canaries", `{"id":"run-1","canary":"release","entity":"cart","version":"2","cancel":true}`)
	if w.Code != 202 || w.Header().Get("Location") != "http://127.0.0.1:8686/api/v1/verdicts/run-1" {
		t.Fatalf("%d %s, location %q", w.Code, w.Body, w.Header().Get("Location"))
	}
	if r := s.requests[0]; r.ID != "run-1" || r.Cancel || r.Version != "2" || r.By != "api" {
		t.Errorf("got %+v", r)
	}
	want(t, h, "GET", "/api/v1/verdicts/run-1", "", 200, map[string]any{"status": "RUNNING", "verdict": "inconclusive", "entity": "cart", "reason": "it has not begun"})
	want(t, h, "POST", "/api/v1/canaries", `{"canary":"release","entity":"cart"}`, 202, map[string]any{"status": "RUNNING"})
	if id := s.requests[1].ID; !strings.HasPrefix(id, "release-") || len(id) < 20 {
		t.Errorf("the id is %q", id)
	}
	want(t, h, "POST", "/api/v1/canaries/run-1/cancel", "", 202, map[string]any{"status": "CANCELED"})
	if r := s.requests[2]; !r.Cancel || r.ID != "run-1" || r.Entity != "cart" || r.Canary != "release" {
		t.Errorf("got %+v", r)
	}
	want(t, h, "GET", "/api/v1/verdicts/run-1", "", 200, map[string]any{"status": "CANCELED"})
	for body, problem := range map[string]string{
		`{"canary":"relaese","entity":"cart"}`:                   `no canary "relaese" is configured; there are ["release" "other"]`,
		`{"canary":"release"}`:                                   "want an entity: what is compared, such as a service.name",
		`{"canary":"release","entity":"cart","id":"a/b"}`:        `the id "a/b" has spaces or slashes`,
		`{"canary":"release","entity":"cart","seconds":9999999}`: "9999999 seconds are no length of an analysis",
	} {
		want(t, h, "POST", "/api/v1/canaries", body, 400, map[string]any{"detail": problem})
	}
	want(t, h, "POST", "/api/v1/canaries", `{`, 400, nil)
	want(t, h, "DELETE", "/api/v1/canaries/none", "", 400, nil)
	s.broken = context.DeadlineExceeded
	want(t, h, "POST", "/api/v1/canaries", `{"canary":"release","entity":"cart"}`, 503, nil)
}

func TestCDEvents(t *testing.T) {
	s, h := newShelf()
	event := `{"context":{"version":"0.4.1","id":"e-1","source":"/ci","type":"dev.cdevents.service.upgraded.0.2.0"},
		"subject":{"id":"ns/cart","type":"service","content":{"environment":{"id":"prod"},"artifactId":"pkg:oci/shop/cart@sha256%3A12?repository_url=x&tag=2.0"}}}`
	want(t, h, "POST", "/api/v1/cdevents?canary=release", event, 202, map[string]any{"started.0": "cdevents-e-1-release", "started.1": nil})
	if r := s.requests[0]; r.Entity != "cart" || r.Version != "2.0" || r.By != "cdevents" {
		t.Errorf("got %+v", r)
	}
	structured := `{"specversion":"1.0","type":"dev.cdevents.service.deployed.0.2.0","data":` + strings.Replace(event, "upgraded", "deployed", 1) + `}`
	want(t, h, "POST", "/api/v1/cdevents", structured, 202, map[string]any{"started.1": "cdevents-e-1-other"})
	want(t, h, "POST", "/api/v1/cdevents", `{"context":{"type":"dev.cdevents.build.started.0.1.0"}}`, 202, map[string]any{"started.0": nil})
}

func TestFlaggerGates(t *testing.T) {
	s, h := newShelf(
		verdictOf("flagger-prod-cart-abc", "cart", "2", "fail", flyball.PhaseEnded, 0),
		verdictOf("p", "pay", "2", "pass", flyball.PhaseEnded, 100),
		verdictOf("q", "shop", "2", "inconclusive", flyball.PhaseRunning, 25),
	)
	f := func(gate, body string, open bool, says string) {
		t.Helper()
		w := ask(h, "POST", "/flagger/"+gate, body)
		if (w.Code <= 202) != open || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%s %s: %d %q, want open %v and %q", gate, body, w.Code, w.Body, open, says)
		}
	}
	failed := `{"name":"cart","namespace":"prod","phase":"Progressing","checksum":"abc"}`
	passed, waiting := `{"name":"pay","phase":"Progressing"}`, `{"name":"shop","metadata":{"canary":"release"}}`
	for _, gate := range []string{"confirm-rollout", "confirm-traffic-increase", "confirm-promotion"} {
		f(gate, failed, false, "fail: a reason")
		f(gate, passed, true, "pass")
		f(gate, waiting, false, "inconclusive: a reason; needs 12 min")
	}
	f("confirm-traffic-increase", `{"name":"shop","metadata":{"weight":"25"}}`, true, "25 %")
	f("confirm-traffic-increase", `{"name":"shop","metadata":{"weight":"26"}}`, false, "25 %")
	f("confirm-traffic-increase", `{"name":"shop","metadata":{"weight":"many"}}`, false, "no number")
	f("rollout", waiting, true, "inconclusive") // waits, and is no failed check
	f("rollout", failed, false, "fail")
	f("rollback", failed, true, "fail") // the other way round
	f("rollback", passed, false, "pass")
	f("rollback", waiting, false, "inconclusive")
	f("rollback", `{"name":"unknown"}`, false, "no analysis of unknown")
	f("event", failed, true, "")
	f("start", `{"name":"new","namespace":"prod","checksum":"x y","metadata":{"canary":"release","version":"3"}}`, true, "flagger-prod-new-x_y")
	f("start", `{"name":"new","metadata":{"canary":"none"}}`, false, "no canary")
	if r := s.requests[0]; r.Entity != "new" || r.Version != "3" || r.By != "flagger" {
		t.Errorf("got %+v", r)
	}
	f("confirm-rollout", `{"name":"new","namespace":"prod","checksum":"x y"}`, false, "it has not begun")
}
