package main

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/flyball-io/flyball/detectors/anomaly"
)

// variant is one way to judge the benchmark.
type variant struct {
	name   string
	change func(*anomaly.Config)
	// declared tells the range of the whole file.
	declared bool
}

// run judges every series, strictly online.
func (v variant) run(list []*series) (map[string][]float64, error) {
	scores := make([][]float64, len(list))
	errs := make([]error, len(list))
	var wait sync.WaitGroup
	places := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, s := range list {
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			cfg := anomaly.Default()
			if v.declared {
				cfg.Min, cfg.Max = s.low, s.high
			}
			if v.change != nil {
				v.change(&cfg)
			}
			scores[i], errs[i] = judge(cfg, s.points)
		})
	}
	wait.Wait()
	out := map[string][]float64{}
	for i, s := range list {
		if errs[i] != nil {
			return nil, fmt.Errorf("cannot judge series %q: %w", s.name, errs[i])
		}
		out[s.name] = scores[i]
	}
	return out, nil
}

func judge(cfg anomaly.Config, points []anomaly.Point) ([]float64, error) {
	d, err := anomaly.New(cfg)
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(points))
	for i, p := range points {
		r := d.Observe(p)
		scores[i] = r.Score()
	}
	return scores, nil
}

// alone are the detectors, each by itself.
func alone() []variant {
	var list []variant
	for _, k := range anomaly.Kinds() {
		list = append(list, variant{name: k.String(), change: func(c *anomaly.Config) { c.Detectors = []anomaly.Kind{k} }})
	}
	return list
}

// without are the defaults with one detector less.
func without() []variant {
	var list []variant
	for i, k := range anomaly.DefaultKinds() {
		list = append(list, variant{name: "without " + k.String(), change: func(c *anomaly.Config) {
			c.Detectors = append(append([]anomaly.Kind{}, c.Detectors[:i]...), c.Detectors[i+1:]...)
		}})
	}
	return list
}

// neighbours are the defaults with one number changed.
func neighbours() []variant {
	var list []variant
	add := func(name string, change func(*anomaly.Config)) {
		list = append(list, variant{name: name, change: change})
	}
	for _, n := range []int{30, 40, 90, 120} {
		add(fmt.Sprintf("quiet %d", n), func(c *anomaly.Config) { c.Quiet = n })
	}
	for _, n := range []int{2500, 5000, 20160} {
		add(fmt.Sprintf("generation %d", n), func(c *anomaly.Config) { c.Generation = n })
	}
	const day = 24 * time.Hour
	add("periods of hour and day", func(c *anomaly.Config) { c.Periods = []time.Duration{time.Hour, day} })
	add("periods of day and week", func(c *anomaly.Config) { c.Periods = []time.Duration{day, 7 * day} })
	add("periods of day only", func(c *anomaly.Config) { c.Periods = []time.Duration{day} })
	return list
}
