package main

import (
	"math"

	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/detectors/canary/sequential"
	"github.com/flyball-io/flyball/detectors/stats"
)

// stretch is how many minutes a stretch of the past has, as in a running Flyball.
const stretch = 15

// What of the baseline's history a row has, as the table says it.
const (
	none    = "none"
	day     = "a day"
	hour    = "an hour"
	lending = "a day, borrow 20"
)

// past gives the baseline so many hours of constant rate before the canary.
func past(hours int, requests, rate, borrow float64) func(*draw, *sequential.Metric) {
	return func(d *draw, m *sequential.Metric) {
		m.Past = pastOf(hours, requests, func() float64 { return d.poisson(requests * rate) })
		m.Borrow = borrow
	}
}

// clumped gives it a day of counts whose variance is factor times the mean.
func clumped(mean, factor float64) func(*draw, *sequential.Metric) {
	return func(d *draw, m *sequential.Metric) {
		m.Past = pastOf(24, 600, func() float64 { return d.overdispersed(mean, factor) })
	}
}

// pastOf sums up so many hours of events a minute.
func pastOf(hours int, requests float64, events func() float64) *stats.Past {
	var x, e []float64
	for range hours * 60 / stretch {
		sum := 0.0
		for range stretch {
			sum += events()
		}
		x, e = append(x, sum), append(e, stretch*requests)
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
	return row{name: name, title: title, want: "≤ 1 %", history: day, group: same, metric: metric(sequential.Counts, canary.Increase),
		prepare: func(d *draw, m *sequential.Metric) {
			d.factor = w(d)
			m.Past = pastOf(24, requests, func() float64 { return d.poisson(errors * d.factor()) })
		},
		start: func(d *draw) minute {
			return func() (sequential.Pane, float64, float64) {
				mean := errors * d.factor()
				return counts(d.poisson(mean), requests, d.poisson(mean), requests)
			}
		},
	}
}

// daily is a cycle of a day, that many times its mean up and down, at any time of it.
func daily(swing float64) wander {
	return func(d *draw) func() float64 {
		at := 2 * math.Pi * d.Float64()
		return func() float64 { at += 2 * math.Pi / (24 * 60); return 1 + swing*math.Sin(at) }
	}
}

// stepped is a row in which the errors of both arms change by a factor when the canary
// starts: what is lent is wrong, and nothing before says so.
func stepped(name, title string, errors, factor float64) row {
	r := wandering(name, title, errors, nil)
	r.prepare = func(d *draw, m *sequential.Metric) {
		m.Past = pastOf(24, 600, func() float64 { return d.poisson(errors) })
		d.factor = func() float64 { return factor }
	}
	return r
}

// borrowing is a row whose history is evidence, too.
func borrowing(r row) row {
	r.name, r.history, r.want, r.group = r.name+"_borrow", lending, "", more
	prepare := r.prepare
	r.prepare = func(d *draw, m *sequential.Metric) {
		prepare(d, m)
		m.Borrow = stats.MostBorrowed
	}
	return r
}
