// Package ui is the web UI: pages made of templates on what ClickHouse holds, kept up to
// date by server-sent events. Everything that a browser needs is embedded.
//
// Pages are whole without scripts, but for the charts. Scripts only bring in parts of the
// page again when something has changed, and draw.
package ui

import (
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/api/access"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/ui/live"
	"github.com/flyball-io/flyball/internal/ui/query"
	"github.com/flyball-io/flyball/sinks/clickhouse"
)

const (
	// pollEvery is the time between two looks for what is new.
	pollEvery = time.Second
	// maxClients is how many browsers are kept up to date at once.
	maxClients = 256
)

// Options is what the UI shows and may do.
type Options struct {
	// Config is what is measured and decided.
	Config *config.Config
	// Version of the binary, Roles that it runs, StartedAt and Ready as in /api/v1/status.
	Version   string
	Roles     []string
	StartedAt time.Time
	Ready     func() bool
	// DB holds what was recorded; nil shows how to have it recorded.
	DB *clickhouse.DB
	// Metrics are those of this process; its own are registered there, too.
	Metrics *prometheus.Registry
	// Control writes what a person says to the control topic, and completes it.
	Control func(context.Context, *flyball.Control) error
	// Log takes what goes wrong.
	Log *slog.Logger
}

// Server serves the UI below /ui/. Run it beside the HTTP server.
type Server struct {
	Options
	data  *query.Reader
	hub   *live.Hub
	pages map[string]*template.Template
}

// New returns a server.
func New(o Options) *Server {
	s := &Server{Options: o, pages: parsePages()}
	if o.DB != nil {
		s.data = query.New(o.DB)
		s.hub = live.New(s.data.Counts, pollEvery, maxClients)
		s.hub.Changed, s.hub.Log = s.data.Forget, o.Log
		o.Metrics.MustRegister(s.hub.Refused)
	}
	return s
}

// Run keeps browsers up to date until the context ends.
func (s *Server) Run(ctx context.Context) error {
	if s.hub == nil {
		<-ctx.Done()
		return nil
	}
	return s.hub.Run(ctx)
}

// Handler returns the routes, all below /ui/, for whom the guard lets in; it is what
// api.Server asks for as Pages.
func (s *Server) Handler(g *access.Guard) http.Handler {
	g.LoginPage("/ui/login")
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler("/ui/", http.StatusFound))
	mux.Handle("GET /ui/static/", staticFiles())
	mux.HandleFunc("GET /ui/login", s.login)
	read := func(pattern string, h http.Handler) { mux.Handle(pattern, g.Require(access.Viewer, h)) }
	if s.data == nil {
		read("GET /ui/", http.HandlerFunc(s.unrecorded))
		return secured(mux)
	}
	read("GET /ui/events", s.hub)
	for pattern, fill := range s.routes() {
		read("GET "+pattern, s.page(fill))
	}
	for pattern, answer := range s.charts() {
		read("GET "+pattern, answer)
	}
	mux.Handle("POST /ui/say", g.Require(access.Operator, http.HandlerFunc(s.say)))
	return secured(mux)
}

// routes are the pages, by their patterns.
func (s *Server) routes() map[string]func(*http.Request, *view) error {
	return map[string]func(*http.Request, *view) error{
		"/ui/{$}":               s.overview,
		"/ui/services/{entity}": s.service,
		"/ui/slos":              s.slos,
		"/ui/slos/{slo}":        s.slo,
		"/ui/canaries":          s.canaries,
		"/ui/canaries/{id}":     s.canary,
		"/ui/decisions":         s.decisions,
		"/ui/decisions/{id}":    s.decision,
		"/ui/findings/{id}":     s.finding,
		"/ui/operations/{id}":   s.operation,
		"/ui/approvals":         s.approvals,
		"/ui/control":           s.control,
		"/ui/audit":             s.audit,
		"/ui/":                  func(*http.Request, *view) error { return errNotFound },
	}
}

// policy lets pages load what this server serves, and nothing else: no script and no style
// in the page itself, nothing from elsewhere.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secured sets the headers of every answer. What other sites have a browser send, the API
// has refused before it comes here.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// charts are what pages draw, by their patterns.
func (s *Server) charts() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"/ui/services/{entity}/charts": s.serviceCharts,
		"/ui/slos/{slo}/charts":        s.sloCharts,
		"/ui/canaries/{id}/charts":     s.canaryCharts,
	}
}
