package memory

import (
	"encoding/json"
	"errors"
	"sort"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

const clockKey = Prefix + "clock"

// clockState is the value at clockKey.
type clockState struct {
	At    flyball.Time `json:"at"`
	Began flyball.Time `json:"began"`
	// Progress holds the watermarks of the partitions of panes, null where one is
	// not known.
	Progress []flyball.Time `json:"progress,omitempty"`
}

// undoable is a part of the memory whose changes can be taken back.
type undoable interface {
	Commit()
	Abort()
}

// durable is a part of the memory that travels through the state topic.
type durable interface {
	Changes() []processors.StateChange
	Snapshot() []processors.StateChange
	Restore(key string, value []byte) (bool, error)
}

// store is a part of the memory.
type store interface {
	undoable
	durable
}

// stores lists all that is remembered.
func (m *Memory) stores() []store {
	return []store{m.Commanded, m.Cooldowns, m.Open, m.Missed, m.Edges, m.Operations, m.Failures, m.Results, m.Controls,
		m.Changed, m.Recent, m.Rates, m.Blasts, m.Holds, m.Deferred, m.Alarms, m.Recurrences}
}

// Changes returns what has changed since it was last called, in order of keys.
func (m *Memory) Changes() []processors.StateChange {
	var out []processors.StateChange
	if m.clockDirty {
		out = append(out, m.clockState())
		m.clockDirty = false
	}
	for _, s := range m.stores() {
		out = append(out, s.Changes()...)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out
}

func (m *Memory) clockState() processors.StateChange {
	return processors.StateChange{Key: clockKey, Value: []byte(encode(clockState{m.Clock, m.Began, m.Progress}))}
}

// Snapshot returns all that is remembered, in order of keys.
func (m *Memory) Snapshot() []processors.StateChange {
	var out []processors.StateChange
	if m.Clock != flyball.NoTime || m.Progress != nil {
		out = append(out, m.clockState())
	}
	for _, s := range m.stores() {
		out = append(out, s.Snapshot()...)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out
}

// Restore sets or deletes (nil) what is at one key of the state topic.
func (m *Memory) Restore(name string, value []byte) error {
	if name == clockKey {
		return m.restoreClock(value)
	}
	for _, s := range m.stores() {
		if known, err := s.Restore(name, value); known {
			return err
		}
	}
	return errors.New("the key is unknown")
}

func (m *Memory) restoreClock(value []byte) error {
	c := clockState{At: flyball.NoTime, Began: flyball.NoTime}
	if value != nil {
		if err := json.Unmarshal(value, &c); err != nil {
			return err
		}
	}
	m.Clock, m.Began, m.Progress = c.At, c.Began, c.Progress
	if m.Began == flyball.NoTime {
		m.Began = c.At // it was not written always
	}
	m.clockBefore, m.progressBefore = m.Clock, m.Progress
	return nil
}
