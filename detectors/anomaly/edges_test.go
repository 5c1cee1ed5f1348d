package anomaly

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
)

// monday is when the series of these tests begin.
var monday = flyball.TimeOf(time.Date(2024, 3, 4, 0, 0, 0, 0, time.UTC))

// minutes makes n points a minute apart.
func minutes(n int, value func(i int) float64) []Point {
	points := make([]Point, n)
	for i := range points {
		points[i] = Point{monday.Add(time.Duration(i) * time.Minute), value(i), 50}
	}
	return points
}

func alarmsOf(list []Reading) (n int) {
	for i := range list {
		if list[i].Alarm {
			n++
		}
	}
	return n
}

// A constant is no alarm, for however long; the first other value is.
func TestConstant(t *testing.T) {
	for _, c := range []float64{0, 5} {
		points := minutes(15_000, func(i int) float64 {
			if i == 14_000 {
				return c + 1 + math.Abs(c)
			}
			return c
		})
		list := observeAll(mustNew(t, Default()), points)
		for i := range list[:14_000] {
			if list[i].Alarm {
				t.Fatalf("a constant %g is an alarm at point %d: %s", c, i, list[i].Explain())
			}
		}
		if !list[14_000].News {
			t.Errorf("something else than %g is no news", c)
		}
	}
}

// alarmsByChance counts the alarms of series in which there is nothing but chance.
func alarmsByChance(t *testing.T, value func(r *rand.Rand, i int) float64) int {
	t.Helper()
	const series, weeks = 12, 3
	total := 0
	for seed := range uint64(series) {
		r := rand.New(rand.NewPCG(seed, 8))
		points := minutes(weeks*7*1440, func(i int) float64 { return value(r, i) })
		total += alarmsOf(observeAll(mustNew(t, Default()), points))
	}
	return total
}

func poisson(r *rand.Rand, mean float64) float64 {
	n, p := 0.0, math.Exp(-mean)
	for u := r.Float64(); u > p; u *= r.Float64() {
		n++
	}
	return n
}

// Counts that are mostly zero, and those of hardly any traffic, raise no more alarms by
// chance than are accepted: 0.1 a week for each of 12 series in 3 weeks make 3.6.
func TestCountsOfLittle(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	f := func(name string, value func(r *rand.Rand, i int) float64) {
		t.Helper()
		if n := alarmsByChance(t, value); n > 7 {
			t.Errorf("%s: %d alarms by chance, 3.6 are accepted", name, n)
		}
	}
	f("one count in a hundred minutes", func(r *rand.Rand, _ int) float64 { return poisson(r, 0.01) })
	f("two requests an hour", func(r *rand.Rand, _ int) float64 { return poisson(r, 2.0/60) })
	f("half a request a minute, less at night", func(r *rand.Rand, i int) float64 {
		return poisson(r, 0.5-0.4*math.Cos(2*math.Pi*float64(i)/1440))
	})
	f("errors in bursts of a few", func(r *rand.Rand, _ int) float64 {
		if r.IntN(200) > 0 {
			return 0
		}
		return 1 + poisson(r, 2)
	})
}

// A burst among counts that are mostly zero is an alarm at once.
func TestBurstAmongZeros(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 8))
	points := minutes(15_000, func(i int) float64 {
		if i == 14_500 {
			return 60
		}
		return poisson(r, 0.01)
	})
	list := observeAll(mustNew(t, Default()), points)
	if got := &list[14_500]; !got.Alarm || got.Direction != 1 {
		t.Errorf("60 among zeros is no alarm: %.1f digits, rarity %.1f", got.Digits, got.Rarity)
	}
}

// What is no number is neither judged nor learned, by anyone but silence: without it
// everything else is as it was.
func TestNoNumberIsNoPoint(t *testing.T) {
	list := configs(t)
	rapid.Check(t, func(rt *rapid.T) {
		kind := rapid.SampledFrom(Kinds()).Draw(rt, "detector")
		if kind == Silence {
			return
		}
		cfg := list[kind.String()]
		points := course(rapid.Uint64().Draw(rt, "seed"), 400)
		var with []Point
		for _, p := range points {
			with = append(with, p)
			if rapid.IntRange(0, 9).Draw(rt, "more") == 0 {
				with = append(with, Point{p.At.Add(time.Second), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}).Draw(rt, "value"), 1})
			}
		}
		a, b := observeAll(mustNew(t, cfg), points), observeAll(mustNew(t, cfg), with)
		i := 0
		for j, p := range with {
			if i < len(points) && p.At == points[i].At && same(p.Value, points[i].Value) {
				if a[i].Digits != b[j].Digits || a[i].Seen != b[j].Seen {
					rt.Fatalf("%s: point %d has %g digits, with others that are no numbers %g", kind, i, a[i].Digits, b[j].Digits)
				}
				i++
			} else if b[j].Digits != 0 || b[j].News {
				rt.Fatalf("%s: what is no number has %g digits", kind, b[j].Digits)
			}
		}
	})
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// Points that come when they like, with every third one missing, raise no alarms by
// chance beyond a few, and a spike is found among them.
func TestIrregular(t *testing.T) {
	wrong := 0
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 9))
		var points []Point
		for i := range 30_000 {
			if r.IntN(3) == 0 {
				continue
			}
			at := monday.Add(time.Duration(i)*time.Minute + time.Duration(r.IntN(50))*time.Second)
			points = append(points, Point{at, 100 + 30*math.Sin(2*math.Pi*float64(i)/1440) + 4*r.NormFloat64(), 50})
		}
		spike := len(points) - 100
		points[spike].Value += 80
		list := observeAll(mustNew(t, Default()), points)
		wrong += alarmsOf(list[:spike])
		if !list[spike].Alarm {
			t.Errorf("series %d: a spike of 20 sigmas is no alarm: %.1f digits, rarity %.1f", seed, list[spike].Digits, list[spike].Rarity)
		}
	}
	if wrong > 4 { // 6 series of 3 weeks: 1.8 are accepted
		t.Errorf("%d alarms by chance", wrong)
	}
}

// When the clocks change, a daily course moves by an hour. Forward that is found, and two
// days later all is as expected; back it is learned anew, which takes a week. Alarms about
// either are few.
func TestClocksChange(t *testing.T) {
	const changed = 21 * 1440
	f := func(by, days, most int) {
		t.Helper()
		r := rand.New(rand.NewPCG(5, 9))
		points := minutes(changed+(days+2)*1440, func(i int) float64 {
			at := i
			if i >= changed {
				at += by
			}
			return 100 - 60*math.Cos(2*math.Pi*float64(at)/1440) + 3*r.NormFloat64()
		})
		list := observeAll(mustNew(t, Default()), points)
		if n := alarmsOf(list[changed:]); n > most {
			t.Errorf("%d alarms after the clocks have changed by %d minutes", n, by)
		}
		off := 0.0
		for i := changed + days*1440; i < len(list); i++ {
			off += math.Abs(list[i].Value-list[i].Course.Expected) / (2 * 1440)
		}
		if off > 5 { // the noise alone is off by 2.4, a course that is an hour late by 10
			t.Errorf("%d days after the clocks have changed by %d minutes values are %.1f off what is expected", days, by, off)
		}
	}
	f(60, 2, 2)
	f(-60, 7, 8)
}

// The level of a series does not matter to detectors that look at differences alone.
func TestLevelDoesNotMatter(t *testing.T) {
	list := configs(t)
	for _, kind := range []Kind{Level, Step, Record, Stuck, Silence, Flapping} {
		cfg := list[kind.String()]
		cfg.Min, cfg.Max = math.NaN(), math.NaN()
		for seed := range uint64(10) {
			points := course(seed, 1500)
			moved := append([]Point{}, points...)
			for i := range moved {
				points[i].Value = math.Round(points[i].Value*1024) / 1024 // so that sums are exact
				moved[i].Value = points[i].Value + 4096
			}
			a, b := observeAll(mustNew(t, cfg), points), observeAll(mustNew(t, cfg), moved)
			for i := range a {
				if math.Abs(a[i].Digits-b[i].Digits) > 0.31 { // the next rank, where rounding swaps two
					t.Fatalf("%s: point %d of series %d has %g digits, moved %g", kind, i, seed, a[i].Digits, b[i].Digits)
				}
			}
		}
	}
}
