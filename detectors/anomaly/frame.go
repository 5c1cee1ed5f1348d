package anomaly

import (
	"math"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/anomaly/cadence"
	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
)

// frame is one point with what every algorithm wants to know of it, worked out
// once.
type frame struct {
	at    flyball.Time
	value float64
	// index is how many points were judged before.
	index int
	// step is the usual distance between points, steps how many of them lie
	// between this point and the last, at least 1.
	step  time.Duration
	steps float64
	gap   time.Duration
	// event is for how many points something unusual is one event, and not yet what
	// the series does.
	event int
	// floor is the finest difference that the series is known to make.
	floor float64
	// low and high bound what was seen before, span is the range that matters:
	// the declared one, or what was seen including this point.
	low, high, span float64
	// rangeLow and rangeHigh are the declared range, or else what was seen before.
	rangeLow, rangeHigh float64
	// base is what the time of the day and the like lead to expect; without
	// such knowledge based is false and base is 0.
	base  float64
	based bool
	// rebase is by how much base would be higher by the forecast that was the
	// base of the last frame, when another took over.
	rebase float64
	// surprise is how far the value is from the forecast of spike, in units of
	// what that is usually wrong by, and known whether that means something yet.
	surprise float64
	known    bool
	// drift is how far the value is from the slow level, in units of what that is
	// usually wrong by; 0 while that means nothing.
	drift float64
}

// An incident of an hour is one event, of up to so many points.
const (
	eventLength = 50 * time.Minute
	mostEvent   = 60
)

// front prepares frames.
type front struct {
	cfg       *Config
	cadence   cadence.Cadence
	last      flyball.Time
	previous  float64
	seen      int
	finest    float64
	low, high float64
	middle    float64 // a slow, robust mean: deviations from it are material or not
	// event is for how many points an event lasts at most, at a step.
	event    int
	eventFor time.Duration
}

func newFront(cfg *Config) front {
	return front{cfg: cfg, last: flyball.NoTime}
}

// prepare fills f for a point that has a value.
func (t *front) prepare(p Point, f *frame) {
	*f = frame{at: p.At, value: p.Value, index: t.seen, steps: 1, low: t.low, high: t.high}
	if t.last != flyball.NoTime {
		f.gap = p.At.Sub(t.last)
		if f.gap > 0 {
			t.cadence.Observe(f.gap)
		}
	}
	if f.step = t.cadence.Step(); f.step != t.eventFor {
		t.event, t.eventFor = max(1, min(int(eventLength/f.step), mostEvent)), f.step
	}
	f.event = t.event
	if f.gap > f.step+f.step/2 {
		f.steps = float64(f.gap) / float64(f.step)
	}
	if f.rangeLow, f.rangeHigh = t.low, t.high; t.cfg.declared() {
		f.rangeLow, f.rangeHigh = t.cfg.Min, t.cfg.Max
	}
	t.extremes(p.Value)
	if f.span = t.high - t.low; t.cfg.declared() {
		f.span = t.cfg.Max - t.cfg.Min
	}
	f.floor = t.finest
}

// extremes learns the extremes, the finest difference and the middle.
func (t *front) extremes(x float64) {
	if t.seen == 0 {
		t.low, t.high, t.middle = x, x, x
		return
	}
	t.low, t.high = min(t.low, x), max(t.high, x)
	// Differences near the precision of a float are noise of its arithmetic.
	if d := math.Abs(x - t.previous); d > 1e-9*math.Abs(x) && (t.finest == 0 || d < t.finest) {
		t.finest = d
	}
}

// material returns how much a deviation matters: 1 from a twentieth of the range
// on, less below.
func (t *front) material(f *frame) float64 {
	const matters = 0.05
	if f.span <= 0 {
		return 1
	}
	return min(1, math.Abs(f.value-t.middle)/(matters*f.span))
}

// learn ends the work on a frame.
func (t *front) learn(f *frame) {
	const slow, most = 0.02, 0.05
	limit := most * f.span
	t.middle += slow * max(-limit, min(limit, f.value-t.middle))
	t.last, t.previous = max(t.last, f.at), f.value
	t.seen++
}

func (t *front) code(c *snapshot.Codec) {
	t.cadence.Code(c)
	last := int64(t.last)
	c.Int64(&last)
	t.last = flyball.Time(last)
	c.Count(&t.seen)
	for _, v := range []*float64{&t.previous, &t.finest, &t.low, &t.high, &t.middle} {
		c.Float64(v)
	}
}
