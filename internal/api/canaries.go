package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/api/access"
	"github.com/flyball-io/flyball/internal/api/problem"
	"github.com/flyball-io/flyball/internal/canaries"
)

// Analyses is what the API needs to know of canaries.
type Analyses interface {
	// Get returns an analysis, List all of them, those that changed last first.
	Get(id string) (canaries.Analysis, bool)
	List() []canaries.Analysis
	// Request asks for an analysis, or for its end.
	Request(ctx context.Context, r flyball.CanaryRequest) error
}

// verdictBody is a verdict as the API gives it: with what stages of pipelines poll.
type verdictBody struct {
	flyball.Verdict
	// Status is RUNNING, PASS, MARGINAL, FAIL, INCONCLUSIVE or CANCELED.
	Status string `json:"status"`
	// Message is the reason, and what is needed.
	Message string `json:"message"`
	// History has all verdicts, when that is asked for.
	History []flyball.Verdict `json:"history,omitempty"`
}

func bodyOf(a *canaries.Analysis, history bool) verdictBody {
	v := a.Last()
	b := verdictBody{Verdict: v, Status: statusOf(&v), Message: v.Reason}
	if v.Needs != "" && !strings.Contains(b.Message, v.Needs) {
		b.Message += "; needs " + v.Needs
	}
	if history {
		b.History = a.Verdicts
	}
	return b
}

func statusOf(v *flyball.Verdict) string {
	switch {
	case v.Phase == flyball.PhaseCancelled:
		return "CANCELED"
	case !v.Final():
		return "RUNNING"
	}
	return strings.ToUpper(v.Verdict)
}

func (s *Server) canaryRoutes(mux *router) {
	mux.HandleFunc("GET /api/v1/verdicts/{id}", s.verdict)
	mux.HandleFunc("GET /api/v1/canaries", s.list)
	mux.HandleFunc("POST /api/v1/canaries", s.startCanary)
	mux.HandleFunc("GET /api/v1/canaries/{id}", s.verdict)
	mux.HandleFunc("DELETE /api/v1/canaries/{id}", s.cancelCanary)
	mux.HandleFunc("POST /api/v1/canaries/{id}/cancel", s.cancelCanary)
	mux.HandleFunc("POST /api/v1/cdevents", s.deployed)
	s.flaggerRoutes(mux)
	s.kayentaRoutes(mux)
}

// verdict answers what is known of an analysis, or of the latest one of a canary.
func (s *Server) verdict(w http.ResponseWriter, r *http.Request) {
	a, ok := s.find(r.PathValue("id"), r.URL.Query().Get("entity"), r.URL.Query().Get("version"))
	if !ok {
		refuse(w, http.StatusNotFound, fmt.Errorf("there is no analysis %q, and no canary of that name was analysed", r.PathValue("id")))
		return
	}
	reply(w, http.StatusOK, bodyOf(&a, r.URL.Query().Get("history") == "true"))
}

// find returns an analysis by its id, or the latest of a canary, of an entity and a
// version where those are given.
func (s *Server) find(name, entity, version string) (canaries.Analysis, bool) {
	if a, ok := s.Analyses.Get(name); ok {
		return a, true
	}
	var found *canaries.Analysis
	for _, a := range s.Analyses.List() {
		v := a.Last()
		if v.Canary != name && name != "" || entity != "" && v.Entity != entity || version != "" && v.Version != version {
			continue
		}
		if found == nil || startOf(&a) > startOf(found) {
			found = &a
		}
	}
	if found == nil {
		return canaries.Analysis{}, false
	}
	return *found, true
}

// startOf is when an analysis began; one that has not is the latest.
func startOf(a *canaries.Analysis) flyball.Time {
	if len(a.Verdicts) == 0 {
		return flyball.Time(1<<63 - 1)
	}
	return a.Verdicts[0].StartedAt
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	out := []verdictBody{}
	for _, a := range s.Analyses.List() {
		b := bodyOf(&a, false)
		q := r.URL.Query()
		if matches(q.Get("canary"), b.Canary) && matches(q.Get("entity"), b.Entity) && matches(strings.ToUpper(q.Get("status")), b.Status) {
			b.Metrics = nil
			out = append(out, b)
		}
	}
	reply(w, http.StatusOK, map[string]any{"canaries": out})
}

func matches(want, got string) bool { return want == "" || want == got }

func (s *Server) startCanary(w http.ResponseWriter, r *http.Request) {
	var q flyball.CanaryRequest
	if !readJSON(w, r, &q) {
		return
	}
	q.Cancel = false
	q.By = by(r, q.By)
	if err := s.start(r.Context(), &q); err != nil {
		refuseError(w, err)
		return
	}
	at := address(r) + "/api/v1/verdicts/" + q.ID
	w.Header().Set("Location", at)
	reply(w, http.StatusAccepted, map[string]string{"id": q.ID, "status": "RUNNING", "verdict": flyball.VerdictInconclusive, "url": at})
}

// by says who asks: what they say, and the name of their token where there is one.
func by(r *http.Request, says string) string {
	id, ok := access.From(r.Context())
	switch {
	case !ok || id.Name == access.AnonymousName:
		return cmp.Or(says, "api")
	case says == "" || says == id.Name:
		return id.Name
	}
	return says + " (" + id.Name + ")"
}

// address is where the server was asked; tools that poll a Location want all of it.
func address(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return cmp.Or(r.Header.Get("X-Forwarded-Proto"), scheme) + "://" + cmp.Or(r.Header.Get("X-Forwarded-Host"), r.Host)
}

// badRequest is a request that cannot be followed, whoever asks again.
type badRequest struct{ problem string }

// Error returns the problem.
func (e *badRequest) Error() string { return e.problem }

// start asks for an analysis of what is configured; without an id it gets one.
func (s *Server) start(ctx context.Context, q *flyball.CanaryRequest) error {
	var names []string
	for _, c := range s.Canaries {
		names = append(names, c.Name)
	}
	switch {
	case !slices.Contains(names, q.Canary):
		return &badRequest{fmt.Sprintf("no canary %q is configured; there are %q", q.Canary, names)}
	case q.Entity == "":
		return &badRequest{"want an entity: what is compared, such as a service.name"}
	case q.Seconds < 0 || q.Seconds > 7*24*3600:
		return &badRequest{fmt.Sprintf("%d seconds are no length of an analysis", q.Seconds)}
	case strings.ContainsFunc(q.ID, func(r rune) bool { return r <= ' ' || r == '/' }):
		return &badRequest{fmt.Sprintf("the id %q has spaces or slashes", q.ID)}
	}
	if q.ID == "" {
		id := make([]byte, 8)
		if _, err := rand.Read(id); err != nil {
			return fmt.Errorf("cannot make an id: %w", err)
		}
		q.ID = q.Canary + "-" + hex.EncodeToString(id)
		q.ID = strings.ReplaceAll(q.ID, "/", "_")
	}
	return s.Analyses.Request(ctx, *q)
}

func (s *Server) cancelCanary(w http.ResponseWriter, r *http.Request) {
	if err := s.cancel(r.Context(), r.PathValue("id"), by(r, r.URL.Query().Get("by"))); err != nil {
		refuseError(w, err)
		return
	}
	reply(w, http.StatusAccepted, map[string]string{"id": r.PathValue("id"), "status": "CANCELED"})
}

func (s *Server) cancel(ctx context.Context, id, by string) error {
	a, ok := s.Analyses.Get(id)
	if !ok {
		return &badRequest{fmt.Sprintf("there is no analysis %q", id)}
	}
	v := a.Last()
	return s.Analyses.Request(ctx, flyball.CanaryRequest{ID: id, Cancel: true, Canary: v.Canary, Entity: v.Entity, By: by})
}

// readJSON reads the body of a request, and answers when it cannot.
func readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	text, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		refuseBody(w, fmt.Errorf("cannot read the request: %w", err))
		return false
	}
	return true
}

// refuseBody answers a request whose body cannot be read, or is too large.
func refuseBody(w http.ResponseWriter, err error) {
	code := http.StatusBadRequest
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		code = http.StatusRequestEntityTooLarge
	}
	refuse(w, code, err)
}

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(body) // else the client went away
}

// refuse answers with an error: of the API's kind below /api/v1, of Kayenta's else.
func refuse(w http.ResponseWriter, code int, err error) {
	if a, ok := w.(*answer); ok && isAPI(a.request) {
		problem.Write(w, a.request, code, err.Error(), "")
		return
	}
	reply(w, code, map[string]string{"error": err.Error()})
}

func refuseError(w http.ResponseWriter, err error) {
	code := http.StatusServiceUnavailable
	var bad *badRequest
	if errors.As(err, &bad) {
		code = http.StatusBadRequest
	}
	refuse(w, code, err)
}
