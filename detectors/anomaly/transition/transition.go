// Package transition says how likely one level of a series is after another.
package transition

import "github.com/flyball-io/flyball/detectors/anomaly/snapshot"

// Bins is into how many levels a range is cut. Two more are what lies outside.
const Bins = 6

const levels = Bins + 2

// Level returns the number of the level that x lies in.
func Level(x, low, high float64) int {
	switch {
	case x < low:
		return 0
	case x > high:
		return Bins + 1
	case high <= low:
		return 1
	}
	return 1 + min(int(Bins*(x-low)/(high-low)), Bins-1)
}

// Model counts which level follows which. The chance of a level given the last
// one is blended with the chance of the level alone, by how many different levels
// have followed (prediction by partial matching, method C: Moffat, 1990). The
// zero value has seen nothing and never forgets.
type Model struct {
	// Memory is how often a level may be counted twice over before all counts
	// beside it are halved; 0 is for ever.
	Memory int

	alone [levels]uint32
	after [levels][levels]uint32
	last  int
	begun bool
}

// Observe returns the chance that level follows the last one, and which way it
// leads: 1 up, −1 down, 0 nowhere; then it learns it. ok is false for the first.
func (m *Model) Observe(level int) (chance float64, side int8, ok bool) {
	if ok = m.begun; ok {
		chance = escape(&m.alone, level, 1.0/levels)
		chance = escape(&m.after[m.last], level, chance)
		switch {
		case level > m.last:
			side = 1
		case level < m.last:
			side = -1
		}
		m.count(&m.after[m.last], level)
	}
	m.count(&m.alone, level)
	m.last, m.begun = level, true
	return chance, side, ok
}

// escape blends the chance of a level seen so often among counts with a fallback.
func escape(counts *[levels]uint32, level int, fallback float64) float64 {
	total, distinct := uint64(0), uint64(0)
	for _, n := range counts {
		total += uint64(n)
		distinct += uint64(n|-n) >> 31 // 1 for what was seen; no branch to guess
	}
	if total == 0 {
		return fallback
	}
	e := float64(distinct) / 2
	return (float64(counts[level]) + e*fallback) / (float64(total) + e)
}

// count learns a level, and forgets half of what it knows when it knows much.
func (m *Model) count(counts *[levels]uint32, level int) {
	counts[level]++
	if m.Memory > 0 && int(counts[level]) > 2*m.Memory {
		for i := range counts {
			counts[i] /= 2
		}
	}
}

// Code walks over the memory.
func (m *Model) Code(c *snapshot.Codec) {
	c.Uint32s(m.alone[:])
	for i := range m.after {
		c.Uint32s(m.after[i][:])
	}
	c.Index(&m.last, levels)
	c.Bool(&m.begun)
}
