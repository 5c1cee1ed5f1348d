// Package release remembers which versions of what there are, so that what changes just
// after one has appeared can be put down to it.
package release

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball"
)

const (
	// Label is the label whose values are versions.
	Label = "service.version"
	// Fresh is for how long after a version has appeared it is told of.
	Fresh = 30 * time.Minute
	// away is how long a version must have been gone to appear anew, as in a rollback.
	away = time.Hour
	// coarse is how exactly it is known when a version was last seen: finer would be
	// written more often.
	coarse = 10 * time.Minute
	// forgotten is for how long without samples a version is remembered.
	forgotten = 8 * 24 * time.Hour
	// kept is how many versions of an entity are remembered, entities of how many.
	kept     = 16
	entities = 10_000
)

// Key is whose versions they are.
type Key struct{ Source, Entity string }

// Version is one version that there is.
type Version struct {
	Name string `json:"name"`
	// Since is when it appeared; NoTime for those that were there first.
	Since flyball.Time `json:"since"`
	// Seen is when it was last seen, to ten minutes.
	Seen flyball.Time `json:"seen"`
}

// Log remembers versions. What it says follows from what it saw, in that order, alone.
type Log struct {
	entities map[Key]*entity
	touched  []*entity
	parsed   map[string]string // by labels
}

type entity struct {
	key      Key
	now, was []Version // replaced, never changed
	dirty    bool
}

// NewLog returns a log that has seen nothing.
func NewLog() *Log { return &Log{entities: map[Key]*entity{}, parsed: map[string]string{}} }

// In returns the version that labels, as canonical JSON, name; "" is none.
func (l *Log) In(labels string) string {
	if !strings.Contains(labels, `"`+Label+`":`) {
		return ""
	}
	name, known := l.parsed[labels]
	if !known {
		if len(l.parsed) >= entities {
			clear(l.parsed)
		}
		var list flyball.Labels
		if json.Unmarshal([]byte(labels), &list) == nil && list.Get(Label) != flyball.OverflowValue {
			name = list.Get(Label)
		}
		l.parsed[labels] = name
	}
	return name
}

// See takes in that a version had samples in a window that ended at a time.
func (l *Log) See(k Key, name string, at flyball.Time) {
	e := l.entities[k]
	if e == nil {
		if len(l.entities) >= entities {
			return
		}
		e = &entity{key: k}
		l.entities[k] = e
	}
	list := slices.DeleteFunc(slices.Clone(e.now), func(v Version) bool { return v.Seen < at.Add(-forgotten) })
	i := slices.IndexFunc(list, func(v Version) bool { return v.Name == name })
	switch {
	case i < 0:
		v := Version{name, at, at}
		if len(list) == 0 || !slices.ContainsFunc(list, func(v Version) bool { return v.Seen < at }) {
			v.Since = flyball.NoTime // they were all there when it began
		}
		if len(list) == kept {
			slices.SortStableFunc(list, func(a, b Version) int { return cmp.Compare(a.Seen, b.Seen) })
			list = slices.Delete(list, 0, 1)
		}
		list = append(list, v)
	case at > list[i].Seen.Add(away):
		if list[i].Seen = at; len(list) > 1 {
			list[i].Since = at
		}
	case at >= list[i].Seen.Add(coarse):
		list[i].Seen = at
	default:
		return
	}
	l.touch(e)
	e.now = list
}

func (l *Log) touch(e *entity) {
	if !e.dirty {
		e.dirty = true
		l.touched = append(l.touched, e)
	}
}

// Before returns the version that appeared last before a time, if that is fresh.
func (l *Log) Before(k Key, at flyball.Time) (v Version, ok bool) {
	e := l.entities[k]
	if e == nil {
		return v, false
	}
	for _, x := range e.now {
		if x.Since != flyball.NoTime && x.Since <= at && at.Sub(x.Since) <= Fresh && (!ok || x.Since > v.Since) {
			v, ok = x, true
		}
	}
	return v, ok
}

// Forget drops what has not been seen for long before a time.
func (l *Log) Forget(source string, at flyball.Time) {
	for k, e := range l.entities {
		if k.Source == source && !slices.ContainsFunc(e.now, func(v Version) bool { return v.Seen >= at.Add(-forgotten) }) {
			l.touch(e)
			e.now = nil
		}
	}
}

// Changed reports what differs from the last commit, by key; nil is nothing any more.
func (l *Log) Changed(change func(k Key, value []byte)) {
	slices.SortFunc(l.touched, func(a, b *entity) int {
		return cmp.Or(cmp.Compare(a.key.Source, b.key.Source), cmp.Compare(a.key.Entity, b.key.Entity))
	})
	for _, e := range l.touched {
		if len(e.now) == 0 {
			change(e.key, nil)
			continue
		}
		text, err := json.Marshal(e.now)
		if err != nil {
			panic("BUG: versions do not encode: " + err.Error())
		}
		change(e.key, text)
	}
}

// Restore takes in what Changed reported.
func (l *Log) Restore(k Key, value []byte) error {
	e := &entity{key: k}
	if err := json.Unmarshal(value, &e.now); err != nil {
		return err
	}
	e.was = e.now
	l.entities[k] = e
	return nil
}

// Commit makes what was seen since the last Commit permanent.
func (l *Log) Commit() {
	for _, e := range l.touched {
		e.was, e.dirty = e.now, false
	}
	l.drop()
}

// Abort takes it back.
func (l *Log) Abort() {
	for _, e := range l.touched {
		e.now, e.dirty = e.was, false
	}
	l.drop()
}

func (l *Log) drop() {
	for _, e := range l.touched {
		if len(e.now) == 0 {
			delete(l.entities, e.key)
		}
	}
	l.touched = l.touched[:0]
}
