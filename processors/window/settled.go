package window

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
)

// A window longer than an hour is not rebuilt from the log by a successor. Once
// nothing that comes on time for its lateness can reach one of its cells, the cell is
// settled: folded into the segment of its series and part, which is durable state. What
// comes later than that, but before the window expires, is added to the segment. So a
// month of panes is a segment per series and part, and some cells.

// segment is what is settled of one series in one part.
type segment struct {
	series *Series
	start  flyball.Time
	amount
	was     *amount // as of the last commit, where it changed since; nil for nothing
	touched bool    // changed since the last commit
	gone    bool    // expired since
}

// amount is what a segment holds.
type amount struct {
	first      int64 // lowest offset that it came from
	count, bad int64
	min, max   float64
	sum        processors.Sum
	packed     []byte // histogram, nil for none; replaced, never changed
}

// settled is what a store of long windows keeps beside its cells.
type settled struct {
	to      flyball.Time // cells that end at it or before are settled
	written flyball.Time // the same as of the last commit
	resumed flyball.Time // the same as of the restore: what is replayed before is here already
	drops   bool         // cells are dropped instead of settled: nobody asks for windows
	touched []*segment   // since the last commit
	cells   []*cell      // that were settled since
	// later holds the offsets at which restored series came into a part, in order: while
	// the log is replayed, the limit counts those that had.
	later map[flyball.Time][]int64
}

func newSettled() settled {
	return settled{to: flyball.NoTime, written: flyball.NoTime, resumed: flyball.NoTime, later: map[flyball.Time][]int64{}}
}

// DropWindows tells the store that nobody asks for its windows, but for its panes only.
// It belongs before anything else. What is settled then is nowhere, so that the limit of
// series counts by cell, and what comes later counts for its own series.
func (s *Store) DropWindows() {
	s.settled.drops = true
	if s.long {
		s.part = s.cell
	}
}

// edge returns up to where cells are settled at a watermark. It moves with the edges of
// panes, so that a successor comes to the same between two of them.
func (s *Store) edge(watermark flyball.Time) flyball.Time {
	return s.cellOf(watermark.Floor(s.pane).Add(-s.lateness))
}

// Durable reports whether a pane that is replayed is in what was restored already.
func (s *Store) Durable(paneStart, watermark flyball.Time) bool {
	if !s.long {
		return false
	}
	edge := s.settled.resumed
	if s.settled.drops && watermark != flyball.NoTime {
		edge = s.edge(watermark)
	}
	return edge != flyball.NoTime && s.filled(s.cellOf(paneStart), edge)
}

// Settle folds the cells that samples on time for their lateness cannot reach any more,
// and drops segments that have expired. It belongs after what closes at the watermark,
// and must not be called while the log is replayed; after that, it brings a store that
// drops windows to where its predecessor was.
func (s *Store) Settle(watermark flyball.Time) {
	if !s.long || watermark == flyball.NoTime {
		return
	}
	to := s.edge(watermark)
	if to <= s.settled.to {
		return
	}
	s.settled.to = to
	s.all(func(sr *Series) {
		n := 0
		for ; n < len(sr.cells) && s.filled(sr.cells[n].start, to); n++ {
			if !s.settled.drops {
				s.fold(sr.cells[n])
			}
		}
		s.settled.cells = append(s.settled.cells, sr.cells[:n]...)
		sr.cells = slices.Delete(sr.cells, 0, n)
		n = 0
		for ; n < len(sr.settled) && s.Expired(sr.settled[n].start, watermark); n++ {
			sr.settled[n].gone = true
			s.touchSegment(sr.settled[n])
		}
		sr.settled = slices.Delete(sr.settled, 0, n)
	})
	s.windows.Drop(func(start flyball.Time) bool { return s.filled(start, to) })
}

// touchSegment saves a segment before the transaction's first change of it.
func (s *Store) touchSegment(g *segment) {
	if g.touched {
		return
	}
	was := g.amount
	g.touched, g.was = true, &was
	s.settled.touched = append(s.settled.touched, g)
}

// segmentOf returns the segment of a series in a part, touched, a new one if need be.
func (s *Store) segmentOf(sr *Series, part flyball.Time, offset int64) *segment {
	at, ok := sr.segment(part)
	if ok {
		s.touchSegment(sr.settled[at])
		return sr.settled[at]
	}
	g := &segment{series: sr, start: part, touched: true, amount: amount{first: offset, min: math.Inf(1), max: math.Inf(-1)}}
	s.settled.touched = append(s.settled.touched, g)
	sr.settled = slices.Insert(sr.settled, at, g)
	return g
}

func (a *amount) add(first, count, bad int64, least, most float64, sum processors.Sum) {
	a.first = min(a.first, first)
	a.count += count
	a.bad += bad
	a.min, a.max = math.Min(a.min, least), math.Max(a.max, most)
	a.sum.Merge(sum)
}

// fold adds a cell to the segment of its part. The cell stays as it is, should the
// transaction be taken back.
func (s *Store) fold(c *cell) {
	g := s.segmentOf(c.series, s.partOf(c.start), c.first)
	g.add(c.first, c.count, c.bad, c.min, c.max, c.sum())
	packed := c.packed
	if c.live != nil && c.live.Count() > 0 {
		packed = c.live.AppendBinary(nil)
	}
	if len(packed) == 0 {
		return
	}
	merged, err := s.merged(g.packed, packed)
	if err != nil {
		panic("BUG: a packed histogram does not decode: " + err.Error())
	}
	g.packed = merged
}

// merged adds two encoded histograms, of which the first is good or empty.
func (s *Store) merged(a, b []byte) ([]byte, error) {
	h := s.pool.hist()
	defer s.pool.freeHist(h)
	if len(a) > 0 {
		unpack(h, a)
	}
	if err := h.MergeBinary(b); err != nil {
		return nil, err
	}
	return h.AppendBinary(nil), nil
}

// addSettled adds a row whose cell is settled.
func (s *Store) addSettled(r *processors.PaneRow, offset int64) (*Series, error) {
	if s.settled.drops {
		return s.own(r)
	}
	part := s.partOf(r.Start)
	sr, err := s.admit(r, part, offset)
	if err != nil {
		return nil, err
	}
	var packed []byte
	if at, ok := sr.segment(part); ok {
		packed = sr.settled[at].packed
	}
	if len(r.Hist) > 0 {
		if packed, err = s.merged(packed, r.Hist); err != nil {
			return nil, err
		}
	}
	s.count(part, sr)
	s.hold(sr)
	g := s.segmentOf(sr, part, offset)
	g.add(offset, r.Count, r.Bad, r.Min, r.Max, r.Sum)
	g.packed = packed
	return sr, nil
}

func (sr *Series) segment(part flyball.Time) (int, bool) {
	return slices.BinarySearchFunc(sr.settled, part, func(g *segment, t flyball.Time) int { return cmp.Compare(g.start, t) })
}

func (s *Store) commitSettled() {
	for _, g := range s.settled.touched {
		g.touched, g.was = false, nil
	}
	s.settled.touched = s.settled.touched[:0]
	for _, c := range s.settled.cells {
		s.pool.freeHist(c.live)
	}
	s.settled.cells = nil
	s.settled.written = s.settled.to
}

// abortSettled takes back what was settled. It belongs before changes of cells are
// taken back.
func (s *Store) abortSettled() {
	for _, g := range s.settled.touched {
		at, ok := g.series.segment(g.start)
		switch {
		case g.was == nil && ok: // it was not there
			g.series.settled = slices.Delete(g.series.settled, at, at+1)
		case g.was != nil && !ok: // it expired
			s.hold(g.series)
			g.series.settled = slices.Insert(g.series.settled, at, g)
		}
		if g.was != nil {
			g.amount = *g.was
		}
		g.touched, g.gone, g.was = false, false, nil
	}
	s.settled.touched = s.settled.touched[:0]
	for _, c := range s.settled.cells {
		s.hold(c.series)
		at, _ := c.series.find(c.start)
		c.series.cells = slices.Insert(c.series.cells, at, c)
	}
	s.settled.cells = nil
	s.settled.to = s.settled.written
}

const settledKey = "settled"

func (g *segment) key() string {
	return strconv.FormatInt(int64(g.start), 10) + "/" + url.PathEscape(g.series.Labels)
}

// Changed calls f with every part of the durable state that differs from the last
// commit; value is nil for one that is gone.
func (s *Store) Changed(f func(key string, value []byte)) {
	if !s.long || s.settled.drops {
		return
	}
	list := slices.Clone(s.settled.touched)
	slices.SortFunc(list, func(a, b *segment) int {
		return cmp.Or(cmp.Compare(a.start, b.start), strings.Compare(a.series.Labels, b.series.Labels))
	})
	for _, g := range list {
		if g.gone {
			f(g.key(), nil)
		} else {
			f(g.key(), g.encode())
		}
	}
	if s.settled.to != s.settled.written {
		f(settledKey, strconv.AppendInt(nil, int64(s.settled.to), 10))
	}
}

// Restore takes a part of the durable state, before anything else.
func (s *Store) Restore(key string, value []byte) error {
	if key == settledKey {
		n, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil {
			return fmt.Errorf("cannot restore what is settled: %w", err)
		}
		s.settled.to, s.settled.written, s.settled.resumed = flyball.Time(n), flyball.Time(n), flyball.Time(n)
		return nil
	}
	at, escaped, ok := strings.Cut(key, "/")
	labels, err := url.PathUnescape(escaped)
	if !ok || err != nil {
		return fmt.Errorf("cannot restore segment %q: its key is not start/labels", key)
	}
	start, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return fmt.Errorf("cannot restore segment %q: %w", key, err)
	}
	sr := s.byKey[labels]
	g := &segment{start: flyball.Time(start)}
	entity, err := g.decode(value)
	if err != nil {
		return fmt.Errorf("cannot restore segment %q: %w", key, err)
	}
	if sr == nil {
		sr = &Series{Entity: entity, Labels: labels}
	}
	g.series = sr
	s.hold(sr)
	i, found := sr.segment(g.start)
	if found {
		sr.settled[i] = g
		return nil
	}
	sr.settled = slices.Insert(sr.settled, i, g)
	if labels != s.overflow.Labels {
		list := s.settled.later[g.start]
		j, _ := slices.BinarySearch(list, g.first)
		s.settled.later[g.start] = slices.Insert(list, j, g.first)
	}
	return nil
}

// arrive counts the restored series that had come into a part at an offset.
func (s *Store) arrive(part flyball.Time, offset int64) {
	list := s.settled.later[part]
	n := 0
	for n < len(list) && list[n] <= offset {
		n++
	}
	if n > 0 {
		s.parts[part] += n
		if old, saved := s.undoParts[part]; saved { // they came before this transaction
			s.undoParts[part] = old + n
		}
		if s.settled.later[part] = list[n:]; len(list) == n {
			delete(s.settled.later, part)
		}
	}
}

// encode: version, entity, counts, floats, histogram.
func (g *segment) encode() []byte {
	b := []byte{1}
	b = binary.AppendUvarint(b, uint64(len(g.series.Entity)))
	b = append(b, g.series.Entity...)
	b = binary.AppendVarint(b, g.first)
	b = binary.AppendVarint(b, g.count)
	b = binary.AppendVarint(b, g.bad)
	hi, lo := g.sum.Parts()
	for _, f := range [...]float64{g.min, g.max, hi, lo} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
	}
	return append(b, g.packed...)
}

func (g *segment) decode(b []byte) (entity string, err error) {
	if len(b) == 0 || b[0] != 1 {
		return "", fmt.Errorf("it has no known version")
	}
	b = b[1:]
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return "", fmt.Errorf("its entity is cut off")
	}
	entity, b = string(b[size:size+int(n)]), b[size+int(n):]
	for _, v := range []*int64{&g.first, &g.count, &g.bad} {
		var size int
		if *v, size = binary.Varint(b); size <= 0 {
			return "", fmt.Errorf("its counts are cut off")
		}
		b = b[size:]
	}
	var floats [4]float64
	for i := range floats {
		if len(b) < 8 {
			return "", fmt.Errorf("its values are cut off")
		}
		floats[i], b = math.Float64frombits(binary.LittleEndian.Uint64(b)), b[8:]
	}
	g.min, g.max, g.sum = floats[0], floats[1], processors.SumOf(floats[2], floats[3])
	if len(b) > 0 {
		if err := new(histogram.Histogram).MergeBinary(b); err != nil {
			return "", err
		}
		g.packed = slices.Clone(b)
	}
	return entity, nil
}
