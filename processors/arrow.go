package processors

import (
	"bytes"
	"fmt"
	"math"
	"slices"

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

// streamWriter writes record batches of one schema as encodeRecord does, each as
// a stream of its own, and keeps its memory. The zero value is ready.
type streamWriter struct {
	buf bytes.Buffer
	w   *ipc.Writer
}

var streamEnd = []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}

// encode writes one record batch; frame is that of the schema.
func (s *streamWriter) encode(schema *arrow.Schema, frame []byte, rows int, columns []arrow.Array) []byte {
	rec := array.NewRecord(schema, columns, int64(rows))
	for _, c := range columns {
		c.Release()
	}
	defer rec.Release()
	s.buf.Reset()
	if s.w == nil {
		s.w = ipc.NewWriter(&s.buf, ipc.WithSchema(schema))
	}
	if err := s.w.Write(rec); err != nil {
		panic("BUG: cannot encode Arrow record: " + err.Error())
	}
	batch := bytes.TrimPrefix(s.buf.Bytes(), frame) // the writer writes the schema once
	return slices.Concat(frame, batch, streamEnd)
}

// schemaFrame returns the bytes that a stream of this schema begins with.
func schemaFrame(schema *arrow.Schema) []byte {
	var buf bytes.Buffer
	w := ipc.NewWriter(&buf, ipc.WithSchema(schema))
	if err := w.Close(); err != nil {
		panic("BUG: cannot encode Arrow schema: " + err.Error())
	}
	return bytes.TrimSuffix(buf.Bytes(), streamEnd)
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

// The columns below wrap the values that they are given, which must stay as they
// are until the record is encoded.

// fixed wraps values of a fixed width.
func fixed[T arrow.FixedWidthType](t arrow.DataType, v []T) *array.Data {
	return array.NewData(t, len(v), []*memory.Buffer{nil, memory.NewBufferBytes(arrow.GetBytes(v))}, nil, 0, 0)
}

// texts copies values of any length into one buffer.
func texts[T string | []byte](t arrow.DataType, v []T) *array.Data {
	size := 0
	offsets := make([]int32, 1, len(v)+1)
	for _, x := range v {
		size += len(x)
		offsets = append(offsets, int32(size))
	}
	if size > math.MaxInt32 {
		panic("BUG: a column is larger than 2 GiB")
	}
	values := make([]byte, 0, size)
	for _, x := range v {
		values = append(values, x...)
	}
	return array.NewData(t, len(v), []*memory.Buffer{
		nil, memory.NewBufferBytes(arrow.GetBytes(offsets)), memory.NewBufferBytes(values),
	}, nil, 0, 0)
}

// columnOf makes a column of data that nobody else holds.
func columnOf(d *array.Data) arrow.Array {
	defer d.Release()
	return array.MakeFromData(d)
}

func stringColumn(v []string) arrow.Array { return columnOf(texts(arrow.BinaryTypes.String, v)) }

func binaryColumn(v [][]byte) arrow.Array { return columnOf(texts(arrow.BinaryTypes.Binary, v)) }

func int64Column(v []int64) arrow.Array { return columnOf(fixed(arrow.PrimitiveTypes.Int64, v)) }

func uint32Column(v []uint32) arrow.Array { return columnOf(fixed(arrow.PrimitiveTypes.Uint32, v)) }

func timeColumn(v []int64) arrow.Array { return columnOf(fixed(timestampType, v)) }

func boolColumn(v []bool) arrow.Array {
	b := array.NewBooleanBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(v, nil)
	return b.NewArray()
}

// floatColumn writes NaN as null: no data is never a number.
func floatColumn(v []float64) arrow.Array {
	if !slices.ContainsFunc(v, math.IsNaN) {
		return columnOf(fixed(arrow.PrimitiveTypes.Float64, v))
	}
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
