// Package api serves Flyball's HTTP interface: health, metrics, status, canaries, and
// the pages that it is given. Who may ask for what is in package access.
package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/docs"
	"github.com/flyball-io/flyball/internal/api/access"
	"github.com/flyball-io/flyball/internal/canaries"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/pipeline"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// Status is what GET /api/v1/status returns.
type Status struct {
	// Version of the binary.
	Version string `json:"version"`
	// Roles that this process runs.
	Roles []string `json:"roles"`
	// StartedAt is when it started.
	StartedAt time.Time `json:"started_at"`
	// Ready is whether all its members have joined their groups, see /readyz.
	Ready bool `json:"ready"`
	// Members are the group members of this process.
	Members []pipeline.MemberHealth `json:"members"`
}

// Server is the HTTP server.
type Server struct {
	// Status returns the present status.
	Status func() Status
	// Metrics is what /metrics shows, with those of this server.
	Metrics prometheus.Gatherer
	// HTTP has the tokens, the certificate and the limits of [Server.Serve].
	HTTP spec.HTTP
	// Log takes what happens; nil drops it.
	Log *slog.Logger
	// Analyses of canaries, and Canaries of the configuration; nil without.
	Analyses Analyses
	Canaries []flyball.Canary
	// Indicators of the configuration, and Past, which has what canaries of the past were
	// found to be.
	Indicators []flyball.Indicator
	Past       canaries.Store
	// Results are what came out; nil without.
	Results Results
	// History is where results are recorded; nil without.
	History *clickhouse.DB
	// Control tells the decide role what a person says; nil without.
	Control func(context.Context, *flyball.Control) error
	// Pages, when set, returns what answers all paths that are not those of the API:
	// a web UI. It asks the guard who is there, and must require roles itself. Answers
	// that take longer than a minute set their own write deadline.
	Pages func(*access.Guard) http.Handler
}

// Handler returns the routes for requests of this machine without tokens; see
// [access.Open].
func (s *Server) Handler() http.Handler { return s.handler(access.Open()) }

func (s *Server) handler(g *access.Guard) http.Handler {
	m := newRouter(g)
	metrics := prometheus.Gatherers{m.registry}
	if s.Metrics != nil {
		metrics = append(metrics, s.Metrics)
	}
	m.open("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	m.open("GET /readyz", s.readiness)
	m.open("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}).ServeHTTP)
	m.open("POST /login", g.Login)
	m.open("POST /logout", g.Logout)
	m.open("GET /api/v1/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(docs.OpenAPI) // else the client went away
	})
	m.HandleFunc("GET /api/v1/session", func(w http.ResponseWriter, r *http.Request) {
		id, _ := access.From(r.Context()) // the route requires one
		reply(w, http.StatusOK, id)
	})
	m.HandleFunc("GET /api/v1/status", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, s.Status()) })
	if s.Analyses != nil {
		s.canaryRoutes(m)
	}
	if s.Results != nil {
		s.readRoutes(m)
	}
	if s.Control != nil {
		m.require(access.Operator, "POST /api/v1/control", s.control)
	}
	if s.Pages != nil {
		m.page = s.Pages(g)
	}
	return m
}

// readiness answers whether all members have joined their groups; with ?verbose it says
// how each of them is.
func (s *Server) readiness(w http.ResponseWriter, r *http.Request) {
	status := s.Status()
	if status.Ready {
		fmt.Fprintln(w, "ready")
	} else {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, "not ready: not all members have joined their groups")
	}
	if !r.URL.Query().Has("verbose") {
		return
	}
	for _, m := range status.Members {
		state := "joined"
		if !m.Joined {
			state = "not joined"
		}
		last := "nothing committed yet"
		if !m.Committed.IsZero() {
			last = "last commit " + m.Committed.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(w, "%s: %s, %d partitions, %s\n", m.Name, state, m.Partitions, last)
	}
}

// Listen opens the address, host:port.
func Listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen for HTTP on %q: %w", addr, err)
	}
	return l, nil
}

// Serve answers on l until the context ends. Without tokens it answers everything when
// only this machine can connect to l, and else only what needs no role.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	log := s.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	guard, err := access.New(s.HTTP, l.Addr())
	if err != nil {
		return err
	}
	if guard.Locked() {
		log.Warn("there are no tokens, and others than this machine can connect: only health and metrics are answered; add http.tokens to the kind Pipeline, or listen on 127.0.0.1",
			"addr", l.Addr().String())
	}
	if s.HTTP.TLS != nil {
		c, err := access.TLS(*s.HTTP.TLS, log)
		if err != nil {
			return err
		}
		l = tls.NewListener(l, c)
	}
	srv := &http.Server{Handler: s.handler(guard), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if srv.Shutdown(grace) != nil {
			_ = srv.Close() // cuts the connections that outlive the grace
		}
	})
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("cannot serve HTTP: %w", err)
	}
	return nil
}
