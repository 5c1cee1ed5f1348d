package remediation

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/processors"
)

// Keys of the state topic. A key ends in a JSON array of what it is about, which
// a person can read and nothing in a name can confuse.
const (
	// StatePrefix is what all keys of this machine start with.
	StatePrefix     = "decide/"
	clockKey        = StatePrefix + "clock"
	commandedPrefix = StatePrefix + "commanded/"
	cooldownPrefix  = StatePrefix + "cooldown/"
	// observedPart is the third part of a cooldown's key when it is of an
	// observation.
	observedPart = "observed"
)

// clockState is the value at clockKey.
type clockState struct {
	At flyball.Time `json:"at"`
}

func (k findingKey) state() string { return commandedPrefix + encode([]string{k.rule, k.finding}) }

func (k targetKey) state() string {
	parts := []string{k.action, k.target}
	if k.observed {
		parts = append(parts, observedPart)
	}
	return cooldownPrefix + encode(parts)
}

func (c commanded) key() findingKey { return findingKey{c.Rule, c.Finding} }

func (c cooling) key() targetKey { return targetKey{c.Action, c.Target, c.Observed} }

// changes returns what has changed since it was last called, in order of keys.
func (m *memory) changes() []processors.StateChange {
	var out []processors.StateChange
	if m.clock != m.clockSaved {
		out = append(out, processors.StateChange{Key: clockKey, Value: []byte(encode(clockState{m.clock}))})
		m.clockSaved = m.clock
	}
	m.commanded.changes(func(k findingKey) { out = append(out, stateOf(m.commanded, k)) })
	m.cooldowns.changes(func(k targetKey) { out = append(out, stateOf(m.cooldowns, k)) })
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out
}

// stateKey is a key that knows how it is called in the state topic.
type stateKey interface {
	comparable
	state() string
}

func stateOf[K stateKey, V any](t *table[K, V], k K) processors.StateChange {
	v, ok := t.get(k)
	if !ok {
		return processors.StateChange{Key: k.state()}
	}
	return processors.StateChange{Key: k.state(), Value: []byte(encode(v))}
}

// Snapshot returns all that the machine remembers, in order of keys: what
// Restore needs, and what the state topic holds after compaction. It is for use
// between transactions.
func (m *Machine) Snapshot() []processors.StateChange {
	var out []processors.StateChange
	if m.memory.clock != flyball.NoTime {
		out = append(out, processors.StateChange{Key: clockKey, Value: []byte(encode(clockState{m.memory.clock}))})
	}
	for k := range m.memory.commanded.live {
		out = append(out, stateOf(m.memory.commanded, k))
	}
	for k := range m.memory.cooldowns.live {
		out = append(out, stateOf(m.memory.cooldowns, k))
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out
}

// Restore gives the machine one record of the state topic; a nil value deletes
// the key. Records are given in the order of the log before the first Step. A
// record that it does not understand is an error: a machine that has lost its
// memory must not act.
func (m *Machine) Restore(key string, value []byte) error {
	var err error
	switch {
	case key == clockKey:
		err = m.memory.restoreClock(value)
	case strings.HasPrefix(key, commandedPrefix):
		err = restore(m.memory.commanded, findingKeyOf, key, value)
	case strings.HasPrefix(key, cooldownPrefix):
		err = restore(m.memory.cooldowns, targetKeyOf, key, value)
	default:
		err = fmt.Errorf("the key is unknown")
	}
	if err != nil {
		return fmt.Errorf("cannot restore state %q: %w", key, err)
	}
	return nil
}

func (m *memory) restoreClock(value []byte) error {
	c := clockState{At: flyball.NoTime}
	if value != nil {
		if err := json.Unmarshal(value, &c); err != nil {
			return err
		}
	}
	m.clock, m.clockBefore, m.clockSaved = c.At, c.At, c.At
	return nil
}

// restore sets or deletes one key of a table, beside its undo log.
func restore[K stateKey, V interface{ key() K }](t *table[K, V], parse func(string) (K, error), name string, value []byte) error {
	k, err := parse(name)
	if err != nil {
		return err
	}
	if value == nil {
		delete(t.live, k)
		return nil
	}
	var v V
	if err := json.Unmarshal(value, &v); err != nil {
		return err
	}
	if v.key() != k {
		return fmt.Errorf("the value is that of key %q", v.key().state())
	}
	t.live[k] = v
	return nil
}

func findingKeyOf(name string) (findingKey, error) {
	parts, err := keyParts(name, commandedPrefix)
	if err != nil || len(parts) != 2 {
		return findingKey{}, fmt.Errorf("the key is not a rule and a finding")
	}
	return findingKey{parts[0], parts[1]}, nil
}

func targetKeyOf(name string) (targetKey, error) {
	parts, err := keyParts(name, cooldownPrefix)
	observed := len(parts) == 3 && parts[2] == observedPart
	if err != nil || len(parts) != 2 && !observed {
		return targetKey{}, fmt.Errorf("the key is not an action and a target")
	}
	return targetKey{parts[0], parts[1], observed}, nil
}

func keyParts(name, prefix string) ([]string, error) {
	var parts []string
	err := json.Unmarshal([]byte(strings.TrimPrefix(name, prefix)), &parts)
	return parts, err
}

// encode returns v as JSON.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: cannot encode state: " + err.Error())
	}
	return string(b)
}
