package main

import (
	"fmt"
	"io"
	"testing"

	"github.com/flyball-io/flyball/detectors/anomaly"
)

// cost measures the default ensemble on the long series, over many series in
// turn so that their memory does not stay in the nearest cache.
func (r *report) cost(w io.Writer) error {
	points, _ := longSeries()
	const many = 64
	var detectors [many]*anomaly.Ensemble
	for i := range detectors {
		d, err := anomaly.New(anomaly.Default())
		if err != nil {
			return err
		}
		for _, p := range points[:20_000] {
			d.Observe(p)
		}
		detectors[i] = d
	}
	var best testing.BenchmarkResult
	for round := range 5 {
		got := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for i := range b.N {
				detectors[i%many].Observe(points[20_000+i/many%200_000])
			}
		})
		if round == 0 || got.NsPerOp() < best.NsPerOp() {
			best = got
		}
	}
	r.NsPerPoint = float64(best.T.Nanoseconds()) / float64(best.N)
	r.AllocsPerPoint = float64(best.MemAllocs) / float64(best.N)
	r.StateBytes = len(detectors[0].AppendSnapshot(nil))
	_, err := fmt.Fprintf(w, "\ndefault ensemble: %.0f ns and %.2f allocations per point, %d bytes of state per series\n",
		r.NsPerPoint, r.AllocsPerPoint, r.StateBytes)
	return err
}
