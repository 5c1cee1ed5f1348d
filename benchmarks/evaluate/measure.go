package main

import (
	_ "embed"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/benchmarks/machine"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
	"github.com/flyball-io/flyball/internal/machines"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/evaluate"
	"github.com/flyball-io/flyball/processors/histogram"
)

//go:embed evaluate.yaml
var text []byte

// work is how much the machine is asked to do with a series.
type work struct {
	name             string
	slos, detections bool
}

var works = []work{
	{"windows", false, false},
	{"windows, budgets", true, false},
	{"windows, budgets, detectors", true, true},
}

// Figures are what one measurement gave; times are nanoseconds of processor time per
// series and pane.
type Figures struct {
	Work           string  `json:"work"`
	Series         int     `json:"series"`
	Merge          float64 `json:"merge_ns"`
	Close          float64 `json:"close_ns"`
	Commit         float64 `json:"commit_ns"`
	Total          float64 `json:"total_ns"`
	ShareOfCore    float64 `json:"share_of_core"`
	BytesPerSeries float64 `json:"bytes_per_series"`
}

func (f Figures) print(w io.Writer) {
	fmt.Fprintf(w, "  %-30s %8d %10.0f %10.0f %10.0f %10.0f %11.1f%% %12.0f\n", f.Work, f.Series, f.Merge, f.Close, f.Commit, f.Total, 100*f.ShareOfCore, f.BytesPerSeries)
}

const pane = 10 * time.Second

func measure(w work, series, warm, panes int) (Figures, error) {
	f := Figures{Work: w.name, Series: series}
	cfg, problems := config.Options{}.Read([]config.File{{Name: "evaluate.yaml", Text: text}})
	if strictyaml.HasErrors(problems) {
		return f, &config.Error{Problems: problems}
	}
	if !w.slos {
		cfg.SLOs = nil
	}
	if !w.detections {
		cfg.Detectors = nil
	}
	feed := newFeed(series)
	before := heap()
	m := evaluate.New(machines.Evaluate(cfg))
	var merge, closing, commit time.Duration
	windows := 0
	for i := range warm + panes {
		if i == warm {
			merge, closing, commit, windows = 0, 0, 0, 0
		}
		rows, mark := feed.next()
		t0 := machine.ProcessorTime()
		m.Step(evaluate.Input{Records: rows})
		t1 := machine.ProcessorTime()
		ready := m.Step(evaluate.Input{Records: []evaluate.Record{mark}})
		windows += ready.Windows.Len()
		t2 := machine.ProcessorTime()
		m.Commit()
		merge, closing, commit = merge+t1-t0, closing+t2-t1, commit+machine.ProcessorTime()-t2
	}
	if windows != series*panes {
		return f, fmt.Errorf("cannot trust the machine: it closed %d windows of %d series in %d panes", windows, series, panes)
	}
	feed.writer = processors.PaneWriter{}
	f.BytesPerSeries = float64(heap()-before) / float64(series)
	n := float64(series * panes)
	f.Merge, f.Close, f.Commit = float64(merge)/n, float64(closing)/n, float64(commit)/n
	f.Total = f.Merge + f.Close + f.Commit
	f.ShareOfCore = f.Total * float64(series) / float64(pane)
	runtime.KeepAlive(m)
	runtime.KeepAlive(feed)
	return f, nil
}

// feed makes panes: a row of every series.
type feed struct {
	rows   []processors.PaneRow
	rng    *rand.Rand
	writer processors.PaneWriter
	offset int64
	at     flyball.Time
}

// shapes is how many different histograms there are: as many as make no difference.
const shapes = 500

func newFeed(series int) *feed {
	fd := &feed{rng: rand.New(rand.NewPCG(1, 1)), at: flyball.Time(1_700_000_040 * int64(time.Second))}
	var made []processors.PaneRow
	for range shapes {
		r := processors.PaneRow{Indicator: "requests", Count: 1000, Min: math.Inf(1), Max: math.Inf(-1)}
		var h histogram.Histogram
		for range r.Count {
			v := math.Exp(fd.rng.NormFloat64()*0.35 + 16)
			h.Add(v)
			r.Sum.Add(v)
			r.Min, r.Max = min(r.Min, v), max(r.Max, v)
		}
		r.Hist = h.AppendBinary(nil)
		made = append(made, r)
	}
	for i := range series {
		r := made[i%shapes]
		r.Entity = fmt.Sprintf("service-%d", i/5)
		r.Labels = fmt.Sprintf(`{"http.route":"/api/v1/resource-%d","service.name":%q}`, i%5, r.Entity)
		fd.rows = append(fd.rows, r)
	}
	return fd
}

// next returns the next pane's rows, and the mark that closes it.
func (fd *feed) next() (rows []evaluate.Record, mark evaluate.Record) {
	send := func() {
		rows = append(rows, evaluate.Record{Offset: fd.offset, Panes: fd.writer.Encode()})
		fd.offset++
	}
	for i, r := range fd.rows {
		r.Start, r.Hist = fd.at, fd.rows[fd.rng.IntN(min(shapes, len(fd.rows)))].Hist
		r.Bad = int64(fd.rng.IntN(3))
		fd.rows[i].Bad = r.Bad
		fd.writer.Append(r)
		if fd.writer.Size() >= processors.MaxBlock {
			send()
		}
	}
	send()
	fd.at = fd.at.Add(pane)
	mark = evaluate.Record{Offset: fd.offset, Marks: []processors.Mark{{Source: "spans", Topic: "otlp_spans", Of: 1, Watermark: fd.at}}}
	fd.offset++
	return rows, mark
}

func heap() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
