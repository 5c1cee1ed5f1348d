package anomaly

import (
	"math"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
	"github.com/flyball-io/flyball/detectors/anomaly/transition"
)

// sequence is surprised by one level following another that it has not followed
// before.
type sequence struct {
	model  transition.Model
	weight float64
}

func newSequence(cfg *Config) *sequence {
	s := &sequence{model: transition.Model{Memory: cfg.Generation}, weight: sequenceUndeclared}
	if cfg.declared() {
		s.weight = sequenceDeclared
	}
	return s
}

// What a digit of the sequence is worth beside those of the others. On levels of
// a range that is only known so far, novelty is often that of the levels.
const (
	sequenceDeclared   = 1.25
	sequenceUndeclared = 0.3
	// sequenceRare is the chance below which a level is any surprise.
	sequenceRare = 0.1
	// sequenceWarm is after how many points a level can be new.
	sequenceWarm = 40
)

func (s *sequence) observe(f *frame, o *opinion) {
	o.digits = 0
	if p, side, ok := s.model.Observe(transition.Level(f.value, f.rangeLow, f.rangeHigh)); ok && p < sequenceRare && f.index >= sequenceWarm {
		o.level, o.side = -math.Log10(p), side
		o.digits = o.level * s.weight
	}
}

func (s *sequence) code(c *snapshot.Codec) { s.model.Code(c) }
