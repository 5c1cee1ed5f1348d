package anomaly

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/flyball-io/flyball/detectors/anomaly/alarm"
	"github.com/flyball-io/flyball/detectors/anomaly/season"
	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
)

// Ensemble judges a series with one or several detectors; the one that is most
// surprised speaks. It implements Detector.
type Ensemble struct {
	cfg     Config
	front   front
	habit   season.Habit
	suite   suite
	members []member // of the suite, in the order of their work
	frame   frame
	// recent holds the latest surprises, to tell news from more of the same.
	recent []float32
	at     int
	// peak is the greatest of them, at peakAt.
	peak   float32
	peakAt int
	alarms alarm.Judge
	course *opinion // of this point: the first that has expectations of a value, nil for none
	nobody opinion  // what nobody says
	// threshold is that of a step.
	threshold    float64
	thresholdFor time.Duration
}

// member is an algorithm with its name. A mute one works for the others only.
type member struct {
	kind        Kind
	mute        bool
	size, state bool // what kind is about
	said        *opinion
}

// New returns a detector that has seen nothing.
func New(cfg Config) (*Ensemble, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	e := &Ensemble{cfg: cfg, habit: season.NewHabit(), recent: make([]float32, cfg.Quiet), nobody: opinion{center: math.NaN()}}
	e.front, e.alarms = newFront(&e.cfg), alarm.New(cfg.Generation, cfg.Quiet)
	for _, k := range Kinds() { // the order in which they build on each other
		asked := slices.Contains(cfg.Detectors, k)
		if asked || slices.ContainsFunc(cfg.Detectors, func(a Kind) bool { return a.needs(k) }) {
			e.suite.add(k, &e.cfg)
			e.members = append(e.members, member{kind: k, mute: !asked, size: k.aboutSize(), state: k.aboutState(), said: &e.suite.said[k]})
		}
	}
	return e, nil
}

// Observe judges a point by those before it, then learns it.
func (e *Ensemble) Observe(p Point) (r Reading) {
	r.At, r.Value = p.At, p.Value
	if p.missing() || p.Count < e.cfg.MinCount {
		e.silent(&r)
		return r
	}
	f := &e.frame
	e.front.prepare(p, f)
	best, digits := e.listen(f, &r)
	e.report(f, best, digits, &r)
	e.habit.Learn(p.At, p.Value)
	e.front.learn(f)
	return r
}

// listen asks every member and returns the opinion that counts, with its digits and, in
// r, the names of the two loudest.
func (e *Ensemble) listen(f *frame, r *Reading) (best *opinion, digits float64) {
	e.course = nil
	var state *member
	second, stateDigits := 0.0, 0.0
	var excused [3]int8 // by side, whether the habit was asked and what it said
	e.suite.observe(f)
	for i := range e.members {
		m := &e.members[i]
		if m.mute {
			continue
		}
		if e.course == nil && m.said.tails != nil {
			e.course = m.said
		}
		d := m.said.digits
		if d <= 0 && (best != nil || m.state) {
			continue
		}
		switch {
		case m.size && d > 0:
			d = e.temper(f, m.said, &excused)
		case m.state:
			if d > stateDigits {
				state, stateDigits = m, d
			}
			continue
		}
		switch {
		case d > digits || best == nil:
			if digits > second {
				second, r.Second = digits, r.Detector
			}
			best, digits, r.Detector = m.said, d, m.kind
		case d > second:
			second, r.Second = d, m.kind
		}
	}
	if len(e.cfg.Detectors) > 1 {
		digits = (1-sharedWeight)*digits + sharedWeight*second
	}
	if state != nil && (stateDigits > digits || best == nil) {
		if digits > 0 {
			r.Second = r.Detector
		}
		r.Detector = state.kind
		return state.said, stateDigits
	}
	if best == nil {
		return &e.nobody, 0
	}
	return best, digits
}

// silent judges a point without a value, if silence has a say.
func (e *Ensemble) silent(r *Reading) {
	e.course = nil
	r.Expected, r.Low, r.High = math.NaN(), math.NaN(), math.NaN()
	if s := e.suite.silence; s != nil {
		o := &e.suite.said[Silence]
		s.missing(r.At, float64(e.front.cadence.Step()), o)
		r.Detector = Silence
		e.report(&frame{index: e.front.seen, step: e.front.cadence.Step()}, o, o.digits, r)
	}
}

// sharedWeight is what the second voice counts for: a surprise that no other
// detector shares is worth less.
const sharedWeight = 0.3

// needs reports whether an algorithm builds on what another works out.
func (k Kind) needs(other Kind) bool {
	switch k {
	case Spike, Sustained, Shift, Drift:
		return other == Season
	case Variance:
		return other == Season || other == Spike
	case Flapping:
		return other == Level
	}
	return false
}

// aboutSize reports whether an algorithm is surprised by how large a value is,
// so that what is usual at this hour, or immaterial, is no surprise.
func (k Kind) aboutSize() bool {
	switch k {
	case Season, Spike, Level, Step, Sustained, Record:
		return true
	}
	return false
}

// aboutState reports whether an algorithm speaks of something that only it can
// see, so that nobody can be expected to agree.
func (k Kind) aboutState() bool {
	return k == Stuck || k == Silence || k == Saturation
}

// temper takes surprise back that habit explains or that does not matter.
func (e *Ensemble) temper(f *frame, o *opinion, excused *[3]int8) float64 {
	const usual = 3 // digits at most, for what happens every day at this hour
	const tolerance = 0.1
	d := o.digits
	if d <= 0 {
		return 0
	}
	if d > usual {
		answer := &excused[o.side+1]
		if *answer == 0 {
			*answer = 1
			reached := f.value - tolerance*(f.value-e.front.middle)
			if e.habit.Usual(f.at, reached, o.side) {
				*answer = 2
			}
		}
		if *answer == 2 {
			d = usual
		}
	}
	return d * e.front.material(f)
}

// report fills in what the opinion that counts says.
func (e *Ensemble) report(f *frame, o *opinion, digits float64, r *Reading) {
	if f.step != e.thresholdFor {
		e.threshold, e.thresholdFor = e.cfg.Threshold(f.step), f.step
	}
	r.Expected, r.Seen = o.center, f.index
	r.Low, r.High = o.band(e.threshold)
	if r.Course = (Course{r.Expected, r.Low, r.High}); o.tails == nil {
		r.Course = Course{math.NaN(), math.NaN(), math.NaN()}
		if e.course != nil {
			r.Course.Expected = e.course.center
			r.Course.Low, r.Course.High = e.course.band(e.threshold)
		}
	}
	if f.index == 0 {
		r.Course.Expected = math.NaN() // what a first value is held against is itself
	}
	news := 0.0
	if digits > 0 {
		r.Digits, r.Direction = min(digits, MaxDigits), o.side
		r.For, r.Soonest, r.Latest, r.Level = o.length, o.soonest, o.latest, o.level
		if r.News = float32(r.Digits) > e.peak; r.News {
			news = r.Digits
		}
	}
	e.remember(float32(r.Digits))
	r.Rarity, r.Alarm = e.alarms.Observe(news, e.threshold)
}

func (e *Ensemble) remember(d float32) {
	if len(e.recent) == 0 {
		return
	}
	e.recent[e.at] = d
	switch {
	case d >= e.peak:
		e.peak, e.peakAt = d, e.at
	case e.at == e.peakAt:
		e.findPeak()
	}
	if e.at++; e.at == len(e.recent) {
		e.at = 0
	}
}

func (e *Ensemble) findPeak() {
	e.peak, e.peakAt = 0, 0
	for i, v := range e.recent {
		if v > e.peak {
			e.peak, e.peakAt = v, i
		}
	}
}

// Version of the memory: it changes whenever what is learned, or how it is written, does.
const Version = 3

// AppendSnapshot appends the whole memory to dst.
func (e *Ensemble) AppendSnapshot(dst []byte) []byte {
	c := snapshot.Writer(dst)
	e.code(c)
	return c.Bytes()
}

// Restore replaces the memory by one that AppendSnapshot of an ensemble with the
// same configuration wrote.
func (e *Ensemble) Restore(from []byte) error {
	c := snapshot.Reader(from)
	e.code(c)
	if err := c.Close(); err != nil {
		return fmt.Errorf("cannot restore detector: %w", err)
	}
	return nil
}

func (e *Ensemble) code(c *snapshot.Codec) {
	version := uint8(Version)
	c.Uint8(&version)
	n := len(e.members)
	c.Count(&n)
	if version != Version || n != len(e.members) {
		c.Fail("of another version or configuration")
		return
	}
	for i := range e.members {
		k := uint8(e.members[i].kind)
		c.Uint8(&k)
		if Kind(k) != e.members[i].kind {
			c.Fail("of other detectors")
			return
		}
		e.suite.algorithm(e.members[i].kind).code(c)
	}
	e.front.code(c)
	e.habit.Code(c)
	e.alarms.Code(c)
	c.Float32s(e.recent)
	if len(e.recent) > 0 {
		c.Index(&e.at, len(e.recent))
	}
	e.findPeak()
}
