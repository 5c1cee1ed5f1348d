// Package examples keeps a few samples that show a person what happened: the traces of
// spans, the exemplars of metrics, the text of log records.
//
// Which of the samples of a pane are kept follows from the samples alone: it is the same
// however they are cut into records, partitions and transactions, and in whichever order
// they come.
package examples

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"strings"

	"github.com/flyball-io/flyball"
)

// Example is one sample.
type Example struct {
	// Bad is set when it was counted as a bad one.
	Bad bool
	// Value that it has in the unit of its indicator, NaN for none.
	Value float64
	// At is its event time.
	At flyball.Time
	// Trace that it belongs to, all zero for none.
	Trace [16]byte
	// Text of a log record, and Hash of the text as it was sent.
	Text string
	Hash uint64
}

// Most samples of one series that are kept of one pane: bad ones, and others for their
// value.
const (
	mostBad  = 2
	mostHigh = 1
)

// Few are the examples of one series in one pane: of the bad ones those with the highest
// values, and of all the one with the highest. The zero value has none.
type Few struct {
	bad  [mostBad]Example
	high [mostHigh]Example
	// How many there are of each.
	bads, highs uint8
}

// Empty reports whether there are none.
func (f *Few) Empty() bool { return f.bads == 0 && f.highs == 0 }

// Wants reports, fast, whether a sample may be one of the few.
func (f *Few) Wants(bad bool, value float64) bool {
	if bad && (f.bads < mostBad || !(value < f.bad[mostBad-1].Value)) {
		return true
	}
	return value == value && (f.highs < mostHigh || value >= f.high[mostHigh-1].Value)
}

// Add takes a sample, if it is one of the few. Of samples that are the same to a person
// one is.
func (f *Few) Add(e *Example) {
	if e.Bad {
		f.bads = insert(f.bad[:], f.bads, e)
	}
	if e.Value == e.Value {
		f.highs = insert(f.high[:], f.highs, e)
	}
}

// Merge adds those of another.
func (f *Few) Merge(o *Few) {
	for i := range o.bads {
		f.bads = insert(f.bad[:], f.bads, &o.bad[i])
	}
	for i := range o.highs {
		f.highs = insert(f.high[:], f.highs, &o.high[i])
	}
}

// Each calls do with every one, once.
func (f *Few) Each(do func(*Example)) {
	for i := range f.bads {
		do(&f.bad[i])
	}
	for i := range f.highs {
		if e := &f.high[i]; !e.Bad || !f.has(e) {
			do(e)
		}
	}
}

func (f *Few) has(e *Example) bool {
	for i := range f.bads {
		if compare(&f.bad[i], e) == 0 {
			return true
		}
	}
	return false
}

// Bad returns those of the bad ones only.
func (f *Few) Bad() Few { return Few{bad: f.bad, bads: f.bads} }

// High returns those only that are kept for their value.
func (f *Few) High() Few { return Few{high: f.high, highs: f.highs} }

// insert puts e where it belongs in a list whose first n are in order, the best first.
func insert(list []Example, n uint8, e *Example) uint8 {
	at := int(n)
	for i := range int(n) {
		if same(&list[i], e) {
			if compare(e, &list[i]) >= 0 {
				return n
			}
			copy(list[i:], list[i+1:n]) // it takes the place of the other
			n, at = n-1, int(n)-1
			break
		}
	}
	for at > 0 && compare(e, &list[at-1]) < 0 {
		at--
	}
	if at == len(list) {
		return n
	}
	copy(list[at+1:], list[at:min(int(n), len(list)-1)])
	list[at] = *e
	return uint8(min(int(n)+1, len(list)))
}

// same reports whether a person would see no difference.
func same(a, b *Example) bool { return a.Trace == b.Trace && a.Hash == b.Hash && a.Text == b.Text }

// compare orders examples, the best first: the highest value, then by what is as good as
// chance, and is the same everywhere.
func compare(a, b *Example) int {
	if c := cmp.Compare(b.Value, a.Value); c != 0 { // NaN is the lowest
		return c
	}
	if c := cmp.Compare(a.Hash, b.Hash); c != 0 {
		return c
	}
	if c := bytes.Compare(a.Trace[:], b.Trace[:]); c != 0 {
		return c
	}
	if c := cmp.Compare(a.At, b.At); c != 0 {
		return c
	}
	return strings.Compare(a.Text, b.Text)
}

// Redact takes out of the texts what should not leave the place where they were written.
func (f *Few) Redact() {
	for i := range f.bads {
		f.bad[i].Text = Redact(f.bad[i].Text)
	}
	for i := range f.highs {
		f.high[i].Text = Redact(f.high[i].Text)
	}
}

// Mark is the first byte of encoded examples. No histogram and no point of a stream
// begins with it.
const Mark = 0xf1

const (
	flagBad = 1 << iota
	flagValue
	flagTrace
	flagText
)

// AppendBinary appends the encoding of the examples of the pane at start:
//
//	mark       byte
//	size       uvarint, of the bytes that follow
//	examples   flags: byte; time: uvarint, nanoseconds since start; then, where flagged,
//	           value: float64; trace: 16 bytes; hash: uint64, text: uvarint n, n bytes
func (f *Few) AppendBinary(dst []byte, start flyball.Time) []byte {
	var body [512]byte
	b := body[:0]
	f.Each(func(e *Example) { b = e.append(b, start) })
	dst = binary.AppendUvarint(append(dst, Mark), uint64(len(b)))
	return append(dst, b...)
}

func (e *Example) append(b []byte, start flyball.Time) []byte {
	flags := byte(0)
	if e.Bad {
		flags |= flagBad
	}
	if e.Value == e.Value {
		flags |= flagValue
	}
	if e.Trace != [16]byte{} {
		flags |= flagTrace
	}
	if e.Text != "" {
		flags |= flagText
	}
	b = binary.AppendUvarint(append(b, flags), uint64(max(e.At.Sub(start), 0)))
	if flags&flagValue != 0 {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.Value))
	}
	if flags&flagTrace != 0 {
		b = append(b, e.Trace[:]...)
	}
	if flags&flagText != 0 {
		b = binary.LittleEndian.AppendUint64(b, e.Hash)
		b = binary.AppendUvarint(b, uint64(len(e.Text)))
		b = append(b, e.Text...)
	}
	return b
}
