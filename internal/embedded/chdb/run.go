package chdb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// run executes the statement in a session of its own, so that what it sets or
// creates for the session is gone with it, and returns the output's format.
func (s *Server) run(ctx context.Context, q *request) (Result, string, error) {
	conn, err := s.engine.Conn()
	if err != nil {
		return Result{}, "", err
	}
	defer conn.Close()
	if err := q.prepare(conn, s.limits.MaxResultBytes); err != nil {
		return Result{}, "", err
	}
	if q.statement.insert {
		format := firstOf(q.statement.format, q.format, "Values")
		result, err := conn.Insert(q.statement.sql, format, q.rows(), q.params...)
		return result, firstOf(q.format, "TabSeparated"), bodyError(err)
	}
	format := firstOf(q.statement.format, q.format, "TabSeparated")
	defer s.killWhenDone(ctx, q.comment)()
	result, err := conn.Query(q.statement.sql, format, q.params...)
	return result, format, err
}

// bodyError makes an error of the client's out of a body that failed while
// the engine was reading it.
func bodyError(err error) error {
	var raised *Error
	if err == nil || errors.As(err, &raised) || errors.Is(err, ErrClosed) {
		return err
	}
	return readError(err)
}

// prepare gives a fresh session the request's database and settings.
func (q *request) prepare(conn *Conn, maxResult int64) error {
	if q.database != "" && q.database != "default" {
		if _, err := conn.Query("USE "+quoteName(q.database), "Null"); err != nil {
			return err
		}
	}
	// First, so that a client can set its own limit.
	set := []string{fmt.Sprintf("max_result_bytes = %d", maxResult)}
	for _, s := range q.settings {
		set = append(set, s.name+" = "+quoteText(s.value))
	}
	if q.comment != "" {
		set = append(set, "log_comment = "+quoteText(q.comment))
	}
	if q.readOnly {
		// Last, because it forbids changes of some settings.
		set = append(set, "readonly = 2")
	}
	_, err := conn.Query("SET "+strings.Join(set, ", "), "Null")
	return err
}

// killWhenDone ends the statements with a comment once ctx is done: when the
// client has gone, or when Close has waited long enough. Calling stop ends the
// watch.
func (s *Server) killWhenDone(ctx context.Context, comment string) (stop func()) {
	if comment == "" {
		return func() {}
	}
	finished := make(chan struct{})
	s.watching.Go(func() {
		select {
		case <-finished:
			return
		case <-ctx.Done():
		}
		// Again and again, because the statement may not have begun yet.
		for {
			s.engine.Query("KILL QUERY WHERE Settings['log_comment'] = "+quoteText(comment)+" ASYNC", "Null")
			select {
			case <-finished:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	return func() { close(finished) }
}

func quoteName(name string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(name) + "`"
}

func quoteText(text string) string {
	return "'" + strings.NewReplacer("\\", "\\\\", "'", "\\'").Replace(text) + "'"
}
