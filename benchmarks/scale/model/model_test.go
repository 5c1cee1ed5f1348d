package model

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand"
	"os"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/aggregate"
)

// near fails when got is further from want than the share.
func near(t *testing.T, what string, got, want, share float64) {
	t.Helper()
	if math.Abs(got-want) > share*math.Abs(want) {
		t.Errorf("%s: %.4g, the model says %.4g", what, got, want)
	}
}

// routes are the label sets of a fleet: a service has 20 routes.
type routes int

func (n routes) Values(set uint32, dst []string) []string {
	return append(dst, fmt.Sprintf("service-%03d", set/20), fmt.Sprintf("/api/v1/resource-%d/{id}", set%20), "OK")
}
func (n routes) Sets() int        { return int(n) }
func (routes) Generation() uint64 { return 1 }

// measured is what real machines send.
type measured struct {
	flushes, rows, bytes, packed, marks, markBytes, records float64
}

// fleet runs real aggregate machines over simulated samples for so long, and counts what
// they send.
func fleet(t *testing.T, l Load, members, sources, panes int, long time.Duration) (m measured) {
	t.Helper()
	const topic = "otlp_spans"
	cfg := aggregate.Config{
		Source: flyball.Source{Name: "spans", Topics: []string{topic}, OutOfOrderness: 5 * time.Second, IdleTimeout: 10 * time.Second, StallTimeout: 2 * time.Minute},
		Labels: []string{"service.name", "http.route", "status"}, Values: []string{"duration"}, Partitions: int32(panes),
		Indicators: []flyball.Indicator{{Name: "requests", Source: "spans", Entity: "service.name", GroupBy: []string{"service.name", "http.route"},
			Value: "duration", Pane: l.Pane, Window: l.Window}},
	}
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewSource(1))
	share := cumulative(l.Series, l.Skew)
	machines := make([]*aggregate.Machine, members)
	for i := range machines {
		if machines[i], err = aggregate.New(cfg, routes(l.Series)); err != nil {
			t.Fatal(err)
		}
	}
	start := flyball.Time(1_700_000_000) * flyball.Time(time.Second)
	perFlush := int(l.Samples * l.Commit.Seconds() / float64(sources)) // of a source partition
	for now := start; now < start.Add(long); now = now.Add(l.Commit) {
		for i, machine := range machines {
			in := aggregate.Input{Flush: &aggregate.Flush{Now: now}}
			for p := i; p < sources; p += members {
				s := aggregate.Samples{Topic: topic, Partition: int32(p), Values: make([][]float64, 1)}
				for range perFlush {
					at := now.Add(time.Duration(rng.Int63n(int64(l.Commit))))
					var trace [16]byte
					rng.Read(trace[:])
					s.Time, s.Set = append(s.Time, int64(at)), append(s.Set, uint32(sort.SearchFloat64s(share, rng.Float64())))
					s.Values[0], s.Traces = append(s.Values[0], math.Exp(rng.NormFloat64()*0.35+16)), append(s.Traces, trace)
					s.MaxTime = max(s.MaxTime, at)
				}
				in.Samples = append(in.Samples, s)
				in.Flush.Partitions = append(in.Flush.Partitions, aggregate.SourcePartition{Topic: topic, Partition: int32(p), Of: int32(sources)})
			}
			ready := machine.Step(in)
			machine.Commit()
			m.flushes++
			for _, b := range ready.Panes {
				m.count(t, b, encoder)
			}
		}
	}
	return m
}

func (m *measured) count(t *testing.T, b processors.PaneBlock, encoder *zstd.Encoder) {
	t.Helper()
	m.records++
	if b.Panes != nil {
		m.bytes += float64(len(b.Panes))
		m.packed += float64(len(encoder.EncodeAll(b.Panes, nil)))
		if err := processors.ReadPanes(b.Panes, func(processors.PaneRow) { m.rows++ }); err != nil {
			t.Fatal(err)
		}
	}
	m.marks += float64(len(b.Marks))
	if len(b.Marks) > 0 {
		text, err := json.Marshal(b.Marks)
		if err != nil {
			t.Fatal(err)
		}
		m.markBytes += float64(len(text))
	}
}

// cumulative returns Zipf's law as shares that add up.
func cumulative(series int, skew float64) []float64 {
	out := make([]float64, series)
	sum := 0.0
	for i := range out {
		sum += math.Pow(float64(i+1), -skew)
		out[i] = sum
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// TestSmallCaseIsAsTheMachinesDo: what the model says of a small load is what real
// machines send for it, by the real encoder.
func TestSmallCaseIsAsTheMachinesDo(t *testing.T) {
	for _, skew := range []float64{0, 1} {
		l := Default(24_000, 2_000)
		l.Skew = skew
		const members, sources, panes = 3, 6, 4
		got := fleet(t, l, members, sources, panes, 30*time.Second)
		if skew == Default(1, 1).Skew {
			encoded(t, got)
		}
		p := Plan{Load: l, Aggregate: members}
		near(t, fmt.Sprintf("skew %g: rows of a flush", skew), got.rows/got.flushes, p.rowsPerFlush(), 0.05)
		near(t, "marks per second", got.marks/30, sources*panes/l.Pane.Seconds(), 0.35) // three edges in 30 s, and the first
		near(t, "records per second", got.records/30, members*panes/l.Commit.Seconds(), 0.02)
	}
}

// encoded weighs what is sent; the constants must be what it is.
func encoded(t *testing.T, got measured) {
	t.Helper()
	c := Measured()
	t.Logf("a partial pane has %.0f bytes, %.0f compressed; a mark %.0f", got.bytes/got.rows, got.packed/got.rows, got.markBytes/got.marks)
	near(t, "bytes of a partial pane", got.bytes/got.rows, c.RowBytes, 0.1)
	near(t, "compressed", got.packed/got.rows, c.RowPacked, 0.1)
	near(t, "bytes of a mark", got.markBytes/got.marks, c.MarkBytes, 0.1)
}

func TestDistinct(t *testing.T) {
	for _, f := range [][4]float64{{0, 100, 1, 0}, {1, 1000, 0, 1}, {1e9, 500, 0, 500}, {1e9, 500, 1, 500}, {100, 100, 0, 63.4}} {
		if got := Distinct(f[0], f[1], f[2]); math.Abs(got-f[3]) > 0.5 {
			t.Errorf("%g samples of %g series: %g distinct, want %g", f[0], f[1], got, f[3])
		}
	}
}

// TestPlansHold: the cores that are planned bear the load, and more load never needs less.
func TestPlansHold(t *testing.T) {
	c := Measured()
	last := Plan{}
	for _, samples := range []float64{1e3, 1e4, 1e5, 1e6, 1e7} {
		p := Work(Default(samples, 20_000), c)
		if used := (samples*c.AggregateNs + p.Rows*c.RowNs) / 1e9; used > float64(p.Aggregate)*p.Load.Busy {
			t.Errorf("%s: it takes %.1f cores", p.String(), used)
		}
		if p.Aggregate < last.Aggregate || p.Rows < last.Rows || p.Sources < 2*p.Aggregate || p.Panes < p.Evaluate {
			t.Errorf("%s after %s", p.String(), last.String())
		}
		last = p
	}
	keyed := Default(1e7, 20_000)
	keyed.Keyed = true
	if k := Work(keyed, c); k.Amplified >= last.Amplified || k.First().Used <= 0 {
		t.Errorf("a keyed topic has panes in %g parts, another one in %g", k.Amplified, last.Amplified)
	}
}

// TestKill: windows are behind for as long as it takes to notice, and the others catch up
// with what they have to spare; with nothing to spare they never do.
func TestKill(t *testing.T) {
	c, g := Measured(), DefaultGroup()
	p := Work(Default(1e7, 100_000), c)
	one := p.Kill(1, c, g)
	if one.Behind < 17*time.Second || one.Behind > 20*time.Second || one.Recovered < one.Behind || one.Recovered > 2*time.Minute {
		t.Errorf("one dies: %+v", one)
	}
	third := p.Kill(p.Aggregate/3, c, g)
	if third.Recovered < one.Recovered || third.Behind < one.Behind {
		t.Errorf("a third dies: %+v, one: %+v", third, one)
	}
	if most := p.Kill(p.Aggregate-1, c, g); most.Recovered != 0 {
		t.Errorf("all but one die: %+v", most)
	}
	if again := p.Kill(1, c, g); again != one {
		t.Errorf("%+v and then %+v", one, again)
	}
}

// TestDocsHaveTheTables: docs/scaling.md has what the command prints.
func TestDocsHaveTheTables(t *testing.T) {
	text, err := os.ReadFile("../../../docs/scaling.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range strings.Split(Tables(Ladder()), "\n\n") {
		if !strings.Contains(string(text), strings.TrimSpace(table)) {
			t.Errorf("docs/scaling.md does not have this table; make simulate-scale prints it:\n%s", table)
		}
	}
}

// BenchmarkEncode measures what a partial pane costs aggregate: to be sorted, written with
// its histogram and examples, and encoded.
func BenchmarkEncode(b *testing.B) {
	const series = 5_000
	cfg := aggregate.Config{
		Source: flyball.Source{Name: "spans"}, Labels: []string{"service.name", "http.route", "status"}, Values: []string{"duration"}, Partitions: 8,
		Indicators: []flyball.Indicator{{Name: "requests", Source: "spans", Entity: "service.name", GroupBy: []string{"service.name", "http.route"},
			Value: "duration", Pane: 10 * time.Second}},
	}
	m, err := aggregate.New(cfg, routes(series))
	if err != nil {
		b.Fatal(err)
	}
	s := aggregate.Samples{Topic: "t", Values: make([][]float64, 1)}
	for i := range uint32(series) {
		s.Time, s.Set, s.Values[0] = append(s.Time, 1e18), append(s.Set, i), append(s.Values[0], float64(1e6+i))
		s.Traces = append(s.Traces, [16]byte{1, byte(i), byte(i >> 8)})
	}
	var flushing time.Duration
	for b.Loop() {
		m.Step(aggregate.Input{Samples: []aggregate.Samples{s}})
		before := time.Now()
		m.Step(aggregate.Input{Flush: &aggregate.Flush{}})
		flushing += time.Since(before)
		m.Commit()
	}
	b.ReportMetric(float64(flushing.Nanoseconds())/float64(b.N*series), "ns/row")
}
