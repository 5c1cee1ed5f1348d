package kayenta

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/detectors/stats"
)

// noise is the relative standard deviation of what is added to two constant arms,
// so that ranks can be told apart.
const noise = 1e-5

// classification is the judgement of one metric.
type classification struct {
	class    canary.Classification
	reason   string
	ratio    float64
	critical bool
}

// classify compares prepared values of one metric.
func classify(m canary.MetricConfig, control, experiment []float64, tolerance, confidence float64) classification {
	if len(control) == 0 || len(experiment) == 0 {
		return missing(m)
	}
	if identical(control, experiment) {
		return classification{canary.Pass, "The Canary and Baseline data are identical", 1, false}
	}
	if constant(control) && constant(experiment) {
		control = stats.NormalScores(control[0], noise*math.Abs(control[0]), len(control))
		experiment = stats.NormalScores(experiment[0], noise*math.Abs(experiment[0]), len(experiment))
	}
	low, high, estimate, err := stats.ShiftInterval(experiment, control, confidence)
	if err != nil {
		return classification{canary.Error, "Metric Classification Failed", math.NaN(), false}
	}
	bound := tolerance * math.Abs(estimate)
	effect := canary.EffectSize(m.Effect.Measure, control, experiment)
	c := classification{class: canary.Pass, ratio: canary.EffectSize(canary.MeanRatio, control, experiment)}
	e := m.Effect
	switch {
	case m.Direction.Up() && low > bound && !(effect < e.AllowedIncrease):
		c.class = canary.High
		c.critical = m.Critical && !(effect < e.CriticalIncrease)
	case m.Direction.Down() && high < -bound && !(effect > e.AllowedDecrease):
		c.class = canary.Low
		c.critical = m.Critical && !(effect > e.CriticalDecrease)
	}
	switch {
	case c.critical:
		c.reason = fmt.Sprintf("The metric %s was classified as %s (Critical)", m.Name, c.class)
	case c.class != canary.Pass:
		c.reason = fmt.Sprintf("%s was classified as %s", m.Name, c.class)
	}
	return c
}

// compareMeans is Kayenta's MeanInequalityClassifier: any difference of the means
// is High or Low.
func compareMeans(m canary.MetricConfig, control, experiment []float64) classification {
	if len(control) == 0 || len(experiment) == 0 {
		return missing(m)
	}
	c := classification{class: canary.Pass, ratio: canary.EffectSize(canary.MeanRatio, control, experiment)}
	switch before, after := stat.Mean(control, nil), stat.Mean(experiment, nil); {
	case after > before && m.Direction.Up():
		c.class = canary.High
	case after < before && m.Direction.Down():
		c.class = canary.Low
	}
	if c.class != canary.Pass {
		c.reason = fmt.Sprintf("%s was classified as %s", m.Name, c.class)
		c.critical = m.Critical
	}
	return c
}

// missing is the judgement when an arm has no values.
func missing(m canary.MetricConfig) classification {
	reason := "Missing data for " + m.Name
	switch {
	case m.ReplaceNaN:
		return classification{canary.Pass, reason, 1, false}
	case m.MustHaveData && !m.Critical:
		return classification{canary.NodataFailMetric, reason, 1, false}
	}
	return classification{canary.Nodata, reason, 1, m.Critical}
}

// identical is whether both arms hold the same values, or one value only.
func identical(control, experiment []float64) bool {
	a, b := slices.Sorted(slices.Values(control)), slices.Sorted(slices.Values(experiment))
	return slices.Equal(a, b) || a[0] == b[0] && constant(a) && constant(b)
}

func constant(values []float64) bool {
	return slices.Min(values) == slices.Max(values)
}
