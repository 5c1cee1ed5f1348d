package main

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/detectors/canary/kayenta"
	"github.com/flyball-io/flyball/detectors/canary/sequential"
)

const minutes = 60

// seed of all chance; every run has a stream of its own.
var seed uint64 = 20260131

type group int

const (
	same group = iota
	regression
	more
)

// row is one simulation: data, a metric, and until when a fail counts.
type row struct {
	name, title, want string
	// history says what is known of the baseline before.
	history string
	group   group
	by      int
	horizon int
	metric  sequential.Metric
	// start begins a run; what it returns makes the panes one by one.
	start func(d *draw) minute
	// prepare, if any, adds to the metric what was known before the run.
	prepare func(d *draw, m *sequential.Metric)
}

// minute makes one pane, and the two values that Kayenta sees of it.
type minute func() (pane sequential.Pane, control, experiment float64)

// draw is the source of chance of one run.
type draw struct {
	*rand.Rand
	src rand.Source
	// factor multiplies the rates of both arms, minute by minute, in rows that have it.
	factor func() float64
}

func newDraw(stream uint64) *draw {
	src := rand.NewPCG(seed, stream)
	return &draw{Rand: rand.New(src), src: src}
}

func (d *draw) poisson(mean float64) float64 {
	if mean <= 0 {
		return 0
	}
	return distuv.Poisson{Lambda: mean, Src: d.src}.Rand()
}

// overdispersed draws counts whose variance is factor times the mean.
func (d *draw) overdispersed(mean, factor float64) float64 {
	return d.poisson(distuv.Gamma{Alpha: mean / (factor - 1), Beta: 1 / (factor - 1), Src: d.src}.Rand())
}

// add runs a row once.
func (o *outcome) add(r row, stream uint64) {
	d := newDraw(stream)
	m := r.metric
	if r.prepare != nil {
		r.prepare(d, &m)
	}
	c := sequential.Default()
	c.Horizon = r.horizon
	j, err := sequential.New(c, []sequential.Metric{m})
	if err != nil {
		panic("BUG: " + err.Error())
	}
	next := r.start(d)
	var pair canary.Pair
	failed := 0
	for t := range minutes {
		p, control, experiment := next()
		pair.Control, pair.Experiment = append(pair.Control, control), append(pair.Experiment, experiment)
		if failed > 0 {
			continue
		}
		if err := j.Observe([]sequential.Pane{p}); err != nil {
			panic("BUG: " + err.Error())
		}
		if j.Decision() == canary.VerdictFail {
			failed = t + 1
		}
	}
	switch {
	case failed > 0 && failed <= r.by:
		o.failedAt = append(o.failedAt, failed)
	case failed == 0 && j.Decision() == canary.VerdictPass:
		o.passed++
	}
	if kayentaFails(m.Direction, pair) {
		o.kayenta++
	}
}

// kayentaFails asks Kayenta's judge, with its defaults, about all values at once.
func kayentaFails(direction canary.Direction, p canary.Pair) bool {
	p.Name = "m"
	result := kayenta.Judge(&canary.Request{
		Judge: canary.JudgeConfig{Tolerance: 0.25, Confidence: 0.98},
		Metrics: []canary.MetricConfig{{
			Name: "m", Groups: []string{"g"}, Direction: direction,
			Effect: canary.Effect{Measure: canary.MeanRatio, AllowedIncrease: 1, AllowedDecrease: 1, CriticalIncrease: 1, CriticalDecrease: 1},
		}},
		Thresholds: canary.Thresholds{Pass: 95, Marginal: 75},
		Pairs:      []canary.Pair{p},
	})
	return kayenta.Verdict(result) == canary.VerdictFail
}

func metric(kind sequential.Kind, direction canary.Direction) sequential.Metric {
	m := sequential.Metric{
		Name: "m", Groups: []string{"g"}, Kind: kind, Direction: direction,
		Increase: 1, Decrease: 1, CriticalIncrease: 1, CriticalDecrease: 1,
		Tolerance: sequential.DefaultTolerance,
	}
	if kind == sequential.Counts {
		m.Tolerance, m.Floor = sequential.DefaultCountsTolerance, sequential.DefaultFloorShare
	}
	return m
}

// gauges makes a pane of one value per arm.
func gauges(c, b float64) (sequential.Pane, float64, float64) {
	return sequential.Pane{Canary: sequential.Arm{Values: []float64{c}}, Baseline: sequential.Arm{Values: []float64{b}}}, b, c
}

// counts makes a pane of errors out of requests. Kayenta sees error rates.
func counts(c, requests, b, baselineRequests float64) (sequential.Pane, float64, float64) {
	return sequential.Pane{
		Canary:   sequential.Arm{Values: []float64{c}, Exposure: []float64{requests}},
		Baseline: sequential.Arm{Values: []float64{b}, Exposure: []float64{baselineRequests}},
	}, b / baselineRequests, c / requests
}

// unchanged are canaries that are as their baselines.
func unchanged() []row {
	up, either := canary.Increase, canary.Either
	return []row{
		{name: "iid", title: "A/A independent", want: "≤ 1 %", metric: metric(sequential.Gauge, either), start: autoregressive(0)},
		{name: "ar5", title: "A/A AR(1) 0.5", want: "≤ 1 %", metric: metric(sequential.Gauge, either), start: autoregressive(0.5)},
		{name: "ar7", title: "A/A AR(1) 0.7", want: "≤ 1 %", metric: metric(sequential.Gauge, either), start: autoregressive(0.7)},
		{name: "ar9", title: "A/A AR(1) 0.9", want: "≤ 1 %", metric: metric(sequential.Gauge, either), start: autoregressive(0.9)},
		{name: "pods", title: "A/A pod offset 0.5 sd, 3 pods per arm", want: "≤ 1 %", metric: metric(sequential.Gauge, either), start: pods(3, 0.5)},
		{name: "overdispersed", title: "A/A 3 errors/min, variance 5 × mean", want: "≤ 1 %", history: day, metric: metric(sequential.Counts, up), start: overdispersed(3, 5), prepare: clumped(3, 5)},
		{name: "overdispersed_no_history", title: "… the two arms alone", want: "≤ 1 %", metric: metric(sequential.Counts, up), start: overdispersed(3, 5)},
		{name: "poisson", title: "A/A 600 req/min, 0.1 % errors, the two arms alone", want: "≤ 1 %", metric: metric(sequential.Counts, up), start: errorRates(600, 600, 0.001, 0.001)},
		{name: "latency", title: "A/A latency, 600 req/min", group: more, metric: metric(sequential.Latency, up), start: latencies(0), prepare: before(0)},
		{name: "latency_clumps", title: "A/A latency, 5 % of minutes at 10 × in both arms", group: more, metric: metric(sequential.Latency, up), start: clumps(0.05), prepare: before(0.05)},
		{name: "shared_load", title: "A/A shared random-walk load", group: more, metric: metric(sequential.Gauge, up), start: sharedLoad(0)},
		{name: "fixed_horizon", title: "A/A 6000 req/min, 1 % errors, fixed horizon", group: more, horizon: minutes, metric: metric(sequential.Counts, up), start: errorRates(6000, 6000, 0.01, 0.01)},
	}
}

// histories are canaries that are as their baselines, with a day before them that
// wanders, or that is left behind when they start.
func histories() []row {
	list := []row{
		wandering("past_poisson", "A/A 0.6 errors/min", 0.6, walk(0)),
		wandering("past_walk2", "A/A 3 errors/min, random walk 2 %", 3, walk(0.02)),
		wandering("past_walk5", "A/A 3 errors/min, random walk 5 %", 3, walk(0.05)),
		wandering("past_walk5_rare", "A/A 0.6 errors/min, random walk 5 %", 0.6, walk(0.05)),
		wandering("past_ar9", "A/A 3 errors/min, AR(1) 0.9, sd 30 %", 3, revert(0.9, 0.3)),
		wandering("past_ar97", "A/A 0.6 errors/min, AR(1) 0.97, sd 50 %", 0.6, revert(0.97, 0.5)),
		wandering("past_daily", "A/A 3 errors/min, daily cycle ±50 %", 3, daily(0.5)),
		wandering("past_daily_rare", "A/A 0.6 errors/min, daily cycle ±50 %", 0.6, daily(0.5)),
		stepped("past_step_half", "A/A 3 errors/min, halved when the canary starts", 3, 0.5),
		stepped("past_step_1.5", "A/A 0.6 errors/min, 1.5 × when the canary starts", 0.6, 1.5),
		stepped("past_step_2", "A/A 0.6 errors/min, 2 × when the canary starts", 0.6, 2),
		stepped("past_step_3", "A/A 0.6 errors/min, 3 × when the canary starts", 0.6, 3),
		stepped("past_step_10", "A/A 0.05 errors/min, 10 × when the canary starts", 0.05, 10),
		stepped("past_step_2_more", "A/A 6 errors/min, 2 × when the canary starts", 6, 2),
	}
	for _, name := range []string{"past_ar97", "past_daily", "past_step_1.5", "past_step_2", "past_step_10"} {
		i := slices.IndexFunc(list, func(r row) bool { return r.name == name })
		list = append(list, borrowing(list[i]))
	}
	return list
}

// worse are canaries that are worse than their baselines.
func worse() []row {
	up := canary.Increase
	triple := row{name: "errors_3x_600rpm_by_30min", title: "600 req/min, 0.1 → 0.3 % errors, by minute 30", want: "≥ 99 %", history: day, group: regression, by: 30,
		metric: metric(sequential.Counts, up), start: errorRates(600, 600, 0.003, 0.001), prepare: past(24, 600, 0.001, 1)}
	twenty := row{name: "errors_20x_5rpm_by_20min", title: "5 req/min, 1 → 20 % errors, by minute 20", want: "≥ 99 %", history: day, group: regression, by: 20,
		metric: metric(sequential.Counts, up), start: errorRates(5, 5, 0.2, 0.01), prepare: past(24, 5, 0.01, 1)}
	fleet := func(r row, start func(*draw) minute) row {
		r.name, r.title, r.group, r.start = r.name+"_stable_fleet", "… the baseline being 9 times the canary", more, start
		return r
	}
	alone := func(r row) row {
		r.name, r.title, r.want, r.group, r.history, r.prepare = r.name+"_no_history", "… the two arms alone", "", more, none, nil
		return r
	}
	short := func(r row, requests, rate float64) row {
		r.name, r.title, r.want, r.group, r.history, r.prepare = r.name+"_hour_before", "… an hour before", "", more, hour, past(1, requests, rate, 1)
		return r
	}
	lent := func(r row) row {
		r = borrowing(r)
		r.title, r.want = "… which is evidence, too", "≥ 99 %"
		return r
	}
	return []row{
		triple, alone(triple), short(triple, 600, 0.001), lent(triple), fleet(triple, errorRates(600, 5400, 0.003, 0.001)),
		twenty, alone(twenty), short(twenty, 5, 0.01), lent(twenty), fleet(twenty, errorRates(5, 45, 0.2, 0.01)),
		{name: "tail_5pct_minutes", title: "5 % of minutes at 10 × latency", want: "≥ 95 %", group: regression, metric: metric(sequential.Latency, up), start: latencies(3), prepare: before(0)},
		{name: "shared_load_5pct", title: "shared random-walk load, canary +5 %", want: "≥ 95 %", group: regression, metric: metric(sequential.Gauge, up), start: sharedLoad(0.05)},
		{name: "fixed_horizon_10pct", title: "6000 req/min, 1 → 1.1 % errors, fixed horizon", want: "≥ 78 %", group: regression, horizon: minutes, metric: metric(sequential.Counts, up), start: errorRates(6000, 6000, 0.011, 0.01)},
		{name: "open_horizon_10pct", title: "… open horizon", group: more, metric: metric(sequential.Counts, up), start: errorRates(6000, 6000, 0.011, 0.01)},
		{name: "gauge_10pct", title: "gauge, +10 % of the mean, sd 10 %", group: more, metric: metric(sequential.Gauge, up), start: shifted(0.1)},
	}
}

func rows() []row {
	list := slices.Concat(unchanged(), histories(), worse())
	for i := range list {
		if list[i].by == 0 {
			list[i].by = minutes
		}
		if list[i].history == "" {
			list[i].history = none
		}
	}
	return list
}

// process makes a stationary AR(1) process of unit variance.
func process(d *draw, rho float64) func() float64 {
	x := d.NormFloat64()
	return func() float64 {
		v := x
		x = rho*x + math.Sqrt(1-rho*rho)*d.NormFloat64()
		return v
	}
}

// autoregressive is a gauge of mean 100 and standard deviation 10.
func autoregressive(rho float64) func(*draw) minute {
	return func(d *draw) minute {
		c, b := process(d, rho), process(d, rho)
		return func() (sequential.Pane, float64, float64) { return gauges(100+10*c(), 100+10*b()) }
	}
}

func shifted(by float64) func(*draw) minute {
	return func(d *draw) minute {
		return func() (sequential.Pane, float64, float64) {
			return gauges(100*(1+by)+10*d.NormFloat64(), 100+10*d.NormFloat64())
		}
	}
}

// pods gives every pod an offset for the whole run. Kayenta sees the arms' means.
func pods(n int, offset float64) func(*draw) minute {
	return func(d *draw) minute {
		offsets := make([]float64, 2*n)
		for i := range offsets {
			offsets[i] = 100 + 10*offset*d.NormFloat64()
		}
		arm := func(offsets []float64) (a sequential.Arm, mean float64) {
			for _, o := range offsets {
				a.Values = append(a.Values, o+10*d.NormFloat64())
				mean += a.Values[len(a.Values)-1] / float64(len(offsets))
			}
			return a, mean
		}
		return func() (sequential.Pane, float64, float64) {
			c, experiment := arm(offsets[:n])
			b, control := arm(offsets[n:])
			return sequential.Pane{Canary: c, Baseline: b}, control, experiment
		}
	}
}

func overdispersed(mean, factor float64) func(*draw) minute {
	return func(d *draw) minute {
		return func() (sequential.Pane, float64, float64) {
			return counts(d.overdispersed(mean, factor), 600, d.overdispersed(mean, factor), 600)
		}
	}
}

func errorRates(requests, baselineRequests, rate, baselineRate float64) func(*draw) minute {
	return func(d *draw) minute {
		return func() (sequential.Pane, float64, float64) {
			return counts(d.poisson(requests*rate), requests, d.poisson(baselineRequests*baselineRate), baselineRequests)
		}
	}
}

// sharedLoad is a gauge in proportion to a load that wanders by 5 % a minute, with
// 4 % noise of each arm's own.
func sharedLoad(by float64) func(*draw) minute {
	return func(d *draw) minute {
		load := 100.0
		return func() (sequential.Pane, float64, float64) {
			load *= math.Exp(0.05 * d.NormFloat64())
			return gauges(load*(1+by)*(1+0.04*d.NormFloat64()), load*(1+0.04*d.NormFloat64()))
		}
	}
}
