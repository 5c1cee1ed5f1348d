package clickhouse

import (
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// source appends Arrow arrays of one type to ClickHouse columns of one type. It
// keeps its slices between calls.
type source interface {
	// appendTo appends all rows of src to dst.
	appendTo(dst driver.BatchColumn, src arrow.Array) error
	// clear lets go of src.
	clear()
}

const (
	errNull     = valueError("it has nulls, and the column of the table is not Nullable")
	errNullList = valueError("it has null lists, and a ClickHouse array cannot be null")
)

// reader returns the rows of an array: a view of its buffer where the layout is
// that of Go, else buf, filled. A null row has any value.
type reader[T any] func(src arrow.Array, buf *[]T) []T

// values appends columns whose rows are of Go type T.
type values[T any] struct {
	read     reader[T]
	nullable bool // the ClickHouse column

	buf  []T
	refs []*T
}

func (v *values[T]) appendTo(dst driver.BatchColumn, src arrow.Array) error {
	rows := v.read(src, &v.buf)
	if src.NullN() > 0 && !v.nullable {
		return errNull
	}
	if src.NullN() == 0 && !(v.nullable && needsPointers(rows)) {
		return dst.Append(rows)
	}
	v.refs = pointers(v.refs[:0], rows, src)
	return dst.Append(v.refs)
}

func (v *values[T]) clear() {
	clear(v.buf)
	clear(v.refs)
}

// needsPointers is whether clickhouse-go takes a Nullable column of this type as
// pointers only: its Bool does not say that a plain slice has no nulls.
func needsPointers(rows any) bool {
	_, is := rows.([]bool)
	return is
}

// pointers appends one pointer per row, nil for a null.
func pointers[T any](refs []*T, rows []T, src arrow.Array) []*T {
	for i := range rows {
		if src.IsNull(i) {
			refs = append(refs, nil)
		} else {
			refs = append(refs, &rows[i])
		}
	}
	return refs
}

// lists appends columns of Array type whose elements are of Go type T.
type lists[T any] struct {
	read     reader[T]
	nullable bool // the elements

	buf     []T
	refs    []*T
	rows    [][]T
	refRows [][]*T
}

func (l *lists[T]) appendTo(dst driver.BatchColumn, src arrow.Array) error {
	if src.NullN() > 0 {
		return errNullList
	}
	list := src.(array.ListLike)
	elements := list.ListValues()
	all := l.read(elements, &l.buf)
	if elements.NullN() == 0 {
		l.rows = cut(l.rows[:0], all, list)
		return dst.Append(l.rows)
	}
	if !l.nullable {
		return errNull
	}
	l.refs = pointers(l.refs[:0], all, elements)
	l.refRows = cut(l.refRows[:0], l.refs, list)
	return dst.Append(l.refRows)
}

func (l *lists[T]) clear() {
	clear(l.buf)
	clear(l.refs)
	clear(l.rows)
	clear(l.refRows)
}

// cut appends the rows of a list, given all its elements.
func cut[T any](rows [][]T, all []T, list array.ListLike) [][]T {
	for i := range list.Len() {
		start, end := list.ValueOffsets(i)
		rows = append(rows, all[start:end])
	}
	return rows
}
