package loadgen

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/flyball-io/flyball/internal/loadgen/shop"
)

// MaxFrame is the longest record value a [FrameReader] accepts, in bytes.
const MaxFrame = 64 << 20

// FileName is the name of the file that holds a partition's records.
func FileName(topic string, partition int, e shop.Encoding) string {
	extension := "otlp"
	if e == shop.OTLPJSON {
		extension = "ndjson"
	}
	return fmt.Sprintf("%s-%d.%s", topic, partition, extension)
}

// AppendFrame appends a record value with its 4-byte big-endian length before it.
func AppendFrame(dst, value []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(value))), value...)
}

// FrameReader reads the frames of an .otlp file.
type FrameReader struct {
	r     *bufio.Reader
	value []byte
}

// NewFrameReader reads from r, with a buffer of its own.
func NewFrameReader(r io.Reader) *FrameReader { return &FrameReader{r: bufio.NewReaderSize(r, 1<<18)} }

// Next returns the next record value, which is valid until the next call. The error is io.EOF after the
// last frame and wraps io.ErrUnexpectedEOF when the file ends inside one.
func (f *FrameReader) Next() ([]byte, error) {
	var header [4]byte
	if _, err := io.ReadFull(f.r, header[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, fmt.Errorf("cannot read frame header: %w", err)
	}
	n := int(binary.BigEndian.Uint32(header[:]))
	if n > MaxFrame {
		return nil, fmt.Errorf("cannot read frame of %d bytes: the limit is %d", n, MaxFrame)
	}
	// Growing with what is really there keeps a wrong header from claiming 64 MB.
	f.value = f.value[:0]
	for len(f.value) < n {
		from := len(f.value)
		f.value = append(f.value, make([]byte, min(n-from, 1<<20))...)
		if _, err := io.ReadFull(f.r, f.value[from:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("cannot read frame of %d bytes: %w", n, err)
		}
	}
	return f.value, nil
}

// LineReader reads the lines of an .ndjson file.
type LineReader struct{ s *bufio.Scanner }

// NewLineReader reads from r, with a buffer of its own.
func NewLineReader(r io.Reader) *LineReader {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 1<<18), MaxFrame)
	return &LineReader{s: s}
}

// Next returns the next line that is not empty, valid until the next call, and io.EOF after the last.
func (l *LineReader) Next() ([]byte, error) {
	for l.s.Scan() {
		if line := l.s.Bytes(); len(line) > 0 {
			return line, nil
		}
	}
	if err := l.s.Err(); err != nil {
		return nil, fmt.Errorf("cannot read line: %w", err)
	}
	return nil, io.EOF
}

// FileSink writes records to one file per partition.
type FileSink struct {
	encoding shop.Encoding
	files    []*os.File
	writers  []*bufio.Writer
}

// NewFileSink creates the directory and the files, replacing what was there.
func NewFileSink(dir, topic string, partitions int, e shop.Encoding) (*FileSink, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot create directory %q: %w", dir, err)
	}
	s := &FileSink{encoding: e}
	for p := range partitions {
		name := filepath.Join(dir, FileName(topic, p, e))
		file, err := os.Create(name)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("cannot create file %q: %w", name, err), s.Close())
		}
		s.files = append(s.files, file)
		s.writers = append(s.writers, bufio.NewWriterSize(file, 1<<18))
	}
	return s, nil
}

// Partitions is the number of files.
func (s *FileSink) Partitions() int { return len(s.files) }

// Write appends one record value to a partition's file.
func (s *FileSink) Write(_ context.Context, partition int, value []byte) error {
	w := s.writers[partition]
	if s.encoding == shop.OTLPProto {
		if len(value) > MaxFrame {
			return fmt.Errorf("cannot write frame of %d bytes: the limit is %d", len(value), MaxFrame)
		}
		var header [4]byte
		binary.BigEndian.PutUint32(header[:], uint32(len(value)))
		if _, err := w.Write(header[:]); err != nil {
			return fmt.Errorf("cannot write file %q: %w", s.files[partition].Name(), err)
		}
	}
	if _, err := w.Write(value); err != nil {
		return fmt.Errorf("cannot write file %q: %w", s.files[partition].Name(), err)
	}
	if s.encoding == shop.OTLPJSON {
		if err := w.WriteByte('\n'); err != nil {
			return fmt.Errorf("cannot write file %q: %w", s.files[partition].Name(), err)
		}
	}
	return nil
}

// Flush writes what is buffered.
func (s *FileSink) Flush(context.Context) error {
	for i, w := range s.writers {
		if err := w.Flush(); err != nil {
			return fmt.Errorf("cannot write file %q: %w", s.files[i].Name(), err)
		}
	}
	return nil
}

// Close closes the files; call Flush before.
func (s *FileSink) Close() error {
	var errs []error
	for _, f := range s.files {
		if err := f.Close(); err != nil {
			errs = append(errs, fmt.Errorf("cannot close file %q: %w", f.Name(), err))
		}
	}
	return errors.Join(errs...)
}
