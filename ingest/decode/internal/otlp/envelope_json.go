package otlp

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-faster/jx"

	"github.com/flyball-io/flyball/ingest"
	"github.com/flyball-io/flyball/ingest/decode/internal/rows"
)

// EnvelopeJSON is Envelope in JSON. Of a resource or scope that is given twice the
// first counts.
type EnvelopeJSON struct {
	JSON
	// Lists are the names of the three lists, in lowerCamelCase and in snake_case.
	Lists [3][2]string
	// Item reads the span, metric or log record at hand.
	Item func(b *ingest.Builder) error
}

// Decode reads a record.
func (e *EnvelopeJSON) Decode(value []byte, r *Row, b *ingest.Builder) error {
	start := b.Len()
	dec := &e.Dec
	dec.ResetBytes(value)
	defer dec.ResetBytes(nil)
	if dec.Next() != jx.Object {
		return rows.Malformed(b, start, "the record is not a JSON object")
	}
	err := e.list(0, func() error { return e.resource(r, b) })
	if err == nil {
		if err = dec.Skip(); err == io.EOF {
			return r.Err()
		}
		err = errors.New("more follows the object")
	}
	return rows.Malformed(b, start, "cannot read the JSON: "+err.Error())
}

// list reads the elements of a list in the object at hand.
func (e *EnvelopeJSON) list(n int, element func() error) error {
	return e.Object(func(key []byte) error {
		if string(key) == e.Lists[n][0] || string(key) == e.Lists[n][1] {
			return e.Array(element)
		}
		return e.Dec.Skip()
	})
}

func (e *EnvelopeJSON) resource(r *Row, b *ingest.Builder) error {
	if e.Dec.Next() != jx.Object {
		return e.NotObject()
	}
	r.Enter(ResourceLevel)
	if err := e.Find("resource", func() error { return e.resourceFields(r) }); err != nil {
		return err
	}
	return e.list(1, func() error { return e.scope(r, b) })
}

func (e *EnvelopeJSON) scope(r *Row, b *ingest.Builder) error {
	if e.Dec.Next() != jx.Object {
		return e.NotObject()
	}
	r.Enter(ScopeLevel)
	if err := e.Find("scope", func() error { return e.scopeFields(r) }); err != nil {
		return err
	}
	return e.list(2, func() error { return e.Item(b) })
}

// Check notes a fault of a level unless ok, and hands err on.
func (r *Row) Check(l Level, ok bool, err error) error {
	if !ok {
		r.Broken[l] = true
	}
	return err
}

// FieldsOf reads an object of a level with f; what is no object is a fault of it.
func (j *JSON) FieldsOf(r *Row, l Level, f func(key []byte) error) error {
	ok, err := j.Fields(f)
	return r.Check(l, ok, err)
}

func (e *EnvelopeJSON) resourceFields(r *Row) error {
	return e.FieldsOf(r, ResourceLevel, func(key []byte) error {
		if string(key) == "attributes" {
			return e.Attributes(r, ResourceLevel)
		}
		return e.Dec.Skip()
	})
}

func (e *EnvelopeJSON) scopeFields(r *Row) error {
	return e.FieldsOf(r, ScopeLevel, func(key []byte) error {
		switch string(key) {
		case "name":
			return e.scopeField(r, "scope.name", r.scopeName)
		case "version":
			return e.scopeField(r, "scope.version", r.scopeVersion)
		case "attributes":
			return e.Attributes(r, ScopeLevel)
		}
		return e.Dec.Skip()
	})
}

func (e *EnvelopeJSON) scopeField(r *Row, name string, column int) error {
	s, ok, err := e.String()
	if ok && err == nil {
		r.setScope(name, column, s)
	}
	return r.Check(ScopeLevel, ok, err)
}

// Attributes reads a list of KeyValue of a level.
func (j *JSON) Attributes(r *Row, l Level) error {
	if kind := j.Dec.Next(); kind != jx.Array {
		return r.Check(l, kind == jx.Null, j.Dec.Skip())
	}
	find, take := r.wanted[l].keys.Find, func(n int, v *AnyValue) { r.Attribute(l, n, v) }
	if r.Identify {
		find, take = r.identified(l)
	}
	return j.Array(func() error {
		ok, err := j.KeyValue(find, take)
		return r.Check(l, ok, err)
	})
}

// identified returns how attributes are found and taken when all of them matter.
func (r *Row) identified(l Level) (find func(key []byte) int, take func(n int, v *AnyValue)) {
	const unwanted = 1 << 30
	var last []byte
	find = func(key []byte) int {
		last = append(last[:0], key...)
		if n := r.wanted[l].keys.Find(key); n >= 0 {
			return n
		}
		return unwanted
	}
	take = func(n int, v *AnyValue) {
		r.AddIdentity(&r.identity[l], l, last, v)
		if n != unwanted {
			r.Attribute(l, n, v)
		}
	}
	return find, take
}

// Uint64 reads an unsigned integer, as nanoseconds and counts are; null is 0.
func (j *JSON) Uint64() (n uint64, ok bool, err error) {
	s, ok, err := j.Scalar()
	if !ok || err != nil || s == nil {
		return 0, ok, err
	}
	n, bad := strconv.ParseUint(rows.Text(s), 10, 64)
	return n, bad == nil, nil
}

// Int64 reads an integer of so many bits; null is 0.
func (j *JSON) Int64(bits int) (n int64, ok bool, err error) {
	s, ok, err := j.Scalar()
	if !ok || err != nil || s == nil {
		return 0, ok, err
	}
	n, bad := strconv.ParseInt(rows.Text(s), 10, bits)
	return n, bad == nil, nil
}

// Double reads a double, also one of the strings that protobuf's JSON has for those
// that are no numbers; null is 0.
func (j *JSON) Double() (f float64, ok bool, err error) {
	s, ok, err := j.Scalar()
	if !ok || err != nil || s == nil {
		return 0, ok, err
	}
	f, ok = parseDouble(s)
	return f, ok, nil
}

// Enum reads the number of an enum, or its name: prefix and one of the texts.
func (j *JSON) Enum(prefix string, texts []string) (n int32, ok bool, err error) {
	s, ok, err := j.Scalar()
	if !ok || err != nil || s == nil {
		return 0, ok, err
	}
	if n, bad := strconv.ParseInt(rows.Text(s), 10, 32); bad == nil {
		return int32(n), true, nil
	}
	name, ok := strings.CutPrefix(rows.Text(s), prefix)
	n = int32(slices.Index(texts, name))
	return max(n, 0), ok && n >= 0, nil
}
