//go:build darwin || linux

package chdb

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"
	"unsafe"
)

const insertChunk = 1 << 20

// Conn is one session of the engine: it has its own settings, current
// database and temporary tables, and runs one statement at a time; concurrent
// calls wait for each other. Opening one takes about 0.3 ms.
type Conn struct {
	mu     sync.Mutex
	lib    *library
	handle unsafe.Pointer // chdb_connection*, nil after Close
	done   func()
}

func connect(lib *library, dir string) (*Conn, error) {
	var pins runtime.Pinner
	defer pins.Unpin()
	argv := []unsafe.Pointer{cstring(&pins, "clickhouse"), cstring(&pins, "--path="+dir), nil}
	pins.Pin(&argv[0])
	handle := lib.connect(2, unsafe.Pointer(&argv[0]))
	if handle == nil {
		return nil, fmt.Errorf("cannot open ClickHouse engine on %q: the library gave no reason; the directory must be writable and not in use by another process", dir)
	}
	return &Conn{lib: lib, handle: handle, done: func() {}}, nil
}

// Query runs one statement and returns its whole result in the given format;
// a FORMAT clause in the statement wins over format. A failed statement gives
// an [*Error].
func (c *Conn) Query(sql, format string, params ...Param) (Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle == nil {
		return Result{}, fmt.Errorf("cannot run statement %q: %w", shorten(sql), ErrClosed)
	}
	result := c.start(c.lib.query, sql, format, params)
	return c.take(result)
}

// Insert runs an INSERT statement without its FORMAT or VALUES clause, with
// the rows read from data in the given input format. Nothing of data is kept
// in memory beyond one chunk. A failed statement gives an [*Error]; a failed
// read cancels the insert, but blocks that were already written stay.
func (c *Conn) Insert(sql, format string, data io.Reader, params ...Param) (Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle == nil {
		return Result{}, fmt.Errorf("cannot run statement %q: %w", shorten(sql), ErrClosed)
	}
	stream := c.start(c.lib.insert, sql, format, params)
	defer c.lib.insertDestroy(stream)
	if text := c.lib.insertError(stream); text != "" {
		return Result{}, parseError(text)
	}
	if err := c.feed(stream, data); err != nil {
		c.lib.insertCancel(stream)
		return Result{}, err
	}
	return c.take(c.lib.insertDone(stream))
}

func (c *Conn) feed(stream unsafe.Pointer, data io.Reader) error {
	buf := make([]byte, insertChunk)
	for {
		n, err := fill(data, buf)
		if n > 0 && c.lib.insertAppend(stream, unsafe.Pointer(&buf[0]), uintptr(n)) != 0 {
			if text := c.lib.insertError(stream); text != "" {
				return parseError(text)
			}
			return newError(codeCannotReadAll, "CANNOT_READ_ALL_DATA", "the engine refused the rows without a reason")
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cannot read rows: %w", err)
		}
	}
}

// fill reads until buf is full or data ends. Unlike io.ReadFull it returns
// io.EOF for a short last chunk, so that an ErrUnexpectedEOF of the source (a
// client that went away half way) stays an error and is not committed.
func fill(data io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = data.Read(buf[n:])
		n += m
	}
	return n, err
}

// Close ends the session. It waits for a running statement and may be called
// more than once.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle == nil {
		return nil
	}
	c.lib.closeConn(c.handle)
	c.handle = nil
	c.done()
	return nil
}

type startFunc = func(conn, sql unsafe.Pointer, n uintptr, format unsafe.Pointer, fn uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer

func (c *Conn) start(call startFunc, sql, format string, params []Param) unsafe.Pointer {
	var pins runtime.Pinner
	defer pins.Unpin()
	var names, values []unsafe.Pointer
	var nameLens, valueLens []uintptr
	for _, p := range params {
		names, nameLens = append(names, cstring(&pins, p.Name)), append(nameLens, uintptr(len(p.Name)))
		values, valueLens = append(values, cstring(&pins, p.Value)), append(valueLens, uintptr(len(p.Value)))
	}
	conn := *(*unsafe.Pointer)(c.handle)
	return call(conn, cstring(&pins, sql), uintptr(len(sql)), cstring(&pins, format), uintptr(len(format)),
		array(&pins, names), array(&pins, nameLens), array(&pins, values), array(&pins, valueLens), uintptr(len(params)))
}

// take copies a result out of the library and frees it there.
func (c *Conn) take(result unsafe.Pointer) (Result, error) {
	if result == nil {
		return Result{}, newError(codeBadArguments, "BAD_ARGUMENTS", "the engine gave no result")
	}
	defer c.lib.resultDestroy(result)
	if text := c.lib.resultError(result); text != "" {
		return Result{}, parseError(text)
	}
	out := Result{
		Rows:         c.lib.resultRows(result),
		ReadRows:     c.lib.resultReadRows(result),
		ReadBytes:    c.lib.resultReadBytes(result),
		WrittenRows:  c.lib.resultWroteRows(result),
		WrittenBytes: c.lib.resultWroteBytes(result),
		Elapsed:      time.Duration(c.lib.resultElapsed(result) * float64(time.Second)),
	}
	if n := c.lib.resultLength(result); n > 0 {
		out.Data = append([]byte(nil), unsafe.Slice((*byte)(c.lib.resultBuffer(result)), n)...)
	}
	return out, nil
}

// cstring copies s to pinned memory with a terminating zero.
func cstring(pins *runtime.Pinner, s string) unsafe.Pointer {
	b := make([]byte, len(s)+1)
	copy(b, s)
	pins.Pin(&b[0])
	return unsafe.Pointer(&b[0])
}

func array[T any](pins *runtime.Pinner, s []T) unsafe.Pointer {
	if len(s) == 0 {
		return nil
	}
	pins.Pin(&s[0])
	return unsafe.Pointer(&s[0])
}
