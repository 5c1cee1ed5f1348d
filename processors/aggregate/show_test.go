package aggregate

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/counter"
	"github.com/flyball-io/flyball/processors/examples"
)

// shownBy returns what a flush has to show, line by line.
func shownBy(t *testing.T, m *Machine) (out []string) {
	t.Helper()
	for _, b := range m.Step(Input{Flush: &Flush{}}).Panes {
		err := processors.ReadPanes(b.Panes, func(r processors.PaneRow) {
			few, err := examples.Read(r.Examples, r.Start)
			if err != nil {
				t.Fatal(err)
			}
			few.Each(func(e *examples.Example) {
				out = append(out, fmt.Sprintf("%s %s %ds: %v %g at %d, %c %q", r.Indicator, r.Entity, r.Start/second, e.Bad, e.Value, e.At/second, e.Trace[0], e.Text))
			})
			if len(r.Point) > 0 {
				if _, err := counter.ReadPoint(r.Point); err != nil {
					t.Error(err)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	m.Commit()
	slices.Sort(out)
	return out
}

func showConfig(t *testing.T) Config {
	group := []string{"service.name"}
	return Config{
		Source: flyball.Source{Name: "s"}, Labels: []string{"service.name", "status"}, Values: []string{"value"}, Partitions: 1,
		Indicators: []flyball.Indicator{
			{Name: "errors", Entity: "service.name", GroupBy: group, Pane: 10 * time.Second, Bad: matchers(t, `status="500"`)},
			{Name: "slow", Entity: "service.name", GroupBy: group, Value: "value", Pane: 10 * time.Second, Bad: matchers(t, `value > 50`), Filter: matchers(t, `value < 100`)},
		},
	}
}

func TestTracesByExample(t *testing.T) {
	m := newMachine(t, showConfig(t), &table{rows: [][]string{{"cart", "200"}, {"cart", "500"}}})
	at := func(s, set int, v float64) sample { return sample{flyball.Time(s) * second, uint32(set), []float64{v}} }
	s := samplesOf(0, 1, at(1, 0, 10), at(2, 1, 20), at(3, 0, 60), at(4, 1, 30), at(5, 1, 40), at(6, 0, 999), at(11, 0, 5), at(12, 1, 1))
	for _, c := range "abcdefgh" {
		s.Traces = append(s.Traces, [16]byte{byte(c)})
	}
	s.Traces[3] = [16]byte{} // it has none
	s.Traces = s.Traces[:7]  // nor has the last
	m.Step(Input{Samples: []Samples{s}})
	want := []string{
		`errors cart 0s: true NaN at 2, b ""`, `errors cart 0s: true NaN at 5, e ""`,
		`slow cart 0s: true 60 at 3, c ""`, `slow cart 10s: false 5 at 11, g ""`,
	}
	if diff := gocmp.Diff(want, shownBy(t, m)); diff != "" {
		t.Error(diff)
	}
	if got := shownBy(t, m); got != nil {
		t.Errorf("they are shown again: %q", got)
	}
	m.Step(Input{Samples: []Samples{s}})
	m.Abort()
	if got := shownBy(t, m); got != nil {
		t.Errorf("they are shown after an abort: %q", got)
	}
}

func TestTextsByExample(t *testing.T) {
	m := newMachine(t, showConfig(t), &table{rows: [][]string{{"cart", "200"}, {"cart", "500"}}})
	nan := math.NaN()
	s := samplesOf(0, 1, sample{second, 0, []float64{nan}}, sample{2 * second, 1, []float64{nan}}, sample{3 * second, 1, []float64{nan}})
	s.Notes = Notes{Row: []int32{0, 1, 2}, Trace: [][16]byte{{}, {'x'}, {}}, Text: [][]byte{[]byte("not bad"), []byte("mail to jo@mail.example"), []byte("mail to jo@mail.example")},
		Value: []float64{nan, nan, nan}, Nanos: make([]float64, 3), At: make([]flyball.Time, 3)}
	m.Step(Input{Samples: []Samples{s}})
	s.Notes.Text[1][0] = 'X' // it belongs to the batch
	want := []string{"errors cart 0s: true NaN at 2, x \"mail to [email]\"", "errors cart 0s: true NaN at 3, \x00 \"mail to [email]\""}
	if diff := gocmp.Diff(want, shownBy(t, m)); diff != "" {
		t.Error(diff)
	}
}

func TestExemplarsByExample(t *testing.T) {
	m := newMachine(t, showConfig(t), &table{rows: [][]string{{"cart", "200"}, {"cart", "500"}}})
	nan := math.NaN()
	dist := &flyball.Distribution{Count: 3, Sum: nan, Min: nan, Max: nan, Bounds: []float64{50}, Buckets: []uint64{2, 1}}
	cfg := m.cfg
	cfg.Indicators[1].Filter = nil
	m = newMachine(t, cfg, m.sets)
	s := pointsRun(1,
		point{sample: sample{second, 1, []float64{nan}}, weight: 3, dist: dist},
		point{sample: sample{2 * second, 0, []float64{nan}}, weight: 3},
		point{sample: sample{3 * second, 1, []float64{nan}}, dist: dist, total: &counter.Point{Value: nan, Stream: flyball.StreamID{Hi: 1}}})
	s.Notes = Notes{Row: []int32{0, 0, 2}, Trace: [][16]byte{{'a'}, {'b'}, {'c'}}, Text: make([][]byte, 3),
		Value: []float64{70, 20, 80}, Nanos: make([]float64, 3), At: []flyball.Time{0, second, 0}}
	m.Step(Input{Samples: []Samples{s}})
	want := []string{
		`errors cart 0s: true NaN at 1, a ""`, `errors cart 0s: true NaN at 1, b ""`, `errors cart 0s: true NaN at 3, c ""`,
		`slow cart 0s: true 70 at 1, a ""`, `slow cart 0s: true 80 at 3, c ""`,
	}
	if diff := gocmp.Diff(want, shownBy(t, m)); diff != "" {
		t.Error(diff)
	}
}
