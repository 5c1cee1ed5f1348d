package aggregate

import (
	"fmt"
	"math"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/counter"
)

// point is a row of metrics.
type point struct {
	sample
	weight int64
	dist   *flyball.Distribution
	total  *counter.Point // a point of a cumulative stream
}

func pointsRun(columns int, list ...point) Samples {
	var rows []sample
	p := &Points{}
	for _, x := range list {
		rows = append(rows, x.sample)
		at := int32(-1)
		if x.dist != nil {
			at = int32(len(p.Distributions))
			p.Distributions = append(p.Distributions, *x.dist)
		}
		p.Weight, p.Distribution, p.Cumulative = append(p.Weight, x.weight), append(p.Distribution, at), append(p.Cumulative, x.total != nil)
		if x.total == nil {
			x.total = &counter.Point{}
		}
		p.Start, p.Stream, p.Value = append(p.Start, x.total.Start), append(p.Stream, x.total.Stream), append(p.Value, x.total.Value)
	}
	s := samplesOf(0, columns, rows...)
	s.Points = p
	return s
}

// TestFoldPointsByExample: what data points stand for, by indicators that count and
// indicators that measure.
func TestFoldPointsByExample(t *testing.T) {
	group := []string{"service.name"}
	indicator := func(name, value string, bad ...string) flyball.Indicator {
		return flyball.Indicator{Name: name, Entity: "service.name", GroupBy: group, Value: value, Pane: time.Minute, Bad: matchers(t, bad...)}
	}
	cfg := Config{
		Source: flyball.Source{Name: "metrics"}, Labels: []string{"service.name", "status"}, Values: []string{"duration", "value", "size"}, Partitions: 2,
		Indicators: []flyball.Indicator{
			indicator("counted", "", `status="500"`),
			indicator("measured", "value", "value > 0.5"),
			indicator("slow", "duration", "duration > 500ms"),
			indicator("vague", "", "duration > 300ms"),
			indicator("fast", "", "value <= 0.25"),
			indicator("early", "", "value < 0.25"),
			indicator("late", "", "value >= 0.5", "size > 3"),
		},
	}
	nan := math.NaN()
	explicit := &flyball.Distribution{Count: 10, Sum: 4.5, Min: 0.125, Max: nan, Nanos: 1e9, Bounds: []float64{0.25, 0.5}, Buckets: []uint64{2, 3, 5}}
	// (1, 2^(1/32)] twice at scale 5, and three in the bucket above.
	exponential := &flyball.Distribution{Count: 5, Sum: 5, Min: 1, Max: 1.5, Exponential: true, Scale: 5, Pos: []uint64{2, 3}}
	bare := &flyball.Distribution{Count: 7, Sum: 3, Min: nan, Max: nan}
	f := func(want []string, list ...point) {
		t.Helper()
		m := newMachine(t, cfg, &table{rows: [][]string{{"cart", "200"}, {"cart", "500"}}})
		m.Step(Input{Samples: []Samples{pointsRun(3, list...)}})
		if diff := gocmp.Diff(want, text(flushed(t, m, 2))); diff != "" {
			t.Error(diff)
		}
	}
	at := func(set uint32, values ...float64) sample { return sample{15 * second, set, values} }
	const cart = ` {"service.name":"cart"} 0s: `
	f([]string{
		"counted" + cart + "0/40", "early" + cart + "0/40", "fast" + cart + "0/40", "late" + cart + "0/40",
		"measured" + cart + "1/1 sum 40 of 1, 40 to 40", "slow" + cart + "0/1", "vague" + cart + "0/40",
	}, point{sample: at(0, nan, 40, nan), weight: 40})
	f([]string{
		"counted" + cart + "3/3", "early" + cart + "0/3", "fast" + cart + "0/3", "late" + cart + "0/3",
		"measured" + cart + "1/1 sum 3 of 1, 3 to 3", "slow" + cart + "0/1", "vague" + cart + "0/3",
	}, point{sample: at(1, nan, 3, nan), weight: 3})
	// 0.5 s is a bound of the sender's and exact, 0.3 s is not: those between 0.25
	// and 0.5 may be above.
	f([]string{
		"counted" + cart + "0/10", "early" + cart + "2/10", "fast" + cart + "2/10", "late" + cart + "8/10",
		"measured" + cart + "5/10 sum 4.5 of 10, 0.125 to 0.5", "slow" + cart + "5/10 sum 4.5e+09 of 10, 1.25e+08 to 5e+08",
		"vague" + cart + "8/10",
	}, point{sample: at(0, nan, nan, 4), weight: 10, dist: explicit})
	f([]string{
		"counted" + cart + "5/5", "early" + cart + "0/5", "fast" + cart + "0/5", "late" + cart + "0/5",
		"measured" + cart + "5/5 sum 5 of 5, 1 to 1.5", "slow" + cart + "0/5", "vague" + cart + "0/5",
	}, point{sample: at(1, nan, nan, 2), weight: 5, dist: exponential})
	// Without buckets all may be bad.
	f([]string{
		"counted" + cart + "0/7", "early" + cart + "7/7", "fast" + cart + "7/7", "late" + cart + "0/7",
		"measured" + cart + "7/7", "slow" + cart + "0/7", "vague" + cart + "0/7",
	}, point{sample: at(0, nan, nan, nan), weight: 7, dist: bare})
	f(nil, point{sample: at(0, nan, nan, nan), dist: &flyball.Distribution{}})
}

// TestTotalsAreHandedOn: a total counts nothing here; its series, what is bad and in
// which unit it is measured are known.
func TestTotalsAreHandedOn(t *testing.T) {
	group := []string{"service.name"}
	cfg := Config{
		Source: flyball.Source{Name: "metrics"}, Labels: []string{"service.name", "status"}, Values: []string{"value", "size"}, Partitions: 1,
		Indicators: []flyball.Indicator{
			{Name: "failed", Entity: "service.name", GroupBy: group, Pane: time.Minute, Bad: matchers(t, `status="500"`, "size > 3")},
			{Name: "measured", Entity: "service.name", GroupBy: group, Value: "value", Pane: time.Minute},
			{Name: "other", Entity: "service.name", GroupBy: group, Pane: time.Minute, Filter: matchers(t, `status="404"`)},
		},
	}
	m := newMachine(t, cfg, &table{rows: [][]string{{"cart", "500"}}})
	stream := flyball.StreamID{Hi: 1, Lo: 2}
	nan := math.NaN()
	d := &flyball.Distribution{Count: 3, Bounds: []float64{1}, Buckets: []uint64{1, 2}, Sum: 5}
	run := pointsRun(2,
		point{sample: sample{90 * second, 0, []float64{7e9, 4}}, total: &counter.Point{Stream: stream, Start: 5, Value: 7}},
		point{sample: sample{91 * second, 0, []float64{nan, 2}}, total: &counter.Point{Stream: stream, Start: 5, Value: nan}, dist: d})
	m.Step(Input{Samples: []Samples{run}})
	var got []string
	ready := m.Step(Input{Flush: &Flush{}})
	for _, b := range ready.Panes {
		if err := processors.ReadPanes(b.Panes, func(r processors.PaneRow) {
			p, err := counter.ReadPoint(r.Point)
			if err != nil || r.Count != 0 || len(r.Hist) > 0 || r.Start != 60e9 || p.Stream != stream || p.Start != 5 || r.Entity != "cart" {
				t.Errorf("row %+v with %+v: %v", r, p, err)
			}
			got = append(got, fmt.Sprint(r.Indicator, " ", p.At, " ", p.Value, " ", p.Bad, " ", p.Distribution != nil))
		}); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"failed 1970-01-01T00:01:30Z 7 true false", "failed 1970-01-01T00:01:31Z NaN false true",
		"measured 1970-01-01T00:01:30Z 7e+09 false false", "measured 1970-01-01T00:01:31Z NaN false true",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
