// Package query reads what the web UI shows from the v_* views in ClickHouse.
//
// Every question is answered at most once a second, however many browsers ask it: they
// share the answer.
package query

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/flyball-io/flyball/sinks/clickhouse"
)

const (
	// fresh is how long an answer is shared.
	fresh = time.Second
	// patience is how long a question may take.
	patience = 20 * time.Second
	// maxAnswers bounds the answers that are kept.
	maxAnswers = 512
	// MaxRows bounds the rows of a list.
	MaxRows = 500
)

// Reader asks ClickHouse. It is safe for concurrent use.
type Reader struct {
	db     *clickhouse.DB
	flight singleflight.Group

	mu      sync.Mutex
	answers map[string]answer
}

type answer struct {
	at   time.Time
	rows any
}

// New returns a reader of a database, which stays the caller's to close.
func New(db *clickhouse.DB) *Reader {
	return &Reader{db: db, answers: map[string]answer{}}
}

// ask returns the rows of a question. What it returns is shared: it must not be changed.
func ask[T any](ctx context.Context, r *Reader, sql string, args ...any) ([]T, error) {
	key := fmt.Sprintf("%T\n%s\n%q", *new(T), sql, args)
	if rows, ok := r.kept(key); ok {
		return rows.([]T), nil
	}
	// Whoever asks first may go away: the others wait for the same answer.
	result := r.flight.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		rows := []T{}
		if err := r.db.Conn().Select(ctx, &rows, sql, args...); err != nil {
			return nil, fmt.Errorf("cannot read from ClickHouse: %w", err)
		}
		r.keep(key, rows)
		return rows, nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-result:
		if got.Err != nil {
			return nil, got.Err
		}
		return got.Val.([]T), nil
	}
}

// one returns the first row; ok is false when there is none.
func one[T any](ctx context.Context, r *Reader, sql string, args ...any) (row T, ok bool, err error) {
	rows, err := ask[T](ctx, r, sql, args...)
	if err != nil || len(rows) == 0 {
		return row, false, err
	}
	return rows[0], true, nil
}

func (r *Reader) kept(key string) (any, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.answers[key]
	return a.rows, ok && time.Since(a.at) < fresh
}

func (r *Reader) keep(key string, rows any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if len(r.answers) >= maxAnswers {
		for k, a := range r.answers {
			if now.Sub(a.at) >= fresh {
				delete(r.answers, k)
			}
		}
	}
	if len(r.answers) < maxAnswers {
		r.answers[key] = answer{now, rows}
	}
}

// Forget drops every answer, so that whoever has just said something sees it.
func (r *Reader) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.answers)
}

// tables are those whose changes people are told of.
var tables = [...]string{
	clickhouse.TableWindows, clickhouse.TableSLOStatus, clickhouse.TableFindings,
	clickhouse.TableDecisions, clickhouse.TableControls, clickhouse.TableVerdicts, clickhouse.TableBands,
}

// Counts returns how many rows each table has. It reads no rows, and is another number
// whenever something was recorded.
func (r *Reader) Counts(ctx context.Context) (map[string]uint64, error) {
	out := map[string]uint64{}
	for _, t := range tables {
		var n uint64
		if err := r.db.Conn().QueryRow(ctx, "SELECT count() FROM "+t).Scan(&n); err != nil {
			return nil, fmt.Errorf("cannot read from ClickHouse: %w", err)
		}
		out[t] = n
	}
	return out, nil
}

// Latest is the end of the newest window; the zero time when there is none.
func (r *Reader) Latest(ctx context.Context) (time.Time, error) {
	type row struct {
		N   uint64    `ch:"n"`
		End time.Time `ch:"end"`
	}
	// Yesterday and today are a small part of the table; all of it is asked for only
	// when they are empty.
	for _, where := range []string{" WHERE window_start >= now() - INTERVAL 1 DAY", ""} {
		got, _, err := one[row](ctx, r, "SELECT count() AS n, max(window_end) AS end FROM v_windows"+where)
		if err != nil || got.N > 0 {
			return got.End, err
		}
	}
	return time.Time{}, nil
}
