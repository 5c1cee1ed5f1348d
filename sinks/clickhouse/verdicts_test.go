package clickhouse

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
)

func TestInsertVerdicts(t *testing.T) {
	db := migrated(t)
	inf, nan := flyball.Number(math.Inf(1)), flyball.Number(math.NaN())
	first := flyball.Verdict{
		ID: "a", Revision: 1, Canary: "shop", Entity: "cart", Version: "2", Baseline: "1", Phase: flyball.PhaseRunning, Verdict: flyball.VerdictInconclusive,
		Score: 85, Reason: "not decided", Needs: "12 min", Judge: "sequential", At: at(60), StartedAt: at(0), EndsAt: at(3600), Looks: 5, Held: 1,
		Step: 1, AllowedWeight: 5, By: "ci",
		Metrics: []flyball.MetricVerdict{
			{Name: "errors", Kind: "count", Verdict: flyball.VerdictInconclusive, Classification: "Inconclusive", Critical: true, Effect: 1.5,
				Interval: [2]flyball.Number{0.5, inf}, EHarm: 2, ESafe: nan, Reason: "why", Canary: flyball.CohortVerdict{Last: 0.1}, Baseline: flyball.CohortVerdict{Last: nan}},
			{Name: "latency", Kind: "latency", Verdict: flyball.VerdictPass, Effect: nan},
		},
	}
	last := first
	last.Revision, last.Phase, last.Verdict, last.At, last.AllowedWeight, last.Needs = 2, flyball.PhaseEnded, flyball.VerdictFail, at(90), 0, ""
	w := db.Writer()
	for range 2 { // the same without a token: only the key is left to hide it
		if err := w.InsertVerdicts(t.Context(), []flyball.Verdict{last, first}, ""); err != nil {
			t.Fatal(err)
		}
	}
	type row struct {
		ID       string     `ch:"analysis_id"`
		Revision uint32     `ch:"revision"`
		Verdict  string     `ch:"verdict"`
		Final    bool       `ch:"is_final"`
		Judged   time.Time  `ch:"judged_at"`
		Elapsed  float64    `ch:"elapsed_seconds"`
		Names    []string   `ch:"metric_names"`
		Effects  []*float64 `ch:"metric_effects"`
		High     []*float64 `ch:"metric_effects_high"`
	}
	var got []row
	if err := db.Conn().Select(t.Context(), &got, `SELECT analysis_id, revision, verdict, is_final, judged_at, elapsed_seconds, metric_names,
		metric_effects, metric_effects_high FROM v_canary_verdicts`); err != nil {
		t.Fatal(err)
	}
	want := []row{{"a", 2, "fail", true, at(90).Std(), 90, []string{"errors", "latency"}, []*float64{pointer(1.5), nil}, []*float64{nil, pointer(0.0)}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := one[uint64](t, db, "SELECT count() FROM v_canary_looks WHERE metric = 'errors' AND baseline_value IS NULL AND canary_value = 0.1"); n != 2 {
		t.Errorf("%d looks at errors, want 2", n)
	}
	verdicts, err := db.Verdicts(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	same := cmp.Comparer(func(a, b flyball.Number) bool { return a == b || a != a && b != b })
	if diff := cmp.Diff([]flyball.Verdict{first, last}, verdicts, same); diff != "" {
		t.Error(diff)
	}
}
