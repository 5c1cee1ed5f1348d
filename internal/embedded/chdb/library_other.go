//go:build !darwin && !linux

package chdb

import (
	"fmt"
	"io"
)

type library struct{}

func loadLibrary(path string) (*library, error) {
	return nil, fmt.Errorf("cannot load library %q: %w", path, ErrUnsupported)
}

// Conn is one session of the engine; on this operating system there is none.
type Conn struct{ done func() }

func connect(*library, string) (*Conn, error) { return nil, ErrUnsupported }

// Query returns [ErrUnsupported].
func (c *Conn) Query(sql, format string, params ...Param) (Result, error) {
	return Result{}, ErrUnsupported
}

// Insert returns [ErrUnsupported].
func (c *Conn) Insert(sql, format string, data io.Reader, params ...Param) (Result, error) {
	return Result{}, ErrUnsupported
}

// Close does nothing.
func (c *Conn) Close() error { return nil }
