package canary

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const request = `{
 "canaryConfig": {
  "judge": {"name": "NetflixACAJudge-v1.0", "judgeConfigurations": {"tolerance": 0.1, "confLevel": 0.95}},
  "metrics": [
   {"name": "cpu", "groups": ["a", "b"], "query": {"type": "prometheus"}, "analysisConfigurations": {"canary": {
     "direction": "increase", "nanStrategy": "replace", "critical": true, "mustHaveData": true, "muted": true,
     "outliers": {"strategy": "remove", "outlierFactor": 2}, "effectSize": {"measure": "cles", "allowedIncrease": 0.8}}}},
   {"name": "errors", "analysisConfigurations": {"canary": {"direction": "sideways", "nanStrategy": "guess", "effectSize": {"measure": "guess", "criticalDecrease": 0}}, "flyball": {"kind": "counts", "exposure": "cpu"}}}
  ],
  "classifier": {"groupWeights": {"a": 60, "b": "40"}, "scoreThresholds": {"pass": 80, "marginal": 60}}
 },
 "scoreThresholds": {"pass": "90"},
 "metricSetPairList": [
  {"name": "cpu", "id": "x", "tags": {"zone": "z"}, "values": {"control": [1, "NaN", null, NaN, -Infinity], "experiment": ["2.5"]},
   "scopes": {"control": {"startTimeIso": "2026-01-31T12:00:00Z", "stepMillis": 60000}, "experiment": {"startTimeMillis": 1000, "stepMillis": 10000}}},
  {"name": "errors", "values": {}}
 ]
}`

func TestDecodeRequest(t *testing.T) {
	got, err := DecodeRequest([]byte(request))
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	want := &Request{
		Judge: JudgeConfig{Tolerance: 0.1, Confidence: 0.95, ReplicaTag: "pod", Borrow: 1},
		Metrics: []MetricConfig{
			{Name: "cpu", Groups: []string{"a", "b"}, Direction: Increase, ReplaceNaN: true, Critical: true, MustHaveData: true, Muted: true,
				Outliers: Outliers{true, 2}, Effect: Effect{CLES, 0.8, 0.5, 0.5, 0.5}, Floor: -1},
			{Name: "errors", Direction: Either, Outliers: Outliers{false, 3}, Effect: Effect{MeanRatio, 1, 1, 1, 0}, Kind: "counts", Exposure: "cpu", Floor: -1},
		},
		GroupWeights: map[string]float64{"a": 60, "b": 40},
		Thresholds:   Thresholds{90, 60},
		Pairs: []Pair{
			{Name: "cpu", ID: "x", Tags: map[string]string{"zone": "z"}, Control: []float64{1, nan, nan, nan, math.Inf(-1)}, Experiment: []float64{2.5}, StartMillis: 1000, StepMillis: 10000},
			{Name: "errors", Tags: map[string]string{}},
		},
	}
	equal := cmp.Comparer(func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) })
	if diff := cmp.Diff(want, got, equal); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeRequestNamesTheField(t *testing.T) {
	f := func(field, problem, from, to string) {
		t.Helper()
		text := strings.Replace(request, from, to, 1)
		if text == request {
			t.Fatalf("the request has no %s", from)
		}
		_, err := DecodeRequest([]byte(text))
		var e *FieldError
		if !errors.As(err, &e) || e.Field != field || !strings.Contains(e.Problem, problem) || e.Fix == "" {
			t.Errorf("%s: got %v, want field %q with %q", to, err, field, problem)
		}
	}
	f("canaryConfig", "missing", `"canaryConfig"`, `"config"`)
	f("metricSetPairList", "missing", `"metricSetPairList"`, `"pairs"`)
	f("metricSetPairList[0].name", `called "disk"`, `{"name": "cpu", "id"`, `{"name": "disk", "id"`)
	f("metricSetPairList[0].values.control[1]", `"many" is not a number`, `[1, "NaN"`, `[1, "many"`)
	f("metricSetPairList[0].values.control[0]", "true", `[1, "NaN"`, `[true, "NaN"`)
	f("metricSetPairList[0].values.control", "the number 7", `"control": [1, "NaN", null, NaN, -Infinity]`, `"control": 7`)
	f("metricSetPairList[0].scopes.experiment.startTimeIso", "not a time", `"startTimeMillis": 1000`, `"startTimeIso": "noon"`)
	f("canaryConfig.metrics[0].analysisConfigurations.canary.effectSize.allowedIncrease", `string "0.8"`, `"allowedIncrease": 0.8`, `"allowedIncrease": "0.8"`)
	f("canaryConfig.metrics[0].analysisConfigurations.canary.critical", `string "yes"`, `"critical": true`, `"critical": "yes"`)
	f("canaryConfig.metrics[0].analysisConfigurations.canary.outliers", "a list", `{"strategy": "remove", "outlierFactor": 2}`, `[]`)
	f("canaryConfig.metrics[0].name", "missing", `{"name": "cpu", "groups"`, `{"groups"`)
	f("canaryConfig.metrics[1].analysisConfigurations.flyball.kind", `"logs"`, `"kind": "counts"`, `"kind": "logs"`)
	f("canaryConfig.judge.judgeConfigurations.confLevel", "out of range", `"confLevel": 0.95`, `"confLevel": 95`)
	f("canaryConfig.judge.judgeConfigurations.horizon", "whole", `"confLevel": 0.95`, `"horizon": 1.5`)
	f("canaryConfig.judge.judgeConfigurations.classifier", "no classifier", `"confLevel": 0.95`, `"classifier": "Guess"`)
	f("canaryConfig.classifier.groupWeights.a", "out of range", `"a": 60`, `"a": 600`)
	f("scoreThresholds.marginal", "above pass", `{"pass": "90"}`, `{"pass": 50}`)
	f("", "not JSON at byte", `"name": "NetflixACAJudge-v1.0",`, `"name" "x",`)
	f("", "not JSON at its end", request, `{`)
	f("", "more after", request, request+`{}`)
	f("metricSetPairList", "empty", request, `{"canaryConfig":{},"metricSetPairList":[]}`)
	f("canaryConfig", "a list", request, `{"canaryConfig":[],"metricSetPairList":[]}`)
}

func TestQuoteNonNumbers(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := string(quoteNonNumbers([]byte(in))); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	f(`[NaN, -Infinity,Infinity]`, `["NaN", "-Infinity","Infinity"]`)
	f(`["NaN", "a\"NaN\\", NaN]`, `["NaN", "a\"NaN\\", "NaN"]`)
	f(`{"Infinity": "x -Infinity"}`, `{"Infinity": "x -Infinity"}`)
	f(``, ``)
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(request))
	f.Add([]byte(`{"canaryConfig":{"metrics":[{"name":"m"}]},"metricSetPairList":[{"name":"m","values":{"control":[NaN],"experiment":[1e999]}}]}`))
	f.Add([]byte(`{"canaryConfig":{"judge":{"judgeConfigurations":{"horizon":-1}}},"scoreThresholds":[]}`))
	f.Add([]byte(`["\`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := DecodeRequest(text)
		if err != nil {
			var e *FieldError
			if !errors.As(err, &e) {
				t.Fatalf("%v is no FieldError", err)
			}
			return
		}
		for _, p := range r.Pairs {
			if _, ok := r.Metric(p.Name); !ok {
				t.Fatalf("pair %q has no metric", p.Name)
			}
		}
	})
}

func TestWeightedScoreFailsOpenAsKayentaDoes(t *testing.T) {
	f := func(name string, want float64, reason string, weights map[string]float64, results ...MetricResult) {
		t.Run(name, func(t *testing.T) {
			_, got, why := WeightedScore(results, weights)
			if got != want || !strings.Contains(why, reason) {
				t.Errorf("got %v, %q; want %v with %q", got, why, want, reason)
			}
		})
	}
	m := func(c Classification, groups ...string) MetricResult {
		return MetricResult{Name: "m", Classification: c, ClassificationReason: "because", Groups: groups}
	}
	bad := m(High, "a")
	bad.Critical = true
	quiet := bad
	quiet.Muted = true
	f("all errors", 100, "", nil, m(Error, "a"), m(Error, "b"))
	f("critical", 0, "Canary Failed: because", nil, m(Pass, "a"), bad)
	f("muted", 100, "", nil, m(Pass, "a"), quiet)
	f("half without data", 0, "50% or more", nil, m(Pass, "a"), m(Nodata, "a"))
	f("a third without data", 100, "", nil, m(Pass, "a"), m(Pass, "a"), m(Nodata, "a"))
	f("no data that must be", 50, "", nil, m(Pass, "a"), m(NodataFailMetric, "a"))
	f("weighted", 30, "", map[string]float64{"a": 30}, m(Pass, "a"), m(High, "b"))
	f("an absent group", 60, "", map[string]float64{"a": 60, "c": 40}, m(Pass, "a"))
	f("two groups of one metric", 75, "", nil, m(Pass, "a", "b"), m(Low, "b"))
	f("rounded up", 66.67, "", nil, m(Pass, "a"), m(Pass, "a"), m(Low, "a"))
}

func TestPairSets(t *testing.T) {
	set := func(expected int, tags map[string]string, values ...float64) MetricSet {
		return MetricSet{Name: "m", Tags: tags, Values: values, Expected: expected}
	}
	a, b := map[string]string{"k": "a"}, map[string]string{"k": "b"}
	nan := math.NaN()
	equal := cmp.Comparer(func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) })
	f := func(control, experiment []MetricSet, want ...Pair) {
		t.Helper()
		got, err := PairSets("m", control, experiment)
		if diff := cmp.Diff(want, got, equal); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	}
	f([]MetricSet{set(2, nil, 1, 2)}, []MetricSet{set(3, nil, 5, 6)}, Pair{Name: "m", Control: []float64{1, 2}, Experiment: []float64{5, 6, nan}})
	f([]MetricSet{set(1, a, 1), set(1, b, 2)}, []MetricSet{set(1, b, 3)},
		Pair{Name: "m", Tags: a, Control: []float64{1}, Experiment: []float64{nan}},
		Pair{Name: "m", Tags: b, Control: []float64{2}, Experiment: []float64{3}})
	f([]MetricSet{set(2, nil)}, []MetricSet{set(2, a, 3)}, Pair{Name: "m", Tags: a, Control: []float64{nan, nan}, Experiment: []float64{3, nan}})
	if _, err := PairSets("m", nil, []MetricSet{set(1, a, 1)}); err == nil {
		t.Error("paired nothing")
	}
	if _, err := PairSets("m", []MetricSet{set(1, a, 1)}, []MetricSet{set(1, map[string]string{"j": "a"}, 1)}); err == nil {
		t.Error("paired tags of different names")
	}
}
