package anomaly

import (
	"math"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
)

// sequence is surprised by one level following another that it has not followed
// before. The range is cut into six levels, and two for what lies outside; the
// chance of a level given the last one is blended with the chance of the level
// alone, by how many different levels have followed (prediction by partial
// matching, method C: Moffat, 1990).
type sequence struct {
	alone  [sequenceLevels]uint32
	after  [sequenceLevels][sequenceLevels]uint32
	last   int
	begun  bool
	memory int
	weight float64
}

const (
	sequenceBins   = 6
	sequenceLevels = sequenceBins + 2
)

func newSequence(cfg *Config) *sequence {
	s := &sequence{memory: cfg.Generation, weight: sequenceUndeclared}
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
)

func levelOf(x, low, high float64) int {
	switch {
	case x < low:
		return 0
	case x > high:
		return sequenceBins + 1
	case high <= low:
		return 1
	}
	return 1 + min(int(sequenceBins*(x-low)/(high-low)), sequenceBins-1)
}

// escape blends the chance of a level seen so often among counts with a fallback.
func escape(counts *[sequenceLevels]uint32, level int, fallback float64) float64 {
	total, distinct := 0.0, 0.0
	for _, n := range counts {
		total += float64(n)
		if n > 0 {
			distinct++
		}
	}
	if total == 0 {
		return fallback
	}
	e := distinct / 2
	return (float64(counts[level]) + e*fallback) / (total + e)
}

func (s *sequence) observe(f *frame) opinion {
	now := levelOf(f.value, f.rangeLow, f.rangeHigh)
	o := opinion{center: math.NaN()}
	if s.begun {
		p := escape(&s.alone, now, 1.0/sequenceLevels)
		p = escape(&s.after[s.last], now, p)
		o.digits = -math.Log10(p) * s.weight
		o.level = -math.Log10(p)
		if now > s.last {
			o.side = 1
		} else if now < s.last {
			o.side = -1
		}
		s.count(&s.after[s.last], now)
	}
	s.count(&s.alone, now)
	s.last, s.begun = now, true
	return o
}

// count learns a level, and forgets half of what it knows when it knows much.
func (s *sequence) count(counts *[sequenceLevels]uint32, level int) {
	counts[level]++
	if int(counts[level]) > 2*s.memory {
		for i := range counts {
			counts[i] /= 2
		}
	}
}

func (s *sequence) code(c *snapshot.Codec) {
	c.Uint32s(s.alone[:])
	for i := range s.after {
		c.Uint32s(s.after[i][:])
	}
	c.Index(&s.last, sequenceLevels)
	c.Bool(&s.begun)
}
