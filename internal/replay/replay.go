// Package replay runs the whole engine over history, without acting: the records of the
// sources' topics go through the decoders and the machines of a configuration, with the
// times of the records as the wall clock. Nothing is written anywhere, and the same
// input gives the same output.
//
// What executors and people would have said is assumed, or was recorded. What a command
// would have changed is in neither: the telemetry stays what it was.
package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/machines"
	"github.com/flyball-io/flyball/processors/evaluate"
	"github.com/flyball-io/flyball/processors/remediation"
)

// Config says what to run over history.
type Config struct {
	// Spec is the configuration.
	Spec *config.Config
	// Partitions is how many evaluate machines there are; 0 is as many as the
	// configuration has partitions of panes.
	Partitions int32
	// From and To bound when records came: From ≤ at < To. NoTime does not. With To, the
	// run ends then; otherwise when everything that was read is evaluated.
	From, To flyball.Time
	// Outcomes says what executors report.
	Outcomes Outcomes
	// ActionTime is how long an action takes that is assumed to succeed.
	ActionTime time.Duration
	// Said is what executors and people have said, in the order of its times.
	Said []Said
	// Unreadable is how much more they have said that could not be read.
	Unreadable int64
	// Decision, when set, is called with every decision, in order.
	Decision func(*flyball.Decision) error
	// Progress, when set, is called now and then with the time that was reached.
	Progress func(flyball.Time)
}

// Tick is the least time between two transactions of the machines, in the time of the
// records.
const Tick = time.Second

// tick is how often the machines are stepped: as rarely as does not show, because steps
// are what a replay of little telemetry costs. Order and cuts of what they are given do
// not change what they find; a partition is seen to be idle up to a tick later.
func tick(c *config.Config) time.Duration {
	d := 10 * time.Second
	for _, i := range c.Indicators {
		d = min(d, i.Pane)
	}
	for _, s := range machines.Measured(c) {
		d = min(d, s.IdleTimeout)
	}
	return max(d.Truncate(Tick), Tick)
}

// run is one run over telemetry.
type run struct {
	cfg      Config
	feed     Feed
	tick     time.Duration
	sources  []*source
	machines []*evaluator
	decider  *decider
	summary  *Summary

	now    flyball.Time // of the last transaction
	latest flyball.Time // when the last record came
	quiet  time.Duration
}

// Run runs the engine over telemetry and returns what came of it. A panic of a decoder
// costs the record that it happened on.
func Run(ctx context.Context, cfg Config, feed Feed) (*Summary, error) {
	r := &run{cfg: cfg, feed: feed, tick: tick(cfg.Spec), now: flyball.NoTime, latest: flyball.NoTime, summary: newSummary(cfg)}
	partitions := cfg.Partitions
	if partitions == 0 {
		partitions = int32(cfg.Spec.Pipeline.Partitions.Panes)
	}
	for _, src := range machines.Measured(cfg.Spec) {
		s, err := newSource(cfg.Spec, src, partitions, feed.Partitions(), r.summary)
		if err != nil {
			return nil, err
		}
		r.sources = append(r.sources, s)
		r.quiet = max(r.quiet, src.IdleTimeout)
	}
	r.quiet += 2 * r.tick
	each := machines.Evaluate(cfg.Spec)
	for p := range partitions {
		each.Partition = p
		r.machines = append(r.machines, &evaluator{machine: evaluate.New(each), of: partitions, partition: p, told: flyball.NoTime})
	}
	d, err := newDecider(cfg, r.summary)
	if err != nil {
		return nil, err
	}
	r.decider = d
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	return r.summary, r.finish()
}

// read folds record after record, and lets time pass to each.
func (r *run) read(ctx context.Context) error {
	for n := 0; ; n++ {
		rec, err := r.feed.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if rec.At < r.cfg.From || r.cfg.To != flyball.NoTime && rec.At >= r.cfg.To {
			r.summary.Outside++
			continue
		}
		if err := r.reach(ctx, rec.At); err != nil {
			return err
		}
		r.summary.Records++
		for _, s := range r.sources {
			s.take(rec, r.latest)
		}
		if n%1000 == 0 && r.cfg.Progress != nil {
			r.cfg.Progress(r.latest)
		}
	}
}

// reach lets time pass to that of a record. A partition that is behind does not turn it
// back, and a record without a time, in which nothing can be read, lets none pass.
func (r *run) reach(ctx context.Context, at flyball.Time) error {
	if at == flyball.NoTime {
		return nil
	}
	if r.now == flyball.NoTime {
		r.now = at.Floor(r.tick)
		r.summary.From = at
	}
	r.latest = max(r.latest, at)
	return r.advance(ctx, r.latest)
}

// finish lets what was read be evaluated, or time pass to where it shall end.
func (r *run) finish() error {
	if r.latest == flyball.NoTime {
		return nil
	}
	r.summary.To = r.latest
	end := r.cfg.To
	if end == flyball.NoTime {
		end = r.latest.Add(r.quiet + r.tick)
	}
	if err := r.advance(context.Background(), end); err != nil {
		return err
	}
	if r.now < end { // what came since the last step
		if err := r.transaction(end); err != nil {
			return err
		}
	}
	r.decider.end()
	return nil
}

// advance makes the transactions that are due by a time.
func (r *run) advance(ctx context.Context, to flyball.Time) error {
	for {
		if r.idle() {
			r.now = max(r.now, min(to, r.decider.next()).Add(-1).Floor(r.tick))
		}
		next := r.now.Add(r.tick)
		if next > to {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.transaction(next); err != nil {
			return err
		}
	}
}

// idle reports whether nothing has come for so long that nothing changes until
// something does.
func (r *run) idle() bool { return r.now.Sub(r.latest) >= r.quiet }

// transaction steps every machine once.
func (r *run) transaction(now flyball.Time) error {
	r.now = now
	for _, s := range r.sources {
		for _, b := range s.flush(now) {
			r.machines[b.Partition].take(b)
		}
	}
	var findings []flyball.Finding
	var watermarks remediation.Input
	for _, e := range r.machines {
		found, told := e.step(r.summary)
		findings = append(findings, found...)
		watermarks = append(watermarks, told...)
	}
	for _, s := range r.sources {
		s.commit()
	}
	// Partitions have no order among each other. With this one their number does not show.
	slices.SortStableFunc(findings, func(a, b flyball.Finding) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Entity, b.Entity))
	})
	if err := r.decider.step(now, findings, watermarks); err != nil {
		return fmt.Errorf("cannot decide at %s: %w", now, err)
	}
	return nil
}
