package canary

import (
	"fmt"
	"math"

	"github.com/flyball-io/flyball/detectors/stats"
)

// DecodeRequest reads the body of Kayenta's remote-judge call. What Kayenta
// ignores is ignored; what it would fail on, or could not mean, is a FieldError.
func DecodeRequest(text []byte) (*Request, error) {
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	if root.get("canaryConfig").missing() && *root.err == nil {
		root.get("canaryConfig").fail("it is missing", "give the canary configuration with its metrics")
	}
	config := root.get("canaryConfig")
	r := &Request{GroupWeights: map[string]float64{}}
	r.Judge = decodeJudge(config.get("judge").get("judgeConfigurations"))
	for name := range config.get("classifier").get("groupWeights").members() {
		r.GroupWeights[name] = config.get("classifier").get("groupWeights").get(name).coerced().within(0, 0, 100)
	}
	r.Thresholds = decodeThresholds(root.get("scoreThresholds"), config.get("classifier").get("scoreThresholds"))
	for _, m := range config.get("metrics").list() {
		r.Metrics = append(r.Metrics, decodeMetric(m))
	}
	pairs := root.get("metricSetPairList")
	if pairs.missing() {
		pairs.fail("it is missing", "give the values of both arms of every metric")
	}
	for _, p := range pairs.list() {
		r.Pairs = append(r.Pairs, decodePair(p, r))
	}
	if len(r.Pairs) == 0 {
		pairs.fail("it is empty", "give the values of both arms of every metric")
	}
	return r, *root.err
}

func decodeJudge(f field) JudgeConfig {
	classifier := f.get("classifier").text("MannWhitneyClassifier")
	if classifier != "MannWhitneyClassifier" && classifier != "MeanInequalityClassifier" {
		f.get("classifier").fail(fmt.Sprintf("there is no classifier %q", classifier), "give MannWhitneyClassifier or MeanInequalityClassifier")
	}
	return JudgeConfig{
		MeansOnly:   classifier == "MeanInequalityClassifier",
		Tolerance:   f.get("tolerance").within(0.25, 0, math.MaxFloat64),
		Confidence:  f.get("confLevel").within(0.98, 1e-9, 1-1e-9),
		Alpha:       f.get("alpha").within(0, 0, 0.5),
		Beta:        f.get("beta").within(0, 0, 0.5),
		Borrow:      f.get("borrow").within(1, 1, stats.MostBorrowed),
		Horizon:     f.get("horizon").panes(),
		Warmup:      f.get("warmup").panes(),
		ReplicaTag:  f.get("replicaTag").text("pod"),
		CanaryShare: f.get("canaryShare").within(0, 0, 1),
	}
}

// decodeThresholds takes the request's thresholds, else the configuration's, else
// the 95 and 75 that Spinnaker's documentation recommends.
func decodeThresholds(request, config field) Thresholds {
	t := Thresholds{
		Pass:     request.get("pass").coerced().within(config.get("pass").coerced().within(95, 0, 100), 0, 100),
		Marginal: request.get("marginal").coerced().within(config.get("marginal").coerced().within(75, 0, 100), 0, 100),
	}
	if t.Marginal > t.Pass {
		request.get("marginal").fail(fmt.Sprintf("%v is above pass, %v", t.Marginal, t.Pass), "give a marginal threshold that is not above pass")
	}
	return t
}

func decodeMetric(f field) MetricConfig {
	a, own := f.get("analysisConfigurations").get("canary"), f.get("analysisConfigurations").get("flyball")
	m := MetricConfig{
		Name:         f.get("name").text(""),
		Direction:    Direction(a.get("direction").text("either")),
		ReplaceNaN:   a.get("nanStrategy").text("remove") == "replace",
		Critical:     a.get("critical").truth(),
		MustHaveData: a.get("mustHaveData").truth(),
		Muted:        a.get("muted").truth(),
		Outliers: Outliers{
			Remove: a.get("outliers").get("strategy").text("keep") == "remove",
			Factor: a.get("outliers").get("outlierFactor").number(3),
		},
		Effect:    decodeEffect(a.get("effectSize")),
		Kind:      own.get("kind").text(""),
		Exposure:  own.get("exposure").text(""),
		Tolerance: own.get("tolerance").within(0, 0, 1e6),
		Floor:     own.get("floor").within(-1, -1, math.MaxFloat64),
	}
	if m.Name == "" {
		f.get("name").fail("it is missing", "name the metric")
	}
	// Kayenta takes what it does not know for its default, silently.
	if m.Direction != Increase && m.Direction != Decrease {
		m.Direction = Either
	}
	if m.Kind != "" && m.Kind != "counts" && m.Kind != "gauge" {
		own.get("kind").fail(fmt.Sprintf("there is no kind %q", m.Kind), "give counts or gauge")
	}
	for _, g := range f.get("groups").list() {
		m.Groups = append(m.Groups, g.text(""))
	}
	return m
}

func decodeEffect(f field) Effect {
	e := Effect{Measure: Measure(f.get("measure").text(string(MeanRatio)))}
	neutral := 1.0
	if e.Measure == CLES {
		neutral = 0.5
	} else {
		e.Measure = MeanRatio
	}
	e.AllowedIncrease = f.get("allowedIncrease").number(neutral)
	e.AllowedDecrease = f.get("allowedDecrease").number(neutral)
	e.CriticalIncrease = f.get("criticalIncrease").number(neutral)
	e.CriticalDecrease = f.get("criticalDecrease").number(neutral)
	return e
}

func decodePair(f field, r *Request) Pair {
	p := Pair{
		Name: f.get("name").text(""),
		ID:   f.get("id").text(""),
		Tags: map[string]string{},
	}
	if _, ok := r.Metric(p.Name); !ok {
		f.get("name").fail(fmt.Sprintf("no metric of canaryConfig is called %q", p.Name), "add it to canaryConfig.metrics or correct the name")
	}
	for name := range f.get("tags").members() {
		p.Tags[name] = f.get("tags").get(name).text("")
	}
	for _, v := range f.get("values").get("control").list() {
		p.Control = append(p.Control, v.sample())
	}
	for _, v := range f.get("values").get("experiment").list() {
		p.Experiment = append(p.Experiment, v.sample())
	}
	for _, v := range f.get("values").get("history").list() {
		p.History = append(p.History, v.sample())
	}
	for _, arm := range []string{"experiment", "control"} {
		scope := f.get("scopes").get(arm)
		if start := int64(scope.get("startTimeMillis").number(0)); start > 0 {
			p.StartMillis = start
		} else if start := scope.get("startTimeIso").instant(); start > 0 {
			p.StartMillis = start
		}
		if step := int64(scope.get("stepMillis").number(0)); step > 0 {
			p.StepMillis = step
		}
		if p.StartMillis > 0 && p.StepMillis > 0 {
			break
		}
	}
	return p
}
