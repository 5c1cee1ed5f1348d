package processors

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// TestReadPanesRefusesWhatWouldPanic spoils the buffers of a good stream one byte
// at a time: whatever the Arrow reader makes of it, reading must not panic, and
// must give all rows or none.
func TestReadPanesRefusesWhatWouldPanic(t *testing.T) {
	var w PaneWriter
	for range 3 {
		w.Append(PaneRow{Indicator: "requests", Entity: "cart", Labels: `{"service.name":"cart"}`, Start: 1e10, Count: 7, Bad: 2, Hist: []byte{0x40}})
	}
	good := w.Encode()
	refused := 0
	for i := range good {
		for _, mask := range []byte{0x01, 0x80, 0xff} {
			data := bytes.Clone(good)
			data[i] ^= mask
			rows := 0
			err := ReadPanes(data, func(r PaneRow) {
				rows++
				_ = r.Labels + r.Entity + r.Indicator
			})
			if err != nil {
				refused++
				if rows != 0 {
					t.Fatalf("byte %d ^ %#x: %v after %d rows", i, mask, err, rows)
				}
			}
		}
	}
	if refused == 0 {
		t.Error("no spoiled byte was noticed at all")
	}
}

func TestReadPanesRefusesNulls(t *testing.T) {
	mem := memory.DefaultAllocator
	b := array.NewRecordBuilder(mem, paneSchema)
	defer b.Release()
	for i := range paneSchema.NumFields() {
		b.Field(i).AppendNull()
	}
	rec := b.NewRecord()
	defer rec.Release()
	cols := make([]arrow.Array, rec.NumCols())
	for i, c := range rec.Columns() {
		c.Retain()
		cols[i] = c
	}
	if err := ReadPanes(encodeRecord(paneSchema, 1, cols), func(PaneRow) { t.Error("a row of nulls is given") }); err == nil {
		t.Error("nulls are taken")
	}
}

// TestPaneStreamsBeginAlike: senders and readers of different versions share the
// panes topic while an upgrade rolls, and readers compare these bytes.
func TestPaneStreamsBeginAlike(t *testing.T) {
	const want = "432331398d4e66cc712275bf2eb5334c1211cee7a26b4830d64823e46e8a9b7f"
	if got := fmt.Sprintf("%x", sha256.Sum256(paneSchemaFrame)); got != want {
		t.Errorf("streams of panes now begin with bytes of hash %s, want %s: older versions will refuse them", got, want)
	}
	var w PaneWriter
	w.Append(PaneRow{Indicator: "i"})
	if !bytes.HasPrefix(w.Encode(), paneSchemaFrame) {
		t.Error("a stream of panes does not begin with its schema")
	}
}

func FuzzReadPanes(f *testing.F) {
	var w PaneWriter
	w.Append(PaneRow{Indicator: "i", Entity: "e", Labels: "{}", Count: 1, Hist: []byte{0x40}})
	f.Add(w.Encode())
	f.Add([]byte("not arrow"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows := 0
		err := ReadPanes(data, func(r PaneRow) { rows += 1 + 0*len(r.Indicator+r.Entity+r.Labels+string(r.Hist)) })
		if err != nil && rows > 0 {
			t.Errorf("%d rows before %v", rows, err)
		}
	})
}
