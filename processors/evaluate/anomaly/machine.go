// Package anomaly watches the closed windows of series for what is unusual, and turns
// it into findings: one for each anomaly of an entity, however many of its series show
// it and for however long.
//
// It is a part of the evaluate machine, and keeps its law: what it says follows from
// the log alone. Detectors are large and change with every window, so neither an abort
// nor a commit copies them. What they said since the last commit is remembered; after
// an abort the same windows close again and are answered from that. What is durable of
// a series is a snapshot every few dozen windows and, between, the values themselves,
// which a successor lets its detectors observe again.
package anomaly

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/evaluate/anomaly/release"
)

// Config is what a machine works on.
type Config struct {
	// Partition of the panes topic.
	Partition int32
	// Indicators and Detectors of the configuration.
	Indicators []flyball.Indicator
	Detectors  []flyball.Detector
	// New returns the detector of one number of an indicator's windows.
	New func(d flyball.Detector, v flyball.WindowValue, of flyball.Indicator) detectors.SeriesDetector
}

const (
	// awake is for how long a series without samples is watched for its silence, for 3
	// windows at least.
	awake = 24 * time.Hour
	// remembered is for how long a series without samples is remembered, for 10 windows
	// at least.
	remembered = 8 * 24 * time.Hour
)

// Machine watches the series of one partition.
type Machine struct {
	cfg      Config
	watches  []*watch
	entities map[entityKey]*entity
	releases *release.Log
	touched  []*entity // since the last commit
	emptied  []*entity // without series for a while, since then
	notable  []notable // of the windows that end at the moment
	former   []string  // keys of the state that nothing has any more
	unread   []journal // while restoring
}

// entityKey identifies what one finding at a time is about. Windows of different
// sources close independently of each other, so that they make no finding together.
type entityKey struct{ detector, source, entity string }

// New returns a machine that has seen nothing.
func New(cfg Config) *Machine {
	m := &Machine{cfg: cfg, entities: map[entityKey]*entity{}, releases: release.NewLog()}
	for i := range cfg.Detectors {
		d := &cfg.Detectors[i]
		for _, w := range d.Watches {
			at := slices.IndexFunc(cfg.Indicators, func(i flyball.Indicator) bool { return i.Name == w.Indicator })
			if at >= 0 && len(w.Values) > 0 {
				m.watches = append(m.watches, newWatch(d, cfg.Indicators[at], w.Values, cfg))
			}
		}
	}
	return m
}

// Step is what a step of a source's watermark closed.
type Step struct {
	// Source that it is of, and the step: windows that end in (From, To] close.
	Source   string
	From, To flyball.Time
	// Windows holds what closed, from row First on.
	Windows *processors.Windows
	First   int
	// Complete reports whether windows that end at a time miss nothing.
	Complete func(end flyball.Time) bool
}

// Output is what a step found.
type Output struct {
	Findings []flyball.Finding
	Bands    processors.Bands
}

// Close judges the windows that closed, in the order of their ends.
func (m *Machine) Close(s Step, out *Output) {
	watching := false
	for _, w := range m.watches {
		w.pending = w.pending[:0]
		if w.spec.Source == s.Source {
			watching = true
			w.cursor = s.From
		}
	}
	if !watching {
		return
	}
	for i := s.First; i < s.Windows.Len(); i++ {
		for _, w := range m.watches {
			if w.spec.Source == s.Source && w.spec.Name == s.Windows.Indicator[i] {
				w.pending = append(w.pending, i)
			}
		}
	}
	versions := m.versionsIn(&s)
	if s.From.Floor(day) < s.To.Floor(day) {
		m.releases.Forget(s.Source, s.To)
	}
	for {
		end := flyball.Time(math.MaxInt64)
		for _, w := range m.watches {
			if w.spec.Source == s.Source {
				end = min(end, w.nextEnd(s.Windows))
			}
		}
		versions = m.see(versions, &s, min(end, s.To))
		if end > s.To {
			return
		}
		m.notable = m.notable[:0]
		for _, w := range m.watches {
			if w.spec.Source == s.Source && w.nextEnd(s.Windows) == end {
				m.tick(w, end, &s, out)
			}
		}
		m.settle(end, out)
	}
}

// tick lets the series of a watch observe the windows that end at a time. Windows of
// which something may be missing, and those in time that is left out, are neither
// judged nor learned.
func (m *Machine) tick(w *watch, end flyball.Time, s *Step, out *Output) {
	w.cursor = end
	n := 0
	for n < len(w.pending) && flyball.Time(s.Windows.End[w.pending[n]]) <= end {
		n++
	}
	rows := w.pending[:n]
	w.pending = w.pending[n:]
	if !s.Complete(end) {
		return
	}
	if why := w.excludedBy(end.Add(-w.spec.Window), end); why != "" {
		m.mute(w, rows, end, why, s, out)
		return
	}
	before := w.watchState
	w.begin(end)
	for _, i := range rows {
		w.present(s.Windows.Row(i), m)
	}
	if len(w.order) == 0 { // it was no tick
		w.watchState = before
		return
	}
	for _, sr := range w.order {
		if !w.asleep(sr, end) {
			m.note(w, sr, w.observe(sr, end), end, out)
		} else if sr.entity.open() != nil {
			m.notable = append(m.notable, notable{w: w, sr: sr, value: -1})
		}
	}
	w.end(m)
}

// note keeps what of a series' readings can matter to a finding, and reports bands.
func (m *Machine) note(w *watch, sr *series, said []reading, end flyball.Time, out *Output) {
	open := sr.entity.open() != nil
	for i := range said {
		r := &said[i]
		alarm := w.alarms(sr, i, r)
		if sr.row == w.tick {
			out.Bands.Append(processors.BandRow{
				Detector: w.detector.Name, Indicator: w.spec.Name, Value: w.values[i], Entity: sr.name, Labels: sr.labels,
				Start: end.Add(-w.spec.Window), End: end, Observed: r.observed, Expected: r.Expected, Low: finite(r.Low), High: finite(r.High),
				Digits: r.Digits, Threshold: r.Threshold, Algorithm: r.Algorithm, Alarm: alarm,
			})
		}
		if alarm || open || r.News && r.Digits >= unusual {
			n := notable{w: w, sr: sr, value: i, alarm: alarm, reading: *r}
			if n.reason != "" {
				n.after = m.after(w, sr, end.Add(-r.Age))
			}
			m.notable = append(m.notable, n)
		}
	}
}

func finite(x float64) float64 {
	if math.IsInf(x, 0) {
		return math.NaN()
	}
	return x
}

// TakeUnwatched returns how many windows were not watched since it was last called,
// because there were more series than the limits admit.
func (m *Machine) TakeUnwatched() (n int64) {
	for _, w := range m.watches {
		n += w.refused
		w.refused = 0
	}
	return n
}

// Series returns how many series are watched.
func (m *Machine) Series() (n int) {
	for _, w := range m.watches {
		n += len(w.order)
	}
	return n
}

// Commit makes what was done since the last Commit permanent.
func (m *Machine) Commit() {
	for _, w := range m.watches {
		w.commit()
	}
	for _, e := range m.touched {
		e.was, e.dirty = e.now, false
	}
	m.touched, m.former = m.touched[:0], nil
	m.releases.Commit()
	m.dropEmpty()
}

// dropEmpty forgets entities of which nothing is known any more.
func (m *Machine) dropEmpty() {
	for _, e := range m.emptied {
		if e.series == 0 && e.now == nil && m.entities[e.key] == e {
			delete(m.entities, e.key)
		}
	}
	m.emptied = m.emptied[:0]
}

// Abort takes it back.
func (m *Machine) Abort() {
	for _, w := range m.watches {
		w.abort(m)
	}
	for _, e := range m.touched {
		e.now, e.dirty = e.was, false
	}
	m.touched = m.touched[:0]
	m.releases.Abort()
	m.dropEmpty()
}

// entityOf returns the entity of a series.
func (m *Machine) entityOf(w *watch, name string) *entity {
	k := entityKey{w.detector.Name, w.spec.Source, name}
	e := m.entities[k]
	if e == nil {
		e = &entity{key: k, detector: w.detector}
		m.entities[k] = e
	}
	return e
}

// sorted returns the entities that changed, by their keys.
func (m *Machine) sorted() []*entity {
	slices.SortFunc(m.touched, func(a, b *entity) int { return compareEntities(a.key, b.key) })
	return m.touched
}

func compareEntities(a, b entityKey) int {
	return cmp.Or(cmp.Compare(a.detector, b.detector), cmp.Compare(a.source, b.source), cmp.Compare(a.entity, b.entity))
}
