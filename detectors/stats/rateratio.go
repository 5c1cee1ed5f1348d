package stats

import (
	"math"
	"slices"
)

// RatePane is what happened in one pane: how many events in each arm, out of what
// exposure (requests, seconds; any unit, the same for both arms).
type RatePane struct {
	Canary, Baseline                 float64
	CanaryExposure, BaselineExposure float64
}

// RateRatio is an e-process for the ratio of the canary's event rate to the
// baseline's. Given the events of both arms in a pane, x + y = N, the canary's
// share of them is binomial with p = πr/(πr + 1 − π), where π is its share of the
// exposure and r the ratio: what both arms share, such as the load, drops out
// (Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data", NeurIPS
// 2022). All it keeps are sums over panes, one for each ratio of a fixed grid, so
// that states add up, in any split of the panes, to what one pass gives.
//
// Shares of a large part of the exposure (more than rare events) make p less
// variable than binomial; by Hoeffding (1963, theorem 4) the e-process stays valid
// and loses power.
type RateRatio struct {
	anchors []float64 // of the grid
	grid    []float64 // ln r, ascending
	// Sums over panes, by grid point: log-likelihood, residual x − pN, its square,
	// binomial variance p(1−p)N, product of successive residuals.
	loglik, score, square, variance, cross []float64
	// Sums over panes of (p − π) times the exposure of both arms, which is how fast the
	// likelihood ratio grows for every event per exposure that is the canary's alone.
	tilt []float64
	// Sums over panes: N π(1−π) and its square, to know how many carry the weight.
	weight, weightSquare float64
	canary, baseline     ArmCounts
	total                RatePane
	panes                int
	first, last          RatePane // for the products across a merge
	cache                shareCache
	past                 *Past   // of the baseline; nil when there is none
	most                 float64 // ln of what it may raise evidence by
}

// Grid of a log ratio above and below each anchor: distances from 0.2 % to a
// factor of 1,000 (an error share can rise from 0.1 % to 100 %), each 19 % further
// than the one before, so that the nearest point to any ratio in between loses
// less than 1 % of the information per event.
const (
	gridPoints = 48
	gridNear   = 0.002
)

var gridFar = math.Log(1000)

func gridDistance(i int) float64 {
	return gridNear * math.Pow(gridFar/gridNear, float64(i)/(gridPoints-1))
}

// NewRateRatio returns an e-process that can be asked about the given log ratios.
func NewRateRatio(anchors ...float64) *RateRatio {
	r := &RateRatio{anchors: slices.Clone(anchors)}
	for _, a := range anchors {
		r.grid = append(r.grid, a)
		for i := range gridPoints {
			d := gridDistance(i)
			r.grid = append(r.grid, a-d, a+d)
		}
	}
	slices.Sort(r.grid)
	r.grid = slices.Compact(r.grid)
	n := len(r.grid)
	r.loglik, r.score, r.square = make([]float64, n), make([]float64, n), make([]float64, n)
	r.variance, r.cross, r.tilt = make([]float64, n), make([]float64, n), make([]float64, n)
	return r
}

// shareCache holds the canary's share of the events at every grid point, for the
// exposure share that it was computed for: it is often the same for all panes.
type shareCache struct {
	pi              float64
	p, logP, log1mP []float64
}

func (c *shareCache) of(pi float64, grid []float64) {
	if c.p != nil && c.pi == pi {
		return
	}
	if c.p == nil {
		c.p, c.logP, c.log1mP = make([]float64, len(grid)), make([]float64, len(grid)), make([]float64, len(grid))
	}
	c.pi = pi
	logit := math.Log(pi / (1 - pi))
	for k, d := range grid {
		c.p[k] = 1 / (1 + math.Exp(-logit-d))
		c.logP[k] = -math.Log1p(math.Exp(-logit - d))
		c.log1mP[k] = -math.Log1p(math.Exp(logit + d))
	}
}

// share returns the canary's share of the exposure; false when an arm has none, so
// that the pane says nothing about the ratio.
func (p RatePane) share() (float64, bool) {
	all := p.CanaryExposure + p.BaselineExposure
	return p.CanaryExposure / all, p.CanaryExposure > 0 && p.BaselineExposure > 0
}

// Add counts a pane. A pane in which an arm had no exposure is passed over.
func (r *RateRatio) Add(p RatePane) {
	pi, ok := p.share()
	if !ok {
		return
	}
	n := p.Canary + p.Baseline
	r.cache.of(pi, r.grid)
	for k := range r.grid {
		share := r.cache.p[k]
		residual := p.Canary - share*n
		r.loglik[k] += p.Canary*r.cache.logP[k] + p.Baseline*r.cache.log1mP[k]
		r.score[k] += residual
		r.square[k] += residual * residual
		r.variance[k] += share * (1 - share) * n
		r.tilt[k] += (share - pi) * (p.CanaryExposure + p.BaselineExposure)
	}
	if r.panes > 0 {
		r.addCross(r.last, p)
	} else {
		r.first = p
	}
	w := n * pi * (1 - pi)
	r.weight += w
	r.weightSquare += w * w
	r.total.Canary += p.Canary
	r.total.Baseline += p.Baseline
	r.total.CanaryExposure += p.CanaryExposure
	r.total.BaselineExposure += p.BaselineExposure
	r.canary.Add(p.Canary, p.CanaryExposure)
	r.baseline.Add(p.Baseline, p.BaselineExposure)
	r.panes++
	r.last = p
}

// addCross adds the products of the residuals of two successive panes.
func (r *RateRatio) addCross(a, b RatePane) {
	na, nb := a.Canary+a.Baseline, b.Canary+b.Baseline
	if na == 0 || nb == 0 {
		return
	}
	pa, _ := a.share()
	pb, _ := b.share()
	if pa == pb {
		r.cache.of(pa, r.grid)
		for k, p := range r.cache.p {
			r.cross[k] += (a.Canary - p*na) * (b.Canary - p*nb)
		}
		return
	}
	oddsA, oddsB := pa/(1-pa), pb/(1-pb)
	for k, d := range r.grid {
		e := math.Exp(-d)
		r.cross[k] += (a.Canary - na/(1+e/oddsA)) * (b.Canary - nb/(1+e/oddsB))
	}
}

// Merge adds the panes of another e-process with the same anchors that follow
// those of this one in time.
func (r *RateRatio) Merge(next *RateRatio) {
	if !slices.Equal(r.grid, next.grid) {
		panic("BUG: merged e-processes have different grids")
	}
	if next.panes == 0 {
		return
	}
	for k := range r.grid {
		r.loglik[k] += next.loglik[k]
		r.score[k] += next.score[k]
		r.square[k] += next.square[k]
		r.variance[k] += next.variance[k]
		r.tilt[k] += next.tilt[k]
		r.cross[k] += next.cross[k]
	}
	if r.panes > 0 {
		r.addCross(r.last, next.first)
	} else {
		r.first = next.first
	}
	r.weight += next.weight
	r.weightSquare += next.weightSquare
	r.total.Canary += next.total.Canary
	r.total.Baseline += next.total.Baseline
	r.total.CanaryExposure += next.total.CanaryExposure
	r.total.BaselineExposure += next.total.BaselineExposure
	r.canary.Merge(next.canary)
	r.baseline.Merge(next.baseline)
	r.panes += next.panes
	r.last = next.last
}

// Total returns the sums over all panes counted.
func (r *RateRatio) Total() RatePane { return r.total }

// Panes returns how many panes were counted.
func (r *RateRatio) Panes() int { return r.panes }

// Ratio returns the ratio of the canary's rate to the baseline's: +Inf when only
// the canary has events, NaN when neither has.
func (r *RateRatio) Ratio() float64 {
	t := r.total
	return t.Canary / t.CanaryExposure / (t.Baseline / t.BaselineExposure)
}

// Borrow tells the baseline's past, from which the dispersion is known. It is evidence
// too, as far as it shows that rates stay as they are, when it may raise evidence by a
// factor above 1. The group sequential test does not use it as such.
func (r *RateRatio) Borrow(p *Past, most float64) { r.past, r.most = p, math.Log(math.Max(1, most)) }

// remembers is whether there is a past, and borrows whether it may be evidence.
func (r *RateRatio) remembers() bool { return r.past != nil && r.past.exposure > 0 && r.panes > 0 }
func (r *RateRatio) borrows() bool   { return r.remembers() && r.most > 0 }

// index returns where a log ratio stands in the grid.
func (r *RateRatio) index(d float64) int {
	i, ok := slices.BinarySearch(r.grid, d)
	if !ok {
		panic("BUG: a rate ratio is asked about a value that is not one of its anchors")
	}
	return i
}
