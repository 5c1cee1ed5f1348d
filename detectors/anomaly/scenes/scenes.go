// Package scenes holds one small simulated series for every algorithm, with the anomaly
// that it is for: tests hold what it says against what a person would say, and the plots
// of the documentation show it.
package scenes

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/anomaly"
)

// Scene is a series with one anomaly.
type Scene struct {
	// Kind is the algorithm that it is for, alone.
	Kind anomaly.Kind
	// Title says what happens.
	Title string
	// Points of the series. The anomaly begins at Begins, and must be found up to Within
	// points later.
	Points         []anomaly.Point
	Begins, Within int
	// Says is what the algorithm is to say of it.
	Says string
	// Declared is whether the values are known to be from 0 to 100.
	Declared bool
}

// Config returns the settings of the algorithm alone.
func (s *Scene) Config() anomaly.Config {
	cfg := anomaly.Default()
	cfg.Detectors = []anomaly.Kind{s.Kind}
	if s.Declared {
		cfg.Min, cfg.Max = 0, 100
	}
	return cfg
}

// Readings returns what the algorithm says of every point.
func (s *Scene) Readings() ([]anomaly.Reading, error) {
	d, err := anomaly.New(s.Config())
	if err != nil {
		return nil, err
	}
	list := make([]anomaly.Reading, len(s.Points))
	for i, p := range s.Points {
		list[i] = d.Observe(p)
	}
	return list, nil
}

// Found returns the place of the first reading that is news of at least 3 digits from
// where the anomaly begins, −1 for none in time.
func (s *Scene) Found(list []anomaly.Reading) int {
	for i := s.Begins; i <= s.Begins+s.Within && i < len(list); i++ {
		if list[i].News && list[i].Digits >= 3 {
			return i
		}
	}
	return -1
}

const (
	step = 5 * time.Minute
	day  = int(24 * time.Hour / step)
)

// course makes n points of what a value is at a point of a series that begins on a Monday.
func course(n int, value func(i int, noise *rand.Rand) float64) []anomaly.Point {
	noise := rand.New(rand.NewPCG(20, 24))
	start := flyball.TimeOf(time.Date(2024, 3, 4, 0, 0, 0, 0, time.UTC))
	points := make([]anomaly.Point, n)
	for i := range points {
		points[i] = anomaly.Point{At: start.Add(time.Duration(i) * step), Value: value(i, noise), Count: 100}
	}
	return points
}

// daily is requests per second over a day: 100, and 60 more or less by noon and night.
func daily(i int) float64 { return 100 - 60*math.Cos(2*math.Pi*float64(i)/float64(day)) }

// rounded keeps numbers short enough to be read.
func rounded(x float64) float64 { return math.Round(10*x) / 10 }

// All returns every scene, in the order of the algorithms.
func All() []Scene { return append(ofSize(), ofShape()...) }

// ofSize are those in which values are too large or too small.
func ofSize() []Scene {
	const begins, n = 10*day + day/8, 10*day + day/2 // at three in the night
	return []Scene{
		{Kind: anomaly.Season, Title: "requests at three in the night as many as at noon", Begins: begins, Within: 3,
			Says: "145.3 is above the 57.855 usual at this time of the day; alarm above 74.918; by chance once in more than a billion points",
			Points: course(n, func(i int, noise *rand.Rand) float64 {
				x := daily(i) + 3*noise.NormFloat64()
				if i >= begins && i < begins+12 {
					x += 90
				}
				return rounded(x)
			})},
		{Kind: anomaly.Spike, Title: "one value far from the last ones", Begins: begins, Within: 0,
			Says: "95.3 is above the 56.531 that the last points lead to; alarm above 86.305; by chance once in 2100 points",
			Points: course(n, func(i int, noise *rand.Rand) float64 {
				x := daily(i) + 3*noise.NormFloat64()
				if i == begins {
					x += 40
				}
				return rounded(x)
			})},
		{Kind: anomaly.Level, Title: "a burst above the level", Begins: begins, Within: 3,
			Says: "63.5 is above the level of 49.866; alarm above 59.532; by chance once in 8000000 points",
			Points: course(n, func(i int, noise *rand.Rand) float64 {
				x := 50 + 2*noise.NormFloat64()
				if i >= begins && i < begins+18 {
					x += 15
				}
				return rounded(x)
			})},
		{Kind: anomaly.Step, Title: "a ramp within an hour", Begins: begins, Within: 18,
			Says: "59.1 after 49.7 twelve points before is an unusual step; alarm above 59.211; by chance once in 29000 points",
			Points: course(n, func(i int, noise *rand.Rand) float64 {
				x := 50 + 1.5*noise.NormFloat64()
				if i >= begins {
					x += 1.5 * float64(min(i-begins, 14))
				}
				return rounded(x)
			})},
		{Kind: anomaly.Sustained, Title: "a little less than usual, for hours", Begins: begins, Within: 24,
			Says: "the last twelve points are 7.2865 below the 64.735 usual at this time, on average; alarm below 53.369; by chance once in 1000 points",
			Points: course(n, func(i int, noise *rand.Rand) float64 {
				x := daily(i) + 3*noise.NormFloat64()
				if i >= begins && i < begins+30 {
					x -= 9
				}
				return rounded(x)
			})},
		{Kind: anomaly.Record, Title: "a value as has never been seen", Begins: begins, Within: 0,
			Says: "75 is above all that was seen; the highest was 70; by chance once in 21000 points",
			Points: course(n, func(i int, noise *rand.Rand) float64 {
				x := 50 + 20*noise.Float64()
				if i == begins {
					x = 75
				}
				return rounded(x)
			})},
		{Kind: anomaly.Saturation, Title: "a disk that fills", Begins: begins, Within: 48, Declared: true,
			Says: "reaches 100 in 3h43m0s, between 3h4m0s and 4h28m0s; by chance once in more than a billion points",
			Points: course(n, func(i int, noise *rand.Rand) float64 {
				x := 60 + 2*math.Sin(2*math.Pi*float64(i)/float64(day)) + 0.3*noise.NormFloat64()
				if i >= begins {
					x += 0.6 * float64(min(i-begins, 60))
				}
				return rounded(min(x, 100))
			})},
	}
}

// ofShape are those in which it is about more than a value.
func ofShape() []Scene {
	const begins, n = 10*day + day/8, 10*day + day/2
	return []Scene{
		{Kind: anomaly.Sequence, Title: "steps of a batch in another order", Begins: begins, Within: 3, Declared: true,
			Says: "91.9 has hardly ever followed a value like the last; by chance once in 51000 points",
			Points: course(n, func(i int, noise *rand.Rand) float64 {
				at := i % 4
				if i >= begins && i < begins+8 {
					at = 3 - at
				}
				return rounded([]float64{10, 35, 60, 90}[at] + 3*noise.Float64())
			})},
		{Kind: anomaly.Variance, Title: "noise that grows", Begins: begins, Within: 48,
			Says: "unusually noisy: 1.442 times the usual noise; by chance once in 1600 points",
			Points: course(n, func(i int, noise *rand.Rand) float64 {
				size := 2.0
				if i >= begins {
					size = 6
				}
				return rounded(50 + size*noise.NormFloat64())
			})},
		{Kind: anomaly.Shift, Title: "a mean that moves by less than the noise", Begins: begins, Within: 60,
			Says: "the mean has moved to 53.338 from 50.523 since 30m0s; by chance once in 1500 points",
			Points: course(n, func(i int, noise *rand.Rand) float64 {
				x := 50 + 2*noise.NormFloat64()
				if i >= begins {
					x += 3
				}
				return rounded(x)
			})},
		{Kind: anomaly.Drift, Title: "two groups of values where there was one, around the same mean", Begins: begins, Within: 96,
			Says: "values are distributed unlike before: stability index 0.16201; by chance once in 4800 points",
			Points: course(n, func(i int, noise *rand.Rand) float64 {
				x := 50 + 2*noise.NormFloat64()
				if i >= begins {
					x = 50 + 2.5*float64(1-2*(i%2)) + 0.5*noise.NormFloat64()
				}
				return rounded(x)
			})},
		{Kind: anomaly.Stuck, Title: "a value that does not change any more", Begins: begins, Within: 60,
			Says: "50.5 has not changed for 10m0s; by chance once in 3100 points",
			Points: course(n, func(i int, noise *rand.Rand) float64 {
				if i >= begins {
					return 50.5
				}
				return rounded(50 + 2*noise.NormFloat64())
			})},
		{Kind: anomaly.Silence, Title: "values that stay away", Begins: begins, Within: 24,
			Says: "no value for 20m0s; by chance once in 3200 points",
			Points: course(n, func(i int, noise *rand.Rand) float64 {
				if i >= begins && i < begins+40 || i%97 == 50 {
					return math.NaN()
				}
				return rounded(50 + 2*noise.NormFloat64())
			})},
		{Kind: anomaly.Flapping, Title: "up and down all the time", Begins: begins, Within: 48,
			Says: "goes up and down: 7.3062 changes in the last 48 points; by chance once in 1100 points",
			Points: course(n, func(i int, noise *rand.Rand) float64 {
				x, every := 20+noise.NormFloat64(), 90
				if i >= begins {
					every = 4
				}
				if i/every%2 == 1 {
					x += 60
				}
				return rounded(x)
			})},
	}
}
