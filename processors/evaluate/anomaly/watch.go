package anomaly

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/detectors"
	"github.com/flyball-io/flyball/processors"
)

// watch is one indicator under one detector: its series, and the ticks at which they
// observe. A tick is the end of a window at which there is anything to observe.
type watch struct {
	detector *flyball.Detector
	spec     flyball.Indicator
	values   []flyball.WindowValue
	make     func(flyball.Detector, flyball.WindowValue, flyball.Indicator) detectors.SeriesDetector
	excluded []exclusion
	refused  int64
	step     time.Duration // from one window's end to the next
	// For how long a series without samples is watched for its silence, and remembered.
	awake, remembered time.Duration

	byLabels map[string]*series
	order    []*series // by id
	watchState
	was watchState // as of the last commit

	// Of the transaction.
	blocks    map[string][]byte // of the journal, by their keys
	born      []*series
	gone      []*series
	snapshots map[uint64][]byte // by id of a series

	// Of the step, and of the tick.
	pending []int
	cursor  flyball.Time
	points  []byte // of the block of the journal that is being written
	inBlock int
	part    int
}

// watchState is what counts.
type watchState struct {
	next uint64       // id of the next series
	tick uint64       // of the last tick; they count from 1
	at   flyball.Time // its window's end
	seen flyball.Time // end of the last window with samples of any series
}

// series is one series with the detectors of its values.
type series struct {
	id           uint64
	name, labels string // of its entity, and as canonical JSON
	entity       *entity
	judges       []detectors.SeriesDetector
	birth        []byte // its state when it was new
	seriesState
	was seriesState // as of the last commit

	row   uint64    // tick at which it had samples
	count int64     // of them
	value []float64 // of that window

	// What the detectors said since the last commit, a tick after the other, and up to
	// where it was asked for: less after an abort.
	said  []said
	asked int
	taken []snapshot
}

// seriesState is what of a series is counted.
type seriesState struct {
	seen  flyball.Time // end of the last window with samples
	tick  uint64       // last observed
	saved uint64       // tick of the last snapshot
}

// said is what the detectors of a series said at a tick.
type said struct {
	tick     uint64
	readings []reading
}

// snapshot is the memory of a series as of a tick.
type snapshot struct {
	tick uint64
	text []byte
}

// reading is a reading with the value that it is of, and its reason in words where
// that can matter.
type reading struct {
	detectors.SeriesReading
	observed float64
	reason   string
}

func newWatch(d *flyball.Detector, spec flyball.Indicator, values []flyball.WindowValue, cfg Config) *watch {
	w := &watch{
		detector: d, spec: spec, values: values, make: cfg.New, excluded: exclusionsOf(d, spec.Pane),
		step:     cmp.Or(spec.Hop, spec.Window),
		byLabels: map[string]*series{},
		blocks:   map[string][]byte{}, snapshots: map[uint64][]byte{},
	}
	w.awake, w.remembered = max(awake, 3*w.step), max(remembered, 10*w.step)
	w.at, w.seen = flyball.NoTime, flyball.NoTime
	w.was = w.watchState
	return w
}

// nextEnd returns the end of the next window at which there is anything to observe:
// samples or, while any series is awake, their absence.
func (w *watch) nextEnd(rows *processors.Windows) flyball.Time {
	next := flyball.Time(math.MaxInt64)
	if len(w.pending) > 0 {
		next = flyball.Time(rows.End[w.pending[0]])
	}
	if w.cursor == flyball.NoTime || len(w.order) == 0 {
		return next
	}
	if end := w.cursor.Floor(w.step).Add(w.step); end <= w.seen.Add(w.awake+w.step) { // one more, at which the last falls asleep
		next = min(next, end)
	}
	return next
}

// asleep reports whether a series has had no samples for so long that its silence is
// not observed any more.
func (w *watch) asleep(s *series, end flyball.Time) bool { return s.seen.Add(w.awake) < end }

// begin begins a tick.
func (w *watch) begin(end flyball.Time) {
	w.tick++
	w.at = end
	w.points, w.inBlock, w.part = w.points[:0], 0, 0
}

// present takes in the window of a series.
func (w *watch) present(row processors.WindowRow, m *Machine) {
	sr := w.byLabels[row.Labels]
	if sr == nil {
		if sr = w.add(row.Entity, row.Labels, m); sr == nil {
			return
		}
		w.born = append(w.born, sr)
	}
	sr.row, sr.count, sr.seen = w.tick, row.Count, w.at
	w.seen = w.at
	for i, v := range w.values {
		sr.value[i] = valueOf(&row, v)
	}
	w.journal(sr)
}

// valueOf returns a number of a window, NaN where it has none.
func valueOf(r *processors.WindowRow, v flyball.WindowValue) float64 {
	switch v {
	case flyball.ValueRate:
		return float64(r.Count) / r.End.Sub(r.Start).Seconds()
	case flyball.ValueErrorRatio:
		return float64(r.Bad) / float64(r.Count)
	case flyball.ValueMean:
		return r.Sum / float64(r.Count)
	case flyball.ValueP50:
		return r.P50
	case flyball.ValueP90:
		return r.P90
	case flyball.ValueP95:
		return r.P95
	}
	return r.P99
}

// add begins to watch a series, or returns nil for one that is not to be watched.
func (w *watch) add(entity, labels string, m *Machine) *series {
	if isOverflow(entity) || !w.selects(labels) {
		return nil
	}
	if len(w.order) >= w.detector.SeriesLimit {
		w.refused++
		return nil
	}
	sr := w.put(w.next, entity, labels, m)
	sr.saved, sr.tick = w.tick-1, w.tick-1
	sr.birth = sr.header()
	w.next++
	return sr
}

// put makes a series known.
func (w *watch) put(id uint64, entity, labels string, m *Machine) *series {
	sr := &series{id: id, name: entity, labels: labels, entity: m.entityOf(w, entity), value: make([]float64, len(w.values))}
	sr.seen = flyball.NoTime
	sr.entity.series++
	for _, v := range w.values {
		sr.judges = append(sr.judges, w.make(*w.detector, v, w.spec))
	}
	w.insert(sr)
	return sr
}

func (w *watch) insert(sr *series) {
	w.byLabels[sr.labels] = sr
	at, _ := slices.BinarySearchFunc(w.order, sr.id, func(s *series, id uint64) int { return cmp.Compare(s.id, id) })
	w.order = slices.Insert(w.order, at, sr)
}

func (w *watch) remove(sr *series, m *Machine) {
	delete(w.byLabels, sr.labels)
	if at, ok := slices.BinarySearchFunc(w.order, sr.id, func(s *series, id uint64) int { return cmp.Compare(s.id, id) }); ok {
		w.order = slices.Delete(w.order, at, at+1)
	}
	if sr.entity.series--; sr.entity.series == 0 {
		m.emptied = append(m.emptied, sr.entity)
	}
}

// observe lets the detectors of a series see the window of this tick, or that it had
// none: then the rate is 0. What they said before an abort they are not asked again.
func (w *watch) observe(sr *series, end flyball.Time) []reading {
	sr.tick = w.tick
	if sr.asked < len(sr.said) {
		s := &sr.said[sr.asked]
		if s.tick != w.tick {
			panic("BUG: after an abort windows close otherwise")
		}
		sr.asked++
		return s.readings
	}
	s := sr.another(len(w.values))
	s.tick = w.tick
	w.learn(sr, w.tick, end, s.readings)
	for i := range s.readings {
		if r := &s.readings[i]; r.News && r.Digits >= unusual {
			r.reason = r.Reason.String()
		}
	}
	return s.readings
}

// learn fills in what the detectors say of a tick.
func (w *watch) learn(sr *series, tick uint64, end flyball.Time, into []reading) {
	for i, v := range w.values {
		p := detectors.SeriesPoint{At: end, Value: math.NaN()}
		switch {
		case sr.row == tick:
			p.Value, p.Count = sr.value[i], sr.count
		case v == flyball.ValueRate:
			p.Value = 0
		}
		into[i] = reading{SeriesReading: sr.judges[i].Observe(p), observed: p.Value}
	}
}

// another returns the memory of a tick.
func (s *series) another(values int) *said {
	if n := len(s.said); n < cap(s.said) {
		s.said = s.said[:n+1]
	} else {
		s.said = append(s.said, said{})
	}
	out := &s.said[len(s.said)-1]
	if out.readings == nil {
		out.readings = make([]reading, values)
	}
	s.asked = len(s.said)
	return out
}

// end ends a tick: it forgets series, and takes the snapshots that are due.
func (w *watch) end(m *Machine) {
	w.flushJournal()
	var gone []*series
	for _, sr := range w.order {
		if sr.seen.Add(w.remembered) < w.at {
			gone = append(gone, sr)
			continue
		}
		if w.tick%snapshotEvery == sr.id%snapshotEvery && sr.tick > sr.saved {
			w.snapshot(sr)
		}
	}
	for _, sr := range gone {
		w.remove(sr, m)
		w.gone = append(w.gone, sr)
		delete(w.snapshots, sr.id)
		if sr.entity.series == 0 {
			m.forget(sr.entity)
		}
	}
}

// snapshot takes the snapshot of a series, or the one that was taken before an abort.
func (w *watch) snapshot(sr *series) {
	sr.saved = w.tick
	at := slices.IndexFunc(sr.taken, func(s snapshot) bool { return s.tick == w.tick })
	if at < 0 {
		if sr.asked < len(sr.said) {
			panic("BUG: a snapshot is due that was not before an abort")
		}
		at = len(sr.taken)
		sr.taken = append(sr.taken, snapshot{w.tick, sr.encode()})
	}
	w.snapshots[sr.id] = sr.taken[at].text
}

func (w *watch) selects(labels string) bool {
	if len(w.detector.Selector) == 0 {
		return true
	}
	ls := labelsOf(labels)
	for i := range w.detector.Selector {
		if c := &w.detector.Selector[i]; !c.MatchString(ls.Get(c.Name)) {
			return false
		}
	}
	return true
}

func (w *watch) commit() {
	for _, sr := range w.order {
		sr.commit()
	}
	w.was = w.watchState
	w.clear()
}

// commit keeps of what was said before an abort what was not asked again yet.
func (s *series) commit() {
	s.was, s.birth = s.seriesState, nil
	if s.asked == len(s.said) {
		s.said, s.taken = s.said[:0], nil
	} else {
		s.said = slices.Clone(s.said[s.asked:])
		s.taken = slices.DeleteFunc(s.taken, func(t snapshot) bool { return t.tick <= s.tick })
	}
	s.asked = 0
}

// clear forgets what the transaction is to write.
func (w *watch) clear() {
	w.born, w.gone = w.born[:0], nil
	clear(w.blocks)
	clear(w.snapshots)
}

func (w *watch) abort(m *Machine) {
	for _, sr := range w.born {
		if w.byLabels[sr.labels] == sr {
			w.remove(sr, m)
		}
	}
	for _, sr := range w.gone {
		if !slices.Contains(w.born, sr) {
			w.insert(sr)
			sr.entity.series++
		}
	}
	for _, sr := range w.order {
		sr.seriesState, sr.row, sr.asked = sr.was, 0, 0
	}
	w.watchState = w.was
	w.clear()
}
