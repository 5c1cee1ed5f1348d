package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/api/access"
	"github.com/flyball-io/flyball/internal/automation"
	"github.com/flyball-io/flyball/internal/results"
	"github.com/flyball-io/flyball/processors/remediation/memory"
)

// controlRequest is what POST /api/v1/control takes: a control, with how long instead of
// until when where that is easier.
type controlRequest struct {
	Kind flyball.ControlKind `json:"kind"`
	Who  string              `json:"who"`
	Why  string              `json:"why"`
	// Scope of kill, pause, resume, maintenance and mode; without it everything.
	Scope flyball.Scope `json:"scope"`
	// For is a duration such as 2h, Until a time; one of them at most.
	For   string       `json:"for"`
	Until flyball.Time `json:"until"`

	Lifts     string       `json:"lifts"`
	Mode      flyball.Mode `json:"mode"`
	Operation string       `json:"operation_id"`
	Target    string       `json:"target"`
	Guardrail string       `json:"guardrail"`
	Backlog   string       `json:"backlog"`
}

// controlBody is a control as the API gives it.
type controlBody struct {
	ID   string              `json:"id"`
	Kind flyball.ControlKind `json:"kind"`
	At   flyball.Time        `json:"at"`
	flyball.Control
}

func bodyOfControl(c flyball.Control) controlBody { return controlBody{c.ID, c.Kind, c.At, c} }

// control tells the decide role what a person says.
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	var q controlRequest
	text, err := io.ReadAll(r.Body)
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields() // a kill with its scope misspelt would be another
		err = d.Decode(&q)
	}
	if err != nil {
		refuseBody(w, fmt.Errorf("cannot read the request: %w", err))
		return
	}
	c, err := q.control(time.Now())
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	id, _ := access.From(r.Context()) // the route requires one
	if c.Who = by(r, q.Who); c.Who == "api" {
		c.Who = id.Name
	}
	err = s.Control(r.Context(), &c)
	var wrong *automation.UsageError
	switch {
	case errors.As(err, &wrong):
		refuse(w, http.StatusBadRequest, err)
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, err)
	default:
		reply(w, http.StatusAccepted, bodyOfControl(c))
	}
}

func (q *controlRequest) control(now time.Time) (flyball.Control, error) {
	c := flyball.Control{Kind: q.Kind, At: flyball.TimeOf(now), Why: q.Why, Scope: q.Scope, Until: q.Until, Lifts: q.Lifts, Mode: q.Mode,
		Operation: q.Operation, Target: q.Target, Guardrail: q.Guardrail, Backlog: q.Backlog}
	if !slices.Contains(flyball.ControlKinds(), c.Kind) {
		return c, fmt.Errorf("unknown kind %q; want one of %q", c.Kind, flyball.ControlKinds())
	}
	if automation.NeedsScope(c.Kind) && c.Scope == (flyball.Scope{}) {
		c.Scope.Kind = flyball.ScopeGlobal
	}
	if c.Kind == flyball.ControlResetBreaker {
		c.Backlog = cmp.Or(c.Backlog, flyball.BacklogSkip)
	}
	if q.For == "" {
		return c, nil
	}
	lasts, err := time.ParseDuration(q.For)
	switch {
	case c.Until != 0:
		return c, errors.New("for and until say the same: send one of them")
	case err != nil || lasts <= 0:
		return c, fmt.Errorf("want a duration such as 2h, got for %q", q.For)
	}
	c.Until = c.At.Add(lasts)
	return c, nil
}

// waitingBody is an operation that waits for a person, or that nobody knows about.
type waitingBody struct {
	Operation string         `json:"operation_id"`
	Rule      string         `json:"rule"`
	Finding   string         `json:"finding"`
	Entity    string         `json:"entity"`
	Target    string         `json:"target"`
	Action    flyball.Action `json:"action"`
	Mode      flyball.Mode   `json:"mode"`
	Attempt   int            `json:"attempt"`
	// Since is when it was decided, or sent; Due is when that ends by itself.
	Since flyball.Time `json:"since"`
	Due   flyball.Time `json:"due"`
}

type breakerBody struct {
	Guardrail string `json:"guardrail"`
	Reason    string `json:"reason"`
}

// forceBody is what GET /api/v1/control returns.
type forceBody struct {
	// Clock is the event time up to which decide has come.
	Clock    flyball.Time  `json:"clock"`
	Holds    []controlBody `json:"holds"`
	Breakers []breakerBody `json:"breakers"`
	Waiting  []waitingBody `json:"waiting"`
	Unknown  []waitingBody `json:"unknown"`
}

// inForce answers what holds automation, and what waits for a person.
func (s *Server) inForce(w http.ResponseWriter, r *http.Request) {
	store, ok := s.store(w, r)
	if !ok {
		return
	}
	f := store.Force(flyball.TimeOf(time.Now()))
	reply(w, http.StatusOK, forceBody{f.Clock, mapped(f.Holds, bodyOfControl),
		mapped(f.Breakers, func(b results.Breaker) breakerBody { return breakerBody(b) }), mapped(f.Waiting, waitingOf), mapped(f.Unknown, waitingOf)})
}

func waitingOf(o memory.Operation) waitingBody {
	return waitingBody{o.ID, o.Rule, o.Finding, o.Entity, o.Target, o.Action, o.Mode, o.Attempt, o.SentAt, o.Due}
}

// mapped returns a list that is never null.
func mapped[T, U any](list []T, f func(T) U) []U {
	out := make([]U, len(list))
	for i := range list {
		out[i] = f(list[i])
	}
	return out
}
