package ui

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/ui/chart"
	"github.com/flyball-io/flyball/internal/ui/evidence"
	"github.com/flyball-io/flyball/internal/ui/query"
)

// canariesData is the list of analyses.
type canariesData struct {
	List       []query.Analysis
	Range      Range
	Configured bool
}

func (s *Server) canaries(r *http.Request, v *view) error {
	d := canariesData{Configured: len(s.Config.Canaries) > 0}
	v.Name, v.Section, v.Title, v.Data = "canaries", "canaries", "Canaries", &d
	var err error
	if d.Range, err = s.rangeOf(r.Context(), r, "24h"); err != nil {
		return err
	}
	d.List, err = s.data.Analyses(r.Context(), "", d.Range.From, d.Range.Until.Add(time.Minute))
	return err
}

// canaryData is one analysis.
type canaryData struct {
	Last  flyball.Verdict
	Steps []canaryStep
	Sheet string
	// Decisions are those about the finding of a canary that failed.
	Decisions []query.Decision
	Findings  []query.Finding
}

// canaryStep is one step of traffic.
type canaryStep struct {
	Weight int
	For    time.Duration
	// State is done, now, shut or empty.
	State string
}

func (s *Server) canary(r *http.Request, v *view) error {
	ctx := r.Context()
	id := r.PathValue("id")
	verdicts, err := s.data.Verdicts(ctx, id)
	if err != nil || len(verdicts) == 0 {
		return orNotFound(err)
	}
	d := canaryData{Last: verdicts[len(verdicts)-1], Sheet: "/ui/canaries/" + url.PathEscape(id) + "/charts"}
	v.Name, v.Section, v.Data = "canary", "canaries", &d
	v.Title = fmt.Sprintf("%s %s", d.Last.Entity, d.Last.Version)
	d.Steps = s.steps(&d.Last)
	found, err := s.data.FindingsOf(ctx, d.Last.Entity, d.Last.StartedAt.Std(), time.Now().Add(time.Hour))
	if err != nil {
		return err
	}
	for i := range found {
		if f := found[i]; f.Kind == "canary" && f.Detector == d.Last.Canary && !f.OpenedAt.Before(d.Last.StartedAt.Std()) {
			d.Findings = append(d.Findings, f)
			story, err := s.data.Story(ctx, f.ID, "")
			if err != nil {
				return err
			}
			d.Decisions = append(d.Decisions, story...)
		}
	}
	return nil
}

// steps says how far the traffic may go.
func (s *Server) steps(v *flyball.Verdict) []canaryStep {
	var out []canaryStep
	i := slices.IndexFunc(s.Config.Canaries, func(c flyball.Canary) bool { return c.Name == v.Canary })
	if i < 0 {
		return nil
	}
	for n, step := range s.Config.Canaries[i].Steps {
		x := canaryStep{Weight: step.Weight, For: step.For}
		switch {
		case v.Final() && v.Verdict == flyball.VerdictFail && n+1 >= v.Step:
			x.State = "shut"
		case n+1 < v.Step || v.Final() && v.Verdict == flyball.VerdictPass:
			x.State = "done"
		case n+1 == v.Step:
			x.State = "now"
		}
		out = append(out, x)
	}
	return out
}

// canaryCharts answers the course of the evidence.
func (s *Server) canaryCharts(w http.ResponseWriter, r *http.Request) {
	verdicts, err := s.data.Verdicts(r.Context(), r.PathValue("id"))
	if err == nil && len(verdicts) == 0 {
		http.NotFound(w, r)
		return
	}
	var sheet *chart.Sheet
	if err == nil {
		sheet = evidence.Sheet(verdicts)
	}
	s.sheet(w, r, sheet, err)
}
