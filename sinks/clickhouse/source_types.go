package clickhouse

import (
	"strings"
	"time"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// sourceFor returns the source for an Arrow type and a ClickHouse type, or nil
// when the one does not fit into the other. Widths must be equal: a wider column
// hides an error until the day a value does not fit.
func sourceFor(t arrow.DataType, kind string) source {
	if element, ok := inside(kind, "Array"); ok {
		list, ok := t.(arrow.ListLikeType)
		if !ok {
			return nil
		}
		return scalarSource(list.Elem(), element, true)
	}
	return scalarSource(t, kind, false)
}

// typesOf lists the ClickHouse types, without Nullable and LowCardinality, that
// take an Arrow type.
func typesOf(t arrow.DataType) []string {
	switch t.ID() {
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.FLOAT32, arrow.FLOAT64:
		return []string{strings.ToUpper(t.Name()[:1]) + t.Name()[1:]}
	case arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		return []string{strings.ToUpper(t.Name()[:2]) + t.Name()[2:]}
	case arrow.BOOL:
		return []string{"Bool"}
	case arrow.STRING, arrow.LARGE_STRING, arrow.BINARY, arrow.LARGE_BINARY:
		return []string{"String"}
	case arrow.DICTIONARY:
		if t.(*arrow.DictionaryType).ValueType.ID() == arrow.STRING {
			return []string{"String"}
		}
	case arrow.TIMESTAMP:
		return []string{"DateTime64", "DateTime"}
	case arrow.DATE32:
		return []string{"Date32", "Date"}
	}
	return nil
}

// wantedType says, for an error, which ClickHouse types would take a field.
func wantedType(f arrow.Field) string {
	t, list := f.Type, false
	if l, ok := t.(arrow.ListLikeType); ok {
		t, list = l.Elem(), true
	}
	kinds := typesOf(t)
	if kinds == nil {
		return "no column, because ClickHouse columns cannot be made from Arrow type " + f.Type.String()
	}
	kind := strings.Join(kinds, " or ")
	if list {
		return "Array(" + kind + ")"
	}
	return kind
}

func scalarSource(t arrow.DataType, kind string, list bool) source {
	base, nullable := plainType(kind)
	fits := false
	for _, k := range typesOf(t) {
		fits = fits || k == base
	}
	if !fits {
		return nil
	}
	switch t.ID() {
	case arrow.INT8:
		return sourceOf(list, nullable, view((*array.Int8).Int8Values))
	case arrow.INT16:
		return sourceOf(list, nullable, view((*array.Int16).Int16Values))
	case arrow.INT32:
		return sourceOf(list, nullable, view((*array.Int32).Int32Values))
	case arrow.INT64:
		return sourceOf(list, nullable, view((*array.Int64).Int64Values))
	case arrow.UINT8:
		return sourceOf(list, nullable, view((*array.Uint8).Uint8Values))
	case arrow.UINT16:
		return sourceOf(list, nullable, view((*array.Uint16).Uint16Values))
	case arrow.UINT32:
		return sourceOf(list, nullable, view((*array.Uint32).Uint32Values))
	case arrow.UINT64:
		return sourceOf(list, nullable, view((*array.Uint64).Uint64Values))
	case arrow.FLOAT32:
		return sourceOf(list, nullable, view((*array.Float32).Float32Values))
	case arrow.FLOAT64:
		return sourceOf(list, nullable, view((*array.Float64).Float64Values))
	case arrow.BOOL:
		return sourceOf(list, nullable, filled((*array.Boolean).Value))
	case arrow.STRING:
		return sourceOf(list, nullable, filled((*array.String).Value))
	case arrow.LARGE_STRING:
		return sourceOf(list, nullable, filled((*array.LargeString).Value))
	case arrow.BINARY:
		return sourceOf(list, nullable, filled(func(a *array.Binary, i int) string { return text(a.Value(i)) }))
	case arrow.LARGE_BINARY:
		return sourceOf(list, nullable, filled(func(a *array.LargeBinary, i int) string { return text(a.Value(i)) }))
	case arrow.DICTIONARY:
		return sourceOf(list, nullable, dictionary)
	case arrow.TIMESTAMP:
		return sourceOf(list, nullable, instants(t.(*arrow.TimestampType).Unit))
	case arrow.DATE32:
		return sourceOf(list, nullable, filled(func(a *array.Date32, i int) time.Time { return a.Value(i).ToTime() }))
	}
	panic("BUG: Arrow type without a source: " + t.String())
}

func sourceOf[T any](list, nullable bool, read reader[T]) source {
	if list {
		return &lists[T]{read: read, nullable: nullable}
	}
	return &values[T]{read: read, nullable: nullable}
}

// view reads arrays whose buffer is a Go slice of the rows.
func view[A any, T any](rows func(A) []T) reader[T] {
	return func(src arrow.Array, _ *[]T) []T { return rows(src.(A)) }
}

// filled reads arrays row by row.
func filled[A any, T any](value func(A, int) T) reader[T] {
	return func(src arrow.Array, buf *[]T) []T {
		a, rows := src.(A), (*buf)[:0]
		for i := range src.Len() {
			rows = append(rows, value(a, i))
		}
		*buf = rows
		return rows
	}
}

// text views bytes as a string. ClickHouse's String is bytes, and clickhouse-go
// copies a []string at once but a [][]byte twice.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func dictionary(src arrow.Array, buf *[]string) []string {
	a, rows := src.(*array.Dictionary), (*buf)[:0]
	words := a.Dictionary().(*array.String)
	for i := range a.Len() {
		word := ""
		if !a.IsNull(i) {
			word = words.Value(a.GetValueIndex(i))
		}
		rows = append(rows, word)
	}
	*buf = rows
	return rows
}

func instants(unit arrow.TimeUnit) reader[time.Time] {
	perSecond := int64(time.Second / unit.Multiplier())
	nanos := int64(unit.Multiplier())
	return filled(func(a *array.Timestamp, i int) time.Time {
		t := int64(a.Value(i))
		return time.Unix(t/perSecond, t%perSecond*nanos)
	})
}

// inside returns what is between the brackets of a type such as Array(…).
func inside(kind, outer string) (string, bool) {
	rest, ok := strings.CutPrefix(kind, outer+"(")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, ")")
}

// plainType takes Nullable and LowCardinality off a type, and the parameters.
func plainType(kind string) (base string, nullable bool) {
	if k, ok := inside(kind, "LowCardinality"); ok {
		kind = k
	}
	if k, ok := inside(kind, "Nullable"); ok {
		kind, nullable = k, true
	}
	base, _, _ = strings.Cut(kind, "(")
	return base, nullable
}
