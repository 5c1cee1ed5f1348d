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

const (
	longPoints = 220_000 // of a minute: five months
	longDelay  = 7       // points after which an incident is found too late
	longEvery  = 2_000   // points between incidents, on average
	longWarm   = 14 * 24 * 60
)

// trouble is one labelled incident of the long series.
type trouble struct {
	kind     string
	from, to int
}

type troubles []trouble

func longKinds() []string { return []string{"spike", "dip", "outage", "surge", "shift"} }

// longSeries is the load of a service: a day, a week, noise that grows with the
// load, a level that drifts, and incidents that come again and again.
func longSeries() ([]anomaly.Point, troubles) {
	random := rand.New(rand.NewPCG(17, 4))
	var points []anomaly.Point
	var list troubles
	kinds := longKinds()
	next, level, ar := longWarm, 1.0, 0.0
	var now trouble
	for i := range longPoints {
		minute := float64(i)
		day := math.Sin(2 * math.Pi * (minute/1440 - 0.3))
		week := 1.0
		if d := i / 1440 % 7; d >= 5 {
			week = 0.6
		}
		level *= 1 + 0.00002*random.NormFloat64()
		ar = 0.8*ar + 0.6*random.NormFloat64()
		base := 500 * level * week * (1 + 0.5*day)
		x := base * (1 + 0.03*ar)
		if i >= next {
			length := 10 + random.IntN(50)
			now = trouble{kinds[random.IntN(len(kinds))], i, i + length}
			list = append(list, now)
			next = i + length + longEvery/2 + random.IntN(longEvery)
		}
		if i < now.to {
			x += base * map[string]float64{"spike": 0.8, "dip": -0.5, "outage": -0.97, "surge": 1.6, "shift": 0.45}[now.kind]
		}
		points = append(points, anomaly.Point{At: flyball.Time(i) * flyball.Time(time.Minute), Value: max(x, 0), Count: 1})
	}
	return points, list
}

// told is one alarm, or what would be one at a lower threshold.
type told struct {
	at    int
	score float64
}

// tally counts alarms against incidents.
type tally struct {
	found       map[string]int
	hits, wrong int
}

func (t tally) f1(incidents int) float64 {
	return 2 * float64(t.hits) / float64(t.hits+t.wrong+incidents)
}

// count says how well incidents are found by alarms. An alarm counts for an
// incident up to longDelay points after it began; later ones up to an hour after
// its end are neither right nor wrong, since it is being told; all others are
// false.
func (list troubles) count(alarms []told, least float64) tally {
	out := tally{found: map[string]int{}}
	hit := make([]bool, len(list))
	n := 0
	for _, a := range alarms {
		if a.score < least {
			continue
		}
		for n < len(list) && a.at > list[n].to+60 {
			n++
		}
		switch {
		case n == len(list) || a.at < list[n].from:
			out.wrong++
		case a.at <= list[n].from+longDelay && !hit[n]:
			hit[n] = true
			out.hits++
			out.found[list[n].kind]++
		}
	}
	return out
}

// long judges the long series: by alarms at the default sensitivity, and by the
// score at the threshold that is best in hindsight.
func (r *report) long(w io.Writer) error {
	points, list := longSeries()
	d, err := anomaly.New(anomaly.Default())
	if err != nil {
		return err
	}
	var alarms, news []told
	for i, p := range points {
		got := d.Observe(p)
		if i < longWarm {
			continue
		}
		if got.Alarm {
			alarms = append(alarms, told{i, 1})
		}
		if got.Score() > 0.2 {
			news = append(news, told{i, got.Score()})
		}
	}
	byAlarm := list.count(alarms, 0)
	var byScore tally
	for threshold := 0.2; threshold <= 1; threshold += 0.005 {
		if got := list.count(news, threshold); got.f1(len(list)) > byScore.f1(len(list)) || byScore.found == nil {
			byScore = got
			r.LongThreshold = threshold
		}
	}
	r.LongF1, r.LongBestF1 = byAlarm.f1(len(list)), byScore.f1(len(list))
	all := map[string]int{}
	for _, t := range list {
		all[t.kind]++
	}
	t := table(w)
	fmt.Fprintf(t, "\nlong series, %d points\tincidents\talarm within %d points\tscore within %d points\t\n", len(points), longDelay, longDelay)
	for _, kind := range longKinds() {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t\n", kind, all[kind], byAlarm.found[kind], byScore.found[kind])
	}
	fmt.Fprintf(t, "all\t%d\t%d\t%d\t\n", len(list), byAlarm.hits, byScore.hits)
	fmt.Fprintf(t, "false\t\t%d\t%d\t\n", byAlarm.wrong, byScore.wrong)
	fmt.Fprintf(t, "F1\t\t%.3f\t%.3f\t\n", r.LongF1, r.LongBestF1)
	fmt.Fprintf(t, "threshold\t\tdefault\tbest: %.3f\t\n", r.LongThreshold)
	return t.Flush()
}
