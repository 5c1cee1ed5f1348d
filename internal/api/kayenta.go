package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/detectors/canary/kayenta"
	"github.com/flyball-io/flyball/detectors/canary/remote"
	"github.com/flyball-io/flyball/internal/canaries"
)

// kayentaRoutes are the parts of Kayenta's API that Argo Rollouts and Spinnaker use,
// below /kayenta. Its canary configurations are the kinds Canary.
func (s *Server) kayentaRoutes(mux *router) {
	const at = "/kayenta"
	mux.HandleFunc("GET "+at+"/canaryConfig", s.kayentaConfigs)
	mux.HandleFunc("GET "+at+"/canaryConfig/{id}", s.kayentaConfig)
	for _, route := range [][2]string{{"POST", "/canaryConfig"}, {"PUT", "/canaryConfig/{id}"}, {"DELETE", "/canaryConfig/{id}"}} {
		mux.HandleFunc(route[0]+" "+at+route[1], func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, http.StatusMethodNotAllowed, errors.New("canary configurations are the kinds Canary of Flyball's configuration: change its files"))
		})
	}
	mux.HandleFunc("POST "+at+"/canary", s.kayentaStart)
	mux.HandleFunc("POST "+at+"/canary/{config}", s.kayentaStart)
	mux.HandleFunc("GET "+at+"/canary/{id}", s.kayentaExecution)
	mux.HandleFunc("GET "+at+"/canary/executions", s.kayentaExecutions)
	mux.HandleFunc("POST "+at+"/standalone_canary_analysis", s.kayentaStandalone)
	mux.HandleFunc("POST "+at+"/standalone_canary_analysis/{config}", s.kayentaStandalone)
	mux.HandleFunc("GET "+at+"/standalone_canary_analysis/{id}", s.kayentaAnalysis)
	mux.HandleFunc("PUT "+at+"/pipelines/{id}/cancel", s.cancelCanary)
	mux.HandleFunc("GET "+at+"/judges", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, []map[string]any{{"name": remote.Name, "visible": true}, {"name": kayenta.Name, "visible": true}})
	})
	mux.HandleFunc("POST "+at+"/judge", kayentaJudge)
	mux.HandleFunc("POST "+at+"/judges/judge", s.kayentaJudgeAgain)
	mux.HandleFunc("GET "+at+"/credentials", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, []map[string]any{{"name": "flyball", "type": "flyball",
			"supportedTypes": []string{"METRICS_STORE", "OBJECT_STORE", "CONFIGURATION_STORE"}}})
	})
}

func (s *Server) kayentaConfigs(w http.ResponseWriter, r *http.Request) {
	out := []map[string]any{}
	for _, c := range s.Canaries {
		applications := []string{}
		if app := r.URL.Query().Get("application"); app != "" {
			applications = append(applications, app) // any: entities are not named in a kind Canary
		}
		out = append(out, map[string]any{"id": c.Name, "name": c.Name, "applications": applications,
			"updatedTimestamp": 0, "updatedTimestampIso": time.UnixMilli(0).UTC().Format(time.RFC3339)})
	}
	reply(w, http.StatusOK, out)
}

func (s *Server) kayentaConfig(w http.ResponseWriter, r *http.Request) {
	for _, c := range s.Canaries {
		if c.Name == r.PathValue("id") {
			reply(w, http.StatusOK, kayentaConfigOf(&c))
			return
		}
	}
	refuse(w, http.StatusNotFound, fmt.Errorf("no canary %q is configured", r.PathValue("id")))
}

// kayentaConfigOf writes a kind Canary as Kayenta's configuration.
func kayentaConfigOf(c *flyball.Canary) map[string]any {
	metrics := []map[string]any{}
	for _, m := range c.Metrics {
		group := cmp.Or(m.Group, "ungrouped")
		size := map[string]any{}
		if !m.Absolute {
			size = map[string]any{"allowedIncrease": m.Margin, "allowedDecrease": 1 / m.Margin}
		}
		metrics = append(metrics, map[string]any{
			"name": m.Name, "groups": []string{group}, "scopeName": "default",
			"query": map[string]any{"type": "flyball", "serviceType": "flyball", "indicator": m.Indicator, "kind": m.Kind},
			"analysisConfigurations": map[string]any{"canary": map[string]any{"direction": m.Direction, "critical": m.Critical, "muted": m.Muted,
				"mustHaveData": m.MustHaveData, "effectSize": size}},
		})
	}
	return map[string]any{
		"id": c.Name, "name": c.Name, "description": "", "configVersion": "1", "applications": []string{}, "metrics": metrics,
		"judge":     map[string]any{"name": judgeName(c.Judge), "judgeConfigurations": map[string]any{}},
		"templates": map[string]any{},
		"classifier": map[string]any{"groupWeights": c.GroupWeights,
			"scoreThresholds": map[string]any{"pass": c.Pass, "marginal": c.Marginal}},
	}
}

func judgeName(judge string) string {
	if judge == "kayenta" {
		return kayenta.Name
	}
	return remote.Name
}

// kayentaJudge answers Kayenta's remote-judge call.
func kayentaJudge(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		refuseBody(w, fmt.Errorf("cannot read the request: %w", err))
		return
	}
	request, err := canary.DecodeRequest(text)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	var named struct {
		CanaryConfig struct {
			Judge struct {
				Name string `json:"name"`
			} `json:"judge"`
		} `json:"canaryConfig"`
	}
	_ = json.Unmarshal(text, &named) // bare NaN is no JSON: the default judge then
	if named.CanaryConfig.Judge.Name == kayenta.Name {
		reply(w, http.StatusOK, kayenta.Judge(request))
		return
	}
	result, err := remote.Judge(request)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	reply(w, http.StatusOK, result)
}

// kayentaScope is one cohort in Kayenta's words.
type kayentaScope struct {
	Scope    string            `json:"scope"`
	Location string            `json:"location"`
	Start    time.Time         `json:"start"`
	End      time.Time         `json:"end"`
	Step     int64             `json:"step"`
	Extended map[string]string `json:"extendedScopeParams"`
}

type kayentaThresholds struct {
	Pass     *json.Number `json:"pass"`
	Marginal *json.Number `json:"marginal"`
}

type kayentaExecutionRequest struct {
	Scopes map[string]struct {
		Control    kayentaScope `json:"controlScope"`
		Experiment kayentaScope `json:"experimentScope"`
	} `json:"scopes"`
	Thresholds kayentaThresholds `json:"thresholds"`
}

// kayentaStart begins an analysis: the scopes name the versions, the application or
// the extended parameter "entity" what is compared.
func (s *Server) kayentaStart(w http.ResponseWriter, r *http.Request) {
	var body struct {
		kayentaExecutionRequest
		CanaryConfig *struct {
			Name string `json:"name"`
		} `json:"canaryConfig"`
		ExecutionRequest *kayentaExecutionRequest `json:"executionRequest"`
	}
	if !readJSON(w, r, &body) {
		return
	}
	config, request := r.PathValue("config"), body.kayentaExecutionRequest
	if body.ExecutionRequest != nil {
		request = *body.ExecutionRequest
	}
	if config == "" && body.CanaryConfig != nil {
		config = body.CanaryConfig.Name
	}
	names := slices.Sorted(maps.Keys(request.Scopes))
	if len(names) == 0 {
		refuse(w, http.StatusBadRequest, errors.New("the request has no scopes"))
		return
	}
	name := names[0]
	if slices.Contains(names, "default") {
		name = "default"
	}
	e, c := request.Scopes[name].Experiment, request.Scopes[name].Control
	q := flyball.CanaryRequest{Canary: config, Entity: cmp.Or(e.Extended["entity"], c.Extended["entity"], r.URL.Query().Get("application")),
		Version: e.Scope, Baseline: c.Scope, Seconds: int64(e.End.Sub(e.Start) / time.Second), By: "kayenta"}
	if s.kayentaRequest(w, r, &q, request.Thresholds, e.Start, e.End) {
		reply(w, http.StatusOK, map[string]string{"canaryExecutionId": q.ID})
	}
}

// kayentaStandalone begins one with Kayenta's own orchestration.
func (s *Server) kayentaStandalone(w http.ResponseWriter, r *http.Request) {
	type standalone struct {
		Scopes []struct {
			Control    string            `json:"controlScope"`
			Experiment string            `json:"experimentScope"`
			Start      time.Time         `json:"startTimeIso"`
			End        time.Time         `json:"endTimeIso"`
			Extended   map[string]string `json:"extendedScopeParams"`
		} `json:"scopes"`
		Thresholds kayentaThresholds `json:"thresholds"`
		Lifetime   int64             `json:"lifetimeDurationMins"`
	}
	var body struct {
		standalone
		CanaryConfig *struct {
			Name string `json:"name"`
		} `json:"canaryConfig"`
		ExecutionRequest *standalone `json:"executionRequest"`
	}
	if !readJSON(w, r, &body) {
		return
	}
	config, request := r.PathValue("config"), body.standalone
	if body.ExecutionRequest != nil {
		request = *body.ExecutionRequest
	}
	if config == "" && body.CanaryConfig != nil {
		config = body.CanaryConfig.Name
	}
	if len(request.Scopes) == 0 {
		refuse(w, http.StatusBadRequest, errors.New("the request has no scopes"))
		return
	}
	scope := request.Scopes[0]
	q := flyball.CanaryRequest{Canary: config, Entity: cmp.Or(scope.Extended["entity"], r.URL.Query().Get("application")),
		Version: scope.Experiment, Baseline: scope.Control, Seconds: request.Lifetime * 60, By: cmp.Or(r.URL.Query().Get("user"), "kayenta")}
	if q.Seconds == 0 && !scope.End.IsZero() {
		q.Seconds = int64(scope.End.Sub(scope.Start) / time.Second)
	}
	if s.kayentaRequest(w, r, &q, request.Thresholds, scope.Start, scope.End) {
		reply(w, http.StatusOK, map[string]string{"canaryAnalysisExecutionId": q.ID})
	}
}

// kayentaRequest asks for an analysis, or does one of the past; it answers when it
// cannot.
func (s *Server) kayentaRequest(w http.ResponseWriter, r *http.Request, q *flyball.CanaryRequest, t kayentaThresholds, from, to time.Time) bool {
	number := func(n *json.Number) *float64 {
		if n == nil {
			return nil
		}
		v, err := strconv.ParseFloat(n.String(), 64)
		if err != nil {
			return nil
		}
		return &v
	}
	q.Pass, q.Marginal = number(t.Pass), number(t.Marginal)
	if q.Entity == "" {
		refuse(w, http.StatusBadRequest, errors.New("nothing says what is compared: set the query parameter application, or entity in extendedScopeParams"))
		return false
	}
	if !to.IsZero() && to.Before(time.Now()) {
		return s.kayentaPast(w, r, q, from, to)
	}
	if err := s.start(r.Context(), q); err != nil {
		refuseError(w, err)
		return false
	}
	return true
}

func (s *Server) kayentaExecution(w http.ResponseWriter, r *http.Request) {
	a, ok := s.analysis(r.PathValue("id"))
	if !ok {
		refuse(w, http.StatusNotFound, fmt.Errorf("there is no analysis %q", r.PathValue("id")))
		return
	}
	reply(w, http.StatusOK, executionOf(&a))
}

func (s *Server) kayentaExecutions(w http.ResponseWriter, r *http.Request) {
	limit, err := strconv.Atoi(cmp.Or(r.URL.Query().Get("limit"), "20"))
	if err != nil || limit < 1 {
		refuse(w, http.StatusBadRequest, fmt.Errorf("want a limit of at least 1, got %q", r.URL.Query().Get("limit")))
		return
	}
	out := []execution{}
	for _, a := range s.Analyses.List() {
		if e := executionOf(&a); len(out) < limit && matches(r.URL.Query().Get("application"), e.Application) && matches(r.URL.Query().Get("statuses"), e.Status) {
			out = append(out, e)
		}
	}
	reply(w, http.StatusOK, out)
}

func (s *Server) kayentaAnalysis(w http.ResponseWriter, r *http.Request) {
	a, ok := s.analysis(r.PathValue("id"))
	if !ok {
		refuse(w, http.StatusNotFound, fmt.Errorf("there is no analysis %q", r.PathValue("id")))
		return
	}
	reply(w, http.StatusOK, standaloneOf(&a))
}

var _ Analyses = (*canaries.Service)(nil)
