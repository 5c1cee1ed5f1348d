// Package season holds what a series usually does at a time of the hour, of the
// day and of the week.
package season

import (
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
)

// Profile is the usual course of a series over one period: a mean for each of a
// number of slots, straight lines between their middles. Later visits of a slot
// outweigh earlier ones.
type Profile struct {
	period int64
	perNs  float64 // slots per nanosecond
	mean   []float64
	weight []float32 // samples seen, fractions for neighbours
	// last is a time whose phase is known: the next is hardly ever a whole period later,
	// and a division is dear.
	last  flyball.Time
	phase int64
}

// NewProfile returns a profile of a period in so many slots, at least 2.
func NewProfile(period time.Duration, slots int) Profile {
	return Profile{
		period: int64(period), perNs: float64(slots) / float64(period),
		mean: make([]float64, slots), weight: make([]float32, slots),
		phase: epochOffset % int64(period),
	}
}

// Place is where a time falls in a profile: between two slots.
type Place struct {
	left, right int
	share       float64 // of the right one
}

// epochOffset makes weeks begin on Monday: the epoch was a Thursday.
const epochOffset = int64(3 * 24 * time.Hour)

// Place returns where t falls.
func (p *Profile) Place(t flyball.Time) Place {
	phase := p.phase + int64(t-p.last)
	if t < p.last || phase < 0 || phase >= p.period {
		phase = (int64(t) + epochOffset) % p.period
		if phase < 0 {
			phase += p.period
		}
	}
	p.last, p.phase = t, phase
	at := float64(phase)*p.perNs - 0.5
	if at < 0 {
		at += float64(len(p.mean))
	}
	left := min(int(at), len(p.mean)-1)
	right := left + 1
	if right == len(p.mean) {
		right = 0
	}
	return Place{left, right, at - float64(left)}
}

// Beside returns the place so many slots later.
func (p *Profile) Beside(at Place, slots int) Place {
	n := len(p.mean)
	at.left, at.right = (at.left+slots+n)%n, (at.right+slots+n)%n
	return at
}

// Expected returns the usual value at a place and how many samples it rests on.
// A slot that has hardly been seen lends its neighbour the word.
func (p *Profile) Expected(at Place) (value, samples float64) {
	a, b := p.weight[at.left], p.weight[at.right]
	share := at.share
	switch {
	case b < 2 && a >= 1:
		share = 0
	case a < 1 && b >= 2:
		share = 1
	}
	return p.mean[at.left]*(1-share) + p.mean[at.right]*share, float64(a + b)
}

// Learn moves the profile at a place towards a value that lies residual above
// what was expected. rate is the weight of one sample among many, in (0, 1].
func (p *Profile) Learn(at Place, value, residual, rate float64) {
	i, j := at.left, at.right
	if p.weight[i] < 1 {
		p.mean[i] = value
		if p.weight[j] >= 1 {
			p.mean[i] = p.mean[j]
		}
	}
	if p.weight[j] < 1 {
		p.mean[j] = p.mean[i]
	}
	left, right := 1-at.share, at.share
	p.weight[i] += float32(left)
	p.weight[j] += float32(right)
	// The correction that moves the line by residual·rate at this very place,
	// split between its ends.
	unit := residual / (left*left + right*right)
	p.mean[i] += atLeast(rate, float64(p.weight[i])) * unit * left
	p.mean[j] += atLeast(rate, float64(p.weight[j])) * unit * right
}

// atLeast returns rate, or the weight of the latest of a few samples.
func atLeast(rate, seen float64) float64 {
	if rate*(1+seen) >= 1 {
		return rate
	}
	return 1 / (1 + seen)
}

// Code walks over the memory.
func (p *Profile) Code(c *snapshot.Codec) {
	c.Float64s(p.mean)
	c.Float32s(p.weight)
}
