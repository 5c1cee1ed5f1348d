package canary

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Keys of the state, each part path-escaped:
//
//	<canary>/<entity>/state               what is known of the entity
//	<canary>/<entity>/looks/<id>/<chunk>  looks of the analysis under way
//	<canary>/<entity>/before/<id>         what the baseline had before it
//	<canary>/<entity>/lent/<id>           what it counted for long before it
//	<canary>/<entity>/past/<chunk>        what all cohorts counted of late

// chunk is how many looks one key has: so many are written again with a new one.
const chunk = 16

// saved is a subject as of the last commit.
type saved struct {
	isNew         bool
	header        []byte
	run           *run
	looks, before int
	// What was reported since, by one Step or several: the header, and how many keys
	// of looks there may be of each analysis.
	reported []byte
	written  map[string]int
}

// touch saves the subject before the first change of it since the last commit.
func (s *subject) touch() {
	if s.saved != nil {
		return
	}
	s.saved = &saved{header: mustJSON(s.subjectState), run: s.Run, written: map[string]int{}}
	s.saved.reported = s.saved.header
	if s.Run != nil {
		s.saved.looks, s.saved.before = len(s.Run.looks), len(s.Run.before)
		s.saved.written[s.Run.ID] = chunks(s.saved.looks)
	}
	s.def.touched = append(s.def.touched, s)
}

// undo takes changes back.
func (s *subject) undo() {
	was := s.saved
	s.saved = nil
	if was.isNew {
		delete(s.def.subjects, s.entity)
		return
	}
	s.subjectState = subjectState{}
	if err := json.Unmarshal(was.header, &s.subjectState); err != nil {
		panic("BUG: state does not decode: " + err.Error())
	}
	if s.Run != nil {
		if len(was.run.looks) == was.looks && !was.run.over { // else it is made anew when it is asked
			s.Run.judge = was.run.judge
		}
		s.Run.looks = slices.Clip(was.run.looks[:was.looks])
		s.Run.before = slices.Clip(was.run.before[:was.before])
		s.Run.history = was.run.history
	}
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: state does not encode: " + err.Error())
	}
	return b
}

func (s *subject) path() string {
	return url.PathEscape(s.def.spec.Name) + "/" + url.PathEscape(s.entity) + "/"
}

// Changed reports what of the state differs from the last commit.
func (m *Machine) Changed(change func(key string, value []byte)) {
	for _, d := range m.defs {
		touched := slices.Clone(d.touched)
		slices.SortFunc(touched, func(a, b *subject) int { return strings.Compare(a.entity, b.entity) })
		for _, s := range touched {
			s.changed(change)
		}
		d.changedPasts(change)
	}
	for _, key := range m.gone {
		change(key, nil)
	}
	if m.orphansSaid {
		for _, o := range m.orphans {
			change(o.key, nil)
		}
	}
}

func (s *subject) changed(change func(key string, value []byte)) {
	var header []byte
	if !s.blank() {
		header = mustJSON(s.subjectState)
	}
	if string(header) != string(s.saved.reported) {
		change(s.path()+"state", header)
		s.saved.reported = header
	}
	for _, id := range slices.Sorted(maps.Keys(s.saved.written)) {
		if s.Run != nil && s.Run.ID == id {
			continue
		}
		for n := range s.saved.written[id] {
			change(s.looksKey(id, n), nil)
		}
		change(s.beforeKey(id), nil)
		change(s.lentKey(id), nil)
	}
	written, before, isNew := 0, 0, true
	if old := s.saved.run; old != nil && s.Run != nil && s.Run.ID == old.ID {
		written, before, isNew = s.saved.looks, s.saved.before, false
	}
	r := s.Run
	if r == nil {
		return
	}
	s.saved.written[r.ID] = chunks(len(r.looks))
	if len(r.before) != before {
		change(s.beforeKey(r.ID), mustJSON(r.before))
	}
	if isNew && len(r.history) > 0 {
		change(s.lentKey(r.ID), mustJSON(r.history))
	}
	if len(r.looks) == written {
		return
	}
	for n := written / chunk; n < chunks(len(r.looks)); n++ {
		change(s.looksKey(r.ID, n), mustJSON(r.looks[n*chunk:min((n+1)*chunk, len(r.looks))]))
	}
}

func chunks(looks int) int { return (looks + chunk - 1) / chunk }

func (s *subject) looksKey(id string, n int) string {
	return s.path() + "looks/" + url.PathEscape(id) + "/" + strconv.Itoa(n)
}

func (s *subject) lentKey(id string) string { return s.path() + "lent/" + url.PathEscape(id) }

func (s *subject) beforeKey(id string) string { return s.path() + "before/" + url.PathEscape(id) }

// restored is what was restored of one subject and is not put together yet.
type restored struct {
	looks  map[string]map[int][]storedLook // by analysis and chunk
	before map[string][][]storedArm
	lent   map[string][]lent
}

// Restore takes one key of the state, in any order. Restored must follow.
func (m *Machine) Restore(key string, value []byte) error {
	parts := strings.Split(key, "/")
	for i := range parts {
		var err error
		if parts[i], err = url.PathUnescape(parts[i]); err != nil {
			return err
		}
	}
	if len(parts) < 3 {
		return fmt.Errorf("its path has %d parts, want 3 or more", len(parts))
	}
	i := slices.IndexFunc(m.defs, func(d *definition) bool { return d.spec.Name == parts[0] })
	if i < 0 {
		return m.restoreGone(key, parts, value)
	}
	s := m.defs[i].subject(parts[1])
	if s.restored == nil {
		s.restored = &restored{looks: map[string]map[int][]storedLook{}, before: map[string][][]storedArm{}, lent: map[string][]lent{}}
	}
	switch {
	case parts[2] == "state" && len(parts) == 3:
		return json.Unmarshal(value, &s.subjectState)
	case parts[2] == "before" && len(parts) == 4:
		var list [][]storedArm
		err := json.Unmarshal(value, &list)
		s.restored.before[parts[3]] = list
		return err
	case parts[2] == "lent" && len(parts) == 4:
		var list []lent
		err := json.Unmarshal(value, &list)
		s.restored.lent[parts[3]] = list
		return err
	case parts[2] == "past" && len(parts) == 4:
		return m.restorePast(s, key, value)
	case parts[2] == "looks" && len(parts) == 5:
		n, err := strconv.Atoi(parts[4])
		if err != nil {
			return err
		}
		var list []storedLook
		if err := json.Unmarshal(value, &list); err != nil {
			return err
		}
		if s.restored.looks[parts[3]] == nil {
			s.restored.looks[parts[3]] = map[int][]storedLook{}
		}
		s.restored.looks[parts[3]][n] = list
		return nil
	}
	return fmt.Errorf("nothing is known of %q", key)
}

// restoreGone keeps what is left of a definition that is gone: its open finding.
func (m *Machine) restoreGone(key string, parts []string, value []byte) error {
	var was subjectState
	if parts[2] == "state" {
		if err := json.Unmarshal(value, &was); err != nil {
			return err
		}
	}
	if was.Finding == nil {
		m.gone = append(m.gone, key)
		return nil
	}
	m.orphans = append(m.orphans, orphan{key, parts[0], parts[1], *was.Finding})
	slices.SortFunc(m.orphans, func(a, b orphan) int { return strings.Compare(a.key, b.key) })
	return nil
}

// Restored ends a restore.
func (m *Machine) Restored() {
	for _, d := range m.defs {
		for _, s := range d.touched {
			s.saved = nil
			if s.Run != nil && s.restored != nil {
				s.Run.assemble(s.restored)
			}
			s.restored = nil
			s.past = s.past.sorted(d)
		}
		d.touched = d.touched[:0]
		d.recount()
	}
}

// assemble puts an analysis together. One of which something is missing is given up
// at the next look.
func (r *run) assemble(from *restored) {
	for n := range chunks(r.Looks) {
		r.looks = append(r.looks, from.looks[r.ID][n]...)
	}
	r.before, r.history = from.before[r.ID], from.lent[r.ID]
	if len(r.looks) != r.Looks || len(r.before) != r.Before || len(r.history) != r.History {
		r.Revision = unreadable
	}
}

// unreadable is the revision of an analysis that could not be restored.
const unreadable = "unreadable"
