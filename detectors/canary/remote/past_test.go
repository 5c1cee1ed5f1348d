package remote

import (
	"strings"
	"testing"

	"github.com/flyball-io/flyball/detectors/canary"
)

func withHistory(v map[string]any, history []any) map[string]any {
	v["history"] = history
	return v
}

// A history of the baseline is evidence for counts: harm is found earlier, and the
// result says how much of it there was.
func TestHistory(t *testing.T) {
	const counts = `{"canary":{"direction":"increase"}}`
	f := func(name string, minutes, events, exposure float64, configurations map[string]string, pairs ...pair) {
		t.Helper()
		with := judge(t, configurations, `"borrow":20`, pairs...).Flyball
		h := with.Metrics[0].History
		for i := range pairs {
			delete(pairs[i].Values, "history")
		}
		without := judge(t, configurations, `"borrow":20`, pairs...).Flyball
		if with.Verdict.Verdict != canary.VerdictFail || h == nil || h.Minutes != minutes || h.Events != events || h.Exposure != exposure || !(h.Gain > 1) {
			t.Errorf("%s: %s, %+v; want %v minutes with %v events of %v", name, with.Verdict.Verdict, h, minutes, events, exposure)
		}
		if without.Metrics[0].History != nil || without.DecidedAt != 0 && without.DecidedAt < with.DecidedAt {
			t.Errorf("%s: decided after %d with history, %d without", name, with.DecidedAt, without.DecidedAt)
		}
		if !strings.Contains(with.Metrics[0].Reason, "before raise the evidence") {
			t.Errorf("%s: the sentence does not tell of the history: %s", name, with.Metrics[0].Reason)
		}
	}
	canaryErrors, baselineErrors := draw(40, poisson(1, 3)), draw(40, poisson(2, 1))
	day := repeat(24*60, 1)
	f("a day", 24*60, 360, 360, map[string]string{"errors": counts},
		pair{Name: "errors", Values: withHistory(values(canaryErrors, baselineErrors), day)}.swapped())
	f("less than a stretch", 15, 10, 10, map[string]string{"errors": counts},
		pair{Name: "errors", Values: withHistory(values(canaryErrors, baselineErrors), repeat(10, 1))}.swapped())
	f("gaps", 6*60, 180, 180, map[string]string{"errors": counts},
		pair{Name: "errors", Values: withHistory(values(canaryErrors, baselineErrors), gaps(360))}.swapped())
	traffic := pair{Name: "requests", Values: withHistory(values(repeat(40, 100), repeat(40, 100)), repeat(120, 100))}
	f("with an exposure", 120, 60, 12000, map[string]string{"errors": `{"canary":{"direction":"increase"},"flyball":{"exposure":"requests"}}`, "requests": `{}`},
		pair{Name: "errors", Values: withHistory(values(canaryErrors, baselineErrors), repeat(60, 1))}.swapped(), traffic)
	f("of two pods", 120, 240, 240, map[string]string{"errors": counts},
		pair{Name: "errors", Tags: map[string]string{"pod": "a"}, Values: withHistory(values(canaryErrors, baselineErrors), repeat(120, 1))}.swapped(),
		pair{Name: "errors", Tags: map[string]string{"pod": "b"}, Values: withHistory(values(draw(40, poisson(3, 3)), draw(40, poisson(4, 1))), repeat(120, 1))}.swapped())
}

// swapped takes the first of both lists for the canary's.
func (p pair) swapped() pair {
	p.Values["control"], p.Values["experiment"] = p.Values["experiment"], p.Values["control"]
	return p
}

// gaps has a value in every second step.
func gaps(n int) []any {
	out := repeat(n, 1)
	for i := 0; i < n; i += 2 {
		out[i] = "NaN"
	}
	return out
}
