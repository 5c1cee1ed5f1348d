package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/flyball-io/flyball/benchmarks/bench/telemetry"
)

// Scaling is what more cores are good for.
type Scaling struct {
	Cores     int     `json:"cores"`
	SpansPerS float64 `json:"spans_per_s"`
	// Factor is SpansPerS ÷ that of one core.
	Factor float64 `json:"factor"`
}

// scalingRounds is how often each number of cores has its turn; the fastest counts,
// since other programs on the machine can only take away.
const scalingRounds = 3

// scale measures, by the clock, as many engines as cores, each as a worker of `flyball
// run` is: with a decoder, a dictionary and a machine of its own. Kafka is left out,
// because it would need the same cores.
func scale(w io.Writer, spans int) ([]Scaling, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var all []Scaling
	for n := 1; n <= runtime.NumCPU(); n *= 2 {
		all = append(all, Scaling{Cores: n})
	}
	for range scalingRounds {
		for i := range all {
			runtime.GOMAXPROCS(all[i].Cores)
			rate, err := parallel(all[i].Cores, spans)
			if err != nil {
				return nil, err
			}
			all[i].SpansPerS = max(all[i].SpansPerS, rate)
		}
	}
	for i := range all {
		all[i].Factor = all[i].SpansPerS / all[0].SpansPerS
		fmt.Fprintf(w, "  %-34s %10d %12s %14.0f %8.2f\n", "cores, by the clock", all[i].Cores, "", all[i].SpansPerS, all[i].Factor)
	}
	return all, nil
}

// parallel returns how many spans per second n engines take together.
func parallel(n, spans int) (float64, error) {
	records := recordsOf(usual().shape, 200_000)
	var engines []*engine
	for range n {
		e, err := newEngine(usual(), spansPerFlush)
		if err != nil {
			return 0, err
		}
		defer e.builder.Release()
		engines = append(engines, e)
	}
	all := func(spans int) (time.Duration, error) {
		began := time.Now()
		var group errgroup.Group
		for i, e := range engines {
			// Each begins elsewhere, so that they do not walk in step.
			own := slices.Concat(records[i*len(records)/n:], records[:i*len(records)/n])
			group.Go(func() error {
				for i := range spans / telemetry.SpansPerRecord {
					if err := e.take(own[i%len(own)]); err != nil {
						return err
					}
				}
				return nil
			})
		}
		err := group.Wait()
		return time.Since(began), err
	}
	if _, err := all(500_000); err != nil {
		return 0, err
	}
	took, err := all(spans)
	return float64(n*spans) / took.Seconds(), err
}
