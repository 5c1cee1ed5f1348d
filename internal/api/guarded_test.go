package api

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/api/access"
	"github.com/flyball-io/flyball/internal/api/problem"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/results"
	"github.com/flyball-io/flyball/internal/testcert"
)

const (
	viewerToken   = "v-0123456789abcdef"
	deployerToken = "d-0123456789abcdef"
	operatorToken = "o-0123456789abcdef"
)

func threeTokens() spec.HTTP {
	return spec.HTTP{RequestsPerSecond: 1000, Tokens: []spec.AccessToken{{Name: "grafana", Role: "viewer", Token: viewerToken},
		{Name: "ci", Role: "deployer", Token: deployerToken}, {Name: "ann", Role: "operator", Token: operatorToken}}}
}

// serve runs a server on a listener of its own and returns its host:port.
func serve(t *testing.T, s *Server, listen string) string {
	t.Helper()
	l, err := Listen(listen)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	addr := l.Addr().String()
	return "127.0.0.1" + addr[strings.LastIndexByte(addr, ':'):]
}

// send makes a request with a token and returns its status.
func send(t *testing.T, client *http.Client, method, url, token, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if isAPI(r) && resp.StatusCode >= 400 {
		var p problem.Problem
		if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || resp.Header.Get("Content-Type") != problem.ContentType || p.Status != resp.StatusCode || p.Detail == "" {
			t.Errorf("%s %s: %+v, %v, %v", method, url, p, err, resp.Header)
		}
	}
	return resp.StatusCode
}

func lonely() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
}

func TestEveryRouteNeedsItsRole(t *testing.T) {
	shelf := &shelf{}
	s := &Server{Metrics: prometheus.NewRegistry(), Status: func() Status { return Status{Ready: true} }, Analyses: shelf, HTTP: threeTokens(),
		Results: &followed{store: results.NewStore()}, Control: func(context.Context, *flyball.Control) error { return nil }}
	g, err := access.New(s.HTTP, nil)
	if err != nil {
		t.Fatal(err)
	}
	open := []string{"GET /healthz", "GET /readyz", "GET /metrics", "GET /api/v1/openapi.json", "POST /login", "POST /logout"}
	at := "http://" + serve(t, s, "127.0.0.1:0")
	client := lonely()
	for _, pattern := range s.handler(g).(*router).patterns {
		method, path, _ := strings.Cut(pattern, " ")
		url := at + strings.NewReplacer("{id}", "none", "{config}", "none").Replace(path)
		is := func(token string) bool {
			code := send(t, client, method, url, token, "")
			return code != 401 && code != 403 || strings.HasPrefix(path, "/flagger/") && token != "" && code == 403 && token != viewerToken
		}
		needs := strings.Join(open, ",")
		switch {
		case strings.Contains(needs, pattern):
			if path != "/login" && !is("") {
				t.Errorf("%s needs a token", pattern)
			}
			continue
		case is(""):
			t.Errorf("%s needs no token", pattern)
		}
		reads, control := method == "GET", path == "/api/v1/control"
		if is(viewerToken) != reads || is(deployerToken) != (reads || !control) || !is(operatorToken) {
			t.Errorf("%s: viewer %v, deployer %v, operator %v", pattern, is(viewerToken), is(deployerToken), is(operatorToken))
		}
	}
}

func TestOthersGetHealthOnlyWithoutTokens(t *testing.T) {
	s := &Server{Metrics: prometheus.NewRegistry(), Status: func() Status { return Status{Ready: true} }, Analyses: &shelf{}}
	at := "http://" + serve(t, s, ":0")
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/api/v1/status": 403, "/api/v1/canaries": 403, "/kayenta/canaryConfig": 403} {
		if got := send(t, lonely(), "GET", at+path, "", ""); got != want {
			t.Errorf("GET %s: %d, want %d", path, got, want)
		}
	}
	if got := send(t, lonely(), "POST", at+"/api/v1/canaries", "", "{}"); got != 403 {
		t.Errorf("POST: %d", got)
	}
}

func TestWhoStartsAnAnalysisIsRecorded(t *testing.T) {
	shelf, _ := newShelf()
	s := &Server{Status: func() Status { return Status{} }, Analyses: shelf, HTTP: threeTokens(), Canaries: []flyball.Canary{{Name: "release"}}}
	at := "http://" + serve(t, s, "127.0.0.1:0")
	for _, body := range []string{`{"canary":"release","entity":"cart"}`, `{"canary":"release","entity":"cart","by":"spinnaker"}`} {
		if got := send(t, lonely(), "POST", at+"/api/v1/canaries", deployerToken, body); got != 202 {
			t.Errorf("%s: %d", body, got)
		}
	}
	if len(shelf.requests) != 2 || shelf.requests[0].By != "ci" || shelf.requests[1].By != "spinnaker (ci)" {
		t.Errorf("got %+v", shelf.requests)
	}
}

func TestEncryptedListener(t *testing.T) {
	authority := testcert.New(t)
	pair := authority.Issue(t, "flyball")
	s := &Server{Status: func() Status { return Status{} }, HTTP: threeTokens()}
	s.HTTP.TLS = &spec.ServerTLS{CertFile: pair.CertFile, KeyFile: pair.KeyFile}
	addr := serve(t, s, "127.0.0.1:0")
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: authority.Pool()}}}
	if got := send(t, client, "GET", "https://"+addr+"/api/v1/status", viewerToken, ""); got != 200 {
		t.Errorf("over TLS, by HTTP/2: %d", got)
	}
	client.CloseIdleConnections()
	if got := send(t, lonely(), "GET", "http://"+addr+"/healthz", "", ""); got != 400 {
		t.Errorf("in the clear: %d", got)
	}
	s.HTTP.TLS.KeyFile = "/does/not/exist"
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := s.Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), "http.tls") {
		t.Errorf("a key that is not there: %v", err)
	}
}

func TestProblems(t *testing.T) {
	_, h := newShelf()
	f := func(method, path, body string, code int, detail string) {
		t.Helper()
		w := ask(h, method, path, body)
		var p problem.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != code || p.Status != code || !strings.Contains(p.Detail, detail) ||
			p.Title != http.StatusText(code) || w.Header().Get("Content-Type") != problem.ContentType {
			t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
	}
	f("GET", "/api/v1/nothing", "", 404, "nothing at this path")
	f("PATCH", "/api/v1/canaries", "", 405, "GET, HEAD, POST is")
	f("POST", "/api/v1/canaries", `{"id":"`+strings.Repeat("x", maxBody)+`"}`, 413, "too large")
	f("POST", "/api/v1/canaries", "[", 400, "cannot read the request")
	if w := ask(h, "GET", "/nowhere", ""); w.Code != 404 || strings.Contains(w.Header().Get("Content-Type"), "problem") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := ask(h, "GET", "/metrics", ""); !strings.Contains(w.Body.String(), `flyball_http_requests_total{code="405",route="none"} 1`) {
		t.Errorf("requests are not counted:\n%s", w.Body)
	}
}

func TestPagesAnswerTheRest(t *testing.T) {
	s := &Server{Status: func() Status { return Status{} }, Pages: func(g *access.Guard) http.Handler {
		return g.Require(access.Viewer, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reply(w, 200, r.URL.Path) }))
	}}
	h := s.Handler()
	for path, want := range map[string]string{"/": "\"/\"\n", "/login": "\"/login\"\n", "/slos/a": "\"/slos/a\"\n", "/healthz": "ok\n"} {
		if w := ask(h, "GET", path, ""); w.Code != 200 || w.Body.String() != want {
			t.Errorf("GET %s: %d %q", path, w.Code, w.Body)
		}
	}
	if w := ask(h, "GET", "/api/v1/none", ""); w.Code != 404 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
