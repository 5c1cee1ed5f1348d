package ingest

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLongLabelsAreCutAndStayApart(t *testing.T) {
	f := func(value string, cut bool) string {
		t.Helper()
		d := NewDictionary(1)
		code := d.Code(0, []byte(value))
		got := d.Value(0, code)
		if (got != value) != cut || d.TakeCut() > 0 != cut || d.TakeCut() != 0 {
			t.Errorf("a value of %d bytes became one of %d", len(value), len(got))
		}
		if len(got) > MaxLabelBytes || utf8.ValidString(value) && !utf8.ValidString(got) {
			t.Errorf("a value of %d bytes became %q", len(value), got)
		}
		if again := d.Code(0, []byte(value)); again != code {
			t.Errorf("the same value has codes %d and %d", code, again)
		}
		return got
	}
	f("", false)
	f(strings.Repeat("x", MaxLabelBytes), false)
	long := strings.Repeat("x", MaxLabelBytes)
	a, b := f(long+"a", true), f(long+"b", true)
	if a == b || a != f(long+"a", true) {
		t.Errorf("%q and %q", a, b)
	}
	for i := range 4 {
		f(strings.Repeat("x", i)+strings.Repeat("\U0001F600", 1000), true)
	}
	f(strings.Repeat("\x80", 5000), true) // not UTF-8
	whole := bytes.Repeat([]byte("y"), 2000)
	if CutLabel(whole); string(whole) != strings.Repeat("y", 2000) {
		t.Error("the value itself was changed")
	}
}

// A dictionary that was large gives its memory back.
func TestResetGivesMemoryBack(t *testing.T) {
	d := NewDictionary(1)
	for i := range 100_000 {
		d.Set([]uint32{d.Code(0, []byte(strings.Repeat("v", 50)+string(rune('a'+i%26))+strings.Repeat("w", i%1000)))})
	}
	d.Reset()
	if n := cap(d.columns[0].arena) + 4*cap(d.columns[0].ends) + 4*cap(d.sets.codes); n > 16<<20 {
		t.Errorf("%d bytes are kept", n)
	}
}
