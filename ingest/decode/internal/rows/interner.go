package rows

import (
	"unicode/utf8"

	"github.com/flyball-io/flyball/ingest"
)

// interner turns label values into codes of a dictionary. In front of that it
// keeps, per column, the codes of some recent values: the same few follow each
// other, and a hit costs a comparison instead of a hash and a check of UTF-8.
type interner struct {
	dict       *ingest.Dictionary
	generation uint64
	recent     [][recentValues]recentValue // by column
}

const (
	recentValues = 16 // a power of two
	recentBytes  = 58 // longer values go to the dictionary every time
)

// recentValue is a value of one cache line.
type recentValue struct {
	code uint32
	n    uint16 // length + 1, or 0 when the place is free
	text [recentBytes]byte
}

func newInterner(columns int) interner {
	return interner{recent: make([][recentValues]recentValue, columns)}
}

// use prepares for a dictionary. It reports whether codes known so far are void:
// it is another one, or was reset.
func (n *interner) use(d *ingest.Dictionary) bool {
	if n.dict == d && n.generation == d.Generation() {
		return false
	}
	n.dict, n.generation = d, d.Generation()
	clear(n.recent)
	return true
}

// code returns the code of text, or false when it is not valid UTF-8.
func (n *interner) code(column int, text []byte) (uint32, bool) {
	r := &n.recent[column][keyHash(text)%recentValues]
	if int(r.n) == len(text)+1 && string(r.text[:len(text)]) == string(text) {
		return r.code, true
	}
	if !utf8.Valid(text) {
		return 0, false
	}
	code := n.dict.Code(column, text)
	if len(text) <= recentBytes {
		r.code, r.n = code, uint16(len(text)+1)
		copy(r.text[:], text)
	}
	return code, true
}
