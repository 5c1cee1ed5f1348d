package loadgen

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

// EventTime says which timestamp of a span counts as its event time.
type EventTime string

// The event times.
const (
	ByEnd   EventTime = "end"
	ByStart EventTime = "start"
)

// TruthKey identifies one cell of the ground truth.
type TruthKey struct {
	Service string `json:"service"`
	Version string `json:"version,omitempty"`
	Kind    string `json:"kind,omitempty"` // as shop.SpanKind.String
	Name    string `json:"name,omitempty"` // the span's name
	Route   string `json:"route,omitempty"`
	// Window is the window's start in Unix nanoseconds; windows are aligned to the epoch.
	Window int64 `json:"window,omitempty"`
}

// Cell is what is exactly true about the spans of one key.
type Cell struct {
	// Count of spans, Errors among them (status code ERROR).
	Count  uint64 `json:"count"`
	Errors uint64 `json:"errors"`
	// DurationNanos is the sum of end minus start.
	DurationNanos uint64 `json:"duration_ns"`
}

// Truth counts the spans handed over, exactly. It is not safe for concurrent use.
type Truth struct {
	window  int64
	by      EventTime
	windows map[int64][]Cell // by series
	keys    []TruthKey       // by series, Window is 0
	current int64
	cells   []Cell // windows[current]
}

// NewTruth returns an empty truth with windows of the given width.
func NewTruth(window time.Duration, by EventTime) (*Truth, error) {
	if window <= 0 || by != ByEnd && by != ByStart {
		return nil, fmt.Errorf("cannot count spans by %q in windows of %s: want %s or %s and a positive width", by, window, ByEnd, ByStart)
	}
	return &Truth{window: int64(window), by: by, windows: map[int64][]Cell{}}, nil
}

// Add counts spans of one shop.
func (t *Truth) Add(spans []shop.Span) {
	for i := range spans {
		s := &spans[i]
		at := s.End
		if t.by == ByStart {
			at = s.Start
		}
		at = floor(at, t.window)
		series := s.Series()
		if at != t.current || series >= len(t.cells) {
			t.open(at, series)
		}
		if t.keys[series].Service == "" {
			t.keys[series] = TruthKey{Service: s.Service(), Version: s.Version(), Kind: s.Kind().String(), Name: s.Name(), Route: s.Route()}
		}
		cell := &t.cells[series]
		cell.Count++
		cell.DurationNanos += uint64(s.End - s.Start)
		if s.Failed() {
			cell.Errors++
		}
	}
}

func (t *Truth) open(window int64, series int) {
	if series >= len(t.keys) {
		t.keys = append(t.keys, make([]TruthKey, series+1-len(t.keys))...)
	}
	cells := t.windows[window]
	if len(cells) < len(t.keys) {
		cells = append(cells, make([]Cell, len(t.keys)-len(cells))...)
		t.windows[window] = cells
	}
	t.current, t.cells = window, cells
}

func floor(at, width int64) int64 {
	r := at % width
	if r < 0 {
		r += width
	}
	return at - r
}

// Sum adds up all cells by what project makes of their keys; keys for which it returns false are left
// out. A nil project keeps every cell as it is.
func (t *Truth) Sum(project func(TruthKey) (TruthKey, bool)) map[TruthKey]Cell {
	out := map[TruthKey]Cell{}
	for window, cells := range t.windows {
		for series, cell := range cells {
			if cell.Count == 0 {
				continue
			}
			key, keep := t.keys[series], true
			key.Window = window
			if project != nil {
				key, keep = project(key)
			}
			if keep {
				sum := out[key]
				sum.Count += cell.Count
				sum.Errors += cell.Errors
				sum.DurationNanos += cell.DurationNanos
				out[key] = sum
			}
		}
	}
	return out
}

// Windows is the usual question: requests served per service, route and window, over all versions.
func (t *Truth) Windows() map[TruthKey]Cell {
	return t.Sum(func(k TruthKey) (TruthKey, bool) {
		return TruthKey{Service: k.Service, Route: k.Route, Window: k.Window}, k.served()
	})
}

// Totals is Windows over all time.
func (t *Truth) Totals() map[TruthKey]Cell {
	return t.Sum(func(k TruthKey) (TruthKey, bool) {
		return TruthKey{Service: k.Service, Route: k.Route}, k.served()
	})
}

func (k TruthKey) served() bool {
	return k.Kind == shop.KindServer.String() || k.Kind == shop.KindConsumer.String()
}

// WriteTo writes all cells as NDJSON, one object per key, sorted by time and name.
func (t *Truth) WriteTo(w io.Writer) (int64, error) {
	cells := t.Sum(nil)
	keys := make([]TruthKey, 0, len(cells))
	for key := range cells {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b TruthKey) int {
		return cmp.Or(cmp.Compare(a.Window, b.Window), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Version, b.Version),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Route, b.Route))
	})
	var written int64
	for _, key := range keys {
		line, err := json.Marshal(struct {
			TruthKey
			Cell
		}{key, cells[key]})
		if err != nil {
			return written, fmt.Errorf("cannot write ground truth: %w", err)
		}
		n, err := w.Write(append(line, '\n'))
		written += int64(n)
		if err != nil {
			return written, fmt.Errorf("cannot write ground truth: %w", err)
		}
	}
	return written, nil
}
