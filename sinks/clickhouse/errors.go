package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// Error is a statement that failed.
type Error struct {
	// Verb and Noun say what could not be done: "insert into", "table windows".
	Verb, Noun string
	// Code is ClickHouse's error code (src/Common/ErrorCodes.cpp), or 0 when the
	// failure did not come from the server.
	Code int
	// Permanent is set when the same statement will fail again until somebody
	// changes the tables, the configuration or the rows. Everything else, such as
	// a lost connection, a timeout, too many parts or no memory, goes away, and
	// the statement should be repeated with the same token.
	Permanent bool
	// Refused is set when it is for the rows that the statement fails, whatever the
	// tables and the configuration: others would be taken.
	Refused bool
	// Err is the cause.
	Err error
}

// Error describes the failure.
func (e *Error) Error() string {
	return fmt.Sprintf("cannot %s %q: %v", e.Verb, e.Noun, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether err came from this package and doing the same again
// may succeed.
func Retryable(err error) bool {
	var e *Error
	return errors.As(err, &e) && !e.Permanent
}

// Refused reports whether err came from this package and says that the rows of an
// insert are at fault: they will never be taken, and others after them will.
func Refused(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Refused
}

// refusedCodes are those of the permanent ones that are about rows.
var refusedCodes = [...]int{
	6,   // CANNOT_PARSE_TEXT
	26,  // CANNOT_PARSE_QUOTED_STRING
	27,  // CANNOT_PARSE_INPUT_ASSERTION_FAILED
	33,  // CANNOT_READ_ALL_DATA
	38,  // CANNOT_PARSE_DATE
	41,  // CANNOT_PARSE_DATETIME
	69,  // ARGUMENT_OUT_OF_BOUND
	72,  // CANNOT_PARSE_NUMBER
	117, // INCORRECT_DATA
	131, // TOO_LARGE_STRING_SIZE
	349, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
	469, // VIOLATED_CONSTRAINT
}

// permanentCodes are the exceptions that repeating a statement cannot mend. One
// that is not listed is taken for passing: repeating is harmless because of the
// token, while giving up loses rows.
var permanentCodes = [...]int{
	6,   // CANNOT_PARSE_TEXT
	7,   // INCORRECT_NUMBER_OF_COLUMNS
	8,   // THERE_IS_NO_COLUMN
	10,  // NOT_FOUND_COLUMN_IN_BLOCK
	16,  // NO_SUCH_COLUMN_IN_TABLE
	20,  // NUMBER_OF_COLUMNS_DOESNT_MATCH
	26,  // CANNOT_PARSE_QUOTED_STRING
	27,  // CANNOT_PARSE_INPUT_ASSERTION_FAILED
	33,  // CANNOT_READ_ALL_DATA, such as a histogram that is cut short
	36,  // BAD_ARGUMENTS
	38,  // CANNOT_PARSE_DATE
	41,  // CANNOT_PARSE_DATETIME
	43,  // ILLEGAL_TYPE_OF_ARGUMENT
	44,  // ILLEGAL_COLUMN
	46,  // UNKNOWN_FUNCTION
	47,  // UNKNOWN_IDENTIFIER
	48,  // NOT_IMPLEMENTED
	50,  // UNKNOWN_TYPE
	53,  // TYPE_MISMATCH
	57,  // TABLE_ALREADY_EXISTS
	60,  // UNKNOWN_TABLE
	62,  // SYNTAX_ERROR
	69,  // ARGUMENT_OUT_OF_BOUND
	70,  // CANNOT_CONVERT_TYPE
	72,  // CANNOT_PARSE_NUMBER
	73,  // UNKNOWN_FORMAT
	81,  // UNKNOWN_DATABASE
	115, // UNKNOWN_SETTING
	117, // INCORRECT_DATA
	131, // TOO_LARGE_STRING_SIZE
	164, // READONLY
	192, // UNKNOWN_USER
	193, // WRONG_PASSWORD
	194, // REQUIRED_PASSWORD
	307, // TOO_MANY_BYTES
	349, // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
	452, // SETTING_CONSTRAINT_VIOLATION
	455, // SUSPICIOUS_TYPE_FOR_LOW_CARDINALITY
	469, // VIOLATED_CONSTRAINT
	497, // ACCESS_DENIED
	516, // AUTHENTICATION_FAILED
}

// failure wraps a failed statement; it returns nil for nil.
func failure(verb, noun string, err error) error {
	if err == nil {
		return nil
	}
	e := &Error{Verb: verb, Noun: noun, Err: err}
	var exception *ch.Exception
	if errors.As(err, &exception) {
		e.Code = int(exception.Code)
		e.Permanent = slices.Contains(permanentCodes[:], e.Code)
		e.Refused = slices.Contains(refusedCodes[:], e.Code)
		return e
	}
	e.Permanent = permanentHere(err)
	var converter *column.ColumnConverterError
	e.Refused = errors.As(err, &converter) || errors.Is(err, errNull)
	return e
}

// permanentHere judges failures that the server has no code for.
func permanentHere(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var answer *ch.HTTPError
	if errors.As(err, &answer) {
		switch answer.StatusCode {
		case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
			return false
		}
		return answer.StatusCode >= 400 && answer.StatusCode < 500
	}
	var schema *SchemaError
	var converter *column.ColumnConverterError
	var unsupported *column.UnsupportedColumnTypeError
	var unfit valueError
	var block *proto.BlockError
	return errors.As(err, &schema) || errors.As(err, &converter) || errors.As(err, &unsupported) ||
		errors.As(err, &unfit) || errors.As(err, &block)
}

// valueError is why the rows of a column cannot be written.
type valueError string

func (e valueError) Error() string { return string(e) }

// SchemaError says how the tables differ from what this version of Flyball
// writes.
type SchemaError struct {
	// Database is the database's name.
	Database string
	// Differences are in the order of tables and columns.
	Differences []Difference
}

// Difference is one column that is not as expected.
type Difference struct {
	// Table and Column say where. Column is empty when it is about the table.
	Table, Column string
	// Want and Have are ClickHouse types; for a table, engines. Have is empty when
	// there is none.
	Want, Have string
}

// Error lists every difference.
func (e *SchemaError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the tables of database %q are not those that this version of Flyball writes; apply its migrations with `flyball migrate`, or undo the change:", e.Database)
	for _, d := range e.Differences {
		b.WriteString("\n  " + d.String())
	}
	return b.String()
}

// String describes the difference in one line.
func (d Difference) String() string {
	what := fmt.Sprintf("table %q", d.Table)
	if d.Column != "" {
		what += fmt.Sprintf(": column %q", d.Column)
	}
	if d.Have == "" {
		return fmt.Sprintf("%s is missing, want %s", what, d.Want)
	}
	return fmt.Sprintf("%s is %s, want %s", what, d.Have, d.Want)
}
