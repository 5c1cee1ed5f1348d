package shop

import (
	"strings"
	"testing"
)

func TestFieldLengths(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 300, 16_383, 16_384, 70_000, 1 << 21} {
		dst, from := open([]byte("before"), 2)
		dst = closeField(append(dst, strings.Repeat("x", n)...), from)
		want := "before" + string(protoField(nil, 2, []byte(strings.Repeat("x", n))))
		if string(dst) != want {
			t.Errorf("a field of %d bytes became %d bytes, want %d", n, len(dst), len(want))
		}
	}
}
