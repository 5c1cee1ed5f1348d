package canary

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
	"github.com/flyball-io/flyball/processors/window"
)

// feed counts an indicator by entity, cohort and replica.
type feed struct {
	def       *definition
	indicator string
	store     *window.Store
	valued    bool              // some metric needs the values
	labels    map[string]string // of the indicator's series → of the feed's; "" is none
	keys      map[string]cohortKey
}

// cohortKey says whose samples a series of a feed has.
type cohortKey struct {
	cohort, replica string
}

// The names of the cohorts, where matchers select them.
const (
	cohortCanary   = "canary"
	cohortBaseline = "baseline"
)

// maxKnown bounds what is remembered of labels.
const maxKnown = 100_000

// feed returns the place of the feed of an indicator.
func (d *definition) feed(spec flyball.Indicator, kind string, partition int32) int {
	i := slices.IndexFunc(d.feeds, func(f *feed) bool { return f.indicator == spec.Name })
	if i < 0 {
		narrowed := spec
		narrowed.Name += " by cohort" // no indicator has a space in its name
		narrowed.Window, narrowed.Hop = d.spec.Interval, 0
		narrowed.GroupBy = []string{spec.Entity, "cohort", "replica"}
		i = len(d.feeds)
		d.feeds = append(d.feeds, &feed{def: d, indicator: spec.Name, store: window.NewStore(narrowed, partition),
			labels: map[string]string{}, keys: map[string]cohortKey{}})
	}
	d.feeds[i].valued = d.feeds[i].valued || kind != "count"
	return i
}

// row returns a partial pane as the feed counts it.
func (f *feed) row(r processors.PaneRow) (processors.PaneRow, bool) {
	labels, known := f.labels[r.Labels]
	if !known {
		if len(f.labels) >= maxKnown {
			clear(f.labels)
		}
		labels = f.labelsOf(r.Entity, r.Labels)
		f.labels[strings.Clone(r.Labels)] = labels
	}
	if labels == "" {
		return r, false
	}
	r.Labels = labels
	if !f.valued {
		r.Hist, r.Sum, r.Min, r.Max = nil, processors.Sum{}, math.Inf(1), math.Inf(-1)
	}
	return r, true
}

// labelsOf returns the labels of the feed's series that counts a series of the
// indicator, "" when none does.
func (f *feed) labelsOf(entity, text string) string {
	var labels flyball.Labels
	if json.Unmarshal([]byte(text), &labels) != nil || strings.HasPrefix(entity, flyball.OverflowValue) {
		return ""
	}
	spec := &f.def.spec
	if !fits(spec.Selector, labels) {
		return ""
	}
	cohort := labels.Get(spec.Version)
	if spec.Canary != nil {
		switch {
		case fits(spec.Canary, labels):
			cohort = cohortCanary
		case fits(spec.Baseline, labels):
			cohort = cohortBaseline
		default:
			cohort = ""
		}
	}
	if cohort == "" || cohort == flyball.OverflowValue {
		return ""
	}
	replica := ""
	if spec.Replica != "" {
		replica = labels.Get(spec.Replica)
	}
	return flyball.LabelsOf(spec.Entity, entity, "cohort", cohort, "replica", replica).JSON()
}

func fits(matchers []flyball.Matcher, labels flyball.Labels) bool {
	for i := range matchers {
		if !matchers[i].MatchString(labels.Get(matchers[i].Name)) {
			return false
		}
	}
	return true
}

// key reads the labels of a series of the feed.
func (f *feed) key(labels string) cohortKey {
	if k, ok := f.keys[labels]; ok {
		return k
	}
	var ls flyball.Labels
	if err := json.Unmarshal([]byte(labels), &ls); err != nil {
		panic("BUG: the labels of a series are not JSON: " + err.Error())
	}
	if len(f.keys) >= maxKnown {
		clear(f.keys)
	}
	k := cohortKey{ls.Get("cohort"), ls.Get("replica")}
	f.keys[labels] = k
	return k
}

// counted is what one replica of a cohort has in one interval, by feed.
type counted struct {
	key   cohortKey
	cells []cell
}

// cell is what one feed counts.
type cell struct {
	count, bad int64
	sum        float64
	hist       *histogram.Histogram // nil without values
}

// gather returns what every entity, or only one, has in the interval that ends at an
// edge, sorted by cohort and replica.
func (d *definition) gather(edge flyball.Time, only string) map[string][]counted {
	out := map[string][]counted{}
	start := edge.Add(-d.spec.Interval)
	for i, f := range d.feeds {
		f.store.At(start, func(c window.Content) {
			key := f.key(c.Series.Labels)
			if c.Count == 0 || only != "" && c.Series.Entity != only || key.cohort == flyball.OverflowValue {
				return
			}
			list := out[c.Series.Entity]
			at, ok := slices.BinarySearchFunc(list, key, func(c counted, k cohortKey) int { return compare(c.key, k) })
			if !ok {
				list = slices.Insert(list, at, counted{key, make([]cell, len(d.feeds))})
			}
			list[at].cells[i] = cell{c.Count, c.Bad, c.Sum, cloned(c.Hist)}
			out[c.Series.Entity] = list
		})
	}
	return out
}

func cloned(h *histogram.Histogram) *histogram.Histogram {
	if h == nil || h.Count() == 0 {
		return nil
	}
	return h.Clone()
}

func compare(a, b cohortKey) int {
	if c := strings.Compare(a.cohort, b.cohort); c != 0 {
		return c
	}
	return strings.Compare(a.replica, b.replica)
}

// concerned returns the entities to look at, sorted: those with samples, those of
// which something is open, and now and then all, to forget what is over.
func (d *definition) concerned(edge flyball.Time, data map[string][]counted) []string {
	entities := slices.Collect(maps.Keys(data))
	all := edge.Floor(d.stretch) == edge
	for _, s := range d.subjects {
		if _, ok := data[s.entity]; !ok && (all || s.active()) {
			entities = append(entities, s.entity)
		}
	}
	slices.Sort(entities)
	return entities
}
