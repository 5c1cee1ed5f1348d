package ui

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball/internal/ui/query"
)

// overviewData is the overview.
type overviewData struct {
	Services []Service
	Findings []query.Finding
	Health   Health
	Old      bool
	Until    time.Time
	// SLOs is whether any are configured.
	SLOs bool
}

// Service is one row of the overview.
type Service struct {
	Name string
	// State is page, ticket, exhausted, info, ok or nodata, the worst of what is known.
	State   string
	Budgets []query.Status
	Worst   *query.Status
	Open    int
	Rate    float64
	Errors  float64
	Sparks  Sparks
}

// states in the order of their urgency.
var states = []string{"page", "exhausted", "ticket", "nodata", "info", "ok"}

// standing is how old the status of a budget may be to count as where it stands.
const standing = 2 * time.Hour

func (s *Server) overview(r *http.Request, v *view) error {
	ctx := r.Context()
	v.Name, v.Section, v.Title = "overview", "overview", "Overview"
	d := overviewData{SLOs: len(s.Config.SLOs) > 0}
	v.Data = &d
	span, err := s.rangeOf(ctx, r, "15m")
	if err != nil {
		return err
	}
	d.Old, d.Until = span.Old, span.Until
	if d.Findings, err = s.data.OpenFindings(ctx, ""); err != nil {
		return err
	}
	if d.Services, err = s.services(ctx, &span, d.Findings); err != nil {
		return err
	}
	d.Health, err = s.health(ctx)
	return err
}

// services puts together what is known of every service.
func (s *Server) services(ctx context.Context, span *Range, open []query.Finding) ([]Service, error) {
	step := sparkStep(span, s.every(""))
	traffic, err := s.data.Sketches(ctx, span.From, span.Until, step)
	if err != nil {
		return nil, err
	}
	budgets, err := s.data.Standings(ctx, "", span.Until.Add(-standing))
	if err != nil {
		return nil, err
	}
	byName := map[string]*Service{}
	of := func(name string) *Service {
		if byName[name] == nil {
			byName[name] = &Service{Name: name, Rate: math.NaN(), Errors: math.NaN()}
		}
		return byName[name]
	}
	for name, sketches := range busiest(traffic) {
		x := of(name)
		x.Sparks = sparksOf(sketches, span, step)
		x.Rate, x.Errors = x.Sparks.Rate, x.Sparks.Errors
	}
	for i := range budgets {
		x := of(budgets[i].Entity)
		x.Budgets = append(x.Budgets, budgets[i])
	}
	for i := range open {
		of(open[i].Entity).Open++
	}
	list := make([]Service, 0, len(byName))
	for _, x := range byName {
		x.Worst = worst(x.Budgets)
		x.State = stateOf(x, open)
		list = append(list, *x)
	}
	slices.SortFunc(list, func(a, b Service) int {
		return cmp.Or(cmp.Compare(slices.Index(states, a.State), slices.Index(states, b.State)), strings.Compare(a.Name, b.Name))
	})
	return list, nil
}

// busiest keeps, of the indicators of every entity, the one with the most samples.
func busiest(all []query.Sketch) map[string][]query.Sketch {
	type key struct{ entity, indicator string }
	groups, totals := map[key][]query.Sketch{}, map[key]int64{}
	for _, x := range all {
		k := key{x.Entity, x.Indicator}
		groups[k] = append(groups[k], x)
		totals[k] += x.Samples
	}
	best := map[string]key{}
	for k := range groups {
		if b, ok := best[k.entity]; !ok || totals[k] > totals[b] || totals[k] == totals[b] && k.indicator < b.indicator {
			best[k.entity] = k
		}
	}
	out := map[string][]query.Sketch{}
	for entity, k := range best {
		out[entity] = groups[k]
	}
	return out
}

// worst is the budget of which the least is left.
func worst(list []query.Status) *query.Status {
	var out *query.Status
	for i := range list {
		b := &list[i]
		if math.IsNaN(b.Remaining) {
			continue
		}
		if out == nil || b.Remaining < out.Remaining {
			out = b
		}
	}
	return out
}

// stateOf is the worst that is known of a service.
func stateOf(x *Service, open []query.Finding) string {
	has := map[string]bool{}
	for i := range open {
		if open[i].Entity == x.Name {
			has[open[i].Severity] = true
		}
	}
	for i := range x.Budgets {
		b := &x.Budgets[i]
		switch {
		case b.Remaining < 0:
			has["exhausted"] = true
		case b.State == "NO_DATA":
			has["nodata"] = true
		}
	}
	for _, state := range states {
		if has[state] {
			return state
		}
	}
	if math.IsNaN(x.Rate) && len(x.Budgets) == 0 {
		return "nodata"
	}
	return "ok"
}

// every is the time from one window of an indicator to the next; of all indicators the
// shortest when no name is given.
func (s *Server) every(indicator string) time.Duration {
	shortest := time.Duration(0)
	for i := range s.Config.Indicators {
		in := &s.Config.Indicators[i]
		hop := cmp.Or(in.Hop, in.Window)
		if in.Name == indicator {
			return hop
		}
		if shortest == 0 || hop < shortest {
			shortest = hop
		}
	}
	return cmp.Or(shortest, time.Minute)
}
