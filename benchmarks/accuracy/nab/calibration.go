package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors/anomaly"
)

// noise is a source of values without any anomaly.
type noise struct {
	name string
	next func(r *rand.Rand, last float64) float64
}

func noises() []noise {
	return []noise{
		{"normal", func(r *rand.Rand, _ float64) float64 { return r.NormFloat64() }},
		{"exponential", func(r *rand.Rand, _ float64) float64 { return r.ExpFloat64() }},
		{"lognormal", func(r *rand.Rand, _ float64) float64 { return math.Exp(r.NormFloat64()) }},
		{"student3", func(r *rand.Rand, _ float64) float64 {
			a, b, c := r.NormFloat64(), r.NormFloat64(), r.NormFloat64()
			return r.NormFloat64() / math.Sqrt((a*a+b*b+c*c)/3)
		}},
		{"ar1", func(r *rand.Rand, last float64) float64 { return 0.9*last + r.NormFloat64() }},
		{"bounded", func(r *rand.Rand, _ float64) float64 { return r.Float64() }},
	}
}

const (
	noiseSeries = 60
	noisePoints = 20_000
	noiseWarm   = 750
)

// calibration compares the false alarms that were accepted with those that come,
// with the default ensemble on points five minutes apart.
func (r *report) calibration(w io.Writer) error {
	r.Calibration = map[string]map[string]float64{}
	rates := []float64{1e-3, 1e-4}
	t := table(w)
	fmt.Fprintf(t, "\nfalse alarms, observed ÷ accepted, %d series of %d points\t1e-3\t1e-4\t\n", noiseSeries, noisePoints)
	for _, n := range noises() {
		fmt.Fprintf(t, "%s\t", n.name)
		for _, rate := range rates {
			alarms, points, err := falseAlarms(n, rate)
			if err != nil {
				return err
			}
			observed := float64(alarms) / float64(points) / rate
			key := fmt.Sprintf("%.0e", rate)
			if r.Calibration[key] == nil {
				r.Calibration[key] = map[string]float64{}
			}
			r.Calibration[key][n.name] = observed
			fmt.Fprintf(t, "%.2f\t", observed)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

func falseAlarms(n noise, rate float64) (alarms, points int, err error) {
	const step = 5 * time.Minute
	cfg := anomaly.Default()
	cfg.FalseAlarms = rate * float64(7*24*time.Hour/step)
	for seed := range uint64(noiseSeries) {
		d, err := anomaly.New(cfg)
		if err != nil {
			return 0, 0, err
		}
		random := rand.New(rand.NewPCG(seed, 11))
		x := 0.0
		for i := range noisePoints {
			x = n.next(random, x)
			got := d.Observe(anomaly.Point{At: flyball.Time(i) * flyball.Time(step), Value: x, Count: 1})
			if i < noiseWarm {
				continue
			}
			points++
			if got.Alarm {
				alarms++
			}
		}
	}
	return alarms, points, nil
}
