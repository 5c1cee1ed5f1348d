package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flyball-io/flyball/internal/api/access"
	"github.com/flyball-io/flyball/internal/api/problem"
)

// How much a request may have, and how long it may take.
const (
	maxBody      = 1 << 20
	maxJudgeBody = 16 << 20 // below /kayenta: all samples of an analysis
	readTime     = 30 * time.Second
	answerTime   = 30 * time.Second
	writeTime    = time.Minute
)

// router is the routes with the roles that they need.
type router struct {
	mux      *http.ServeMux
	guard    *access.Guard
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	patterns []string
	roles    map[string]access.Role // by pattern; none for what everybody may
	outer    http.Handler
	page     http.Handler // of all other paths; nil without
}

// Collectors returns what the server registers, for the reference.
func Collectors() []prometheus.Collector {
	requests, seconds, refused := newMetrics()
	return []prometheus.Collector{requests, seconds, refused}
}

func newMetrics() (requests *prometheus.CounterVec, seconds *prometheus.HistogramVec, refused *prometheus.CounterVec) {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "flyball_http_requests_total",
			Help: "Requests to the API, by route and status."}, []string{"route", "code"}),
		prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "flyball_http_request_seconds",
			Help: "How long answers of the API took.", Buckets: []float64{.005, .02, .1, .5, 2, 10, 30}}, []string{"route"}),
		prometheus.NewCounterVec(prometheus.CounterOpts{Name: "flyball_http_refused_total",
			Help: "Requests to the API that were refused, by reason."}, []string{"reason"})
}

func newRouter(g *access.Guard) *router {
	m := &router{mux: http.NewServeMux(), guard: g, registry: prometheus.NewRegistry(), roles: map[string]access.Role{}}
	requests, seconds, refused := newMetrics()
	m.requests, m.seconds = requests, seconds
	m.registry.MustRegister(requests, seconds, refused)
	g.OnRefused(func(reason string) { refused.WithLabelValues(reason).Inc() })
	m.outer = g.SameOrigin(http.HandlerFunc(m.route))
	return m
}

// HandleFunc adds a route: what reads needs a viewer, all else a deployer.
func (m *router) HandleFunc(pattern string, f http.HandlerFunc) {
	role := access.Deployer
	if strings.HasPrefix(pattern, "GET ") {
		role = access.Viewer
	}
	m.require(role, pattern, f)
}

// require adds a route that needs a role.
func (m *router) require(role access.Role, pattern string, f http.HandlerFunc) {
	m.roles[pattern] = role
	m.open(pattern, m.guard.Require(role, f).ServeHTTP)
}

// open adds a route that needs none.
func (m *router) open(pattern string, f http.HandlerFunc) {
	m.patterns = append(m.patterns, pattern)
	m.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		limit := int64(maxBody)
		if strings.HasPrefix(r.URL.Path, "/kayenta/") {
			limit = maxJudgeBody
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		if r.Method != http.MethodGet {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTime)) // recorders of tests have none
		}
		ctx, cancel := context.WithTimeout(r.Context(), answerTime)
		defer cancel()
		f(w, r.WithContext(ctx))
	})
}

// ServeHTTP answers a request.
func (m *router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime)) // recorders of tests have none
	began := time.Now()
	_, route := m.mux.Handler(r)
	if route == "" {
		route = "none"
	}
	a := &answer{ResponseWriter: w, request: r, code: http.StatusOK}
	m.outer.ServeHTTP(a, r)
	m.requests.WithLabelValues(route, strconv.Itoa(a.code)).Inc()
	m.seconds.WithLabelValues(route).Observe(time.Since(began).Seconds())
}

// route finds the handler; that there is none is a problem of the API's kind, too.
func (m *router) route(w http.ResponseWriter, r *http.Request) {
	h, pattern := m.mux.Handler(r)
	switch {
	case pattern != "" || !isAPI(r) && m.page == nil:
		m.mux.ServeHTTP(w, r)
	case !isAPI(r):
		m.page.ServeHTTP(w, r)
	default:
		said := unsaid{header: http.Header{}}
		h.ServeHTTP(&said, r)
		if allowed := said.header.Get("Allow"); said.code == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", allowed)
			problem.Write(w, r, said.code, r.Method+" is not for this path; "+allowed+" is", "")
			return
		}
		problem.Write(w, r, http.StatusNotFound, "there is nothing at this path", "GET /api/v1/openapi.json lists what there is")
	}
}

// unsaid takes an answer that is not given.
type unsaid struct {
	header http.Header
	code   int
}

// Header returns the answer's headers.
func (u *unsaid) Header() http.Header { return u.header }

// WriteHeader takes the status.
func (u *unsaid) WriteHeader(code int) { u.code = code }

// Write takes the body.
func (u *unsaid) Write(b []byte) (int, error) { return len(b), nil }

func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/v1/") }

// answer remembers the status of an answer, and whom it answers.
type answer struct {
	http.ResponseWriter
	request *http.Request
	code    int
	wrote   bool
}

// WriteHeader remembers the status.
func (a *answer) WriteHeader(code int) {
	if !a.wrote {
		a.code, a.wrote = code, code >= http.StatusOK
	}
	a.ResponseWriter.WriteHeader(code)
}

// Unwrap is for http.ResponseController: flushes and deadlines.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
