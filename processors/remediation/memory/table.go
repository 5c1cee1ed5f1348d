package memory

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/flyball-io/flyball/processors"
)

// Key identifies a row of a table; parts that a table does not need are "".
type Key [3]string

// Row is what a table holds; it knows its key.
type Row interface{ Key() Key }

// Table is a map whose changes can be taken back, which knows what has changed, and
// which travels through the state topic. The key there is the table's prefix and
// a JSON array of the parts, which a person can read and nothing in a name can
// confuse.
type Table[V Row] struct {
	prefix string
	parts  int // that a key has at least
	// Rows holds what there is; it is changed by Set and Del only.
	Rows map[Key]V
	// before holds what a key had at the last commit, for keys touched since.
	before map[Key]former[V]
	// dirty holds the keys touched since the last call of changes.
	dirty map[Key]struct{}
	// moved, when set, is told of every change of a row, also of those taken back.
	moved func(was V, had bool, is V, has bool)
}

// former is what a key had, if anything.
type former[V any] struct {
	value V
	found bool
}

func newTable[V Row](name string, parts int) *Table[V] {
	return &Table[V]{prefix: Prefix + name + "/", parts: parts,
		Rows: map[Key]V{}, before: map[Key]former[V]{}, dirty: map[Key]struct{}{}}
}

// Get returns the row of a key, if there is one.
func (t *Table[V]) Get(k Key) (V, bool) { v, ok := t.Rows[k]; return v, ok }

// Full says whether no new key may be added.
func (t *Table[V]) Full() bool { return len(t.Rows) >= Max }

// Set sets a row.
func (t *Table[V]) Set(v V) {
	k := v.Key()
	t.touch(k)
	t.put(k, v, true)
}

// Del deletes the row of a key.
func (t *Table[V]) Del(k Key) {
	t.touch(k)
	var none V
	t.put(k, none, false)
}

// put changes a row and tells who wants to know.
func (t *Table[V]) put(k Key, v V, has bool) {
	was, had := t.Rows[k]
	if has {
		t.Rows[k] = v
	} else {
		delete(t.Rows, k)
	}
	if t.moved != nil {
		t.moved(was, had, v, has)
	}
}

func (t *Table[V]) touch(k Key) {
	if _, ok := t.before[k]; !ok {
		v, found := t.Rows[k]
		t.before[k] = former[V]{v, found}
	}
	t.dirty[k] = struct{}{}
}

// Commit makes the changes since the last Commit or Abort permanent.
func (t *Table[V]) Commit() { clear(t.before) }

// Abort takes them back.
func (t *Table[V]) Abort() {
	for k, f := range t.before {
		t.put(k, f.value, f.found)
	}
	clear(t.before)
	clear(t.dirty)
}

// Changes returns what has changed since it was last called, in no order.
func (t *Table[V]) Changes() []processors.StateChange {
	var out []processors.StateChange
	for k := range t.dirty {
		out = append(out, t.stateOf(k))
	}
	clear(t.dirty)
	return out
}

// Snapshot returns every row, in no order.
func (t *Table[V]) Snapshot() []processors.StateChange {
	var out []processors.StateChange
	for k := range t.Rows {
		out = append(out, t.stateOf(k))
	}
	return out
}

func (t *Table[V]) stateOf(k Key) processors.StateChange {
	n := len(k)
	for n > t.parts && k[n-1] == "" {
		n--
	}
	name := t.prefix + encode(k[:n])
	v, ok := t.Rows[k]
	if !ok {
		return processors.StateChange{Key: name}
	}
	return processors.StateChange{Key: name, Value: []byte(encode(v))}
}

// Restore sets or deletes one key, beside the undo log. It reports whether the key
// is one of this table.
func (t *Table[V]) Restore(name string, value []byte) (bool, error) {
	text, ok := strings.CutPrefix(name, t.prefix)
	if !ok {
		return false, nil
	}
	var parts []string
	if err := json.Unmarshal([]byte(text), &parts); err != nil || len(parts) < t.parts || len(parts) > len(Key{}) {
		return true, fmt.Errorf("the key has not the parts that it must have")
	}
	var k Key
	copy(k[:], parts)
	var v V
	if value == nil {
		t.put(k, v, false)
		return true, nil
	}
	if err := json.Unmarshal(value, &v); err != nil {
		return true, err
	}
	if v.Key() != k {
		return true, fmt.Errorf("the value is that of key %q", v.Key())
	}
	t.put(k, v, true)
	return true, nil
}

// KeysOf returns the keys of a table in order, so that what is done with them is
// done in the same order in every run.
func KeysOf[V Row](t *Table[V], want func(V) bool) []Key {
	var out []Key
	for k, v := range t.Rows {
		if want(v) {
			out = append(out, k)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		for p := range out[i] {
			if out[i][p] != out[j][p] {
				return out[i][p] < out[j][p]
			}
		}
		return false
	})
	return out
}

// encode returns v as JSON.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("BUG: cannot encode state: " + err.Error())
	}
	return string(b)
}
