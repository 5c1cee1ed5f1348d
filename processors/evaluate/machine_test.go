package evaluate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/detectors/burnrate"
	"github.com/flyball-io/flyball/processors"
)

const hour = 3600 * second

// simple is one indicator on a source of one partition, with one SLO.
func simple() Config {
	return Config{
		Sources: []flyball.Source{{Name: "spans", Topics: []string{"otlp"}}},
		Indicators: []flyball.Indicator{{
			Name: "latency", Source: "spans", Entity: "service.name", GroupBy: []string{"service.name", "http.route"}, Value: "duration",
			Pane: 10 * time.Second, Window: time.Minute, Lateness: 5 * time.Minute,
		}},
		SLOs: []flyball.SLO{{
			Name: "avail", Indicator: "latency", TargetPPB: 990_000_000, Period: 24 * time.Hour,
			Tiers: []flyball.BurnRateTier{{Name: "page_fast", Severity: "page", FactorNum: 10, FactorDen: 1, Long: time.Hour, Short: 5 * time.Minute}},
		}},
		Detector:    func(s flyball.SLO) detectors.SLODetector { return burnrate.New(s) },
		StatusEvery: time.Minute,
	}
}

// driver writes records and steps a machine with each at once.
type driver struct {
	t *testing.T
	*shell
	offset int64
	writer processors.PaneWriter
}

func newDriver(t *testing.T, cfg Config) *driver { return &driver{t: t, shell: newShell(cfg, nil)} }

// row adds a partial pane of count samples, bad of them bad.
func (d *driver) row(service string, start flyball.Time, count, bad int) *driver {
	values := make([]float64, count)
	for i := range values {
		values[i] = float64(1000 * (i + 1))
	}
	d.writer.Append(rowOf("latency", service, "/a", start, bad, values...))
	return d
}

// mark ends a record with the watermark and commits it.
func (d *driver) mark(watermark flyball.Time) *driver {
	d.log = append(d.log, Record{Offset: d.offset, Panes: d.writer.Encode(), Marks: []processors.Mark{
		{Source: "spans", Topic: "otlp", Of: 1, Watermark: watermark},
	}})
	d.offset++
	d.drain()
	return d
}

func (d *driver) wantWindows(want ...string) {
	d.t.Helper()
	var got []string
	for _, w := range d.out.Windows {
		got = append(got, fmt.Sprintf("%s %d-%ds rev %d: %d/%d", w.Entity, w.Start/second, w.End/second, w.Revision, w.Bad, w.Count))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		d.t.Error(diff)
	}
	d.out.Windows = nil
}

func (d *driver) wantFindings(want ...string) {
	d.t.Helper()
	var got []string
	for _, f := range d.out.Findings {
		got = append(got, fmt.Sprintf("%s rev %d %s %s %s at %ds", f.Entity, f.Revision, f.State, f.Severity, f.Tier, f.At/second))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		d.t.Error(diff)
	}
	d.out.Findings = nil
}

func TestLatePanesCorrectWindows(t *testing.T) {
	d := newDriver(t, simple())
	d.row("cart", 0, 5, 1).mark(60*second - 1).wantWindows()
	d.row("cart", 0, 1, 0).mark(60 * second).wantWindows("cart 0-60s rev 1: 1/6") // late for its pane, not for its window
	d.row("cart", 50*second, 2, 2).mark(60 * second).wantWindows("cart 0-60s rev 2: 3/8")
	d.row("cart", 50*second, 1, 0).row("cart", 0, 1, 0).mark(70 * second).wantWindows("cart 0-60s rev 3: 3/10")
	d.restart()
	d.row("cart", 30*second, 1, 1).mark(80 * second).wantWindows("cart 0-60s rev 4: 4/11")
	d.row("new", 30*second, 1, 1).mark(90 * second).wantWindows("new 0-60s rev 2: 1/1") // it closed without samples
	d.row("cart", 59*second, 1, 0).mark(360*second - 1).wantWindows("cart 0-60s rev 5: 4/12")
	d.row("cart", 50*second, 1, 0).mark(360 * second).wantWindows("cart 0-60s rev 6: 4/13")
	if len(d.out.DeadLetters) != 0 {
		t.Fatalf("dead letters: %v", d.out.DeadLetters)
	}
	d.row("cart", 50*second, 7, 0).mark(370 * second).wantWindows()
	if len(d.out.DeadLetters) != 1 || d.out.DeadLetters[0].Reason != ReasonLate ||
		!strings.HasPrefix(d.out.DeadLetters[0].Detail, "7 samples of the pane at 1970-01-01T00:00:50Z ") {
		t.Errorf("dead letters: %v", d.out.DeadLetters)
	}
	for key := range d.state {
		if strings.Contains(key, "revision/") {
			t.Errorf("%s is kept though the window can no longer be corrected", key)
		}
	}
}

func TestFindingOpensAndResolvesAtTheExactPane(t *testing.T) {
	f := func(policy flyball.NoDataPolicy, want ...string) {
		t.Helper()
		cfg := simple()
		cfg.SLOs[0].NoData = policy
		d := newDriver(t, cfg)
		for i := range flyball.Time(6) {
			d.row("cart", i*600*second, 100, 0)
		}
		d.mark(hour)
		// A tenth bad is ten times the budget. The pane of 0 s has left the window of
		// an hour by now, which makes it 55 of 566; then 64 of 575.
		d.row("cart", hour, 66, 55).mark(hour + 10*second).wantFindings()
		d.row("cart", hour+10*second, 9, 9).mark(hour + 20*second)
		d.wantFindings("cart rev 1 opened page page_fast at 3620s")
		// Nothing comes for three days, and the samples after the gap do not matter.
		d.row("cart", 75*hour, 1, 0).mark(76 * hour)
		d.wantFindings(want...)
		if id := d.out.SLO; len(id) == 0 {
			t.Error("no status was reported")
		}
	}
	// The last bad pane leaves the short window.
	f(flyball.NoDataGood, "cart rev 2 resolved page page_fast at 3920s")
	// Nobody knows, until the samples are so old that nothing is known any more.
	f(flyball.NoDataFreeze, "cart rev 2 resolved page page_fast at 7220s")
}

func TestSilenceIsAFinding(t *testing.T) {
	cfg := simple()
	cfg.SLOs[0].NoData = flyball.NoDataAlert
	d := newDriver(t, cfg)
	d.row("cart", 0, 10, 0).mark(10 * second).wantFindings()
	d.mark(309 * second).wantFindings()
	d.mark(310 * second).wantFindings("cart rev 1 opened page no_data at 310s")
	d.row("cart", 320*second, 10, 0).mark(330 * second).wantFindings("cart rev 2 resolved page no_data at 330s")
	// A page that burns when the samples stop stays one; it knows nothing better.
	d.row("cart", 330*second, 10, 10).mark(340 * second).wantFindings("cart rev 1 opened page page_fast at 340s")
	d.mark(1000 * second).wantFindings()
	d.row("cart", 1000*second, 1000, 0).mark(1010 * second).wantFindings("cart rev 2 resolved page page_fast at 1010s")
}

func TestGuardsHoldFindingsBack(t *testing.T) {
	cfg := simple()
	cfg.SLOs[0].MinTotal, cfg.SLOs[0].MinBad = 20, 3
	d := newDriver(t, cfg)
	d.row("cart", 0, 10, 5).mark(10 * second).wantFindings()        // too few samples
	d.row("pay", 10*second, 30, 2).mark(20 * second).wantFindings() // enough to burn, too few bad ones
	d.row("cart", 20*second, 10, 0).mark(30 * second).wantFindings("cart rev 1 opened page page_fast at 30s")
}

// TestBudgetIsGone: the finding opens when as many samples are bad as the whole
// period may have at the traffic so far, and resolves when that is no longer so.
func TestBudgetIsGone(t *testing.T) {
	cfg := simple()
	cfg.SLOs[0].Period, cfg.SLOs[0].Tiers[0].FactorNum = time.Hour, 90
	d := newDriver(t, cfg)
	for i := range flyball.Time(180) { // half an hour, 10 per pane: the hour may have 36 bad ones
		d.row("cart", i*10*second, 10, 0).mark((i + 1) * 10 * second)
	}
	d.row("cart", 1800*second, 35, 35).mark(1810 * second).wantFindings()
	d.row("cart", 1810*second, 10, 2).mark(1820 * second).wantFindings("cart rev 1 opened ticket  at 1820s")
	for i := flyball.Time(182); i < 543; i++ {
		d.row("cart", i*10*second, 10, 0).mark((i + 1) * 10 * second)
	}
	d.wantFindings("cart rev 2 resolved ticket  at 5410s") // the 35 have left the hour
}

// TestGapCostsWhatItsSamplesCost counts how often a detector is asked while a
// watermark steps over years.
func TestGapCostsWhatItsSamplesCost(t *testing.T) {
	cfg := simple()
	asked := 0
	cfg.Detector = func(s flyball.SLO) detectors.SLODetector { return counting{burnrate.New(s), &asked} }
	d := newDriver(t, cfg)
	d.row("cart", 0, 10, 10).row("cart", 20*second, 10, 0).mark(30 * second)
	asked = 0
	d.mark(20 * 365 * 24 * hour)
	// Each of two panes leaves two windows; the edge after the last; a status per
	// minute with samples and per hour of the long window.
	if asked > 2*2+1+2+1 {
		t.Errorf("the detector was asked %d times", asked)
	}
	d.wantFindings("cart rev 1 opened page page_fast at 10s", "cart rev 2 resolved page page_fast at 310s")
}

type counting struct {
	detectors.SLODetector
	n *int
}

func (c counting) Observe(o detectors.SLOObservation) detectors.Signal {
	*c.n++
	return c.SLODetector.Observe(o)
}

// TestStatusIsReportedWhereSamplesAre: every minute with samples, then every hour
// while the long window holds any.
func TestStatusIsReportedWhereSamplesAre(t *testing.T) {
	d := newDriver(t, simple())
	d.row("cart", 10*second, 10, 0).row("cart", 130*second, 10, 1).mark(140 * second)
	d.row("cart", 140*second, 4, 0).mark(24 * hour)
	var got []string
	for _, r := range d.out.SLO {
		got = append(got, fmt.Sprintf("%ds %d/%d %.4g", r.At/second, r.Bad, r.Total, r.BurnLong))
	}
	want := []string{"60s 0/10 [0]", "180s 1/24 [4.167]", "3600s 1/24 [4.167]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBudgetsAndTheirStateVanish(t *testing.T) {
	cfg := simple()
	cfg.SLOs[0].Period = 3 * time.Hour
	d := newDriver(t, cfg)
	const pods = 500
	for i := range flyball.Time(pods) { // entities come and go
		d.row(fmt.Sprint("pod-", i), i*60*second, 10, 10).mark((i + 1) * 60 * second)
	}
	st := d.machine.stores[0]
	if n := len(st.series); n > 3*60+30 || n < 3*60-10 {
		t.Errorf("%d budgets are kept, want those of a period, about %d", n, 3*60)
	}
	d.mark(pods*60*second + 48*hour)
	if len(st.series) != 0 || len(st.entities) != 1 || st.entities["avail"] != 0 || st.Store.Series() != 0 {
		t.Errorf("%d budgets, %v, %d series are kept", len(st.series), st.entities, st.Store.Series())
	}
	for key := range d.state {
		if key != "evaluate/0/watermarks" {
			t.Errorf("%s is kept", key)
		}
	}
	states := map[flyball.FindingState]int{}
	for _, f := range d.out.Findings {
		states[f.State]++
	}
	want := map[flyball.FindingState]int{flyball.FindingOpened: pods, flyball.FindingResolved: pods}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Error(diff)
	}
}

func TestFloodOfEntitiesIsBounded(t *testing.T) {
	cfg := simple()
	cfg.Indicators[0].SeriesLimit = 20
	d := newDriver(t, cfg)
	for i := range flyball.Time(200) {
		for n := range 50 {
			d.row(fmt.Sprint("bomb-", i, "-", n), i*10*second, 1, 0)
		}
		d.mark((i + 1) * 10 * second)
		d.out = output{}
	}
	st := d.machine.stores[0]
	windows := 1 + 6 + 1 // open, correctable, closing
	if n := st.Store.Series(); n > 21*windows {
		t.Errorf("%d series are kept", n)
	}
	if n := len(st.series); n != 21 {
		t.Errorf("%d budgets are kept, want 20 and that of the overflow", n)
	}
	if len(d.state) > 2*21*8 {
		t.Errorf("%d keys of state", len(d.state))
	}
	total := int64(0)
	for _, s := range st.all() {
		n, _ := s.tracker.Period(200 * 10 * second)
		total += n
	}
	if total != 200*50 {
		t.Errorf("the budgets count %d samples, want all %d", total, 200*50)
	}
}

// TestHeadWhileRebuilding: a successor that commits before it has rebuilt its
// memory must not make news of what was evaluated before.
func TestHeadWhileRebuilding(t *testing.T) {
	d := newDriver(t, simple())
	for i := range flyball.Time(10) {
		d.row("cart", i*10*second, 1, 0).mark(i * 10 * second)
	}
	if want := (processors.Resume{Low: 0, Head: 10}); d.committed != want {
		t.Fatalf("resume at %+v, want %+v", d.committed, want)
	}
	before := d.out
	for range 5 { // crash over and over, having read three records
		d.restart()
		d.run(transaction{pieces: []int{3}, end: "commit"})
		if want := (processors.Resume{Low: 0, Head: 10}); d.committed != want {
			t.Fatalf("resume at %+v, want %+v", d.committed, want)
		}
	}
	d.drain()
	if diff := cmp.Diff(before, d.out, nanEqual); diff != "" {
		t.Error(diff)
	}
	m := New(simple())
	m.ResumeAt(10)
	if r := m.Step(Input{}); r.Resume != nil {
		t.Errorf("a machine that has read nothing resumes at %+v", r.Resume)
	}
}

func TestStepIgnoresWhatItHas(t *testing.T) {
	d := newDriver(t, simple())
	d.row("cart", 0, 5, 0).mark(0)
	d.machine.Step(Input{Records: d.log})
	d.machine.Commit()
	d.mark(60 * second).wantWindows("cart 0-60s rev 1: 0/5")
}

// TestConfigurationChangesOverARestart: a laxer tier resolves the open finding, a
// removed SLO and a foreign partition are ignored, another width of panes keeps
// the budget.
func TestConfigurationChangesOverARestart(t *testing.T) {
	d := newDriver(t, simple())
	d.row("cart", 0, 100, 20).mark(10 * second).wantFindings("cart rev 1 opened page page_fast at 10s")
	d.cfg.SLOs[0].Tiers[0].FactorNum = 50
	d.restart()
	d.drain()
	d.row("cart", 10*second, 1, 0).mark(20 * second).wantFindings("cart rev 2 resolved page page_fast at 20s")

	d.cfg.SLOs[0].Tiers[0].FactorNum = 10
	d.cfg.Indicators[0].Pane = 30 * time.Second
	d.restart()
	d.drain()
	d.run(transaction{pieces: []int{0}, end: "abort"})
	d.out = output{}
	d.row("cart", 30*second, 10, 0).mark(60 * second)
	d.wantFindings("cart rev 1 opened page page_fast at 30s")
	last := d.out.SLO[len(d.out.SLO)-1]
	if last.Total != 111 || last.Bad != 20 {
		t.Errorf("the budget holds %d of %d, want 20 of 111", last.Bad, last.Total)
	}
	for key := range d.state {
		if strings.Contains(key, "f10s.") {
			t.Errorf("%s is kept", key)
		}
	}

	d.cfg.SLOs = nil
	d.state["evaluate/9/watermarks"] = []byte("not ours")
	d.restart()
	d.drain()
	d.mark(120 * second).wantWindows("cart 0-60s rev 1: 20/111")
}

func TestRestoreRefuses(t *testing.T) {
	for key, value := range map[string]string{
		"watermarks":                      "{",
		"slo/avail/cart":                  "",
		"slo/avail/cart//{/f10s.1":        "\x01\x00",
		"slo/avail/cart///finding":        "{",
		"slo/avail/cart///f10s.1":         "\x80",
		"slo/avail/%zz///f10s.1":          "\x01\x00",
		"slo/%zz/cart///f10s.1":           "\x01\x00",
		"revision/latency/1":              "2",
		"revision/latency/x/%7B%7D":       "2",
		"revision/latency/1/%7B%7D":       "two",
		"revision/latency/1/%zz":          "2",
		"revision/latency/1/%7B%7D/other": "2",
	} {
		m := New(simple())
		if err := m.Restore(Prefix(0)+key, []byte(value)); err == nil || !strings.Contains(err.Error(), "cannot restore state ") {
			t.Errorf("%s = %q: %v", key, value, err)
		}
	}
	m := New(simple())
	for _, key := range []string{"evaluate/1/watermarks", "evaluate/0/other", "other", "evaluate/0/slo/gone/cart///finding"} {
		if err := m.Restore(key, []byte("{")); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	if err := m.Restore("evaluate/0/watermarks", nil); err != nil {
		t.Error(err)
	}
}

// TestFindingsOfAStepAreInOrderOfTime: a watermark that steps over many panes
// reports what many small steps would, in their order.
func TestFindingsOfAStepAreInOrderOfTime(t *testing.T) {
	small, large := newDriver(t, simple()), newDriver(t, simple())
	for i := range flyball.Time(40) {
		for n, service := range []string{"api", "cart", "pay"} {
			bad := 0
			if int(i)%(5+n) == n {
				bad = 10
			}
			small.row(service, i*60*second, 10, bad)
			large.row(service, i*60*second, 10, bad)
		}
		small.mark((i + 1) * 60 * second)
	}
	large.mark(40 * 60 * second)
	if len(small.out.Findings) < 3 {
		t.Fatalf("only %d findings", len(small.out.Findings))
	}
	if diff := cmp.Diff(small.out.Findings, large.out.Findings); diff != "" {
		t.Error(diff)
	}
	if !slices.IsSortedFunc(large.out.Findings, func(a, b flyball.Finding) int { return int(a.At - b.At) }) {
		t.Error("the findings are not in the order of time")
	}
}
