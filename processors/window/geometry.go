package window

import (
	"iter"
	"time"

	"github.com/flyball-io/flyball"
)

// Rebuilt is the longest window that a successor rebuilds from the log alone, unless
// the store is told otherwise.
const Rebuilt = time.Hour

// geometry says how windows lie in time. A window [start, start+window) begins at every
// multiple of hop. Every window is a number of whole parts, the greatest common divisor of
// both. What is kept apart are cells: a part, or a piece of one where windows are long.
type geometry struct {
	pane, cell, part, hop, window, lateness time.Duration
	// long is set when cells are settled instead of kept and rebuilt, see settled.
	long bool
}

// geometryOf returns the geometry of an indicator whose windows longer than rebuilt
// are settled, in cells of a sixth of that at most.
func geometryOf(spec *flyball.Indicator, rebuilt time.Duration) geometry {
	g := geometry{pane: spec.Pane, hop: spec.Hop, window: spec.Window, lateness: spec.Lateness, long: spec.Window > rebuilt}
	if g.hop <= 0 {
		g.hop = g.window
	}
	g.part = g.hop
	for rest := g.window; rest > 0; {
		g.part, rest = rest, g.part%rest
	}
	g.cell = g.part
	if g.long {
		g.cell = g.pane
		for n := int64(1); n <= int64(rebuilt/6/g.pane); n++ {
			if width := time.Duration(n) * g.pane; g.part%width == 0 {
				g.cell = width
			}
		}
	}
	return g
}

func (g *geometry) cellOf(t flyball.Time) flyball.Time { return t.Floor(g.cell) }
func (g *geometry) partOf(t flyball.Time) flyball.Time { return t.Floor(g.part) }

// first and last return the starts of the first and the last window that hold t.
func (g *geometry) first(t flyball.Time) flyball.Time {
	return t.Add(-g.window).Floor(g.hop).Add(g.hop)
}
func (g *geometry) last(t flyball.Time) flyball.Time { return t.Floor(g.hop) }

// filled reports whether no more samples that are on time come into the cell that
// starts at start.
func (g *geometry) filled(start, watermark flyball.Time) bool { return start.Add(g.cell) <= watermark }

// Kept returns how long after a pane what it held may still have to be rebuilt from the
// log.
func (g *geometry) Kept() time.Duration {
	if g.long {
		return g.cell + g.lateness
	}
	return g.window + g.lateness
}

// Closed reports whether a window that holds a pane is closed.
func (g *geometry) Closed(paneStart, watermark flyball.Time) bool {
	return g.first(paneStart).Add(g.window) <= watermark
}

// Expired reports whether no window that holds a pane can be corrected any more.
func (g *geometry) Expired(paneStart, watermark flyball.Time) bool {
	return g.last(paneStart).Add(g.window).Add(g.lateness) <= watermark
}

// Correctable yields the starts of the windows that hold a pane, and are closed and not
// expired.
func (g *geometry) Correctable(paneStart, watermark flyball.Time) iter.Seq[flyball.Time] {
	return func(yield func(flyball.Time) bool) {
		last := g.last(paneStart)
		for start := g.first(paneStart); start <= last; start = start.Add(g.hop) {
			if end := start.Add(g.window); end > watermark {
				return
			} else if end.Add(g.lateness) > watermark && !yield(start) {
				return
			}
		}
	}
}
