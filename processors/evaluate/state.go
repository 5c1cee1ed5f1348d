package evaluate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
	"github.com/flyball-io/flyball/processors/window"
)

// Keys of the state topic, below "evaluate/<partition>/":
//
//	watermarks                          the vector of marks
//	slo/<slo>/<entity>/finding          the open finding of a budget that burns
//	slo/<slo>/<entity>/exhausted        the open finding of one that is gone
//	slo/<slo>/<entity>/<chunk>          a chunk of a budget's counts
//	revision/<indicator>/<start>/<labels>  revision of a corrected window
//
// Names are path-escaped.

// Prefix returns the start of the keys that belong to a partition.
func Prefix(partition int32) string { return fmt.Sprintf("evaluate/%d/", partition) }

func (m *Machine) change(key string, value []byte) {
	m.ready.State = append(m.ready.State, processors.StateChange{Key: Prefix(m.cfg.Partition) + key, Value: value})
}

// stateChanges reports what of the long memory differs from the last commit.
func (m *Machine) stateChanges() {
	if m.watermarks.Changed() {
		m.change("watermarks", mustJSON(m.watermarks.Snapshot()))
	}
	for _, st := range m.stores {
		sortSeries(st.dirty)
		for _, s := range st.dirty {
			base := "slo/" + url.PathEscape(s.key.slo) + "/" + url.PathEscape(s.key.entity) + "/"
			s.tracker.Changed(func(chunk string, value []byte) { m.change(base+chunk, value) })
			if s.reported {
				m.change(base+keyBurn, findingJSON(s.findings.burn))
				m.change(base+keyExhausted, findingJSON(s.findings.exhausted))
			}
		}
	}
	m.revisions.changed(m.change)
}

const keyBurn, keyExhausted = "finding", "exhausted"

// findingJSON returns nil when there is no finding: its key is deleted.
func findingJSON(f *openFinding) []byte {
	if f == nil {
		return nil
	}
	return mustJSON(f)
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: state does not encode: " + err.Error())
	}
	return b
}

// Restore takes one change that a predecessor reported; the last of each key
// must be given, in any order, before the first Step. Keys of other partitions
// and of what is no longer configured are ignored. Restored must follow.
func (m *Machine) Restore(key string, value []byte) error {
	rest, ok := strings.CutPrefix(key, Prefix(m.cfg.Partition))
	if !ok || value == nil {
		return nil
	}
	kind, rest, _ := strings.Cut(rest, "/")
	var err error
	switch kind {
	case "watermarks":
		var s window.Snapshot
		if err = json.NewDecoder(bytes.NewReader(value)).Decode(&s); err == nil {
			m.watermarks.Restore(s)
		}
	case "slo":
		err = m.restoreBudget(rest, value)
	case "revision":
		err = m.revisions.restore(rest, value)
	}
	if err != nil {
		return fmt.Errorf("cannot restore state %q: %w", key, err)
	}
	return nil
}

func (m *Machine) restoreBudget(path string, value []byte) error {
	parts := strings.Split(path, "/")
	if len(parts) != 3 {
		return fmt.Errorf("its path has %d parts, want 3", len(parts))
	}
	name, err := url.PathUnescape(parts[0])
	if err != nil {
		return err
	}
	entity, err := url.PathUnescape(parts[1])
	if err != nil {
		return err
	}
	for _, st := range m.stores {
		for i := range st.slos {
			if st.slos[i].Name != name {
				continue
			}
			s := st.series[seriesKey{name, entity}]
			if s == nil { // whatever the limit is now
				s = st.add(&st.slos[i], entity)
			}
			switch parts[2] {
			case keyBurn:
				return json.Unmarshal(value, &s.findings.burn)
			case keyExhausted:
				return json.Unmarshal(value, &s.findings.exhausted)
			}
			return s.tracker.Restore(parts[2], value)
		}
	}
	return nil
}

// Restored ends a restore.
func (m *Machine) Restored() {
	for _, st := range m.stores {
		wm := m.watermarks.Of(st.Spec().Source)
		for _, s := range st.all() {
			if wm != flyball.NoTime {
				s.tracker.Reopen(wm.Floor(st.pane))
			}
			s.isNew, s.was = false, s.findings
			if s.tracker.Dirty() {
				st.mark(s)
			}
		}
	}
}
