package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"time"
)

// Plan is how much is measured.
type Plan struct {
	// Workload by name; what is called spans below is its samples.
	Workload string
	// Spans of the topic, and how many of them per second of event time.
	Spans int64
	Rate  float64
	// Partitions of the topic, and Workers that read it.
	Partitions, Workers int
	// WarmUp is the part of the topic that is read before anything is measured.
	WarmUp float64
	// Rounds of floor and aggregate.
	Rounds int
	// SteadyRate is how many spans per second aggregate gets for how long in the
	// last round; there is none when SteadyFor is 0.
	SteadyRate float64
	SteadyFor  time.Duration
	// Profiles is the directory for profiles of the last round, if any.
	Profiles string
}

// Measured is everything that was seen.
type Measured struct {
	Plan   Plan
	Loaded Loaded
	// Spans is how many are left after the warm-up.
	Spans            int64
	Sums             Sums
	Floor, Aggregate []Usage
	Steady           Usage
	SteadyLoaded     Loaded
}

const (
	topic       = "otlp_spans"
	steadyTopic = "otlp_spans_steady"
)

// groupOf is the group that aggregate joins, see internal/pipeline.
func groupOf(t Task) string { return t.Prefix + "-aggregate-" + workloads[t.Workload].source }

// measure runs the plan; talk tells how far it is.
func measure(ctx context.Context, plan Plan, talk io.Writer) (m Measured, err error) {
	m.Plan = plan
	c, err := startCluster(ctx)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	fmt.Fprintf(talk, "%s: writing %d samples\n", plan.Workload, plan.Spans)
	task := Task{Workload: plan.Workload, Brokers: c.brokers, Topic: topic, Partitions: plan.Partitions, Workers: plan.Workers}
	load := task
	load.Kind, load.Spans, load.Rate = "load", plan.Spans, plan.Rate
	if err := do(ctx, load, &m.Loaded); err != nil {
		return m, err
	}
	if task.Records, err = c.records(ctx, topic, plan.Partitions); err != nil {
		return m, err
	}
	task.WarmUp = int64(plan.WarmUp * float64(m.Loaded.Records))
	m.Spans = (m.Loaded.Records - task.WarmUp) * workloads[plan.Workload].perRecord
	for round := range plan.Rounds {
		fmt.Fprintf(talk, "round %d of %d\n", round+1, plan.Rounds)
		last := round == plan.Rounds-1
		if err := m.floor(ctx, task, last); err != nil {
			return m, err
		}
		task.Prefix = fmt.Sprintf("bench%d.", round)
		if err := m.aggregate(ctx, c, task, last); err != nil {
			return m, err
		}
	}
	if plan.SteadyFor == 0 {
		return m, nil
	}
	fmt.Fprintf(talk, "steady rate for %v\n", plan.SteadyFor)
	return m, m.steady(ctx, c, task)
}

func (m *Measured) profile(t Task, last bool) string {
	if m.Plan.Profiles == "" || !last {
		return ""
	}
	return filepath.Join(m.Plan.Profiles, t.Workload+"-"+t.Kind+".prof")
}

func (m *Measured) floor(ctx context.Context, t Task, last bool) error {
	t.Kind = "floor"
	t.Profile = m.profile(t, last)
	var r FloorResult
	if err := do(ctx, t, &r); err != nil {
		return err
	}
	m.Floor = append(m.Floor, r.Usage)
	if m.Sums == (Sums{}) {
		m.Sums = r.Sums
	}
	if r.Sums.Spans != m.Loaded.Spans || r.Sums.Failed != m.Loaded.Failed {
		return fmt.Errorf("cannot trust the floor: it found %d spans and %d failures of %d and %d", r.Sums.Spans, r.Sums.Failed, m.Loaded.Spans, m.Loaded.Failed)
	}
	return nil
}

func (m *Measured) aggregate(ctx context.Context, c *cluster, t Task, last bool) error {
	t.Kind = "aggregate"
	t.Profile = m.profile(t, last)
	child, err := start(ctx, t)
	if err != nil {
		return err
	}
	err = c.awaitCommitted(ctx, groupOf(t), t.Topic, t.Records)
	r, e := finish(child)
	if err = errors.Join(err, e); err != nil {
		return err
	}
	m.Aggregate = append(m.Aggregate, r.Usage)
	return m.check(ctx, c, t.Prefix, m.Sums)
}

// finish stops aggregate and reads what it used.
func finish(c *child) (r AggregateResult, err error) {
	if err = c.in.Close(); err == nil {
		err = c.read(&r)
	}
	return r, errors.Join(err, c.stop())
}

// check compares the panes with what the floor found.
func (m *Measured) check(ctx context.Context, c *cluster, prefix string, want Sums) error {
	got, err := c.panes(ctx, prefix, workloads[m.Plan.Workload].unit)
	if err != nil {
		return err
	}
	return want.equal(got)
}

// equal says how panes differ from what the floor found; sums of durations may,
// by their rounding.
func (s Sums) equal(panes Sums) error {
	if panes.Spans != s.Spans || panes.Failed != s.Failed || panes.Series != s.Series ||
		math.Abs(panes.Total-s.Total) > 1e-9*s.Total {
		return fmt.Errorf("cannot trust aggregate: its panes hold %+v, and the floor found %+v", panes, s)
	}
	return nil
}

// steady runs aggregate beside a load at a fixed rate.
func (m *Measured) steady(ctx context.Context, c *cluster, t Task) error {
	t.Kind, t.Topic, t.Prefix, t.WarmUp = "load", steadyTopic, "steady.", 0
	t.Rate, t.Spans, t.Paced = m.Plan.SteadyRate, int64(m.Plan.SteadyRate*m.Plan.SteadyFor.Seconds()), true
	load, err := start(ctx, t)
	if err != nil {
		return err
	}
	if err := c.awaitTopic(ctx, t.Topic); err != nil {
		return errors.Join(err, load.stop())
	}
	t.Kind = "aggregate"
	child, err := start(ctx, t)
	if err != nil {
		return errors.Join(err, load.stop())
	}
	err = errors.Join(load.read(&m.SteadyLoaded), load.stop())
	if err == nil {
		t.Records, err = c.records(ctx, t.Topic, t.Partitions)
	}
	if err == nil {
		err = c.awaitCommitted(ctx, groupOf(t), t.Topic, t.Records)
	}
	r, e := finish(child)
	m.Steady = r.Usage
	return errors.Join(err, e)
}
