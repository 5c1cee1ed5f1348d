package evaluate

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/detectors/burnrate"
	"github.com/flyball-io/flyball/processors"
)

const second = flyball.Time(time.Second)

// small is a configuration with a bit of everything, and windows so short that a
// few records cross them all.
func small() Config {
	tier := func(name string, num int64, long, short time.Duration) flyball.BurnRateTier {
		return flyball.BurnRateTier{Name: name, Severity: name[:4], FactorNum: num, FactorDen: 1, Long: long, Short: short}
	}
	route := mustMatcher(`http.route=~"/a|/b"`)
	return Config{
		Partition: 0, // the one that speaks of stalled sources
		Sources:   []flyball.Source{{Name: "spans", Topics: []string{"otlp", "zipkin"}}, {Name: "logs", Topics: []string{"logs"}}},
		Indicators: []flyball.Indicator{
			{Name: "latency", Source: "spans", Entity: "service.name", GroupBy: []string{"service.name", "http.route"}, Value: "duration",
				Pane: 10 * time.Second, Window: 30 * time.Second, Lateness: 40 * time.Second, SeriesLimit: 5},
			{Name: "errors", Source: "logs", Entity: "service.name", GroupBy: []string{"service.name"},
				Pane: 5 * time.Second, Window: 5 * time.Second, SeriesLimit: 3},
		},
		SLOs: []flyball.SLO{
			{Name: "fast", Indicator: "latency", TargetPPB: 900_000_000, Period: time.Hour, NoData: flyball.NoDataAlert, MinTotal: 4, Tiers: []flyball.BurnRateTier{
				tier("page_fast", 6, time.Minute, 20*time.Second), tier("ticket_slow", 2, 5*time.Minute, time.Minute)}},
			{Name: "routes", Indicator: "latency", Selector: []flyball.Matcher{route}, TargetPPB: 990_000_000, Period: 2 * time.Hour,
				NoData: flyball.NoDataBad, MinBad: 2,
				Tiers: []flyball.BurnRateTier{tier("page_fast", 10, 2*time.Minute, 30*time.Second)}},
			{Name: "errs", Indicator: "errors", TargetPPB: 800_000_000, Period: time.Hour,
				Tiers: []flyball.BurnRateTier{tier("page_fast", 2, time.Minute, 10*time.Second)}},
		},
		Detector:    func(s flyball.SLO) detectors.SLODetector { return burnrate.New(s) },
		StatusEvery: 20 * time.Second,
	}
}

func mustMatcher(s string) flyball.Matcher {
	m, err := flyball.ParseMatcher(s)
	if err != nil {
		panic(err)
	}
	return m
}

// output is everything that a machine said, in its order.
type output struct {
	Windows     []processors.WindowRow
	SLO         []processors.SLORow
	Findings    []flyball.Finding
	Verdicts    []flyball.Verdict
	Bands       []processors.BandRow
	DeadLetters []processors.DeadLetter
}

// take copies a Ready, which is valid until the next Step only.
func (o *output) take(r processors.Ready) {
	for i := range r.Windows.Len() {
		o.Windows = append(o.Windows, r.Windows.Row(i))
	}
	for i := range r.SLO.Len() {
		o.SLO = append(o.SLO, r.SLO.Row(i))
	}
	o.Findings = append(o.Findings, r.Findings...)
	o.Verdicts = append(o.Verdicts, r.Verdicts...)
	for i := range r.Bands.Len() {
		o.Bands = append(o.Bands, r.Bands.Row(i))
	}
	for _, d := range r.DeadLetters {
		d.Value = bytes.Clone(d.Value)
		o.DeadLetters = append(o.DeadLetters, d)
	}
}

// shell drives a machine as the transactional loop does, over a log in memory.
type shell struct {
	cfg     Config
	log     []Record
	machine *Machine
	at      int // next record to read

	// What is durable.
	out       output
	state     map[string][]byte
	committed processors.Resume
	sessionAt int // where an abort goes back to
	asked     int // records before it have no request that is not committed
}

func newShell(cfg Config, log []Record) *shell {
	return &shell{cfg: cfg, log: log, machine: New(cfg), state: map[string][]byte{}}
}

// transaction is one turn of the loop.
type transaction struct {
	pieces []int // records per Step
	end    string
}

func (s *shell) run(tx transaction) {
	var out output
	var state []processors.StateChange
	var resume *processors.Resume
	for _, n := range tx.pieces {
		n = min(n, len(s.log)-s.at)
		ready := s.machine.Step(Input{Records: s.news(s.at, s.at+n)})
		s.at += n
		out.take(ready)
		state = append(state, ready.State...)
		resume = ready.Resume
	}
	switch tx.end {
	case "commit", "crash after commit":
		s.durable(out, state, resume)
		s.machine.Commit()
		s.sessionAt = s.at
		s.asked = max(s.asked, s.at)
	case "abort":
		s.machine.Abort()
		s.at = s.sessionAt
	}
	if tx.end == "crash before commit" || tx.end == "crash after commit" {
		s.restart()
	}
}

// news returns records without the requests that were committed: their topic is not
// read again from further back, as that of panes is.
func (s *shell) news(from, to int) []Record {
	var out []Record
	for i, r := range s.log[from:to] {
		if r.Canary == nil || from+i >= s.asked {
			out = append(out, r)
		}
	}
	return out
}

func (s *shell) durable(out output, state []processors.StateChange, resume *processors.Resume) {
	s.out.Windows = append(s.out.Windows, out.Windows...)
	s.out.SLO = append(s.out.SLO, out.SLO...)
	s.out.Findings = append(s.out.Findings, out.Findings...)
	s.out.Verdicts = append(s.out.Verdicts, out.Verdicts...)
	s.out.Bands = append(s.out.Bands, out.Bands...)
	s.out.DeadLetters = append(s.out.DeadLetters, out.DeadLetters...)
	for _, c := range state {
		if c.Value == nil {
			delete(s.state, c.Key)
		} else {
			s.state[c.Key] = bytes.Clone(c.Value)
		}
	}
	if resume != nil {
		s.committed = *resume
	}
}

// restart replaces the machine by one that knows only what is durable. The order
// of the keys is that of a map: any.
func (s *shell) restart() {
	s.machine = New(s.cfg)
	for key, value := range s.state {
		if err := s.machine.Restore(key, value); err != nil {
			panic(err)
		}
	}
	s.machine.Restored()
	s.machine.ResumeAt(s.committed.Head)
	s.at, _ = slices.BinarySearchFunc(s.log, s.committed.Low, func(r Record, low int64) int { return int(r.Offset - low) })
	s.at = min(s.at, s.asked)
	s.sessionAt = s.at
}

// drain runs what is left in transactions of one record each.
func (s *shell) drain() {
	for s.at < len(s.log) {
		s.run(transaction{pieces: []int{1}, end: "commit"})
	}
}

// reference is what a machine says that nothing ever happens to.
func reference(cfg Config, log []Record) *shell {
	s := newShell(cfg, log)
	s.drain()
	return s
}

var drawTransaction = rapid.Custom(func(t *rapid.T) transaction {
	return transaction{
		pieces: rapid.SliceOfN(rapid.IntRange(0, 6), 1, 3).Draw(t, "pieces"),
		end: rapid.SampledFrom([]string{"commit", "commit", "commit", "abort", "crash before commit", "crash after commit"}).
			Draw(t, "end"),
	}
})

var nanEqual = cmp.Options{
	cmp.Comparer(func(a, b float64) bool { return a == b || a != a && b != b }),
	cmp.Comparer(func(a, b flyball.Number) bool { return a == b || a != a && b != b }),
}

// sameState compares what a successor would be given.
func sameState(want, got map[string][]byte) string {
	text := func(m map[string][]byte) map[string]string {
		out := map[string]string{}
		for k, v := range maps.All(m) {
			out[k] = fmt.Sprintf("%q", v)
		}
		return out
	}
	return cmp.Diff(text(want), text(got))
}
