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
	members []member
	frame   frame
	// recent holds the latest surprises, to tell news from more of the same.
	recent []float32
	at     int
	alarms alarm.Judge
	course opinion // the first, in the order of work, that has expectations of a value
	// threshold is that of a step.
	threshold    float64
	thresholdFor time.Duration
}

// member is an algorithm with its name. A mute one works for the others only.
type member struct {
	kind Kind
	mute bool
	algorithm
}

// New returns a detector that has seen nothing.
func New(cfg Config) (*Ensemble, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	e := &Ensemble{cfg: cfg, habit: season.NewHabit(), recent: make([]float32, cfg.Quiet)}
	e.front, e.alarms = newFront(&e.cfg), alarm.New(cfg.Generation, cfg.Quiet)
	for _, k := range Kinds() { // the order in which they build on each other
		asked := slices.Contains(cfg.Detectors, k)
		if asked || slices.ContainsFunc(cfg.Detectors, func(a Kind) bool { return a.needs(k) }) {
			e.members = append(e.members, member{k, !asked, newAlgorithm(k, &e.cfg)})
		}
	}
	return e, nil
}

// newAlgorithm is the registry of algorithms.
func newAlgorithm(k Kind, cfg *Config) algorithm {
	switch k {
	case Season:
		return newSeasonal(cfg)
	case Spike:
		return newSpike(cfg)
	case Level:
		return newLevel(cfg)
	case Step:
		return newStep(cfg)
	case Sustained:
		return newSustained(cfg)
	case Record:
		return newRecord()
	case Sequence:
		return newSequence(cfg)
	case Variance:
		return newVariance(cfg)
	case Shift:
		return newShift(cfg)
	case Drift:
		return newDrift(cfg)
	case Stuck:
		return newStuck(cfg)
	case Silence:
		return newSilence(cfg)
	case Flapping:
		return newFlapping(cfg)
	case Saturation:
		return newSaturation(cfg)
	}
	panic(fmt.Sprintf("BUG: no algorithm %s", k))
}

// Observe judges a point by those before it, then learns it.
func (e *Ensemble) Observe(p Point) Reading {
	r := Reading{At: p.At, Value: p.Value, Expected: math.NaN(), Low: math.NaN(), High: math.NaN()}
	if p.missing() || p.Count < e.cfg.MinCount {
		e.silent(&r)
		return r
	}
	f := &e.frame
	e.front.prepare(p, f)
	best := e.listen(f, &r)
	e.report(f, &best, &r)
	e.habit.Learn(p.At, p.Value)
	e.front.learn(f)
	return r
}

// listen asks every member and returns the opinion that counts, with the names
// of the two loudest in r.
func (e *Ensemble) listen(f *frame, r *Reading) opinion {
	e.course = opinion{center: math.NaN()}
	loudest, state := opinion{center: math.NaN()}, opinion{center: math.NaN()}
	second, stateKind := 0.0, None
	var excused [3]int8 // by side, whether the habit was asked and what it said
	for i := range e.members {
		m := &e.members[i]
		o := m.observe(f)
		if m.mute {
			continue
		}
		if o.tails != nil && e.course.tails == nil {
			e.course = o
		}
		if m.kind.aboutSize() {
			o.digits = e.temper(f, &o, &excused)
		}
		switch {
		case m.kind.aboutState():
			if o.digits > state.digits {
				state, stateKind = o, m.kind
			}
		case o.digits > loudest.digits || r.Detector == None:
			if loudest.digits > second {
				second, r.Second = loudest.digits, r.Detector
			}
			loudest, r.Detector = o, m.kind
		case o.digits > second:
			second, r.Second = o.digits, m.kind
		}
	}
	if len(e.cfg.Detectors) > 1 {
		loudest.digits = (1-sharedWeight)*loudest.digits + sharedWeight*second
	}
	if state.digits > loudest.digits || r.Detector == None {
		if loudest.digits > 0 {
			r.Second = r.Detector
		}
		loudest, r.Detector = state, stateKind
	}
	return loudest
}

// silent judges a point without a value, if silence has a say.
func (e *Ensemble) silent(r *Reading) {
	e.course = opinion{center: math.NaN()}
	for i := range e.members {
		if s, ok := e.members[i].algorithm.(*silence); ok {
			o := s.missing(r.At, float64(e.front.cadence.Step()))
			r.Detector = Silence
			e.report(&frame{index: e.front.seen, step: e.front.cadence.Step()}, &o, r)
		}
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

// report fills in what the loudest opinion says.
func (e *Ensemble) report(f *frame, o *opinion, r *Reading) {
	r.Digits = min(o.digits, MaxDigits)
	r.Direction = o.side
	r.Expected = o.center
	if f.step != e.thresholdFor {
		e.threshold, e.thresholdFor = e.cfg.Threshold(f.step), f.step
	}
	r.Low, r.High = o.band(e.threshold)
	if r.Course = (Course{r.Expected, r.Low, r.High}); o.tails == nil {
		r.Course.Expected = e.course.center
		r.Course.Low, r.Course.High = e.course.band(e.threshold)
	}
	if f.index == 0 {
		r.Course.Expected = math.NaN() // what a first value is held against is itself
	}
	r.Seen = f.index
	r.For, r.Soonest, r.Latest, r.Level = o.length, o.soonest, o.latest, o.level
	if r.Digits <= 0 {
		r.Digits, r.Direction = 0, 0
	}
	r.News = r.Digits > 0 && e.exceeds(float32(r.Digits))
	e.remember(float32(r.Digits))
	news := 0.0
	if r.News {
		news = r.Digits
	}
	r.Rarity, r.Alarm = e.alarms.Observe(news, e.threshold)
}

// exceeds reports whether d is above all recent surprises.
func (e *Ensemble) exceeds(d float32) bool {
	for _, v := range e.recent {
		if v >= d {
			return false
		}
	}
	return true
}

func (e *Ensemble) remember(d float32) {
	if len(e.recent) == 0 {
		return
	}
	e.recent[e.at] = d
	if e.at++; e.at == len(e.recent) {
		e.at = 0
	}
}

// snapshotVersion changes whenever the meaning of the bytes does.
const snapshotVersion = 2

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
	version := uint8(snapshotVersion)
	c.Uint8(&version)
	n := len(e.members)
	c.Count(&n)
	if version != snapshotVersion || n != len(e.members) {
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
		e.members[i].code(c)
	}
	e.front.code(c)
	e.habit.Code(c)
	e.alarms.Code(c)
	c.Float32s(e.recent)
	if len(e.recent) > 0 {
		c.Index(&e.at, len(e.recent))
	}
}
