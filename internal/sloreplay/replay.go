package sloreplay

import (
	"math"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/detectors/burnrate"
	"github.com/flyball-io/flyball/processors/slo"
)

// Options says how slices are read. The zero value works all of it out.
type Options struct {
	// Slice is the width of a slice; 0 is the widest that the starts allow.
	Slice time.Duration
	// Step is the time between evaluations; 0 is the width of a slice.
	Step time.Duration
}

// The states of a tier in a Transition.
const (
	Firing   = "firing"
	Resolved = "resolved"
)

// Transition is a burn-rate tier that begins or ceases to fire.
type Transition struct {
	// SLO and Tier are their names.
	SLO  string `json:"slo"`
	Tier string `json:"tier"`
	// State is firing or resolved.
	State string `json:"state"`
	// At is the evaluation: the end of the last slice counted, or later.
	At flyball.Time `json:"at"`
	// BurnLong and BurnShort are the burn rates, null without samples.
	BurnLong  Number `json:"burn_long"`
	BurnShort Number `json:"burn_short"`
	// BudgetConsumed is the share of the budget used over the period up to At.
	BudgetConsumed Number `json:"budget_consumed"`
	// Severity of the tier, page or ticket.
	Severity string `json:"severity"`
}

// Run replays slices, as ReadSlices returns them, through an SLO. It calls emit
// at every transition, in order of time and then of tiers, and returns where
// things stand at the end of the last slice. It stops at the first error of emit.
func Run(spec flyball.SLO, list []Slice, o Options, emit func(Transition) error) (Summary, error) {
	r, err := newRun(spec, list, o)
	if err != nil {
		return Summary{}, err
	}
	if err := r.walk(func(at flyball.Time) error { return r.judge(at, emit) }); err != nil {
		return Summary{}, err
	}
	return r.summary(r.end), nil
}

func newRun(spec flyball.SLO, list []Slice, o Options) (*run, error) {
	g, err := newGrid(list, o.Slice, o.Step)
	if err != nil {
		return nil, err
	}
	r := &run{
		spec: &spec, grid: g, left: list, end: g.end(list), lastBad: flyball.NoTime, detector: burnrate.New(spec), firing: map[string]bool{},
		tracker: slo.NewExactTracker(spec, g.pane),
	}
	for _, t := range spec.Tiers {
		r.reach = max(r.reach, max(t.Long, t.Short)+t.After)
	}
	r.reach += g.slice + spec.Slice
	r.tracker.Exclude(slo.ExclusionsOf(&spec, g.pane))
	return r, nil
}

// walk counts all slices, and calls f at every evaluation at which something may
// have changed.
func (r *run) walk(f func(at flyball.Time) error) error {
	for at := r.grid.after(r.left[0].Start.Add(r.grid.slice)); at <= r.end; at = r.next(at) {
		r.count(at)
		if err := f(at); err != nil {
			return err
		}
	}
	r.count(r.end)
	return nil
}

// run is one SLO under way.
type run struct {
	spec     *flyball.SLO
	grid     grid
	left     []Slice       // not counted yet
	end      flyball.Time  // of the last slice
	reach    time.Duration // how far back tiers look
	lastBad  flyball.Time  // start of the last slice with a bad sample
	tracker  *slo.Tracker
	detector *burnrate.Detector
	firing   map[string]bool
}

// count counts what ends at at or earlier.
func (r *run) count(at flyball.Time) {
	for len(r.left) > 0 && r.left[0].Start.Add(r.grid.slice) <= at {
		r.tracker.Add(r.left[0].Start, r.left[0].Total, r.left[0].Bad)
		if r.left[0].Bad > 0 {
			r.lastBad = r.left[0].Start
		}
		r.left = r.left[1:]
	}
	r.tracker.Expire(at)
	r.tracker.Commit()
}

func (r *run) observe(at flyball.Time) detectors.Signal {
	return r.detector.Observe(detectors.SLOObservation{
		At: at, Silent: !r.tracker.Active(at), Pane: r.grid.step, Gap: r.tracker.Gap(at),
		Sum:      func(w time.Duration) (total, bad int64) { return r.tracker.Sum(at, w) },
		SumAt:    func(past flyball.Time, w time.Duration) (total, bad int64) { return r.tracker.SumAt(at, past, w) },
		Excluded: func(w time.Duration) bool { return r.tracker.Excluded(at, w) },
	})
}

func (r *run) fires() bool {
	for _, firing := range r.firing {
		if firing {
			return true
		}
	}
	return false
}

// quiet reports whether no tier can fire: nothing does, and nothing bad lies in any
// window, nor silence that counts as bad.
func (r *run) quiet(at flyball.Time) bool {
	if r.spec.NoData == flyball.NoDataBad || r.fires() {
		return false
	}
	return r.lastBad == flyball.NoTime || r.lastBad.Add(r.reach) < at
}

func (r *run) judge(at flyball.Time, emit func(Transition) error) error {
	if r.quiet(at) {
		return nil
	}
	for i, t := range r.observe(at).Tiers {
		if t.Firing == r.firing[t.Name] || t.NoData { // nobody knows: it stays as it was
			continue
		}
		r.firing[t.Name] = t.Firing
		state := Resolved
		if t.Firing {
			state = Firing
		}
		err := emit(Transition{
			SLO: r.spec.Name, Tier: t.Name, State: state, At: at, Severity: r.spec.Tiers[i].Severity,
			BurnLong: Number(t.Long), BurnShort: Number(t.Short),
			BudgetConsumed: Number(r.spec.BurnRate(r.tracker.Period(at))),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// next returns the evaluation after the one at at: where the next slice is counted
// or what is to be said may change by itself. It passes over the time between.
func (r *run) next(at flyball.Time) flyball.Time {
	next := flyball.Time(math.MaxInt64)
	if len(r.left) > 0 {
		next = max(r.grid.after(r.left[0].Start.Add(r.grid.slice)), at.Add(r.grid.step))
	}
	if next <= at.Add(r.grid.step) {
		return next
	}
	if change, ok := r.tracker.NextChange(at); ok {
		next = min(next, r.grid.after(change))
	}
	return max(next, at.Add(r.grid.step))
}
