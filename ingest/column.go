package ingest

import (
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// column is an Arrow column without nulls under construction. Arrow's own
// builders also keep a bit per row that says it is not null, which here is most
// of what they do.
type column[T int64 | uint32 | float64] struct {
	rows []T // in raw; never appended to beyond its capacity
	raw  []byte
}

// grow makes room for n rows in all.
func (c *column[T]) grow(mem memory.Allocator, n int) {
	raw := mem.Allocate(n * int(unsafe.Sizeof(*new(T))))
	rows := arrow.GetData[T](raw)
	filled := copy(rows, c.rows)
	c.release(mem)
	c.rows, c.raw = rows[:filled:n], raw
}

// release gives the memory back and empties the column.
func (c *column[T]) release(mem memory.Allocator) {
	if c.raw != nil {
		mem.Free(c.raw)
	}
	c.rows, c.raw = nil, nil
}

// data hands the rows over and empties the column.
func (c *column[T]) data(t arrow.DataType, mem memory.Allocator) *array.Data {
	buf := memory.NewBufferWithAllocator(c.raw, mem)
	defer buf.Release()
	d := array.NewData(t, len(c.rows), []*memory.Buffer{nil, buf}, nil, 0, 0)
	c.rows, c.raw = nil, nil
	return d
}
