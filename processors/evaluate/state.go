package evaluate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
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
//	slo/<slo>/<entity>/<revision>/<group>/finding    the open finding of a budget that burns
//	slo/<slo>/<entity>/<revision>/<group>/exhausted  the open finding of one that is gone
//	slo/<slo>/<entity>/<revision>/<group>/forecast   the open finding of one that soon will be
//	slo/<slo>/<entity>/<revision>/<group>/<chunk>    a chunk of a budget's counts
//	window/<indicator>/<definition>/…   what is settled of long windows
//	passed/<offset>/<row>               a point of a cumulative stream that came late for nothing
//	anomaly/…                           what detectors have learned and found; see package anomaly
//	stall/<source>                      the open finding about partitions that are stalled
//	complaint/<source>                  the open finding about schemas of records
//	canary/…                            what is known of canaries, see package canary
//	revision/<indicator>/<start>/<labels>  revision of a corrected window
//
// Names are path-escaped; the group is empty where an SLO is not grouped.

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
		base := windowPath(st.Spec())
		st.Changed(func(key string, value []byte) { m.change(base+key, value) })
		sortSeries(st.dirty)
		for _, s := range st.dirty {
			base := s.path()
			s.tracker.Changed(func(chunk string, value []byte) { m.change(base+chunk, value) })
			if s.reported || s.moved {
				m.change(base+keyBurn, findingJSON(s.findings.burn))
				m.change(base+keyExhausted, findingJSON(s.findings.exhausted))
				if s.spec.ExhaustsWithin > 0 || s.moved {
					m.change(base+keyForecast, findingJSON(s.findings.forecast))
				}
			}
		}
	}
	for _, key := range m.former {
		m.change(key, nil)
	}
	m.passed.Changed(func(key string, value []byte) { m.change("passed/"+key, value) })
	m.revisions.Changed(func(key string, value []byte) { m.change("revision/"+key, value) })
	m.stalls.changed(m.change)
	m.complaints.Changed(func(key string, value []byte) { m.change("complaint/"+key, value) })
	m.canaries.Changed(func(key string, value []byte) { m.change("canary/"+key, value) })
	m.anomalies.Changed(func(key string, value []byte) { m.change("anomaly/"+key, value) })
}

const keyBurn, keyExhausted, keyForecast = "finding", "exhausted", "forecast"

// path returns the start of the keys of a budget.
func (s *sloSeries) path() string {
	path := "slo/"
	for _, part := range [...]string{s.key.slo, s.key.entity, s.spec.Revision, s.key.group} {
		path += url.PathEscape(part) + "/"
	}
	return path
}

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
	case "window":
		err = m.restoreWindow(rest, value)
	case "passed":
		err = m.passed.Restore(rest)
	case "revision":
		err = m.revisions.Restore(rest, value)
	case "canary":
		err = m.canaries.Restore(rest, value)
	case "anomaly":
		err = m.anomalies.Restore(rest, value)
	case "complaint":
		err = m.complaints.Restore(rest, value)
	case "stall":
		err = m.stalls.restore(rest, value)
	}
	if err != nil {
		return fmt.Errorf("cannot restore state %q: %w", key, err)
	}
	return nil
}

// windowPath returns the start of the keys of an indicator's long windows. Another
// definition of what they hold has other keys: they begin anew with it.
func windowPath(spec flyball.Indicator) string {
	spec.SeriesLimit, spec.Lateness, spec.Unit = 0, 0, "" // they change nothing that was counted
	var said []string
	for _, list := range [][]flyball.Matcher{spec.Filter, spec.Bad} {
		for _, m := range list {
			said = append(said, m.String())
		}
		said = append(said, "")
	}
	spec.Filter, spec.Bad = nil, nil
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v %q", spec, said))
	return "window/" + url.PathEscape(spec.Name) + "/" + hex.EncodeToString(sum[:6]) + "/"
}

func (m *Machine) restoreWindow(path string, value []byte) error {
	for _, st := range m.stores {
		if key, ok := strings.CutPrefix("window/"+path, windowPath(st.Spec())); ok && !st.silent {
			return st.Store.Restore(key, value)
		}
	}
	m.former = append(m.former, "window/"+path)
	return nil
}

func (m *Machine) restoreBudget(path string, value []byte) error {
	parts := strings.Split(path, "/")
	if len(parts) != 5 {
		return fmt.Errorf("its path has %d parts, want 5", len(parts))
	}
	for i := range parts {
		var err error
		if parts[i], err = url.PathUnescape(parts[i]); err != nil {
			return err
		}
	}
	name, entity, revision, group, key := parts[0], parts[1], parts[2], parts[3], parts[4]
	if group != "" && json.Unmarshal([]byte(group), &flyball.Labels{}) != nil {
		return fmt.Errorf("the labels of its group are not JSON")
	}
	for _, st := range m.stores {
		for i := range st.slos {
			if st.slos[i].Name == name {
				return m.restoreSeries(st, i, seriesKey{name, entity, group}, revision, key, "slo/"+path, value)
			}
		}
	}
	return nil
}

// restoreSeries restores what belongs to a budget. Counts of a former revision, of
// something else, are given up; findings pass to the present one, which resolves
// them if they no longer hold.
func (m *Machine) restoreSeries(st *store, slo int, k seriesKey, revision, key, path string, value []byte) error {
	current := revision == st.slos[slo].Revision && (k.group != "") == (len(st.slos[slo].GroupBy) > 0 && k.entity != st.overflow)
	s := st.series[k]
	if s == nil && (current || isFinding(key)) { // whatever the limit is now
		s = st.add(slo, k.entity, k.group)
	}
	if !current {
		m.former = append(m.former, path)
	}
	switch key {
	case keyBurn:
		return s.takeOver(&s.findings.burn, value, !current)
	case keyExhausted:
		return s.takeOver(&s.findings.exhausted, value, !current)
	case keyForecast:
		return s.takeOver(&s.findings.forecast, value, !current)
	}
	if !current {
		return nil
	}
	return s.tracker.Restore(key, value)
}

func isFinding(key string) bool { return key == keyBurn || key == keyExhausted || key == keyForecast }

// takeOver restores a finding; one of the present revision wins over a former's.
func (s *sloSeries) takeOver(f **openFinding, value []byte, former bool) error {
	if former && *f != nil {
		return nil
	}
	s.moved = s.moved || former
	*f = nil
	return json.Unmarshal(value, f)
}

// Restored ends a restore.
func (m *Machine) Restored() {
	m.canaries.Restored()
	m.anomalies.Restored()
	for _, st := range m.stores {
		wm := m.watermarks.Of(st.Spec().Source)
		for _, s := range st.all() {
			if wm != flyball.NoTime {
				s.tracker.Reopen(wm.Floor(st.pane))
			}
			s.isNew, s.was = false, s.findings
			if s.tracker.Dirty() || s.moved {
				st.mark(s)
			}
		}
	}
}
