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

// generation holds the K largest of a run of values. What every value touches comes
// first, so that it shares a line of the cache.
type generation struct {
	seen   int
	inside int     // values of the run
	mean   float64 // what excess returned, while summed is set
	summed bool
	// run is the largest of the values, one after the other, that are in the tail
	// now; 0 when the last was not. Only that one is kept: values that are large
	// together are one event, and a long incident must not become the whole tail
	// (runs declustering: Leadbetter et al., 1983).
	run  float32
	kept [K]float32 // ascending; the last min(seen, K) are in use
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
	// fitted is on how many values a robust fit rests: of values of which hardly more are any
	// than are kept, more would be no tail. The chance of another one is that of a Pareto
	// distribution, which allows for the error of the fit. leastSeen is how many of them were
	// seen at least.
	fitted, leastSeen = 12, 3
)

// fit is an exponential tail from a value on that so many of the values seen exceed.
type fit struct {
	from, mean float64
	above      float64
}

// robust fits the tail without incidents: it knows of the largest values only that they
// are large (Epstein and Sobel, 1953). Of values that are mostly 0 it takes those that
// are not: how often there are any says nothing of how large they are.
func (g *generation) robust(floor float64) fit {
	first := K - spare - 1 - fitted
	for first < K-spare-leastSeen-1 && g.kept[first] == 0 {
		first++
	}
	u := float64(g.kept[first])
	sum := 0.0
	for _, v := range g.kept[first+1 : K-spare] {
		sum += float64(v) - u
	}
	sum += spare * (float64(g.kept[K-spare-1]) - u)
	// Before there are enough, the floor stands for those that are missing (the conjugate
	// prior of an exponential distribution): few values are no sign of a heavy tail.
	seen := K - spare - 1 - first
	sum += float64(fitted-seen) * floor
	f := fit{from: u, mean: max(sum/fitted, floor, math.SmallestNonzeroFloat32), above: float64(K - first)}
	if u == 0 { // how many are above it is known, and is less than that
		f.above = 1
		for _, v := range g.kept[first+1:] {
			if v > 0 {
				f.above++
			}
		}
	}
	return f
}

func (f *fit) digits(x, n float64) float64 {
	return math.Log10(n/f.above) + fitted*math.Log10(1+(x-f.from)/(fitted*f.mean))
}

// limit returns the value that has so many digits.
func (f *fit) limit(digits, n float64) float64 {
	more := max(digits-math.Log10(n/f.above), 0)
	return f.from + fitted*f.mean*(math.Pow(10, more/fitted)-1)
}

// digits judges x. robust is whether the largest values kept may be incidents.
func (g *generation) digits(x float32, floor float64, robust bool) float64 {
	if g.seen < warm || x <= g.kept[0] {
		return 0
	}
	n := float64(g.seen)
	if robust {
		f := g.robust(floor)
		if float64(x) <= f.from {
			return 0
		}
		return min(MaxDigits, f.digits(float64(x), n))
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

// reach returns the value from which on digits are reported, m being the mean excess.
func (g *generation) reach(digits, m float64) float64 {
	n := float64(g.seen)
	top := math.Log10(n + 1)
	if digits > top {
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
	// bar is what a value must exceed to be in the tail of any generation, −Inf while
	// one is not full: most values are compared with it and counted, and that is all.
	bar    float32
	robust bool
	// generation is how many values one has.
	generation int
	young, old generation
	reached    reached
}

// reached is the latest answer of Reach by a whole generation, which does not change.
type reached struct {
	known                 bool
	digits, excess, value float64
}

// NewUpper returns an upper tail that forgets after one to two generations of
// so many values.
func NewUpper(generation int) Upper {
	return Upper{generation: generation, bar: float32(math.Inf(-1))}
}

// NewRobust returns an upper tail that takes some of the largest values for
// incidents: they do not make those that follow any less rare.
func NewRobust(generation int) Upper {
	u := NewUpper(generation)
	u.robust = true
	return u
}

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
	if v <= u.bar {
		return 0
	}
	return u.digits(v, floor)
}

func (u *Upper) digits(v float32, floor float64) float64 {
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
		if u.young.seen < warm {
			return math.Inf(1)
		}
		return u.young.reach(digits, max(u.young.excess(), floor))
	}
	m := max(u.old.excess(), floor)
	if r := &u.reached; !r.known || digits != r.digits || m != r.excess {
		*r = reached{true, digits, m, u.old.reach(digits, m)}
	}
	return u.reached.value
}

// Limit returns the value that has so many digits in a robust tail, or +Inf while nothing
// is judged.
func (u *Upper) Limit(digits, floor float64) float64 {
	g := &u.old
	if g.seen == 0 {
		g = &u.young
	}
	if g.seen < warm {
		return math.Inf(1)
	}
	f := g.robust(floor)
	return f.limit(digits, float64(g.seen))
}

// Add learns x, and reports whether a generation has ended with it. Of so many
// values in a row as event, all large, only the largest is kept: they are one event;
// 1 keeps each.
func (u *Upper) Add(x float64, event int) bool {
	v := float32(x)
	if u.plain(v) {
		u.pass()
		return false
	}
	return u.add(v, event)
}

// plain reports whether v is in no tail and ends no generation: then pass does what
// add would.
func (u *Upper) plain(v float32) bool { return v <= u.bar && u.young.seen+1 < u.generation }

func (u *Upper) pass() {
	u.young.seen++
	u.young.inside = 0
}

func (u *Upper) add(v float32, event int) bool {
	u.young.add(v, event, !u.robust)
	over := u.young.seen >= u.generation
	if over {
		u.old, u.young, u.reached = u.young, generation{}, reached{}
	}
	u.raise()
	return over
}

// raise works the bar out.
func (u *Upper) raise() {
	switch {
	case u.young.seen < K:
		u.bar = float32(math.Inf(-1))
	case u.old.seen > 0:
		u.bar = min(u.young.kept[0], u.old.kept[0])
	default:
		u.bar = u.young.kept[0]
	}
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
	u.reached = reached{}
	u.raise()
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
	if v := float32(x); b.up.plain(v) && b.down.plain(-v) {
		b.up.pass()
		b.down.pass()
		return 0, 0
	}
	return b.step(x, floor, event)
}

func (b *Both) step(x, floor float64, event int) (digits float64, side int8) {
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
