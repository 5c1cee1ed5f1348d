// Package window keeps event time: watermarks merged over source partitions, and
// the panes of every series until their windows are closed and can no longer be
// corrected.
package window

import (
	"cmp"
	"maps"
	"slices"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// Watermarks merges the marks of source partitions into one watermark per
// source: the minimum over the partitions that are neither idle nor stalled. A
// partition that is known to exist but has said nothing holds it back. It never
// goes back.
type Watermarks struct {
	sources map[string]*sourceMarks
	undo    map[string]*sourceMarks // as of the last commit, of those changed since
}

// sourceMarks is the vector of one source.
type sourceMarks struct {
	topics    map[string]int32 // partitions of each topic; 0 until known
	marks     map[partitionKey]processors.Mark
	watermark flyball.Time
}

type partitionKey struct {
	topic     string
	partition int32
}

// NewWatermarks returns the watermarks of these sources; nothing is known yet.
func NewWatermarks(sources []flyball.Source) *Watermarks {
	w := &Watermarks{sources: map[string]*sourceMarks{}, undo: map[string]*sourceMarks{}}
	for _, s := range sources {
		sm := &sourceMarks{topics: map[string]int32{}, marks: map[partitionKey]processors.Mark{}, watermark: flyball.NoTime}
		for _, t := range s.Topics {
			sm.topics[t] = 0
		}
		w.sources[s.Name] = sm
	}
	return w
}

// Of returns the watermark of a source, NoTime while there is none.
func (w *Watermarks) Of(source string) flyball.Time {
	if sm := w.sources[source]; sm != nil {
		return sm.watermark
	}
	return flyball.NoTime
}

// Mark takes the marks of one record, which hold at once: it is not their order
// in the record that decides whether a partition that comes back is heard before
// another becomes idle. Marks of sources or topics that are not configured any
// more are ignored, as are those of partitions that their topic does not have.
func (w *Watermarks) Mark(marks ...processors.Mark) {
	var changed []*sourceMarks
	for _, m := range marks {
		sm := w.sources[m.Source]
		if sm == nil || m.Partition < 0 || m.Partition >= m.Of {
			continue
		}
		if _, configured := sm.topics[m.Topic]; !configured {
			continue
		}
		if w.undo[m.Source] == nil {
			w.undo[m.Source] = sm.clone()
		}
		if !slices.Contains(changed, sm) {
			changed = append(changed, sm)
		}
		sm.take(m)
	}
	for _, sm := range changed { // never back
		sm.watermark = max(sm.watermark, sm.combined())
	}
}

func (sm *sourceMarks) take(m processors.Mark) {
	sm.topics[m.Topic] = max(sm.topics[m.Topic], m.Of)
	k := partitionKey{m.Topic, m.Partition}
	if old, ok := sm.marks[k]; ok {
		m.Watermark = max(m.Watermark, old.Watermark)
	}
	sm.marks[k] = m
}

// combined is the minimum over partitions that are neither idle nor stalled; when
// all are idle, the maximum, because nothing older is on its way. Of partitions of
// which all are stalled nothing is known.
func (sm *sourceMarks) combined() flyball.Time {
	known := 0
	for _, of := range sm.topics {
		if of == 0 {
			return flyball.NoTime
		}
		known += int(of)
	}
	if len(sm.marks) < known {
		return flyball.NoTime
	}
	low, high, busy := flyball.Time(1<<63-1), flyball.NoTime, false
	for _, m := range sm.marks {
		if m.Stalled {
			continue
		}
		high = max(high, m.Watermark)
		if !m.Idle {
			busy = true
			low = min(low, m.Watermark)
		}
	}
	if busy {
		return low
	}
	return high
}

// Complete reports whether all partitions of a source have given what they have up
// to a time: none that is stalled was behind it.
func (w *Watermarks) Complete(source string, upTo flyball.Time) bool {
	sm := w.sources[source]
	if sm == nil {
		return true
	}
	for _, m := range sm.marks {
		if m.Stalled && m.Watermark < upTo {
			return false
		}
	}
	return true
}

// Stalled returns the partitions of a source that are stalled, sorted.
func (w *Watermarks) Stalled(source string) []processors.Mark {
	var out []processors.Mark
	if sm := w.sources[source]; sm != nil {
		for _, m := range sm.marks {
			if m.Stalled {
				out = append(out, m)
			}
		}
	}
	slices.SortFunc(out, func(a, b processors.Mark) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return out
}

// Changed reports whether a mark came since the last Commit or Abort.
func (w *Watermarks) Changed() bool { return len(w.undo) > 0 }

// Commit keeps what came since the last Commit.
func (w *Watermarks) Commit() { clear(w.undo) }

// Abort takes it back.
func (w *Watermarks) Abort() {
	for name, sm := range w.undo {
		w.sources[name] = sm
	}
	clear(w.undo)
}

// Snapshot returns every mark, sorted, and the watermark of each source, to be
// given to Restore. The watermark is kept because it may be later than the marks
// say, when a partition came back from being idle.
func (w *Watermarks) Snapshot() Snapshot {
	s := Snapshot{Watermarks: map[string]flyball.Time{}}
	for name, sm := range w.sources {
		s.Watermarks[name] = sm.watermark
		for m := range maps.Values(sm.marks) {
			m.Of = sm.topics[m.Topic] // its sender may not have known of all
			s.Marks = append(s.Marks, m)
		}
	}
	slices.SortFunc(s.Marks, func(a, b processors.Mark) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return s
}

// Restore sets what a Snapshot held.
func (w *Watermarks) Restore(s Snapshot) {
	w.Mark(s.Marks...)
	for name, t := range s.Watermarks {
		if sm := w.sources[name]; sm != nil {
			sm.watermark = max(sm.watermark, t)
		}
	}
	w.Commit()
}

// Snapshot is the durable form of Watermarks.
type Snapshot struct {
	Marks      []processors.Mark       `json:"marks"`
	Watermarks map[string]flyball.Time `json:"watermarks"`
}

func (sm *sourceMarks) clone() *sourceMarks {
	return &sourceMarks{topics: maps.Clone(sm.topics), marks: maps.Clone(sm.marks), watermark: sm.watermark}
}
