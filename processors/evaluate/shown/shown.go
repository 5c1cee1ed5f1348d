// Package shown keeps examples of the samples of the last minutes, and gives findings
// those that show what they are about.
//
// It has no durable state: a successor adds what came since Low again, and has the same
// examples then, because those of a pane do not depend on the order in which they came.
package shown

import (
	"hash/fnv"
	"maps"
	"math"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/examples"
	"github.com/flyball-io/flyball/processors/offsets"
)

// Kept is for how long after the end of a pane its examples are kept.
const Kept = 5 * time.Minute

// mostSeries is of how many series of an indicator examples are kept in a pane, bad ones
// and others.
const mostSeries = 64

// Store holds the examples of a partition. It changes in place; Abort takes changes back.
type Store struct {
	indicators map[string]*indicator
	targets    map[string][]target // by SLO and canary
}

// New returns a store without examples.
func New(indicators []flyball.Indicator, slos []flyball.SLO, canaries []flyball.Canary) *Store {
	s := &Store{indicators: map[string]*indicator{}, targets: targetsOf(slos, canaries)}
	for i := range indicators {
		spec := &indicators[i]
		s.indicators[spec.Name] = &indicator{
			source: spec.Source, width: spec.Pane, panes: map[flyball.Time]*pane{}, undo: map[flyball.Time]*pane{}, lows: offsets.NewLows(),
		}
	}
	return s
}

// indicator holds the examples of one indicator.
type indicator struct {
	source string
	width  time.Duration
	panes  map[flyball.Time]*pane
	undo   map[flyball.Time]*pane // as they were at the last commit; nil for absent
	lows   offsets.Lows
}

// pane holds the examples of one pane: of bad samples, and of those with high values.
// What is kept of the one does not depend on the other.
type pane struct {
	bad, high top
}

// top holds the examples of the first so many series, by a hash of their labels.
type top struct {
	series map[string]held // by the labels of the series
	last   string          // of those, and its order
	order  uint64
}

// held is what is kept of one series.
type held struct {
	entity string
	few    examples.Few
	order  uint64
}

func (p *pane) clone() *pane {
	if p == nil {
		return nil
	}
	c := *p
	c.bad.series, c.high.series = maps.Clone(p.bad.series), maps.Clone(p.high.series)
	return &c
}

func (i *indicator) gone(wm flyball.Time) func(start flyball.Time) bool {
	return func(start flyball.Time) bool { return wm != flyball.NoTime && start.Add(i.width+Kept) <= wm }
}

// Add takes the examples of a partial pane that came with the record at offset, when the
// watermark is wm. The strings of the row may be lent. What does not decode is not shown.
func (s *Store) Add(row *processors.PaneRow, offset int64, wm flyball.Time) {
	if len(row.Examples) == 0 {
		return
	}
	ind := s.indicators[row.Indicator]
	if ind == nil || ind.gone(wm)(row.Start) {
		return
	}
	p, order := ind.panes[row.Start], orderOf(row.Labels)
	if p != nil && !p.bad.wants(row.Labels, order) && !p.high.wants(row.Labels, order) {
		return // as of most series, where there are many
	}
	few, err := examples.Read(row.Examples, row.Start)
	if err != nil || few.Empty() {
		return
	}
	if _, saved := ind.undo[row.Start]; !saved {
		ind.undo[row.Start] = p.clone()
	}
	if p == nil {
		p = &pane{top{series: map[string]held{}}, top{series: map[string]held{}}}
		ind.panes[row.Start] = p
	}
	ind.lows.Note(row.Start, offset)
	p.bad.keep(row, few.Bad(), order)
	p.high.keep(row, few.High(), order)
}

// wants reports whether a series is one of the first, or may be.
func (t *top) wants(labels string, order uint64) bool {
	return len(t.series) < mostSeries || order < t.order || order == t.order && labels <= t.last
}

// keep adds examples of a series, if it is one of the first.
func (t *top) keep(row *processors.PaneRow, few examples.Few, order uint64) {
	if few.Empty() || !t.wants(row.Labels, order) {
		return
	}
	h, ok := t.series[row.Labels]
	if ok {
		h.few.Merge(&few)
		t.series[row.Labels] = h
		return
	}
	t.series[strings.Clone(row.Labels)] = held{entity: strings.Clone(row.Entity), few: few, order: order}
	if len(t.series) > mostSeries {
		delete(t.series, t.last)
	}
	t.last, t.order = "", 0
	for labels, o := range t.series {
		if t.last == "" || o.order > t.order || o.order == t.order && labels > t.last {
			t.last, t.order = labels, o.order
		}
	}
}

func orderOf(labels string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(labels))
	return h.Sum64() ^ h.Sum64()>>29
}

// Low returns the lowest offset that an example in memory came from. watermark is that of
// a source.
func (s *Store) Low(watermark func(source string) flyball.Time) (low int64, any bool) {
	low = math.MaxInt64
	for _, ind := range s.indicators {
		if l, ok := ind.lows.Lowest(ind.gone(watermark(ind.source))); ok {
			low, any = min(low, l), true
		}
	}
	return low, any
}

// Commit makes changes permanent, and forgets what is too old.
func (s *Store) Commit(watermark func(source string) flyball.Time) {
	for _, ind := range s.indicators {
		gone := ind.gone(watermark(ind.source))
		clear(ind.undo)
		ind.lows.Commit(gone)
		maps.DeleteFunc(ind.panes, func(start flyball.Time, _ *pane) bool { return gone(start) })
	}
}

// Abort takes back what changed since the last Commit.
func (s *Store) Abort() {
	for _, ind := range s.indicators {
		for start, old := range ind.undo {
			if old == nil {
				delete(ind.panes, start)
			} else {
				ind.panes[start] = old
			}
		}
		clear(ind.undo)
		ind.lows.Abort()
	}
}
