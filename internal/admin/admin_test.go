package admin

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

func TestOnlyThisMachine(t *testing.T) {
	for _, addr := range []string{":6060", "0.0.0.0:0", "192.168.0.1:6060", "[::]:6060", "example.com:6060", "6060"} {
		if l, err := Listen(addr); err == nil {
			l.Close()
			t.Errorf("it listens on %q", addr)
		}
	}
	for _, addr := range []string{"127.0.0.1:0", "localhost:0"} {
		l, err := Listen(addr)
		if err != nil {
			t.Error(err)
			continue
		}
		l.Close()
	}
}

func TestProfiles(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, slog.New(slog.DiscardHandler)) }()
	f := func(path, want string, code int) {
		t.Helper()
		resp, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != code || !strings.Contains(string(text), want) {
			t.Errorf("%s: %d %v, want %q in\n%.300s", path, resp.StatusCode, err, want, text)
		}
	}
	f("/debug/pprof/", "goroutine", 200)
	f("/debug/pprof/goroutine?debug=2", "admin.TestProfiles", 200)
	f("/debug/pprof/heap?debug=1", "heap profile", 200)
	f("/metrics", "", 404)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
