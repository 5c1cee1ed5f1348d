//go:build unix

package evaluate

import (
	"fmt"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
)

// BenchmarkGap measures the worst step of a watermark: over a gap of days, after
// six hours of traffic of which every pane had something bad, with the default
// tiers.
func BenchmarkGap(b *testing.B) {
	const entities = 20
	cfg := simple()
	cfg.SLOs[0].Period = 30 * 24 * time.Hour
	cfg.SLOs[0].Tiers = []flyball.BurnRateTier{
		{Name: "page_fast", Severity: "page", FactorNum: 72, FactorDen: 5, Long: time.Hour, Short: 5 * time.Minute},
		{Name: "page_slow", Severity: "page", FactorNum: 6, FactorDen: 1, Long: 6 * time.Hour, Short: 30 * time.Minute},
		{Name: "ticket_fast", Severity: "ticket", FactorNum: 3, FactorDen: 1, Long: 24 * time.Hour, Short: 2 * time.Hour},
		{Name: "ticket_slow", Severity: "ticket", FactorNum: 1, FactorDen: 1, Long: 72 * time.Hour, Short: 6 * time.Hour},
	}
	var gap time.Duration
	for b.Loop() {
		m := New(cfg)
		tr := newTraffic(5 * entities)
		for i := range tr.rows {
			tr.rows[i].Entity = fmt.Sprint("service-", i/5)
			tr.rows[i].Bad = 1
		}
		for range 6 * 360 {
			rows, mark := tr.pane()
			m.Step(Input{Records: []Record{rows, mark}})
			m.Commit()
		}
		tr.at = tr.at.Add(10 * 24 * time.Hour)
		_, mark := tr.pane()
		start := cpuTime()
		m.Step(Input{Records: []Record{mark}})
		gap += cpuTime() - start
	}
	b.ReportMetric(float64(gap.Microseconds())/float64(b.N*entities), "cpu-µs/budget")
}
