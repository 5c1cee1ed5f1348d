package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/evaluate"
)

// bench is an evaluate machine under watermarks that a case gives, one record
// and one transaction at a time.
type bench struct {
	t       *testing.T
	unit    time.Duration
	spec    flyball.Indicator
	machine *evaluate.Machine
	log     []evaluate.Record
	state   map[string][]byte
	resume  processors.Resume
	rows    []processors.WindowRow // since they were last taken
	late    []string               // details of late dead letters
	max     flyball.Time
}

// newHoppingBench makes one for windows of which one begins at every multiple of slide.
func newHoppingBench(t *testing.T, unit time.Duration, size, slide, lateness int64) *bench {
	pane := slide
	for rest := size; rest > 0; {
		pane, rest = rest, pane%rest
	}
	b := newBench(t, unit, size, lateness)
	b.spec.Pane, b.spec.Hop = time.Duration(pane)*unit, time.Duration(slide)*unit
	b.machine = b.newMachine()
	return b
}

// newBench makes one for tumbling windows. A window has several panes, so that
// they are merged.
func newBench(t *testing.T, unit time.Duration, size, lateness int64) *bench {
	panes := int64(1)
	for _, n := range []int64{2, 3} {
		if size%n == 0 {
			panes = n
			break
		}
	}
	b := &bench{t: t, unit: unit, state: map[string][]byte{}, max: flyball.NoTime}
	b.spec = flyball.Indicator{
		Name: "i", Source: "s", Entity: "key", GroupBy: []string{"key"}, Value: "v", SeriesLimit: 1000,
		Pane: time.Duration(size/panes) * unit, Window: time.Duration(size) * unit, Lateness: time.Duration(lateness) * unit,
	}
	b.machine = b.newMachine()
	return b
}

func (b *bench) newMachine() *evaluate.Machine {
	return evaluate.New(evaluate.Config{
		Sources: []flyball.Source{{Name: "s", Topics: []string{"t"}}}, Indicators: []flyball.Indicator{b.spec},
		Detector: func(flyball.SLO) detectors.SLODetector { return nil },
	})
}

func (b *bench) at(n int64) flyball.Time { return flyball.Time(n * int64(b.unit)) }

// element gives the machine one sample.
func (b *bench) element(key string, ts int64, value float64) {
	b.t.Helper()
	p := processors.NewPane()
	p.Count = 1
	p.Observe(value)
	at := b.at(ts)
	b.max = max(b.max, at)
	var w processors.PaneWriter
	w.Append(processors.PaneRow{
		Indicator: "i", Entity: key, Labels: flyball.LabelsOf("key", key).JSON(), Start: at.Floor(b.spec.Pane),
		Count: 1, Sum: p.Sum, Min: p.Min, Max: p.Max, Hist: p.Hist.AppendBinary(nil),
	})
	b.step(evaluate.Record{Panes: slices.Clone(w.Encode())})
}

// watermark lets the watermark be t: no more samples before it.
func (b *bench) watermark(t flyball.Time) {
	b.t.Helper()
	b.step(evaluate.Record{Marks: []processors.Mark{{Source: "s", Topic: "t", Of: 1, Watermark: t}}})
}

func (b *bench) step(r evaluate.Record) {
	r.Offset = int64(len(b.log))
	b.log = append(b.log, r)
	b.run(r)
}

func (b *bench) run(records ...evaluate.Record) {
	ready := b.machine.Step(evaluate.Input{Records: records})
	for i := range ready.Windows.Len() {
		b.rows = append(b.rows, ready.Windows.Row(i))
	}
	for _, d := range ready.DeadLetters {
		if d.Reason != evaluate.ReasonLate {
			b.t.Errorf("dead letter %s: %s", d.Reason, d.Detail)
		}
		b.late = append(b.late, d.Detail)
	}
	for _, c := range ready.State {
		if c.Value == nil {
			delete(b.state, c.Key)
		} else {
			b.state[c.Key] = slices.Clone(c.Value)
		}
	}
	b.machine.Commit()
	if ready.Resume != nil {
		b.resume = *ready.Resume
	}
}

// restart ends the machine and restores another.
func (b *bench) restart() {
	b.t.Helper()
	b.machine = b.newMachine()
	for key, value := range b.state {
		if err := b.machine.Restore(key, value); err != nil {
			b.t.Fatal(err)
		}
	}
	b.machine.Restored()
	b.machine.ResumeAt(b.resume.Head)
	b.run(b.log[b.resume.Low:]...)
}

// take returns what came out as "key[start,end)=count", sorted.
func (b *bench) take() string {
	var out []string
	for _, r := range b.rows {
		out = append(out, b.row(r))
	}
	b.rows = nil
	slices.Sort(out)
	return strings.Join(out, " ")
}

func (b *bench) row(r processors.WindowRow) string {
	return fmt.Sprintf("%s[%d,%d)=%d", r.Entity, int64(r.Start)/int64(b.unit), int64(r.End)/int64(b.unit), r.Count)
}

// final returns the last revision of every window that came out, sorted.
func (b *bench) final() string {
	last := map[string]processors.WindowRow{}
	for _, r := range b.rows {
		k := fmt.Sprint(r.Labels, r.Start)
		if r.Revision != cmp.Or(last[k].Revision+1, 1) {
			b.t.Errorf("revision %d follows %d", r.Revision, last[k].Revision)
		}
		last[k] = r
	}
	b.rows = nil
	for _, r := range last {
		b.rows = append(b.rows, r)
	}
	return b.take()
}

// emissions writes what a case expects in the form of take.
func emissions(list []emission) string {
	var out []string
	for _, e := range list {
		out = append(out, fmt.Sprintf("%s[%d,%d)=%d", e.Key, e.Window[0], e.Window[1], e.Value))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
