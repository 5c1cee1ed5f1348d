package decode

import (
	"unicode/utf8"

	"github.com/flyball-io/flyball/ingest"
)

// interner interns label values and checks, once per value, that they are valid
// UTF-8.
type interner struct {
	dict       *ingest.Dictionary
	generation uint64
	checked    [][]uint8 // by column and code: 0 not yet, or one of the below
}

const (
	validText   = 1
	invalidText = 2
)

func newInterner(columns int) interner { return interner{checked: make([][]uint8, columns)} }

// use prepares for a dictionary. It reports whether codes known so far are void:
// it is another one, or was reset.
func (n *interner) use(d *ingest.Dictionary) bool {
	if n.dict == d && n.generation == d.Generation() {
		return false
	}
	n.dict, n.generation = d, d.Generation()
	for c := range n.checked {
		n.checked[c] = n.checked[c][:0]
	}
	return true
}

// code returns the code of text and whether it is valid UTF-8.
func (n *interner) code(column int, text []byte) (uint32, bool) {
	code := n.dict.Code(column, text)
	if seen := n.checked[column]; uint(code) < uint(len(seen)) && seen[code] == validText {
		return code, true
	}
	return code, n.check(column, code, text)
}

func (n *interner) check(column int, code uint32, text []byte) bool {
	for uint(len(n.checked[column])) <= uint(code) {
		n.checked[column] = append(n.checked[column], 0)
	}
	state := &n.checked[column][code]
	if *state == 0 {
		*state = invalidText
		if utf8.Valid(text) {
			*state = validText
		}
	}
	return *state == validText
}

// enum holds the codes of the texts of a protobuf enum.
type enum struct {
	texts []string // by number
	codes []uint32
}

func (e *enum) intern(d *ingest.Dictionary, column int) {
	e.codes = e.codes[:0]
	for _, text := range e.texts {
		e.codes = append(e.codes, d.Code(column, []byte(text)))
	}
}

// code returns the code of number n; one that this release does not know is
// shown as the first.
func (e *enum) code(n int32) uint32 {
	if uint32(n) >= uint32(len(e.codes)) {
		n = 0
	}
	return e.codes[n]
}
