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

// DecodeRecord reads an Arrow IPC stream of one record batch, as the topics of
// Flyball carry it. The caller must Release it. Malformed bytes are an error.
func DecodeRecord(data []byte) (rec arrow.Record, err error) {
	defer func() { // the Arrow reader panics on some malformed input
		if p := recover(); p != nil {
			rec, err = nil, fmt.Errorf("cannot read Arrow stream: %v", p)
		}
	}()
	r, err := ipc.NewReader(bytes.NewReader(data), ipc.WithAllocator(memory.DefaultAllocator))
	if err != nil {
		return nil, fmt.Errorf("cannot read Arrow stream: %w", err)
	}
	defer r.Release()
	if !r.Next() {
		return nil, fmt.Errorf("cannot read Arrow stream: no record batch: %w", r.Err())
	}
	rec = r.Record()
	rec.Retain()
	return rec, nil
}

// requireSchema says what is wrong when a record is not of the schema expected.
func requireSchema(rec arrow.Record, want *arrow.Schema) error {
	if rec.Schema().Equal(want) {
		return nil
	}
	return fmt.Errorf("cannot use Arrow record: its schema is %v, want %v", rec.Schema(), want)
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
