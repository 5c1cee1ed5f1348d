package evaluate

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
	"github.com/flyball-io/flyball/processors/slo"
)

// oracle says what a machine must say, by definition and without economy: it keeps
// every row, counts every window and every sum anew, and judges every budget at
// every pane edge.
type oracle struct {
	cfg        Config
	marks      map[processors.Mark]processors.Mark // last word of each partition, by its name
	watermarks map[string]flyball.Time
	rows       map[oracleWindow][]processors.PaneRow
	revisions  map[oracleWindow]uint32
	budgets    map[seriesKey]*oracleBudget
	stalled    map[string]*openFinding
	out        output
}

type oracleWindow struct {
	start     flyball.Time
	labels    string
	indicator string
}

type oracleBudget struct {
	slo      flyball.SLO
	spec     flyball.Indicator
	panes    map[flyball.Time]paneCounts // all that were accepted
	counted  map[flyball.Time]paneCounts // visible: closed, or late
	findings findings
	labels   flyball.Labels
	detector detectors.SLODetector
}

func newOracle(cfg Config) *oracle {
	o := &oracle{
		cfg: cfg, marks: map[processors.Mark]processors.Mark{}, watermarks: map[string]flyball.Time{},
		rows: map[oracleWindow][]processors.PaneRow{}, revisions: map[oracleWindow]uint32{}, budgets: map[seriesKey]*oracleBudget{}, stalled: map[string]*openFinding{},
	}
	for _, s := range cfg.Sources {
		o.watermarks[s.Name] = flyball.NoTime
	}
	return o
}

func (o *oracle) indicator(name string) *flyball.Indicator {
	for i := range o.cfg.Indicators {
		if o.cfg.Indicators[i].Name == name {
			return &o.cfg.Indicators[i]
		}
	}
	return nil
}

func (o *oracle) dead(reason string) {
	o.out.DeadLetters = append(o.out.DeadLetters, processors.DeadLetter{Reason: reason})
}

func (o *oracle) record(r Record) {
	corrected := map[oracleWindow]bool{}
	windows := len(o.out.Windows)
	defer func() {
		for i := range o.out.Windows[windows:] {
			w := &o.out.Windows[windows+i]
			w.Complete = o.complete(o.indicator(w.Indicator).Source, w.End)
		}
	}()
	if len(r.Panes) > 0 {
		if err := processors.ReadPanes(r.Panes, func(row processors.PaneRow) { o.row(row, corrected) }); err != nil {
			o.dead(ReasonMalformed)
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(corrected), func(a, b oracleWindow) int {
		return cmp.Or(cmp.Compare(a.indicator, b.indicator), cmp.Compare(a.start, b.start), cmp.Compare(a.labels, b.labels))
	}) {
		o.revisions[k] = max(o.revisions[k], 1) + 1
		o.window(k, o.revisions[k])
	}
	for _, m := range r.Marks {
		name := processors.Mark{Source: m.Source, Topic: m.Topic, Partition: m.Partition, Of: m.Of}
		if old, ok := o.marks[name]; ok {
			m.Watermark = max(m.Watermark, old.Watermark)
		}
		o.marks[name] = m
	}
	findings := len(o.out.Findings)
	for _, s := range o.cfg.Sources {
		from := o.watermarks[s.Name]
		if to := max(from, o.watermark(s.Name)); to > from {
			o.watermarks[s.Name] = to
			o.close(s.Name, from, to)
		}
		if slices.ContainsFunc(r.Marks, func(m processors.Mark) bool { return m.Source == s.Name }) {
			o.stall(s.Name)
		}
	}
	slices.SortStableFunc(o.out.Findings[findings:], func(a, b flyball.Finding) int { return cmp.Compare(a.At, b.At) })
}

func (o *oracle) watermark(source string) flyball.Time {
	low, high, busy := flyball.Time(math.MaxInt64), flyball.NoTime, false
	for _, p := range partitions {
		if p.Source != source {
			continue
		}
		m, ok := o.marks[p]
		if !ok {
			return flyball.NoTime
		}
		if m.Stalled {
			continue
		}
		high = max(high, m.Watermark)
		if !m.Idle {
			low, busy = min(low, m.Watermark), true
		}
	}
	if busy {
		return low
	}
	return high
}

// complete reports whether no stalled partition of a source is behind a time.
func (o *oracle) complete(source string, upTo flyball.Time) bool {
	return !slices.ContainsFunc(slices.Collect(maps.Values(o.marks)), func(m processors.Mark) bool {
		return m.Source == source && m.Stalled && m.Watermark < upTo
	})
}

// stall reports when the first partition of a source stalls, and when none is any
// more.
func (o *oracle) stall(source string) {
	n := 0
	for _, m := range o.marks {
		if m.Source == source && m.Stalled {
			n++
		}
	}
	f, at := o.stalled[source], o.watermarks[source]
	if o.cfg.Partition != 0 || at == flyball.NoTime || (n > 0) == (f != nil) {
		return
	}
	state := flyball.FindingOpened
	if n > 0 {
		f = &openFinding{ID: findingID("flyball", "stalled", source, at), OpenedAt: at}
		o.stalled[source] = f
	} else {
		state = flyball.FindingResolved
		delete(o.stalled, source)
	}
	f.Revision++
	o.out.Findings = append(o.out.Findings, flyball.Finding{
		ID: f.ID, Revision: f.Revision, Kind: "flyball", State: state, Severity: "ticket", Entity: source,
		Labels: flyball.LabelsOf("source", source), Detector: "stalled", At: at, OpenedAt: f.OpenedAt,
		Evidence: []flyball.Evidence{{Name: "stalled", Value: float64(n), Unit: "partitions"}},
	})
}

func (o *oracle) row(row processors.PaneRow, corrected map[oracleWindow]bool) {
	spec := o.indicator(row.Indicator)
	if spec == nil {
		o.dead(ReasonUnknownIndicator)
		return
	}
	wm := o.watermarks[spec.Source]
	start := row.Start.Floor(spec.Window)
	end := start.Add(spec.Window)
	if end.Add(spec.Lateness) <= wm {
		o.dead(ReasonLate)
		return
	}
	var labels flyball.Labels
	var h histogram.Histogram
	if row.Validate() != nil || json.Unmarshal([]byte(row.Labels), &labels) != nil || len(row.Hist) > 0 && h.MergeBinary(row.Hist) != nil {
		o.dead(ReasonMalformed)
		return
	}
	row.Hist = slices.Clone(row.Hist)
	k := oracleWindow{start, string([]byte(row.Labels)), spec.Name}
	o.rows[k] = append(o.rows[k], row)
	if end <= wm {
		corrected[k] = true
	}
	for _, s := range o.cfg.SLOs {
		if s.Indicator != spec.Name || !covers(&s, labels) {
			continue
		}
		b := o.budget(s, spec, labels.Get("service.name"))
		add(b.panes, row.Start, row.Count, row.Bad)
		if row.Start.Add(spec.Pane) <= wm {
			add(b.counted, row.Start, row.Count, row.Bad)
		}
	}
}

func add(m map[flyball.Time]paneCounts, start flyball.Time, total, bad int64) {
	m[start] = paneCounts{start, m[start].total + total, m[start].bad + bad}
}

func (o *oracle) budget(s flyball.SLO, spec *flyball.Indicator, entity string) *oracleBudget {
	k := seriesKey{slo: s.Name, entity: entity}
	if o.budgets[k] == nil {
		o.budgets[k] = &oracleBudget{
			slo: s, spec: *spec, panes: map[flyball.Time]paneCounts{}, counted: map[flyball.Time]paneCounts{},
			labels: flyball.LabelsOf(spec.Entity, entity), detector: o.cfg.Detector(s),
		}
	}
	return o.budgets[k]
}

func (o *oracle) close(source string, from, to flyball.Time) {
	for i := range o.cfg.Indicators {
		spec := &o.cfg.Indicators[i]
		if spec.Source != source {
			continue
		}
		for _, k := range slices.SortedFunc(maps.Keys(o.budgets), func(a, b seriesKey) int {
			return cmp.Or(cmp.Compare(a.slo, b.slo), cmp.Compare(a.entity, b.entity))
		}) {
			if b := o.budgets[k]; b.spec.Name == spec.Name {
				o.judgeAll(k, b, from, to)
			}
		}
		closing := slices.DeleteFunc(slices.Collect(maps.Keys(o.rows)), func(k oracleWindow) bool {
			end := k.start.Add(spec.Window)
			return k.indicator != spec.Name || end <= from || end > to
		})
		slices.SortFunc(closing, func(a, b oracleWindow) int {
			return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.labels, b.labels))
		})
		for _, k := range closing {
			o.window(k, 1)
		}
	}
}

// judgeAll judges a budget at every pane edge in (from, to].
func (o *oracle) judgeAll(k seriesKey, b *oracleBudget, from, to flyball.Time) {
	pane := b.spec.Pane
	at := from.Floor(pane)
	if from == flyball.NoTime {
		at = slices.Min(slices.Collect(maps.Keys(b.panes)))
	}
	longest := o.cfg.StatusEvery
	for _, t := range b.slo.Tiers {
		longest = max(longest, t.Long)
	}
	for at = at.Add(pane); at <= to; at = at.Add(pane) {
		if c, ok := b.panes[at.Add(-pane)]; ok {
			b.counted[c.start] = c // with what came late, which is counted already
		}
		sum := func(w time.Duration) (total, bad int64) {
			for start, c := range b.counted {
				if start >= at.Add(-w).Floor(pane) && start < at {
					total += c.total
					bad += c.bad
				}
			}
			return total, bad
		}
		recent, _ := sum(o.cfg.StatusEvery)
		active, _ := sum(longest)
		signal := b.detector.Observe(detectors.SLOObservation{At: at, Sum: sum, Silent: active == 0, Gap: b.gap(at)})
		s := &sloSeries{key: k, spec: &b.slo, labels: b.labels, findings: b.findings}
		m := &Machine{incomplete: !o.complete(b.spec.Source, to)}
		changed := m.track(s, at, signal) // the life of a finding has tests of its own
		if _, closed := b.panes[at.Add(-pane)]; closed || active == 0 || at.Floor(time.Hour) == at {
			changed = m.trackBudget(s, at, b.budget(at, sum), closed, active == 0) || changed
		}
		b.findings = s.findings
		o.out.Findings = append(o.out.Findings, m.ready.Findings...)
		due := at.Floor(o.cfg.StatusEvery) == at && recent > 0 || at.Floor(time.Hour) == at && active > 0
		if !changed && !due {
			continue
		}
		total, bad := sum(b.slo.Period)
		row := processors.SLORow{
			SLO: k.slo, Entity: k.entity, Labels: b.labels.JSON(), At: at, Total: total, Bad: bad, SLI: flyball.SLI(total, bad),
			Target: b.slo.Target(), BudgetConsumed: b.slo.BurnRate(total, bad), Complete: !m.incomplete,
			State: "OK", PeriodStart: at.Add(-b.slo.Period), PeriodEnd: at, SLIHighest: math.NaN(),
		}
		if budget := b.budget(at, sum); total == 0 {
			row.State = "NO_DATA"
		} else if b.slo.Exhausted(total, bad, budget.Elapsed, b.slo.Period) {
			row.State = "EXHAUSTED"
		}
		for _, t := range signal.Tiers {
			row.Tiers, row.BurnLong, row.BurnShort = append(row.Tiers, t.Name), append(row.BurnLong, t.Long), append(row.BurnShort, t.Short)
			if t.Firing {
				row.Firing = append(row.Firing, t.Name)
			}
			if t.Suppressed != "" {
				row.Suppressed = append(row.Suppressed, t.Name+": "+t.Suppressed)
			}
		}
		o.out.SLO = append(o.out.SLO, row)
	}
}

// gap is how long before at the last sample was.
func (b *oracleBudget) gap(at flyball.Time) time.Duration {
	last := flyball.NoTime
	for start := range b.panes {
		if start < at {
			last = max(last, start)
		}
	}
	if last == flyball.NoTime {
		return 0
	}
	return at.Sub(last.Add(b.spec.Pane))
}

// budget is what was counted over the rolling period.
func (b *oracleBudget) budget(at flyball.Time, sum func(time.Duration) (total, bad int64)) slo.Budget {
	out := slo.Budget{Start: at.Add(-b.slo.Period), End: at}
	out.Total, out.Bad = sum(b.slo.Period)
	first := at
	for start := range b.counted {
		if start >= out.Start.Floor(b.spec.Pane) {
			first = min(first, start)
		}
	}
	out.Elapsed = max(at.Sub(max(first, out.Start)), 0)
	return out
}

func (o *oracle) window(k oracleWindow, revision uint32) {
	spec := o.indicator(k.indicator)
	first := o.rows[k][0]
	w := processors.WindowRow{
		Indicator: k.indicator, Entity: first.Entity, Labels: k.labels, Start: k.start, End: k.start.Add(spec.Window),
		Revision: revision, Min: math.Inf(1), Max: math.Inf(-1), Complete: true,
	}
	var h histogram.Histogram
	var sum processors.Sum
	for _, r := range slices.SortedStableFunc(slices.Values(o.rows[k]), func(a, b processors.PaneRow) int { return cmp.Compare(a.Start, b.Start) }) {
		w.Count += r.Count
		w.Bad += r.Bad
		sum.Merge(r.Sum)
		w.Min, w.Max = min(w.Min, r.Min), max(w.Max, r.Max)
		if len(r.Hist) > 0 && h.MergeBinary(r.Hist) != nil {
			panic("a histogram that decoded does not any more")
		}
	}
	w.Sum = sum.Value()
	if h.Count() > 0 {
		w.P50, w.P90, w.P95, w.P99 = h.Quantile(0.5), h.Quantile(0.9), h.Quantile(0.95), h.Quantile(0.99)
		w.Hist = h.AppendQuantilesDD(nil)
	} else {
		nan := math.NaN()
		w.Sum, w.Min, w.Max, w.P50, w.P90, w.P95, w.P99 = nan, nan, nan, nan, nan, nan, nan
	}
	o.out.Windows = append(o.out.Windows, w)
}

// TestMachineAgainstOracle compares everything that a machine says with what it
// must say. Limits are off: which series a limit takes is tested apart.
func TestMachineAgainstOracle(t *testing.T) {
	cfg := small()
	for i := range cfg.Indicators {
		cfg.Indicators[i].SeriesLimit = 0
	}
	rapid.Check(t, func(t *rapid.T) {
		log := drawLogOf(t, true)
		o := newOracle(cfg)
		for _, r := range log {
			o.record(r)
		}
		got := reference(cfg, log).out
		for i := range got.DeadLetters {
			got.DeadLetters[i].Detail, got.DeadLetters[i].Value = "", nil
		}
		for i := range got.Findings {
			if got.Findings[i].Kind == kindSelf {
				got.Findings[i].Summary = ""
			}
		}
		// The sums of fractions may differ in their last bit, as panes are added up
		// in another order.
		almost := gocmp.Comparer(func(a, b float64) bool {
			return a == b || a != a && b != b || math.Abs(a-b) <= 1e-15*math.Abs(a)
		})
		// Forecasts are sums of many floats; package slo tests them.
		forecasts := cmpopts.IgnoreFields(processors.SLORow{}, "Exhausts1h", "Exhausts6h", "Exhausts3d",
			"ExhaustsTrend", "ExhaustsEarliest", "ExhaustsLatest")
		if diff := gocmp.Diff(o.out, got, almost, forecasts); diff != "" {
			t.Fatalf("the output differs (- oracle, + machine):\n%s", diff)
		}
	})
}
