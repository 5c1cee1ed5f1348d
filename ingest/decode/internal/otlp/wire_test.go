package otlp

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"
)

func TestNextFieldAgreesWithProtowire(t *testing.T) {
	// Bytes that are tags, lengths and ends of groups more often than chance has it.
	b := rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte{0x08, 0x0a, 0x0b, 0x0c, 0x0d, 0x09, 0x13, 0x14, 0x00, 0x01, 0x02, 0x80, 0xff}))
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SliceOfN(b, 1, 24).Draw(t, "message")
		num, typ, n := protowire.ConsumeField(m)
		if num > protowire.MaxValidNumber {
			n = -1 // protowire leaves this to its caller
		}
		tag, from, to := NextField(m, 0)
		if (n < 0) != (to < 0) {
			t.Fatalf("%x: got end %d, want %d", m, to, n)
		}
		if n < 0 {
			return
		}
		if to != n || tag != protowire.EncodeTag(num, typ) {
			t.Fatalf("%x: got tag %d and end %d, want %d and %d", m, tag, to, protowire.EncodeTag(num, typ), n)
		}
		_, _, skipTag := protowire.ConsumeTag(m)
		if typ == protowire.BytesType {
			want, _ := protowire.ConsumeBytes(m[skipTag:])
			if string(m[from:to]) != string(want) {
				t.Fatalf("%x: got the bytes %x, want %x", m, m[from:to], want)
			}
		} else if from != skipTag {
			t.Fatalf("%x: the value starts at %d, want %d", m, from, skipTag)
		}
	})
}

func TestUvarint(t *testing.T) {
	f := func(m string, want uint64, next int) {
		t.Helper()
		if got, i := Uvarint([]byte(m), 0); got != want && next >= 0 || i != next {
			t.Errorf("%x: got %d and %d, want %d and %d", m, got, i, want, next)
		}
	}
	ones := strings.Repeat("\xff", 9)
	f("\x00", 0, 1)
	f("\x7f\x01", 127, 1)
	f("\x80\x01", 128, 2)
	f("\x81\x80\x00", 1, 3)
	f(ones+"\x01", 1<<64-1, 10)
	f(ones+"\x02", 0, -1)
	f(ones+"\x80\x00", 0, -1)
	f(ones, 0, -1)
	f("", 0, -1)
}

func TestGroupsNestOnlySoDeep(t *testing.T) {
	nested := func(n int) []byte { return []byte(strings.Repeat("\x0b", n) + strings.Repeat("\x0c", n)) }
	if _, _, to := NextField(nested(maxNesting), 0); to != 2*maxNesting {
		t.Errorf("%d groups: got %d", maxNesting, to)
	}
	if _, _, to := NextField(nested(maxNesting+1), 0); to != -1 {
		t.Errorf("%d groups: got %d, want them rejected", maxNesting+1, to)
	}
	for number, want := range map[uint64]bool{maxField + 1: true, 1<<31 - 1: true, 1 << 31: false} {
		m := append(protowire.AppendVarint([]byte{0x0b}, number<<3), 0x01, 0x0c)
		if _, _, to := NextField(m, 0); (to == len(m)) != want {
			t.Errorf("field %d in a group: got %d, want it taken: %v", number, to, want)
		}
	}
	for _, m := range []string{"\x0b\x14", "\x0c", "\x0b\x08\x01", "\x0b\x00\x0c", "\x0f", "\x0e"} {
		if _, _, to := NextField([]byte(m), 0); to != -1 {
			t.Errorf("%x: got %d, want it rejected", m, to)
		}
	}
}

func TestReadKeyValueForms(t *testing.T) {
	f := func(m, key, value string, usual bool) {
		t.Helper()
		k, v, ok := ReadKeyValue([]byte(m))
		if !ok || string(k) != key || string(v) != value {
			t.Errorf("%x: got %q, %q, %v, want %q, %q", m, k, v, ok, key, value)
		}
		cut := CutKeyValue([]byte(m))
		if (cut > 0) != usual {
			t.Errorf("%x: got a cut at %d, want one: %v", m, cut, usual)
		}
		if cut > 0 && (m[2:cut] != key || m[cut+2:] != value) {
			t.Errorf("%x: cut into %q and %q", m, m[2:cut], m[cut+2:])
		}
	}
	f("\x0a\x01a\x12\x02\x08\x01", "a", "\x08\x01", true)
	f("\x0a\x00\x12\x00", "", "", true)
	f("\x12\x00\x0a\x01a", "a", "", false)
	f("\x0a\x01a", "a", "", false)
	f("\x0a\x01a\x12\x01x\x18\x05", "a", "x", false)
	f("\x0a\x01a\x12\x01x\x12\x01y", "a", "xy", false)
	f("\x0a\x01a\x12\x81\x00x", "a", "x", false)
	f("\x0a\x81\x00a\x12\x01x", "a", "x", false)
	f("\x0a\x01a\x12\x01x\x0a\x01b", "b", "x", false)
	long := strings.Repeat("v", 200)
	f("\x0a\x01a\x12\xc8\x01"+long, "a", long, false)
	for _, m := range []string{"\x0a", "\x0a\x02a", "\x0a\x01a\x12\x02x", "\x00\x00", "\x0a\x01a\x12\x01xy"} {
		if _, _, ok := ReadKeyValue([]byte(m)); ok || CutKeyValue([]byte(m)) > 0 {
			t.Errorf("%x: want it rejected", m)
		}
	}
}
