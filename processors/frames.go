package processors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// DecodeRecord reads an Arrow IPC stream of one record batch, as the topics of
// Flyball carry it. The caller must Release it; it keeps nothing of data.
// Malformed bytes are an error.
func DecodeRecord(data []byte) (rec arrow.Record, err error) {
	defer func() { // the Arrow reader panics on some malformed input
		if p := recover(); p != nil {
			rec, err = nil, fmt.Errorf("cannot read Arrow stream: %v", p)
		}
	}()
	r, err := ipc.NewReaderFromMessageReader(&frames{data: data}, ipc.WithAllocator(boundedAllocator{len(data)}))
	if err != nil {
		return nil, fmt.Errorf("cannot read Arrow stream: %w", err)
	}
	defer r.Release()
	if !r.Next() {
		return nil, fmt.Errorf("cannot read Arrow stream: %w", cmp.Or(r.Err(), errNoRecord))
	}
	rec = r.Record()
	rec.Retain()
	return rec, nil
}

var errNoRecord = errors.New("no record batch")

// frames cuts a stream that is in memory into messages. Arrow's own reader takes
// the lengths in the stream at their word and allocates what they say, so that
// one spoiled byte can end the process.
type frames struct {
	data []byte
}

// continuation precedes the length of each message.
const continuation = 0xFFFFFFFF

// Message implements ipc.MessageReader.
func (f *frames) Message() (*ipc.Message, error) {
	if len(f.data) < 8 {
		return nil, io.EOF
	}
	if binary.LittleEndian.Uint32(f.data) != continuation {
		return nil, errors.New("no message where one should begin")
	}
	size := uint64(binary.LittleEndian.Uint32(f.data[4:]))
	if size == 0 {
		return nil, io.EOF
	}
	meta, err := f.cut(8, size)
	if err != nil {
		return nil, err
	}
	bodySize := ipc.NewMessage(meta, memory.NewBufferBytes(nil)).BodyLen()
	body, err := f.cut(0, uint64(bodySize))
	if err != nil {
		return nil, err
	}
	return ipc.NewMessage(meta, body), nil
}

// cut takes size bytes after the next skip ones. They are copied, because the
// columns made of them must be aligned.
func (f *frames) cut(skip int, size uint64) (*memory.Buffer, error) {
	if rest := uint64(len(f.data) - skip); size > rest {
		return nil, fmt.Errorf("a part of %d bytes where %d are left", size, rest)
	}
	end := skip + int(size)
	part := bytes.Clone(f.data[skip:end])
	f.data = f.data[end:]
	return memory.NewBufferBytes(part), nil
}

// Retain implements ipc.MessageReader; there is nothing to count.
func (f *frames) Retain() {}

// Release implements ipc.MessageReader.
func (f *frames) Release() {}

// boundedAllocator refuses to allocate much more than the stream is long, which
// only a malformed one asks for.
type boundedAllocator struct{ stream int }

const (
	growth    = 64 // how many times longer than the stream a column may be
	allowance = 1 << 16
)

func (a boundedAllocator) check(size int) {
	if size > growth*a.stream+allowance {
		panic(fmt.Sprintf("it asks for %d bytes in a stream of %d", size, a.stream))
	}
}

// Allocate implements memory.Allocator.
func (a boundedAllocator) Allocate(size int) []byte {
	a.check(size)
	return memory.DefaultAllocator.Allocate(size)
}

// Reallocate implements memory.Allocator.
func (a boundedAllocator) Reallocate(size int, b []byte) []byte {
	a.check(size)
	return memory.DefaultAllocator.Reallocate(size, b)
}

// Free implements memory.Allocator.
func (a boundedAllocator) Free(b []byte) { memory.DefaultAllocator.Free(b) }
