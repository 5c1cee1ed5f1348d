package aggregate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
)

const second = flyball.Time(time.Second)

// tb is what *testing.T, *testing.B and *rapid.T share.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
}

// sample is one row of the input.
type sample struct {
	at     flyball.Time
	set    uint32
	values []float64
}

func samplesOf(partition int32, columns int, list ...sample) Samples {
	s := Samples{Topic: "otlp", Partition: partition, Values: make([][]float64, columns), MaxTime: flyball.NoTime}
	for _, x := range list {
		s.Time = append(s.Time, int64(x.at))
		s.Set = append(s.Set, x.set)
		for i := range columns {
			s.Values[i] = append(s.Values[i], x.values[i])
		}
		s.MaxTime = max(s.MaxTime, x.at)
	}
	return s
}

// readRows returns the rows of a Ready with their partitions checked, as text.
func readRows(t tb, ready processors.Ready, partitions int32) []processors.PaneRow {
	t.Helper()
	var rows []processors.PaneRow
	for _, b := range ready.Panes {
		if b.Panes == nil {
			continue
		}
		if err := processors.ReadPanes(b.Panes, func(r processors.PaneRow) {
			r.Indicator, r.Entity, r.Labels = strings.Clone(r.Indicator), strings.Clone(r.Entity), strings.Clone(r.Labels)
			r.Hist = slices.Clone(r.Hist)
			rows = append(rows, r)
			if want := processors.PartitionOf(r.Entity, partitions); b.Partition != want {
				t.Errorf("%s is sent to partition %d, want %d", r.Labels, b.Partition, want)
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

func flushed(t tb, m *Machine, partitions int32) []processors.PaneRow {
	t.Helper()
	rows := readRows(t, m.Step(Input{Flush: &Flush{}}), partitions)
	m.Commit()
	return rows
}

func text(rows []processors.PaneRow) []string {
	var out []string
	for _, r := range rows {
		var h histogram.Histogram
		if err := h.MergeBinary(r.Hist); len(r.Hist) > 0 && err != nil {
			panic(err)
		}
		s := fmt.Sprintf("%s %s %ds: %d/%d", r.Indicator, r.Labels, r.Start/second, r.Bad, r.Count)
		if h.Count() > 0 {
			s += fmt.Sprintf(" sum %g of %d, %g to %g", r.Sum.Value(), h.Count(), r.Min, r.Max)
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func matchers(t tb, list ...string) []flyball.Matcher {
	t.Helper()
	var out []flyball.Matcher
	for _, s := range list {
		m, err := flyball.ParseMatcher(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

func newMachine(t tb, cfg Config, sets LabelSets) *Machine {
	t.Helper()
	m, err := New(cfg, sets)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFoldByExample(t *testing.T) {
	cfg := Config{
		Source: flyball.Source{Name: "spans"}, Labels: []string{"service.name", "http.route", "status"}, Values: []string{"duration", "size"},
		Partitions: 4,
		Indicators: []flyball.Indicator{
			{Name: "slow", Entity: "service.name", GroupBy: []string{"service.name", "http.route"}, Value: "duration", Pane: 10 * time.Second,
				Filter: matchers(t, `http.route!="/health"`, "size >= 0"), Bad: matchers(t, `status=~"5.."`, "duration > 100")},
			{Name: "all", Entity: "service.name", GroupBy: []string{"service.name"}, Pane: 60 * time.Second},
			{Name: "failed", Entity: "service.name", GroupBy: []string{"service.name"}, Pane: 60 * time.Second, Bad: matchers(t, `status="500"`)},
			{Name: "large", Entity: "service.name", GroupBy: []string{"service.name"}, Value: "size", Pane: 60 * time.Second, Bad: matchers(t, "size > 10")},
		},
	}
	sets := &table{rows: [][]string{{"cart", "/a", "200"}, {"cart", "/a", "500"}, {"cart", "/health", "200"}, {"", "", ""}, {"pay", "", "503"}}}
	m := newMachine(t, cfg, sets)
	nan := math.NaN()
	m.Step(Input{Samples: []Samples{samplesOf(0, 2,
		sample{15 * second, 0, []float64{50, 1}},
		sample{15 * second, 1, []float64{150, 1}},  // bad by label and number
		sample{15 * second, 1, []float64{50, 20}},  // by label only
		sample{15 * second, 0, []float64{150, 1}},  // by number only
		sample{15 * second, 2, []float64{999, 1}},  // filtered by its label
		sample{15 * second, 0, []float64{50, -1}},  // by its number
		sample{15 * second, 0, []float64{50, nan}}, // by a number that it lacks
		sample{19*second + 999999999, 1, []float64{nan, 1}},
		sample{9 * second, 1, []float64{200, 1}}, // another pane, out of order
		sample{20 * second, 0, []float64{7, 1}},
		sample{-1, 3, []float64{7, 1}}, // before 1970, no labels
		sample{15 * second, 4, []float64{math.Inf(1), 1}},
	)}})
	want := []string{
		`all {"service.name":"cart"} 0s: 0/10`,
		`all {"service.name":"pay"} 0s: 0/1`,
		`all {} -60s: 0/1`,
		`failed {"service.name":"cart"} 0s: 4/10`,
		`failed {"service.name":"pay"} 0s: 0/1`,
		`failed {} -60s: 0/1`,
		`large {"service.name":"cart"} 0s: 1/10 sum 26 of 9, -1 to 20`,
		`large {"service.name":"pay"} 0s: 0/1 sum 1 of 1, 1 to 1`,
		`large {} -60s: 0/1 sum 1 of 1, 1 to 1`,
		`slow {"http.route":"/a","service.name":"cart"} 0s: 1/1 sum 200 of 1, 200 to 200`,
		`slow {"http.route":"/a","service.name":"cart"} 10s: 1/5 sum 400 of 4, 50 to 150`,
		`slow {"http.route":"/a","service.name":"cart"} 20s: 0/1 sum 7 of 1, 7 to 7`,
		`slow {"service.name":"pay"} 10s: 1/1`,
		`slow {} -10s: 0/1 sum 7 of 1, 7 to 7`,
	}
	if diff := gocmp.Diff(want, text(flushed(t, m, 4))); diff != "" {
		t.Error(diff)
	}
	if rows := flushed(t, m, 4); rows != nil {
		t.Errorf("flushed again: %v", text(rows))
	}
}

func TestNewRefusesColumnsThatAreNotThere(t *testing.T) {
	f := func(want string, change func(*flyball.Indicator)) {
		t.Helper()
		cfg := latencyConfig()
		change(&cfg.Indicators[0])
		if _, err := New(cfg, &table{}); err == nil || !strings.Contains(err.Error(), `cannot aggregate indicator "latency": `+want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f(`no value column "size"`, func(i *flyball.Indicator) { i.Value = "size" })
	f(`no label column "region"`, func(i *flyball.Indicator) { i.GroupBy = []string{"region"} })
	f(`no label column "region"`, func(i *flyball.Indicator) { i.Filter = matchers(t, `region="eu"`) })
	f(`no value column "size"`, func(i *flyball.Indicator) { i.Bad = matchers(t, "size > 1") })
}

// TestFoldAgainstModel: however samples are cut into runs, steps and flushes, the
// partial panes add up to what one pass over all samples counts.
func TestFoldAgainstModel(t *testing.T) {
	slow := matchers(t, "duration > 50")
	rapid.Check(t, func(t *rapid.T) {
		cfg := latencyConfig()
		cfg.Indicators[0].Bad = slow
		cfg.Indicators[0].Pane = time.Duration(rapid.IntRange(1, 60).Draw(t, "pane")) * time.Second
		tab := &table{}
		for i := range rapid.IntRange(1, 6).Draw(t, "sets") {
			tab.rows = append(tab.rows, []string{fmt.Sprint("svc-", i/2), fmt.Sprint("/", i%3), fmt.Sprint(i)})
		}
		m := newMachine(t, cfg, tab)
		rng := rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed")))
		type key struct {
			labels string
			start  flyball.Time
		}
		want, got := map[key]*processors.Pane{}, map[key]*processors.Pane{}
		paneOf := func(m map[key]*processors.Pane, k key) *processors.Pane {
			if m[k] == nil {
				m[k] = processors.NewPane()
			}
			return m[k]
		}
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			var in Input
			for p := range rng.Intn(3) {
				var list []sample
				for range rng.Intn(20) {
					x := sample{at: flyball.Time(rng.Int63n(int64(120*second))) - 30*second, set: uint32(rng.Intn(len(tab.rows))), values: []float64{float64(rng.Intn(100))}}
					if rng.Intn(2) == 0 { // on the edge of a pane
						x.at = x.at.Floor(cfg.Indicators[0].Pane)
					}
					list = append(list, x)
					row := tab.rows[x.set]
					pane := paneOf(want, key{flyball.LabelsOf("service.name", row[0], "http.route", row[1]).JSON(), x.at.Floor(cfg.Indicators[0].Pane)})
					pane.Count++
					if x.values[0] > 50 {
						pane.Bad++
					}
					pane.Observe(x.values[0])
				}
				in.Samples = append(in.Samples, samplesOf(int32(p), 1, list...))
			}
			if rng.Intn(2) == 0 {
				in.Flush = &Flush{}
			}
			for _, r := range readRows(t, m.Step(in), 8) {
				if err := paneOf(got, key{r.Labels, r.Start}).MergeRow(r); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, r := range readRows(t, m.Step(Input{Flush: &Flush{}}), 8) {
			if err := paneOf(got, key{r.Labels, r.Start}).MergeRow(r); err != nil {
				t.Fatal(err)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d panes, want %d", len(got), len(want))
		}
		for k, w := range want {
			g := paneOf(got, k)
			if g.Count != w.Count || g.Bad != w.Bad || g.Sum.Value() != w.Sum.Value() || g.Min != w.Min || g.Max != w.Max || !g.Hist.Equal(&w.Hist) {
				t.Fatalf("%v: %+v, want %+v", k, g, w)
			}
		}
	})
}

// TestFlushIsDeterministic: the same samples make the same bytes, in machines with
// another past too.
func TestFlushIsDeterministic(t *testing.T) {
	tab, s := workload(30, 5000)
	fresh, used := newMachine(t, latencyConfig(), tab), newMachine(t, latencyConfig(), tab)
	_, other := workload(30, 700)
	used.Step(Input{Samples: []Samples{other}, Flush: &Flush{}})
	used.Commit()
	used.Step(Input{Samples: []Samples{other}})
	used.Abort()
	blocks := func(m *Machine) (out [][]byte) {
		for _, b := range m.Step(Input{Samples: []Samples{s}, Flush: &Flush{}}).Panes {
			out = append(out, b.Panes)
		}
		return out
	}
	if diff := gocmp.Diff(blocks(fresh), blocks(used)); diff != "" {
		t.Error("the bytes differ")
	}
}

func TestAbortDropsWhatWasFolded(t *testing.T) {
	tab, s := workload(5, 100)
	m := newMachine(t, latencyConfig(), tab)
	m.Step(Input{Samples: []Samples{s}})
	m.Abort()
	if rows := flushed(t, m, 8); len(rows) != 0 {
		t.Errorf("%d rows are left", len(rows))
	}
	m.Step(Input{Samples: []Samples{s}})
	want := flushed(t, newMachineWith(t, tab, s), 8)
	if diff := gocmp.Diff(text(want), text(flushed(t, m, 8))); diff != "" {
		t.Error(diff)
	}
}

func newMachineWith(t *testing.T, tab *table, s Samples) *Machine {
	m := newMachine(t, latencyConfig(), tab)
	m.Step(Input{Samples: []Samples{s}})
	return m
}

// TestGeneration: ids given out anew mean other labels; what was folded under the
// old ones and not flushed yet stays.
func TestGeneration(t *testing.T) {
	tab := &table{generation: 1, rows: [][]string{{"cart", "/a", ""}, {"pay", "/b", ""}}}
	m := newMachine(t, latencyConfig(), tab)
	one := func(set uint32) Input {
		return Input{Samples: []Samples{samplesOf(0, 1, sample{0, set, []float64{1}})}}
	}
	m.Step(one(0))
	tab.generation, tab.rows = 2, [][]string{{"pay", "/b", ""}, {"cart", "/a", ""}, {"api", "/c", ""}}
	m.Step(one(0))
	m.Step(one(2))
	want := []string{
		`latency {"http.route":"/a","service.name":"cart"} 0s: 0/1 sum 1 of 1, 1 to 1`,
		`latency {"http.route":"/b","service.name":"pay"} 0s: 0/1 sum 1 of 1, 1 to 1`,
		`latency {"http.route":"/c","service.name":"api"} 0s: 0/1 sum 1 of 1, 1 to 1`,
	}
	if diff := gocmp.Diff(want, text(flushed(t, m, 8))); diff != "" {
		t.Error(diff)
	}
	tab.generation, tab.rows = 3, [][]string{{"new", "", ""}}
	m.Step(one(0))
	if n := len(m.indicators[0].series); n != 1 {
		t.Errorf("%d series are remembered after a generation, want 1", n)
	}
	if diff := gocmp.Diff([]string{`latency {"service.name":"new"} 0s: 0/1 sum 1 of 1, 1 to 1`}, text(flushed(t, m, 8))); diff != "" {
		t.Error(diff)
	}
}

// TestSeriesLimit: beyond the limit of a transaction samples are counted once, in
// the overflow series; the next transaction starts anew.
func TestSeriesLimit(t *testing.T) {
	cfg := latencyConfig()
	cfg.Indicators[0].SeriesLimit = 2
	tab := &table{generation: 1}
	for i := range 5 {
		tab.rows = append(tab.rows, []string{fmt.Sprint("svc-", i), "/", ""})
	}
	m := newMachine(t, cfg, tab)
	f := func(want []string, limited int64, sets ...uint32) {
		t.Helper()
		var list []sample
		for i, set := range sets {
			list = append(list, sample{flyball.Time(i) * second, set, []float64{float64(set)}})
		}
		m.Step(Input{Samples: []Samples{samplesOf(0, 1, list...)}})
		if got := m.indicators[0].limited; got != limited {
			t.Errorf("%d samples are said to be beyond the limit, want %d", got, limited)
		}
		rows := flushed(t, m, 8)
		var got []string
		for _, r := range rows {
			got = append(got, fmt.Sprintf("%s %d %g", r.Entity, r.Count, r.Sum.Value()))
		}
		slices.Sort(got)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	f([]string{"__overflow__ 4 13", "svc-0 2 0", "svc-1 1 1"}, 4, 0, 1, 2, 3, 4, 0, 4)
	f([]string{"svc-3 1 3", "svc-4 2 8"}, 0, 3, 4, 4)
	f([]string{"__overflow__ 1 0", "svc-1 1 1", "svc-3 1 3"}, 1, 3, 1, 0)
	if m.indicators[0].series[m.indicators[0].overflow].labels != `{"http.route":"__overflow__","service.name":"__overflow__"}` {
		t.Error("the labels of the overflow series are wrong")
	}
}

// TestFloodIsNotPaidForForEver: after many series and panes in one transaction the
// memory for them is given up.
func TestFloodIsNotPaidForForEver(t *testing.T) {
	tab, s := workload(5000, 20_000)
	m := newMachine(t, latencyConfig(), tab)
	m.Step(Input{Samples: []Samples{s}})
	flushed(t, m, 8)
	one := samplesOf(0, 1, sample{0, 0, []float64{1}})
	m.Step(Input{Samples: []Samples{one}})
	flushed(t, m, 8)
	if n := len(m.indicators[0].free); n > spare+2 {
		t.Errorf("%d empty panes are kept", n)
	}
}

// TestScatteredTimesCostWhatOthersCost: a sender whose event times tell nothing
// makes a pane of every sample, and must not hold up the member with them.
func TestScatteredTimesCostWhatOthersCost(t *testing.T) {
	const samples = 100_000
	rng := rand.New(rand.NewSource(1))
	var list []sample
	for range samples {
		list = append(list, sample{flyball.Time(rng.Int63n(1e18)), 0, []float64{1}})
	}
	m := newMachine(t, latencyConfig(), &table{rows: [][]string{{"cart", "/a", ""}}})
	start := time.Now()
	m.Step(Input{Samples: []Samples{samplesOf(0, 1, list...)}})
	if took := time.Since(start); took > 20*time.Second { // looking through all panes takes minutes
		t.Errorf("it took %v", took)
	}
	total := int64(0)
	for _, r := range flushed(t, m, 8) {
		total += r.Count
	}
	if total != samples {
		t.Errorf("%d samples are counted, want %d", total, samples)
	}
}

func TestNoAllocationPerSample(t *testing.T) {
	const samples = 20_000
	tab, s := workload(50, samples)
	m := newMachine(t, latencyConfig(), tab)
	run := func() { m.Step(Input{Samples: []Samples{s}}) }
	in := Input{Samples: []Samples{s}}
	run()
	if n := testing.AllocsPerRun(5, func() { m.Step(in) }); n > 0 {
		t.Errorf("folding %d samples allocates %v times, want none", samples, n)
	}
	flush := Input{Flush: &Flush{Partitions: []SourcePartition{{Topic: "otlp", Of: 1}}}}
	m.Step(flush)
	// A flush allocates by partition and column, not by sample or series.
	if n := testing.AllocsPerRun(5, func() { m.Step(in); m.Step(flush); m.Commit() }); n > 8*400 {
		t.Errorf("folding and flushing %d samples allocates %v times", samples, n)
	}
}

// TestBlocksAreCut: what is too large for a record goes into several, the marks
// with the last.
func TestBlocksAreCut(t *testing.T) {
	cfg := latencyConfig()
	cfg.Partitions = 1
	tab := &table{generation: 1}
	var list []sample
	for i := range 8000 {
		tab.rows = append(tab.rows, []string{"svc", fmt.Sprintf("/%0200d", i), ""})
		list = append(list, sample{0, uint32(i), []float64{1}})
	}
	m := newMachine(t, cfg, tab)
	ready := m.Step(Input{Samples: []Samples{samplesOf(0, 1, list...)}, Flush: &Flush{Partitions: []SourcePartition{{Topic: "otlp", Of: 1}}}})
	if len(ready.Panes) < 2 {
		t.Fatalf("%d blocks", len(ready.Panes))
	}
	for i, b := range ready.Panes {
		if last := i == len(ready.Panes)-1; (len(b.Marks) > 0) != last {
			t.Errorf("block %d of %d has %d marks", i+1, len(ready.Panes), len(b.Marks))
		}
		if len(b.Panes) > processors.MaxBlock+processors.MaxBlock/4 {
			t.Errorf("block %d has %d bytes", i+1, len(b.Panes))
		}
	}
	rows := readRows(t, ready, 1)
	if len(rows) != 8000 || !slices.IsSortedFunc(rows, func(a, b processors.PaneRow) int { return cmp.Compare(a.Labels, b.Labels) }) {
		t.Errorf("%d rows, or not in the order of their first samples", len(rows))
	}
	var labels map[string]string
	if err := json.Unmarshal([]byte(rows[0].Labels), &labels); err != nil || labels["service.name"] != "svc" {
		t.Errorf("labels %s: %v", rows[0].Labels, err)
	}
}
