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
	index    [saturationMeans]float64
	slopes   []float64 // scratch
}

const (
	saturationMeans  = 30
	saturationNeeds  = 15   // means to draw a line through
	saturationSigmas = 1.96 // of the interval of the time left
	saturationSure   = 3    // sigmas of Mann and Kendall's test
)

func newSaturation(cfg *Config) *saturation {
	s := &saturation{
		min: cfg.Min, max: cfg.Max, horizon: cfg.Horizon, every: cfg.Horizon / saturationMeans,
		slot: flyball.NoTime, tail: tail.NewUpper(cfg.Generation),
		slopes: make([]float64, 0, saturationMeans*(saturationMeans-1)/2),
	}
	for i := range s.index {
		s.index[i] = float64(i)
	}
	return s
}

func (s *saturation) observe(f *frame) opinion {
	o := opinion{center: math.NaN()}
	if math.IsNaN(s.max) {
		return o
	}
	slot := f.at.Floor(max(s.every, f.step))
	if slot > s.slot && s.in > 0 {
		s.push(s.sum / float64(s.in))
		s.sum, s.in = 0, 0
		s.held = o
		if s.count >= saturationNeeds {
			s.held = s.foresee(f)
		}
	}
	if s.held.digits > 0 {
		o = s.held
	}
	s.slot = max(s.slot, slot)
	s.sum += f.value
	s.in++
	return o
}

func (s *saturation) push(mean float64) {
	copy(s.means[:], s.means[1:])
	s.means[saturationMeans-1] = mean
	s.count = min(s.count+1, saturationMeans)
}

// foresee draws the line and says when it ends.
func (s *saturation) foresee(f *frame) opinion {
	o := opinion{center: math.NaN()}
	y := s.means[saturationMeans-s.count:]
	width := max(s.every, f.step)
	steps := float64(s.horizon) / float64(width)
	near := 0.0
	if s.heading(y, steps) {
		var line trend.Sen
		line, s.slopes = trend.Line(s.index[:len(y)], y, saturationSigmas, s.slopes)
		slope, least, end, side := line.Slope, line.Low, s.max, int8(1)
		if slope < 0 {
			slope, least, end, side = -line.Slope, -line.High, s.min, -1
		}
		room := math.Abs(end - y[len(y)-1])
		if (y[len(y)-1]-end)*float64(side) >= 0 {
			room = 0
		}
		// The lower end of the interval must still be a trend, and in time.
		if least > 0 && math.Abs(line.Z) > saturationSure && room <= slope*steps {
			left := room / slope
			near = steps / max(left, 1)
			o.digits, o.side = -math.Log10(math.Erfc(math.Abs(line.Z)/math.Sqrt2)), side
			o.length = time.Duration(min(left*float64(width), math.MaxInt64/2))
			o.level = end
			o.soonest = time.Duration(min(room/max(sideHigh(line, side), slope)*float64(width), math.MaxInt64/2))
			o.latest = time.Duration(min(room/least*float64(width), math.MaxInt64/2))
		}
	}
	if s.tail.Seen() > 2*tail.K {
		o.digits = min(o.digits, s.tail.Digits(near, 0))
	}
	s.tail.Add(near, 1)
	return o
}

// sideHigh returns the steeper end of the interval of the slope.
func sideHigh(line trend.Sen, side int8) float64 {
	if side < 0 {
		return -line.Low
	}
	return line.High
}

// heading is a cheap look whether a line is worth drawing: does the last third
// lead from the first third to an end of the range within twice the horizon.
func (s *saturation) heading(y []float64, steps float64) bool {
	third := len(y) / 3
	first, last := 0.0, 0.0
	for i := range third {
		first += y[i]
		last += y[len(y)-1-i]
	}
	slope := (last - first) / float64(third) / float64(len(y)-third)
	end := y[len(y)-1] + 2*slope*steps
	return end >= s.max || end <= s.min
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
