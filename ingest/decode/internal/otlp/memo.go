package otlp

import (
	"bytes"
	"hash/maphash"

	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// resourceMemo remembers what the Resource messages of late gave: the few
// processes that send spans repeat theirs in every record, byte by byte, and to
// compare one is much cheaper than to read it.
type resourceMemo struct {
	entries [memoEntries]memoEntry
}

const (
	memoEntries = 256  // a power of two
	memoBytes   = 2048 // longer messages are read every time
)

// memoEntry is one message and what the level of the resource held after it.
type memoEntry struct {
	message []byte
	labels  []rows.Cell
	values  []rows.Number
	broken  bool
	id      Identity
	used    bool
}

var memoSeed = maphash.MakeSeed() // in-process only

func (m *resourceMemo) entry(message []byte) *memoEntry {
	return &m.entries[maphash.Bytes(memoSeed, message)%memoEntries]
}

// recall makes the level of the resource, which must be empty, what it was after
// the same message before. It reports false when that is not known.
func (m *resourceMemo) recall(message []byte, r *Row) bool {
	if len(message) > memoBytes {
		return false
	}
	e := m.entry(message)
	if !e.used || !bytes.Equal(e.message, message) {
		return false
	}
	copy(r.Labels[ResourceLevel], e.labels)
	copy(r.Values[ResourceLevel], e.values)
	r.Broken[ResourceLevel] = e.broken
	r.identity[ResourceLevel] = e.id
	return true
}

// keep remembers what a message gave. It copies it.
func (m *resourceMemo) keep(message []byte, r *Row) {
	if len(message) > memoBytes {
		return
	}
	e := m.entry(message)
	e.message = append(e.message[:0], message...)
	e.labels = append(e.labels[:0], r.Labels[ResourceLevel]...)
	e.values = append(e.values[:0], r.Values[ResourceLevel]...)
	e.id = r.Identity(ResourceLevel)
	e.broken, e.used = r.Broken[ResourceLevel], true
}

// forget drops everything: codes have become void.
func (m *resourceMemo) forget() {
	for i := range m.entries {
		m.entries[i].used = false
	}
}
