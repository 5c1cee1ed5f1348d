package evaluate

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"math/rand"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/aggregate"
)

// telemetry is samples in the order in which they are written, whatever partition
// each is written to.
type telemetry struct {
	sets  [][]string
	time  []flyball.Time
	set   []uint32
	value []float64
}

const disorder = 5 * time.Second

// newTelemetry makes an hour or two of spans of some services, with incidents,
// silences, and event times up to disorder behind their order.
func newTelemetry(seed int64, n int) *telemetry {
	rng := rand.New(rand.NewSource(seed))
	tel := &telemetry{}
	for _, service := range []string{"api", "cart", "pay", ""} {
		for _, route := range []string{"/a", "/b", ""} {
			for _, status := range []string{"200", "500"} {
				tel.sets = append(tel.sets, []string{service, route, status})
			}
		}
	}
	at := flyball.Time(1_700_000_000+rng.Int63n(3600)) * second
	incident := false
	for range n {
		switch rng.Intn(n/4 + 1) {
		case 0:
			at = at.Add(time.Duration(rng.Intn(3000)) * time.Second) // silence
		case 1, 2, 3:
			incident = !incident
		}
		at = at.Add(time.Duration(rng.Int63n(int64(2 * time.Second))))
		set := uint32(rng.Intn(len(tel.sets)/2)) * 2
		if incident && rng.Intn(3) == 0 || rng.Intn(100) == 0 {
			set++ // failed
		}
		tel.time = append(tel.time, at.Add(-time.Duration(rng.Int63n(int64(disorder+1)))))
		tel.set = append(tel.set, set)
		tel.value = append(tel.value, float64(1+rng.Int63n(1e9)))
	}
	return tel
}

// Values, Sets and Generation make telemetry an aggregate.LabelSets.
func (t *telemetry) Values(set uint32, dst []string) []string { return append(dst, t.sets[set]...) }
func (t *telemetry) Sets() int                                { return len(t.sets) }
func (t *telemetry) Generation() uint64                       { return 1 }

// partition is a source partition and how far it has been read.
type partition struct {
	id        int32
	samples   []int // places in the telemetry
	at        int
	committed int
}

// worker is a member of the aggregate group with its partitions.
type worker struct {
	tel     *telemetry
	machine *aggregate.Machine
	owned   []*partition
	now     flyball.Time
}

// chainConfig is small without limits and with one source of one topic.
func chainConfig() Config {
	cfg := small()
	cfg.Sources = []flyball.Source{{Name: "spans", Topics: []string{"otlp"}, OutOfOrderness: disorder, IdleTimeout: 10 * time.Second}}
	for i := range cfg.Indicators {
		cfg.Indicators[i].Source, cfg.Indicators[i].SeriesLimit = "spans", 0
		cfg.Indicators[i].Bad = []flyball.Matcher{mustMatcher(`status=~"5.."`)}
	}
	return cfg
}

// traceOf is the trace of sample i.
func traceOf(i int) (id [16]byte) {
	h := sha256.Sum256(fmt.Append(nil, i))
	copy(id[:], h[:])
	return id
}

// run reads some samples of each partition and flushes.
func (w *worker) run(rng *rand.Rand, of int32) (blocks []processors.PaneBlock) {
	in := aggregate.Input{Flush: &aggregate.Flush{}}
	for _, p := range w.owned {
		s := aggregate.Samples{Topic: "otlp", Partition: p.id, Values: make([][]float64, 1), MaxTime: flyball.NoTime}
		for n := rng.Intn(40); n > 0 && p.at < len(p.samples); n-- {
			i := p.samples[p.at]
			s.Time = append(s.Time, int64(w.tel.time[i]))
			s.Set = append(s.Set, w.tel.set[i])
			s.Values[0] = append(s.Values[0], w.tel.value[i])
			s.Traces = append(s.Traces, traceOf(i))
			s.MaxTime = max(s.MaxTime, w.tel.time[i])
			p.at++
		}
		if len(s.Time) > 0 {
			in.Samples = append(in.Samples, s)
		}
		in.Flush.Partitions = append(in.Flush.Partitions, aggregate.SourcePartition{
			Topic: "otlp", Partition: p.id, Of: of, CaughtUp: p.at == len(p.samples),
		})
	}
	w.now = w.now.Add(time.Duration(rng.Intn(4)) * time.Second)
	in.Flush.Now = w.now
	blocks = w.machine.Step(in).Panes
	if rng.Intn(5) == 0 { // the transaction fails
		w.machine.Abort()
		for _, p := range w.owned {
			p.at = p.committed
		}
		return nil
	}
	w.machine.Commit()
	for _, p := range w.owned {
		p.committed = p.at
	}
	return blocks
}

// chain runs telemetry through both stages, spread over that many source
// partitions, aggregate members and panes partitions, in transactions and an order
// that rng chooses.
func chain(tel *telemetry, cfg Config, sources, members, panes int, rng *rand.Rand) output {
	workers := make([]*worker, members)
	for i := range workers {
		m, err := aggregate.New(aggregate.Config{
			Source: cfg.Sources[0], Indicators: cfg.Indicators, Partitions: int32(panes),
			Labels: []string{"service.name", "http.route", "status"}, Values: []string{"duration"},
		}, tel)
		if err != nil {
			panic(err)
		}
		workers[i] = &worker{tel: tel, machine: m}
	}
	partitions := make([]*partition, sources)
	for i := range partitions {
		partitions[i] = &partition{id: int32(i)}
		w := workers[i%members]
		w.owned = append(w.owned, partitions[i])
	}
	for i := range tel.time {
		p := partitions[rng.Intn(sources)]
		p.samples = append(p.samples, i)
	}
	logs := make([][]Record, panes)
	busy := func() bool {
		return slices.ContainsFunc(partitions, func(p *partition) bool { return p.committed < len(p.samples) })
	}
	idle := 0
	for busy() || idle < 60*members { // at last everyone says that nothing is left
		if !busy() {
			idle++
		}
		for _, b := range workers[rng.Intn(members)].run(rng, int32(sources)) {
			log := &logs[b.Partition]
			*log = append(*log, Record{Offset: int64(len(*log)), Panes: b.Panes, Marks: b.Marks})
		}
	}
	var out output
	for p, log := range logs {
		cfg.Partition = int32(p)
		s := newShell(cfg, log)
		for s.at < len(log) {
			s.run(transaction{pieces: []int{1 + rng.Intn(20)}, end: "commit"})
		}
		out.Windows = append(out.Windows, s.out.Windows...)
		out.SLO = append(out.SLO, s.out.SLO...)
		out.Findings = append(out.Findings, s.out.Findings...)
		out.DeadLetters = append(out.DeadLetters, s.out.DeadLetters...)
	}
	return sorted(out)
}

// sorted puts outputs of several partitions into one order. Evidence and numbers
// are compared as they are.
func sorted(o output) output {
	slices.SortFunc(o.Windows, func(a, b processors.WindowRow) int {
		return cmp.Or(cmp.Compare(a.Indicator, b.Indicator), cmp.Compare(a.Start, b.Start), cmp.Compare(a.Labels, b.Labels))
	})
	slices.SortFunc(o.SLO, func(a, b processors.SLORow) int {
		return cmp.Or(cmp.Compare(a.SLO, b.SLO), cmp.Compare(a.At, b.At), cmp.Compare(a.Entity, b.Entity))
	})
	slices.SortFunc(o.Findings, func(a, b flyball.Finding) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Revision, b.Revision))
	})
	return o
}

// end appends a sample long after all others for every partition, so that all
// windows close; its service is in none of the comparisons.
func (t *telemetry) end(n int) {
	t.sets = append(t.sets, []string{"the end", "", "200"})
	last := slices.Max(t.time).Add(3 * time.Hour)
	for range n {
		t.time, t.set, t.value = append(t.time, last), append(t.set, uint32(len(t.sets)-1)), append(t.value, 1)
	}
}

func withoutEnd(o output) output {
	o.Windows = slices.DeleteFunc(o.Windows, func(r processors.WindowRow) bool { return r.Entity == "the end" })
	o.SLO = slices.DeleteFunc(o.SLO, func(r processors.SLORow) bool { return r.Entity == "the end" })
	return o
}

// TestChainLaw: the same samples give the same windows, status and findings,
// whatever the numbers of partitions and members, wherever transactions begin,
// end and fail, and in whatever order the members' panes arrive. Nothing is late
// as long as each partition is in order.
func TestChainLaw(t *testing.T) {
	cfg := chainConfig()
	findings := 0
	rapid.Check(t, func(t *rapid.T) {
		tel := newTelemetry(rapid.Int64().Draw(t, "telemetry"), rapid.IntRange(1, 700).Draw(t, "samples"))
		tel.end(200) // enough to reach every partition
		rng := rand.New(rand.NewSource(rapid.Int64().Draw(t, "order")))
		want := withoutEnd(chain(tel, cfg, 1, 1, 1, rng))
		checkTotals(t, tel, cfg, want)
		findings += len(want.Findings)
		sources := rapid.SampledFrom([]int{1, 3, 16}).Draw(t, "sources")
		members := rapid.IntRange(1, sources).Draw(t, "members")
		panes := rapid.SampledFrom([]int{1, 2, 5}).Draw(t, "panes")
		got := withoutEnd(chain(tel, cfg, sources, members, panes, rng))
		if diff := gocmp.Diff(want, got, nanEqual); diff != "" {
			t.Fatalf("%d source partitions, %d members, %d panes partitions (+) differ from one of each (-):\n%s", sources, members, panes, diff)
		}
	})
	if findings == 0 {
		t.Error("there was no finding in all that")
	}
}

// checkTotals compares the windows with a count over all samples.
func checkTotals(t *rapid.T, tel *telemetry, cfg Config, got output) {
	type key struct{ indicator, labels string }
	want, have := map[key][2]int64{}, map[key][2]int64{}
	for i, set := range tel.set {
		row := tel.sets[set]
		if row[0] == "the end" {
			continue
		}
		bad := int64(0)
		if row[2] == "500" {
			bad = 1
		}
		for _, labels := range []key{
			{"latency", flyball.LabelsOf("service.name", row[0], "http.route", row[1]).JSON()},
			{"errors", flyball.LabelsOf("service.name", row[0]).JSON()},
		} {
			labels.labels = fmt.Sprint(labels.labels, tel.time[i].Floor(30*time.Second))
			want[labels] = [2]int64{want[labels][0] + 1, want[labels][1] + bad}
		}
	}
	for _, w := range got.Windows {
		k := key{w.Indicator, fmt.Sprint(w.Labels, w.Start.Floor(30*time.Second))}
		have[k] = [2]int64{have[k][0] + w.Count, have[k][1] + w.Bad}
		if w.Revision != 1 {
			t.Fatalf("a correction: %+v", w)
		}
	}
	if diff := gocmp.Diff(want, have); diff != "" {
		t.Fatalf("windows do not add up to the samples: %s", diff)
	}
	if len(got.DeadLetters) > 0 {
		t.Fatalf("dead letters: %v", got.DeadLetters)
	}
}
