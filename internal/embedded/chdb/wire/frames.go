package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/ClickHouse/ch-go/compress"
)

// ClickHouse's own compression is a run of frames: a 16 byte checksum, the
// method, the frame's size without the checksum, the size of the data.
const (
	frameHeader  = 25
	frameSizeAt  = 17
	frameDataAt  = 21
	frameMaximum = 128 << 20 // what the compression library accepts
	frameOutput  = 1 << 20
)

// FrameReader decompresses frames. It reports an end of input inside a frame
// as io.ErrUnexpectedEOF, so that a body that was cut off is not committed.
type FrameReader struct {
	source io.Reader
	frame  bytes.Reader
	inner  *compress.Reader
	raw    []byte
	data   []byte // what is not read yet of the current frame
	buf    []byte
}

// NewFrameReader reads frames from r.
func NewFrameReader(r io.Reader) *FrameReader {
	f := &FrameReader{source: r}
	f.inner = compress.NewReader(&f.frame)
	return f
}

// Read implements io.Reader.
func (f *FrameReader) Read(p []byte) (int, error) {
	for len(f.data) == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.data)
	f.data = f.data[n:]
	return n, nil
}

func (f *FrameReader) next() error {
	f.raw = grow(f.raw, frameHeader)
	if _, err := io.ReadFull(f.source, f.raw); err != nil {
		return err // io.EOF only between frames
	}
	size := int(binary.LittleEndian.Uint32(f.raw[frameSizeAt:])) + 16
	length := int(binary.LittleEndian.Uint32(f.raw[frameDataAt:]))
	if size < frameHeader || size > frameMaximum || length > frameMaximum {
		return fmt.Errorf("cannot decompress body: a frame of %d bytes with %d bytes of data is not between %d bytes and %d MiB",
			size, length, frameHeader, frameMaximum>>20)
	}
	f.raw = grow(f.raw, size)
	if _, err := io.ReadFull(f.source, f.raw[frameHeader:]); err != nil {
		return cut(err)
	}
	f.frame.Reset(f.raw)
	f.buf = grow(f.buf, length)
	if _, err := io.ReadFull(f.inner, f.buf); err != nil {
		return fmt.Errorf("cannot decompress body: %w", err)
	}
	f.data = f.buf
	return nil
}

// grow gives b the length n and keeps its first bytes.
func grow(b []byte, n int) []byte {
	if n <= cap(b) {
		return b[:n]
	}
	return append(b[:cap(b)], make([]byte, n-cap(b))...)
}

// CompressFrames compresses a whole answer into frames.
func CompressFrames(data []byte, method compress.Method) ([]byte, error) {
	w := compress.NewWriter(compress.LevelZero, method)
	var out []byte
	for len(data) > 0 {
		n := min(len(data), frameOutput)
		if err := w.Compress(data[:n]); err != nil {
			return nil, fmt.Errorf("cannot compress answer: %w", err)
		}
		out = append(out, w.Data...)
		data = data[n:]
	}
	return out, nil
}
