package evaluate

import (
	"cmp"
	"encoding/json"
	"iter"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/processors/slo"
	"github.com/flyball-io/flyball/processors/window"
)

// seriesKey identifies an SLO series: one budget per SLO, entity and group.
type seriesKey struct {
	slo, entity string
	group       string // labels of a grouped SLO, with the entity, as canonical JSON; else empty
}

// sloSeries is one error budget. It exists while it has counts or open
// findings, which is also what its durable state consists of: so the budgets of a
// successor are the same.
type sloSeries struct {
	key      seriesKey
	spec     *flyball.SLO
	labels   flyball.Labels
	text     string // labels as canonical JSON
	tracker  *slo.Tracker
	detector detectors.SLODetector
	findings findings

	pending  []paneCounts // panes that are closing, by start
	dirty    bool         // changed since the last commit
	moved    bool         // findings of a former revision, still to be written
	isNew    bool         // not there at the last commit
	reported bool         // a finding changed since the last commit, if only for a while
	was      findings     // as of the last commit
}

// findings are those of a budget that are open; nil is none.
type findings struct {
	burn      *openFinding // it burns too fast, or is silent
	exhausted *openFinding // it is gone
	forecast  *openFinding // it will be gone soon
}

func (f findings) any() bool { return f.burn != nil || f.exhausted != nil || f.forecast != nil }

// all yields them in the order of their reports, with their kinds.
func (f *findings) all() iter.Seq2[string, **openFinding] {
	return func(yield func(string, **openFinding) bool) {
		_ = yield(kindBurn, &f.burn) && yield(kindExhausted, &f.exhausted) && yield(kindForecast, &f.forecast)
	}
}

// openFinding is a finding that is not resolved; it is replaced, never changed.
type openFinding struct {
	ID       string       `json:"id"`
	Revision int          `json:"revision"`
	OpenedAt flyball.Time `json:"opened_at"`
	Severity string       `json:"severity"`
	Tier     string       `json:"tier"`
	// Incomplete is set when it was last reported while a source was missing.
	Incomplete bool `json:"incomplete,omitempty"`
}

// paneCounts is what one pane adds to a budget.
type paneCounts struct {
	start      flyball.Time
	total, bad int64
}

// budgets are those that rest on one indicator.
type budgets struct {
	slos     []flyball.SLO
	excluded []*slo.Exclusions // of each
	detector func(flyball.SLO) detectors.SLODetector
	source   string // of the indicator
	entity   string // label that names it
	pane     time.Duration
	every    time.Duration // between reports of status, in whole panes
	limit    int           // entities per SLO; more share the overflow's budget
	overflow string        // its entity
	mute     bool          // counts for another, and is not judged
	highest  *store        // what may be good at most by a threshold, else nil
	sharp    bool          // the threshold is an edge of log buckets: only explicit ones make it vague
	feeds    *store        // the composite whose part this is, where that counts slices of time; else nil
	weight   int64         // of the slices there

	series   map[seriesKey]*sloSeries
	entities map[string]int // per SLO, without the overflow
	order    []*sloSeries   // by key, while sorted is set
	sorted   bool
	dirty    []*sloSeries
	gone     []*sloSeries // removed since the last commit
	limited  int64        // times that the overflow's budget counted for another
}

func newBudgets(spec flyball.Indicator, cfg Config, overflow string, wanted func(*flyball.SLO) bool) budgets {
	b := budgets{
		detector: cfg.Detector, source: spec.Source, entity: spec.Entity, pane: spec.Pane, limit: spec.SeriesLimit, overflow: overflow,
		every:  roundUp(max(cfg.StatusEvery, spec.Pane), spec.Pane),
		series: map[seriesKey]*sloSeries{}, entities: map[string]int{},
	}
	for _, s := range cfg.SLOs {
		if s.Indicator == spec.Name && wanted(&s) {
			b.slos = append(b.slos, s)
			b.excluded = append(b.excluded, slo.ExclusionsOf(&s, spec.Pane))
		}
	}
	return b
}

func roundUp(d, unit time.Duration) time.Duration { return (d + unit - 1) / unit * unit }

// of returns the budget of an SLO that counts a series, or the overflow's when there
// are too many.
func (b *budgets) of(c cover, entity string) *sloSeries {
	spec := &b.slos[c.slo]
	if s := b.series[seriesKey{spec.Name, entity, c.group}]; s != nil {
		return s
	}
	if limit := b.limitOf(spec); limit > 0 && b.entities[spec.Name] >= limit && entity != b.overflow {
		b.limited++
		return b.of(cover{slo: c.slo}, b.overflow)
	}
	s := b.add(c.slo, entity, c.group)
	b.mark(s)
	return s
}

func (b *budgets) limitOf(spec *flyball.SLO) int {
	if spec.GroupLimit > 0 {
		return spec.GroupLimit
	}
	return b.limit
}

func (b *budgets) add(i int, entity, group string) *sloSeries {
	spec := &b.slos[i]
	labels := flyball.LabelsOf(b.entity, entity)
	if group != "" {
		labels = mustLabels(group)
	}
	s := &sloSeries{
		key: seriesKey{spec.Name, entity, group}, spec: spec, labels: labels, text: labels.JSON(),
		tracker: slo.NewTracker(*spec, b.pane, b.every), detector: b.detector(*spec), isNew: true,
	}
	s.tracker.Exclude(b.excluded[i])
	b.put(s)
	return s
}

func (b *budgets) put(s *sloSeries) {
	b.series[s.key] = s
	b.sorted = false
	if s.key.entity != b.overflow {
		b.entities[s.key.slo]++
	}
}

func (b *budgets) drop(s *sloSeries) {
	delete(b.series, s.key)
	b.sorted = false
	if s.key.entity != b.overflow {
		b.entities[s.key.slo]--
	}
}

// mark notes that a budget changes in this transaction.
func (b *budgets) mark(s *sloSeries) {
	if !s.dirty {
		s.dirty = true
		b.dirty = append(b.dirty, s)
	}
}

// all returns the budgets in the order of their keys. It is valid until one is
// added or dropped.
func (b *budgets) all() []*sloSeries {
	if !b.sorted {
		b.order = b.order[:0]
		for _, s := range b.series {
			b.order = append(b.order, s)
		}
		sortSeries(b.order)
		b.sorted = true
	}
	return b.order
}

func sortSeries(list []*sloSeries) {
	slices.SortStableFunc(list, func(a, b *sloSeries) int {
		return cmp.Or(cmp.Compare(a.key.slo, b.key.slo), cmp.Compare(a.key.entity, b.key.entity), cmp.Compare(a.key.group, b.key.group))
	})
}

// forget drops a budget that has nothing left.
func (b *budgets) forget(s *sloSeries) {
	if !s.findings.any() && s.tracker.Empty() {
		b.drop(s)
		b.gone = append(b.gone, s)
	}
}

func (b *budgets) commit() {
	for _, s := range b.dirty {
		s.tracker.Commit()
		s.dirty, s.isNew, s.reported, s.moved, s.was = false, false, false, false, s.findings
	}
	b.dirty, b.gone = b.dirty[:0], nil
}

func (b *budgets) abort() {
	dirty := b.dirty
	b.dirty = nil
	for _, s := range dirty {
		s.dirty = false
		if s.isNew {
			if b.series[s.key] == s {
				b.drop(s)
			}
			continue
		}
		s.tracker.Abort()
		s.findings, s.reported = s.was, false
		if s.tracker.Dirty() || s.moved { // what a restore counted over is still to be written
			b.mark(s)
		}
	}
	for _, s := range b.gone {
		if !s.isNew {
			b.put(s)
		}
	}
	b.gone = nil
}

// cover is an SLO that counts a series.
type cover struct {
	slo   int    // its place
	group string // labels of the series' group, as canonical JSON; empty where it is not grouped
}

// covering returns the SLOs that count a series. It is worked out once per series.
func (b *budgets) covering(sr *window.Series) []cover {
	if list, ok := sr.Note.([]cover); ok {
		return list
	}
	labels := mustLabels(sr.Labels)
	list := []cover{}
	for i := range b.slos {
		if covers(&b.slos[i], labels) {
			list = append(list, cover{i, b.groupOf(&b.slos[i], sr.Entity, labels)})
		}
	}
	sr.Note = list
	return list
}

// groupOf returns the labels by which a grouped SLO tells budgets apart.
func (b *budgets) groupOf(spec *flyball.SLO, entity string, labels flyball.Labels) string {
	if len(spec.GroupBy) == 0 || entity == b.overflow {
		return ""
	}
	pairs := []string{b.entity, entity}
	for _, name := range spec.GroupBy {
		pairs = append(pairs, name, labels.Get(name))
	}
	return flyball.LabelsOf(pairs...).JSON()
}

func mustLabels(text string) flyball.Labels {
	labels, err := labelsOf(text)
	if err != nil {
		panic("BUG: the labels of a series are not JSON: " + err.Error())
	}
	return labels
}

func labelsOf(text string) (labels flyball.Labels, err error) {
	return labels, json.Unmarshal([]byte(text), &labels)
}

func covers(spec *flyball.SLO, labels flyball.Labels) bool {
	return len(spec.Parts) > 0 || selects(spec.Selector, labels) // a composite's parts have selected
}

func selects(selector []flyball.Matcher, labels flyball.Labels) bool {
	for i := range selector {
		if !selector[i].MatchString(labels.Get(selector[i].Name)) {
			return false
		}
	}
	return true
}
