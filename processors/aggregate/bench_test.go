//go:build unix

package aggregate

import (
	"fmt"
	"testing"
)

// BenchmarkFold measures folding 100,000 samples and flushing them, which is what
// a transaction of one member does.
func BenchmarkFold(b *testing.B) {
	for _, series := range []int{50, 1000} {
		b.Run(fmt.Sprint(series, " series"), func(b *testing.B) {
			const samples = 100_000
			tab, s := workload(series, samples)
			m, err := New(latencyConfig(), tab)
			if err != nil {
				b.Fatal(err)
			}
			flush := &Flush{Partitions: []SourcePartition{{Topic: "otlp", Of: 1}}}
			bytes, start := 0, cpuTime()
			b.ReportAllocs()
			for b.Loop() {
				m.Step(Input{Samples: []Samples{s}})
				ready := m.Step(Input{Flush: flush})
				m.Commit()
				bytes = 0
				for _, p := range ready.Panes {
					bytes += len(p.Panes)
				}
			}
			b.ReportMetric(float64(cpuTime()-start)/float64(b.N)/samples, "cpu-ns/sample")
			b.ReportMetric(float64(bytes), "panes-bytes")
		})
		b.Run(fmt.Sprint(series, " series, fold only"), func(b *testing.B) {
			const samples = 100_000
			tab, s := workload(series, samples)
			m, err := New(latencyConfig(), tab)
			if err != nil {
				b.Fatal(err)
			}
			start := cpuTime()
			b.ReportAllocs()
			for b.Loop() {
				m.Step(Input{Samples: []Samples{s}})
			}
			b.ReportMetric(float64(cpuTime()-start)/float64(b.N)/samples, "cpu-ns/sample")
		})
	}
}
