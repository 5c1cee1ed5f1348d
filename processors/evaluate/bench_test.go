//go:build unix

package evaluate

import (
	"fmt"
	"math"
	"math/rand"
	"runtime"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// traffic makes a record per pane: a row of every series, with a histogram of
// about a hundred buckets.
type traffic struct {
	rows   []processors.PaneRow
	writer processors.PaneWriter
	offset int64
	at     flyball.Time
}

func newTraffic(series int) *traffic {
	rng := rand.New(rand.NewSource(1))
	tr := &traffic{at: 1_700_000_040 * second}
	for i := range series {
		values := make([]float64, 1000)
		for n := range values {
			values[n] = math.Exp(rng.NormFloat64()*0.35 + 16)
		}
		tr.rows = append(tr.rows, rowOf("latency", fmt.Sprint("service-", i/5), fmt.Sprint("/route/", i%5), 0, i%7, values...))
	}
	return tr
}

// pane returns the next pane's rows, and the mark that closes it.
func (tr *traffic) pane() (rows, mark Record) {
	for _, r := range tr.rows {
		r.Start = tr.at
		tr.writer.Append(r)
	}
	tr.at += 10 * second
	rows = Record{Offset: tr.offset, Panes: tr.writer.Encode()}
	mark = Record{Offset: tr.offset + 1, Marks: []processors.Mark{{Source: "spans", Topic: "otlp", Of: 1, Watermark: tr.at}}}
	tr.offset += 2
	return rows, mark
}

// BenchmarkPane measures one pane of event time: merging its rows, closing it (and
// every sixth time the windows), and committing. Budgets are one per service.
func BenchmarkPane(b *testing.B) {
	for _, slos := range []bool{false, true} {
		for _, series := range []int{1000, 5000} {
			b.Run(fmt.Sprintf("%d series, budgets %v", series, slos), func(b *testing.B) { benchmarkPane(b, series, slos) })
		}
	}
}

func benchmarkPane(b *testing.B, series int, slos bool) {
	cfg := simple()
	if !slos {
		cfg.SLOs = nil
	}
	m, tr := New(cfg), newTraffic(series)
	var merge, closing, commit time.Duration
	windows := 0
	step := func() {
		rows, mark := tr.pane()
		t0 := cpuTime()
		m.Step(Input{Records: []Record{rows}})
		t1 := cpuTime()
		windows += m.Step(Input{Records: []Record{mark}}).Windows.Len()
		t2 := cpuTime()
		m.Commit()
		merge, closing, commit = merge+t1-t0, closing+t2-t1, commit+cpuTime()-t2
	}
	for range 42 { // until as much is dropped as is added
		step()
	}
	merge, closing, commit, windows = 0, 0, 0, 0
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
	rows := float64(b.N * series)
	b.ReportMetric(float64(merge)/rows, "merge-ns/row")
	b.ReportMetric(float64(closing)/float64(max(windows, 1)), "close-ns/window")
	b.ReportMetric(float64(commit)/rows, "commit-ns/row")
}

// BenchmarkMemory reports what a series takes while 36 panes of it are kept: those
// of an open window and of five minutes in which windows can be corrected.
func BenchmarkMemory(b *testing.B) {
	const series = 5000
	for b.Loop() {
		cfg := simple()
		cfg.SLOs = nil
		tr := newTraffic(series)
		before := heap()
		m := New(cfg)
		for range 36 + 5 {
			rows, mark := tr.pane()
			m.Step(Input{Records: []Record{rows}})
			m.Step(Input{Records: []Record{mark}})
			m.Commit()
		}
		tr.writer = processors.PaneWriter{}
		m.windows = processors.Windows{}
		m.ready = processors.Ready{}
		b.ReportMetric(float64(heap()-before)/series, "bytes/series")
		runtime.KeepAlive(m)
		runtime.KeepAlive(tr)
	}
}

func heap() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// BenchmarkBudgets measures what 10,000 SLO series with the workbook's tiers take at
// every pane of 10 s, while all of them burn: counting, judging, forecasting once a
// minute, and committing. It is the work of one core.
func BenchmarkBudgets(b *testing.B) {
	const series = 10_000
	cfg := simple()
	cfg.SLOs[0].Period = 30 * 24 * time.Hour
	cfg.SLOs[0].Tiers = nil
	for _, t := range []struct {
		factor      int64
		long, short time.Duration
	}{{72, time.Hour, 5 * time.Minute}, {30, 6 * time.Hour, 30 * time.Minute}, {15, 24 * time.Hour, 2 * time.Hour}, {5, 72 * time.Hour, 6 * time.Hour}} {
		cfg.SLOs[0].Tiers = append(cfg.SLOs[0].Tiers, flyball.BurnRateTier{Name: t.long.String(), Severity: "page", FactorNum: t.factor, FactorDen: 5, Long: t.long, Short: t.short})
	}
	m, tr := New(cfg), &traffic{at: 1_700_000_040 * second}
	for i := range series {
		r := rowOf("latency", fmt.Sprint("service-", i), "/", 0, i%3, 1, 2, 3)
		r.Count, r.Bad = 5000, int64(i%7)
		tr.rows = append(tr.rows, r)
	}
	var work time.Duration
	step := func() {
		rows, mark := tr.pane()
		m.Step(Input{Records: []Record{rows}})
		m.Commit()
		t0 := cpuTime()
		m.Step(Input{Records: []Record{mark}})
		m.Commit()
		work += cpuTime() - t0
	}
	for range 90 {
		step()
	}
	work = 0
	for b.Loop() {
		step()
	}
	b.ReportMetric(float64(work)/1e6/float64(b.N), "cpu-ms/pane")
	b.ReportMetric(float64(work)/float64(b.N)/series, "ns/budget")
}
