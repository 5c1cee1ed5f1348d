package canary

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
)

// memory is what a definition needs to remember what cohorts counted for long.
type memory struct {
	// stretch is the length of what is counted together.
	stretch time.Duration
	// counted are the feeds of the metrics of kind count.
	counted []int
	// layout says what is counted: what was counted otherwise is of no use.
	layout string
	// held is how many cohorts are counted in all stretches of all entities.
	held int
	// moved are the subjects whose past changed since the last commit.
	moved []*subject
}

const (
	// stretches is how many of them a history has.
	stretches = 96
	// maxCounted is how many cohorts are counted in one stretch of an entity, maxHeld
	// how many in all: some 60 MB.
	maxCounted = 20
	maxHeld    = 500_000
	// pastChunk is how many stretches one key of the state has: so many are written
	// again at every look.
	pastChunk = 4
)

func newMemory(d *definition, indicators []flyball.Indicator) memory {
	c := &d.spec
	length := c.History
	if length == 0 {
		length = 24 * time.Hour // for what else is looked at once in a while
	}
	m := memory{stretch: (length/stretches + c.Interval - 1) / c.Interval * c.Interval}
	if c.History == 0 || c.Judge != "sequential" {
		return m
	}
	what := []any{m.stretch, c.Selector, c.Version, c.Baseline, c.Canary}
	for i, metric := range c.Metrics {
		if f := d.feedOf[i]; metric.Kind == "count" && !slices.Contains(m.counted, f) {
			m.counted = append(m.counted, f)
			at := slices.IndexFunc(indicators, func(i flyball.Indicator) bool { return i.Name == metric.Indicator })
			what = append(what, indicators[at])
		}
	}
	sum := sha256.Sum256(mustJSON(what))
	m.layout = hex.EncodeToString(sum[:6])
	return m
}

// past is what the cohorts of an entity counted of late. It is replaced, never
// changed.
type past struct {
	done []stretch // the oldest first
	now  stretch
	size int // cohorts in all of them
}

// stretch is what was counted in one stretch.
type stretch struct {
	Start   flyball.Time    `json:"t"`
	Cohorts []cohortCounted `json:"c"`
}

// cohortCounted has the bad and all samples of a cohort, by counted feed.
type cohortCounted struct {
	Name   string  `json:"n"`
	Counts []int64 `json:"x"`
}

func (p past) empty() bool { return p.size == 0 }

// from returns what is not over, when the present stretch is that which starts at a
// time.
func (p past) from(d *definition, start flyball.Time) past {
	oldest := start.Add(-d.spec.History)
	for len(p.done) > 0 && p.done[0].Start < oldest {
		p.size -= len(p.done[0].Cohorts)
		p.done = p.done[1:]
	}
	if p.now.Start < oldest {
		return past{}
	}
	return p
}

// sorted returns what was restored in any order.
func (p past) sorted(d *definition) past {
	if len(p.done) == 0 {
		return p
	}
	slices.SortFunc(p.done, func(a, b stretch) int { return cmp.Compare(a.Start, b.Start) })
	p.now, p.done = p.done[len(p.done)-1], p.done[:len(p.done)-1]
	p.size = len(p.now.Cohorts)
	for _, st := range p.done {
		p.size += len(st.Cohorts)
	}
	return p.from(d, p.now.Start)
}

// setPast replaces the past of a subject.
func (s *subject) setPast(p past) {
	d := s.def
	if s.pastSaved == nil {
		was := s.past
		s.pastSaved, s.pastReported = &was, was
		d.moved = append(d.moved, s)
	}
	d.held += p.size - s.past.size
	s.past = p
}

// count adds what all cohorts have at a look to what they had.
func (s *subject) count(m *Machine, l look) {
	d := s.def
	if len(d.counted) == 0 || !l.complete {
		return
	}
	start := l.at.Add(-d.spec.Interval).Floor(d.stretch)
	p := s.past
	if !p.empty() && start > p.now.Start {
		if p = p.from(d, start); !p.empty() && len(l.data) > 0 {
			p.done, p.now = append(slices.Clip(p.done), p.now), stretch{}
		}
		s.setPast(p)
	}
	if len(l.data) == 0 {
		return
	}
	lost := false
	next := stretch{Start: start}
	for _, c := range p.now.Cohorts {
		next.Cohorts = append(next.Cohorts, cohortCounted{c.Name, slices.Clone(c.Counts)})
	}
	for _, c := range l.data {
		i := slices.IndexFunc(next.Cohorts, func(o cohortCounted) bool { return o.Name == c.key.cohort })
		if i < 0 {
			if added := len(next.Cohorts) - len(p.now.Cohorts); len(next.Cohorts) >= maxCounted || d.held+added >= maxHeld {
				lost = true
				continue
			}
			i = len(next.Cohorts)
			next.Cohorts = append(next.Cohorts, cohortCounted{c.key.cohort, make([]int64, 2*len(d.counted))})
		}
		for k, f := range d.counted {
			next.Cohorts[i].Counts[2*k] += c.cells[f].bad
			next.Cohorts[i].Counts[2*k+1] += c.cells[f].count
		}
	}
	if lost {
		m.out.HistoriesLost++
	}
	if len(next.Cohorts) > 0 {
		s.setPast(past{p.done, next, p.size + len(next.Cohorts) - len(p.now.Cohorts)})
	}
}

// lent is what the baseline of an analysis counted in one stretch before it.
type lent struct {
	Counts []int64 `json:"x"`
}

// lend gives the analysis that begins what its baseline counted before.
func (s *subject) lend() {
	d, r := s.def, s.Run
	for _, st := range append(slices.Clip(s.past.done), s.past.now) {
		if st.Start < r.StartedAt.Add(-d.spec.History) || st.Start.Add(d.stretch) > r.StartedAt {
			continue
		}
		counts := make([]int64, 2*len(d.counted))
		any := false
		for _, c := range st.Cohorts {
			if c.Name == r.Baseline || r.Baseline == "" && c.Name != r.Version {
				for i, n := range c.Counts {
					counts[i] += n
				}
				any = true
			}
		}
		if any {
			r.history = append(r.history, lent{counts})
		}
	}
	r.History = len(r.history)
}

// histories returns what was lent, by metric.
func (d *definition) histories(list []lent) []detectors.CanaryHistory {
	if len(list) == 0 {
		return nil
	}
	out := make([]detectors.CanaryHistory, len(d.spec.Metrics))
	for i, metric := range d.spec.Metrics {
		k := slices.Index(d.counted, d.feedOf[i])
		if metric.Kind != "count" || k < 0 {
			continue
		}
		out[i].Stretch = d.stretch
		for _, l := range list {
			out[i].Events = append(out[i].Events, float64(l.Counts[2*k]))
			out[i].Exposure = append(out[i].Exposure, float64(l.Counts[2*k+1]))
		}
	}
	return out
}

// storedPast is one key of the state.
type storedPast struct {
	Layout    string    `json:"l"`
	Stretches []stretch `json:"s"`
}

func (d *definition) chunkOf(st stretch) int64 { return int64(st.Start) / int64(pastChunk*d.stretch) }

// changedPasts reports what of the pasts differs from what was reported.
func (d *definition) changedPasts(change func(key string, value []byte)) {
	moved := slices.Clone(d.moved)
	slices.SortFunc(moved, func(a, b *subject) int { return strings.Compare(a.entity, b.entity) })
	for _, s := range moved {
		s.changedPast(change)
		s.pastReported = s.past
	}
}

func (s *subject) changedPast(change func(key string, value []byte)) {
	d := s.def
	key := func(chunk int64) string { return s.path() + "past/" + strconv.FormatInt(chunk, 10) }
	old, now := s.pastReported.chunks(d), s.past.chunks(d)
	for _, c := range old {
		if len(now) == 0 || c < now[0] {
			change(key(c), nil)
		}
	}
	all := append(slices.Clip(s.past.done), s.past.now)
	for _, c := range now {
		if len(old) > 0 && c < old[len(old)-1] {
			continue // only the last of them changes
		}
		stored := storedPast{Layout: d.layout}
		for _, st := range all {
			if d.chunkOf(st) == c {
				stored.Stretches = append(stored.Stretches, st)
			}
		}
		change(key(c), mustJSON(stored))
	}
}

// chunks returns the keys that a past has, ascending.
func (p past) chunks(d *definition) (out []int64) {
	if p.empty() {
		return nil
	}
	for _, st := range append(slices.Clip(p.done), p.now) {
		if c := d.chunkOf(st); len(out) == 0 || out[len(out)-1] != c {
			out = append(out, c)
		}
	}
	return out
}

// restorePast takes one key of the state.
func (m *Machine) restorePast(s *subject, key string, value []byte) error {
	var stored storedPast
	if err := json.Unmarshal(value, &stored); err != nil {
		return err
	}
	if stored.Layout != s.def.layout {
		m.gone = append(m.gone, key)
		return nil
	}
	s.past.done = append(s.past.done, stored.Stretches...)
	return nil
}

// recount counts what is held, after a restore.
func (d *definition) recount() {
	d.held = 0
	for _, s := range d.subjects {
		d.held += s.past.size
	}
}

func (d *definition) commitPasts() {
	for _, s := range d.moved {
		s.pastSaved, s.pastReported = nil, past{}
		if s.empty() {
			delete(d.subjects, s.entity)
		}
	}
	d.moved = d.moved[:0]
}

func (d *definition) abortPasts() {
	for _, s := range d.moved {
		d.held += s.pastSaved.size - s.past.size
		s.past, s.pastSaved, s.pastReported = *s.pastSaved, nil, past{}
	}
	d.moved = d.moved[:0]
}
