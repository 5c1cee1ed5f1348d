// Package remote answers the request of Kayenta's remote judge with the sequential
// judge.
package remote

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball/detectors/canary"
	"github.com/flyball-io/flyball/detectors/canary/sequential"
)

// Name is the judge's name in results.
const Name = "flyball-sequential-v1"

// Result is Kayenta's judge result with what this judge adds.
type Result struct {
	canary.Result
	Flyball Report `json:"flyball"`
}

// Report is what this judge adds to Kayenta's result.
type Report struct {
	sequential.Verdict
	// DecidedTime is the end of the pane after which the verdict was reached, when
	// the request places its values in time.
	DecidedTime string `json:"decided_time,omitempty"`
	// PaneSeconds is the length of a pane.
	PaneSeconds float64 `json:"pane_seconds"`
}

// Judge answers a request: it shows the values to a judge step by step, as
// if it had watched the canary, and reports what was found at any step.
func Judge(r *canary.Request) (Result, error) {
	q := newQuestion(r)
	j, err := sequential.New(q.config, q.metrics())
	if err != nil {
		return Result{}, err
	}
	for t := range q.length {
		panes := make([]sequential.Pane, len(q.judged))
		for i, s := range q.judged {
			panes[i] = s.pane(t)
		}
		if err := j.Observe(panes); err != nil {
			return Result{}, err
		}
	}
	j.End()
	return q.result(j.Verdict()), nil
}

// question is a request in the terms of this judge.
type question struct {
	request *canary.Request
	config  sequential.Config
	// judged are the metrics, one for each name and set of tags but the replica's;
	// traffic are those that only count what others are out of.
	judged, traffic []*series
	length          int
	start           int64
}

// series is the data of one metric: the values of every replica of both arms.
type series struct {
	config           canary.MetricConfig
	metric           sequential.Metric
	id               string
	tags             map[string]string
	canary, baseline []samples
	// history are the baseline's values before, one list for every replica.
	history []samples
	// exposure has the series of what the counts are out of; nil without.
	exposure *series
	notes    []string
}

// samples are one replica's values.
type samples struct {
	replica string
	values  []float64
}

func newQuestion(r *canary.Request) *question {
	q := &question{request: r, config: sequential.Default()}
	q.config.Thresholds, q.config.GroupWeights = r.Thresholds, r.GroupWeights
	q.config.Horizon, q.config.Warmup, q.config.CanaryShare = r.Judge.Horizon, r.Judge.Warmup, r.Judge.CanaryShare
	if r.Judge.Alpha > 0 {
		q.config.Alpha = r.Judge.Alpha
	}
	if r.Judge.Beta > 0 {
		q.config.Beta = r.Judge.Beta
	}
	all := q.collect()
	canaryAlive := slices.ContainsFunc(all, func(s *series) bool { return anySome(s.canary) })
	baselineAlive := slices.ContainsFunc(all, func(s *series) bool { return anySome(s.baseline) })
	for _, s := range all {
		s.exposure = s.find(all, s.config.Exposure)
	}
	for _, s := range all {
		if slices.ContainsFunc(all, func(o *series) bool { return o.exposure == s }) {
			q.traffic = append(q.traffic, s)
			continue
		}
		s.fill(canaryAlive, baselineAlive)
		s.metric = s.describe(q.config.PaneLength)
		s.metric.Borrow = r.Judge.Borrow
		q.judged = append(q.judged, s)
	}
	return q
}

// collect gathers the pairs of each metric that differ by replica only.
func (q *question) collect() []*series {
	var all []*series
	byKey := map[string]*series{}
	for _, p := range q.request.Pairs {
		q.length = max(q.length, len(p.Control), len(p.Experiment))
		if p.StepMillis > 0 {
			q.config.PaneLength = time.Duration(p.StepMillis) * time.Millisecond
		}
		if p.StartMillis > 0 {
			q.start = p.StartMillis
		}
		replica, ok := p.Tags[q.request.Judge.ReplicaTag]
		tags := maps.Clone(p.Tags)
		delete(tags, q.request.Judge.ReplicaTag)
		key := fmt.Sprint(p.Name, tags)
		s := byKey[key]
		if s == nil || !ok {
			config, _ := q.request.Metric(p.Name)
			s = &series{config: config, id: p.ID, tags: tags}
			byKey[key] = s
			all = append(all, s)
		}
		// A replica of one arm is absent in the other: that is no replica there.
		if !ok || some(p.Control) {
			s.baseline = append(s.baseline, samples{replica, slices.Clone(p.Control)})
		}
		if !ok || some(p.Experiment) {
			s.canary = append(s.canary, samples{replica, slices.Clone(p.Experiment)})
		}
		if some(p.History) {
			s.history = append(s.history, samples{replica, p.History})
		}
	}
	return all
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func some(values []float64) bool { return slices.ContainsFunc(values, finite) }

// find returns the series of a name with the same tags.
func (s *series) find(all []*series, name string) *series {
	if name == "" {
		return nil
	}
	i := slices.IndexFunc(all, func(o *series) bool { return o.config.Name == name && maps.Equal(o.tags, s.tags) })
	if i < 0 {
		s.notes = append(s.notes, fmt.Sprintf("there are no values of the exposure %q with the same tags", name))
		return nil
	}
	return all[i]
}

// fill replaces NaN by 0 where the configuration says so, except in an arm of which
// nothing at all is known: a canary that reports nothing is not shown to be healthy.
// An arm without a value here is known from its other metrics; a baseline also from
// the canary's values, because taking it for 0 does not excuse the canary.
func (s *series) fill(canaryAlive, baselineAlive bool) {
	if !s.config.ReplaceNaN {
		return
	}
	if canaryAlive {
		zero(s.canary)
	}
	if baselineAlive || anySome(s.canary) {
		zero(s.baseline)
	}
}

func zero(arm []samples) {
	for _, r := range arm {
		for i, v := range r.values {
			if math.IsNaN(v) {
				r.values[i] = 0
			}
		}
	}
}

func anySome(arm []samples) bool {
	return slices.ContainsFunc(arm, func(r samples) bool { return some(r.values) })
}

// describe makes the metric of a series.
func (s *series) describe(pane time.Duration) sequential.Metric {
	c := s.config
	m := sequential.Metric{
		Name: c.Name, Groups: c.Groups, Kind: sequential.Kind(c.Kind), Direction: c.Direction,
		Critical: c.Critical, Muted: c.Muted, MustHaveData: c.MustHaveData,
		Increase: 1, Decrease: 1, CriticalIncrease: 1, CriticalDecrease: 1,
		Tolerance: c.Tolerance, Floor: c.Floor,
	}
	if c.Effect.Measure == canary.MeanRatio {
		m.Increase, m.CriticalIncrease = math.Max(1, c.Effect.AllowedIncrease), c.Effect.CriticalIncrease
		m.Decrease, m.CriticalDecrease = math.Max(0, math.Min(1, c.Effect.AllowedDecrease)), c.Effect.CriticalDecrease
	} else {
		s.notes = append(s.notes, "effect sizes in cles are not ratios: an increase or decrease of any size is not allowed")
	}
	if m.Kind == "" {
		m.Kind = s.kind()
	}
	if m.Tolerance == 0 {
		m.Tolerance = sequential.DefaultTolerance
		if m.Kind == sequential.Counts {
			m.Tolerance = sequential.DefaultCountsTolerance
		}
	}
	if m.Floor < 0 {
		m.Floor = sequential.DefaultFloorPerMinute * pane.Minutes()
		if s.exposure != nil {
			m.Floor = sequential.DefaultFloorShare
		}
	}
	if m.Kind == sequential.Counts {
		m.Past = s.past(pane)
	}
	return m
}

// Limits of what passes for counts: whole numbers that are few, or that vary about
// as much as counts do.
const (
	fewCounts                   = 30
	leastSpread, greatestSpread = 0.3, 10
)

// kind tells counts from gauges. The baseline says how much they vary: the canary
// may be broken.
func (s *series) kind() sequential.Kind {
	if s.exposure != nil {
		return sequential.Counts
	}
	n, sum, square := 0.0, 0.0, 0.0
	for _, arm := range [][]samples{s.canary, s.baseline} {
		for _, r := range arm {
			for _, v := range r.values {
				if finite(v) && (v < 0 || v != math.Trunc(v)) {
					return sequential.Gauge
				}
			}
		}
	}
	for _, r := range s.baseline {
		for _, v := range r.values {
			if finite(v) {
				n, sum, square = n+1, sum+v, square+v*v
			}
		}
	}
	mean := sum / n
	spread := (square/n - mean*mean) / mean
	if n == 0 || mean < fewCounts || spread >= leastSpread && spread <= greatestSpread {
		return sequential.Counts
	}
	return sequential.Gauge
}

// pane returns the values of both arms at step t.
func (s *series) pane(t int) sequential.Pane {
	var p sequential.Pane
	var c, b []samples
	if s.exposure != nil {
		c, b = s.exposure.canary, s.exposure.baseline
	}
	p.Canary = arm(s.canary, c, t, s.exposure != nil)
	p.Baseline = arm(s.baseline, b, t, s.exposure != nil)
	return p
}

// arm returns the values of one arm at step t, with the exposure of the same
// replica. A replica that has traffic but no series had no events.
func arm(values, exposure []samples, t int, exposed bool) sequential.Arm {
	if !exposed {
		a := sequential.Arm{Values: make([]float64, len(values))}
		for i, r := range values {
			a.Values[i] = r.at(t)
		}
		return a
	}
	a := sequential.Arm{Exposure: make([]float64, len(exposure)), Values: make([]float64, len(exposure))}
	for i, e := range exposure {
		a.Exposure[i], a.Values[i] = e.at(t), math.NaN()
		for _, r := range values {
			if r.replica == e.replica {
				a.Values[i] = r.at(t)
			}
		}
	}
	return a
}

func (r samples) at(t int) float64 {
	if t < len(r.values) && finite(r.values[t]) {
		return r.values[t]
	}
	return math.NaN()
}

func (q *question) metrics() []sequential.Metric {
	list := make([]sequential.Metric, len(q.judged))
	for i, s := range q.judged {
		list[i] = s.metric
	}
	return list
}

// result puts a verdict into Kayenta's shape.
func (q *question) result(v sequential.Verdict) Result {
	r := Result{
		Result:  canary.Result{JudgeName: Name, Results: []canary.MetricResult{}, GroupScores: v.Groups},
		Flyball: Report{Verdict: v, PaneSeconds: q.config.PaneLength.Seconds()},
	}
	if q.start > 0 && v.DecidedAt > 0 {
		at := time.UnixMilli(q.start).UTC().Add(time.Duration(v.DecidedAt) * q.config.PaneLength)
		r.Flyball.DecidedTime = at.Format(time.RFC3339)
	}
	for i, s := range q.judged {
		d := &r.Flyball.Metrics[i]
		d.Tags = s.tags
		d.Notes = append(d.Notes, s.notes...)
		m := s.result(d.Classification, d.Reason)
		m.Critical = d.Critical
		r.Results = append(r.Results, m)
	}
	for _, s := range q.traffic {
		m := s.result(canary.Pass, s.config.Name+" is what other metrics are out of: not judged")
		m.Muted = true
		r.Results = append(r.Results, m)
	}
	labels := map[canary.Verdict]string{
		canary.VerdictPass: "Pass", canary.VerdictFail: "Fail",
		canary.VerdictMarginal: "Marginal", canary.VerdictInconclusive: "Marginal",
	}
	reason := v.Reason
	if v.Verdict == canary.VerdictInconclusive {
		reason = "Inconclusive: " + reason
	}
	r.Score = canary.Score{Score: canary.Number(v.Score), Classification: labels[v.Verdict], ClassificationReason: reason}
	return r
}

func (s *series) result(class canary.Classification, reason string) canary.MetricResult {
	flat := func(arm []samples) (all []float64) {
		for _, r := range arm {
			all = append(all, slices.DeleteFunc(slices.Clone(r.values), func(v float64) bool { return !finite(v) })...)
		}
		return all
	}
	c, b := flat(s.canary), flat(s.baseline)
	groups := s.config.Groups
	if groups == nil {
		groups = []string{}
	}
	ratio := math.NaN()
	if len(c) > 0 && len(b) > 0 {
		ratio = canary.EffectSize(canary.MeanRatio, b, c)
	}
	return canary.MetricResult{
		Name: s.config.Name, ID: s.id, Tags: s.tags, Groups: groups,
		Classification: class, ClassificationReason: strings.TrimSpace(reason),
		ExperimentMetadata: canary.Metadata{Stats: canary.Summarize(c)},
		ControlMetadata:    canary.Metadata{Stats: canary.Summarize(b)},
		ResultMetadata:     canary.ResultMetadata{Ratio: canary.Number(ratio)},
		Muted:              s.config.Muted,
	}
}
