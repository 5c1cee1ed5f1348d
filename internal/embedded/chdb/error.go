package chdb

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// ErrEngineOpen means this process already has an open engine. libchdb keeps
// one engine per process, so share it or close it first.
var ErrEngineOpen = errors.New("this process already has an open ClickHouse engine, and libchdb allows only one")

// ErrClosed means the engine or session was closed before the call.
var ErrClosed = errors.New("the ClickHouse engine is closed")

// ErrUnsupported means libchdb has no build for this operating system.
var ErrUnsupported = errors.New("libchdb exists for Linux and macOS only")

// Error is an exception that ClickHouse raised for a statement.
type Error struct {
	// Code is ClickHouse's error number, for example 60 for an unknown table;
	// 0 when the text carried none.
	Code int
	// Name is its symbolic name, for example UNKNOWN_TABLE; may be empty.
	Name string
	// Message is the text without the "Code: N. DB::Exception:" prefix.
	Message string
}

// Error gives the exception as ClickHouse's clients print it.
func (e *Error) Error() string {
	return fmt.Sprintf("Code: %d. DB::Exception: %s", e.Code, e.Message)
}

// Codes of the exceptions that the HTTP front raises itself, as in
// ClickHouse's ErrorCodes.cpp.
const (
	codeCannotReadAll  = 33
	codeBadArguments   = 36
	codeNotImplemented = 48
	codeSyntaxError    = 62
	codeUnknownFormat  = 73
	codeUnknownSetting = 115
	codeTooMany        = 202
	codeTooLarge       = 307
)

// The pattern repeats because the engine wraps an exception in itself up to
// three times on some paths.
var errorPrefix = regexp.MustCompile(`^(?:Code: (\d+)\. (?:DB|Poco)::[A-Za-z]*Exception: )+`)

// The engine puts its version behind some messages and not behind others.
var errorVersion = regexp.MustCompile(`\s*\(version [^()]*(\([^()]*\))?\)\s*$`)

var errorName = regexp.MustCompile(`\(([A-Z][A-Z0-9_]+)\)\s*$`)

func parseError(text string) *Error {
	e := &Error{Message: strings.TrimSpace(text)}
	if m := errorPrefix.FindStringSubmatch(e.Message); m != nil {
		// The last repetition is the innermost code; all repetitions agree.
		e.Code, _ = strconv.Atoi(m[1])
		e.Message = e.Message[len(m[0]):]
	}
	e.Message = errorVersion.ReplaceAllString(e.Message, "")
	if m := errorName.FindStringSubmatch(e.Message); m != nil {
		e.Name = m[1]
	}
	return e
}

func newError(code int, name, format string, args ...any) *Error {
	return &Error{Code: code, Name: name, Message: fmt.Sprintf(format, args...) + " (" + name + ")"}
}
