package window

import (
	"cmp"
	"math"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/histogram"
)

// cell is one hop of one series or, where windows are long, a part of one.
type cell struct {
	series *Series
	start  flyball.Time
	first  int64 // offset that it first came from
	content
	was     *saved // as of the last commit; nil if nothing changed since, or new
	touched bool   // changed since the last commit
}

// content is what a cell holds. Counts and histograms of panes merge into those
// of the window as they come, because whole numbers do not care about order.
// Sums do, in their last bit: they are kept by pane and added up in the order of
// time, so that a window comes out the same however often it was rebuilt.
type content struct {
	count, bad int64
	min, max   float64
	panes      []pane // by start
	// The histogram: live while it is added to, packed once the window is closed,
	// because most of what a store holds only waits for corrections that hardly
	// ever come; neither when the indicator has no value.
	live   *histogram.Histogram
	packed []byte
}

// pane is what is kept of one pane alone.
type pane struct {
	start      flyball.Time
	count, bad int64
	sum        processors.Sum
}

func emptyContent() content { return content{min: math.Inf(1), max: math.Inf(-1)} }

// pane returns the pane that starts at start, which it adds if need be.
func (c *content) pane(start flyball.Time) *pane {
	n := len(c.panes)
	if n > 0 && c.panes[n-1].start == start {
		return &c.panes[n-1]
	}
	at, ok := slices.BinarySearchFunc(c.panes, start, func(p pane, t flyball.Time) int { return cmp.Compare(p.start, t) })
	if !ok {
		c.panes = slices.Insert(c.panes, at, pane{start: start})
	}
	return &c.panes[at]
}

// merge adds a row whose histogram has been merged already.
func (c *content) merge(r *processors.PaneRow) {
	c.count += r.Count
	c.bad += r.Bad
	c.min = math.Min(c.min, r.Min)
	c.max = math.Max(c.max, r.Max)
	p := c.pane(r.Start)
	p.count += r.Count
	p.bad += r.Bad
	p.sum.Merge(r.Sum)
}

// sum adds up the panes in the order of time.
func (c *content) sum() (total processors.Sum) {
	for i := range c.panes {
		total.Merge(c.panes[i].sum)
	}
	return total
}

// pool keeps the memory of histograms and saved contents for the next ones.
type pool struct {
	hists []*histogram.Histogram
	saved []*saved
}

// saved is the content of a cell before a transaction. A live histogram is saved
// packed: that takes as long as a copy, and a fifth of the memory.
type saved struct {
	content
	buf []byte // for packed, to be used again
}

func (p *pool) hist() *histogram.Histogram {
	if n := len(p.hists); n > 0 {
		h := p.hists[n-1]
		p.hists = p.hists[:n-1]
		return h
	}
	return new(histogram.Histogram)
}

func (p *pool) freeHist(h *histogram.Histogram) {
	if h != nil {
		h.Reset()
		p.hists = append(p.hists, h)
	}
}

// save returns a copy that shares nothing that changes.
func (p *pool) save(c *content) *saved {
	s := new(saved)
	if n := len(p.saved); n > 0 {
		s = p.saved[n-1]
		p.saved = p.saved[:n-1]
	}
	panes := append(s.panes[:0], c.panes...)
	s.content = *c
	s.panes = panes
	if c.live != nil {
		s.live = nil
		if c.live.Count() > 0 {
			s.buf = c.live.AppendBinary(s.buf[:0])
			s.packed = s.buf
		}
	}
	return s
}

// free takes back what save returned.
func (p *pool) free(s *saved) {
	if s != nil {
		s.packed = nil
		p.saved = append(p.saved, s)
	}
}

// undo gives a cell back what was saved.
func (p *pool) undo(c *cell) {
	p.freeHist(c.live)
	c.content = c.was.content
	c.packed = slices.Clone(c.packed)
	c.was.panes = nil
	p.free(c.was)
	c.was = nil
}

// trim gives memory up that was needed once: what a flood of series took is not
// kept for ever.
func (p *pool) trim(most int) {
	if len(p.hists) > most {
		p.hists = slices.Clone(p.hists[:most])
	}
	if len(p.saved) > most {
		p.saved = slices.Clone(p.saved[:most])
	}
}

// thaw makes the histogram live, to be added to.
func (c *content) thaw(p *pool) {
	if c.live != nil {
		return
	}
	c.live = p.hist()
	if c.packed != nil {
		unpack(c.live, c.packed)
		c.packed = nil
	}
}

// unpack decodes what freeze wrote into an empty histogram.
func unpack(h *histogram.Histogram, packed []byte) {
	if err := h.MergeBinary(packed); err != nil {
		panic("BUG: a packed histogram does not decode: " + err.Error())
	}
}

// freeze packs the histogram.
func (c *content) freeze(p *pool) {
	if c.live == nil {
		return
	}
	if c.live.Count() > 0 {
		c.packed = c.live.AppendBinary(nil)
	}
	p.freeHist(c.live)
	c.live = nil
	if cap(c.panes) > len(c.panes) {
		c.panes = append(make([]pane, 0, len(c.panes)), c.panes...)
	}
}
