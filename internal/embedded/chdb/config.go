package chdb

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Config configures a [Server].
type Config struct {
	// Library is the path of libchdb; empty means that [Fetch] finds or
	// downloads it.
	Library string
	// Dir holds the data and is kept; a server on the same directory finds it
	// again. Empty means a temporary directory that Close removes.
	Dir string
	// Addr is the TCP address to listen on. It must be a loopback address,
	// because nobody is asked for a password. Port 0 takes a free one.
	Addr string
	// MaxConcurrent is how many statements run at once; 1 or more.
	MaxConcurrent int
	// MaxWaiting is how many more requests may wait for their turn; what
	// comes on top is refused with TOO_MANY_SIMULTANEOUS_QUERIES.
	MaxWaiting int
	// MaxStatementBytes bounds a SQL text, including rows inside it.
	MaxStatementBytes int64
	// MaxBodyBytes bounds the body of an insert whose statement is in the
	// URL, before decompression. Such bodies are streamed, not held.
	MaxBodyBytes int64
	// MaxResultBytes bounds what one statement may return, in the engine's
	// memory format, because an answer is held in memory.
	MaxResultBytes int64
	// GracePeriod is how long Close lets running statements finish before it
	// kills them.
	GracePeriod time.Duration
	// Progress is where a download of the library is reported; nil is silent.
	Progress io.Writer
}

// Default is a server on a free loopback port with a temporary directory.
func Default() Config {
	return Config{
		Addr:              "127.0.0.1:0",
		MaxConcurrent:     8,
		MaxWaiting:        256,
		MaxStatementBytes: 64 << 20,
		MaxBodyBytes:      2 << 30,
		MaxResultBytes:    2 << 30,
		GracePeriod:       10 * time.Second,
	}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return fmt.Errorf("cannot use address %q: %w", c.Addr, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("cannot use address %q: the embedded ClickHouse asks for no password and listens on loopback addresses only", c.Addr)
	}
	switch {
	case c.MaxConcurrent < 1:
		return errors.New("MaxConcurrent must be 1 or more")
	case c.MaxWaiting < 0:
		return errors.New("MaxWaiting must not be negative")
	case c.MaxStatementBytes < 1, c.MaxBodyBytes < 1, c.MaxResultBytes < 1:
		return errors.New("MaxStatementBytes, MaxBodyBytes and MaxResultBytes must be 1 or more")
	case c.GracePeriod < 0:
		return errors.New("GracePeriod must not be negative")
	}
	return nil
}
