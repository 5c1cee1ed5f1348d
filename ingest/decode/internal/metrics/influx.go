package metrics

import (
	"bytes"
	"strconv"

	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// Influx decodes InfluxDB's line protocol
// (https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol). One line is
// one sample: the label "metric.name" is its measurement, tags are labels, and fields
// are numbers, or labels where no tag has their name. The unit of the timestamp is told
// by its size.
//
// Lines stand by themselves: one that cannot be read costs itself. A line without a
// timestamp, which a server would take for one of now, is rejected.
type Influx struct {
	row  fieldRow
	time rows.TimeReader

	key, value, name []byte // without escapes, where they had any
}

// NewInflux returns a decoder that keeps the columns of p.
func NewInflux(p ingest.Projection) (*Influx, error) {
	times, err := rows.NewTimeReader("auto")
	if err != nil {
		return nil, err
	}
	return &Influx{row: newFieldRow(p), time: times}, nil
}

// Decode implements [ingest.Decoder].
func (d *Influx) Decode(value []byte, b *ingest.Builder) error {
	d.row.Begin(b)
	for i := 0; i < len(value); {
		switch value[i] {
		case '\n', '\r', ' ', '\t':
			i++
		case '#':
			i = lineEnd(value, i)
		default:
			i = d.line(value, i, b)
		}
	}
	return d.row.Err()
}

func lineEnd(s []byte, i int) int {
	if n := bytes.IndexByte(s[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(s)
}

// line reads one line and returns where it ends.
func (d *Influx) line(s []byte, i int, b *ingest.Builder) int {
	d.row.enter()
	var ok bool
	if d.name, i, ok = token(d.name, s, i, measurementEnds); !ok || len(d.name) == 0 {
		return d.broken(s, i)
	}
	for i < len(s) && s[i] == ',' {
		if d.key, i, ok = token(d.key, s, i+1, keyEnds); !ok || i >= len(s) || s[i] != '=' || len(d.key) == 0 {
			return d.broken(s, i)
		}
		if d.value, i, ok = token(d.value, s, i+1, tagEnds); !ok || len(d.value) == 0 {
			return d.broken(s, i)
		}
		d.row.label(d.key, d.value, tagRank)
	}
	for first := true; first || i < len(s) && s[i] == ','; first = false {
		if first {
			if i >= len(s) || s[i] != ' ' {
				return d.broken(s, i)
			}
			for i+1 < len(s) && s[i+1] == ' ' {
				i++
			}
		}
		if i, ok = d.field(s, i+1); !ok {
			return d.broken(s, i)
		}
	}
	return d.timestamp(s, i, b)
}

// timestamp reads what is left of a line and ends its row.
func (d *Influx) timestamp(s []byte, i int, b *ingest.Builder) int {
	end := lineEnd(s, i)
	text := bytes.Trim(s[i:end], " \r")
	if len(text) == 0 {
		d.row.end(b, d.name, 0, rows.FaultNoTime)
		return end
	}
	if s[i] != ' ' {
		return d.broken(s, i)
	}
	at, fault := d.time.Read(text, false)
	if bytes.ContainsAny(text, ".eE") {
		fault = rows.FaultTimeForm
	}
	d.row.end(b, d.name, at, fault)
	return end
}

// broken rejects the line that s[i] is in and returns where it ends.
func (d *Influx) broken(s []byte, i int) int {
	d.row.Reject(rows.FaultFraming)
	return lineEnd(s, min(i, len(s)))
}

// What ends each part of a line.
const (
	measurementEnds = ", "
	keyEnds         = "= ,"
	tagEnds         = ", ="
)

// token reads a part of a line up to one of the bytes that end it, without the
// backslashes before those.
func token(into, s []byte, i int, ends string) (text []byte, next int, ok bool) {
	into = into[:0]
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\n' || c == '\r':
			return into, i, true
		case c == '\\' && i+1 < len(s) && (s[i+1] == ',' || s[i+1] == ' ' || s[i+1] == '=' && ends != measurementEnds):
			i++
			c = s[i]
		case c == ends[0] || c == ends[1] || len(ends) > 2 && c == ends[2]:
			return into, i, true
		}
		into = append(into, c)
	}
	return into, i, true
}

// field reads one field at s[i].
func (d *Influx) field(s []byte, i int) (next int, ok bool) {
	if d.key, i, _ = token(d.key, s, i, keyEnds); i >= len(s) || s[i] != '=' || len(d.key) == 0 {
		return i, false
	}
	i++
	if i < len(s) && s[i] == '"' {
		if i, ok = d.quoted(s, i+1); ok {
			d.row.label(d.key, d.value, fieldRank)
			d.row.number(d.key, 0, false)
		}
		return i, ok
	}
	from := i
	for i < len(s) && s[i] != ',' && s[i] != ' ' && s[i] != '\n' && s[i] != '\r' {
		i++
	}
	return i, d.scalar(s[from:i])
}

// quoted reads a string after its first quote.
func (d *Influx) quoted(s []byte, i int) (next int, ok bool) {
	d.value = d.value[:0]
	for ; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return i + 1, true
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
		}
		d.value = append(d.value, s[i])
	}
	return i, false
}

// scalar takes a number or a truth value.
func (d *Influx) scalar(text []byte) bool {
	switch string(text) {
	case "":
		return false
	case "t", "T", "true", "True", "TRUE":
		d.row.label(d.key, []byte("true"), fieldRank)
		d.row.number(d.key, 0, false)
		return true
	case "f", "F", "false", "False", "FALSE":
		d.row.label(d.key, []byte("false"), fieldRank)
		d.row.number(d.key, 0, false)
		return true
	}
	var v float64
	ok := true
	digits := text[:len(text)-1]
	switch text[len(text)-1] {
	case 'i':
		n, err := strconv.ParseInt(rows.Text(digits), 10, 64)
		v, ok = float64(n), err == nil
		d.row.label(d.key, digits, fieldRank)
	case 'u':
		n, err := strconv.ParseUint(rows.Text(digits), 10, 64)
		v, ok = float64(n), err == nil
		d.row.label(d.key, digits, fieldRank)
	default:
		if v, ok = rows.ParseNumber(text); ok {
			d.row.scratch = rows.AppendDouble(d.row.scratch[:0], v)
			d.row.label(d.key, d.row.scratch, fieldRank)
		}
	}
	d.row.number(d.key, v, true)
	return ok
}
