//go:build darwin || linux

package chdb

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// library is libchdb's C interface. Names follow the header: a connection is
// a pointer to a pointer, every result must be destroyed.
type library struct {
	connect           func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	closeConn         func(conn unsafe.Pointer)
	query             func(conn, sql unsafe.Pointer, n uintptr, format unsafe.Pointer, fn uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer
	insert            func(conn, sql unsafe.Pointer, n uintptr, format unsafe.Pointer, fn uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer
	insertError       func(stream unsafe.Pointer) string
	insertAppend      func(stream, data unsafe.Pointer, n uintptr) int32
	insertDone        func(stream unsafe.Pointer) unsafe.Pointer
	insertCancel      func(stream unsafe.Pointer)
	insertDestroy     func(stream unsafe.Pointer)
	resultError       func(result unsafe.Pointer) string
	resultBuffer      func(result unsafe.Pointer) unsafe.Pointer
	resultLength      func(result unsafe.Pointer) uintptr
	resultElapsed     func(result unsafe.Pointer) float64
	resultRows        func(result unsafe.Pointer) uint64
	resultReadRows    func(result unsafe.Pointer) uint64
	resultReadBytes   func(result unsafe.Pointer) uint64
	resultWroteRows   func(result unsafe.Pointer) uint64
	resultWroteBytes  func(result unsafe.Pointer) uint64
	resultDestroy     func(result unsafe.Pointer)
	setSignalHandlers func(enabled int32)
}

func (l *library) symbols() map[string]any {
	return map[string]any{
		"chdb_connect":                     &l.connect,
		"chdb_close_conn":                  &l.closeConn,
		"chdb_query_with_params_n":         &l.query,
		"chdb_stream_insert_with_params_n": &l.insert,
		"chdb_stream_insert_error":         &l.insertError,
		"chdb_stream_append":               &l.insertAppend,
		"chdb_stream_done":                 &l.insertDone,
		"chdb_stream_cancel_insert":        &l.insertCancel,
		"chdb_destroy_insert_stream":       &l.insertDestroy,
		"chdb_result_error":                &l.resultError,
		"chdb_result_buffer":               &l.resultBuffer,
		"chdb_result_length":               &l.resultLength,
		"chdb_result_elapsed":              &l.resultElapsed,
		"chdb_result_rows_read":            &l.resultRows,
		"chdb_result_storage_rows_read":    &l.resultReadRows,
		"chdb_result_storage_bytes_read":   &l.resultReadBytes,
		"chdb_result_rows_written":         &l.resultWroteRows,
		"chdb_result_bytes_written":        &l.resultWroteBytes,
		"chdb_destroy_query_result":        &l.resultDestroy,
		"chdb_set_signal_handlers_enabled": &l.setSignalHandlers,
	}
}

// loaded is the one library of this process: its state is process-wide, so a
// second copy from another path would corrupt the first.
var loaded struct {
	sync.Mutex
	path string
	lib  *library
}

func loadLibrary(path string) (*library, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.lib != nil {
		if loaded.path != path {
			return nil, fmt.Errorf("cannot load library %q: %q is already loaded", path, loaded.path)
		}
		return loaded.lib, nil
	}
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("cannot load library %q: %w", path, err)
	}
	lib := new(library)
	for name, fn := range lib.symbols() {
		symbol, err := purego.Dlsym(handle, name)
		if err != nil {
			return nil, fmt.Errorf("cannot load library %q: it has no %s; version %s is needed: %w", path, name, Version, err)
		}
		purego.RegisterFunc(fn, symbol)
	}
	// Go owns the signals: a handler of the engine would turn a recoverable
	// nil dereference in Go code into an abort.
	lib.setSignalHandlers(0)
	loaded.path, loaded.lib = path, lib
	return lib, nil
}
