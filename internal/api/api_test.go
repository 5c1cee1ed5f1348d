package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball/internal/embedded/embeddedtest"
	"github.com/flyball-io/flyball/internal/pipeline"
	"github.com/prometheus/client_golang/prometheus"
)

func TestMain(m *testing.M) { os.Exit(embeddedtest.Main(m)) }

func TestHandler(t *testing.T) {
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "flyball_test_total", Help: "A test."})
	registry.MustRegister(counter)
	counter.Add(3)
	status := Status{Version: "v1", Roles: []string{"decide"}, StartedAt: time.Unix(1, 0).UTC()}
	h := (&Server{Status: func() Status { return status }, Metrics: registry}).Handler()
	f := func(method, path string, wantCode int, want string) {
		t.Helper()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "http://127.0.0.1:8686"+path, nil))
		if w.Code != wantCode || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s %s: %d %q, want %d and %q", method, path, w.Code, w.Body, wantCode, want)
		}
	}
	f("GET", "/healthz", 200, "ok")
	f("GET", "/readyz", 503, "not ready")
	status.Members = []pipeline.MemberHealth{{Role: "decide", Name: "decide-0"}}
	f("GET", "/readyz?verbose", 503, "decide-0: not joined, 0 partitions, nothing committed yet")
	status.Ready = true
	f("GET", "/readyz", 200, "ready")
	status.Members[0] = pipeline.MemberHealth{Name: "decide-0", Joined: true, Partitions: 3, Committed: time.Unix(2, 0)}
	f("GET", "/readyz?verbose", 200, "ready\ndecide-0: joined, 3 partitions, last commit 1970-01-01T00:00:02Z")
	f("GET", "/metrics", 200, "flyball_test_total 3")
	f("POST", "/api/v1/status", 405, "")
	f("GET", "/nowhere", 404, "")

	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1:8686/api/v1/status", nil))
	var got Status
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Version != "v1" || !got.Ready || got.Roles[0] != "decide" {
		t.Errorf("status %s: %v", w.Body, err)
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Status: func() Status { return Status{} }, Metrics: prometheus.NewRegistry()}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + l.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || string(body) != "ok\n" {
		t.Errorf("got %q, %v", body, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("serving ended with %v", err)
	}
}

func TestListenNamesTheAddress(t *testing.T) {
	if _, err := Listen("256.0.0.1:x"); err == nil || !strings.Contains(err.Error(), "256.0.0.1:x") {
		t.Errorf("got %v", err)
	}
}
