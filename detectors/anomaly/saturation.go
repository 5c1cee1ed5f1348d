package anomaly

import (
	"math"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
	"github.com/flyball-io/flyball/detectors/anomaly/trend"
)

// saturation foresees that a value with a declared range reaches the end of it
// within the horizon: a robust line through the means of the last horizon,
// carried on. It speaks of trends that are beyond doubt only and, once it knows
// the series, of those that are not its habit.
type saturation struct {
	min, max float64
	horizon  time.Duration
	every    time.Duration            // what one mean covers
	means    [saturationMeans]float64 // oldest first; the last count are in use
	count    int
	sum      float64
	in       int          // values in sum
	slot     flyball.Time // of sum
	tail     tail.Upper   // of how near the end has come: horizon ÷ time left
	held     opinion      // the last, which holds until the next mean
	line     trend.Outlook
}

const (
	saturationMeans = 30
	saturationNeeds = 15 // means to draw a line through
)

func newSaturation(cfg *Config) *saturation {
	return &saturation{
		min: cfg.Min, max: cfg.Max, horizon: cfg.Horizon, every: cfg.Horizon / saturationMeans,
		slot: flyball.NoTime, tail: tail.NewUpper(cfg.Generation), line: trend.NewOutlook(saturationMeans),
	}
}

func (s *saturation) observe(f *frame, o *opinion) {
	o.digits = 0
	if math.IsNaN(s.max) {
		return
	}
	slot := f.at.Floor(max(s.every, f.step))
	if slot > s.slot && s.in > 0 {
		s.push(s.sum / float64(s.in))
		s.sum, s.in = 0, 0
		s.held = opinion{center: math.NaN()}
		if s.count >= saturationNeeds {
			s.held = s.foresee(f)
		}
	}
	if s.held.digits > 0 {
		*o = s.held
	}
	s.slot = max(s.slot, slot)
	s.sum += f.value
	s.in++
}

func (s *saturation) push(mean float64) {
	copy(s.means[:], s.means[1:])
	s.means[saturationMeans-1] = mean
	s.count = min(s.count+1, saturationMeans)
}

// foresee says when the line through the means ends.
func (s *saturation) foresee(f *frame) opinion {
	o := opinion{center: math.NaN()}
	width := max(s.every, f.step)
	steps := float64(s.horizon) / float64(width)
	end, ok := s.line.Ends(s.means[saturationMeans-s.count:], s.min, s.max, steps)
	near := 0.0
	if ok {
		near = steps / max(end.Left, 1)
		o.digits, o.side, o.level = end.Digits, end.Side, end.At
		after := func(means float64) time.Duration { return time.Duration(min(means*float64(width), math.MaxInt64/2)) }
		o.length, o.soonest, o.latest = after(end.Left), after(end.Soonest), after(end.Latest)
	}
	if s.tail.Seen() > 2*tail.K {
		o.digits = min(o.digits, s.tail.Digits(near, 0))
	}
	s.tail.Add(near, 1)
	return o
}

func (s *saturation) code(c *snapshot.Codec) {
	c.Float64s(s.means[:])
	c.Index(&s.count, saturationMeans+1)
	c.Float64(&s.sum)
	c.Count(&s.in)
	slot := int64(s.slot)
	c.Int64(&slot)
	s.slot = flyball.Time(slot)
	s.tail.Code(c)
	s.held.code(c)
}
