package ingest

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"hash/maphash"
	"unicode/utf8"
)

// Dictionary interns label values and label sets: each distinct value of a
// column gets a code, each distinct tuple of codes an id, both counted from 0 in
// the order they are seen. Code 0 of every column is the absent label, "".
//
// It only grows, until Reset; a reader that keeps results per id must drop them
// when Generation changes. It is owned by one goroutine.
type Dictionary struct {
	columns    []valueTable
	sets       setTable
	generation uint64
	cut        int // values cut since TakeCut
}

// MaxLabelBytes is the length of the longest label value. A longer one, such as a
// stack trace or a query by which somebody groups, would make records of panes,
// windows and findings that brokers refuse.
const MaxLabelBytes = 1024

// CutLabel shortens a value that is too long. Its end is replaced by a hash of the
// whole, so that values which differ stay apart, whoever cuts them.
func CutLabel(value []byte) []byte {
	if len(value) <= MaxLabelBytes {
		return value
	}
	h := fnv.New64a()
	h.Write(value)
	end := fmt.Sprintf("…%016x", h.Sum64())
	n := MaxLabelBytes - len(end)
	for n > 0 && !utf8.RuneStart(value[n]) {
		n--
	}
	return append(value[:n:n], end...)
}

// NewDictionary returns an empty dictionary for that many label columns.
func NewDictionary(columns int) *Dictionary {
	d := &Dictionary{columns: make([]valueTable, columns)}
	d.Reset()
	return d
}

// Reset forgets everything and starts a new generation.
func (d *Dictionary) Reset() {
	d.generation++
	for i := range d.columns {
		d.columns[i].reset()
	}
	d.sets.reset(len(d.columns))
}

// Generation changes with every Reset.
func (d *Dictionary) Generation() uint64 { return d.generation }

// Sets returns the number of distinct label sets seen.
func (d *Dictionary) Sets() int { return d.sets.len() }

// Bytes returns the memory held by interned values and sets, about.
func (d *Dictionary) Bytes() int {
	n := len(d.sets.codes)*4 + len(d.sets.slots)*8
	for i := range d.columns {
		n += len(d.columns[i].arena) + len(d.columns[i].ends)*4 + len(d.columns[i].slots)*8
	}
	return n
}

// TakeCut returns how many values were cut since the last call, one and the same
// perhaps more than once.
func (d *Dictionary) TakeCut() int {
	n := d.cut
	d.cut = 0
	return n
}

// Code interns a value of a column, cut if it is too long; it copies value when it
// is new.
func (d *Dictionary) Code(column int, value []byte) uint32 {
	if len(value) > MaxLabelBytes {
		d.cut++
		value = CutLabel(value)
	}
	return d.columns[column].code(value)
}

// Value returns the value behind a code. It is valid until Reset.
func (d *Dictionary) Value(column int, code uint32) string {
	return string(d.columns[column].value(code))
}

// Set interns a tuple of codes, one per column, and returns its id.
func (d *Dictionary) Set(codes []uint32) uint32 { return d.sets.id(codes) }

// Values appends the label values of a set, in column order, "" where absent.
func (d *Dictionary) Values(set uint32, dst []string) []string {
	for c, code := range d.sets.get(set) {
		dst = append(dst, d.Value(c, code))
	}
	return dst
}

// slot is one place of an open-addressing hash table: id+1 (0 is free) and the
// upper bits of the hash, compared before the entry itself is touched.
type slot struct {
	id   uint32
	hash uint32
}

var seed = maphash.MakeSeed() // in-process only: ids never leave the process

// valueTable interns byte strings into codes.
type valueTable struct {
	slots []slot
	arena []byte
	ends  []uint32 // ends[i] is where value i ends in arena
}

const firstSlots = 64 // a power of two

func (t *valueTable) reset() {
	t.slots = make([]slot, firstSlots)
	t.arena = reused(t.arena)
	t.ends = reused(t.ends)
	t.code(nil)
}

func (t *valueTable) value(code uint32) []byte {
	var from uint32
	if code > 0 {
		from = t.ends[code-1]
	}
	return t.arena[from:t.ends[code]]
}

func (t *valueTable) code(v []byte) uint32 {
	h := maphash.Bytes(seed, v)
	mask := uint64(len(t.slots) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		s := t.slots[at]
		if s.id == 0 {
			return t.add(v, h, at)
		}
		if s.hash == uint32(h>>32) && bytes.Equal(t.value(s.id-1), v) {
			return s.id - 1
		}
	}
}

func (t *valueTable) add(v []byte, h, at uint64) uint32 {
	code := uint32(len(t.ends))
	t.arena = append(t.arena, v...)
	t.ends = append(t.ends, uint32(len(t.arena)))
	t.slots[at] = slot{code + 1, uint32(h >> 32)}
	if 2*len(t.ends) > len(t.slots) {
		t.grow()
	}
	return code
}

func (t *valueTable) grow() {
	t.slots = make([]slot, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for code := range t.ends {
		h := maphash.Bytes(seed, t.value(uint32(code)))
		place(t.slots, mask, uint32(code), h)
	}
}

// place puts an id that is known to be absent.
func place(slots []slot, mask uint64, id uint32, h uint64) {
	at := h & mask
	for slots[at].id != 0 {
		at = (at + 1) & mask
	}
	slots[at] = slot{id + 1, uint32(h >> 32)}
}

// setTable interns tuples of codes into ids.
type setTable struct {
	slots []slot
	codes []uint32 // width codes per set
	width int
	n     int
}

func (t *setTable) reset(width int) {
	*t = setTable{slots: make([]slot, firstSlots), codes: reused(t.codes), width: width}
}

// reused empties a slice, and drops its memory when that is much.
func reused[T any](s []T) []T {
	const much = 1 << 20
	if cap(s) > much {
		return nil
	}
	return s[:0]
}

func (t *setTable) len() int { return t.n }

func (t *setTable) get(id uint32) []uint32 {
	return t.codes[int(id)*t.width : (int(id)+1)*t.width]
}

func (t *setTable) id(codes []uint32) uint32 {
	h := hashCodes(codes)
	mask := uint64(len(t.slots) - 1)
	at := h & mask
	for ; t.slots[at].id != 0; at = (at + 1) & mask {
		s := t.slots[at]
		if s.hash == uint32(h>>32) && equalCodes(t.get(s.id-1), codes) {
			return s.id - 1
		}
	}
	id := uint32(t.n)
	t.n++
	t.codes = append(t.codes, codes...)
	t.slots[at] = slot{id + 1, uint32(h >> 32)}
	if 2*t.n > len(t.slots) {
		t.grow()
	}
	return id
}

func (t *setTable) grow() {
	t.slots = make([]slot, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for id := range t.n {
		place(t.slots, mask, uint32(id), hashCodes(t.get(uint32(id))))
	}
}

func equalCodes(a, b []uint32) bool {
	for i, x := range a {
		if x != b[i] {
			return false
		}
	}
	return true
}

// hashCodes mixes a tuple of small integers; the multiplier is 2^64 divided by
// the golden ratio (Knuth, TAOCP vol. 3, 6.4). The products do not wait for each
// other.
func hashCodes(codes []uint32) uint64 {
	h, k := uint64(0), uint64(0x9E3779B97F4A7C15)
	for _, c := range codes {
		h += uint64(c) * k
		k *= 0xD1342543DE82EF95 // odd, so that no product loses bits
	}
	h ^= h >> 32
	h *= 0x9E3779B97F4A7C15
	return h ^ h>>29
}
