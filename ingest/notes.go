package ingest

import (
	"bytes"

	"github.com/flyball-io/flyball"
)

// Notes is what rows carry for people to look at, column by column in the order of the
// rows; nothing is measured by it. A row may have several: exemplars of a data point.
type Notes struct {
	// Row that the note is about.
	Row []int32
	// Trace that it belongs to, all zero for none.
	Trace [][16]byte
	// Text of a log record, its first bytes; nil for an exemplar.
	Text [][]byte
	// Value of an exemplar in the unit of its metric, how many nanoseconds that has (0 when
	// it is no time), and when it was measured.
	Value, Nanos []float64
	At           []flyball.Time

	bytes []byte
}

// Note is one of Notes.
type Note struct {
	// Trace, empty or 16 bytes. It is copied, and so is Text.
	Trace []byte
	Text  []byte
	// Value, Nanos and At of an exemplar.
	Value, Nanos float64
	At           flyball.Time
}

// maxNoteText is how much of a text is kept.
const maxNoteText = 1024

// Trace says of the last row appended, which row is, to which trace it belongs.
func (b *Builder) Trace(row int, id []byte) {
	if len(id) != 16 {
		return
	}
	if len(b.traces) < row {
		b.traces = append(b.traces, make([][16]byte, row-len(b.traces))...)
	}
	b.traces = append(b.traces[:row], [16]byte(id))
}

// Note adds a note to the last row appended, which row is.
func (b *Builder) Note(row int, n Note) {
	notes := &b.notes
	var trace [16]byte
	if len(n.Trace) == 16 {
		trace = [16]byte(n.Trace)
	}
	var text []byte
	if len(n.Text) > 0 {
		from := len(notes.bytes)
		notes.bytes = append(notes.bytes, bytes.TrimSpace(n.Text[:min(len(n.Text), maxNoteText)])...)
		text = notes.bytes[from:len(notes.bytes):len(notes.bytes)]
	}
	notes.Row, notes.Trace, notes.Text = append(notes.Row, int32(row)), append(notes.Trace, trace), append(notes.Text, text)
	notes.Value, notes.Nanos, notes.At = append(notes.Value, n.Value), append(notes.Nanos, n.Nanos), append(notes.At, n.At)
}

// Len returns how many notes there are.
func (n *Notes) Len() int { return len(n.Row) }

// truncate drops the notes of rows from number row on.
func (n *Notes) truncate(row int) {
	keep := len(n.Row)
	for keep > 0 && int(n.Row[keep-1]) >= row {
		keep--
	}
	n.Row, n.Trace, n.Text = n.Row[:keep], n.Trace[:keep], n.Text[:keep]
	n.Value, n.Nanos, n.At = n.Value[:keep], n.Nanos[:keep], n.At[:keep]
}

func (n *Notes) reset() {
	n.truncate(0)
	n.bytes = n.bytes[:0]
}
