package otlp

import (
	"errors"

	"github.com/go-faster/jx"
)

// JSON reads OTLP in its JSON encoding. Errors are faults in the syntax, or
// [ErrShape]; a value of the wrong type where a fault costs less than the record
// is stepped over and reported as not ok.
type JSON struct {
	// Dec is at the value at hand.
	Dec     jx.Decoder
	scratch []byte
	value   AnyValue // of the attribute at hand
}

// ErrShape is the error of a record without the lists that OTLP has.
var ErrShape = errors.New("it is not OTLP: a list of objects is something else")

// errFound ends a search.
var errFound = errors.New("found")

// Object calls f for every key of the object at hand; f reads the value.
func (j *JSON) Object(f func(key []byte) error) error {
	it, err := j.Dec.ObjIter()
	if err != nil {
		return err
	}
	for it.Next() {
		if err := f(it.Key()); err != nil {
			return err
		}
	}
	return it.Err()
}

// Fields is Object where null is an empty object and anything else not ok.
func (j *JSON) Fields(f func(key []byte) error) (ok bool, err error) {
	kind := j.Dec.Next()
	if kind == jx.Object {
		return true, j.Object(f)
	}
	return kind == jx.Null, j.Dec.Skip()
}

// Array calls f for every element of the array at hand; null is an empty one.
func (j *JSON) Array(f func() error) error {
	if j.Dec.Next() != jx.Array {
		return j.NotObject()
	}
	it, err := j.Dec.ArrIter()
	if err != nil {
		return err
	}
	for it.Next() {
		if err := f(); err != nil {
			return err
		}
	}
	return it.Err()
}

// NotObject steps over what should be an object or a list of them; null is an
// empty one, and a fault in the syntax goes before one in the shape.
func (j *JSON) NotObject() error {
	null := j.Dec.Next() == jx.Null
	if err := j.Dec.Skip(); err != nil || null {
		return err
	}
	return ErrShape
}

// Find reads the first value of key in the object at hand with f, and then goes
// back to the start of the object: a resource or scope may come after its spans.
func (j *JSON) Find(key string, f func() error) error {
	start := j.Dec
	err := j.Object(func(k []byte) error {
		if string(k) != key {
			return j.Dec.Skip()
		}
		if err := f(); err != nil {
			return err
		}
		return errFound
	})
	if err == nil || err == errFound {
		j.Dec = start
		return nil
	}
	return err
}

// AppendString appends the string at hand to dst; null is an empty one.
func (j *JSON) AppendString(dst []byte) (s []byte, ok bool, err error) {
	kind := j.Dec.Next()
	if kind == jx.String {
		s, err = j.Dec.StrAppend(dst)
		return s, true, err
	}
	return dst, kind == jx.Null, j.Dec.Skip()
}

// String is AppendString into a buffer that the next call uses again.
func (j *JSON) String() (s []byte, ok bool, err error) {
	s, ok, err = j.AppendString(j.scratch[:0])
	j.scratch = s
	return s, ok, err
}

// Scalar returns the text of the string or number at hand, nil for null.
func (j *JSON) Scalar() (s []byte, ok bool, err error) {
	switch j.Dec.Next() {
	case jx.Number:
		s, err = j.Dec.Raw()
		return s, true, err
	case jx.String:
		if s, ok, err = j.String(); s == nil {
			s = []byte{}
		}
		return s, ok, err
	case jx.Null:
		ok = true
	}
	return nil, ok, j.Dec.Skip()
}

// KeyValue reads one attribute. It calls find with the key, and then, unless find
// returns a negative number, take with that number and the value. The value may
// come before the key: then it is gone back to.
func (j *JSON) KeyValue(find func(key []byte) int, take func(n int, v *AnyValue)) (ok bool, err error) {
	n, known, read, good := -1, false, false, true
	var before jx.Decoder // at the value, when it came first
	value := func() error {
		j.value = AnyValue{}
		fine, err := j.any(&j.value)
		if fine && err == nil {
			take(n, &j.value)
		}
		good, read = good && fine, true
		return err
	}
	ok, err = j.Fields(func(key []byte) error {
		switch {
		case string(key) == "key":
			s, fine, err := j.String()
			n, known, good = find(s), true, good && fine
			return err
		case string(key) == "value" && n >= 0 && !read:
			return value()
		case string(key) == "value" && !known:
			before = j.Dec
		}
		return j.Dec.Skip()
	})
	if err != nil || n < 0 || read {
		return ok && good, err
	}
	after := j.Dec
	j.Dec = before // at nothing when there was no value: an empty one
	if before.Next() == jx.Invalid {
		j.value = AnyValue{}
		take(n, &j.value)
	} else {
		err = value()
	}
	j.Dec = after
	return ok && good, err
}
