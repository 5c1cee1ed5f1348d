package ui

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/automation"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/ui/query"
)

// approvalsData is what waits for a person.
type approvalsData struct {
	Waiting []query.Decision
	Blocked []query.Decision
	// Findings are those behind what waits, by their ids.
	Findings map[string]query.Finding
}

func (s *Server) approvals(r *http.Request, v *view) error {
	ctx := r.Context()
	d := approvalsData{Findings: map[string]query.Finding{}}
	v.Name, v.Section, v.Title, v.Data = "approvals", "approvals", "Approvals", &d
	var err error
	if d.Waiting, err = s.data.Waiting(ctx); err != nil {
		return err
	}
	for i := range d.Waiting[:min(len(d.Waiting), 20)] {
		f, ok, err := s.data.Finding(ctx, d.Waiting[i].Finding)
		if err != nil {
			return err
		}
		if ok {
			d.Findings[f.ID] = f
		}
	}
	d.Blocked, err = s.data.Blocked(ctx)
	return err
}

// controlData is what holds automation, and what may.
type controlData struct {
	Holds    []Hold
	Breakers []query.Breaker
	Config   *config.Config
	Services []string
	Actions  []string
}

func (s *Server) control(r *http.Request, v *view) error {
	ctx := r.Context()
	d := controlData{Config: s.Config}
	v.Name, v.Section, v.Title, v.Data = "control", "control", "Control", &d
	said, err := s.data.Holding(ctx)
	if err != nil {
		return err
	}
	d.Holds = holdsOf(said, v.Now)
	if d.Breakers, err = s.data.Breakers(ctx); err != nil {
		return err
	}
	budgets, err := s.data.Standings(ctx, "", time.Now().Add(-standing))
	d.Services, d.Actions = choices(budgets, s.Config.Rules)
	return err
}

// choices are the names that a scope may have, as far as they are known.
func choices(budgets []query.Status, rules []flyball.Rule) (services, actions []string) {
	seen := map[string]bool{}
	for i := range budgets {
		if name := budgets[i].Entity; !seen["s"+name] {
			seen["s"+name] = true
			services = append(services, name)
		}
	}
	for i := range rules {
		if name := rules[i].Action.Name; !seen["a"+name] {
			seen["a"+name] = true
			actions = append(actions, name)
		}
	}
	sortText(services)
	sortText(actions)
	return services, actions
}

// auditData is who did what, when and why.
type auditData struct {
	List  []query.Control
	Kind  string
	Kinds []flyball.ControlKind
	Older string
	First bool
}

func (s *Server) audit(r *http.Request, v *view) error {
	d := auditData{Kind: r.URL.Query().Get("kind"), Kinds: flyball.ControlKinds()}
	v.Name, v.Section, v.Title, v.Data = "audit", "audit", "Audit", &d
	at, id := cursor(r.URL.Query().Get("before"))
	d.First = at.IsZero()
	list, err := s.data.Controls(r.Context(), d.Kind, at, id, pageSize+1)
	if err != nil {
		return err
	}
	d.List = list[:min(len(list), pageSize)]
	if len(list) > pageSize {
		d.Older = olderThan(r, d.List[pageSize-1].At, d.List[pageSize-1].ID)
	}
	return nil
}

// seenWithin is how long a page waits until what was said is recorded.
const seenWithin = 5 * time.Second

// say does what a form says: it writes a control to its topic, as the command line does,
// and goes back to the page that the form is on.
func (s *Server) say(w http.ResponseWriter, r *http.Request) {
	c, err := controlOf(r)
	if err == nil {
		err = s.Control(r.Context(), c)
	}
	var refused *automation.UsageError
	v := s.newView(r)
	switch {
	case errors.As(err, &refused):
		v.Name, v.Title, v.Data, v.Code = "refused", "That cannot be done", refused.Error(), http.StatusUnprocessableEntity
		s.answer(w, r, v, nil)
		return
	case err != nil:
		v.Name, v.Title, v.Data, v.Code = "refused", "Kafka does not answer", err.Error(), http.StatusServiceUnavailable
		s.Log.Warn("cannot send control", "error", err)
		s.answer(w, r, v, nil)
		return
	}
	s.Log.Info("control", "kind", c.Kind, "who", c.Who, "why", c.Why)
	notice := s.awaitRecorded(r.Context(), c)
	back := "/ui/control"
	if c.Operation != "" {
		back = "/ui/approvals"
	}
	http.Redirect(w, r, back+"?notice="+url.QueryEscape(notice), http.StatusSeeOther)
}

// awaitRecorded waits until ClickHouse has what was said, so that the next page shows it.
func (s *Server) awaitRecorded(ctx context.Context, c *flyball.Control) string {
	said := strings.ReplaceAll(string(c.Kind), "_", " ") + " was said"
	for deadline := time.Now().Add(seenWithin); time.Now().Before(deadline) && ctx.Err() == nil; {
		s.data.Forget()
		list, err := s.data.Controls(ctx, string(c.Kind), time.Time{}, "", 10)
		for i := range list {
			if err == nil && list[i].ID == c.ID {
				s.hub.Tell("controls", "decisions")
				return said + ", and holds from the next decision on."
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	return said + ". It holds from the next decision on, and is shown here when it is recorded."
}

// controlOf reads a form. Whoever has a token is who it says; else the form does.
func controlOf(r *http.Request) (*flyball.Control, error) {
	text := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	c := &flyball.Control{Kind: flyball.ControlKind(text("kind")), Who: cmp.Or(visitorOf(r).Name, text("who")), Why: text("why"),
		Operation: text("operation"), Target: text("target"), Guardrail: text("guardrail"), Backlog: text("backlog"),
		Mode: flyball.Mode(text("mode")), Lifts: text("lifts"), At: flyball.TimeOf(time.Now())}
	switch c.Kind {
	case flyball.ControlKill, flyball.ControlPause, flyball.ControlResume, flyball.ControlMaintenance, flyball.ControlMode:
		kind, name, _ := strings.Cut(cmp.Or(text("scope"), flyball.ScopeGlobal), "/")
		c.Scope = flyball.Scope{Kind: kind, Name: name}
	}
	if lasts := text("for"); lasts != "" {
		d, err := time.ParseDuration(lasts)
		if err != nil || d <= 0 {
			return nil, &automation.UsageError{Err: errors.New("cannot read how long: want a duration such as 30m or 2h")}
		}
		c.Until = c.At.Add(d)
	}
	return c, nil
}
