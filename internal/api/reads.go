package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/api/problem"
	"github.com/flyball-io/flyball/internal/results"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/sinks/clickhouse/history"
)

// Results is where the API reads what came out.
type Results interface {
	// Store returns a store with all that there was when it was first asked for, and
	// waits for that until the context ends.
	Store(context.Context) (*results.Store, error)
}

// How many items a page has, and how long windows are looked for, without being told.
const (
	defaultLimit = 100
	maxLimit     = 1000
	defaultRange = time.Hour
	storeTime    = 10 * time.Second
)

func (s *Server) readRoutes(m *router) {
	m.HandleFunc("GET /api/v1/slos", s.slos)
	m.HandleFunc("GET /api/v1/findings", s.findings)
	m.HandleFunc("GET /api/v1/findings/{id}", s.finding)
	m.HandleFunc("GET /api/v1/decisions", s.decisions)
	m.HandleFunc("GET /api/v1/commands", s.commands)
	m.HandleFunc("GET /api/v1/explain/{id}", s.explain)
	m.HandleFunc("GET /api/v1/windows", s.windows)
	m.HandleFunc("GET /api/v1/control", s.inForce)
}

// store returns the store, or answers that it cannot be had.
func (s *Server) store(w http.ResponseWriter, r *http.Request) (*results.Store, bool) {
	ctx, cancel := context.WithTimeout(r.Context(), storeTime)
	defer cancel()
	store, err := s.Results.Store(ctx)
	if err != nil {
		problem.Write(w, r, http.StatusServiceUnavailable, "the results cannot be read yet: "+err.Error(), "ask again; see whether Kafka is there")
		return nil, false
	}
	return store, true
}

// pageBody is a page of a list; next is null on the last.
type pageBody[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next"`
}

func replyPage[T any](w http.ResponseWriter, items []T, next string) {
	p := pageBody[T]{Items: items}
	if items == nil {
		p.Items = []T{}
	}
	if next != "" {
		p.Next = &next
	}
	reply(w, http.StatusOK, p)
}

// filterOf reads the query of a list; it answers when a parameter is unknown or wrong.
func filterOf(w http.ResponseWriter, r *http.Request, known ...string) (results.Filter, bool) {
	q := r.URL.Query()
	f := results.All(defaultLimit)
	fail := func(err error) (results.Filter, bool) {
		refuse(w, http.StatusBadRequest, err)
		return f, false
	}
	known = append(known, "from", "to", "cursor", "limit")
	for name := range q {
		if !slices.Contains(known, name) {
			return fail(fmt.Errorf("unknown parameter %q; there are %q", name, known))
		}
	}
	f.Entity, f.Kind, f.Severity, f.State = q.Get("service"), q.Get("kind"), q.Get("severity"), q.Get("state")
	f.Rule, f.Target, f.SLO, f.Finding, f.Operation = q.Get("rule"), q.Get("target"), q.Get("slo"), q.Get("finding"), q.Get("operation")
	for name, at := range map[string]*flyball.Time{"from": &f.From, "to": &f.To} {
		if err := timeOf(q, name, at); err != nil {
			return fail(err)
		}
	}
	if text := q.Get("cursor"); text != "" {
		k, err := results.ParseCursor(text)
		if err != nil {
			return fail(err)
		}
		f.Before = &k
	}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxLimit {
			return fail(fmt.Errorf("want a limit from 1 to %d, got %q", maxLimit, text))
		}
		f.Limit = n
	}
	return f, true
}

func timeOf(q url.Values, name string, into *flyball.Time) error {
	text := q.Get(name)
	if text == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return fmt.Errorf("want a time such as 2026-01-02T15:04:05Z, got %s %q", name, text)
	}
	*into = flyball.TimeOf(t)
	return nil
}

// findingOf returns a finding as the API gives it: lists are never null.
func findingOf(f flyball.Finding) flyball.Finding {
	if f.Evidence == nil {
		f.Evidence = []flyball.Evidence{}
	}
	return f
}

func (s *Server) findings(w http.ResponseWriter, r *http.Request) {
	f, ok := filterOf(w, r, "service", "kind", "severity", "state")
	if !ok {
		return
	}
	if store, ok := s.store(w, r); ok {
		p := store.Findings(f)
		replyPage(w, mapped(p.Items, findingOf), p.Next)
	}
}

func (s *Server) finding(w http.ResponseWriter, r *http.Request) {
	store, ok := s.store(w, r)
	if !ok {
		return
	}
	f, ok := store.Finding(r.PathValue("id"))
	if !ok {
		refuse(w, http.StatusNotFound, fmt.Errorf("there is no finding %q among the latest", r.PathValue("id")))
		return
	}
	reply(w, http.StatusOK, findingOf(f))
}

// decisionBody is a decision as the API gives it: lists are never null.
type decisionBody struct{ flyball.Decision }

func decisionOf(d flyball.Decision) decisionBody {
	if d.Gates == nil {
		d.Gates = []flyball.GateResult{}
	}
	if d.Explain == nil {
		d.Explain = []flyball.SubExpression{}
	}
	return decisionBody{d}
}

// decisions answers from the topic, or from the database what the topic no longer keeps.
func (s *Server) decisions(w http.ResponseWriter, r *http.Request) {
	f, ok := filterOf(w, r, "service", "state", "rule", "target", "finding", "operation", "source")
	if !ok {
		return
	}
	switch source := r.URL.Query().Get("source"); source {
	case "", "kafka":
		if store, ok := s.store(w, r); ok {
			p := store.Decisions(f)
			replyPage(w, mapped(p.Items, decisionOf), p.Next)
		}
	case "clickhouse":
		s.oldDecisions(w, r, f)
	default:
		refuse(w, http.StatusBadRequest, fmt.Errorf("unknown source %q; want kafka or clickhouse", source))
	}
}

func (s *Server) oldDecisions(w http.ResponseWriter, r *http.Request, f results.Filter) {
	if f.Target != "" || f.Finding != "" || f.Operation != "" {
		refuse(w, http.StatusBadRequest, errors.New("the source clickhouse narrows by service, state, rule, from and to only; ask explain/{id} for one finding or operation"))
		return
	}
	if !s.recorded(w, r) {
		return
	}
	h := history.DecisionFilter{Verb: f.State, Entity: f.Entity, Rule: f.Rule, From: f.From, To: f.To, BeforeAt: flyball.NoTime, Limit: f.Limit + 1}
	if f.Before != nil {
		h.BeforeAt, h.BeforeID = f.Before.At, f.Before.ID
	}
	list, err := history.Decisions(r.Context(), s.History, h)
	if err != nil {
		s.away(w, r, err)
		return
	}
	next := ""
	if len(list) > f.Limit {
		list = list[:f.Limit]
		next = results.Key{At: list[f.Limit-1].At, ID: list[f.Limit-1].ID}.Cursor()
	}
	replyPage(w, mapped(list, decisionOf), next)
}

// outcomeBody is an outcome as the API gives it.
type outcomeBody struct {
	ID    string               `json:"id"`
	Class flyball.OutcomeClass `json:"class"`
	At    flyball.Time         `json:"at"`
	flyball.Outcome
}

// commandBody is a command with what became of it.
type commandBody struct {
	ID       string       `json:"id"`
	At       flyball.Time `json:"at"`
	Decision string       `json:"decision"`
	State    string       `json:"state"`
	flyball.Command
	Outcomes []outcomeBody `json:"outcomes"`
}

func commandOf(c results.Sent) commandBody {
	if c.Reason.Evidence == nil {
		c.Reason.Evidence = []flyball.Evidence{}
	}
	return commandBody{c.ID, c.At, c.Decision, c.State(), c.Command,
		mapped(c.Outcomes, func(o flyball.Outcome) outcomeBody { return outcomeBody{o.ID, o.Class, o.At, o} })}
}

func (s *Server) commands(w http.ResponseWriter, r *http.Request) {
	f, ok := filterOf(w, r, "state", "rule", "target", "finding", "operation")
	if !ok {
		return
	}
	if store, ok := s.store(w, r); ok {
		p := store.Commands(f)
		replyPage(w, mapped(p.Items, commandOf), p.Next)
	}
}

// explainBody is why something was done, or was not.
type explainBody struct {
	ID        string           `json:"id"`
	Source    string           `json:"source"`
	Finding   *flyball.Finding `json:"finding"`
	Decisions []decisionBody   `json:"decisions"`
	Commands  []commandBody    `json:"commands"`
}

// explain answers from the topics, and from the database what they no longer keep.
func (s *Server) explain(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	store, ok := s.store(w, r)
	if !ok {
		return
	}
	b := explainBody{ID: id, Source: "kafka", Commands: []commandBody{}}
	list := store.About(id)
	if len(list) == 0 && s.History != nil {
		var err error
		if list, err = history.About(r.Context(), s.History, id); err != nil {
			s.away(w, r, err)
			return
		}
		b.Source = "clickhouse"
	}
	about := id
	if len(list) > 0 {
		about = list[0].Finding
	}
	if f, ok := store.Finding(about); ok {
		f = findingOf(f)
		b.Finding = &f
	}
	if len(list) == 0 && b.Finding == nil {
		refuse(w, http.StatusNotFound, fmt.Errorf("no decision, finding, operation or command of the log has the id %q", id))
		return
	}
	b.Decisions = mapped(list, decisionOf)
	operations := map[string]bool{}
	for i := range list {
		if op := list[i].Operation; op != "" && !operations[op] {
			operations[op] = true
			f := results.All(maxLimit)
			f.Operation = op
			b.Commands = append(b.Commands, mapped(store.Commands(f).Items, commandOf)...)
		}
	}
	reply(w, http.StatusOK, b)
}

// tierBody is a burn-rate tier of a budget; burn rates are multiples, null without samples.
type tierBody struct {
	Tier   string   `json:"tier"`
	Long   *float64 `json:"burn_long"`
	Short  *float64 `json:"burn_short"`
	Firing bool     `json:"firing"`
}

// sloBody is the status of an error budget. Shares are null without samples.
type sloBody struct {
	SLO           string          `json:"slo"`
	Service       string          `json:"service"`
	Labels        json.RawMessage `json:"labels"`
	At            flyball.Time    `json:"at"`
	State         string          `json:"state"`
	Total         int64           `json:"total"`
	Bad           int64           `json:"bad"`
	ExcludedTotal int64           `json:"excluded_total"`
	ExcludedBad   int64           `json:"excluded_bad"`
	SLI           *float64        `json:"sli"`
	Target        *float64        `json:"target"`
	Consumed      *float64        `json:"budget_consumed"`
	Remaining     *float64        `json:"budget_remaining"`
	PeriodStart   flyball.Time    `json:"period_start"`
	PeriodEnd     flyball.Time    `json:"period_end"`
	Tiers         []tierBody      `json:"tiers"`
	Suppressed    []string        `json:"suppressed"`
	// Exhausts is in how many seconds the budget is gone, by the burn of so long.
	Exhausts map[string]*float64 `json:"exhausts_in_seconds"`
	Complete bool                `json:"complete"`
}

// known returns nil for what is no number.
func known(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

func sloOf(r processors.SLORow) sloBody {
	b := sloBody{SLO: r.SLO, Service: r.Entity, Labels: json.RawMessage(r.Labels), At: r.At, State: r.State, Total: r.Total, Bad: r.Bad,
		ExcludedTotal: r.ExcludedTotal, ExcludedBad: r.ExcludedBad, SLI: known(r.SLI), Target: known(r.Target), Consumed: known(r.BudgetConsumed),
		Remaining: known(1 - r.BudgetConsumed), PeriodStart: r.PeriodStart, PeriodEnd: r.PeriodEnd, Tiers: []tierBody{}, Suppressed: []string{}, Complete: r.Complete,
		Exhausts: map[string]*float64{"1h": known(r.Exhausts1h), "6h": known(r.Exhausts6h), "3d": known(r.Exhausts3d), "trend": known(r.ExhaustsTrend)}}
	if !json.Valid(b.Labels) {
		b.Labels = json.RawMessage("{}")
	}
	b.Suppressed = append(b.Suppressed, r.Suppressed...)
	for i, tier := range r.Tiers {
		b.Tiers = append(b.Tiers, tierBody{tier, known(r.BurnLong[i]), known(r.BurnShort[i]), slices.Contains(r.Firing, tier)})
	}
	return b
}

func (s *Server) slos(w http.ResponseWriter, r *http.Request) {
	f, ok := filterOf(w, r, "service", "slo", "state")
	if !ok {
		return
	}
	if store, ok := s.store(w, r); ok {
		p := store.Budgets(f)
		replyPage(w, mapped(p.Items, sloOf), p.Next)
	}
}

// recorded reports whether there is a database; else it answers that there is none.
func (s *Server) recorded(w http.ResponseWriter, r *http.Request) bool {
	if s.History == nil {
		problem.Write(w, r, http.StatusServiceUnavailable, "nothing is recorded: no ClickHouse is configured", "add clickhouse.dsn to the kind Pipeline")
		return false
	}
	return true
}

// away answers that the database does not.
func (s *Server) away(w http.ResponseWriter, r *http.Request, err error) {
	if s.Log != nil {
		s.Log.Warn("the API cannot read from ClickHouse", "error", err)
	}
	problem.Write(w, r, http.StatusServiceUnavailable, "ClickHouse does not answer, or not in time", "ask again; the log of this process says why")
}

// windows answers from the database.
func (s *Server) windows(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	cursor := q.Get("cursor")
	q.Del("cursor") // of another kind
	plain := r.Clone(r.Context())
	plain.URL.RawQuery = q.Encode()
	f, ok := filterOf(w, plain, "service", "indicator")
	if !ok || !s.recorded(w, r) {
		return
	}
	h := history.WindowFilter{Indicator: q.Get("indicator"), Entity: f.Entity, To: time.Now().UTC(), Limit: f.Limit + 1}
	if f.To != flyball.NoTime {
		h.To = f.To.Std()
	}
	if h.From = h.To.Add(-defaultRange); f.From != flyball.NoTime {
		h.From = f.From.Std()
	}
	if cursor != "" {
		text, err := base64.RawURLEncoding.DecodeString(cursor)
		if err == nil {
			h.Before, err = history.ParseWindow(text)
		}
		if err != nil {
			refuse(w, http.StatusBadRequest, fmt.Errorf("cannot read cursor %q: it is none that was given", cursor))
			return
		}
	}
	list, err := history.Windows(r.Context(), s.History, h)
	if err != nil {
		s.away(w, r, err)
		return
	}
	next := ""
	if len(list) > f.Limit {
		list = list[:f.Limit]
		text, err := list[f.Limit-1].Cursor()
		if err != nil {
			s.away(w, r, err)
			return
		}
		next = base64.RawURLEncoding.EncodeToString(text)
	}
	replyPage(w, list, next)
}
