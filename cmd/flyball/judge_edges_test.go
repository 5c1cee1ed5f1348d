package main

import "testing"

func same(n int, v any) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// nearby are n values about a mean, evenly spread over a tenth of it.
func nearby(n int, mean float64) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = mean * (0.95 + 0.1*float64((i*7)%n)/float64(n))
	}
	return out
}

// The edges of Kayenta's algorithm, through the command: classification, whether it is
// critical, and the score.
func TestJudgeKayentaEdges(t *testing.T) {
	f := func(name string, settings object, control, experiment []any, class string, critical bool, ratio any) {
		t.Helper()
		base := object{"direction": "either", "nanStrategy": "remove"}
		for k, v := range settings {
			base[k] = v
		}
		config, pair := metricOf("m", base, control, experiment)
		own := config["analysisConfigurations"].(object)["canary"].(object)
		if v, ok := settings["outliers"]; ok {
			own["outliers"] = v
		}
		_, j, err := runJudge(t, "kayenta", requestOf(object{}, object{"g": 100}, standard, []object{config}, []object{pair}))
		if len(j.Results) != 1 {
			t.Fatalf("%s: %v", name, err)
		}
		r := j.Results[0]
		if r.Classification != class || r.Critical != critical {
			t.Errorf("%s: %s, critical %v; want %s, %v (%s)", name, r.Classification, r.Critical, class, critical, r.ClassificationReason)
		}
		if ratio != nil && !sameNumber(r.ResultMetadata.Ratio, ratio, 1e-4) {
			t.Errorf("%s: ratio %v, want %v", name, r.ResultMetadata.Ratio, ratio)
		}
	}
	crit := object{"isCriticalMetric": true}
	with := func(a object, more ...any) object {
		out := object{}
		for k, v := range a {
			out[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			out[more[i].(string)] = more[i+1]
		}
		return out
	}
	data, must := []any{10., 20., 30., 40.}, object{"isDataRequired": true}
	// Arms without values.
	f("empty", nil, data, []any{}, "Nodata", false, 1.)
	f("empty baseline", nil, []any{}, data, "Nodata", false, 1.)
	f("empty, critical", crit, data, []any{}, "Nodata", true, 1.)
	f("empty, must have data", must, data, []any{}, "NodataFailMetric", false, 1.)
	f("empty, must have data and critical", with(must, "isCriticalMetric", true), data, []any{}, "Nodata", true, 1.)
	f("all NaN is empty", must, data, same(4, "NaN"), "NodataFailMetric", false, 1.)
	f("empty, replace", object{"nanStrategy": "replace", "isDataRequired": true, "isCriticalMetric": true}, data, []any{}, "Pass", false, 1.)
	f("all NaN, replaced by zeros", object{"nanStrategy": "replace"}, nearby(20, 100), same(20, "NaN"), "Low", false, "NaN")
	f("an unknown strategy is remove", object{"nanStrategy": "guess"}, data, same(4, "NaN"), "Nodata", false, 1.)
	// Equal and constant arms.
	f("the same in another order", crit, []any{3., 1., 2.}, []any{2., 3., 1.}, "Pass", false, 1.)
	f("the same but for NaN", nil, []any{3., "NaN", 1., 2.}, []any{2., 3., 1.}, "Pass", false, 1.)
	f("one value of different number", nil, same(3, 5.), same(9, 5.), "Pass", false, 1.)
	f("all zero", crit, same(3, 0.), same(9, 0.), "Pass", false, 1.)
	f("constant and higher", crit, same(20, 5.), same(20, 10.), "High", true, 2.)
	f("constant and lower", crit, same(20, 10.), same(20, 5.), "Low", true, 0.5)
	f("from zero", crit, same(20, 0.), same(20, 10.), "High", true, "NaN")
	f("to zero", crit, same(20, 10.), same(20, 0.), "Low", true, "NaN")
	f("one point against one", crit, []any{1.}, []any{2.}, "Error", false, nil)
	f("one point against many, apart", nil, nearby(20, 100), []any{1000.}, "High", false, nil)
	f("three against three, apart", nil, []any{1., 2., 3.}, []any{101., 102., 103.}, "High", false, nil)
	f("two against two, apart", nil, []any{1., 2.}, []any{101., 102.}, "High", false, nil)
	// Directions.
	up, down := nearby(30, 150), nearby(30, 50)
	f("increase: higher", object{"direction": "increase"}, nearby(30, 100), up, "High", false, 1.5)
	f("increase: lower", object{"direction": "increase"}, nearby(30, 100), down, "Pass", false, 0.5)
	f("decrease: higher", object{"direction": "decrease"}, nearby(30, 100), up, "Pass", false, 1.5)
	f("decrease: lower", object{"direction": "decrease"}, nearby(30, 100), down, "Low", false, 0.5)
	f("either: higher", nil, nearby(30, 100), up, "High", false, 1.5)
	f("either: lower", nil, nearby(30, 100), down, "Low", false, 0.5)
	f("sideways is either", object{"direction": "sideways"}, nearby(30, 100), down, "Low", false, 0.5)
	// Sizes of effect, of which equal is enough.
	sizes := func(k string, v float64) object { return object{"effectSizeThresholds": object{k: v}} }
	f("more than allowed", sizes("allowedIncrease", 1.4), nearby(30, 100), up, "High", false, 1.5)
	f("less than allowed", sizes("allowedIncrease", 1.6), nearby(30, 100), up, "Pass", false, 1.5)
	f("just what is allowed", sizes("allowedIncrease", 2), same(20, 0.), same(20, 1.), "High", false, "NaN")
	f("decrease beyond", sizes("allowedDecrease", 0.6), nearby(30, 100), down, "Low", false, 0.5)
	f("decrease within", sizes("allowedDecrease", 0.4), nearby(30, 100), down, "Pass", false, 0.5)
	critical := func(k string, v float64) object {
		return object{"isCriticalMetric": true, "criticalThresholds": object{k: v}}
	}
	f("critical from there on", critical("criticalIncrease", 1.4), nearby(30, 100), up, "High", true, 1.5)
	f("not yet critical", critical("criticalIncrease", 1.6), nearby(30, 100), up, "High", false, 1.5)
	f("critical decrease", critical("criticalDecrease", 0.6), nearby(30, 100), down, "Low", true, 0.5)
	f("not yet a critical decrease", critical("criticalDecrease", 0.4), nearby(30, 100), down, "Low", false, 0.5)
	cles := func(k string, v float64) object {
		return object{"effectSizeMeasure": "cles", "effectSizeThresholds": object{k: v}}
	}
	f("cles of 1", cles("allowedIncrease", 1), nearby(30, 100), up, "High", false, 1.5)
	f("cles of 1 is not enough", cles("allowedIncrease", 1.01), nearby(30, 100), up, "Pass", false, 1.5)
	f("cles of 0", cles("allowedDecrease", 0), nearby(30, 100), down, "Low", false, 0.5)
	f("cles by default", object{"effectSizeMeasure": "cles"}, nearby(30, 100), up, "High", false, 1.5)
	f("a measure that is not known", object{"effectSizeMeasure": "guess", "effectSizeThresholds": object{"allowedIncrease": 1.6}}, nearby(30, 100), up, "Pass", false, 1.5)
	// Outliers.
	spiked := append(nearby(200, 100), 1e6)
	f("an outlier in the mean", nil, nearby(201, 100), spiked, "Pass", false, nil)
	f("an outlier removed", object{"outliers": object{"strategy": "remove"}}, nearby(201, 100), spiked, "Pass", false, 1.)
	f("a greater factor keeps it", object{"outliers": object{"strategy": "remove", "outlierFactor": 1e6}}, nearby(201, 100), spiked, "Pass", false, nil)
	f("no other strategy removes", object{"outliers": object{"strategy": "guess"}}, nearby(201, 100), spiked, "Pass", false, nil)
}

// Scores of groups: what the weights add up to, groups that nothing is measured in, and
// metrics in several.
func TestJudgeKayentaScores(t *testing.T) {
	type metric struct {
		class         string
		groups        []string
		muted, urgent bool
	}
	f := func(name string, weights object, metrics []metric, score float64, label string) {
		t.Helper()
		var configs, pairs []object
		for i, m := range metrics {
			config, pair := metricOf(string(rune('a'+i)), object{"direction": "either", "nanStrategy": "remove", "isCriticalMetric": m.urgent, "isDataRequired": m.class == "NodataFailMetric"},
				dataFor[m.class][0], dataFor[m.class][1])
			config["groups"] = m.groups
			config["analysisConfigurations"].(object)["canary"].(object)["muted"] = m.muted
			configs, pairs = append(configs, config), append(pairs, pair)
		}
		_, j, err := runJudge(t, "kayenta", requestOf(object{}, weights, standard, configs, pairs))
		if !sameNumber(j.Score.Score, score, 1e-9) || j.Score.Classification != label {
			t.Errorf("%s: %v, %s; want %v, %s (%v)", name, j.Score.Score, j.Score.Classification, score, label, err)
		}
	}
	in := func(class string, groups ...string) metric { return metric{class: class, groups: groups} }
	f("weights of 100", object{"a": 60, "b": 40}, []metric{in("Pass", "a"), in("High", "b")}, 60, "Fail")
	f("weights of less are not made up for", object{"a": 50, "b": 30}, []metric{in("Pass", "a"), in("Pass", "b")}, 80, "Marginal")
	f("a weighted group that is not there", object{"a": 60, "gone": 40}, []metric{in("Pass", "a")}, 60, "Fail")
	f("the rest is shared", object{"a": 50}, []metric{in("Pass", "a"), in("High", "b"), in("Pass", "c")}, 75, "Marginal")
	f("a third each", object{}, []metric{in("Pass", "a"), in("Pass", "b"), in("Low", "c")}, 66.67, "Fail")
	f("a metric in two groups", object{"a": 50, "b": 50}, []metric{in("High", "a", "b"), in("Pass", "b")}, 25, "Fail")
	f("no data in a group counts as good", object{"a": 50, "b": 50}, []metric{in("Nodata", "a"), in("Pass", "b"), in("Pass", "b")}, 100, "Pass")
	f("half without data", object{"a": 100}, []metric{in("Nodata", "a"), in("Pass", "a")}, 0, "Fail")
	f("data that must be there are no missing data", object{"a": 100}, []metric{in("NodataFailMetric", "a"), in("Pass", "a")}, 50, "Fail")
	f("errors count nowhere", object{"a": 100}, []metric{in("Error", "a"), in("Error", "a")}, 100, "Pass")
	f("muted", object{"a": 100}, []metric{{"High", []string{"a"}, true, true}, in("Pass", "a")}, 100, "Pass")
	f("critical", object{"a": 1, "b": 99}, []metric{{"High", []string{"a"}, false, true}, in("Pass", "b")}, 0, "Fail")
	f("critical without data", object{"a": 1, "b": 99}, []metric{{"Nodata", []string{"a"}, false, true}, in("Pass", "b"), in("Pass", "b")}, 0, "Fail")
	f("a critical error is none", object{"a": 100}, []metric{{"Error", []string{"a"}, false, true}, in("Pass", "a")}, 100, "Pass")
	f("halves are rounded up", object{}, []metric{in("Pass", "a"), in("Pass", "a"), in("Pass", "a"), in("Pass", "a"), in("Pass", "a"), in("Pass", "a"), in("High", "a"), in("High", "a")}, 75, "Marginal")
}
