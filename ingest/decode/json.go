package decode

import (
	"errors"
	"io"
	"math"
	"strconv"

	"github.com/go-faster/jx"

	"github.com/flyball-io/flyball"
	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// JSON decodes records that hold JSON objects (RFC 8259): one object, an array of
// objects, or several of either one after another, as NDJSON is. One object is
// one sample, and a [flyball.JSONMapping] says where its parts are.
//
// A path is keys joined by dots. Since keys may have dots themselves, every way
// to cut it is tried, the one with the longest first key first: "a.b.c" is the
// key "a.b.c", else "c" in "a.b", else "b.c" in "a", else "c" in "b" in "a". A
// field that is null is absent. Of a key that an object has twice the last counts.
//
// The event time is exact to the nanosecond, also where a number has a fraction;
// digits beyond are dropped. A sample without one is rejected.
//
// Labels are strings, booleans ("true", "false") and numbers: whole ones as
// written, others in their shortest form. Values are numbers and strings that
// spell a decimal number; an empty string is absent. A label that is an object or
// an array, a value that is anything else (also the strings NaN and Infinity),
// and a negative duration reject the sample.
//
// A record in which anything is not JSON is rejected whole.
type JSON struct {
	rows    rows.Rows
	dec     jx.Decoder
	root    *pathNode
	time    rows.TimeReader
	factors []float64
	at      eventTime
	labels  []rows.Cell
	values  []rows.Number
	scratch []byte
	label   []byte

	// Of documents of a known schema.
	skipEmpty bool // an empty text is absent
	texts     []capture
	finish    func() // the columns of the sample at hand
}

// eventTime is the event time found so far.
type eventTime struct {
	t     flyball.Time
	rank  uint8
	fault rows.Fault
}

// NewJSON returns a decoder that keeps the columns of p, all of which m must map.
func NewJSON(m flyball.JSONMapping, p ingest.Projection) (*JSON, error) {
	root, factors, err := compilePaths(m, p)
	if err != nil {
		return nil, err
	}
	times, err := rows.NewTimeReader(m.TimestampFormat)
	if err != nil {
		return nil, err
	}
	return &JSON{
		rows: rows.New(p), root: root, factors: factors, time: times,
		labels: make([]rows.Cell, len(p.Labels)), values: make([]rows.Number, len(p.Values)),
	}, nil
}

// Decode implements [ingest.Decoder].
func (d *JSON) Decode(value []byte, b *ingest.Builder) error {
	start := b.Len()
	d.rows.Begin(b)
	d.dec.ResetBytes(value)
	defer d.dec.ResetBytes(nil)
	for n := 0; ; n++ {
		var err error
		switch d.dec.Next() {
		case jx.Object:
			err = d.event(b)
		case jx.Array:
			err = d.array(b)
		default:
			if err = d.dec.Skip(); err == io.EOF && n > 0 {
				return d.rows.Err()
			}
			return rows.Malformed(b, start, "the record is not JSON objects: "+detail(err))
		}
		if err != nil {
			return rows.Malformed(b, start, "the record is not JSON: "+err.Error())
		}
	}
}

// errMore is the error of bytes after what should be all.
var errMore = errors.New("more follows it")

func detail(err error) string {
	switch err {
	case nil:
		return "a value is neither an object nor an array"
	case io.EOF:
		return "it is empty"
	}
	return err.Error()
}

// array reads an array of samples.
func (d *JSON) array(b *ingest.Builder) error {
	it, err := d.dec.ArrIter()
	if err != nil {
		return err
	}
	for it.Next() {
		if d.dec.Next() == jx.Object {
			err = d.event(b)
		} else {
			d.rows.Reject(rows.FaultNotObject)
			err = d.dec.Skip()
		}
		if err != nil {
			return err
		}
	}
	return it.Err()
}

// event reads one sample.
func (d *JSON) event(b *ingest.Builder) error {
	d.begin()
	if err := d.object(d.root); err != nil {
		return err
	}
	d.end(b)
	return nil
}

// begin starts a sample.
func (d *JSON) begin() {
	d.at = eventTime{fault: rows.FaultNoTime}
	clear(d.labels)
	clear(d.values)
	for i := range d.texts {
		d.texts[i].rank = 0
	}
}

// end ends the sample at hand.
func (d *JSON) end(b *ingest.Builder) {
	if d.finish != nil {
		d.finish()
	}
	d.rows.Append(b, d.at.t, d.at.fault, d.labels, d.values)
}

func (d *JSON) object(node *pathNode) error {
	it, err := d.dec.ObjIter()
	if err != nil {
		return err
	}
	for it.Next() {
		if n := node.keys.Find(it.Key()); n >= 0 {
			err = d.step(&node.steps[n])
		} else {
			err = d.dec.Skip()
		}
		if err != nil {
			return err
		}
	}
	return it.Err()
}

// step reads the value of a key on a wanted path.
func (d *JSON) step(s *pathStep) error {
	kind := d.dec.Next()
	var err error
	text := d.scratch[:0]
	switch {
	case kind == jx.Object && s.child != nil:
		err = d.object(s.child)
	case kind == jx.Null:
		return d.dec.Skip()
	case kind == jx.String && len(s.fields) > 0:
		d.scratch, err = d.dec.StrAppend(text)
		text = d.scratch
	default:
		text, err = d.dec.Raw()
	}
	if err != nil {
		return err
	}
	for i := range s.fields {
		d.field(&s.fields[i], kind, text)
	}
	return nil
}

// field takes a value for a column; s is a string without its quotes, or what is
// written.
func (d *JSON) field(f *jsonField, kind jx.Type, s []byte) {
	if d.skipEmpty && len(s) == 0 {
		return
	}
	switch f.kind {
	case fieldText:
		d.texts[f.column].take(f.rank, kind, s)
	case fieldTime:
		if f.rank >= d.at.rank {
			d.at = eventTime{rank: f.rank, fault: rows.FaultTimeForm}
			if kind == jx.String || kind == jx.Number {
				d.at.t, d.at.fault = d.time.Read(s, kind == jx.String)
			}
		}
	case fieldLabel:
		if c := &d.labels[f.column]; f.rank >= c.Rank {
			*c = d.labelOf(f.column, kind, s)
			c.Rank = f.rank
		}
	case fieldValue:
		if n := &d.values[f.column]; f.rank >= n.Rank {
			*n = d.numberOf(f.column, kind, s)
			n.Rank = f.rank
		}
	}
}

func (d *JSON) labelOf(column int, kind jx.Type, s []byte) rows.Cell {
	switch kind {
	case jx.Object, jx.Array:
		return rows.Cell{Fault: rows.FaultLabel}
	case jx.Number:
		s = d.numberText(s)
	}
	return d.rows.Cell(column, s)
}

// numberText makes 1.50 and 1.5e0 one label; whole numbers are kept exactly.
func (d *JSON) numberText(s []byte) []byte {
	for _, c := range s {
		if c == '.' || c == 'e' || c == 'E' {
			f, err := strconv.ParseFloat(rows.Text(s), 64)
			if err != nil {
				return s // beyond float64: as written
			}
			d.label = rows.AppendDouble(d.label[:0], f)
			return d.label
		}
	}
	return s
}

func (d *JSON) numberOf(column int, kind jx.Type, s []byte) rows.Number {
	if kind == jx.String && len(s) == 0 {
		return rows.Number{V: math.NaN()}
	}
	if kind != jx.Number && kind != jx.String {
		return rows.Number{Fault: rows.FaultNumber}
	}
	v, ok := rows.ParseNumber(s)
	if !ok {
		return rows.Number{Fault: rows.FaultNumber}
	}
	if factor := d.factors[column]; factor != 0 {
		v *= factor
		if v < 0 {
			return rows.Number{Fault: rows.FaultNegative}
		}
	}
	if math.IsInf(v, 0) {
		return rows.Number{Fault: rows.FaultNumber}
	}
	return rows.Number{V: v}
}
