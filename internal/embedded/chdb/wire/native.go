// Package wire rewrites ClickHouse's Native blocks between protocol revisions
// and reads and writes its compressed frames.
package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// blockInfo is what precedes a Native block from revision 1 on: field 1
// (is_overflows) false, field 2 (bucket_num) -1, end of fields.
var blockInfo = []byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0}

// readerSize must be at least the buffer of chproto.NewReader, which then uses
// our bufio.Reader as it is; only so is the place in the input known.
const readerSize = 1 << 20

// TypeError means that a block has a column whose type cannot be decoded, so
// that its end is not known.
type TypeError struct {
	// Column and Type are the column's name and type.
	Column, Type string
	// Err is the decoder's reason.
	Err error
}

// Error implements error.
func (e *TypeError) Error() string {
	return fmt.Sprintf("cannot decode column %q of type %s: %v", e.Column, e.Type, e.Err)
}

// Unwrap gives the decoder's reason.
func (e *TypeError) Unwrap() error { return e.Err }

// NativeAt rewrites Native blocks from revision 0, which is all that the
// library gives, to the protocol revision that the client asked for. The two
// differ in a prefix per block and one byte per column, but a column's length
// is not written anywhere: each is decoded to find its end, and its bytes are
// then copied as they are. A type that the decoder does not know gives a
// [*TypeError].
func NativeAt(data []byte, revision uint64) ([]byte, error) {
	if revision == 0 || len(data) == 0 {
		return data, nil
	}
	in := &nativeInput{data: data, rest: bytes.NewReader(data)}
	in.buffered = bufio.NewReaderSize(in.rest, readerSize)
	in.reader = chproto.NewReader(in.buffered)
	out := make([]byte, 0, len(data)+len(data)/64+64)
	for in.offset() < len(data) {
		var err error
		if out, err = in.block(out, revision); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type nativeInput struct {
	data     []byte
	rest     *bytes.Reader
	buffered *bufio.Reader
	reader   *chproto.Reader
}

// offset is the place in data of the next byte that reader gives.
func (in *nativeInput) offset() int {
	return len(in.data) - in.rest.Len() - in.buffered.Buffered()
}

func (in *nativeInput) block(out []byte, revision uint64) ([]byte, error) {
	start := in.offset()
	columns, err := in.reader.UVarInt()
	if err != nil {
		return nil, fmt.Errorf("cannot read Native block: %w", cut(err))
	}
	rows, err := in.reader.UVarInt()
	if err != nil {
		return nil, fmt.Errorf("cannot read Native block: %w", cut(err))
	}
	if in.offset()-start > 2*binary.MaxVarintLen64 {
		panic("BUG: chproto.NewReader reads ahead in a buffer of its own")
	}
	out = append(out, blockInfo...)
	out = append(out, in.data[start:in.offset()]...)
	for range columns {
		if out, err = in.column(out, int(rows), revision); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (in *nativeInput) column(out []byte, rows int, revision uint64) ([]byte, error) {
	start := in.offset()
	name, err := in.reader.Str()
	if err != nil {
		return nil, fmt.Errorf("cannot read column name: %w", cut(err))
	}
	kind, err := in.reader.Str()
	if err != nil {
		return nil, fmt.Errorf("cannot read type of column %q: %w", name, cut(err))
	}
	header := in.offset()
	if err := in.skipValues(name, kind, rows); err != nil {
		return nil, &TypeError{Column: name, Type: kind, Err: err}
	}
	out = append(out, in.data[start:header]...)
	if revision >= proto.DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION {
		out = append(out, 0)
	}
	return append(out, in.data[header:in.offset()]...), nil
}

func (in *nativeInput) skipValues(name, kind string, rows int) error {
	c, err := column.Type(kind).Column(name, &column.ServerContext{})
	if err != nil || rows == 0 {
		return err
	}
	if prefixed, ok := c.(column.CustomSerialization); ok {
		if err := prefixed.ReadStatePrefix(in.reader); err != nil {
			return cut(err)
		}
	}
	return cut(c.Decode(in.reader, rows))
}

// cut keeps an end of data inside a block from passing as the end of all.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
