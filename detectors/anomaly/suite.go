package anomaly

import "math"

// suite holds the algorithms in use, nil for the others, and what each said last. They
// are called by name: a call that the processor cannot foresee, as through an interface in
// a loop, costs as much as most of them do.
type suite struct {
	seasonal   *seasonal
	spike      *spike
	level      *level
	step       *step
	sustained  *sustained
	record     *record
	sequence   *sequence
	variance   *variance
	shift      *shift
	drift      *drift
	stuck      *stuck
	silence    *silence
	flapping   *flapping
	saturation *saturation

	said [kinds]opinion
}

// add makes an algorithm.
func (s *suite) add(k Kind, cfg *Config) {
	s.said[k] = opinion{center: math.NaN()}
	switch k {
	case Season:
		s.seasonal = newSeasonal(cfg)
	case Spike:
		s.spike = newSpike(cfg)
	case Level:
		s.level = newLevel(cfg)
	case Step:
		s.step = newStep(cfg)
	case Sustained:
		s.sustained = newSustained(cfg)
	case Record:
		s.record = newRecord()
	case Sequence:
		s.sequence = newSequence(cfg)
	case Variance:
		s.variance = newVariance(cfg)
	case Shift:
		s.shift = newShift(cfg)
	case Drift:
		s.drift = newDrift(cfg)
	case Stuck:
		s.stuck = newStuck(cfg)
	case Silence:
		s.silence = newSilence(cfg)
	case Flapping:
		s.flapping = newFlapping(cfg)
	case Saturation:
		s.saturation = newSaturation(cfg)
	}
}

// algorithm returns the one of a kind, which is in use.
func (s *suite) algorithm(k Kind) algorithm {
	return [...]algorithm{
		Season: s.seasonal, Spike: s.spike, Level: s.level, Step: s.step, Sustained: s.sustained, Record: s.record, Sequence: s.sequence,
		Variance: s.variance, Shift: s.shift, Drift: s.drift, Stuck: s.stuck, Silence: s.silence, Flapping: s.flapping, Saturation: s.saturation,
	}[k]
}

// observe asks all, in the order in which they build on each other.
func (s *suite) observe(f *frame) {
	if s.seasonal != nil {
		s.seasonal.observe(f, &s.said[Season])
	}
	if s.spike != nil {
		s.spike.observe(f, &s.said[Spike])
	}
	if s.level != nil {
		s.level.observe(f, &s.said[Level])
	}
	if s.step != nil {
		s.step.observe(f, &s.said[Step])
	}
	if s.sustained != nil {
		s.sustained.observe(f, &s.said[Sustained])
	}
	if s.record != nil {
		s.record.observe(f, &s.said[Record])
	}
	if s.sequence != nil {
		s.sequence.observe(f, &s.said[Sequence])
	}
	if s.variance != nil {
		s.variance.observe(f, &s.said[Variance])
	}
	if s.shift != nil {
		s.shift.observe(f, &s.said[Shift])
	}
	if s.drift != nil {
		s.drift.observe(f, &s.said[Drift])
	}
	if s.stuck != nil {
		s.stuck.observe(f, &s.said[Stuck])
	}
	if s.silence != nil {
		s.silence.observe(f, &s.said[Silence])
	}
	if s.flapping != nil {
		s.flapping.observe(f, &s.said[Flapping])
	}
	if s.saturation != nil {
		s.saturation.observe(f, &s.said[Saturation])
	}
}
