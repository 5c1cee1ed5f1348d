package histogram

import (
	"bytes"
	"encoding"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	_ encoding.BinaryAppender    = appender{}
	_ encoding.BinaryMarshaler   = (*Histogram)(nil)
	_ encoding.BinaryUnmarshaler = (*Histogram)(nil)
)

// appender shows that the one difference to encoding.BinaryAppender is the
// error, which cannot happen.
type appender struct{ *Histogram }

func (a appender) AppendBinary(b []byte) ([]byte, error) { return a.Histogram.AppendBinary(b), nil }

// unhex decodes hex digits, which may be spaced.
func unhex(t *testing.T, digits string) []byte {
	t.Helper()
	data, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEncodingIsStable(t *testing.T) {
	f := func(h *Histogram, want string) {
		t.Helper()
		if got := h.AppendBinary(nil); !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("encoded as %x, want %s", got, want)
		}
		back := new(Histogram)
		if err := back.UnmarshalBinary(unhex(t, want)); err != nil {
			t.Error(err)
		} else if !back.Equal(h) {
			t.Errorf("%s decodes to %v, want %v", want, buckets(back), buckets(h))
		}
	}
	f(of(), "40")
	f(of(0, 0), "41 02")
	f(of(1), "44 01 00 02")
	f(of(1, 1, 1.01), "44 01 01 04 02")
	f(of(1, 2), "44 01 20 02 3f 02")
	f(of(-1), "48 01 00 02")
	f(of(-2, 0, 2), "4d 01 3e 00 02 3e 00 02")
	h := of(1)
	h.AddN(1, 63)
	f(h, "44 01 00 8001")
	// Buckets 18 to 1024·32-1 at scale 5, so 1 to 2047 at scale 1, the finest that fits.
	f(of(1.5, math.MaxFloat64, -1.5), "5c 04 02 fe0f 02 fb1f 02 02 00 02")
	h = of(1)
	if err := h.MergeExponential(-10, 1, 0.5, 0, []uint64{1}, 0, nil); err != nil {
		t.Fatal(err)
	}
	f(h, "57 0f 01 000000000000e03f 01 01 02 02")
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := new(Histogram)
		for _, c := range rapid.SliceOfN(changeGen(), 0, 30).Draw(t, "changes") {
			c(t, h)
		}
		prefix := []byte("prefix")
		data := h.AppendBinary(prefix)
		if !bytes.HasPrefix(data, prefix) {
			t.Fatalf("prefix lost: %x", data)
		}
		data = data[len(prefix):]
		back := of(3, -1e-300, 1e300)
		if err := back.UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
		if !back.Equal(h) || back.Count() != h.Count() || back.Scale() != h.Scale() {
			t.Fatalf("decoded %v, want %v", back, h)
		}
		if got, err := back.MarshalBinary(); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("encoded again as %x, %v, want %x", got, err, data)
		}
		// No proper prefix is valid.
		cut := rapid.IntRange(0, len(data)-1).Draw(t, "cut")
		if err := back.MergeBinary(data[:cut]); err == nil {
			t.Fatalf("%x accepted, cut from %x", data[:cut], data)
		}
		if !back.Equal(h) {
			t.Fatal("an error changed the histogram")
		}
	})
}

func TestMalformed(t *testing.T) {
	f := func(data, reason string) {
		t.Helper()
		h := of(1, -2, 0)
		err := h.MergeBinary(unhex(t, data))
		var e *DecodeError
		if !errors.As(err, &e) {
			t.Errorf("%s: error %v, want a DecodeError", data, err)
			return
		}
		if e.Reason != reason {
			t.Errorf("%s: %v, want %q", data, err, reason)
		}
		if !h.Equal(of(1, -2, 0)) {
			t.Errorf("%s: the error changed the histogram", data)
		}
		if err := h.UnmarshalBinary(unhex(t, data)); err == nil || h.Count() != 0 {
			t.Errorf("%s: UnmarshalBinary gave %v, count %d", data, err, h.Count())
		}
	}
	const short = "truncated or malformed number"
	f("", short)
	f("00", "unknown version")
	f("20", "unknown version")
	f("c0", "unknown version")
	f("60", short)
	f("60 0d 01", "bad explicit buckets")
	f("60 00 00", "bad explicit buckets")
	f("60 00 01 000000000000f03f 0000000000000040", short)
	f("60 00 01 000000000000f03f 000000000000f03f 01", "bad explicit bucket") // empty
	f("60 00 01 0000000000000080 000000000000f03f 01", "bad explicit bucket") // -0
	f("60 00 01 000000000000f03f 010000000000f87f 01", "bad explicit bucket") // NaN
	f("60 00 01 000000000000f03f 0000000000000040 00", "bad explicit bucket")
	f("60 01 01 000000000000f03f 0000000000000840 01", "bad explicit bucket") // 3 is not in the grid
	f("60 00 02 000000000000f03f 0000000000000040 01 000000000000f03f 0000000000000040 01", "bad explicit bucket")
	f("60 00 01 000000000000f03f 0000000000000040 ffffffffffffffffff01", "total count too large")
	f("4000", "trailing bytes")
	f("41", short)
	f("45 00 01 00 02", "bad zero count")
	f("45 ffffffffffffffffff01 01 00 02", "bad zero count")
	f("45 01 01 00 03", "bad gap")
	f("44 feff03 02 02 02 02", "bad bucket range")
	f("4100", "bad zero count")
	f("41 8200", short)
	f("41 80808080808080808001", "bad zero count")
	f("41 ffffffffffffffffff7f", short)
	f("42 000000000000e03f", "bad zero threshold")
	f("43 01 00000000000000", short)
	f("43 01 0000000000000000", "bad zero threshold")
	f("43 01 0000000000001000", "bad zero threshold")
	f("43 01 000000000000f07f", "bad zero threshold")
	f("43 01 010000000000f07f", "bad zero threshold")
	f("43 01 000000000000e0bf", "bad zero threshold")
	f("50 01", "bad scale")
	f("54 00 01 00 02", "bad scale")
	f("54 10 01 00 02", "bad scale")
	f("54", short)
	f("44", short)
	f("44 01", short)
	f("44 01 00", short)
	f("44 01 00 00", "empty token")
	f("44 01 00 01", "empty token")
	f("44 01 01 03 02", "bad gap")
	f("44 01 02 02 05", "bad gap")
	f("44 01 03 02 03 03 02", "bad gap")
	f("44 01 00 02 02", "trailing bytes")
	f("44 01 00 8200", short)
	f("44 01 8010 02", "bad bucket range")
	f("44 8080808080808080f001 00 02", "bad bucket range")
	f("44 feffffffffffffffff01 ff0f 02", "bad bucket range")
	f("44 8080 04 00 02", "bad bucket range")
	f("44 8180 04 00 02", "bad bucket range")
	f("44 fdff03 01 02 02", "bad bucket range")
	f("45 ffffffffffffffff7f 01 00 02", "total count too large")
	f("44 01 02 feffffffffffffffff01 feffffffffffffffff01 06", "total count too large")
	f("4c 01 00 feffffffffffffffff01 01 00 02", "total count too large")
}

func TestMergeBinaryKeepsWithinMaxCount(t *testing.T) {
	h := of(1)
	h.AddN(1, MaxCount-1)
	full := h.AppendBinary(nil)
	for _, data := range [][]byte{of(1).AppendBinary(nil), of(-1).AppendBinary(nil), of(0).AppendBinary(nil), full} {
		if err := h.MergeBinary(data); err == nil {
			t.Errorf("%x: a total above MaxCount was accepted", data)
		}
	}
	if err := new(Histogram).MergeBinary(full); err != nil {
		t.Errorf("a total of MaxCount was refused: %v", err)
	}
	if h.Count() != MaxCount {
		t.Errorf("count %d after a refused merge", h.Count())
	}
}

func FuzzMergeBinary(f *testing.F) {
	f.Add([]byte{})
	coarse := of(1)
	if err := coarse.MergeExponential(-3, 2, 0.5, 0, []uint64{1, 0, 7}, -2, []uint64{300}); err != nil {
		f.Fatal(err)
	}
	for _, h := range []*Histogram{
		of(), of(0), of(1), of(-1, 0, 1), of(1e-300, 1e300), coarse,
		of(latencies(1000, 0.5, 1)...), of(bimodal(1000, 1)...),
	} {
		f.Add(h.AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h := new(Histogram)
		err := h.MergeBinary(data)
		if len(h.pos.counts) > MaxBuckets || len(h.neg.counts) > MaxBuckets {
			t.Fatalf("windows of %d and %d buckets", len(h.pos.counts), len(h.neg.counts))
		}
		if err != nil {
			if !h.Equal(new(Histogram)) {
				t.Fatal("an error changed the histogram")
			}
			return
		}
		// Accepted means canonical.
		if again := h.AppendBinary(nil); !bytes.Equal(again, data) {
			t.Fatalf("%x is encoded again as %x", data, again)
		}
		// Merging bytes is merging what they decode to.
		a, b := of(3, -1e9, 0, 1e12), of(3, -1e9, 0, 1e12)
		ok := a.Merge(h)
		if err := b.MergeBinary(data); ok != (err == nil) {
			t.Fatalf("Merge %v, MergeBinary %v", ok, err)
		}
		if !a.Equal(b) {
			t.Fatalf("Merge gave %v, MergeBinary %v", buckets(a), buckets(b))
		}
		if n := h.Count(); n > 0 && (math.IsNaN(h.Quantile(0)) || math.IsNaN(h.Quantile(1))) {
			t.Fatalf("no quantiles with count %d", n)
		}
	})
}
