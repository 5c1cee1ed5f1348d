package api

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/canary"
)

// kayentaJudgeAgain answers Kayenta's call to judge a list of metric sets that is
// stored: that of an analysis has the analysis's id. Other thresholds give its score
// another label; what is inconclusive, or fails for a critical metric, stays so.
func (s *Server) kayentaJudgeAgain(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a, ok := s.analysis(q.Get("metricSetPairListId"))
	v := a.Last()
	if !ok || q.Get("canaryConfigId") != "" && q.Get("canaryConfigId") != v.Canary {
		refuse(w, http.StatusNotFound, fmt.Errorf("there is no analysis %q of canary %q", q.Get("metricSetPairListId"), q.Get("canaryConfigId")))
		return
	}
	if !v.Final() || v.Phase == flyball.PhaseCancelled {
		refuse(w, http.StatusConflict, fmt.Errorf("analysis %q has no judgement: %s", v.ID, v.Reason))
		return
	}
	t, given := canary.Thresholds{Pass: 95, Marginal: 75}, false
	for name, into := range map[string]*float64{"passThreshold": &t.Pass, "marginalThreshold": &t.Marginal} {
		if text := q.Get(name); text != "" {
			value, err := strconv.ParseFloat(text, 64)
			if err != nil || !(value >= 0 && value <= 100) {
				refuse(w, http.StatusBadRequest, fmt.Errorf("%s is %q: want a score from 0 to 100", name, text))
				return
			}
			*into, given = value, true
		}
	}
	result := resultOf(&v)
	if given && v.Verdict != flyball.VerdictInconclusive && v.Score > 0 {
		result.Score.Classification = t.Label(v.Score)
	}
	reply(w, http.StatusOK, result)
}
