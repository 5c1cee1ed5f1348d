package processors

import (
	"bytes"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// timestampType is how event times travel: nanoseconds, UTC.
var timestampType = &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}

// encodeRecord writes one record batch as a self-contained Arrow IPC stream.
// Columns are released.
func encodeRecord(schema *arrow.Schema, rows int, columns []arrow.Array) []byte {
	rec := array.NewRecord(schema, columns, int64(rows))
	for _, c := range columns {
		c.Release()
	}
	defer rec.Release()
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(schema))
	if err := w.Write(rec); err != nil {
		panic("BUG: cannot encode Arrow record: " + err.Error())
	}
	if err := w.Close(); err != nil {
		panic("BUG: cannot close Arrow stream: " + err.Error())
	}
	return buf.Bytes()
}

// schemaFrame returns the bytes that a stream of this schema begins with.
func schemaFrame(schema *arrow.Schema) []byte {
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(schema))
	if err := w.Close(); err != nil {
		panic("BUG: cannot encode Arrow schema: " + err.Error())
	}
	end := []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}
	return bytes.TrimSuffix(buf.Bytes(), end)
}

// requireValues says what is wrong when a column has nulls where its schema knows
// none, or when its buffers do not hold what its offsets say. The Arrow reader
// checks neither, and reading such a column would panic later.
func requireValues(rec arrow.Record) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cannot use Arrow record: its buffers do not fit its schema: %v", p)
		}
	}()
	for i, c := range rec.Columns() {
		if !rec.Schema().Field(i).Nullable && c.NullN() > 0 {
			return fmt.Errorf("cannot use Arrow record: column %q has %d nulls", rec.ColumnName(i), c.NullN())
		}
		if c.Len() != int(rec.NumRows()) {
			return fmt.Errorf("cannot use Arrow record: column %q has %d of %d rows", rec.ColumnName(i), c.Len(), rec.NumRows())
		}
		touch(c)
	}
	return nil
}

// touch reads every value and panics when one is not there.
func touch(c arrow.Array) {
	n := c.Len()
	if n == 0 {
		return
	}
	switch c := c.(type) {
	case *array.String:
		for i := range n {
			_ = c.Value(i)
		}
	case *array.Binary:
		for i := range n {
			_ = c.Value(i)
		}
	case *array.Int64:
		_ = c.Int64Values()[n-1]
	case *array.Float64:
		_ = c.Float64Values()[n-1]
	case *array.Timestamp:
		_ = c.TimestampValues()[n-1]
	default:
		panic(fmt.Sprintf("column of type %v", c.DataType()))
	}
}

func stringColumn(v []string) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(v, nil)
	return b.NewArray()
}

func binaryColumn(v [][]byte) arrow.Array {
	b := array.NewBinaryBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
	defer b.Release()
	b.AppendValues(v, nil)
	return b.NewArray()
}

func int64Column(v []int64) arrow.Array {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(v, nil)
	return b.NewArray()
}

func uint32Column(v []uint32) arrow.Array {
	b := array.NewUint32Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(v, nil)
	return b.NewArray()
}

func boolColumn(v []bool) arrow.Array {
	b := array.NewBooleanBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(v, nil)
	return b.NewArray()
}

func timeColumn(v []int64) arrow.Array {
	b := array.NewTimestampBuilder(memory.DefaultAllocator, timestampType)
	defer b.Release()
	b.Reserve(len(v))
	for _, t := range v {
		b.UnsafeAppend(arrow.Timestamp(t))
	}
	return b.NewArray()
}

// floatColumn writes NaN as null: no data is never a number.
func floatColumn(v []float64) arrow.Array {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(len(v))
	for _, x := range v {
		if x != x {
			b.UnsafeAppendBoolToBitmap(false)
		} else {
			b.UnsafeAppend(x)
		}
	}
	return b.NewArray()
}

// floatListColumn writes NaN as null too.
func floatListColumn(v [][]float64) arrow.Array {
	b := array.NewListBuilder(memory.DefaultAllocator, arrow.PrimitiveTypes.Float64)
	defer b.Release()
	values := b.ValueBuilder().(*array.Float64Builder)
	for _, list := range v {
		b.Append(true)
		for _, x := range list {
			if x != x {
				values.AppendNull()
			} else {
				values.Append(x)
			}
		}
	}
	return b.NewArray()
}

func stringListColumn(v [][]string) arrow.Array {
	b := array.NewListBuilder(memory.DefaultAllocator, arrow.BinaryTypes.String)
	defer b.Release()
	values := b.ValueBuilder().(*array.StringBuilder)
	for _, list := range v {
		b.Append(true)
		values.AppendValues(list, nil)
	}
	return b.NewArray()
}

func field(name string, t arrow.DataType) arrow.Field { return arrow.Field{Name: name, Type: t} }

func nullable(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}
