// Package complaint keeps what the marks of a source's partitions complain of, that
// records cannot be read by the schema they name or lack what is wanted, and makes a
// finding about the source of it.
package complaint

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// Detector is what the findings name as theirs.
const Detector = "schema"

// Tracker holds the complaints of all sources. It changes in place; Abort takes changes
// back.
type Tracker struct {
	// ID names a finding that opens.
	ID      func(source string, at flyball.Time) string
	sources map[string]*state
	undo    map[string][]byte // as they were at the last commit, encoded; nil for absent
}

// state is what is known of one source. It is what the state topic holds of it.
type state struct {
	// Finding is open, nil while there is nothing to complain of.
	Finding *finding `json:"finding,omitempty"`
	// Partitions say what they complain of, by topic and number.
	Partitions map[string]string `json:"partitions,omitempty"`
}

type finding struct {
	ID       string       `json:"id"`
	Revision int          `json:"revision"`
	OpenedAt flyball.Time `json:"opened_at"`
}

// New returns a tracker without complaints. id names a finding that opens.
func New(id func(source string, at flyball.Time) string) *Tracker {
	return &Tracker{ID: id, sources: map[string]*state{}, undo: map[string][]byte{}}
}

// Take takes what marks say when watermarks of sources are known, and returns the findings
// that open or are resolved. All partitions of panes hear the same marks, so the first one
// speaks for all.
func (t *Tracker) Take(partition int32, sources []flyball.Source, marks []processors.Mark, watermark func(source string) flyball.Time) (out []flyball.Finding) {
	if partition != 0 {
		return nil
	}
	t.mark(marks)
	for i := range sources {
		if f, ok := t.step(sources[i].Name, watermark(sources[i].Name)); ok {
			out = append(out, f)
		}
	}
	return out
}

func (t *Tracker) mark(marks []processors.Mark) {
	for i := range marks {
		m := &marks[i]
		at := fmt.Sprintf("%s/%d", m.Topic, m.Partition)
		if s := t.sources[m.Source]; m.Complaint == "" && (s == nil || s.Partitions[at] == "") {
			continue
		}
		s := t.change(m.Source)
		if m.Complaint == "" {
			delete(s.Partitions, at)
		} else {
			s.Partitions[at] = m.Complaint
		}
	}
}

// change returns the state of a source, which is to change.
func (t *Tracker) change(source string) *state {
	s := t.sources[source]
	if _, saved := t.undo[source]; !saved {
		t.undo[source] = encode(s)
	}
	if s == nil {
		s = &state{Partitions: map[string]string{}}
		t.sources[source] = s
	}
	return s
}

func encode(s *state) []byte {
	if s == nil || s.Finding == nil && len(s.Partitions) == 0 {
		return nil
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic("BUG: complaints do not encode: " + err.Error())
	}
	return text
}

// step opens or resolves the finding about a source whose watermark is at.
func (t *Tracker) step(source string, at flyball.Time) (f flyball.Finding, ok bool) {
	s := t.sources[source]
	if s == nil || at == flyball.NoTime || (s.Finding != nil) == (len(s.Partitions) > 0) {
		return f, false
	}
	s = t.change(source)
	if s.Finding == nil {
		s.Finding = &finding{ID: t.ID(source, at), Revision: 1, OpenedAt: at}
		where := slices.Sorted(maps.Keys(s.Partitions))
		return s.finding(source, flyball.FindingOpened, at, fmt.Sprintf("records of source %s do not have the schema that is wanted: %s (%s)",
			source, s.Partitions[where[0]], strings.Join(where[:min(len(where), 5)], ", "))), true
	}
	s.Finding.Revision++
	f = s.finding(source, flyball.FindingResolved, at, fmt.Sprintf("records of source %s have the schema that is wanted again", source))
	s.Finding = nil
	return f, true
}

func (s *state) finding(source string, is flyball.FindingState, at flyball.Time, summary string) flyball.Finding {
	return flyball.Finding{
		ID: s.Finding.ID, Revision: s.Finding.Revision, Kind: "flyball", State: is, Severity: "ticket", Entity: source,
		Labels: flyball.LabelsOf("source", source), Detector: Detector, At: at, OpenedAt: s.Finding.OpenedAt, Summary: summary,
		Evidence: []flyball.Evidence{{Name: "partitions", Value: float64(len(s.Partitions)), Unit: "partitions"}},
	}
}

// Changed calls change with what differs from the last commit; a nil value deletes.
func (t *Tracker) Changed(change func(key string, value []byte)) {
	for _, source := range slices.Sorted(maps.Keys(t.undo)) {
		change(url.PathEscape(source), encode(t.sources[source]))
	}
}

// Restore takes one change that a predecessor reported.
func (t *Tracker) Restore(key string, value []byte) error {
	source, err := url.PathUnescape(key)
	if err != nil {
		return err
	}
	s := &state{Partitions: map[string]string{}}
	if err := json.Unmarshal(value, s); err != nil {
		return err
	}
	t.sources[source] = s
	return nil
}

// Commit makes changes permanent.
func (t *Tracker) Commit() { clear(t.undo) }

// Abort takes back what changed since the last Commit.
func (t *Tracker) Abort() {
	for source, was := range t.undo {
		delete(t.sources, source)
		if was != nil {
			_ = t.Restore(url.PathEscape(source), was) // it was encoded here
		}
	}
	clear(t.undo)
}
