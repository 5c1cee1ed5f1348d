package main

import (
	"math"

	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/detectors/canary/sequential"
	"github.com/flyball-io/flyball/detectors/stats"
)

// stretch is how many minutes a stretch of the past has, as in a running Flyball.
const stretch = 15

// past gives the baseline so many hours of constant rate before the canary.
func past(hours int, requests, rate float64) func(*draw, *sequential.Metric) {
	return func(d *draw, m *sequential.Metric) {
		m.Past = pastOf(d, hours, requests, func() float64 { return rate })
	}
}

func pastOf(d *draw, hours int, requests float64, rate func() float64) *stats.Past {
	var x, e []float64
	for range hours * 60 / stretch {
		events := 0.0
		for range stretch {
			events += d.poisson(requests * rate())
		}
		x, e = append(x, events), append(e, stretch*requests)
	}
	return stats.NewPast(stretch, x, e)
}

// wander makes what the rate of errors of both arms is multiplied by, minute by
// minute.
type wander func(d *draw) func() float64

// walk is a random walk of the logarithm, by so much a minute.
func walk(by float64) wander {
	return func(d *draw) func() float64 {
		log := 0.0
		return func() float64 { log += by * d.NormFloat64(); return math.Exp(log) }
	}
}

// revert is a logarithm that follows a stationary AR(1) process.
func revert(rho, sd float64) wander {
	return func(d *draw) func() float64 {
		x := process(d, rho)
		return func() float64 { return math.Exp(sd * x()) }
	}
}

// wandering is a row in which both arms are the same, and what they share wanders in
// the day before and during the analysis.
func wandering(name, title string, errors float64, w wander) row {
	const requests = 600
	return row{name: name, title: title, want: "≤ 1 %", group: same, metric: metric(sequential.Counts, canary.Increase),
		prepare: func(d *draw, m *sequential.Metric) {
			d.factor = w(d)
			m.Past = pastOf(d, 24, requests, func() float64 { return errors / requests * d.factor() })
		},
		start: func(d *draw) minute {
			return func() (sequential.Pane, float64, float64) {
				mean := errors * d.factor()
				return counts(d.poisson(mean), requests, d.poisson(mean), requests)
			}
		},
	}
}

// doubled is a row in which the errors of both arms double when the canary starts:
// what is lent is wrong, and nothing before says so.
func doubled(name, title string, errors float64) row {
	r := wandering(name, title, errors, nil)
	r.group, r.want = more, ""
	r.prepare = func(d *draw, m *sequential.Metric) {
		m.Past = pastOf(d, 24, 600, func() float64 { return errors / 600 })
		d.factor = func() float64 { return 2 }
	}
	return r
}
