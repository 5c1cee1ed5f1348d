package wire

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// testBlock is a block with n rows of types whose lengths are found in
// different ways: fixed, per value, by offsets, by a dictionary.
func testBlock(t testing.TB, n int) *proto.Block {
	t.Helper()
	block := &proto.Block{ServerContext: &column.ServerContext{}}
	for _, c := range [][2]string{
		{"id", "UInt64"}, {"text", "String"}, {"list", "Array(String)"}, {"low", "LowCardinality(String)"},
		{"maybe", "Nullable(Float64)"}, {"labels", "Map(LowCardinality(String), Array(UInt8))"}, {"pair", "Tuple(a UInt8, b LowCardinality(String))"},
	} {
		if err := block.AddColumn(c[0], column.Type(c[1])); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		text := string(bytes.Repeat([]byte{'x'}, i%300))
		var maybe *float64
		if i%3 == 0 {
			f := float64(i)
			maybe = &f
		}
		if err := block.Append(uint64(i), text, []string{text, "b"}, text, maybe, map[string][]uint8{text: {1, 2}}, []any{uint8(i), text}); err != nil {
			t.Fatal(err)
		}
	}
	return block
}

func encode(t testing.TB, revision uint64, blocks ...*proto.Block) []byte {
	t.Helper()
	var buf chproto.Buffer
	for _, b := range blocks {
		if err := b.Encode(&buf, revision); err != nil {
			t.Fatal(err)
		}
	}
	return buf.Buf
}

func TestNativeAt(t *testing.T) {
	f := func(rows ...int) {
		t.Helper()
		for _, revision := range []uint64{0, 1, 54453, 54454, 54460, 54513} {
			var blocks, again []*proto.Block
			for _, n := range rows {
				blocks, again = append(blocks, testBlock(t, n)), append(again, testBlock(t, n))
			}
			got, err := NativeAt(encode(t, 0, blocks...), revision)
			if err != nil {
				t.Fatalf("revision %d: %v", revision, err)
			}
			if want := encode(t, revision, again...); !bytes.Equal(want, got) {
				t.Errorf("revision %d, rows %v: %d bytes, want %d equal ones", revision, rows, len(got), len(want))
			}
		}
	}
	f()
	f(1)
	f(3, 2, 1)
	f(6_000, 5) // several times the size of the read buffer
}

func TestNativeAtRefusesDamage(t *testing.T) {
	whole := encode(t, 0, testBlock(t, 10))
	for n := 1; n < len(whole); n++ {
		if _, err := NativeAt(whole[:n], 54460); err == nil {
			t.Fatalf("the first %d of %d bytes were taken as whole", n, len(whole))
		}
	}
	var raised *TypeError
	unknown := []byte("\x01\x01\x01a\x04Nope\x00")
	if _, err := NativeAt(unknown, 54460); !errors.As(err, &raised) || raised.Column != "a" || raised.Type != "Nope" {
		t.Errorf("an unknown type gave %v", err)
	}
}

func TestFrames(t *testing.T) {
	f := func(size int, method compress.Method) {
		t.Helper()
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(i * i / 7)
		}
		framed, err := CompressFrames(data, method)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(NewFrameReader(bytes.NewReader(framed)))
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%d bytes came back as %d: %v", size, len(got), err)
		}
		if size == 0 {
			return
		}
		for _, cutAt := range []int{1, 24, 25, len(framed) / 2, len(framed) - 1} {
			if _, err := io.ReadAll(NewFrameReader(bytes.NewReader(framed[:cutAt]))); err == nil {
				t.Errorf("%d of %d bytes were taken as whole", cutAt, len(framed))
			}
		}
		framed[len(framed)-1] ^= 1
		if _, err := io.ReadAll(NewFrameReader(bytes.NewReader(framed))); err == nil {
			t.Error("a damaged frame was taken")
		}
	}
	for _, method := range []compress.Method{compress.LZ4, compress.ZSTD, compress.None} {
		f(0, method)
		f(1, method)
		f(1<<20, method)
		f(3<<20+5, method)
	}
}

func FuzzFrames(f *testing.F) {
	framed, err := CompressFrames([]byte("some data"), compress.LZ4)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(framed)
	f.Add(bytes.Repeat([]byte{0xff}, 40))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := io.Copy(io.Discard, NewFrameReader(bytes.NewReader(data))); err == nil && len(data) > 0 && len(data) < frameHeader {
			t.Errorf("%d bytes passed as frames", len(data))
		}
	})
}
