package kayenta

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/stat"

	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/detectors/stats"
)

// value is a number of the shared cases, or the string "NaN".
type value float64

func (v *value) UnmarshalJSON(text []byte) error {
	if string(text) == `"NaN"` {
		*v = value(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(v))
}

type caseFile struct {
	Cases []struct {
		ID, Kind, Test, Measure     string
		Control, Experiment, Input  []value
		X, Y                        []value
		Mu, Quantile                float64
		Settings                    json.RawMessage
		Expected                    json.RawMessage
		Metrics                     []canary.MetricResult
		GroupWeights                map[string]float64
		FinalScore                  float64
		MarginalThreshold           *float64
		PassThreshold               *float64
		ControlSets, ExperimentSets []canary.MetricSet
		ControlUniformRange         []float64
		MetricConfigNames           []string
		Classifier                  string
	}
}

func floats(values []value) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = float64(v)
	}
	return out
}

func loadCases(t *testing.T) caseFile {
	t.Helper()
	dir := os.Getenv("FLYBALL_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared")
	}
	text, err := os.ReadFile(filepath.Join(dir, "data", "kayenta_cases.json"))
	if err != nil {
		t.Skipf("needs the shared data: set FLYBALL_SHARED: %v", err)
	}
	var file caseFile
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

func decode(t *testing.T, text json.RawMessage, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// TestSharedParts checks what the judge is made of; the cases of whole metrics go
// through the command.
func TestSharedParts(t *testing.T) {
	checked := map[string]int{}
	for _, c := range loadCases(t).Cases {
		t.Run(c.ID, func(t *testing.T) {
			near := func(got, want, tolerance float64) {
				t.Helper()
				if !(math.Abs(got-want) <= tolerance+1e-12) && !(math.IsNaN(got) && math.IsNaN(want)) {
					t.Errorf("got %v, want %v ± %v", got, want, tolerance)
				}
			}
			checked[c.Kind]++
			switch c.Kind {
			case "outlier_detect":
				var s struct {
					Detector          string
					Factor            float64
					ReduceSensitivity bool
				}
				var want struct{ IsOutlier []bool }
				decode(t, c.Settings, &s)
				decode(t, c.Expected, &want)
				if s.Detector != "iqr" {
					t.Skipf("the judge has no detector %q", s.Detector)
				}
				if got := Outliers(floats(c.Input), s.Factor, s.ReduceSensitivity); fmt.Sprint(got) != fmt.Sprint(want.IsOutlier) {
					t.Errorf("got %v, want %v", got, want.IsOutlier)
				}
			case "score":
				var want struct{ SummaryScore float64 }
				decode(t, c.Expected, &want)
				_, got, _ := canary.WeightedScore(c.Metrics, c.GroupWeights)
				near(got, want.SummaryScore, 0)
			case "summary_stats":
				var want struct{ Min, Max, Mean, Std, Count float64 }
				decode(t, c.Expected, &want)
				got := canary.Summarize(floats(c.Input))
				near(float64(got.Min), want.Min, 0)
				near(float64(got.Max), want.Max, 0)
				near(float64(got.Mean), want.Mean, 1e-9)
				near(float64(got.Std), want.Std, 1e-4)
				near(float64(got.Count), want.Count, 0)
			case "percentile_r7":
				var want []struct{ P, Value, Tolerance float64 }
				decode(t, c.Expected, &want)
				for _, w := range want {
					near(stats.Percentile(floats(c.Input), w.P), w.Value, w.Tolerance)
				}
			case "effect_size":
				var want struct {
					Value     value
					Tolerance float64
				}
				decode(t, c.Expected, &want)
				near(canary.EffectSize(canary.Measure(c.Measure), floats(c.Control), floats(c.Experiment)), float64(want.Value), want.Tolerance)
			case "wilcoxon_diff":
				var want struct{ Value, Tolerance float64 }
				decode(t, c.Expected, &want)
				got, err := stats.WilcoxonStatistic(floats(c.X), floats(c.Y), c.Mu, c.Quantile)
				if err != nil {
					t.Fatal(err)
				}
				near(got, want.Value, want.Tolerance)
			case "stochastic":
				var s struct {
					Mean, Stdev float64
					N           int
				}
				var want map[string]struct{ Value, Tolerance float64 }
				decode(t, c.Settings, &s)
				decode(t, c.Expected, &want)
				mean, variance := stat.MeanVariance(stats.NormalScores(s.Mean, s.Stdev, s.N), nil)
				near(mean, want["mean"].Value, want["mean"].Tolerance)
				near(variance, want["variance"].Value, want["variance"].Tolerance)
			case "aggregated_judgement":
				var want struct{ DidPassThresholds bool }
				decode(t, c.Expected, &want)
				if got, reason := canary.FinalJudgement(c.FinalScore, c.MarginalThreshold, c.PassThreshold); got != want.DidPassThresholds {
					t.Errorf("got %v: %s", got, reason)
				}
			case "pairing_list":
				var want []struct {
					Name                string
					Control, Experiment []value
				}
				decode(t, c.Expected, &want)
				got, err := canary.PairSets(c.MetricConfigNames[0], c.ControlSets, c.ExperimentSets)
				if err != nil || len(got) != len(want) {
					t.Fatalf("got %v, %v; want %d pairs", got, err, len(want))
				}
				for i, w := range want {
					if g := got[i]; g.Name != w.Name || fmt.Sprint(g.Control, g.Experiment) != fmt.Sprint(floats(w.Control), floats(w.Experiment)) {
						t.Errorf("got %v, want %v", g, w)
					}
				}
			default:
				checked[c.Kind]--
				t.Skip("goes through the command")
			}
		})
	}
	if len(checked) < 8 {
		t.Errorf("only these kinds were checked: %v", checked)
	}
}

// A user of Kayenta printed these from inside the judge (spinnaker/spinnaker#6278).
func TestShiftIntervalOfALiveKayenta(t *testing.T) {
	control := []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
	experiment := []float64{100, 100, 100, 100, 100, 100, 100, 1, 1, 1}
	low, high, estimate, err := stats.ShiftInterval(experiment, control, 0.98)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range [][2]float64{{low, 6.825022991538781e-5}, {high, 99}, {estimate, 98.99992904170193}} {
		if math.Abs(v[0]-v[1]) > 1e-13*math.Abs(v[1])+1e-18 {
			t.Errorf("got %.17g, want %.17g", v[0], v[1])
		}
	}
}

func TestShiftIntervalWithoutTies(t *testing.T) {
	low, high, estimate, err := stats.ShiftInterval([]float64{10, 20, 30, 40}, []float64{1, 2, 3, 4}, 0.95)
	if err != nil || low != 6 || high != 39 || estimate != 22.5 {
		t.Errorf("got %v, %v, %v, %v; want 6, 39, 22.5", low, high, estimate, err)
	}
}
