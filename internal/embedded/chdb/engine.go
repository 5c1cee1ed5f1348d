package chdb

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Param is one query parameter, for a {Name:Type} placeholder.
type Param struct {
	// Name is the placeholder's name.
	Name string
	// Value is the parameter in ClickHouse's escaped text form, as in one
	// field of TabSeparated: \N is NULL, tabs and newlines are escaped.
	Value string
}

// Result is what one statement gave.
type Result struct {
	// Data is the output in the format asked for; empty for statements that
	// return no rows.
	Data []byte
	// Rows counts the rows in Data.
	Rows uint64
	// ReadRows and ReadBytes count what was read from storage.
	ReadRows, ReadBytes uint64
	// WrittenRows and WrittenBytes count what was written, including rows
	// that materialized views wrote.
	WrittenRows, WrittenBytes uint64
	// Elapsed is the engine's own time for the statement.
	Elapsed time.Duration
}

// EngineConfig says where the engine is and where its data goes.
type EngineConfig struct {
	// Library is the path of libchdb, as [Fetch] returns it.
	Library string
	// Dir holds the data; it is created when missing and kept. Empty means a
	// temporary directory that Close removes.
	Dir string
}

// Engine is ClickHouse running in this process.
type Engine struct {
	lib       *library
	dir       string
	temporary bool

	mu     sync.Mutex
	idle   *sync.Cond
	open   int   // sessions that are not closed
	keeper *Conn // holds the engine up: it stops with its last session
	closed bool
}

// process guards libchdb's process-wide state: one engine at a time.
var process struct {
	sync.Mutex
	engine *Engine
}

// Open loads the library, if this process has not done so yet, and starts the
// engine on its directory. It returns [ErrEngineOpen] while another engine is
// open in this process.
func Open(cfg EngineConfig) (*Engine, error) {
	process.Lock()
	defer process.Unlock()
	if process.engine != nil {
		return nil, fmt.Errorf("cannot open ClickHouse engine: %w (on %q)", ErrEngineOpen, process.engine.dir)
	}
	lib, err := loadLibrary(cfg.Library)
	if err != nil {
		return nil, err
	}
	e := &Engine{lib: lib, dir: cfg.Dir, temporary: cfg.Dir == ""}
	e.idle = sync.NewCond(&e.mu)
	if err := e.makeDir(); err != nil {
		return nil, err
	}
	if e.keeper, err = connect(lib, e.dir); err != nil {
		e.removeDir()
		return nil, err
	}
	process.engine = e
	return e, nil
}

func (e *Engine) makeDir() (err error) {
	if e.temporary {
		if e.dir, err = os.MkdirTemp("", "flyball-clickhouse-"); err != nil {
			return fmt.Errorf("cannot make data directory: %w", err)
		}
		return nil
	}
	if e.dir, err = filepath.Abs(e.dir); err != nil {
		return fmt.Errorf("cannot find data directory %q: %w", e.dir, err)
	}
	if err := os.MkdirAll(e.dir, 0o755); err != nil {
		return fmt.Errorf("cannot make data directory %q: %w", e.dir, err)
	}
	return nil
}

func (e *Engine) removeDir() error {
	if !e.temporary {
		return nil
	}
	if err := os.RemoveAll(e.dir); err != nil {
		return fmt.Errorf("cannot remove data directory %q: %w", e.dir, err)
	}
	return nil
}

// Dir is the directory that holds the data.
func (e *Engine) Dir() string { return e.dir }

// Conn opens a session. The caller closes it.
func (e *Engine) Conn() (*Conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, fmt.Errorf("cannot open session: %w", ErrClosed)
	}
	c, err := connect(e.lib, e.dir)
	if err != nil {
		return nil, err
	}
	e.open++
	c.done = e.sessionClosed
	return c, nil
}

func (e *Engine) sessionClosed() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open--
	e.idle.Broadcast()
}

// Query runs one statement in a session of its own and returns the output.
func (e *Engine) Query(sql, format string) ([]byte, error) {
	c, err := e.Conn()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	result, err := c.Query(sql, format)
	return result.Data, err
}

// Close waits until every session is closed, stops the engine and removes a
// temporary directory. No new session opens once it has been called. It may
// be called more than once.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	for e.open > 0 {
		e.idle.Wait()
	}
	keeper := e.keeper
	e.keeper = nil
	e.mu.Unlock()
	if keeper == nil {
		return nil
	}
	process.Lock()
	defer process.Unlock()
	keeper.Close()
	process.engine = nil
	return e.removeDir()
}
