package anomaly

import (
	"math"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/anomaly/average"
	"github.com/flyball-io/flyball/detectors/anomaly/season"
	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/tail"
)

// seasonal judges a value by what is usual at its time of the hour, of the day
// and of the week, each for itself, and offers the others the best of these
// forecasts as a base. It follows the clocks when they change.
type seasonal struct {
	periods []period
	clock   season.Clock
	daily   int           // index of the period of a day, −1 without
	best    int           // index of the period that is the base, −1 without
	rateFor time.Duration // the step that the rates were worked out for
}

// period is one of the courses that the series may follow.
type period struct {
	length  time.Duration
	slots   int
	profile season.Profile
	spread  average.Average // of the residuals; its mean is not used
	tails   tail.Both
	rate    float64
	seen    bool // points are close enough to see it
}

// slotsOf returns how finely a period is divided: a day into hours, a week too,
// an hour into five minutes.
func slotsOf(p time.Duration) int {
	switch {
	case p <= time.Hour:
		return 12
	case p <= 24*time.Hour:
		return 24
	}
	return min(int(p/time.Hour), 168)
}

const (
	// visitRate is the weight of the latest visit of a slot: about five count.
	visitRate = 0.2
	// seasonNeeds is how many samples a forecast must rest on to be held against
	// a value.
	seasonNeeds = 4
	// clockEvery is how many points there are between looks at the clock.
	clockEvery = 4
	// slowRate is how fast the usual size of residuals is learned.
	slowRate = 0.01
)

func newSeasonal(cfg *Config) *seasonal {
	s := &seasonal{daily: -1, best: -1}
	for i, length := range cfg.Periods {
		slots := slotsOf(length)
		s.periods = append(s.periods, period{
			length: length, slots: slots,
			profile: season.NewProfile(length, slots), tails: tail.NewBoth(cfg.Generation),
		})
		if length == 24*time.Hour {
			s.daily = i
		}
	}
	return s
}

// rates fits the rates to the distance of points: a visit counts the same
// whether it brings one point or sixty.
func (s *seasonal) rates(step time.Duration) {
	s.rateFor = step
	for i := range s.periods {
		p := &s.periods[i]
		visits := min(1, float64(step)*float64(p.slots)/float64(p.length))
		p.rate = 1 - math.Pow(1-visitRate, visits)
		p.seen = step*time.Duration(p.slots) <= p.length*3/2
	}
}

// forecast is what one period expects of a point.
type forecast struct {
	place    season.Place
	expected float64
	samples  float64
	usable   bool
}

func (s *seasonal) observe(f *frame, o *opinion) {
	if f.step != s.rateFor {
		s.rates(f.step)
	}
	at := f.at.Add(s.clock.Shift())
	if f.index%clockEvery == 0 && s.followClock(f, at) {
		at = f.at.Add(s.clock.Shift())
	}
	var casts [maxPeriods]forecast
	for i := range s.periods {
		s.periods[i].forecast(at, &casts[i])
	}
	// What repeats within a day rides on the course of the day.
	for i := range s.periods {
		if i < s.daily && casts[i].usable && casts[s.daily].samples >= 1 {
			casts[i].expected += casts[s.daily].expected
		}
	}
	s.offer(f, casts[:len(s.periods)])
	*o = opinion{}
	for i := range s.periods {
		if !casts[i].usable {
			continue
		}
		s.periods[i].judge(f, &casts[i], i < s.daily, o)
	}
}

func (p *period) forecast(at flyball.Time, c *forecast) {
	if c.usable = p.seen; c.usable {
		c.place = p.profile.Place(at)
		c.expected, c.samples = p.profile.Expected(c.place)
	}
}

// offer makes the best forecast the base of the other detectors: the daily one,
// unless another has proved clearly better.
func (s *seasonal) offer(f *frame, casts []forecast) {
	const better, trust = 0.8, 500
	best := -1
	if s.daily >= 0 && casts[s.daily].samples >= 1 {
		best = s.daily
	}
	for i := range casts {
		if casts[i].samples < 1 || i == best {
			continue
		}
		p := &s.periods[i].spread
		if best < 0 || p.Seen > trust && p.Spread < better*s.periods[best].spread.Spread {
			best = i
		}
	}
	old := 0.0
	if s.best >= 0 {
		old = casts[s.best].expected
	}
	if best >= 0 {
		f.base, f.based = casts[best].expected, true
	}
	if best != s.best {
		f.rebase = old - f.base
		s.best = best
	}
}

// judge holds a value against a forecast and learns it; o becomes its opinion if that is
// louder. sits is whether the forecast includes the course of the day.
func (p *period) judge(f *frame, c *forecast, sits bool, o *opinion) {
	residual := f.value - c.expected
	if c.samples >= seasonNeeds {
		digits, side := p.tails.Step(residual, f.floor, f.event)
		if digits > o.digits || o.tails == nil {
			*o = opinion{digits: digits, side: side, center: c.expected, scale: 1, tails: &p.tails, floor: f.floor, length: p.length}
		}
	}
	own := f.value
	if sits {
		own = 0 // a new slot expects no more than the day does
	}
	if c.samples >= 1 {
		residual = p.spread.Learn(residual, 0, slowRate, 1, f.floor)
	}
	p.profile.Learn(c.place, own, residual, p.rate)
}

// followClock compares the course of the day as it is with an hour, a slot, before and
// after, and reports whether the clocks have changed.
func (s *seasonal) followClock(f *frame, at flyball.Time) bool {
	if s.daily < 0 || f.step > time.Hour {
		return false
	}
	profile := &s.periods[s.daily].profile
	place := profile.Place(at)
	var errs [3]float64
	for i := range errs {
		expected, samples := profile.Expected(profile.Beside(place, i-1))
		if samples < 2*seasonNeeds {
			return false
		}
		errs[i] = f.value - expected
	}
	before := s.clock.Shift()
	s.clock.Observe(errs, clockEvery*f.step)
	return s.clock.Shift() != before
}

func (s *seasonal) code(c *snapshot.Codec) {
	s.clock.Code(c)
	best := s.best + 1
	c.Index(&best, len(s.periods)+1)
	s.best = best - 1
	for i := range s.periods {
		p := &s.periods[i]
		p.profile.Code(c)
		p.spread.Code(c)
		p.tails.Code(c)
	}
	s.rateFor = 0 // work the rates out again
}
