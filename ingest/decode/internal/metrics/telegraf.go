package metrics

import (
	"io"
	"strconv"

	"github.com/go-faster/jx"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// Telegraf decodes what Telegraf's serializer "json" writes: objects with name, tags,
// fields and timestamp, one per record, or many in the list "metrics" of an object that
// is nothing else, or
// several objects one after another. One of them is one sample: the label "metric.name"
// is its name, tags are labels, and fields are numbers, or labels where no tag has their
// name. The unit of the timestamp is told by its size.
//
// A record in which anything is not JSON is rejected whole; an object that has parts of
// the wrong type costs itself.
type Telegraf struct {
	row   fieldRow
	time  rows.TimeReader
	dec   jx.Decoder
	name  []byte
	text  []byte
	key   []byte
	at    flyball.Time
	fault rows.Fault
}

// NewTelegraf returns a decoder that keeps the columns of p.
func NewTelegraf(p ingest.Projection) (*Telegraf, error) {
	times, err := rows.NewTimeReader("auto")
	if err != nil {
		return nil, err
	}
	return &Telegraf{row: newFieldRow(p), time: times}, nil
}

// Decode implements [ingest.Decoder].
func (d *Telegraf) Decode(value []byte, b *ingest.Builder) error {
	start := b.Len()
	d.row.Begin(b)
	d.dec.ResetBytes(value)
	defer d.dec.ResetBytes(nil)
	for n := 0; ; n++ {
		if d.dec.Next() != jx.Object {
			if err := d.dec.Skip(); err == io.EOF && n > 0 {
				return d.row.Err()
			}
			return rows.Malformed(b, start, "the record is not JSON objects")
		}
		if err := d.object(b, true); err != nil {
			return rows.Malformed(b, start, "the record is not JSON: "+err.Error())
		}
	}
}

// object reads a sample, or at the top a list of them.
func (d *Telegraf) object(b *ingest.Builder, top bool) error {
	d.row.enter()
	d.name = d.name[:0]
	d.at, d.fault = 0, rows.FaultNoTime
	it, err := d.dec.ObjIter()
	if err != nil {
		return err
	}
	batch := false
	for it.Next() {
		if top && string(it.Key()) == "metrics" && d.dec.Next() == jx.Array {
			batch = true
			err = d.batch(b)
		} else {
			err = d.part(it.Key())
		}
		if err != nil {
			return err
		}
	}
	if batch {
		return it.Err()
	}
	d.row.end(b, d.name, d.at, d.fault)
	return it.Err()
}

func (d *Telegraf) batch(b *ingest.Builder) error {
	it, err := d.dec.ArrIter()
	if err != nil {
		return err
	}
	for it.Next() {
		if d.dec.Next() == jx.Object {
			err = d.object(b, false)
		} else {
			d.row.Reject(rows.FaultNotObject)
			err = d.dec.Skip()
		}
		if err != nil {
			return err
		}
	}
	return it.Err()
}

// part reads one part of a sample.
func (d *Telegraf) part(key []byte) (err error) {
	kind := d.dec.Next()
	switch string(key) {
	case "name":
		if kind == jx.String {
			d.name, err = d.dec.StrAppend(d.name[:0])
			return err
		}
	case "tags":
		if kind == jx.Object {
			return d.members(d.tag)
		}
	case "fields":
		if kind == jx.Object {
			return d.members(d.field)
		}
	case "timestamp":
		if kind == jx.Number || kind == jx.String {
			var raw []byte
			if kind == jx.String {
				d.text, err = d.dec.StrAppend(d.text[:0])
				raw = d.text
			} else {
				raw, err = d.dec.Raw()
			}
			if err == nil {
				d.at, d.fault = d.time.Read(raw, kind == jx.String)
			}
			return err
		}
	}
	return d.dec.Skip()
}

// members calls f for each member of the object at hand.
func (d *Telegraf) members(f func(key []byte) error) error {
	it, err := d.dec.ObjIter()
	if err != nil {
		return err
	}
	for it.Next() {
		d.key = append(d.key[:0], it.Key()...)
		if err := f(d.key); err != nil {
			return err
		}
	}
	return it.Err()
}

func (d *Telegraf) tag(key []byte) (err error) {
	if d.dec.Next() != jx.String {
		return d.dec.Skip()
	}
	if d.text, err = d.dec.StrAppend(d.text[:0]); err == nil {
		d.row.label(key, d.text, tagRank)
	}
	return err
}

func (d *Telegraf) field(key []byte) (err error) {
	switch d.dec.Next() {
	case jx.String:
		if d.text, err = d.dec.StrAppend(d.text[:0]); err == nil {
			d.row.label(key, d.text, fieldRank)
			d.row.number(key, 0, false)
		}
		return err
	case jx.Bool:
		on, err := d.dec.Bool()
		d.text = strconv.AppendBool(d.text[:0], on)
		d.row.label(key, d.text, fieldRank)
		d.row.number(key, 0, false)
		return err
	case jx.Number:
		raw, err := d.dec.Raw()
		if err != nil {
			return err
		}
		v, ok := rows.ParseNumber(raw)
		d.row.number(key, v, ok)
		if isWhole(raw) {
			d.row.label(key, raw, fieldRank)
		} else {
			d.text = rows.AppendDouble(d.text[:0], v)
			d.row.label(key, d.text, fieldRank)
		}
		return nil
	}
	return d.dec.Skip()
}

func isWhole(raw []byte) bool {
	for _, c := range raw {
		if c == '.' || c == 'e' || c == 'E' {
			return false
		}
	}
	return true
}
