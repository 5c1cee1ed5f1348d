package otlp

import (
	"testing"

	"github.com/go-faster/jx"
)

func TestBadTextIsFoundAnywhereInATree(t *testing.T) {
	f := func(m string, tree, bad bool) {
		t.Helper()
		v, ok := ReadAny([]byte(m))
		if !ok || (v.Kind == Tree) != tree || v.BadText != bad {
			t.Errorf("%x: got %+v, %v, want a tree: %v, bad: %v", m, v, ok, tree, bad)
		}
	}
	f("\x0a\x01\xff", false, false) // the label that it becomes is checked later
	f("\x2a\x05\x0a\x03\x0a\x01a", true, false)
	f("\x2a\x05\x0a\x03\x0a\x01\xff", true, true)
	f("\x2a\x09\x0a\x07\x2a\x05\x0a\x03\x0a\x01\xff", true, true)
	f("\x2a\x0a\x0a\x03\x0a\x01\xff\x0a\x03\x0a\x01a", true, true)
	f("\x32\x05\x0a\x03\x0a\x01a", true, false)
	f("\x32\x05\x0a\x03\x0a\x01\xff", true, true)
	f("\x32\x05\x0a\x03\x3a\x01\xff", true, false) // a field that a KeyValue does not have
	f("\x2a\x05\x0a\x03\x3a\x01\xff", true, false) // bytes need not be text
}

func TestBadTextIsFoundInJSON(t *testing.T) {
	f := func(text string, bad bool) {
		t.Helper()
		j := JSON{}
		j.Dec.ResetBytes([]byte(text))
		var v AnyValue
		ok, err := j.any(&v)
		if !ok || err != nil || v.Kind != Tree || v.BadText != bad {
			t.Errorf("%s: got %+v, %v, %v, want bad: %v", text, v, ok, err, bad)
		}
		if j.Dec.Next() != jx.Invalid {
			t.Errorf("%s: not read to its end", text)
		}
	}
	f(`{"arrayValue":{"values":[{"stringValue":"a"},{}]}}`, false)
	f("{\"arrayValue\":{\"values\":[{\"stringValue\":\"\xff\"},{}]}}", true)
	f("{\"kvlistValue\":{\"values\":[{\"key\":\"\xff\"}]}}", true)
	f("{\"kvlistValue\":{\"values\":[{\"key\":\"a\",\"value\":{\"arrayValue\":{\"values\":[{\"stringValue\":\"\xff\"}]}}},{}]}}", true)
	f(`{"kvlistValue":{"values":[{"value":{"stringValue":"v"},"key":"a"}]}}`, false)
}
