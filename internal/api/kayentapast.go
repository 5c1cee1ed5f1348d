package api

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/api/problem"
	"github.com/flyball-io/flyball/internal/canaries"
	"github.com/flyball-io/flyball/internal/canaries/history"
)

// analysis returns one under way, or of the past.
func (s *Server) analysis(id string) (canaries.Analysis, bool) {
	if a, ok := s.Past.Get(id); ok {
		return a, true
	}
	return s.Analyses.Get(id)
}

// kayentaPast judges a canary whose interval is over, from what is in ClickHouse, and
// keeps what it found for those who ask; it answers when it cannot. The same question
// has the same id.
func (s *Server) kayentaPast(w http.ResponseWriter, r *http.Request, q *flyball.CanaryRequest, from, to time.Time) bool {
	over := fmt.Sprintf("the scope ends at %s, which is over, and ", to.UTC().Format(time.RFC3339))
	switch {
	case s.History == nil:
		problem.Write(w, r, http.StatusBadRequest, over+"canaries of the past are judged from ClickHouse: none is configured",
			"set clickhouse.dsn, or start the analysis while the canary runs")
		return false
	case from.IsZero() || !from.Before(to):
		problem.Write(w, r, http.StatusBadRequest, over+"it does not begin before that", "give the start of the scope")
		return false
	}
	asked := history.Question{Canary: q.Canary, Entity: q.Entity, Version: q.Version, Baseline: q.Baseline,
		From: flyball.TimeOf(from), To: flyball.TimeOf(to), Pass: q.Pass, Marginal: q.Marginal}
	verdicts, err := history.Judge(r.Context(), s.History, s.Canaries, s.Indicators, asked)
	if bad := (*history.QuestionError)(nil); errors.As(err, &bad) {
		problem.Write(w, r, http.StatusBadRequest, over+bad.Error(), "")
		return false
	}
	if err != nil {
		s.away(w, r, err)
		return false
	}
	q.ID = asked.ID()
	for _, v := range verdicts {
		v.ID, v.By = q.ID, q.By
		s.Past.AddVerdict(v)
	}
	return true
}
