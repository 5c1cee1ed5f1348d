package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"

	"github.com/flyball-io/flyball/processors"
)

func TestFailure(t *testing.T) {
	if failure("insert into", "x", nil) != nil {
		t.Error("no failure is one")
	}
	f := func(cause error, code int, permanent bool) {
		t.Helper()
		err := failure("insert into table", "windows", fmt.Errorf("sending: %w", cause))
		var e *Error
		if !errors.As(err, &e) || e.Code != code || e.Permanent != permanent || Retryable(err) == permanent || !errors.Is(err, cause) {
			t.Errorf("%v: code %d, permanent %v; want %d, %v", cause, e.Code, e.Permanent, code, permanent)
		}
		if !strings.HasPrefix(err.Error(), `cannot insert into table "windows": `) {
			t.Errorf("the error reads %q", err)
		}
	}
	f(&ch.Exception{Code: 60}, 60, true)
	f(&ch.Exception{Code: 16}, 16, true)
	f(&ch.Exception{Code: 53}, 53, true)
	f(&ch.Exception{Code: 516}, 516, true)
	f(&ch.Exception{Code: 252}, 252, false) // too many parts
	f(&ch.Exception{Code: 241}, 241, false) // memory
	f(&ch.Exception{Code: 159}, 159, false) // timeout
	f(&ch.Exception{Code: 202}, 202, false) // too many queries
	f(&ch.Exception{Code: 242}, 242, false) // read only for now
	f(&ch.Exception{Code: 99999}, 99999, false)
	f(&ch.HTTPError{StatusCode: 404, Err: &ch.Exception{Code: 60}}, 60, true)
	f(&ch.HTTPError{StatusCode: 500, Err: &ch.Exception{Code: 252}}, 252, false)
	f(&ch.HTTPError{StatusCode: 404, Err: errors.New("no such page")}, 0, true)
	f(&ch.HTTPError{StatusCode: 403, Err: errors.New("proxy")}, 0, true)
	f(&ch.HTTPError{StatusCode: 429, Err: errors.New("slow down")}, 0, false)
	f(&ch.HTTPError{StatusCode: 502, Err: errors.New("bad gateway")}, 0, false)
	f(io.ErrUnexpectedEOF, 0, false)
	f(context.Canceled, 0, false)
	f(context.DeadlineExceeded, 0, false)
	f(ch.ErrAcquireConnTimeout, 0, false)
	f(&column.ColumnConverterError{Op: "Append", From: "[]int64", To: "String"}, 0, true)
	f(&SchemaError{}, 0, true)
	f(errNull, 0, true)
	for cause, refused := range map[error]bool{
		&ch.Exception{Code: 469}: true, &ch.Exception{Code: 117}: true, errNull: true, &column.ColumnConverterError{Op: "Append"}: true,
		&ch.Exception{Code: 60}: false, &ch.Exception{Code: 252}: false, &ch.Exception{Code: 516}: false, &SchemaError{}: false, io.EOF: false,
	} {
		err := failure("insert into table", "windows", cause)
		if Refused(err) != refused || refused && Retryable(err) {
			t.Errorf("%v: refused %v, want %v; retryable %v", cause, Refused(err), refused, Retryable(err))
		}
	}
	for _, code := range refusedCodes {
		if !slices.Contains(permanentCodes[:], code) {
			t.Errorf("code %d is about rows and passes", code)
		}
	}
	if Retryable(errors.New("of somebody else")) {
		t.Error("an error of somebody else is retryable")
	}
}

// The server's own errors, as they really come.
func TestPassingErrorsAreRetryable(t *testing.T) {
	db := migrated(t)
	rec := windowsOf(t, processors.WindowRow{Indicator: "i", Start: at(0), End: at(10)})
	f := func(db *DB, code int) {
		t.Helper()
		err := db.Writer().Insert(t.Context(), TableWindows, rec, "")
		var e *Error
		if !errors.As(err, &e) || e.Code != code || !Retryable(err) {
			t.Errorf("got %v, want code %d, retryable", err, code)
		}
	}
	exec(t, db, "SYSTEM STOP MERGES windows")
	exec(t, db, "ALTER TABLE windows MODIFY SETTING parts_to_throw_insert = 1, max_delay_to_insert = 0")
	put(t, db.Writer(), TableWindows, rec, "")
	f(db, 252) // TOO_MANY_PARTS

	exec(t, db, "TRUNCATE TABLE windows")
	small, err := Open(Config{DSN: "http://" + db.opts.Addr[0] + "/" + db.Name() + "?max_memory_usage=1000"})
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	f(small, 241) // MEMORY_LIMIT_EXCEEDED

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Writer().Insert(ctx, TableWindows, rec, ""); !errors.Is(err, context.Canceled) || !Retryable(err) {
		t.Errorf("cancelled: %v", err)
	}
	put(t, db.Writer(), TableWindows, rec, "") // and then it passes
}
