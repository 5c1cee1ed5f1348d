package api

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/canaries"
)

// flaggerHook is the body of Flagger's webhooks.
type flaggerHook struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Phase     string            `json:"phase"`
	Checksum  string            `json:"checksum"`
	Metadata  map[string]string `json:"metadata"`
}

// flaggerRoutes are the gates. Flagger takes up to 202 for yes, and waits, counts a
// failed check or goes on according to the type of the hook: so each has a gate of its
// own.
func (s *Server) flaggerRoutes(mux *router) {
	gate := func(name string, opens func(a *canaries.Analysis, hook flaggerHook) (bool, string)) {
		mux.HandleFunc("POST /flagger/"+name, func(w http.ResponseWriter, r *http.Request) {
			var hook flaggerHook
			if !readJSON(w, r, &hook) {
				return
			}
			a, ok := s.flaggerAnalysis(r, hook)
			if !ok {
				answerGate(w, false, "no analysis of "+hook.Name+" has begun")
				return
			}
			open, why := opens(&a, hook)
			answerGate(w, open, why)
		})
	}
	gate("confirm-rollout", confirm)
	gate("confirm-traffic-increase", confirm)
	gate("confirm-promotion", func(a *canaries.Analysis, _ flaggerHook) (bool, string) {
		v := a.Last()
		return v.Verdict == flyball.VerdictPass && v.Phase == flyball.PhaseEnded, sentence(&v)
	})
	gate("rollout", func(a *canaries.Analysis, _ flaggerHook) (bool, string) { // a failed check counts towards rollback
		v := a.Last()
		return v.Verdict != flyball.VerdictFail, sentence(&v)
	})
	gate("rollback", func(a *canaries.Analysis, _ flaggerHook) (bool, string) { // the other way round: yes is roll back
		v := a.Last()
		return v.Verdict == flyball.VerdictFail, sentence(&v)
	})
	mux.HandleFunc("POST /flagger/start", s.flaggerStart)
	mux.HandleFunc("POST /flagger/event", func(w http.ResponseWriter, _ *http.Request) { answerGate(w, true, "seen") })
}

// confirm opens when the canary may have the weight that the hook's metadata name, or
// without one when it passes.
func confirm(a *canaries.Analysis, hook flaggerHook) (bool, string) {
	v := a.Last()
	if text := hook.Metadata["weight"]; text != "" {
		weight, err := strconv.Atoi(text)
		if err != nil {
			return false, fmt.Sprintf("metadata weight %q is no number", text)
		}
		return v.AllowedWeight >= weight, fmt.Sprintf("%s; it may have %d %% of the traffic", sentence(&v), v.AllowedWeight)
	}
	return v.Verdict == flyball.VerdictPass, sentence(&v)
}

func sentence(v *flyball.Verdict) string {
	text := v.Verdict + ": " + v.Reason
	if v.Needs != "" && !strings.Contains(text, v.Needs) {
		text += "; needs " + v.Needs
	}
	return text
}

func answerGate(w http.ResponseWriter, open bool, why string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if !open {
		w.WriteHeader(http.StatusForbidden)
	}
	fmt.Fprintln(w, why)
}

// flaggerID is the id of the analysis of one revision under test.
func flaggerID(hook flaggerHook) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == '/' {
			return '_'
		}
		return r
	}, fmt.Sprintf("flagger-%s-%s-%s", hook.Namespace, hook.Name, hook.Checksum))
}

// flaggerAnalysis finds the analysis that was started for the revision under test, or
// the latest of the entity.
func (s *Server) flaggerAnalysis(r *http.Request, hook flaggerHook) (canaries.Analysis, bool) {
	if a, ok := s.Analyses.Get(flaggerID(hook)); ok {
		return a, true
	}
	canary := cmp.Or(hook.Metadata["canary"], r.URL.Query().Get("canary"))
	return s.find(canary, cmp.Or(hook.Metadata["entity"], hook.Name), hook.Metadata["version"])
}

// flaggerStart is for a pre-rollout hook: it begins the analysis of the revision.
func (s *Server) flaggerStart(w http.ResponseWriter, r *http.Request) {
	var hook flaggerHook
	if !readJSON(w, r, &hook) {
		return
	}
	q := flyball.CanaryRequest{ID: flaggerID(hook), Canary: cmp.Or(hook.Metadata["canary"], r.URL.Query().Get("canary")),
		Entity: cmp.Or(hook.Metadata["entity"], hook.Name), Version: hook.Metadata["version"], Baseline: hook.Metadata["baseline"], By: "flagger"}
	if err := s.start(r.Context(), &q); err != nil {
		answerGate(w, false, err.Error())
		return
	}
	answerGate(w, true, "the analysis "+q.ID+" begins")
}
