// Package api serves Flyball's HTTP interface: health, metrics and status.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Status is what GET /api/v1/status returns.
type Status struct {
	// Version of the binary.
	Version string `json:"version"`
	// Roles that this process runs.
	Roles []string `json:"roles"`
	// StartedAt is when it started.
	StartedAt time.Time `json:"started_at"`
	// Ready is whether it has done its first work, see /readyz.
	Ready bool `json:"ready"`
}

// Server is the HTTP server.
type Server struct {
	// Status returns the present status.
	Status func() Status
	// Metrics is what /metrics shows.
	Metrics prometheus.Gatherer
	// Analyses of canaries, and Canaries of the configuration; nil without.
	Analyses Analyses
	Canaries []flyball.Canary
}

// Handler returns the routes.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !s.Status().Ready {
			http.Error(w, "not ready: no role has finished its first transaction", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.HandleFunc("GET /api/v1/status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(s.Status()); err != nil {
			return // the client went away
		}
	})
	if s.Analyses != nil {
		s.canaryRoutes(mux)
	}
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{}))
	return mux
}

// Listen opens the address, host:port.
func Listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen for HTTP on %q: %w", addr, err)
	}
	return l, nil
}

// Serve answers on l until the context ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = srv.Shutdown(grace) // connections that outlive the grace are cut
	})
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("cannot serve HTTP: %w", err)
	}
	return nil
}
