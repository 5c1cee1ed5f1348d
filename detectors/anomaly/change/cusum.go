// Package change holds sequential tests for a change of mean: tabular CUSUM,
// Page–Hinkley and Bayesian online changepoint detection.
package change

import (
	"math"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
)

// CUSUM sums how far values lie above and below a target, past an allowance; a
// sum that grows means that the mean has moved. Page (1954); NIST/SEMATECH
// e-Handbook 6.3.2.3.
type CUSUM struct {
	// Target is the mean without change, Allowance how much of a shift is none:
	// half the shift to be found.
	Target, Allowance float64
	// Up and Down are the sums.
	Up, Down float64
	// UpFor and DownFor are for how many values the sums have been positive: the
	// change began so long ago.
	UpFor, DownFor int
}

// Add takes in a value.
func (c *CUSUM) Add(x float64) {
	c.Up = math.Max(0, c.Up+x-c.Target-c.Allowance)
	c.Down = math.Max(0, c.Down+c.Target-x-c.Allowance)
	c.UpFor = runs(c.UpFor, c.Up)
	c.DownFor = runs(c.DownFor, c.Down)
}

func runs(n int, sum float64) int {
	if sum > 0 {
		return n + 1
	}
	return 0
}

// Reset forgets the sums.
func (c *CUSUM) Reset() { *c = CUSUM{Target: c.Target, Allowance: c.Allowance} }

// Code walks over the memory.
func (c *CUSUM) Code(s *snapshot.Codec) {
	s.Float64(&c.Up)
	s.Float64(&c.Down)
	s.Count(&c.UpFor)
	s.Count(&c.DownFor)
}

// PageHinkley tests for a rise of the mean against the mean of all values so
// far. Page (1954), Hinkley (1971); as in Gama et al., ACM Computing Surveys
// 46(4), 2014, section 3.2.
type PageHinkley struct {
	// Delta is a rise too small to matter.
	Delta float64

	mean, sum, least float64
	seen             float64
}

// Add takes in a value and returns the statistic, at least 0: how far the sum of
// departures from the running mean is above its minimum.
func (p *PageHinkley) Add(x float64) float64 {
	p.seen++
	p.mean += (x - p.mean) / p.seen
	p.sum += x - p.mean - p.Delta
	p.least = math.Min(p.least, p.sum)
	return p.sum - p.least
}

// Code walks over the memory.
func (p *PageHinkley) Code(s *snapshot.Codec) {
	for _, v := range []*float64{&p.mean, &p.sum, &p.least, &p.seen} {
		s.Float64(v)
	}
}
