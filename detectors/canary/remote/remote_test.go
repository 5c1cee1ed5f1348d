package remote

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/flyball-io/flyball/detectors/canary"
)

// pair is one entry of metricSetPairList.
type pair struct {
	Name   string            `json:"name"`
	Tags   map[string]string `json:"tags"`
	Values map[string]any    `json:"values"`
	Scopes map[string]any    `json:"scopes,omitempty"`
}

func values(control, experiment []any) map[string]any {
	return map[string]any{"control": control, "experiment": experiment}
}

func repeat(n int, v any) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = v
	}
	return list
}

func draw(n int, sample func() float64) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = sample()
	}
	return list
}

func poisson(seed uint64, mean float64) func() float64 {
	return distuv.Poisson{Lambda: mean, Src: rand.NewPCG(seed, 1)}.Rand
}

func normal(seed uint64, mean, sd float64) func() float64 {
	return distuv.Normal{Mu: mean, Sigma: sd, Src: rand.NewPCG(seed, 1)}.Rand
}

// judge asks about metrics given by their names and analysis configurations.
func judge(t *testing.T, configurations map[string]string, own string, pairs ...pair) Result {
	t.Helper()
	var metrics []string
	for name, c := range configurations {
		metrics = append(metrics, fmt.Sprintf(`{"name":%q,"groups":["g"],"analysisConfigurations":%s}`, name, c))
	}
	list, err := json.Marshal(pairs)
	if err != nil {
		t.Fatal(err)
	}
	r, err := canary.DecodeRequest([]byte(fmt.Sprintf(
		`{"canaryConfig":{"judge":{"judgeConfigurations":{%s}},"metrics":[%s]},"scoreThresholds":{"pass":95,"marginal":75},"metricSetPairList":%s}`,
		own, strings.Join(metrics, ","), list)))
	if err != nil {
		t.Fatal(err)
	}
	result, err := Judge(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(result); err != nil {
		t.Fatal(err)
	}
	return result
}

func TestKindIsToldFromTheData(t *testing.T) {
	f := func(want, configuration string, control, experiment []any) {
		t.Helper()
		r := judge(t, map[string]string{"m": configuration}, "", pair{Name: "m", Values: values(control, experiment)})
		if got := string(r.Flyball.Metrics[0].Kind); got != want {
			t.Errorf("got %s, want %s for %v…", got, want, control[:3])
		}
	}
	f("counts", `{}`, draw(20, poisson(1, 3)), draw(20, poisson(2, 3)))
	f("counts", `{}`, draw(20, poisson(1, 300)), draw(20, poisson(2, 300)))
	f("counts", `{}`, repeat(20, 1.0), repeat(20, 100.0))
	f("counts", `{}`, repeat(20, "NaN"), repeat(20, 3))
	f("gauge", `{}`, draw(20, normal(1, 5, 1)), draw(20, normal(2, 5, 1)))
	f("gauge", `{}`, repeat(20, -3), repeat(20, -3))
	// Whole numbers that vary much less, or much more, than counts do.
	f("gauge", `{}`, draw(20, func() float64 { return 250 }), draw(20, func() float64 { return 260 }))
	memory := normal(3, 1e9, 1e7)
	f("gauge", `{}`, draw(20, func() float64 { return math.Round(memory()) }), draw(20, func() float64 { return math.Round(memory()) }))
	f("gauge", `{"flyball":{"kind":"gauge"}}`, draw(20, poisson(1, 3)), draw(20, poisson(2, 3)))
}

// With a request counter the arms may have different traffic, and what has traffic
// but no series has no errors.
func TestExposure(t *testing.T) {
	config := map[string]string{
		"errors":   `{"canary":{"direction":"increase"},"flyball":{"exposure":"requests"}}`,
		"requests": `{}`,
	}
	f := func(name string, want canary.Classification, control, experiment []any, controlTraffic, experimentTraffic []any) {
		t.Run(name, func(t *testing.T) {
			r := judge(t, config, "",
				pair{Name: "errors", Values: values(control, experiment)},
				pair{Name: "requests", Values: values(controlTraffic, experimentTraffic)})
			if r.Results[0].Classification != want {
				t.Errorf("got %s: %s", r.Results[0].Classification, r.Results[0].ClassificationReason)
			}
			if len(r.Results) != 2 || !r.Results[1].Muted || len(r.Flyball.Metrics) != 1 {
				t.Errorf("the request counter was judged: %+v", r.Results)
			}
		})
	}
	nan, requests := repeat(60, "NaN"), repeat(60, 6000)
	f("ten times the traffic, ten times the errors", canary.Pass, draw(60, poisson(1, 60)), draw(60, poisson(2, 6)), requests, repeat(60, 600))
	f("a tenth of the traffic, as many errors", canary.High, draw(60, poisson(1, 60)), draw(60, poisson(2, 60)), requests, repeat(60, 600))
	f("errors are absent where there are none", canary.High, nan, draw(60, poisson(2, 60)), requests, requests)
	f("no errors anywhere", canary.Pass, nan, nan, requests, requests)
	f("no traffic", canary.Nodata, nan, nan, requests, nan)
	f("traffic of zero", canary.Nodata, nan, nan, requests, repeat(60, 0))
}

// Series that differ by the replica's tag only are replicas of one metric.
func TestReplicas(t *testing.T) {
	pods := func(tag string) []pair {
		var list []pair
		for i := range 3 {
			list = append(list,
				pair{"cpu", map[string]string{tag: fmt.Sprintf("canary-%d", i), "zone": "a"}, values(repeat(60, "NaN"), draw(60, normal(uint64(i), 100, 5))), nil},
				pair{"cpu", map[string]string{tag: fmt.Sprintf("stable-%d", i), "zone": "a"}, values(draw(60, normal(uint64(10+i), 100, 5)), nil), nil})
		}
		return list
	}
	config := map[string]string{"cpu": `{}`}
	for _, r := range []Result{judge(t, config, "", pods("pod")...), judge(t, config, `"replicaTag":"instance"`, pods("instance")...)} {
		if len(r.Results) != 1 || r.Results[0].Classification != canary.Pass {
			t.Fatalf("%d results, the first %+v", len(r.Results), r.Results[0])
		}
		d := r.Flyball.Metrics[0]
		if d.Canary.Replicas != 3 || d.Baseline.Replicas != 3 || d.PodEffect == nil || d.Tags["zone"] != "a" || len(d.Tags) != 1 {
			t.Errorf("%+v", d)
		}
		if r.Results[0].ControlMetadata.Stats.Count != 180 {
			t.Errorf("%d values of the baseline", r.Results[0].ControlMetadata.Stats.Count)
		}
	}
	if r := judge(t, config, "", pods("instance")...); len(r.Results) != 6 {
		t.Errorf("%d results where the tag means nothing", len(r.Results))
	}
}

// What cannot be known never scores 100, and never fails either unless it must not
// be missing.
func TestNothingIsNotGood(t *testing.T) {
	nan := repeat(60, "NaN")
	f := func(configuration string, control, experiment []any, want canary.Verdict) {
		t.Helper()
		r := judge(t, map[string]string{"m": configuration}, "", pair{Name: "m", Values: values(control, experiment)})
		if r.Flyball.Verdict.Verdict != want || r.Score.Score >= 95 || want == canary.VerdictInconclusive && !strings.HasPrefix(r.Score.ClassificationReason, "Inconclusive: ") {
			t.Errorf("%s: got %s, score %+v", configuration, r.Flyball.Verdict.Verdict, r.Score)
		}
	}
	f(`{}`, nan, nan, canary.VerdictInconclusive)
	f(`{}`, nil, nil, canary.VerdictInconclusive)
	f(`{"canary":{"nanStrategy":"replace"}}`, nan, nan, canary.VerdictInconclusive)
	f(`{"canary":{"critical":true}}`, nan, nan, canary.VerdictInconclusive)
	f(`{"canary":{"mustHaveData":true}}`, nan, nan, canary.VerdictFail)
	f(`{}`, draw(60, normal(1, 9, 1)), nan, canary.VerdictInconclusive)
	f(`{"canary":{"nanStrategy":"replace"}}`, nan, repeat(60, 3), canary.VerdictFail)
	f(`{"canary":{"nanStrategy":"replace","direction":"increase"}}`, repeat(60, 3), nan, canary.VerdictInconclusive)
}

// A canary without errors that reports something else is alive.
func TestOtherMetricsShowThatAnArmIsAlive(t *testing.T) {
	config := map[string]string{"errors": `{"canary":{"nanStrategy":"replace","direction":"increase"}}`, "cpu": `{}`}
	cpu := pair{Name: "cpu", Values: values(draw(60, normal(1, 9, 1)), draw(60, normal(2, 9, 1)))}
	r := judge(t, config, "", pair{Name: "errors", Values: values(repeat(60, 3), repeat(60, "NaN"))}, cpu)
	if r.Flyball.Verdict.Verdict != canary.VerdictPass {
		t.Errorf("%s: %s", r.Flyball.Verdict.Verdict, r.Results[0].ClassificationReason)
	}
}

func TestReport(t *testing.T) {
	r := judge(t, map[string]string{"errors": `{"canary":{"direction":"increase","effectSize":{"allowedIncrease":1.2}}}`},
		`"alpha":0.02,"horizon":60,"warmup":2`,
		pair{"errors", map[string]string{}, values(draw(60, poisson(1, 5)), draw(60, poisson(2, 20))),
			map[string]any{"experiment": map[string]any{"startTimeIso": "2026-01-31T12:00:00Z", "stepMillis": 30000}}})
	v := r.Flyball
	d := v.Metrics[0]
	if v.Verdict.Verdict != canary.VerdictFail || v.Alpha != 0.02 || v.Horizon != 60 || v.PaneSeconds != 30 || v.Panes != 60 {
		t.Errorf("%+v", v)
	}
	if v.DecidedAt < 10 || v.DecidedTime != fmt.Sprintf("2026-01-31T12:%02d:%02dZ", v.DecidedAt/2, v.DecidedAt%2*30) {
		t.Errorf("decided at %d, %s", v.DecidedAt, v.DecidedTime)
	}
	if !(d.Interval[0] > 1.2 && d.Interval[0] < d.Effect && d.Effect < d.Interval[1]) || d.Allowed[1] != 1.2 || d.Panes != 58 || d.EFail != 100 {
		t.Errorf("%+v", d)
	}
	if r.Score.Classification != "Fail" || r.JudgeName != Name {
		t.Errorf("%+v", r.Score)
	}
}

// The same request has the same answer, byte for byte.
func TestAnswersAreRepeatable(t *testing.T) {
	ask := func() string {
		text, err := json.Marshal(judge(t, map[string]string{"m": `{}`}, "", pair{Name: "m", Values: values(draw(60, normal(1, 9, 1)), draw(60, normal(2, 9, 1)))}))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if first, second := ask(), ask(); first != second {
		t.Error("two answers")
	}
}
