package anomaly

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors/evaluate/anomaly/release"
)

// Keys of the state, below what the evaluate machine puts before them:
//
//	entity/<detector>/<source>/<entity>                     its anomaly, and labels
//	release/<source>/<entity>                               versions that there are
//	watch/<detector>/<indicator>/<revision>/next            id of the next series
//	watch/<detector>/<indicator>/<revision>/series/<id>     snapshot of a series
//	watch/<detector>/<indicator>/<revision>/tick/<n>/<part> values of a tick, by its number modulo snapshotEvery
//
// Names are path-escaped. Every series takes a snapshot once in snapshotEvery ticks,
// each at another, so those ticks are all that a successor has to go through.

// snapshotEvery is how many ticks there are between snapshots of a series. It weighs
// what is written (13.5 KB ÷ 128 for a snapshot, about 14 bytes for a value) against
// what a successor observes again.
const snapshotEvery = 128

// blockSeries is of how many series values are in one block of a tick at most.
const blockSeries = 8192

// stateVersion changes whenever the meaning of the bytes does.
const stateVersion = 1

func (w *watch) path() string {
	return "watch/" + url.PathEscape(w.detector.Name) + "/" + url.PathEscape(w.spec.Name) + "/" + url.PathEscape(w.detector.Revision) + "/"
}

func (w *watch) seriesPath(id uint64) string {
	return w.path() + "series/" + strconv.FormatUint(id, 10)
}

func (e *entity) path() string {
	return "entity/" + url.PathEscape(e.key.detector) + "/" + url.PathEscape(e.key.source) + "/" + url.PathEscape(e.key.entity)
}

// journal adds the window of a series to the block of this tick.
func (w *watch) journal(sr *series) {
	if w.inBlock == blockSeries {
		w.flushJournal()
	}
	if w.inBlock == 0 {
		w.points = append(w.points[:0], stateVersion)
		w.points = binary.AppendUvarint(w.points, w.tick)
		w.points = binary.AppendVarint(w.points, int64(w.at))
	}
	w.points = binary.AppendUvarint(w.points, sr.id)
	w.points = binary.AppendVarint(w.points, sr.count)
	for _, v := range sr.value {
		w.points = binary.LittleEndian.AppendUint64(w.points, math.Float64bits(v))
	}
	w.inBlock++
}

// flushJournal ends a block. The first of a tick is written even if it is empty: that
// nobody had samples is to be observed again, too.
func (w *watch) flushJournal() {
	if w.inBlock == 0 {
		if w.part > 0 || len(w.order) == 0 {
			return
		}
		w.points = append(w.points[:0], stateVersion)
		w.points = binary.AppendUvarint(w.points, w.tick)
		w.points = binary.AppendVarint(w.points, int64(w.at))
	}
	key := fmt.Sprintf("%stick/%d/%d", w.path(), w.tick%snapshotEvery, w.part)
	w.blocks[key] = slices.Clone(w.points)
	w.inBlock = 0
	w.part++
}

// encode returns the memory of a series.
func (s *series) encode() []byte {
	b := s.header()
	for _, j := range s.judges {
		mark := len(b)
		b = binary.LittleEndian.AppendUint32(b, 0)
		b = j.AppendSnapshot(b)
		binary.LittleEndian.PutUint32(b[mark:], uint32(len(b)-mark-4))
	}
	return b
}

// header returns what of a series is known at its first tick: it has learned nothing.
func (s *series) header() []byte {
	b := []byte{stateVersion}
	b = binary.AppendUvarint(b, s.saved)
	b = binary.AppendVarint(b, int64(s.seen))
	for _, text := range [...]string{s.name, s.labels} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return b
}

// Changed reports what differs from the last commit.
func (m *Machine) Changed(change func(key string, value []byte)) {
	for _, w := range m.watches {
		if len(w.born) > 0 {
			change(w.path()+"next", strconv.AppendUint(nil, w.next, 10))
		}
		for _, sr := range w.born {
			if w.byLabels[sr.labels] == sr && w.snapshots[sr.id] == nil {
				change(w.seriesPath(sr.id), sr.birth)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(w.blocks)) {
			change(key, w.blocks[key])
		}
		for _, id := range slices.Sorted(maps.Keys(w.snapshots)) {
			change(w.seriesPath(id), w.snapshots[id])
		}
		for _, sr := range w.gone {
			change(w.seriesPath(sr.id), nil)
		}
	}
	for _, e := range m.sorted() {
		var value []byte
		if e.now != nil && (e.now.Open != nil || len(e.now.Recent) > 0 || len(e.now.Margins) > 0) {
			value = mustJSON(e.now)
		}
		change(e.path(), value)
	}
	m.releases.Changed(func(k release.Key, value []byte) {
		change("release/"+url.PathEscape(k.Source)+"/"+url.PathEscape(k.Entity), value)
	})
	for _, key := range m.former {
		change(key, nil)
	}
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: state does not encode: " + err.Error())
	}
	return b
}

// journal is what was written of one tick, while restoring.
type journal struct {
	w      *watch
	tick   uint64
	end    flyball.Time
	points []point
}

// point is what a series had at a tick.
type point struct {
	id    uint64
	count int64
	value []float64
}

var errMalformed = errors.New("it is malformed")

// Restore takes one change that a predecessor reported, without what was put before its
// key; in any order. Restored must follow.
func (m *Machine) Restore(key string, value []byte) error {
	parts := strings.Split(key, "/")
	for i := range parts {
		var err error
		if parts[i], err = url.PathUnescape(parts[i]); err != nil {
			return err
		}
	}
	switch {
	case parts[0] == "entity" && len(parts) == 4:
		return m.restoreEntity(entityKey{parts[1], parts[2], parts[3]}, value)
	case parts[0] == "release" && len(parts) == 3:
		return m.releases.Restore(release.Key{Source: parts[1], Entity: parts[2]}, value)
	case parts[0] == "watch" && len(parts) >= 5:
		return m.restoreWatch(key, parts, value)
	}
	return fmt.Errorf("its key is unknown")
}

func (m *Machine) restoreEntity(k entityKey, value []byte) error {
	for i := range m.cfg.Detectors {
		if d := &m.cfg.Detectors[i]; d.Name == k.detector {
			e := m.entities[k]
			if e == nil {
				e = &entity{key: k, detector: d}
				m.entities[k] = e
			}
			e.now = new(entityState)
			e.was = e.now
			return json.Unmarshal(value, e.now)
		}
	}
	return nil
}

func (m *Machine) restoreWatch(key string, parts []string, value []byte) error {
	for _, w := range m.watches {
		if w.detector.Name != parts[1] || w.spec.Name != parts[2] {
			continue
		}
		if w.detector.Revision != parts[3] { // another memory
			m.former = append(m.former, key)
			return nil
		}
		switch parts[4] {
		case "next":
			n, err := strconv.ParseUint(string(value), 10, 64)
			w.next = n
			return err
		case "series":
			return w.restoreSeries(m, strings.Join(parts[5:], "/"), value)
		case "tick":
			return m.restoreTick(w, value)
		}
	}
	return nil
}

// decoder reads what encode and journal wrote.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	return v + 0*uint64(d.skip(n))
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	return v + 0*int64(d.skip(n))
}

// skip passes over n bytes, or everything when they are not there.
func (d *decoder) skip(n int) int {
	if n <= 0 || n > len(d.b) {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return n
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) version() {
	if v := d.bytes(1); d.bad || v[0] != stateVersion {
		d.bad, d.b = true, nil
	}
}

func (w *watch) restoreSeries(m *Machine, idText string, value []byte) error {
	id, err := strconv.ParseUint(idText, 10, 64)
	if err != nil {
		return err
	}
	d := &decoder{b: value}
	d.version()
	saved, seen := d.uvarint(), flyball.Time(d.varint())
	name := string(d.bytes(d.uvarint()))
	labels := string(d.bytes(d.uvarint()))
	if d.bad || w.byLabels[labels] != nil {
		return errMalformed
	}
	sr := w.put(id, name, labels, m)
	sr.saved, sr.tick, sr.seen = saved, saved, seen
	w.tick, w.seen = max(w.tick, saved), max(w.seen, seen)
	for i := 0; len(d.b) > 0 && i < len(sr.judges); i++ {
		n := d.bytes(4)
		if d.bad {
			return errMalformed
		}
		if err := sr.judges[i].Restore(d.bytes(uint64(binary.LittleEndian.Uint32(n)))); err != nil {
			return err
		}
	}
	if d.bad || len(d.b) > 0 {
		return errMalformed
	}
	return nil
}

func (m *Machine) restoreTick(w *watch, value []byte) error {
	d := &decoder{b: value}
	d.version()
	j := journal{w: w, tick: d.uvarint(), end: flyball.Time(d.varint())}
	for len(d.b) > 0 {
		p := point{id: d.uvarint(), count: d.varint(), value: make([]float64, len(w.values))}
		for i := range p.value {
			if b := d.bytes(8); b != nil {
				p.value[i] = math.Float64frombits(binary.LittleEndian.Uint64(b))
			}
		}
		j.points = append(j.points, p)
	}
	if d.bad {
		return errMalformed
	}
	m.unread = append(m.unread, j)
	return nil
}

// Restored ends a restore: the detectors observe again what came after their
// snapshots.
func (m *Machine) Restored() {
	for _, w := range m.watches {
		blocks := slices.DeleteFunc(slices.Clone(m.unread), func(j journal) bool { return j.w != w })
		slices.SortFunc(blocks, func(a, b journal) int { return cmp.Compare(a.tick, b.tick) })
		byID := map[uint64]*series{}
		for _, sr := range w.order {
			byID[sr.id] = sr
		}
		for from := 0; from < len(blocks); {
			to := from
			for to < len(blocks) && blocks[to].tick == blocks[from].tick {
				to++
			}
			w.observeAgain(blocks[from:to], byID)
			from = to
		}
		for _, sr := range w.order {
			sr.was, sr.row = sr.seriesState, 0
		}
		w.was = w.watchState
	}
	m.unread = nil
}

// observeAgain goes through the blocks of one tick. What is in them of series that are
// forgotten, or have a snapshot of that tick, is passed over.
func (w *watch) observeAgain(blocks []journal, byID map[uint64]*series) {
	tick := blocks[0].tick
	w.tick, w.at = max(w.tick, tick), blocks[0].end
	for _, b := range blocks {
		for _, p := range b.points {
			sr := byID[p.id]
			if sr == nil || sr.saved >= tick {
				continue
			}
			sr.row, sr.count, sr.value, sr.seen = tick, p.count, p.value, b.end
			w.seen = max(w.seen, b.end)
		}
	}
	into := make([]reading, len(w.values))
	for _, sr := range w.order {
		if sr.saved < tick && !w.asleep(sr, w.at) {
			sr.tick = tick
			w.learn(sr, tick, w.at, into)
		}
	}
}
