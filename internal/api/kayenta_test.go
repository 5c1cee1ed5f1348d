package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
)

// TestKayentaForArgo makes the calls of Argo's Kayenta provider, in its order.
func TestKayentaForArgo(t *testing.T) {
	s, h := newShelf()
	want(t, h, "GET", "/kayenta/canaryConfig?application=guestbook&configurationAccountName=s3", "", 200,
		map[string]any{"0.id": "release", "0.name": "release", "0.updatedTimestamp": 0.0, "0.applications.0": "guestbook", "1.name": "other"})
	start := time.Now().UTC()
	body := `{"scopes":{"default":{"controlScope":{"scope":"1","location":"eu","step":60,"start":"` + start.Format(time.RFC3339) + `","end":"` + start.Add(10*time.Minute).Format(time.RFC3339) +
		`"},"experimentScope":{"scope":"2","location":"eu","step":60,"start":"` + start.Format(time.RFC3339) + `","end":"` + start.Add(10*time.Minute).Format(time.RFC3339) +
		`","extendedScopeParams":{"entity":"cart"}}}},"thresholds":{"pass":90,"marginal":"60"}}`
	path := "/kayenta/canary/release?application=guestbook&metricsAccountName=p&configurationAccountName=s3&storageAccountName=s3"
	w := ask(h, "POST", path, body)
	var started struct{ CanaryExecutionID string }
	if err := json.Unmarshal(w.Body.Bytes(), &started); err != nil || w.Code != 200 || started.CanaryExecutionID == "" {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	r := s.requests[0]
	if r.Entity != "cart" || r.Version != "2" || r.Baseline != "1" || r.Seconds != 600 || *r.Pass != 90 || *r.Marginal != 60 || r.By != "kayenta" {
		t.Errorf("got %+v", r)
	}
	at := "/kayenta/canary/" + started.CanaryExecutionID
	want(t, h, "GET", at, "", 200, map[string]any{"complete": false, "status": "running", "application": "cart", "result": nil})
	v := verdictOf(started.CanaryExecutionID, "cart", "2", "pass", flyball.PhaseEnded, 100)
	s.AddVerdict(v)
	want(t, h, "GET", at, "", 200, map[string]any{"complete": true, "status": "succeeded", "result.judgeResult.score.score": 97.5})
}

// TestKayentaForSpinnaker: what Spinnaker's canary stage reads.
func TestKayentaForSpinnaker(t *testing.T) {
	inconclusive := verdictOf("i", "cart", "2", "inconclusive", flyball.PhaseEnded, 0)
	inconclusive.Score, inconclusive.Metrics[0].Classification = 85, "Inconclusive"
	s, h := newShelf(verdictOf("f", "cart", "2", "fail", flyball.PhaseEnded, 0), inconclusive, verdictOf("x", "pay", "2", "inconclusive", flyball.PhaseCancelled, 0))
	want(t, h, "GET", "/kayenta/canary/f", "", 200, map[string]any{
		"application": "cart", "result.canaryDuration": "PT0H10M0S", "startTimeIso": "2026-01-01T00:00:00.000Z", "endTimeIso": "2026-01-01T00:10:00.000Z",
		"result.judgeResult.judgeName": "flyball-sequential-v1", "result.judgeResult.score.classification": "Fail",
		"result.judgeResult.score.classificationReason": "a reason", "result.judgeResult.results.0.controlMetadata.stats.count": 60.0,
		"result.judgeResult.results.0.classification": "High", "result.judgeResult.results.0.critical": true, "result.judgeResult.results.0.resultMetadata.ratio": 3.0})
	want(t, h, "GET", "/kayenta/canary/i", "", 200, map[string]any{"result.judgeResult.score.classification": "Marginal",
		"result.judgeResult.score.classificationReason": "Inconclusive: a reason", "result.judgeResult.results.0.classification": "Nodata"})
	want(t, h, "GET", "/kayenta/canary/x", "", 200, map[string]any{"complete": true, "status": "canceled", "exception.message": "a reason", "result": nil})
	want(t, h, "GET", "/kayenta/canary/executions?application=cart&limit=1", "", 200, map[string]any{"0.application": "cart", "1": nil})
	want(t, h, "GET", "/kayenta/canaryConfig/release", "", 200, map[string]any{"metrics.0.name": "errors", "classifier.groupWeights.g": 60.0,
		"judge.name": "flyball-sequential-v1", "metrics.0.analysisConfigurations.canary.effectSize.allowedIncrease": 1.25})
	want(t, h, "GET", "/kayenta/credentials", "", 200, map[string]any{"0.supportedTypes.0": "METRICS_STORE"})
	want(t, h, "GET", "/kayenta/judges", "", 200, map[string]any{"1.name": "NetflixACAJudge-v1.0"})
	want(t, h, "PUT", "/kayenta/pipelines/f/cancel", "", 202, nil)
	if r := s.requests[0]; !r.Cancel || r.ID != "f" {
		t.Errorf("got %+v", r)
	}
	want(t, h, "POST", "/kayenta/canary", `{"canaryConfig":{"name":"release"},"executionRequest":{"scopes":{"default":{"controlScope":{"scope":"1"},"experimentScope":{"scope":"2"}}}}}`, 400,
		map[string]any{"error": "nothing says what is compared: set the query parameter application, or entity in extendedScopeParams"})
	want(t, h, "POST", "/kayenta/canary?application=cart", `{"canaryConfig":{"name":"release"},"executionRequest":{"scopes":{"default":{"controlScope":{"scope":"1"},"experimentScope":{"scope":"2"}}}}}`, 200, nil)
	past := `{"scopes":{"default":{"experimentScope":{"scope":"2","start":"2020-01-01T00:00:00Z","end":"2020-01-01T01:00:00Z"}}}}`
	if w := ask(h, "POST", "/kayenta/canary/release?application=cart", past); w.Code != 400 || !strings.Contains(w.Body.String(), "which is over") ||
		!strings.Contains(w.Body.String(), "clickhouse.dsn") || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	want(t, h, "POST", "/kayenta/canaryConfig", `{}`, 405, nil)
}

func TestKayentaStandalone(t *testing.T) {
	s, h := newShelf()
	body := `{"scopes":[{"scopeName":"default","controlScope":"1","controlLocation":"eu","experimentScope":"2","experimentLocation":"eu","step":60}],
		"thresholds":{"pass":95,"marginal":75},"lifetimeDurationMins":30,"beginAfterMins":0,"analysisIntervalMins":5}`
	w := ask(h, "POST", "/kayenta/standalone_canary_analysis/release?user=me&application=cart", body)
	var started struct{ CanaryAnalysisExecutionID string }
	if err := json.Unmarshal(w.Body.Bytes(), &started); err != nil || w.Code != 200 {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if r := s.requests[0]; r.Seconds != 1800 || r.By != "me" || r.Entity != "cart" {
		t.Errorf("got %+v", r)
	}
	at := "/kayenta/standalone_canary_analysis/" + started.CanaryAnalysisExecutionID
	want(t, h, "GET", at, "", 200, map[string]any{"complete": false, "executionStatus": "RUNNING"})
	s.AddVerdict(verdictOf(started.CanaryAnalysisExecutionID, "cart", "2", "fail", flyball.PhaseEnded, 0))
	want(t, h, "GET", at, "", 200, map[string]any{"complete": true, "executionStatus": "TERMINAL", "canaryAnalysisExecutionResult.didPassThresholds": false,
		"canaryAnalysisExecutionResult.canaryScores.0": 97.5, "canaryAnalysisExecutionResult.canaryExecutionResults.0.result.judgeResult.score.score": 97.5})
}

// TestRemoteJudge: Kayenta may ask either judge.
func TestRemoteJudge(t *testing.T) {
	_, h := newShelf()
	body := `{"canaryConfig":{"judge":{"name":"NAME"},"metrics":[{"name":"m","groups":["g"],"analysisConfigurations":{"canary":{"direction":"increase"}}}]},
		"scoreThresholds":{"pass":95,"marginal":75},"metricSetPairList":[{"name":"m","id":"1","tags":{},"values":{"control":[1,2,3,4,5,6,7,8,9,10],"experiment":[21,22,23,24,25,26,27,28,29,"NaN"]}}]}`
	want(t, h, "POST", "/kayenta/judge", strings.Replace(body, "NAME", "NetflixACAJudge-v1.0", 1), 200,
		map[string]any{"judgeName": "NetflixACAJudge-v1.0", "results.0.classification": "High", "score.classification": "Fail"})
	want(t, h, "POST", "/kayenta/judge", body, 200, map[string]any{"judgeName": "flyball-sequential-v1", "flyball.verdict": "inconclusive"})
	want(t, h, "POST", "/kayenta/judge", `{}`, 400, nil)
}

// TestKayentaJudgesAgain: the judgement of an analysis, under other thresholds.
func TestKayentaJudgesAgain(t *testing.T) {
	open := verdictOf("i", "cart", "2", "inconclusive", flyball.PhaseEnded, 0)
	_, h := newShelf(verdictOf("f", "cart", "2", "pass", flyball.PhaseEnded, 100), open, verdictOf("r", "cart", "2", "pass", flyball.PhaseRunning, 0))
	const at = "/kayenta/judges/judge?canaryConfigId=release&metricSetPairListId="
	want(t, h, "GET", "/kayenta/canary/f", "", 200, map[string]any{"metricSetPairListId": "f"})
	want(t, h, "POST", at+"f", "", 200, map[string]any{"judgeName": "flyball-sequential-v1", "score.score": 97.5, "score.classification": "Pass", "results.0.name": "errors"})
	want(t, h, "POST", at+"f&passThreshold=98&marginalThreshold=60", "", 200, map[string]any{"score.classification": "Marginal"})
	want(t, h, "POST", at+"f&passThreshold=99&marginalThreshold=98", "", 200, map[string]any{"score.classification": "Fail"})
	want(t, h, "POST", at+"i&passThreshold=10&marginalThreshold=5", "", 200, map[string]any{"score.classification": "Marginal"})
	want(t, h, "POST", at+"f&passThreshold=much", "", 400, nil)
	want(t, h, "POST", at+"r", "", 409, nil)
	want(t, h, "POST", at+"none", "", 404, nil)
	want(t, h, "POST", "/kayenta/judges/judge?canaryConfigId=other&metricSetPairListId=f", "", 404, nil)
}
