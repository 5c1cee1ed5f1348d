// Package tail says how rare a value is by the history of its own series: by its
// rank among the largest values seen, which holds for any distribution, and
// beyond them by an exponential fit to the largest, as extreme value theory
// suggests. It needs no setting that depends on the data.
//
// Rarity is counted in digits of surprise, −log10 p: 4 digits are what one value
// in 10,000 reaches by chance.
//
// Sources: peaks over threshold, Pickands (1975), Balkema and de Haan (1974); in
// streams, Siffer et al., KDD 2017; conformal ranks, Laxhammar and Falkman (2010).
package tail

import (
	"math"

	"github.com/flyball-io/flyball/detectors/anomaly/snapshot"
)

const (
	// K is how many of the largest values are kept.
	K = 40
	// warm is how many values must have been seen before any is judged: with
	// fewer, the K largest are not a tail.
	warm = 2 * K
	// recordSlope is what a record gains with its margin at least, as a share of
	// what the fit would give: no two margins are equal.
	recordSlope = 0.1
	// MaxDigits bounds what is reported.
	MaxDigits = 30
	// lesson is the most surprise, in digits, that one value may teach: an
	// incident is kept as if it had just been a one in 10,000 value, so that it
	// does not hide the next one.
	lesson = 4
)

// generation holds the K largest of a run of values.
type generation struct {
	seen int
	kept [K]float32 // ascending; the last min(seen, K) are in use
	// run is the largest of the values, one after the other, that are in the tail
	// now; 0 when the last was not. Only that one is kept: values that are large
	// together are one event, and a long incident must not become the whole tail
	// (runs declustering: Leadbetter et al., 1983).
	run    float32
	inside int     // values of the run
	mean   float64 // what excess returned, while summed is set
	summed bool
}

// excess is the mean by which the kept values exceed the smallest of them.
func (g *generation) excess() float64 {
	if !g.summed {
		g.mean, g.summed = g.sum(), true
	}
	return g.mean
}

func (g *generation) sum() float64 {
	u := float64(g.kept[0])
	sum := 0.0
	for _, v := range g.kept[1:] {
		sum += float64(v) - u
	}
	return sum / K
}

const (
	// spare is how many of the kept values may be incidents and no chance.
	spare = 7
	// fitted is on how many values censored rests. The chance of another one is
	// that of a Pareto distribution, which allows for the error of the fit.
	fitted = K - spare - 1
)

// censored is what excess would be without incidents: an exponential fit that
// knows of the largest values only that they are large (Epstein and Sobel, 1953).
func (g *generation) censored() float64 {
	u := float64(g.kept[0])
	sum := 0.0
	for _, v := range g.kept[1 : K-spare] {
		sum += float64(v) - u
	}
	sum += spare * (float64(g.kept[K-spare-1]) - u)
	return sum / fitted
}

// digits judges x. robust is whether the largest values kept may be incidents.
func (g *generation) digits(x float32, floor float64, robust bool) float64 {
	if g.seen < warm || x <= g.kept[0] {
		return 0
	}
	n := float64(g.seen)
	if robust {
		m := max(g.censored(), floor, math.SmallestNonzeroFloat32)
		return min(MaxDigits, math.Log10(n/K)+fitted*math.Log10(1+(float64(x)-float64(g.kept[0]))/(fitted*m)))
	}
	if x <= g.kept[K-1] {
		return math.Log10((n + 1) / (1 + g.rank(x)))
	}
	// A record is one in n+1 whatever the distribution; the further the rarer.
	record := math.Log10(n + 1)
	m := max(g.excess(), floor, math.SmallestNonzeroFloat32) * math.Ln10
	margin := (float64(x) - float64(g.kept[K-1])) / m
	extrapolated := math.Log10(n/K) + (float64(x)-float64(g.kept[0]))/m
	return min(MaxDigits, max(extrapolated, record+recordSlope*margin))
}

// reach returns the value from which on digits are reported.
func (g *generation) reach(digits, floor float64) float64 {
	if g.seen < warm {
		return math.Inf(1)
	}
	n := float64(g.seen)
	top := math.Log10(n + 1)
	if digits > top {
		m := max(g.excess(), floor)
		highest := float64(g.kept[K-1])
		extrapolated := float64(g.kept[0]) + m*math.Ln10*(digits-math.Log10(n/K))
		byRecord := highest + m*math.Ln10*(digits-top)/recordSlope // whichever comes first
		return max(min(extrapolated, byRecord), highest)
	}
	rank := int((n+1)/math.Pow(10, max(digits, 0))) - 1 // at most so many as large
	return float64(g.kept[K-1-min(max(rank, 0), K-1)])
}

// rank returns how many kept values are at least x, and between two of them a
// part of one more: so different values differ in rank, and no rank is too low.
func (g *generation) rank(x float32) float64 {
	i := K - 1
	for i > 0 && g.kept[i-1] >= x {
		i--
	}
	rank := float64(K - i)
	if above, below := g.kept[i], g.kept[max(i-1, 0)]; x < above && below < above {
		rank += float64(above-x) / float64(above-below)
	}
	return rank
}

// add keeps x. So many values in a row as event are one event; what lasts longer is
// what the series does now. capped is whether one value may teach only so much.
func (g *generation) add(x float32, event int, capped bool) {
	g.seen++
	if g.seen <= K {
		g.summed = false
		i := K - g.seen
		for ; i+1 < K && g.kept[i+1] < x; i++ {
			g.kept[i] = g.kept[i+1]
		}
		g.kept[i] = x
		return
	}
	if x <= g.kept[0] {
		g.inside = 0
		return
	}
	if capped && g.seen > warm {
		if m := g.excess(); m > 0 {
			most := max(1, lesson-math.Log10(float64(g.seen)/K))
			x = min(x, float32(float64(g.kept[0])+m*math.Ln10*most))
		}
	}
	i := 0
	g.inside++
	if g.inside > 1 && g.inside <= event {
		if x <= g.run {
			return
		}
		for i < K-1 && g.kept[i] < g.run {
			i++
		}
	}
	for ; i+1 < K && g.kept[i+1] < x; i++ {
		g.kept[i] = g.kept[i+1]
	}
	g.kept[i], g.run, g.summed = x, x, false
}

// Upper judges how large a value is. Its memory is bounded and forgets in
// generations: values are judged by the last whole generation, and once the
// next is half full by the milder of the two. Without that, the largest values
// of a year would hide what is rare today.
type Upper struct {
	generation int
	robust     bool
	old, young generation
}

// NewUpper returns an upper tail that forgets after one to two generations of
// so many values.
func NewUpper(generation int) Upper { return Upper{generation: generation} }

// NewRobust returns an upper tail that takes some of the largest values for
// incidents: they do not make those that follow any less rare.
func NewRobust(generation int) Upper { return Upper{generation: generation, robust: true} }

// Seen returns how many values the judgement rests on.
func (u *Upper) Seen() int {
	if u.old.seen > 0 {
		return u.old.seen
	}
	return u.young.seen
}

// Digits returns how surprising x would be. It is 0 until enough has been seen
// and for all but the K largest. floor is the smallest mean excess to believe
// in, which keeps a series of few distinct values from being sure of itself.
func (u *Upper) Digits(x, floor float64) float64 {
	v := float32(x)
	if u.old.seen == 0 {
		return u.young.digits(v, floor, u.robust)
	}
	d := u.old.digits(v, floor, u.robust)
	if d > 0 && 2*u.young.seen >= u.generation {
		d = min(d, u.young.digits(v, floor, u.robust))
	}
	return d
}

// Reach returns the smallest value that reaches so many digits, or +Inf while
// nothing is judged.
func (u *Upper) Reach(digits, floor float64) float64 {
	if u.old.seen == 0 {
		return u.young.reach(digits, floor)
	}
	return u.old.reach(digits, floor)
}

// Add learns x, and reports whether a generation has ended with it. Of so many
// values in a row as event, all large, only the largest is kept: they are one event;
// 1 keeps each.
func (u *Upper) Add(x float64, event int) bool {
	u.young.add(float32(x), event, !u.robust)
	if u.young.seen < u.generation {
		return false
	}
	u.old, u.young = u.young, generation{}
	return true
}

// Code walks over the memory.
func (u *Upper) Code(c *snapshot.Codec) {
	for _, g := range []*generation{&u.old, &u.young} {
		c.Count(&g.seen)
		c.Float32s(g.kept[:])
		c.Float32(&g.run)
		c.Count(&g.inside)
		g.summed = false
	}
	if u.young.seen >= max(u.generation, 1) {
		c.Fail("generation is over")
	}
}

// twoSides is what it costs to look at both sides: two chances to be surprised.
const twoSides = 0.30102999566398120 // log10 2

// Both judges how far a value lies on either side.
type Both struct {
	up, down Upper
}

// NewBoth returns tails that forget after one to two generations of so many
// values.
func NewBoth(generation int) Both {
	return Both{NewUpper(generation), NewUpper(generation)}
}

// Step returns how surprising x is, and on which side: 1 above, −1 below, 0 for
// no surprise. Then it learns x, as Add does.
func (b *Both) Step(x, floor float64, event int) (digits float64, side int8) {
	up, down := b.up.Digits(x, floor), b.down.Digits(-x, floor)
	b.up.Add(x, event)
	b.down.Add(-x, event)
	if up >= down {
		digits, side = up-twoSides, 1
	} else {
		digits, side = down-twoSides, -1
	}
	if digits <= 0 {
		return 0, 0
	}
	return digits, side
}

// Seen returns how many values the judgement rests on.
func (b *Both) Seen() int { return b.up.Seen() }

// Band returns the values between which fewer digits are reported, infinite
// while nothing is judged.
func (b *Both) Band(digits, floor float64) (low, high float64) {
	return -b.down.Reach(digits+twoSides, floor), b.up.Reach(digits+twoSides, floor)
}

// Code walks over the memory.
func (b *Both) Code(c *snapshot.Codec) {
	b.up.Code(c)
	b.down.Code(c)
}
